package settlement

import (
	"cmp"
	"maps"
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
	claims := newClaims(expected)
	for _, p := range group {
		p.Owner = expected[p.Target].Owner
		_, p.Expected = claims.transfer(p.Target, p.Index, p.Amount)
		key := keyOf(p)
		switch {
		case p.Dropped:
			p.State = PaymentDropped
		case p.Unusable && p.Hand.Kind != DecisionAside:
			p.State = PaymentUnusable
		case p.Unusable:
			p.State = PaymentAside
		case p.Outcome == paymentfile.OutcomeRevoked:
			p.State = PaymentRevoked
		case revocations[key] > 0:
			revocations[key]--
			p.State = PaymentRevoked
		case p.Hand.Kind == DecisionAside:
			p.State = PaymentAside
		default:
			p.State = claims.claim(p.Target, p.Index, p.Amount)
		}
	}
}

// claims are the transfers of references for which payments count.
type claims struct {
	expected map[paymentfile.Reference]Expectation
	taken    map[transferKey]bool
}

// transferKey is a transfer of a reference.
type transferKey struct {
	reference paymentfile.Reference
	index     int
}

func newClaims(expected map[paymentfile.Reference]Expectation) claims {
	return claims{expected, map[transferKey]bool{}}
}

// claim makes a payment count for its transfer, unless an earlier one does, and returns its state.
func (c claims) claim(reference paymentfile.Reference, index int, amount flussi.Cents) PaymentState {
	switch c.expected[reference].Owner {
	case OwnerBody:
	case OwnerForeign:
		return PaymentForeign
	default:
		return PaymentUnknown
	}
	transfer, expected := c.transfer(reference, index, amount)
	key := transferKey{reference, transfer}
	if c.taken[key] {
		return PaymentDoubled
	}
	c.taken[key] = true
	if amount != expected {
		return PaymentDiffers
	}
	return PaymentExpected
}

// transfer returns which transfer of a reference a payment is, and what is expected of it. A payment
// without an index is the first transfer of its amount for which no other counts, if there is one.
func (c claims) transfer(reference paymentfile.Reference, index int, amount flussi.Cents) (int, flussi.Cents) {
	due := c.expected[reference]
	if len(due.Transfers) == 0 {
		return max(index, 1), due.Amount
	}
	if index == 0 {
		index = 1
		for _, i := range slices.Sorted(maps.Keys(due.Transfers)) {
			if due.Transfers[i] != amount {
				continue
			}
			if index = i; !c.taken[transferKey{reference, i}] {
				break
			}
		}
	}
	return index, due.Transfers[index]
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
