package flow

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// Why something is refused, besides the Err… values of package flussi. An [*flussi.Error] unwraps
// to one of these. Those about a state are a [flussi.ErrState], those about data a
// [flussi.ErrInvalid].
var (
	// ErrNothingToSend: the flow has no notification to be sent.
	ErrNothingToSend = sentinel.New("nothing to send", "Il flusso non ha notifiche da inviare.", flussi.ErrState)
	// ErrDisabled: an operator disabled the flow or the notification. Enable it first.
	ErrDisabled = sentinel.New("disabled", "Elemento disabilitato: riabilitarlo prima.", flussi.ErrState)
	// ErrNotDisabled: the flow or the notification is not disabled, so it cannot be enabled.
	ErrNotDisabled = sentinel.New("not disabled", "L'elemento non è disabilitato.", flussi.ErrState)
	// ErrMayHaveArrived: the citizen may have the message, so it is not simply sent again.
	ErrMayHaveArrived = sentinel.New("the message may have arrived", "Il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto.", flussi.ErrState)
	// ErrOutcomeKnown: the outcome of the message is known, so there is nothing to decide.
	ErrOutcomeKnown = sentinel.New("the outcome of the message is known", "L'esito dell'invio è noto: non c'è niente da decidere.", flussi.ErrState)
	// ErrAnonymised: the personal data were erased, so it cannot be sent or verified.
	ErrAnonymised = sentinel.New("the personal data were erased", "I dati personali della notifica sono stati cancellati.", flussi.ErrState)
	// ErrCitizenUnreachable: the citizen is not on App IO, or blocks the service.
	ErrCitizenUnreachable = sentinel.New("citizen not reachable", "Il cittadino non è su App IO, oppure ha bloccato il servizio. Avvisarlo con un altro canale.", flussi.ErrInvalid)
	// ErrPayment: what a notification says about a payment contradicts itself.
	ErrPayment = sentinel.New("incomplete payment", "I dati del pagamento sono incompleti.", flussi.ErrInvalid)
	// ErrOutcomeNotStored: the outcome of a message that was sent could not be stored. The
	// notification becomes Errore with an unknown outcome when its lease is over.
	ErrOutcomeNotStored = sentinel.New("outcome not stored", "Non è stato possibile registrare l'esito dell'invio: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto.", nil)
)

// failure wraps the error of a method, or returns nil.
func failure(operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	e := flussi.Error{ID: id, Err: err}
	if inner, ok := err.(*flussi.Error); ok && inner.Reason != "" { // a refusal of this package
		e = *inner
		if e.ID == uuid.Nil {
			e.ID = id
		}
	}
	e.Package, e.Operation = "flow", operation
	if e.Reason == "" {
		e.Reason = reasonOf(err)
	}
	return &e
}

// refuse returns a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return &flussi.Error{Package: "flow", Operation: "take action", Err: err, Reason: fmt.Sprintf(reason, args...)}
}

// reasonOf returns the operator's text for the errors whose meaning depends on this package; "" for
// all others.
func reasonOf(err error) string {
	var step *fsm.TransitionError
	switch {
	case errors.As(err, &step): // its text names the states and the roles
	case errors.Is(err, ErrOutcomeNotStored):
		return "Non è stato possibile registrare l'esito dell'invio: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto."
	case errors.Is(err, flussi.ErrNotFound):
		return "Flusso o notifica inesistente, oppure utente non abilitato al servizio."
	case errors.Is(err, flussi.ErrForbidden):
		return "L'utente non è abilitato al servizio: rivolgersi a chi assegna le abilitazioni."
	}
	return ""
}

// explained returns the text of an error that has one, or "".
func explained(err error) string {
	var e flussi.Explainer
	if !errors.As(err, &e) {
		return ""
	}
	return flussi.Explain(err)
}
