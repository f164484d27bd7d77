package pagoinrete

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// Why something is refused, besides a [*fsm.TransitionError] from the machines, an
// [*InvalidError], and a [*RemoteError] from Pago In Rete. An [*Error] unwraps to one of
// these.
var (
	// ErrNotFound: there is no such event or notice, or the actor does not work for its
	// school; which of the two is not told. Stores return it for the first.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else changed it in the meantime. Read it again.
	ErrConflict = errors.New("changed in the meantime")
	// ErrForbidden: the actor does not work for the school.
	ErrForbidden = errors.New("not enabled for the school")
	// ErrDonation: a donation (erogazione liberale) has no notices.
	ErrDonation = errors.New("a donation has no notices")
	// ErrEventState: the state of the event does not permit it to its notice.
	ErrEventState = errors.New("not in this state of the event")
	// ErrNotices: the event's notices are not ready for it: some are not transmitted, or
	// there are none to be paid.
	ErrNotices = errors.New("notices are not ready")
	// ErrDuplicate: the event has a notice for the same debtor and instalment already.
	ErrDuplicate = errors.New("duplicate")
	// ErrRows: some rows are not valid. The report says which.
	ErrRows = errors.New("rows not valid")
	// ErrAmount: amounts do not add up, or are not what is due.
	ErrAmount = errors.New("amounts differ")
	// ErrDiscrepancy: Pago In Rete says what cannot be. It is written down with what it is
	// about, and has to be looked at.
	ErrDiscrepancy = errors.New("discrepancy")
	// ErrConfig: the configuration contradicts itself.
	ErrConfig = errors.New("configuration not valid")
)

// Error is a refusal or a failure of a [Service]. It never holds personal data and can
// be logged.
type Error struct {
	Operation string    // such as "approve event"
	ID        uuid.UUID // what it was about; the zero UUID if nothing in particular
	Err       error     // why: one of the Err… values, or the cause
	Reason    string    // why, in Italian, in whole sentences; "" to explain the cause
}

// Error describes the failure for programs and logs.
func (e *Error) Error() string {
	if e.ID == uuid.Nil {
		return fmt.Sprintf("pagoinrete: %s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("pagoinrete: %s %s: %v", e.Operation, e.ID, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Italian describes the failure for the operator.
func (e *Error) Italian() string {
	switch {
	case e.Reason != "":
		return e.Reason
	case errors.Is(e.Err, ErrNotFound):
		return "Non esiste, oppure non si è abilitati alla sua scuola."
	case errors.Is(e.Err, ErrConflict):
		return "Un altro utente ha modificato i dati nel frattempo: rileggerli e riprovare."
	case errors.Is(e.Err, ErrForbidden):
		return "L'utente non è abilitato alla scuola."
	}
	var explains flussi.Explainer
	if errors.As(e.Err, &explains) {
		return flussi.Explain(e.Err)
	}
	if errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
		return "L'operazione è stata interrotta prima di finire."
	}
	return "L'operazione non è riuscita per un problema tecnico: riprovare, e se si ripete rivolgersi all'assistenza."
}

// failure is an error of a method, or nil.
func failure(operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	e := Error{ID: id, Err: err}
	if inner, ok := err.(*Error); ok && inner.Reason != "" { // a refusal of our own
		e = *inner
		if e.ID == uuid.Nil {
			e.ID = id
		}
	}
	e.Operation = operation
	return &e
}

// refuse is a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return &Error{Err: err, Reason: fmt.Sprintf(reason, args...)}
}

// narrow lets a refusal of a machine, which knows its table alone, name only what may be done.
func narrow[A ~string](err error, actions func() []A, label func(A) string) error {
	var refused *fsm.TransitionError
	if errors.As(err, &refused) && errors.Is(err, fsm.ErrNotAllowed) {
		refused.Allowed, refused.AllowedLabels = nil, nil
		for _, action := range actions() {
			refused.Allowed = append(refused.Allowed, string(action))
			refused.AllowedLabels = append(refused.AllowedLabels, label(action))
		}
	}
	return err
}

// plain makes all that do not exist look the same, whatever the store says about it.
func plain(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	}
	return err
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
