package memstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Store is a [settlement.Store] in memory. It is safe for concurrent use. Errors are
// [*flussi.Error], except for those of Save's sequence, which are returned as they are.
type Store struct {
	db           memtable.DB
	bodyVersions map[flussi.OrganizationCode]int64
	settlements  *memtable.Table[settlement.Settlement, settlement.Settlement, settlement.SettlementRecord]
	payments     *memtable.Table[settlement.Payment, settlement.Payment, settlement.PaymentRecord]
	movements    *memtable.Table[settlement.Movement, settlement.Movement, settlement.MovementRecord]
	counts       *memtable.Counts[settlement.Payment, settlement.PaymentRecord, settlement.PaymentCounts]

	settlementsOf   *memtable.Index[settlement.Settlement, settlement.SettlementRecord, string] // of a FlowID
	settlementsTo   totals
	paymentsIn      *memtable.Index[settlement.Payment, settlement.PaymentRecord, uuid.UUID]     // of a settlement
	movementsOf     *memtable.Index[settlement.Movement, settlement.MovementRecord, fit]         // of an amount and a prefix
	paymentsFor     *keys[settlement.Payment, settlement.PaymentRecord, paymentfile.Reference]   // of a reference
	movementsNaming *keys[settlement.Movement, settlement.MovementRecord, string]                // a FlowID
	movementsTo     *keys[settlement.Movement, settlement.MovementRecord, uuid.UUID]             // a settlement
	movementsFor    *keys[settlement.Movement, settlement.MovementRecord, paymentfile.Reference] // a single payment

	unreportedSettlements *memtable.Index[settlement.Settlement, settlement.SettlementRecord, struct{}]
	unreportedMovements   *memtable.Index[settlement.Movement, settlement.MovementRecord, struct{}]
}

var _ settlement.Store = (*Store)(nil)

type (
	settlementKind = memtable.Kind[settlement.Settlement, settlement.Settlement, settlement.SettlementRecord]
	settlementRow  = memtable.Row[settlement.Settlement, settlement.SettlementRecord]
	settlementList = memtable.List[settlement.Settlement, settlement.SettlementRecord]
	paymentKind    = memtable.Kind[settlement.Payment, settlement.Payment, settlement.PaymentRecord]
	paymentRow     = memtable.Row[settlement.Payment, settlement.PaymentRecord]
	paymentList    = memtable.List[settlement.Payment, settlement.PaymentRecord]
	movementKind   = memtable.Kind[settlement.Movement, settlement.Movement, settlement.MovementRecord]
	movementRow    = memtable.Row[settlement.Movement, settlement.MovementRecord]
	movementList   = memtable.List[settlement.Movement, settlement.MovementRecord]
)

// fit has the fields by which a movement may belong to a settlement that it does not name.
type fit struct {
	amount     flussi.Cents
	prefix     string
	unresolved bool
}

// fits returns the keys of the movements that match a filter with amounts and prefixes.
func fits(filter settlement.MovementFilter) []fit {
	var all []fit
	for _, amount := range filter.Amounts {
		for _, prefix := range filter.Prefixes {
			if all = append(all, fit{amount, prefix, true}); !filter.Unresolved {
				all = append(all, fit{amount, prefix, false})
			}
		}
	}
	return all
}

// New returns an empty store.
func New() *Store {
	s := &Store{bodyVersions: map[flussi.OrganizationCode]int64{}}
	s.settlements = memtable.New(&s.db, settlementKind{
		Place: func(e *settlement.Settlement) flussi.Cursor {
			return flussi.Cursor{At: e.CreatedAt, ID: e.ID} // e.Cursor would copy the settlement
		},
		Version:       func(e *settlement.Settlement) *int64 { return &e.Version },
		RecordVersion: func(r *settlement.SettlementRecord) *int64 { return &r.Version },
		View:          func(e *settlement.Settlement) *settlement.Settlement { return e },
		Complete: func(e settlement.Settlement) settlement.Settlement {
			e.Counts = s.counts.Of(e.ID)
			return e
		},
	})
	s.payments = memtable.New(&s.db, paymentKind{
		Place: func(p *settlement.Payment) flussi.Cursor {
			return flussi.Cursor{At: p.CreatedAt, ID: p.ID} // p.Cursor would copy the payment
		},
		Version:       func(p *settlement.Payment) *int64 { return &p.Version },
		RecordVersion: func(r *settlement.PaymentRecord) *int64 { return &r.Version },
		View:          func(p *settlement.Payment) *settlement.Payment { return p },
	})
	s.movements = memtable.New(&s.db, movementKind{
		Place: func(m *settlement.Movement) flussi.Cursor {
			return flussi.Cursor{At: m.CreatedAt, ID: m.ID} // m.Cursor would copy the movement
		},
		Version:       func(m *settlement.Movement) *int64 { return &m.Version },
		RecordVersion: func(r *settlement.MovementRecord) *int64 { return &r.Version },
		View:          func(m *settlement.Movement) *settlement.Movement { return m },
		Complete:      withOwnLists,
	})
	s.index()
	return s
}

func (s *Store) index() {
	s.settlementsOf = memtable.NewIndex(s.settlements, func(e *settlement.Settlement) (string, bool) { return e.FlowID, true })
	s.settlementsTo = totals{}
	s.settlements.Follow(s.settlementsTo)
	s.paymentsIn = memtable.NewIndex(s.payments, func(p *settlement.Payment) (uuid.UUID, bool) { return p.Settlement, true })
	s.movementsOf = memtable.NewIndex(s.movements, func(m *settlement.Movement) (fit, bool) { return fit{m.Amount, m.Prefix, m.Unresolved}, true })
	s.movementsFor = newKeys(s.movements, func(m *settlement.Movement) (uuid.UUID, []paymentfile.Reference) {
		all := []paymentfile.Reference{m.Reference, m.PreviousReference}
		return m.ID, slices.DeleteFunc(all, paymentfile.Reference.IsZero)
	})
	s.unreportedSettlements = memtable.NewIndex(s.settlements, func(e *settlement.Settlement) (struct{}, bool) { return struct{}{}, e.Unreported })
	s.unreportedMovements = memtable.NewIndex(s.movements, func(m *settlement.Movement) (struct{}, bool) { return struct{}{}, m.Unreported })
	s.counts = memtable.NewCounts(s.payments,
		func(p *settlement.Payment) uuid.UUID { return p.Settlement },
		func(c *settlement.PaymentCounts, p *settlement.Payment, by int) { c.Add(*p, by) })
	s.paymentsFor = newKeys(s.payments, func(p *settlement.Payment) (uuid.UUID, []paymentfile.Reference) {
		all := []paymentfile.Reference{p.Reference, p.Target, p.PreviousTarget}
		return p.ID, slices.DeleteFunc(all, paymentfile.Reference.IsZero)
	})
	s.movementsNaming = newKeys(s.movements, func(m *settlement.Movement) (uuid.UUID, []string) { return m.ID, m.FlowIDs })
	s.movementsTo = newKeys(s.movements, func(m *settlement.Movement) (uuid.UUID, []uuid.UUID) {
		var all []uuid.UUID
		for _, part := range m.Parts {
			all = append(all, part.Settlement)
		}
		for _, part := range m.Decisions {
			all = append(all, part.Settlement)
		}
		return m.ID, all
	})
}

// withOwnLists returns a movement that shares no list.
func withOwnLists(m settlement.Movement) settlement.Movement {
	m.Entries, m.FlowIDs = slices.Clone(m.Entries), slices.Clone(m.FlowIDs)
	m.Decisions, m.Parts = slices.Clone(m.Decisions), slices.Clone(m.Parts)
	return m
}

// BodyVersion returns how many writes of a body were stored: see [settlement.Store].
func (s *Store) BodyVersion(ctx context.Context, body flussi.OrganizationCode) (count int64, err error) {
	err = s.db.View(ctx, memtable.Operation{Name: "read version of a body"}, func() error {
		count = s.bodyVersions[body]
		return nil
	})
	return count, err
}
