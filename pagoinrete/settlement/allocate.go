package settlement

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// share identifies an [Allocation] of a movement: by its purpose, or by the reason why it has none.
type share struct {
	purpose Purpose
	reason  AllocationReason
}

// shares are the tallies of the allocations of a movement.
type shares map[share]Tally

func (s shares) add(key share, tally Tally) {
	tally.join(s[key])
	s[key] = tally
}

// only returns the purpose of all shares, if they have a single one.
func (s shares) only() (share, bool) {
	if len(s) != 1 {
		return share{}, false
	}
	for key := range s {
		return key, key.reason == ""
	}
	return share{}, false
}

// allocate splits a movement by what it was paid for.
func (s *Service) allocate(ctx context.Context, line MovementLine, purposes Purposes) ([]Allocation, error) {
	of := shares{}
	for i, part := range line.Movement.Parts {
		whole := share{reason: AllocationReason(part.Kind)}
		var err error
		switch part.Kind {
		case PartMatched:
			err = s.allocateSettlement(ctx, of, part, line.Settlements[i], purposes)
		case PartSinglePayment:
			whole, err = s.single(ctx, line.Movement, purposes)
			of.add(whole, Tally{1, part.Amount})
		default:
			of.add(whole, Tally{0, part.Amount})
		}
		if err != nil {
			return nil, err
		}
	}
	keys := slices.SortedFunc(maps.Keys(of), func(a, b share) int { // allocations without a purpose come last
		return cmp.Or(strings.Compare(string(a.reason), string(b.reason)), strings.Compare(a.purpose.Event, b.purpose.Event),
			strings.Compare(a.purpose.Chapter, b.purpose.Chapter))
	})
	var all []Allocation
	for _, key := range keys {
		all = append(all, Allocation{line.Movement, key.purpose, key.reason, of[key].Amount, of[key].Number})
	}
	return all, nil
}

// allocateSettlement adds the shares of a part that belongs to a settlement.
func (s *Service) allocateSettlement(ctx context.Context, of shares, part Part, e Settlement, purposes Purposes) error {
	if e.Inconsistent {
		of.add(share{reason: ReasonInconsistent}, Tally{0, part.Amount})
		return nil
	}
	paid, sum := shares{}, Tally{}
	for page, err := range s.paymentPages(ctx, e, PaymentFilter{}) {
		var known map[paymentfile.Reference]Purpose
		if err == nil {
			known, err = purposesOf(ctx, purposes, e.Body, page)
		}
		if err != nil {
			return err
		}
		for _, p := range page {
			if p.State != PaymentDropped {
				paid.add(shareOf(p, known[p.Target]), Tally{1, p.Net()})
				sum.join(Tally{1, p.Net()})
			}
		}
	}
	if sum.Amount == part.Amount {
		for key, tally := range paid {
			of.add(key, tally)
		}
		return nil
	}
	key, single := paid.only()
	if !single {
		key = share{reason: ReasonPartial}
	}
	of.add(key, Tally{0, part.Amount})
	return nil
}

// shareOf returns the share to which a payment adds.
func shareOf(p Payment, purpose Purpose) share {
	switch p.State {
	case PaymentExpected, PaymentAmountDiffers, PaymentRevoked:
		return purposeShare(purpose)
	}
	return share{reason: AllocationReason(p.State)}
}

func purposeShare(purpose Purpose) share {
	purpose.Receipt = false
	if purpose.IsZero() {
		return share{reason: ReasonNoPurpose}
	}
	return share{purpose: purpose}
}

// single returns the share of a single payment.
func (s *Service) single(ctx context.Context, m Movement, purposes Purposes) (share, error) {
	known, err := askPurposes(ctx, purposes, m.Body, []paymentfile.Reference{m.Reference})
	return purposeShare(known[m.Reference]), err
}
