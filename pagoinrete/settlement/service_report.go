package settlement

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// ReportFilter says what a report is about. A filter that is zero matches all.
type ReportFilter struct {
	Settlements SettlementFilter // which settlements
	Payments    PaymentFilter    // which of their payments; its Settlement and Bodies are not used
	Movements   MovementFilter   // which movements
}

// Summary adds up the settlements and the movements that match the filters of a report; its filter
// of payments is not used. It reads each settlement and each movement once, 500 at a time, and no
// payments, since settlements have their Counts. Errors are those of [Service.Settlements], and a
// [flussi.ErrForbidden] for an actor who works for no body, since sums of zero would mislead.
func (s *Service) Summary(ctx context.Context, by flussi.Actor, filter ReportFilter) (Summary, error) {
	var all Summary
	if err := s.admitAny(ctx, by); err != nil {
		return Summary{}, failed("sum up", "", uuid.Nil, err)
	}
	for e, err := range s.AllSettlements(ctx, by, filter.Settlements) {
		if err != nil {
			return Summary{}, err
		}
		all.AddSettlement(e)
		all.AddCounts(e)
	}
	for m, err := range s.AllMovements(ctx, by, filter.Movements) {
		if err != nil {
			return Summary{}, err
		}
		all.AddMovement(m)
	}
	return all, nil
}

// PaymentLines returns the payments of a report with their settlements, the oldest settlement
// first. Dropped payments are in it only if the States of the filter ask for them. If purposes is
// nil, the lines have no Purpose. The payments of each settlement are read on their own, 500 at a
// time. An error ends the sequence: see [Service.Summary].
func (s *Service) PaymentLines(ctx context.Context, by flussi.Actor, filter ReportFilter, purposes Purposes) iter.Seq2[PaymentLine, error] {
	return func(yield func(PaymentLine, error) bool) {
		fail := func(err error) { yield(PaymentLine{}, failed("report payments", "", uuid.Nil, err)) }
		err := s.admitAny(ctx, by)
		if err == nil {
			err = filter.Payments.Check()
		}
		if err != nil {
			fail(err)
			return
		}
		for e, err := range s.AllSettlements(ctx, by, filter.Settlements) {
			if err != nil {
				yield(PaymentLine{}, err)
				return
			}
			for page, err := range s.paymentPages(ctx, e, filter.Payments) {
				var known map[paymentfile.Reference]Purpose
				if err == nil {
					known, err = purposesOf(ctx, purposes, e.Body, page)
				}
				if err != nil {
					fail(err)
					return
				}
				for _, p := range page {
					if p.State == PaymentDropped && len(filter.Payments.States) == 0 {
						continue
					}
					if !yield(PaymentLine{p, e, known[p.Target]}, nil) {
						return
					}
				}
			}
		}
	}
}

// paymentPages returns the payments of a settlement that match a filter, page by page.
func (s *Service) paymentPages(ctx context.Context, of Settlement, filter PaymentFilter) iter.Seq2[[]Payment, error] {
	filter.Settlement, filter.Bodies = of.ID, []flussi.OrganizationCode{of.Body}
	return core.Pages(ctx, maxReferences, func(ctx context.Context, page Page) ([]Payment, error) {
		return s.store.Payments(ctx, filter, page)
	})
}

// purposesOf returns what payments are for, by their Target.
func purposesOf(ctx context.Context, purposes Purposes, body flussi.OrganizationCode, payments []Payment) (map[paymentfile.Reference]Purpose, error) {
	var references []paymentfile.Reference
	for _, p := range payments {
		references = append(references, p.Target)
	}
	return askPurposes(ctx, purposes, body, references)
}

func askPurposes(ctx context.Context, purposes Purposes, body flussi.OrganizationCode, references []paymentfile.Reference) (map[paymentfile.Reference]Purpose, error) {
	slices.SortFunc(references, func(a, b paymentfile.Reference) int { return strings.Compare(a.Reveal(), b.Reveal()) })
	references = slices.DeleteFunc(slices.Compact(references), paymentfile.Reference.IsZero)
	if purposes == nil || len(references) == 0 {
		return nil, nil
	}
	return purposes.Purposes(ctx, body, references)
}

// MovementLines returns the movements that match the filter with the settlements of their parts,
// the oldest first. They are read 500 at a time. An error ends the sequence: see [Service.Summary].
func (s *Service) MovementLines(ctx context.Context, by flussi.Actor, filter MovementFilter) iter.Seq2[MovementLine, error] {
	list := func(bodies []string) iter.Seq2[MovementLine, error] {
		filter := filter // the sequence may be pulled again
		filter.Bodies = codes(bodies)
		return core.Each(s.movementPages(ctx, filter))
	}
	fail := func(err error) error { return failed("report movements", "", uuid.Nil, err) }
	return func(yield func(MovementLine, error) bool) {
		if err := s.admitAny(ctx, by); err != nil {
			yield(MovementLine{}, fail(err))
			return
		}
		core.All(ctx, s.access, by, texts(filter.Bodies), filter.Check(), list, fail)(yield)
	}
}

// movementPages returns movements with the settlements of their parts, page by page.
func (s *Service) movementPages(ctx context.Context, filter MovementFilter) iter.Seq2[[]MovementLine, error] {
	return func(yield func([]MovementLine, error) bool) {
		for page, err := range core.Pages(ctx, maxReferences, func(ctx context.Context, page Page) ([]Movement, error) {
			return s.store.Movements(ctx, filter, page)
		}) {
			var lines []MovementLine
			if err == nil {
				lines, err = s.movementLines(ctx, page)
			}
			if !yield(lines, err) || err != nil {
				return
			}
		}
	}
}

// movementLines adds the settlements of their parts to movements.
func (s *Service) movementLines(ctx context.Context, movements []Movement) ([]MovementLine, error) {
	var ids []uuid.UUID
	for _, m := range movements {
		for _, part := range m.Parts {
			if part.Settlement != uuid.Nil {
				ids = append(ids, part.Settlement)
			}
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(string(a[:]), string(b[:])) })
	settlements := map[uuid.UUID]Settlement{}
	for some := range slices.Chunk(slices.Compact(ids), maxReferences) {
		found, err := s.store.Settlements(ctx, SettlementFilter{IDs: some}, Page{Limit: maxReferences, OldestFirst: true})
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			settlements[e.ID] = e
		}
	}
	lines := make([]MovementLine, len(movements))
	for i, m := range movements {
		lines[i] = MovementLine{m, make([]Settlement, len(m.Parts))}
		for n, part := range m.Parts {
			lines[i].Settlements[n] = settlements[part.Settlement]
		}
	}
	return lines, nil
}

// Allocations returns what the movements that match the filter were paid for, the oldest movement
// first: what an office needs for the orders (dati per reversali). The allocations of a movement
// come one after the other, by event and chapter, and add up to its Amount; movements without an
// amount have none. Nothing is guessed: an amount whose purpose is not certain has a Reason.
//
// A part that is all of a settlement is allocated payment by payment. A smaller part is allocated
// only if all payments of the settlement are for one purpose. Payments that are duplicate, unknown,
// foreign, set aside or unusable are not allocated.
//
// It reads the payments of the settlements, 500 at a time, for each of their movements. If purposes
// is nil, no amount has a purpose. An error ends the sequence.
func (s *Service) Allocations(ctx context.Context, by flussi.Actor, filter MovementFilter, purposes Purposes) iter.Seq2[Allocation, error] {
	return func(yield func(Allocation, error) bool) {
		for line, err := range s.MovementLines(ctx, by, filter) {
			if err != nil {
				yield(Allocation{}, err)
				return
			}
			allocated, err := s.allocate(ctx, line, purposes)
			if err != nil {
				yield(Allocation{}, failed("allocate movement", entityMovement, line.Movement.ID, err))
				return
			}
			for _, one := range allocated {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}
