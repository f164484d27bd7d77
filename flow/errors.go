package flow

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// Why something is refused, besides the Err… values of package flussi. A [*flussi.Error] unwraps
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
	ErrOutcomeNotStored = sentinel.New("outcome not stored", "Non è stato possibile registrare l'esito dell'invio: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto.", flussi.ErrNotStored)
)

// failure wraps the error of a method that is not about one entity, or returns nil.
func failure(operation string, err error) error { return failed(operation, "", uuid.Nil, err) }

// flowFailure wraps the error of a method about a flow, or returns nil.
func flowFailure(operation string, id uuid.UUID, err error) error {
	return failed(operation, entityFlow, id, err)
}

// notificationFailure wraps the error of a method about a notification, or returns nil.
func notificationFailure(operation string, id uuid.UUID, err error) error {
	return failed(operation, entityNotification, id, err)
}

// What the ID of a [*flussi.Error] is of.
const (
	entityFlow         = "flow"
	entityNotification = "notification"
)

func failed(operation, entity string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	return core.Failure(flussi.Error{Package: "flow", Operation: operation, Entity: entity, ID: id, Err: err},
		core.Reason{Err: ErrOutcomeNotStored, Italian: "Non è stato possibile registrare l'esito dell'invio: il messaggio potrebbe essere arrivato. Prima di inviarlo di nuovo, chiedere al cittadino se l'ha ricevuto."},
		core.Reason{Err: flussi.ErrNotFound, Italian: "Flusso o notifica inesistente, oppure utente non abilitato al servizio."},
		core.Reason{Err: flussi.ErrForbidden, Italian: "L'utente non è abilitato al servizio: rivolgersi a chi assegna le abilitazioni."})
}

// refuse returns a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return refuseAbout("", uuid.Nil, err, reason, args...)
}

// refuseAbout returns a refusal about an entity; for a [flussi.ErrDuplicate], the one that exists
// already.
func refuseAbout(entity string, id uuid.UUID, err error, reason string, args ...any) error {
	return &flussi.Error{Package: "flow", Operation: "take action", Entity: entity, ID: id, Err: err, Reason: fmt.Sprintf(reason, args...)}
}

// explained returns the text of an error that has one, or "".
func explained(err error) string {
	var e flussi.Explainer
	if !errors.As(err, &e) {
		return ""
	}
	return flussi.Explain(err)
}
