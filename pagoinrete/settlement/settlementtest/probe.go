package settlementtest

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// probe tests one rule on one store. Its methods end the test if the store fails in a way that the
// rule does not cover.
type probe struct {
	*suite
	store       settlement.Store
	settlements *storetest.Kind[settlement.Settlement]
	payments    *storetest.Kind[settlement.Payment]
	movements   *storetest.Kind[settlement.Movement]
}

// newProbe makes a probe for one rule, on a store that is empty.
func newProbe(base *storetest.Probe, store settlement.Store) *probe {
	p := &probe{store: store}
	p.settlements = &storetest.Kind[settlement.Settlement]{
		Name: shared.Parent, Changed: p.changedSettlement, Bare: p.bareSettlement, Change: storetest.Changes(settlementChange),
		ByID: func(ids ...uuid.UUID) storetest.Filter { return settlement.SettlementFilter{IDs: ids} },
	}
	p.payments = &storetest.Kind[settlement.Payment]{
		Name: shared.Child, Changed: p.changedPayment, Bare: p.barePayment, Change: storetest.Changes(paymentChange),
		ByID: func(ids ...uuid.UUID) storetest.Filter { return settlement.PaymentFilter{IDs: ids} },
	}
	p.movements = &storetest.Kind[settlement.Movement]{
		Probe: base, Methods: storetest.ReadsAs(store.Movement, store.Movements, store.MovementHistory),
		Name: "movement", Changed: p.changedMovement, Bare: p.bareMovement, Change: storetest.Changes(movementChange),
		ByID: func(ids ...uuid.UUID) storetest.Filter { return settlement.MovementFilter{IDs: ids} },
	}
	p.suite = suite{
		Parents: p.settlements, Children: p.payments, Save: shared.Save,
		NewParent: p.newSettlement, FullParent: p.fullSettlement, NewChild: p.newPayment, FullChild: p.fullPayment,
		ChildrenOf: func(s settlement.Settlement) storetest.Filter { return settlement.PaymentFilter{Settlement: s.ID} },
		States:     [3]string{string(settlement.PaymentUnknown), string(settlement.PaymentExpected), string(settlement.PaymentRevoked)},
		Count:      withCounts,
	}.Start(base, methods(store))
	return p
}

// methods returns the methods of a store as the shared rules call them.
func methods(s settlement.Store) storetest.Store[settlement.Settlement, settlement.Payment] {
	return storetest.Store[settlement.Settlement, settlement.Payment]{
		Parents:  storetest.ReadsAs(s.Settlement, s.Settlements, s.SettlementHistory),
		Children: storetest.ReadsAs(s.Payment, s.Payments, s.PaymentHistory),
		SaveParent: storetest.SaveParentAs[settlement.Settlement, settlement.Payment](
			func(ctx context.Context, change settlement.SettlementChange, payments iter.Seq2[settlement.PaymentChange, error]) error {
				return s.Save(ctx, settlement.Changes{Settlements: []settlement.SettlementChange{change}, Payments: payments})
			}),
		SaveChildren: storetest.SaveChildrenAs[settlement.Payment](func(ctx context.Context, changes ...settlement.PaymentChange) error {
			return s.Save(ctx, settlement.Changes{Payments: sequence(changes)})
		}),
	}
}

// sequence yields changes.
func sequence[T any](changes []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, change := range changes {
			if !yield(change, nil) {
				return
			}
		}
	}
}

// save stores a settlement with payments, and returns it as it is stored now, except for its
// Counts.
func (p *probe) save(s settlement.Settlement, with ...settlement.Payment) settlement.Settlement {
	return p.SetParent(s, with...)
}

// saveMovements stores movements together, and returns them as they are stored now.
func (p *probe) saveMovements(all ...settlement.Movement) []settlement.Movement {
	p.Must(p.store.Save(p.Ctx, movementsOnly(all...)), "Save of movements")
	return storetest.Map(all, storetest.Next[settlement.Movement])
}

func (p *probe) saveMovement(m settlement.Movement) settlement.Movement { return p.saveMovements(m)[0] }

// movementsOnly returns a write of movements.
func movementsOnly(all ...settlement.Movement) settlement.Changes {
	return settlement.Changes{Movements: storetest.Map(all, movementChange)}
}
