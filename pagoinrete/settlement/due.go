package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Due is a table of what is due to bodies: a [Service] asks it what is expected, and reports to it
// what was paid. Applications implement it on their own table of payments. It must be safe for
// concurrent use.
type Due interface {
	// Expected returns the Expectation of each reference. Unknown references may be left out. There
	// are at most 500 references, each once.
	Expected(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]Expectation, error)

	// Update receives the present states of references, at most 500 at a time. A state replaces the
	// earlier one of its reference: undo what only the earlier one had. The same state may come again.
	// After an error, all of them come again. Update must not write with the [Service]: after a write
	// of any process during Update, the Service reads the states again, and calls Update again if
	// they changed.
	Update(ctx context.Context, body flussi.OrganizationCode, states []ReferenceState) error
}

// ReferenceState is everything that the files and the operators now say about a reference. Without
// Payments, nothing is left of what an earlier state said.
type ReferenceState struct {
	Reference paymentfile.Reference // the Target of the payments
	Payments  []Paid                // the earliest first, single payments last; without those that are set aside, unusable or dropped
}

// Paid is a payment in a ReferenceState.
type Paid struct {
	Status     PaidStatus              // how far it has come
	State      PaymentState            // of the payment; a single payment counts after those of settlements
	Payment    uuid.UUID               // the ID of the [Payment]; zero for a single payment
	Settlement string                  // the FlowID of its settlement; "" for a single payment
	Movements  []string                // the numbers of the sospesi, once the treasury has it
	Movement   uuid.UUID               // the ID of the first of these [Movement]s
	Received   time.Time               // when the last of them arrived: the beginning of the day in Italy, UTC
	By         string                  // the ID of the operator who matched it by hand; "" if it was matched automatically
	IUR        string                  // of the payment; "" for a single payment
	Index      int                     // of the transfer; 0 if it is not stated
	Amount     flussi.Cents            // without a sign
	Date       time.Time               // of the payment, or of the movement of a single payment
	Body       flussi.OrganizationCode // the body that it was paid to
}

// PaidStatus says how far a payment has come.
type PaidStatus string

// The statuses.
const (
	PaidSettled   PaidStatus = "settled"   // a settlement has it
	PaidConfirmed PaidStatus = "confirmed" // the treasury also has the whole settlement
	PaidRevoked   PaidStatus = "revoked"   // it was revoked, or is a revocation
)

// maxReferences is the maximum number of references in a call of a [Due].
const maxReferences = 500
