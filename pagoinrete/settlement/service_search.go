package settlement

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// SettlementPage is a part of a list of settlements.
type SettlementPage struct {
	Settlements []Settlement // the newest first, unless the page says otherwise
	Next        Cursor       // for the next page's After; zero: this is the last one
}

// PaymentPage is a part of a list of payments.
type PaymentPage struct {
	Payments []Payment // the newest first, unless the page says otherwise
	Next     Cursor    // for the next page's After; zero: this is the last one
}

// MovementPage is a part of a list of movements.
type MovementPage struct {
	Movements []Movement // the newest first, unless the page says otherwise
	Next      Cursor     // for the next page's After; zero: this is the last one
}

// Settlement returns a settlement, with its Counts.
func (s *Service) Settlement(ctx context.Context, by flussi.Actor, id uuid.UUID) (Settlement, error) {
	found, err := s.settlement(ctx, by, id)
	return found, failed("get settlement", entitySettlement, id, err)
}

// Payment returns a payment.
func (s *Service) Payment(ctx context.Context, by flussi.Actor, id uuid.UUID) (Payment, error) {
	found, err := s.payment(ctx, by, id)
	return found, failed("get payment", entityPayment, id, err)
}

// Movement returns a movement.
func (s *Service) Movement(ctx context.Context, by flussi.Actor, id uuid.UUID) (Movement, error) {
	found, err := s.movement(ctx, by, id)
	return found, failed("get movement", entityMovement, id, err)
}

// Settlements returns a page of the settlements that match the filter, the newest first. Without
// Bodies in the filter it looks in all that the actor works for; with one that the actor does not
// work for the error is a [flussi.ErrForbidden]. What the filter's Check or the page's refuses is a
// [*flussi.InvalidError].
func (s *Service) Settlements(ctx context.Context, by flussi.Actor, filter SettlementFilter, page Page) (SettlementPage, error) {
	list := func(bodies []string, page Page) ([]Settlement, error) {
		filter.Bodies = codes(bodies)
		return s.store.Settlements(ctx, filter, page)
	}
	found, next, err := core.List(ctx, s.access, by, texts(filter.Bodies), filter.Check(), page, list)
	return SettlementPage{found, next}, failed("list settlements", "", uuid.Nil, err)
}

// Payments returns a page of the payments that match the filter, as [Service.Settlements] does.
func (s *Service) Payments(ctx context.Context, by flussi.Actor, filter PaymentFilter, page Page) (PaymentPage, error) {
	list := func(bodies []string, page Page) ([]Payment, error) {
		filter.Bodies = codes(bodies)
		return s.store.Payments(ctx, filter, page)
	}
	found, next, err := core.List(ctx, s.access, by, texts(filter.Bodies), filter.Check(), page, list)
	return PaymentPage{found, next}, failed("list payments", "", uuid.Nil, err)
}

// Movements returns a page of the movements that match the filter, as [Service.Settlements] does.
func (s *Service) Movements(ctx context.Context, by flussi.Actor, filter MovementFilter, page Page) (MovementPage, error) {
	list := func(bodies []string, page Page) ([]Movement, error) {
		filter.Bodies = codes(bodies)
		return s.store.Movements(ctx, filter, page)
	}
	found, next, err := core.List(ctx, s.access, by, texts(filter.Bodies), filter.Check(), page, list)
	return MovementPage{found, next}, failed("list movements", "", uuid.Nil, err)
}

// AllSettlements returns all settlements that match the filter, the oldest first. An error ends the
// sequence. The actor is authorised once, at its beginning.
func (s *Service) AllSettlements(ctx context.Context, by flussi.Actor, filter SettlementFilter) iter.Seq2[Settlement, error] {
	list := func(bodies []string) iter.Seq2[Settlement, error] {
		filter := filter // the sequence may be pulled again
		filter.Bodies = codes(bodies)
		return all(ctx, filter, s.store.Settlements)
	}
	return core.All(ctx, s.access, by, texts(filter.Bodies), filter.Check(), list, func(err error) error {
		return failed("list settlements", "", uuid.Nil, err)
	})
}

// AllPayments returns all payments that match the filter, as [Service.AllSettlements] does.
func (s *Service) AllPayments(ctx context.Context, by flussi.Actor, filter PaymentFilter) iter.Seq2[Payment, error] {
	list := func(bodies []string) iter.Seq2[Payment, error] {
		filter := filter // the sequence may be pulled again
		filter.Bodies = codes(bodies)
		return all(ctx, filter, s.store.Payments)
	}
	return core.All(ctx, s.access, by, texts(filter.Bodies), filter.Check(), list, func(err error) error {
		return failed("list payments", "", uuid.Nil, err)
	})
}

// AllMovements returns all movements that match the filter, as [Service.AllSettlements] does.
func (s *Service) AllMovements(ctx context.Context, by flussi.Actor, filter MovementFilter) iter.Seq2[Movement, error] {
	list := func(bodies []string) iter.Seq2[Movement, error] {
		filter := filter // the sequence may be pulled again
		filter.Bodies = codes(bodies)
		return all(ctx, filter, s.store.Movements)
	}
	return core.All(ctx, s.access, by, texts(filter.Bodies), filter.Check(), list, func(err error) error {
		return failed("list movements", "", uuid.Nil, err)
	})
}

// SettlementHistory returns what was done to a settlement, in order.
func (s *Service) SettlementHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]SettlementRecord, error) {
	records, err := core.History(ctx, by, id, s.settlement, s.store.SettlementHistory)
	return records, failed("get history of settlement", entitySettlement, id, err)
}

// PaymentHistory returns what was done to a payment, in order.
func (s *Service) PaymentHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]PaymentRecord, error) {
	records, err := core.History(ctx, by, id, s.payment, s.store.PaymentHistory)
	return records, failed("get history of payment", entityPayment, id, err)
}

// MovementHistory returns what was done to a movement, in order.
func (s *Service) MovementHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]MovementRecord, error) {
	records, err := core.History(ctx, by, id, s.movement, s.store.MovementHistory)
	return records, failed("get history of movement", entityMovement, id, err)
}

// all returns a whole list of the store, the oldest first.
func all[E core.Listed, Q any](ctx context.Context, filter Q, list func(context.Context, Q, Page) ([]E, error)) iter.Seq2[E, error] {
	return core.Each(core.Pages(ctx, maxReferences, func(ctx context.Context, page Page) ([]E, error) {
		return list(ctx, filter, page)
	}))
}

// texts returns codes of bodies as an [core.Access] has them.
func texts(bodies []flussi.OrganizationCode) []string {
	all := make([]string, len(bodies))
	for i, body := range bodies {
		all[i] = body.String()
	}
	return all
}

// codes returns what texts took.
func codes(all []string) []flussi.OrganizationCode {
	bodies := make([]flussi.OrganizationCode, len(all))
	for i, text := range all {
		bodies[i], _ = flussi.ParseOrganizationCode(text) // texts made it
	}
	return bodies
}
