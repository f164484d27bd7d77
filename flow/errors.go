package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Why something is refused, besides a [*fsm.TransitionError] from the machines and an
// [*InvalidError]. An [*Error] unwraps to one of these.
var (
	// ErrNotFound: there is no such flow or notification, or the actor is not enabled for
	// its service; which of the two is not told. Stores return it for the first.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else changed it in the meantime. Read it again.
	ErrConflict = errors.New("changed in the meantime")
	// ErrForbidden: the actor is not enabled for the service.
	ErrForbidden = errors.New("not enabled for the service")
	// ErrDuplicate: the flow, or for a notification that stands alone the service, has the
	// same message for the same citizen already; or a notification was not sent, because the
	// citizen may have its message from another one.
	ErrDuplicate = errors.New("duplicate")
	// ErrExists: there is a notification with the ID already.
	ErrExists = errors.New("exists already")
	// ErrRows: some rows of an import are not valid. The report says which.
	ErrRows = errors.New("rows not valid")
	// ErrNothingToSend: the flow has no notification to be sent.
	ErrNothingToSend = errors.New("nothing to send")
	// ErrFlowState: the state of the flow does not permit it.
	ErrFlowState = errors.New("not in this state of the flow")
	// ErrOutcomeNotStored: what came of a message that was sent could not be stored. The
	// notification becomes Errore with an unknown outcome when its lease is over.
	ErrOutcomeNotStored = errors.New("outcome not stored")
	// ErrCommitUnknown: the connection to the store was lost during a write, so the write may be
	// stored or not. Stores return it in no other case. Read the current state, or call again.
	ErrCommitUnknown = errors.New("perhaps stored")
	// ErrUnreachable: the citizen is not on App IO, or blocks the service.
	ErrUnreachable = errors.New("citizen not reachable")
	// ErrPayment: what a notification says about a payment contradicts itself.
	ErrPayment = errors.New("incomplete payment")
	// ErrConfig: the configuration contradicts itself.
	ErrConfig = errors.New("configuration not valid")
)

// Error is a refusal or a failure of a [Service] or a [Dispatcher]. It never holds
// personal data and can be logged.
type Error struct {
	Operation string    // such as "send flow"
	ID        uuid.UUID // what it was about, for an [ErrDuplicate] the notification that there is already; the zero UUID if nothing in particular
	Err       error     // why: one of the Err… values, or the cause
	Reason    string    // why, in Italian, in whole sentences; "" to explain the cause
}

// Error describes the failure for programs and logs.
func (e *Error) Error() string {
	if e.ID == uuid.Nil {
		return fmt.Sprintf("flow: %s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("flow: %s %s: %v", e.Operation, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Italian describes the failure for the operator.
func (e *Error) Italian() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case errors.Is(e.Err, ErrOutcomeNotStored):
		return "Non è stato possibile registrare l'esito dell'invio: il messaggio potrebbe essere arrivato. Non inviarlo di nuovo senza verificare."
	case errors.Is(e.Err, ErrCommitUnknown):
		return "La connessione con l'archivio si è interrotta durante la registrazione, e non si sa se l'operazione sia riuscita: controllare e, se serve, ripeterla."
	case errors.Is(e.Err, ErrNotFound):
		return "Non esiste, oppure non si è abilitati al suo servizio."
	case errors.Is(e.Err, ErrConflict):
		return "Un altro utente ha modificato i dati nel frattempo: rileggerli e riprovare."
	case errors.Is(e.Err, ErrForbidden):
		return "L'utente non è abilitato al servizio."
	}
	if text := explained(e.Err); text != "" {
		return text
	}
	if errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
		return "L'operazione è stata interrotta prima di finire."
	}
	return "L'operazione non è riuscita per un problema tecnico: riprovare, e se si ripete rivolgersi all'assistenza."
}

// explained is the explanation of an error that has one.
func explained(err error) string {
	var e flussi.Explainer
	if !errors.As(err, &e) {
		return ""
	}
	return flussi.Explain(err)
}
