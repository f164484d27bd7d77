package appio

import (
	"errors"
	"net/http"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/restcall"
)

// The operations, as errors and logs name them.
const (
	opSubmit  = "submit message"
	opMessage = "get message"
	opProfile = "get profile"
	opFeed    = "get feed"
)

// submission judges what came of submitting a message: the ID if it was accepted, or
// the error. The table is the platform's; what it does not name is unknown, and so is every
// 500: the platform can store and queue a message, and then answer 500 with a problem.
func submission(operation string, reply *restcall.Reply, err error) (MessageID, error) {
	if reply != nil && reply.Status >= 200 && reply.Status < 300 {
		if id := idOf(reply); id != "" {
			return id, nil
		}
	}
	e := describe(operation, reply, err)
	defer explain(e)
	if reply == nil {
		e.Outcome = flussi.OutcomeNotDone
		var failure *restcall.Failure
		if !errors.As(err, &failure) || failure.Sent {
			e.Kind, e.Outcome = flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown
		}
		return "", e
	}
	switch status := reply.Status; {
	case status >= 200 && status < 300:
		e.Kind, e.Outcome, e.Detail = flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown, "no message ID in the reply"
	case status == http.StatusTooManyRequests:
		e.Outcome = flussi.OutcomeNotDone
	case status == http.StatusRequestTimeout, status == 499, status < 400, status >= 500:
		e.Kind, e.Outcome = flussi.ErrOutcomeUnknown, flussi.OutcomeUnknown
	default:
		e.Outcome = flussi.OutcomeRefused
	}
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

// describe returns the error of a call as the reply alone tells it.
func describe(operation string, reply *restcall.Reply, err error) *flussi.RemoteError {
	e := &flussi.RemoteError{Package: "appio", Platform: "App IO", Operation: operation}
	if reply == nil {
		e.Kind, e.Err = flussi.ErrUnavailable, err
		var failure *restcall.Failure
		if errors.As(err, &failure) {
			e.Err, e.Attempts, e.Detail = failure.Err, len(failure.Attempts), restcall.Describe(failure.Err)
		}
		if failure != nil && failure.Ended {
			e.Kind = flussi.ErrInterrupted
		}
		return e
	}
	e.Status, e.Attempts = reply.Status, len(reply.Attempts)
	if said := reply.Said(); said != nil {
		e.Problem = &flussi.Problem{Status: said.Status, Type: flussi.NewText(said.Type), Title: flussi.NewText(said.Title), Detail: flussi.NewText(said.Detail)}
	}
	switch status := reply.Status; {
	case status == http.StatusUnauthorized:
		e.Kind = flussi.ErrUnauthorized
	case status == http.StatusForbidden:
		e.Kind = flussi.ErrRemoteForbidden
	case status == http.StatusNotFound && operation != opSubmit && !reply.FromService():
		// A wrong address must not read as a citizen who is not there.
		e.Kind, e.Detail = flussi.ErrUnavailable, "nothing at this address; check the BaseURL"
	case status == http.StatusNotFound:
		e.Kind = flussi.ErrRemoteNotFound
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = flussi.ErrRateLimited, restcall.RetryAfter(reply.Header, time.Now())
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != 499:
		e.Kind = flussi.ErrRemoteInvalid
	default:
		e.Kind = flussi.ErrUnavailable
	}
	return e
}
