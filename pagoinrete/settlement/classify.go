package settlement

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// classify sets the State of payments of a body. The group must have all payments whose Reference
// or Target is the Reference or Target of one of them, in any order; expected must have each
// Target.
func classify(group []*Payment, expected map[paymentfile.Reference]Expectation) {
	slices.SortFunc(group, earlier)
	revocations := map[paymentKey]int{}
	for _, p := range group {
		if p.usable() && p.Outcome == paymentfile.OutcomeRevoked {
			revocations[keyOf(p)]++
		}
	}
	var claiming []*Payment
	for _, p := range group {
		p.Owner = expected[p.Target].Owner
		key := keyOf(p)
		switch {
		case p.Dropped:
			p.State = PaymentDropped
		case p.Unusable && p.Decision.Kind != DecisionSetAside:
			p.State = PaymentUnusable
		case p.Unusable:
			p.State = PaymentSetAside
		case p.Outcome == paymentfile.OutcomeRevoked:
			p.State = PaymentRevoked
		case revocations[key] > 0:
			revocations[key]--
			p.State = PaymentRevoked
		case p.Decision.Kind == DecisionSetAside:
			p.State = PaymentSetAside
		default:
			p.State = ""
			claiming = append(claiming, p)
		}
	}
	claims := newClaims(expected, claiming)
	for _, p := range group {
		_, p.Expected = claims.transfer(p)
		if p.State != "" {
			continue
		}
		if p.State = claims.claim(p); p.State == PaymentExpected {
			p.Expected = p.Amount
		}
	}
}

// claims are the transfers of references for which a payment counts already.
type claims struct {
	expected map[paymentfile.Reference]Expectation
	sums     map[collection]flussi.Cents // one row for each index
	taken    map[transferKey]collection  // by the first row of a transfer
}

// transferKey is a transfer of a reference; its index is 0 for all of them.
type transferKey struct {
	reference paymentfile.Reference
	index     int
}

// collection is what a PSP collected at once. It may be several rows, with one IUR and different
// indexes.
type collection struct {
	target, reference paymentfile.Reference
	iur               string
	alone             uuid.UUID // of a row without an IUR
}

func collectionOf(p *Payment) collection {
	c := collection{target: p.Target, reference: p.Reference, iur: p.IUR}
	if p.IUR == "" {
		c.alone = p.ID
	}
	return c
}

// newClaims returns the claims that payments can make.
func newClaims(expected map[paymentfile.Reference]Expectation, payments []*Payment) claims {
	c := claims{expected, map[collection]flussi.Cents{}, map[transferKey]collection{}}
	type row struct {
		of    collection
		index int
	}
	added := map[row]bool{}
	for _, p := range payments {
		if r := (row{collectionOf(p), max(p.Index, 1)}); !added[r] {
			added[r] = true
			c.sums[r.of] += p.Amount
		}
	}
	return c
}

// claim makes a payment count for its transfer, unless an earlier one does, and returns its state. If
// no transfers are expected, all rows of the first collection count, if they add up to what is due.
func (c claims) claim(p *Payment) PaymentState {
	due := c.expected[p.Target]
	switch due.Owner {
	case OwnerBody:
	case OwnerForeign:
		return PaymentForeign
	default:
		return PaymentUnknown
	}
	index, expected := c.transfer(p)
	amount, of := p.Amount, collectionOf(p)
	if len(due.Transfers) == 0 {
		all := transferKey{p.Target, 0}
		if first, taken := c.taken[all]; taken && first != of {
			return PaymentDuplicate
		}
		c.taken[all], amount = of, c.sums[of]
	}
	key := transferKey{p.Target, index}
	if _, taken := c.taken[key]; taken {
		return PaymentDuplicate
	}
	c.taken[key] = of
	if amount != expected {
		return PaymentAmountDiffers
	}
	return PaymentExpected
}

// transfer returns which transfer of a reference a payment is, and what is expected of it, or of all
// of them if no transfers are expected. A payment without an index is the first transfer of its amount
// for which no other counts, if there is one.
func (c claims) transfer(p *Payment) (int, flussi.Cents) {
	due, index := c.expected[p.Target], p.Index
	if len(due.Transfers) == 0 {
		return max(index, 1), due.Amount
	}
	if index == 0 {
		index = 1
		for _, i := range slices.Sorted(maps.Keys(due.Transfers)) {
			if due.Transfers[i] != p.Amount {
				continue
			}
			index = i
			if _, taken := c.taken[transferKey{p.Target, i}]; !taken {
				break
			}
		}
	}
	return index, due.Transfers[index]
}

// usable reports whether the payment is in the latest file, and has no blocking fault.
func (p *Payment) usable() bool { return !p.Dropped && !p.Unusable }

// paymentKey is equal for a payment and its revocation.
type paymentKey struct {
	reference paymentfile.Reference // as the file has it
	iur       string
	index     int
}

// keyOf returns the key of a payment. A file that does not state the index means the first
// transfer.
func keyOf(p *Payment) paymentKey { return paymentKey{p.Reference, p.IUR, max(p.Index, 1)} }

// earlier orders the payments of a reference by what files say about them, so that the same payment
// counts whichever arrived first.
func earlier(a, b *Payment) int {
	return cmp.Or(a.Date.Compare(b.Date), strings.Compare(a.IUR, b.IUR), cmp.Compare(a.Index, b.Index),
		cmp.Compare(a.Repetition, b.Repetition), strings.Compare(a.ID.String(), b.ID.String()))
}

// Expectation is what a body expects of a reference. The zero Expectation is that of an unknown
// reference.
type Expectation struct {
	Owner     Owner                // whose the reference is
	Amount    flussi.Cents         // of the whole payment
	Transfers map[int]flussi.Cents // the body's transfers by index, 1 to 5, of a payment with several beneficiaries; nil: the body gets the whole Amount, in one transfer or in several
}
