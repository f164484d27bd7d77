package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Due knows what is due to a body. Applications implement it on their own table of payments. It must
// be safe for concurrent use.
type Due interface {
	// Expected returns what is expected of each reference; a reference that nobody knows may be
	// missing. There are at most 500 references, which differ.
	Expected(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]Expectation, error)

	// Tell says what is known now about references, at most 500 at a time. A Standing is all there
	// is: what an earlier one of the reference had and this one has not is undone. The same Standing
	// may come again. After an error, all of them come again.
	Tell(ctx context.Context, body flussi.OrganizationCode, standings []Standing) error
}

// Standing is all that the files and the operators say about a reference. None of Payments means that
// nothing is left of what was said before.
type Standing struct {
	Reference paymentfile.Reference // the Target of the payments
	Payments  []Paid                // from the earliest, single payments last; set aside, unusable and dropped ones are not in it
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
	Body       flussi.OrganizationCode // to whom it was paid
}

// PaidStatus says how far a payment has come.
type PaidStatus string

// The statuses.
const (
	PaidSettled   PaidStatus = "settled"   // a settlement has it
	PaidConfirmed PaidStatus = "confirmed" // and the treasury has the whole settlement
	PaidRevoked   PaidStatus = "revoked"   // it was taken back, or takes a payment back
)

// maxReferences is how many references a [Due] is given at most.
const maxReferences = 500
