package appio

import (
	"net/http"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// The names of the operations in errors and logs.
const (
	opSubmit  = "submit message"
	opMessage = "get message"
	opProfile = "get profile"
	opFeed    = "get feed"
)

// newError returns the error of a call that the client itself finds.
func newError(operation string, kind error) *flussi.RemoteError {
	return &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: operation, Kind: kind}
}

// submission returns the ID of a message that the platform accepted, or the error of submitting
// it. What the platform's documents do not name is unknown, and so is every 500: the platform can
// store and queue a message, and then answer 500 with a problem.
func submission(reply *restcall.Reply, err error) (MessageID, error) {
	accepted := reply != nil && reply.Status >= 200 && reply.Status < 300
	if accepted {
		if id := idOf(reply); id != "" {
			return id, nil
		}
	}
	e := describe(opSubmit, reply, err)
	restcall.SetOutcome(e, err)
	if accepted {
		e.Detail = "no message ID in the reply"
	}
	explain(e)
	return "", e
}

// failed returns the error of a call that only reads.
func failed(operation string, reply *restcall.Reply, err error) *flussi.RemoteError {
	e := describe(operation, reply, err)
	explain(e)
	return e
}

// explain sets the text for the operator, where App IO's differs from that of the kind.
func explain(e *flussi.RemoteError) {
	switch e.Kind {
	case flussi.ErrRemoteNotFound:
		switch e.Operation {
		case opProfile:
			e.Reason = "Il cittadino non è su App IO o non riceve messaggi."
		case opMessage:
			e.Reason = "App IO non trova il messaggio: verificare l'ID del messaggio e il codice fiscale del destinatario."
		case opFeed:
			e.Reason = "L'elenco delle iscrizioni del giorno non è ancora disponibile su App IO: riprovare più tardi."
		default:
			e.Reason = "App IO non trova il servizio all'indirizzo configurato: verificare l'indirizzo."
		}
	case flussi.ErrUnauthorized:
		e.Reason = "App IO non accetta la chiave del servizio: verificare la chiave."
	case flussi.ErrRemoteForbidden:
		e.Reason = "Il servizio non è abilitato a questa operazione su App IO: verificare le abilitazioni del servizio."
	case flussi.ErrRateLimited:
		e.Reason = "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi."
	case flussi.ErrInterrupted:
		e.Reason = "L'operazione è stata interrotta prima dell'invio: ripeterla."
	case flussi.ErrOutcomeUnknown:
		e.Reason = "Esito sconosciuto: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto."
	}
}

// describe returns the error of a call by its status.
func describe(operation string, reply *restcall.Reply, err error) *flussi.RemoteError {
	e := restcall.RemoteError("appio", "App IO", operation, reply, err)
	if reply == nil {
		return e
	}
	switch status := reply.Status; {
	case status == http.StatusUnauthorized:
		e.Kind = flussi.ErrUnauthorized
	case status == http.StatusForbidden:
		e.Kind = flussi.ErrRemoteForbidden
	case status == http.StatusNotFound && operation != opSubmit && !reply.FromService():
		// A wrong address must not read as a citizen who is not on App IO.
		e.Detail = "nothing at this address; check the BaseURL"
	case status == http.StatusNotFound:
		e.Kind = flussi.ErrRemoteNotFound
	case status == http.StatusTooManyRequests:
		e.Kind = flussi.ErrRateLimited
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != 499:
		e.Kind = flussi.ErrRemoteInvalid
	}
	return e
}
