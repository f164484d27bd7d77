package settlement

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Payment (singolo pagamento) is a row of a settlement: one transfer of one payment. Its
// Settlement, Reference, IUR, Index and Repetition identify it.
type Payment struct {
	ID             uuid.UUID               // of the payment, derived from what identifies it
	Settlement     uuid.UUID               // the ID of its settlement
	Body           flussi.OrganizationCode // of the settlement
	Reference      paymentfile.Reference   // IUV, as the file has it
	Target         paymentfile.Reference   // the reference for which it counts: Reference, unless it was matched by hand
	PreviousTarget paymentfile.Reference   // the earlier Target, until the change is reported to the [Due]
	IUR            string                  // identificativoUnivocoRiscossione
	Index          int                     // which transfer of a payment with several beneficiaries, 1 to 5; 0 if the file does not say
	Repetition     int                     // 0, or which repetition of an equal row in the same file
	Row            int                     // its number in the file, from 1
	Amount         flussi.Cents            // of the transfer, without a sign
	Outcome        paymentfile.Outcome     // esito
	Date           time.Time               // of the outcome: the beginning of the day in Italy, UTC
	Unusable       bool                    // the row has a blocking fault: it is not matched
	Dropped        bool                    // a later file of the settlement no longer has it
	Expected       flussi.Cents            // what the [Due] expects of this transfer; 0 if nothing
	Owner          Owner                   // whose reference the Target is, as the [Due] said
	Decision       Decision                // what an operator decided about it
	State          PaymentState            // see [PaymentState]
	Version        int64                   // of the stored payment, from 1
	CreatedAt      time.Time               // when it was first stored, UTC
	UpdatedAt      time.Time               // when it was last changed, UTC
	UpdatedBy      string                  // the ID of the actor
}

// Owner says whose a reference is.
type Owner string

// The owners of references.
const (
	OwnerUnknown Owner = ""        // the [Due] does not know the reference
	OwnerBody    Owner = "body"    // the body itself expects the payment
	OwnerForeign Owner = "foreign" // another intermediary of the body made the reference
)

// Decision is what an operator decided about a payment by hand. The zero Decision is none.
type Decision struct {
	Kind   DecisionKind // "" for none
	Reason flussi.Text  // why, in the operator's words
	By     string       // the ID of the operator
	At     time.Time    // UTC
}

// IsZero reports whether there is no decision; encoding/json's omitzero uses it.
func (d Decision) IsZero() bool { return d == Decision{} }

// DecisionKind says what was decided by hand.
type DecisionKind string

// What can be decided about a payment.
const (
	DecisionMatched  DecisionKind = "matched" // it counts for another reference, the Target
	DecisionSetAside DecisionKind = "aside"   // it was set aside
)

// PaymentState says what a payment is. Every payment has exactly one.
type PaymentState string

// The states of a payment.
const (
	PaymentExpected      PaymentState = "expected" // its amount is expected, or that of all transfers which were collected with it
	PaymentAmountDiffers PaymentState = "differs"  // its reference is expected, with another amount
	PaymentDuplicate     PaymentState = "doubled"  // another payment of the same reference counts, or of the same transfer of it
	PaymentUnknown       PaymentState = "unknown"  // its reference is not known
	PaymentForeign       PaymentState = "foreign"  // its reference is another intermediary's
	PaymentRevoked       PaymentState = "revoked"  // it was revoked, or is a revocation
	PaymentSetAside      PaymentState = "aside"    // an operator set it aside
	PaymentUnusable      PaymentState = "unusable" // its row has a blocking fault
	PaymentDropped       PaymentState = "dropped"  // a later file of its settlement no longer has it
)

// PaymentStates returns all states, in the order of the constants.
func PaymentStates() []PaymentState {
	return []PaymentState{PaymentExpected, PaymentAmountDiffers, PaymentDuplicate, PaymentUnknown, PaymentForeign,
		PaymentRevoked, PaymentSetAside, PaymentUnusable, PaymentDropped}
}

// Label names the state for the operator; another value is returned as it is.
func (s PaymentState) Label() string {
	switch s {
	case PaymentExpected:
		return "Atteso"
	case PaymentAmountDiffers:
		return "Importo diverso da quello atteso"
	case PaymentDuplicate:
		return "Pagato più di una volta"
	case PaymentUnknown:
		return "IUV sconosciuto"
	case PaymentForeign:
		return "IUV di un altro intermediario"
	case PaymentRevoked:
		return "Revocato"
	case PaymentSetAside:
		return "Accantonato"
	case PaymentUnusable:
		return "Riga con errori"
	case PaymentDropped:
		return "Eliminato da una revisione del flusso"
	}
	return string(s)
}

// Net returns the amount as it counts in totals: negative for what was revoked.
func (p Payment) Net() flussi.Cents {
	if p.Outcome == paymentfile.OutcomeRevoked {
		return -p.Amount
	}
	return p.Amount
}
