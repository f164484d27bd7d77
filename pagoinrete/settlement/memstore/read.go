package memstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Settlement returns a settlement: see [settlement.Store].
func (s *Store) Settlement(ctx context.Context, id uuid.UUID) (settlement.Settlement, error) {
	return s.settlements.Get(ctx, "read settlement", id)
}

// Settlements returns a page of settlements: see [settlement.Store]. A page without a limit is as
// long as [flussi.MaxPage].
func (s *Store) Settlements(
	ctx context.Context, filter settlement.SettlementFilter, page settlement.Page,
) ([]settlement.Settlement, error) {
	candidates := func() settlementList {
		switch {
		case len(filter.IDs) > 0:
			return s.settlements.Pick(filter.IDs)
		case len(filter.FlowIDs) > 0:
			return s.settlementsOf.Of(filter.FlowIDs...)
		case len(filter.Totals) > 0:
			return s.settlements.Pick(s.settlementsTo.having(filter.Totals, filter.FlowPrefix))
		case filter.Unreported:
			return s.unreportedSettlements.Of(struct{}{})
		}
		return s.settlements.All()
	}
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.settlements.Page(ctx, "list settlements", within, candidates,
		func(e *settlement.Settlement) bool { return filter.Match(*e) })
}

// SettlementHistory returns the records of a settlement: see [settlement.Store].
func (s *Store) SettlementHistory(ctx context.Context, id uuid.UUID) ([]settlement.SettlementRecord, error) {
	return s.settlements.History(ctx, "read history of settlement", id)
}

// Payment returns a payment: see [settlement.Store].
func (s *Store) Payment(ctx context.Context, id uuid.UUID) (settlement.Payment, error) {
	return s.payments.Get(ctx, "read payment", id)
}

// Payments returns a page of payments: see [settlement.Store]. A page without a limit is as long as
// [flussi.MaxPage].
func (s *Store) Payments(
	ctx context.Context, filter settlement.PaymentFilter, page settlement.Page,
) ([]settlement.Payment, error) {
	candidates := func() paymentList {
		switch {
		case len(filter.IDs) > 0:
			return s.payments.Pick(filter.IDs)
		case len(filter.References) > 0:
			return s.payments.Pick(s.paymentsFor.having(filter.References...))
		case filter.Settlement != uuid.Nil:
			return s.paymentsIn.Of(filter.Settlement)
		}
		return s.payments.All()
	}
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.payments.Page(ctx, "list payments", within, candidates,
		func(p *settlement.Payment) bool { return filter.Match(*p) })
}

// PaymentHistory returns the records of a payment: see [settlement.Store].
func (s *Store) PaymentHistory(ctx context.Context, id uuid.UUID) ([]settlement.PaymentRecord, error) {
	return s.payments.History(ctx, "read history of payment", id)
}

// Movement returns a movement: see [settlement.Store].
func (s *Store) Movement(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
	return s.movements.Get(ctx, "read movement", id)
}

// Movements returns a page of movements: see [settlement.Store]. A page without a limit is as long
// as [flussi.MaxPage].
func (s *Store) Movements(
	ctx context.Context, filter settlement.MovementFilter, page settlement.Page,
) ([]settlement.Movement, error) {
	candidates := func() movementList {
		switch {
		case len(filter.IDs) > 0:
			return s.movements.Pick(filter.IDs)
		case len(filter.FlowIDs) > 0:
			return s.movements.Pick(s.movementsNaming.having(filter.FlowIDs...))
		case filter.Settlement != uuid.Nil:
			return s.movements.Pick(s.movementsTo.having(filter.Settlement))
		case len(filter.References) > 0:
			return s.movements.Pick(s.movementsFor.having(filter.References...))
		case len(filter.Amounts) > 0 && len(filter.Prefixes) > 0:
			return s.movementsOf.Of(fits(filter)...)
		case filter.Unreported:
			return s.unreportedMovements.Of(struct{}{})
		}
		return s.movements.All()
	}
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.movements.Page(ctx, "list movements", within, candidates,
		func(m *settlement.Movement) bool { return filter.Match(*m) })
}

// MovementHistory returns the records of a movement: see [settlement.Store].
func (s *Store) MovementHistory(ctx context.Context, id uuid.UUID) ([]settlement.MovementRecord, error) {
	return s.movements.History(ctx, "read history of movement", id)
}
