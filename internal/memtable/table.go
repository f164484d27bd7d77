package memtable

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Table keeps entities of one kind: E as it stores them, V as callers get them, each version
// with a record R. Get, Page and History are safe for concurrent use; the other methods are
// called under the lock of the table's [DB].
type Table[E, V, R any] struct {
	kind      Kind[E, V, R]
	db        *DB
	rows      map[uuid.UUID]*Row[E, R]
	all       *Index[E, R, struct{}]
	indexes   []index[E, R] // all is the first
	followers []Follower[E, R]
}

// Kind says how a table uses its entities.
type Kind[E, V, R any] struct {
	Place         func(*E) flussi.Cursor // the ID, and the time of creation
	Version       func(*E) *int64        // the version; the table sets it
	RecordVersion func(*R) *int64        // the version of a record; the table sets it
	View          func(*E) *V            // what callers get a copy of

	// Complete returns a view that shares nothing with the stored entity, and has what is not
	// stored with it, such as counts. Defaults to the view as it is.
	Complete func(V) V

	// Carry sets what the next version of an entity takes over from the stored one, before
	// the next version replaces it. Defaults to nothing.
	Carry func(stored, next *E)

	// Amend changes the earlier records of an entity as a new one is added to them. Defaults to
	// nothing.
	Amend func(earlier []R, next *R)
}

// Row is an entity and its history. Before it is stored, it has one record.
type Row[E, R any] struct {
	Entity  E                      // in its latest version
	History []R                    // one record for each version, from the first
	placeOf func(*E) flussi.Cursor // Kind.Place; set when the row is stored
}

// place returns the place of a stored row in lists.
func (r *Row[E, R]) place() flussi.Cursor { return r.placeOf(&r.Entity) }

// Follower is kept up to date with the rows of a table.
type Follower[E, R any] interface {
	// Enter adds a row. The table calls it once the row has its new version.
	Enter(row *Row[E, R])
	// Leave takes a row out. The table calls it while the row has its old version.
	Leave(row *Row[E, R])
}

// index is an [Index] with any type of key.
type index[E, R any] interface {
	arrive(row *Row[E, R])
	leave(row *Row[E, R], next *E, moved bool)
	settle()
}

// New returns an empty table.
func New[E, V, R any](db *DB, kind Kind[E, V, R]) *Table[E, V, R] {
	t := &Table[E, V, R]{kind: kind, db: db, rows: map[uuid.UUID]*Row[E, R]{}}
	t.all = NewIndex(t, func(*E) (struct{}, bool) { return struct{}{}, true })
	return t
}

// Follow makes a follower be called for each row. The table is empty.
func (t *Table[E, V, R]) Follow(f Follower[E, R]) { t.followers = append(t.followers, f) }

// Get returns an entity. The error is a [flussi.ErrNotFound] if there is none with the ID.
func (t *Table[E, V, R]) Get(
	ctx context.Context, operation string, id uuid.UUID,
) (entity V, err error) {
	op := Operation{operation, id}
	err = t.db.View(ctx, op, func() error {
		row := t.rows[id]
		if row == nil {
			return op.Fail(flussi.ErrNotFound)
		}
		entity = t.View(row)
		return nil
	})
	return entity, err
}

// History returns the records of an entity in the order of their versions; none if there is no
// entity with the ID.
func (t *Table[E, V, R]) History(
	ctx context.Context, operation string, id uuid.UUID,
) (records []R, err error) {
	err = t.db.View(ctx, Operation{operation, id}, func() error {
		if row := t.rows[id]; row != nil {
			records = slices.Clone(row.History)
		}
		return nil
	})
	return records, err
}

// Page returns the entities of a range that match. It looks for them among candidates, a
// function that it calls under the lock. The error is that of a context that ends meanwhile.
func (t *Table[E, V, R]) Page(
	ctx context.Context, operation string, r Range,
	candidates func() List[E, R], match func(*E) bool,
) (page []V, err error) {
	op := Operation{Name: operation}
	err = t.db.View(ctx, op, func() error {
		rows, err := candidates().page(ctx, r, match)
		if err != nil {
			return op.Fail(err)
		}
		page = t.Views(rows)
		return nil
	})
	return page, err
}

// Views returns the entities of rows, as callers get them.
func (t *Table[E, V, R]) Views(rows []*Row[E, R]) []V {
	views := make([]V, len(rows))
	for i, row := range rows {
		if view := t.kind.View(&row.Entity); t.kind.Complete == nil {
			views[i] = *view // straight to its place: entities are large
		} else {
			views[i] = t.kind.Complete(*view)
		}
	}
	return views
}

// View returns the entity of a row, as callers get it.
func (t *Table[E, V, R]) View(row *Row[E, R]) V {
	view := t.kind.View(&row.Entity)
	if t.kind.Complete == nil {
		return *view
	}
	return t.kind.Complete(*view)
}

// Row returns the row with an ID, or nil. The caller does not change it.
func (t *Table[E, V, R]) Row(id uuid.UUID) *Row[E, R] { return t.rows[id] }

// All returns the list of all rows. The caller changes neither the list nor its rows.
func (t *Table[E, V, R]) All() List[E, R] { return t.all.Of(struct{}{}) }

// Pick returns the list of the rows that have one of the IDs.
func (t *Table[E, V, R]) Pick(ids []uuid.UUID) List[E, R] {
	var rows []*Row[E, R]
	for _, id := range ids {
		if row := t.rows[id]; row != nil {
			rows = append(rows, row)
		}
	}
	return listOf(rows)
}
