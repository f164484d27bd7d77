package engine

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// groupSize is how many rows of a sequence are written at a time.
const groupSize = 500

// change is the next version of an entity, and its record.
type change[T any] struct {
	entity T
	id     uuid.UUID
	row    []any // of entity.columns
	record []any // of recordColumns
	erases bool  // the answers of earlier records
	was    T     // the stored version; set by lock if the entity is not new
	wasRow []any // the row of was
}

// writer writes entities of one type in one transaction, group by group.
type writer[T any] struct {
	*tx
	of *entity[T]
	// before is called before an entity is written. It sets columns that depend on more than the
	// entity, and may refuse it. was is nil for a new entity.
	before func(ctx context.Context, c *change[T], was *T) error
	seen   map[uuid.UUID]struct{} // entities that this writer changed
}

// newWriter returns a writer without a function before.
func newWriter[T any](t *tx, of *entity[T]) *writer[T] {
	return &writer[T]{
		tx: t, of: of, seen: map[uuid.UUID]struct{}{},
		before: func(context.Context, *change[T], *T) error { return nil },
	}
}

// newChange returns a change of an entity with its record.
func newChange[T any, S, A ~string](of *entity[T], e T, r flussi.Record[S, A]) change[T] {
	id, version := of.identity(&e)
	return change[T]{
		entity: e, id: id, row: of.values(&e, version+1), record: recordValues(id, version+1, r),
		erases: of.anonymise != "" && string(r.Action) == of.anonymise,
	}
}

// saveAll writes changes. It sorts them by ID first, so that two transactions that write the same
// entities do not deadlock.
func (w *writer[T]) saveAll(ctx context.Context, changes []change[T]) error {
	sortByID(changes)
	for i := 1; i < len(changes); i++ {
		if changes[i].id == changes[i-1].id {
			return flussi.ErrConflict
		}
	}
	for some := range slices.Chunk(changes, groupSize) {
		if err := w.save(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func sortByID[T any](changes []change[T]) {
	slices.SortFunc(changes, func(a, b change[T]) int { return bytes.Compare(a.id[:], b.id[:]) })
}

// pull saves the changes that a sequence of the caller yields, in groups. The last group has fewer
// changes than groupSize, maybe none.
func pull[C any](ctx context.Context, sequence iter.Seq2[C, error], save func(context.Context, []C) error) error {
	changes := make([]C, 0, groupSize)
	for c, err := range sequence {
		if err != nil {
			return callerError{err}
		}
		if changes = append(changes, c); len(changes) < groupSize {
			continue
		}
		if err := save(ctx, changes); err != nil {
			return err
		}
		changes = changes[:0]
	}
	return save(ctx, changes)
}

// saveWithRows writes a flow with a sequence of notifications, or an event with notices. It checks
// the version of the owner first, as the contracts of stores say. The caller may take long to yield
// a row, so nothing that others need is locked until the sequence ends or yields a stored row. Then
// the owner is locked before the rows, as in all writes.
func saveWithRows[T, C any](
	ctx context.Context, w *writer[T], owner change[T], sequence iter.Seq2[C, error],
	isNew func(C) bool, save func(context.Context, []C) error,
) error {
	if err := w.check(ctx, &owner); err != nil {
		return err
	}
	saved := false
	return pull(ctx, sequence, func(ctx context.Context, changes []C) error {
		isLast := len(changes) < groupSize
		locks := isLast || !saved && slices.ContainsFunc(changes, func(c C) bool { return !isNew(c) })
		if locks && !saved {
			if err := w.driver.EndStream(ctx, w.full); err != nil {
				return err
			}
			if err := w.save(ctx, []change[T]{owner}); err != nil {
				return err
			}
			saved = true
		}
		return save(ctx, changes)
	})
}

// check returns [flussi.ErrConflict] if the stored version is not the one that a change was made
// from. It locks nothing.
func (w *writer[T]) check(ctx context.Context, c *change[T]) error {
	var stored int64
	err := w.query(ctx, "SELECT version FROM flussi."+w.of.table+" WHERE id = ?", []any{c.id}, []any{&stored}, func() {})
	if _, from := w.of.identity(&c.entity); err == nil && stored != from {
		err = flussi.ErrConflict
	}
	return err
}

// save writes a group of changes.
func (w *writer[T]) save(ctx context.Context, changes []change[T]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	sortByID(changes)
	var inserts, records [][]any
	var updates []*change[T]
	for i := range changes {
		c := &changes[i]
		if _, twice := w.seen[c.id]; twice || i > 0 && c.id == changes[i-1].id {
			return flussi.ErrConflict
		}
		records = append(records, c.record)
		if _, version := w.of.identity(&c.entity); version != 0 {
			w.seen[c.id] = struct{}{}
			updates = append(updates, c)
			continue
		}
		if err := w.before(ctx, c, nil); err != nil {
			return err
		}
		w.setWriteID(c.row)
		inserts = append(inserts, c.row)
	}
	if err := w.insert(ctx, w.of.table, w.of.columns, inserts); err != nil {
		return err
	}
	if err := w.update(ctx, updates); err != nil {
		return err
	}
	if err := w.eraseAnswers(ctx, updates); err != nil {
		return err
	}
	return w.insert(ctx, recordTable(w.of.table), recordColumns, records)
}

// eraseAnswers erases the answers of the records of entities that are anonymised.
func (w *writer[T]) eraseAnswers(ctx context.Context, changes []*change[T]) error {
	var owners []any
	for _, c := range changes {
		if c.erases {
			owners = append(owners, c.id)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	chosen, arg := w.driver.In(Column{Name: "owner", Type: "uuid"}, owners)
	_, err := w.exec(ctx, "UPDATE flussi."+recordTable(w.of.table)+" SET answer = '' WHERE "+chosen+" AND answer <> ''", arg)
	return err
}

// setWriteID sets the column write_id of a new row, if the table has one. With it, lock refuses
// to change an entity that the same write inserted.
func (w *writer[T]) setWriteID(row []any) {
	if last := len(w.of.columns) - 1; w.of.columns[last].Name == "write_id" {
		row[last] = w.id
	}
}

// insert inserts rows. If one of them exists already, it returns [flussi.ErrConflict].
func (t *tx) insert(ctx context.Context, table string, columns []Column, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	inserted, err := t.driver.Insert(ctx, t.full, table, columns, rows)
	if err == nil && inserted < int64(len(rows)) {
		err = flussi.ErrConflict
	}
	return err
}

// update writes the next versions of entities. The changes are sorted by ID.
func (w *writer[T]) update(ctx context.Context, changes []*change[T]) error {
	if len(changes) == 0 {
		return nil
	}
	if err := w.lock(ctx, changes); err != nil {
		return err
	}
	// Only columns that change are set: setting others would update their indexes, too.
	type update struct {
		columns []int
		ids     []uuid.UUID
		rows    [][]any
	}
	updates := map[string]*update{}
	var order []string
	for _, c := range changes {
		_, version := w.of.identity(&c.was)
		c.wasRow = w.of.values(&c.was, version)
		if err := w.before(ctx, c, &c.was); err != nil {
			return err
		}
		columns := w.changed(c.wasRow, c.row)
		key := string(asBytes(columns))
		u := updates[key]
		if u == nil {
			u = &update{columns: columns}
			updates[key], order = u, append(order, key)
		}
		u.ids = append(u.ids, c.id)
		u.rows = append(u.rows, pick(c.row, columns))
	}
	for _, key := range order {
		u := updates[key]
		if err := w.driver.Update(ctx, w.full, w.of.table, pick(w.of.columns, u.columns), u.ids, u.rows); err != nil {
			return err
		}
	}
	return nil
}

// lock reads and locks the stored entities. If one does not have the version that its change was
// made from, lock returns [flussi.ErrConflict].
func (w *writer[T]) lock(ctx context.Context, changes []*change[T]) error {
	ids := make([]uuid.UUID, len(changes))
	for i, c := range changes {
		ids[i] = c.id
	}
	columns := readList(w.of.columns, "")
	var was T
	var writtenBy int64
	fields := w.of.fields(&was)
	if last := len(w.of.columns) - 1; w.of.columns[last].Name == "write_id" {
		columns, fields = columns+", write_id", append(fields, &writtenBy)
	}
	rows, err := w.driver.Lock(ctx, w.full, w.of.table, columns, ids)
	if err != nil {
		return err
	}
	found, fits := 0, true
	err = scanAll(ctx, rows, fields, func() {
		id, version := w.of.identity(&was)
		if found == len(changes) {
			fits = false
			return
		}
		c := changes[found]
		found++
		_, from := w.of.identity(&c.entity)
		fits = fits && id == c.id && version == from && (writtenBy == 0 || writtenBy != w.id)
		c.was = was
	})
	if err == nil && (!fits || found < len(changes)) {
		err = flussi.ErrConflict
	}
	return err
}

// changed returns the indexes of the columns whose values differ, without write_id.
func (w *writer[T]) changed(old, next []any) []int {
	var columns []int
	for i := range next {
		if w.of.columns[i].Name != "write_id" && old[i] != next[i] {
			columns = append(columns, i)
		}
	}
	return columns
}

func asBytes(numbers []int) []byte {
	b := make([]byte, len(numbers))
	for i, n := range numbers {
		b[i] = byte(n)
	}
	return b
}

func pick[T any](all []T, which []int) []T {
	some := make([]T, len(which))
	for i, at := range which {
		some[i] = all[at]
	}
	return some
}

// count adds to the counts of entities: changes has a number for each of the columns. It is called
// last in a transaction, so that others that change the same counts do not wait long.
func count[T any](ctx context.Context, t *tx, of *entity[T], changes map[uuid.UUID][]int64) error {
	ids := make([]uuid.UUID, 0, len(changes))
	for id, numbers := range changes {
		if slices.ContainsFunc(numbers, func(n int64) bool { return n != 0 }) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) // so that two transactions do not deadlock
	columns := of.counts.columns
	added := make([]string, len(columns))
	for i, name := range columns {
		added[i] = name + " = c." + name + " + excluded." + name
	}
	query := "INSERT INTO flussi." + of.counts.table + " AS c (owner, shard, " + strings.Join(columns, ", ") +
		") VALUES (?, " + t.driver.Shard() + strings.Repeat(", ?", len(columns)) +
		") ON CONFLICT (owner, shard) DO UPDATE SET " + strings.Join(added, ", ")
	for _, id := range ids {
		args := []any{id}
		for _, n := range changes[id] {
			args = append(args, n)
		}
		if _, err := t.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// int64s returns numbers as count takes them.
func int64s(numbers ...int) []int64 {
	all := make([]int64, len(numbers))
	for i, n := range numbers {
		all[i] = int64(n)
	}
	return all
}
