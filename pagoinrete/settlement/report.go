package settlement

import (
	"context"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// Purposes says what payments are for. Applications implement it on their own table, often beside
// [Due]. It must be safe for concurrent use.
type Purposes interface {
	// Purposes returns what each reference is for. Unknown references may be left out. There are at
	// most 500 references, each once.
	Purposes(ctx context.Context, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]Purpose, error)
}

// Purpose is what a payment is for. The zero Purpose is that of an unknown reference.
type Purpose struct {
	Event   string // evento or servizio: its name, as the office calls it
	Chapter string // capitolo or aggregato/voce of the budget; may be empty
	Receipt bool   // the receipt (RT) of the payment is known
}

// IsZero reports whether nothing is known; encoding/json's omitzero uses it.
func (p Purpose) IsZero() bool { return p == Purpose{} }

// Finding says how far a payment is reconciled. Each payment of the latest file of a settlement has
// exactly one. If the State of the payment is [PaymentExpected], the Finding says what the treasury
// has of the settlement; otherwise it says the same as the State.
type Finding string

// The findings.
const (
	FindingComplete      Finding = "complete"    // its receipt, its settlement and the treasury have it
	FindingNoReceipt     Finding = "treasury"    // its settlement and the treasury have it; its receipt is not known
	FindingNoTreasury    Finding = "no_treasury" // its settlement is [SettlementOpen]
	FindingPartlyCovered Finding = "partly"      // its settlement is [SettlementPartlyCovered]
	FindingExceeded      Finding = "over"        // its settlement is [SettlementExceeded]
	FindingInconsistent  Finding = "unsure"      // its settlement is [SettlementInconsistent]
	FindingNoTransfer    Finding = "void"        // its settlement is [SettlementNoTransfer]
	FindingAmountDiffers Finding = "differs"     // it is [PaymentAmountDiffers]
	FindingDuplicate     Finding = "doubled"     // it is [PaymentDuplicate]
	FindingUnknown       Finding = "unknown"     // it is [PaymentUnknown]
	FindingForeign       Finding = "foreign"     // it is [PaymentForeign]
	FindingRevoked       Finding = "revoked"     // it is [PaymentRevoked]
	FindingSetAside      Finding = "aside"       // it is [PaymentSetAside]
	FindingUnusable      Finding = "unusable"    // it is [PaymentUnusable]
)

// Findings returns all findings, in the order of the constants.
func Findings() []Finding {
	return []Finding{FindingComplete, FindingNoReceipt, FindingNoTreasury, FindingPartlyCovered, FindingExceeded, FindingInconsistent, FindingNoTransfer,
		FindingAmountDiffers, FindingDuplicate, FindingUnknown, FindingForeign, FindingRevoked, FindingSetAside, FindingUnusable}
}

// Label names the finding for the operator; another value is returned as it is.
func (f Finding) Label() string {
	switch f {
	case FindingComplete:
		return "Ricevuta, flusso e tesoreria"
	case FindingNoReceipt:
		return "Flusso e tesoreria"
	case FindingNoTreasury:
		return "Flusso senza tesoreria"
	case FindingPartlyCovered:
		return "Flusso in tesoreria solo in parte"
	case FindingExceeded:
		return "Importi di flusso e tesoreria diversi"
	case FindingInconsistent:
		return "Flusso con totale non affidabile"
	case FindingNoTransfer:
		return "Flusso senza importo riversato"
	}
	return PaymentState(f).Label()
}

// findingOf returns the finding of payments of a state, in a settlement of a state.
func findingOf(payment PaymentState, settlement SettlementState) Finding {
	if payment != PaymentExpected {
		return Finding(payment)
	}
	switch settlement {
	case SettlementCovered:
		return FindingNoReceipt
	case SettlementOpen:
		return FindingNoTreasury
	}
	return Finding(settlement)
}

// PaymentLine is a payment in a report.
type PaymentLine struct {
	Payment    Payment    // as it is stored
	Settlement Settlement // to which it belongs
	Purpose    Purpose    // of its Target
}

// Finding says how far the payment is reconciled.
func (l PaymentLine) Finding() Finding {
	found := findingOf(l.Payment.State, l.Settlement.State)
	if found == FindingNoReceipt && l.Purpose.Receipt {
		return FindingComplete
	}
	return found
}

// MovementLine is a movement in a report.
type MovementLine struct {
	Movement    Movement     // as it is stored
	Settlements []Settlement // of each of its Parts, in their order; the zero Settlement where a part has none
}

// Allocation is a part of a sospeso by what was paid with it: what is needed for its order
// (reversale). The allocations of a movement add up to its Amount.
type Allocation struct {
	Movement Movement         // the sospeso
	Purpose  Purpose          // what the part was paid for, without Receipt; zero if there is a Reason
	Reason   AllocationReason // why the part is not allocated; "" if it is
	Amount   flussi.Cents     // of the part; negative if more was revoked than paid
	Payments int              // how many payments it has; 0 if they are not known
}

// AllocationReason says why a part of a sospeso cannot be allocated: the state of its payments, the
// kind of its part, or one of the constants.
type AllocationReason string

// The reasons that are neither a [PaymentState] nor a [PartKind].
const (
	ReasonNoPurpose    AllocationReason = "no_purpose" // the [Purposes] do not know what the payments are for
	ReasonPartial      AllocationReason = "partial"    // the part is not the whole settlement, which is for several purposes
	ReasonInconsistent AllocationReason = "unsure"     // the file of the settlement contradicts itself
)

// Label names the reason for the operator; another value is returned as it is.
func (r AllocationReason) Label() string {
	switch r {
	case ReasonNoPurpose:
		return "Evento non noto"
	case ReasonPartial:
		return "Importo diverso dal totale del flusso"
	case ReasonInconsistent:
		return SettlementInconsistent.Label()
	}
	if label := PaymentState(r).Label(); label != string(r) {
		return label
	}
	return PartKind(r).Label()
}
