package settlement

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Settlement (flusso di rendicontazione, FdR) is what a PSP transferred to a body in one sum, in
// its latest revision. Its ID is derived from Body, PSP and FlowID, so a settlement exists once,
// even if two of its files are applied at the same time.
type Settlement struct {
	ID           uuid.UUID               // of the settlement; see [SettlementID]
	Body         flussi.OrganizationCode // the body that received it
	PSP          string                  // who transferred it: BIC, ABI or another code
	PSPName      string                  // the name of the PSP
	FlowID       string                  // identificativoFlusso; unique for a body and a PSP only
	Revision     int                     // of the same FlowID, in JSON; 0 in XML
	FileAt       time.Time               // dataOraFlusso, UTC; the later file replaces the earlier one
	Digest       string                  // SHA-256 of the content, in hexadecimal; of two files with equal FileAt, Revision and Inconsistent, the one with the greater Digest counts
	TransferID   string                  // identificativoUnivocoRegolamento: the TRN of the bank transfer
	Date         time.Time               // dataRegolamento: the beginning of the day in Italy, UTC
	Total        flussi.Cents            // importoTotalePagamenti: what was transferred
	Inconsistent bool                    // the rows or their sum contradict what the file states: nothing is matched by Total
	Covered      flussi.Cents            // the sum of its movements in the treasury journal
	State        SettlementState         // what the treasury has of it
	Unreported   bool                    // the latest change has not been reported to the [Due]
	Counts       PaymentCounts           // its payments by state; kept by the store
	Version      int64                   // of the stored settlement, from 1
	CreatedAt    time.Time               // when it was first stored, UTC
	UpdatedAt    time.Time               // when it was last changed, UTC
	UpdatedBy    string                  // the ID of the actor
}

// SettlementState says what the treasury journal has of a settlement.
type SettlementState string

// The states of a settlement. It has exactly one, which Total, Inconsistent and Covered give.
const (
	SettlementOpen          SettlementState = "open"    // no movement belongs to it
	SettlementPartlyCovered SettlementState = "partly"  // its movements are less than its total
	SettlementCovered       SettlementState = "covered" // its movements add up to its total
	SettlementExceeded      SettlementState = "over"    // its movements are more than its total
	SettlementInconsistent  SettlementState = "unsure"  // its file contradicts itself, so its total is not used
	SettlementNoTransfer    SettlementState = "void"    // its total is zero or less: nothing was transferred
)

// SettlementStates returns all states, in the order of the constants.
func SettlementStates() []SettlementState {
	return []SettlementState{SettlementOpen, SettlementPartlyCovered, SettlementCovered, SettlementExceeded, SettlementInconsistent, SettlementNoTransfer}
}

// Label names the state for the operator; another value is returned as it is.
func (s SettlementState) Label() string {
	switch s {
	case SettlementOpen:
		return "Senza riscontro in tesoreria"
	case SettlementPartlyCovered:
		return "Riscontrato in parte"
	case SettlementCovered:
		return "Riscontrato"
	case SettlementExceeded:
		return "Riscontrato per un importo maggiore"
	case SettlementInconsistent:
		return "Totale del file non affidabile"
	case SettlementNoTransfer:
		return "Nessun importo riversato"
	}
	return string(s)
}

// state returns the state that the fields give.
func (s *Settlement) state() SettlementState {
	switch {
	case s.Inconsistent:
		return SettlementInconsistent
	case s.Total <= 0:
		return SettlementNoTransfer
	case s.Covered == 0:
		return SettlementOpen
	case s.Covered < s.Total:
		return SettlementPartlyCovered
	case s.Covered > s.Total:
		return SettlementExceeded
	}
	return SettlementCovered
}

// replaces reports whether a file of the settlement is later than another. Of two files with the
// same time and revision, one that does not contradict itself is the later one. Any two different
// files have an order, so the latest one is the same whichever arrives first.
func (s *Settlement) replaces(other *Settlement) bool {
	if order := s.FileAt.Compare(other.FileAt); order != 0 {
		return order > 0
	}
	if s.Revision != other.Revision {
		return s.Revision > other.Revision
	}
	if s.Inconsistent != other.Inconsistent {
		return other.Inconsistent
	}
	return s.Digest > other.Digest
}

// Tally is a number of entities, and the sum of their amounts.
type Tally struct {
	Number int          // how many
	Amount flussi.Cents // their sum; revoked amounts count as negative
}

// add adds an amount with 1, and removes it with -1.
func (t *Tally) add(amount flussi.Cents, by int) {
	t.Number += by
	t.Amount += amount * flussi.Cents(by)
}

// PaymentCounts counts the payments of a settlement by their state.
type PaymentCounts struct {
	Expected      Tally // [PaymentExpected]
	AmountDiffers Tally // [PaymentAmountDiffers]
	Duplicate     Tally // [PaymentDuplicate]
	Unknown       Tally // [PaymentUnknown]
	Foreign       Tally // [PaymentForeign]
	Revoked       Tally // [PaymentRevoked]
	SetAside      Tally // [PaymentSetAside]
	Unusable      Tally // [PaymentUnusable], and states that are not known
	Dropped       Tally // [PaymentDropped]; not part of the latest file
}

// Add counts a payment in with 1, and out with -1.
func (c *PaymentCounts) Add(p Payment, by int) { c.of(p.State).add(p.Net(), by) }

func (c *PaymentCounts) of(state PaymentState) *Tally {
	switch state {
	case PaymentExpected:
		return &c.Expected
	case PaymentAmountDiffers:
		return &c.AmountDiffers
	case PaymentDuplicate:
		return &c.Duplicate
	case PaymentUnknown:
		return &c.Unknown
	case PaymentForeign:
		return &c.Foreign
	case PaymentRevoked:
		return &c.Revoked
	case PaymentSetAside:
		return &c.SetAside
	case PaymentDropped:
		return &c.Dropped
	}
	return &c.Unusable
}

// Total returns all payments of the latest file together: without the dropped ones.
func (c PaymentCounts) Total() Tally {
	var all Tally
	for _, t := range []Tally{c.Expected, c.AmountDiffers, c.Duplicate, c.Unknown, c.Foreign, c.Revoked, c.SetAside, c.Unusable} {
		all.Number += t.Number
		all.Amount += t.Amount
	}
	return all
}
