package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Due knows what is due to a body. Applications implement it on their own table of payments. It
// must be safe for concurrent use.
type Due interface {
	// Expected returns the Expectation of each reference. Unknown references may be left out. There
	// are at most 500 references, each once.
	Expected(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]Expectation, error)

	// Tell receives what is known now about references, at most 500 at a time. A Standing replaces
	// the earlier one of its reference: undo what only the earlier one had. The same Standing may
	// come again. After an error, all of them come again. Tell must not write with the [Service]:
	// after a write of any process during Tell, the Service reads the Standings again, and tells
	// them again if they changed.
	Tell(ctx context.Context, body flussi.OrganizationCode, standings []Standing) error
}

// Standing is everything that the files and the operators now say about a reference. Without
// Payments, nothing is left of what an earlier Standing said.
type Standing struct {
	Reference paymentfile.Reference // the Target of the payments
	Payments  []Paid                // the earliest first, single payments last; without those that are set aside, unusable or dropped
}

// Paid is a payment in a Standing.
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
