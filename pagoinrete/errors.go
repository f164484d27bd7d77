package pagoinrete

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
	// ErrDonation: a donation (erogazione liberale) has no notices.
	ErrDonation = sentinel.New("a donation has no notices", "Un'erogazione liberale non ha avvisi di pagamento.", flussi.ErrState)
	// ErrNotices: the event's notices are not ready for it: some are not transmitted, or
	// there are none to be paid.
	ErrNotices = sentinel.New("notices are not ready", "Gli avvisi dell'evento non permettono l'operazione.", flussi.ErrState)
	// ErrDiscrepancy: what Pago In Rete reports contradicts what is stored. It is stored as the
	// Discrepancy of its event or notice, and an operator decides.
	ErrDiscrepancy = sentinel.New("discrepancy", "I dati non concordano: esaminare la discrepanza.", flussi.ErrState)
	// ErrAmount: amounts do not add up, or are not what is due.
	ErrAmount = sentinel.New("amounts differ", "Gli importi non concordano.", flussi.ErrInvalid)
)

// failure wraps the error of a method that is not about one entity, or returns nil.
func failure(operation string, err error) error { return failed(operation, "", uuid.Nil, err) }

// eventFailure wraps the error of a method about an event, or returns nil.
func eventFailure(operation string, id uuid.UUID, err error) error {
	return failed(operation, entityEvent, id, err)
}

// noticeFailure wraps the error of a method about a notice, or returns nil.
func noticeFailure(operation string, id uuid.UUID, err error) error {
	return failed(operation, entityNotice, id, err)
}

// What the ID of a [*flussi.Error] is of.
const (
	entityEvent  = "event"
	entityNotice = "notice"
)

func failed(operation, entity string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	failure := flussi.Error{Package: "pagoinrete", Operation: operation, Entity: entity, ID: id, Err: err}
	var remote *flussi.RemoteError
	if errors.As(err, &remote) && remote.Kind == flussi.ErrOutcomeUnknown && remote.Reason == "" {
		// Every call of the service may be repeated: it recognises what was done.
		return core.Failure(failure, core.Reason{Err: flussi.ErrOutcomeUnknown,
			Italian: "Pago In Rete non ha dato una risposta certa: ripetere l'operazione. Quanto è già stato trasmesso viene riconosciuto."})
	}
	return core.Failure(failure,
		core.Reason{Err: flussi.ErrNotFound, Italian: "Evento o avviso inesistente, oppure utente non abilitato alla scuola."},
		core.Reason{Err: flussi.ErrForbidden, Italian: "L'utente non è abilitato alla scuola: rivolgersi a chi assegna le abilitazioni."})
}

// refuse returns a refusal with its reason in Italian.
func refuse(err error, reason string, args ...any) error {
	return &flussi.Error{Package: "pagoinrete", Operation: "take action", Err: err, Reason: fmt.Sprintf(reason, args...)}
}
