package appio

import (
	"errors"
	"net/http"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
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
func submission(engine *restcall.Engine, m Message, reply *restcall.Reply, err error) (MessageID, error) {
	accepted := reply != nil && reply.Status >= 200 && reply.Status < 300
	if accepted {
		if id := idOf(reply); id != "" {
			return id, nil
		}
	}
	e := describe(opSubmit, reply, err)
	restcall.SetOutcome(e, err)
	engine.SetAnswer(e, m.secrets()...)
	if accepted {
		e.Detail = "no message ID in the reply"
	}
	if e.Reason = refusal(e, m); e.Reason == "" {
		e.Reason = reason(e)
	}
	return "", e
}

// failed returns the error of a call that only reads. The texts of the request are hidden.
func failed(engine *restcall.Engine, operation string, reply *restcall.Reply, err error, hide ...string) *flussi.RemoteError {
	e := describe(operation, reply, err)
	engine.SetAnswer(e, hide...)
	e.Reason = reason(e)
	return e
}

// refusal returns the text for the operator about a submission that the service itself refused, or
// that was refused without a word; otherwise "". Titles and details of problems may change, so only
// the status and what the message asks for decide.
func refusal(e *flussi.RemoteError, m Message) string {
	if e.Status == http.StatusForbidden && e.Problem == nil {
		return "App IO, o un filtro della rete, ha rifiutato il messaggio senza dire perché: il motivo può essere in ciò che il messaggio contiene, nel destinatario o nelle abilitazioni del servizio."
	}
	if !e.FromService || e.Outcome != flussi.OutcomeRefused {
		return ""
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		return ""
	case e.Status == http.StatusNotFound && m.ThirdParty != nil:
		return "App IO non trova la configurazione del contenuto remoto che il messaggio indica: verificare l'ID della configurazione."
	case e.Status == http.StatusForbidden:
		return "App IO ha rifiutato il messaggio: " + forbidden(m)
	case e.Status == http.StatusUnprocessableEntity:
		return "App IO ha rifiutato il messaggio per questo destinatario, che potrebbe non avere l'età prevista dal servizio: avvisare il cittadino con un altro canale."
	case m.Payment != nil:
		return "App IO ha rifiutato il messaggio: verificare i dati del messaggio e l'importo massimo che il servizio può chiedere."
	}
	return "App IO ha rifiutato il messaggio: verificare i dati del messaggio."
}

// forbidden returns what to verify after a 403 of the service: what the message asks for needs a
// permission, or the recipient is not one of those whom the service may write to.
func forbidden(m Message) string {
	switch {
	case m.ThirdParty != nil:
		return "verificare che la configurazione del contenuto remoto sia dell'ente, e che il servizio possa inviare contenuti remoti a questo destinatario."
	case m.Payment != nil && !m.Payment.Payee.IsZero():
		return "verificare che il servizio possa indicare questo ente creditore e scrivere a questo destinatario."
	case m.FeatureLevel == FeatureAdvanced:
		return "verificare che il servizio possa inviare messaggi ADVANCED e scrivere a questo destinatario."
	}
	return "verificare che il servizio possa scrivere a questo destinatario."
}

// reason returns the text for the operator, where App IO's differs from that of the kind; "" where
// it does not.
func reason(e *flussi.RemoteError) string {
	var asked *pace.AskError
	if errors.As(e.Err, &asked) && e.Kind == flussi.ErrUnavailable {
		return "La chiamata non è partita, perché l'archivio che regola le chiamate dell'ente non risponde: verificare che sia attivo e riprovare."
	}
	switch e.Kind {
	case flussi.ErrRemoteNotFound:
		switch e.Operation {
		case opProfile:
			return "Il cittadino non è su App IO o non riceve messaggi."
		case opMessage:
			return "App IO non trova il messaggio: verificare l'ID del messaggio e il codice fiscale del destinatario."
		case opFeed:
			return "L'elenco delle iscrizioni del giorno non è ancora disponibile su App IO: riprovare più tardi."
		}
		return "App IO non trova il servizio all'indirizzo configurato: verificare l'indirizzo."
	case flussi.ErrUnauthorized:
		return "App IO non accetta la chiave del servizio: verificare la chiave."
	case flussi.ErrRemoteForbidden:
		if e.Operation == opMessage && e.FromService {
			return "App IO non mostra il messaggio a questo servizio: lo ha inviato un altro servizio. Verificare con quale servizio è stato inviato."
		}
		return "Il servizio non è abilitato a questa operazione su App IO: verificare le abilitazioni del servizio."
	case flussi.ErrRateLimited:
		return "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi."
	case flussi.ErrInterrupted:
		return "L'operazione è stata interrotta prima dell'invio: ripeterla."
	case flussi.ErrOutcomeUnknown:
		return "Esito sconosciuto: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto."
	}
	return ""
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
	case status == http.StatusNotFound && operation != opSubmit && !e.FromService:
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
