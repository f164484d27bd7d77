package memstore

import (
	"context"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Save stores changes: see [settlement.Store]. It holds all payments of the sequence in memory. The
// store can be used while Save pulls them. If an entity or the version of the body has changed in the
// meantime, the error is a [flussi.ErrConflict].
func (s *Store) Save(ctx context.Context, changes settlement.Changes) error {
	op := memtable.Operation{Name: "save"}
	parts := []memtable.Part{
		bodyVersion{s, changes.Body, changes.BodyVersion},
		s.settlements.Write(memtable.Rows(changes.Settlements, newSettlementRow)...),
		s.movements.Write(memtable.Rows(changes.Movements, newMovementRow)...),
	}
	if err := s.db.Check(ctx, op, parts...); err != nil {
		return err
	}
	payments, err := memtable.Pull(ctx, op, changes.Payments, newPaymentRow)
	if err != nil {
		return err
	}
	return s.db.Save(ctx, op, append(parts, s.payments.Write(payments...))...)
}

// bodyVersion is the part of a write that counts the writes of a body.
type bodyVersion struct {
	store *Store
	body  flussi.OrganizationCode
	count int64
}

func (l bodyVersion) Check(op memtable.Operation) error {
	if !l.body.IsZero() && l.store.bodyVersions[l.body] != l.count {
		return op.Fail(flussi.ErrConflict)
	}
	return nil
}

func (l bodyVersion) Put() {
	if !l.body.IsZero() {
		l.store.bodyVersions[l.body]++
	}
}

// newSettlementRow returns the row of a change. Counts are not stored: they are added on reading.
func newSettlementRow(change settlement.SettlementChange) *settlementRow {
	row := &settlementRow{Entity: change.Settlement, History: []settlement.SettlementRecord{change.Record}}
	e := &row.Entity
	memtable.CutTimes(&e.FileAt, &e.Date, &e.CreatedAt, &e.UpdatedAt, &row.History[0].At)
	return row
}

// newPaymentRow returns the row of a change.
func newPaymentRow(change settlement.PaymentChange) *paymentRow {
	row := &paymentRow{Entity: change.Payment, History: []settlement.PaymentRecord{change.Record}}
	p := &row.Entity
	memtable.CutTimes(&p.Date, &p.Decision.At, &p.CreatedAt, &p.UpdatedAt, &row.History[0].At)
	return row
}

// newMovementRow returns the row of a change. It copies the lists, since the caller may change
// them.
func newMovementRow(change settlement.MovementChange) *movementRow {
	row := &movementRow{Entity: withOwnLists(change.Movement), History: []settlement.MovementRecord{change.Record}}
	m := &row.Entity
	for i := range m.Entries {
		memtable.CutTimes(&m.Entries[i].Date)
	}
	for i := range m.Decisions {
		memtable.CutTimes(&m.Decisions[i].At)
	}
	memtable.CutTimes(&m.Date, &m.AnonymisedAt, &m.CreatedAt, &m.UpdatedAt, &row.History[0].At)
	return row
}
