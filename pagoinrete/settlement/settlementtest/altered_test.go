package settlementtest_test

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
)

type (
	breaker          = brokenstore.Breaker[settlement.Store]
	methods          = storetest.Store[settlement.Settlement, settlement.Payment]
	settlementChange = storetest.Change[settlement.Settlement]
	paymentChange    = storetest.Change[settlement.Payment]
)

// view is a store with other methods for settlements and payments.
type view struct {
	settlement.Store
	methods methods
}

// viewed makes a store of which some methods are broken.
var viewed brokenstore.Views[settlement.Store, settlement.Settlement, settlement.Payment] = func(
	broken func(methods) methods,
) func(settlement.Store) settlement.Store {
	return func(s settlement.Store) settlement.Store { return view{s, broken(settlementtest.Methods(s))} }
}

// Save calls the replaced method for the writes of the shared rules, and the store itself for
// others.
func (v view) Save(ctx context.Context, changes settlement.Changes) error {
	switch {
	case !changes.Body.IsZero() || len(changes.Movements) > 0 || len(changes.Settlements) > 1:
		return v.Store.Save(ctx, changes)
	case len(changes.Settlements) == 1:
		rows := storetest.SequenceAs(changes.Payments, storetest.As[paymentChange, settlement.PaymentChange])
		return v.methods.SaveParent(ctx, storetest.As[settlementChange](changes.Settlements[0]), rows)
	}
	var all []paymentChange
	for change, err := range orNone(changes.Payments) {
		if err != nil {
			return err
		}
		all = append(all, storetest.As[paymentChange](change))
	}
	return v.methods.SaveChildren(ctx, all...)
}

func orNone[T any](all iter.Seq2[T, error]) iter.Seq2[T, error] {
	if all == nil {
		return func(func(T, error) bool) {}
	}
	return all
}

func (v view) Settlement(ctx context.Context, id uuid.UUID) (settlement.Settlement, error) {
	return v.methods.Parents.Get(ctx, id)
}

func (v view) Settlements(ctx context.Context, filter settlement.SettlementFilter, page settlement.Page) ([]settlement.Settlement, error) {
	return v.methods.Parents.List(ctx, filter, page)
}

func (v view) SettlementHistory(ctx context.Context, id uuid.UUID) ([]settlement.SettlementRecord, error) {
	records, err := v.methods.Parents.History(ctx, id)
	return storetest.As[[]settlement.SettlementRecord](records), err
}

func (v view) Payment(ctx context.Context, id uuid.UUID) (settlement.Payment, error) {
	return v.methods.Children.Get(ctx, id)
}

func (v view) Payments(ctx context.Context, filter settlement.PaymentFilter, page settlement.Page) ([]settlement.Payment, error) {
	return v.methods.Children.List(ctx, filter, page)
}

func (v view) PaymentHistory(ctx context.Context, id uuid.UUID) ([]settlement.PaymentRecord, error) {
	records, err := v.methods.Children.History(ctx, id)
	return storetest.As[[]settlement.PaymentRecord](records), err
}

// altered is a store with some methods replaced. A nil field keeps the method of the store.
type altered struct {
	settlement.Store
	save        func(context.Context, settlement.Changes) error
	bodyVersion func(context.Context, flussi.OrganizationCode) (int64, error)
	movement    func(context.Context, uuid.UUID) (settlement.Movement, error)
	movements   func(context.Context, settlement.MovementFilter, settlement.Page) ([]settlement.Movement, error)
	history     func(context.Context, uuid.UUID) ([]settlement.MovementRecord, error)
}

func (a altered) Save(ctx context.Context, changes settlement.Changes) error {
	if a.save != nil {
		return a.save(ctx, changes)
	}
	return a.Store.Save(ctx, changes)
}

func (a altered) BodyVersion(ctx context.Context, body flussi.OrganizationCode) (int64, error) {
	if a.bodyVersion != nil {
		return a.bodyVersion(ctx, body)
	}
	return a.Store.BodyVersion(ctx, body)
}

func (a altered) Movement(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
	if a.movement != nil {
		return a.movement(ctx, id)
	}
	return a.Store.Movement(ctx, id)
}

func (a altered) Movements(ctx context.Context, filter settlement.MovementFilter, page settlement.Page) ([]settlement.Movement, error) {
	if a.movements != nil {
		return a.movements(ctx, filter, page)
	}
	return a.Store.Movements(ctx, filter, page)
}

func (a altered) MovementHistory(ctx context.Context, id uuid.UUID) ([]settlement.MovementRecord, error) {
	if a.history != nil {
		return a.history(ctx, id)
	}
	return a.Store.MovementHistory(ctx, id)
}
