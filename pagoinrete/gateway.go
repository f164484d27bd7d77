package pagoinrete

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Gateway calls Pago In Rete for one school. A [Service] uses it. Package restgateway has one for a
// format of this library, since the ministry's own interface is not public.
// pagoinretetest.RunGateway checks an implementation.
//
// What holds for every method:
//
//   - It is safe for concurrent use, and returns when its context ends.
//   - It recognises events and notices by our IDs. A second put of an ID replaces what is there as
//     long as its state permits that. It keeps its RemoteID and Number, and is never there twice.
//   - [flussi.OutcomeOf] says what an error means for the call: a Gateway of yours returns a
//     [*flussi.RemoteError] with its Operation, its Kind and, for a change, its Outcome. Any other
//     error is an unknown outcome; then the Service reads the state back.
//   - A refused call changes nothing. The Kind says why: [flussi.ErrRemoteInvalid] for the data or
//     an action that is no step, [flussi.ErrRemoteForbidden] for the actor's role or another
//     school, [flussi.ErrRemoteState], [flussi.ErrRemoteNotFound], [flussi.ErrUnauthorized] for the
//     credentials. If the context ended before the call, the error is [flussi.ErrInterrupted] and
//     the change is not done; if it ends during the call, the outcome of a change is unknown.
//   - Steps are taken in the name of the actor, whose SIDI role Pago In Rete checks. A step that was
//     taken already, or that the state there does not permit, is refused with
//     [flussi.ErrRemoteState].
type Gateway interface {
	// PutEvent transmits an event, or replaces it while it is Simulato or Rifiutato there.
	PutEvent(ctx context.Context, by flussi.Actor, e Event) (RemoteEvent, error)
	// Event returns an event. The error is a [flussi.ErrRemoteNotFound] if there is none.
	Event(ctx context.Context, id uuid.UUID) (RemoteEvent, error)
	// MoveEvent submits, approves, rejects, notifies or deletes an event ([EventSubmit],
	// [EventApprove], [EventReject], [EventNotify], [EventDelete]), and returns it as it is
	// afterwards. The reason is why it is rejected. With an event that is deleted, its notices
	// are cancelled.
	MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action EventAction, reason flussi.Text) (RemoteEvent, error)

	// PutNotice transmits a notice of an event that was transmitted, or replaces it while the
	// event is Simulato or Rifiutato there. Pago In Rete gives it its Number, which no other
	// notice of the school has.
	PutNotice(ctx context.Context, by flussi.Actor, n Notice) (RemoteNotice, error)
	// Notices returns what there is of notices, at most [MaxNoticesPerCall] of them, in any order;
	// those that are not there are left out.
	Notices(ctx context.Context, ids []uuid.UUID) ([]RemoteNotice, error)
	// MoveNotice cancels a notice ([NoticeCancel]), or notes that it was paid outside Pago In
	// Rete ([NoticePayManually]) or refunded ([NoticeRefund]), with the proof of that, and
	// returns it as it is afterwards. The error is a [flussi.ErrRemoteNotFound] if there is none.
	MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action NoticeAction, proof Proof) (RemoteNotice, error)
	// NoticePDF returns the notice as a PDF to be printed; the caller closes it. An error of
	// reading means that the file is cut off. The error is a [flussi.ErrRemoteNotFound] if there is
	// no such notice.
	NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error)
	// Receipt returns the receipt of a payment. The error is a [flussi.ErrRemoteNotFound] if there
	// is none.
	Receipt(ctx context.Context, id uuid.UUID) (Receipt, error)
}

// MaxNoticesPerCall is how many notices one call of [Gateway.Notices] may ask for.
const MaxNoticesPerCall = 500

// RemoteEvent is an event as Pago In Rete has it.
type RemoteEvent struct {
	ID        uuid.UUID   // as here
	RemoteID  string      // as there
	State     EventState  // from Simulato on
	Rejection flussi.Text // why the principal rejected it; "" if never rejected
}

// RemoteNotice is a notice as Pago In Rete has it.
type RemoteNotice struct {
	ID              uuid.UUID           // as here
	RemoteID        string              // as there
	Number          flussi.NoticeNumber // codice avviso
	State           NoticeState         // from Non pagato (Non notificato) on
	PayerRegistered bool                // a payer is registered
	PayerLoggedIn   bool                // and has logged in
	Evidence        Evidence            // of what was paid, as far as it is known there
}

// Receipt (RT, ricevuta telematica) says what came of a payment. That of a payment that was made
// names the PSP, and has the date of the notice's evidence.
type Receipt struct {
	Reference string         // its identifier
	Outcome   ReceiptOutcome // esito
	Amount    flussi.Cents   // what was paid
	Date      time.Time      // when, UTC
	PSP       string         // who collected it
}

// ReceiptOutcome (esito della RT) is pagoPA's code of what came of a payment.
type ReceiptOutcome int

// The outcomes of a payment.
const (
	ReceiptPaid          ReceiptOutcome = 0 // eseguito
	ReceiptNotPaid       ReceiptOutcome = 1 // non eseguito
	ReceiptPartlyPaid    ReceiptOutcome = 2 // parzialmente eseguito
	ReceiptExpired       ReceiptOutcome = 3 // decorrenza dei termini
	ReceiptPartlyExpired ReceiptOutcome = 4 // decorrenza parziale dei termini
)

// Label returns the Italian name of the outcome.
func (o ReceiptOutcome) Label() string {
	switch o {
	case ReceiptPaid:
		return "Pagamento eseguito"
	case ReceiptNotPaid:
		return "Pagamento non eseguito"
	case ReceiptPartlyPaid:
		return "Pagamento parzialmente eseguito"
	case ReceiptExpired:
		return "Decorrenza termini"
	case ReceiptPartlyExpired:
		return "Decorrenza termini parziale"
	}
	return "Esito sconosciuto"
}
