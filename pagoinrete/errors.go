package pagoinrete

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
	// ErrDonation: a donation (erogazione liberale) has no notices.
	ErrDonation = sentinel.New("a donation has no notices", "Un'erogazione liberale non ha avvisi di pagamento.", flussi.ErrState)
	// ErrNotices: the event's notices are not ready for it: some are not transmitted, or
	// there are none to be paid.
	ErrNotices = sentinel.New("notices are not ready", "Gli avvisi dell'evento non permettono l'operazione.", flussi.ErrState)
	// ErrDiscrepancy: what Pago In Rete says contradicts what is stored. It is stored as the
	// Discrepancy of its event or notice, and an operator decides.
	ErrDiscrepancy = sentinel.New("discrepancy", "I dati non concordano: esaminare la discrepanza.", flussi.ErrState)
	// ErrAmount: amounts do not add up, or are not what is due.
	ErrAmount = sentinel.New("amounts differ", "Gli importi non concordano.", flussi.ErrInvalid)
)

// failure is an error of a method, or nil.
func failure(operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	e := flussi.Error{ID: id, Err: err}
	if inner, ok := err.(*flussi.Error); ok && inner.Reason != "" { // a refusal of our own
		e = *inner
		if e.ID == uuid.Nil {
			e.ID = id
		}
	}
	e.Package, e.Operation = "pagoinrete", operation
	if e.Reason == "" {
		e.Reason = reasonOf(err)
	}
	return &e
}

// reasonOf returns the operator's text for the errors whose meaning depends on this package; "" for
// all others.
func reasonOf(err error) string {
	var step *fsm.TransitionError
	switch {
	case errors.As(err, &step): // its text names the states and the roles
	case errors.Is(err, flussi.ErrNotFound):
		return "Evento o avviso inesistente, oppure utente non abilitato alla scuola."
	case errors.Is(err, flussi.ErrForbidden):
		return "L'utente non è abilitato alla scuola: rivolgersi a chi assegna le abilitazioni."
	}
	return ""
}

// refuse is a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return &flussi.Error{Package: "pagoinrete", Operation: "take action", Err: err, Reason: fmt.Sprintf(reason, args...)}
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
	if errors.Is(err, flussi.ErrNotFound) {
		return flussi.ErrNotFound
	}
	return err
}
