package memtable

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Part is a part of a write: see [Save].
type Part interface {
	// Check returns an error if the part must not be stored. It stores nothing.
	Check(op Operation) error
	// Put stores the part. It is called once all parts of the write were checked.
	Put()
}

// Save stores all parts in their order, or nothing if one must not be stored. The caller holds
// the lock of the [DB]; DB.Save takes it.
func Save(op Operation, parts ...Part) error {
	if err := check(op, parts); err != nil {
		return err
	}
	for _, part := range parts {
		part.Put()
	}
	return nil
}

func check(op Operation, parts []Part) error {
	for _, part := range parts {
		if err := part.Check(op); err != nil {
			return err
		}
	}
	return nil
}

// Pull returns the rows of all changes of a sequence, which may be nil. It stops at the first
// error, which it returns as it is, and when the context ends. It takes no lock, so the
// sequence may use the store.
func Pull[C, E, R any](
	ctx context.Context, op Operation, changes iter.Seq2[C, error], row func(C) *Row[E, R],
) ([]*Row[E, R], error) {
	if changes == nil {
		return nil, nil
	}
	var rows []*Row[E, R]
	for change, err := range changes {
		if err != nil {
			return nil, err
		}
		if err := op.ended(ctx); err != nil {
			return nil, err
		}
		rows = append(rows, row(change))
	}
	return rows, nil
}

// Rows returns the rows of changes.
func Rows[C, E, R any](changes []C, row func(C) *Row[E, R]) []*Row[E, R] {
	rows := make([]*Row[E, R], len(changes))
	for i, change := range changes {
		rows[i] = row(change)
	}
	return rows
}

// Write returns the part of a write that stores rows of the table.
func (t *Table[E, V, R]) Write(rows ...*Row[E, R]) Part { return &rowsOf[E, V, R]{t, rows} }

// rowsOf is rows to be stored in a table.
type rowsOf[E, V, R any] struct {
	table *Table[E, V, R]
	rows  []*Row[E, R]
}

func (w *rowsOf[E, V, R]) Check(op Operation) error { return w.table.Check(op, w.rows...) }

func (w *rowsOf[E, V, R]) Put() { w.table.Put(w.rows...) }

// Check returns a [flussi.ErrConflict] if an entity is not stored in the version that its row
// has, which is 0 for a new one, or if two rows have the same ID.
func (t *Table[E, V, R]) Check(op Operation, rows ...*Row[E, R]) error {
	var seen map[uuid.UUID]struct{} // not of a single row
	if len(rows) > 1 {
		seen = make(map[uuid.UUID]struct{}, len(rows))
	}
	for _, row := range rows {
		id := t.kind.Place(&row.Entity).ID
		var version int64
		if stored := t.rows[id]; stored != nil {
			version = *t.kind.Version(&stored.Entity)
		}
		_, twice := seen[id]
		if twice || *t.kind.Version(&row.Entity) != version {
			return Operation{op.Name, id}.Fail(flussi.ErrConflict)
		}
		if seen != nil {
			seen[id] = struct{}{}
		}
	}
	return nil
}

// Put stores rows that Check found in order, each as the next version of its entity.
func (t *Table[E, V, R]) Put(rows ...*Row[E, R]) {
	for _, row := range rows {
		if stored := t.rows[t.kind.Place(&row.Entity).ID]; stored == nil {
			t.insert(row)
		} else {
			if t.kind.Carry != nil {
				t.kind.Carry(&stored.Entity, &row.Entity)
			}
			t.replace(stored, &row.Entity, row.History[0])
		}
	}
	t.settle()
}

// Replace stores the next version of a row, which it copies, with its record. The caller holds
// the lock.
func (t *Table[E, V, R]) Replace(row *Row[E, R], next *E, record R) {
	t.replace(row, next, record)
	t.settle()
}

func (t *Table[E, V, R]) insert(row *Row[E, R]) {
	row.placeOf = t.kind.Place
	t.rows[row.place().ID] = row
	t.enter(row)
	for _, x := range t.indexes {
		x.arrive(row)
	}
}

func (t *Table[E, V, R]) replace(row *Row[E, R], next *E, record R) {
	for _, f := range t.followers {
		f.Leave(row)
	}
	moved := t.kind.Place(next) != row.place()
	for _, x := range t.indexes {
		x.leave(row, next, moved)
	}
	row.Entity = *next
	if t.kind.Amend != nil {
		t.kind.Amend(row.History, &record)
	}
	row.History = append(row.History, record)
	t.enter(row)
}

// enter gives a row its version, and adds it to the followers.
func (t *Table[E, V, R]) enter(row *Row[E, R]) {
	version := t.kind.Version(&row.Entity)
	*version++
	*t.kind.RecordVersion(&row.History[len(row.History)-1]) = *version
	for _, f := range t.followers {
		f.Enter(row)
	}
}

// settle lists the rows that were inserted or moved.
func (t *Table[E, V, R]) settle() {
	for _, x := range t.indexes {
		x.settle()
	}
}
