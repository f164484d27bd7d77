package settlement

import (
	"cmp"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// classify sets the State of payments of a body. It needs all payments that have a Reference or a
// Target of any of them, in any order, with what is expected of each Target.
func classify(group []*Payment, expected map[paymentfile.Reference]Expectation) {
	slices.SortFunc(group, earlier)
	revocations := map[paymentKey]int{}
	for _, p := range group {
		if p.usable() && p.Outcome == paymentfile.OutcomeRevoked {
			revocations[keyOf(p)]++
		}
	}
	counts := map[paymentKey]bool{} // whether a payment counts for the transfer of a target
	for _, p := range group {
		due := expected[p.Target]
		p.Owner, p.Expected = due.Owner, due.transfer(p.Index, p.Amount)
		key, transfer := keyOf(p), paymentKey{reference: p.Target, index: max(p.Index, 1)}
		switch {
		case p.Dropped:
			p.State = PaymentDropped
		case p.Unusable:
			p.State = PaymentUnusable
		case p.Outcome == paymentfile.OutcomeRevoked:
			p.State = PaymentRevoked
		case revocations[key] > 0:
			revocations[key]--
			p.State = PaymentRevoked
		case p.Hand.Kind == DecisionAside:
			p.State = PaymentAside
		case p.Owner == OwnerForeign:
			p.State = PaymentForeign
		case p.Owner != OwnerBody:
			p.State = PaymentUnknown
		case counts[transfer]:
			p.State = PaymentDoubled
		case p.Amount != p.Expected:
			p.State, counts[transfer] = PaymentDiffers, true
		default:
			p.State, counts[transfer] = PaymentExpected, true
		}
	}
}

// usable reports whether the payment is part of its latest file, and without a blocking fault.
func (p *Payment) usable() bool { return !p.Dropped && !p.Unusable }

// paymentKey is what a revocation has in common with the payment that it takes back.
type paymentKey struct {
	reference paymentfile.Reference // as the file has it
	iur       string
	index     int
}

// keyOf returns the key of a payment. A file that does not state the index means the first transfer.
func keyOf(p *Payment) paymentKey { return paymentKey{p.Reference, p.IUR, max(p.Index, 1)} }

// earlier orders the payments of a reference by what files say about them, so that the same one
// counts whichever arrived first.
func earlier(a, b *Payment) int {
	return cmp.Or(a.Date.Compare(b.Date), strings.Compare(a.IUR, b.IUR), cmp.Compare(a.Index, b.Index),
		cmp.Compare(a.Repeat, b.Repeat), strings.Compare(a.ID.String(), b.ID.String()))
}

// Expectation is what a body expects of a reference. The zero Expectation is that of a reference
// that nobody knows.
type Expectation struct {
	Owner     Owner                // whose the reference is
	Amount    flussi.Cents         // of the whole payment
	Transfers map[int]flussi.Cents // the body's transfers by index, 1 to 5, of a payment with several beneficiaries; nil: one of the whole Amount
}

// transfer returns what is expected of a transfer. Of a row without an index it is the transfer of
// the paid amount, if there is one.
func (e Expectation) transfer(index int, paid flussi.Cents) flussi.Cents {
	if len(e.Transfers) == 0 {
		return e.Amount
	}
	if index == 0 {
		for _, amount := range e.Transfers {
			if amount == paid {
				return paid
			}
		}
		index = 1
	}
	return e.Transfers[index]
}
