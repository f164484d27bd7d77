package sqlstore

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// group is how many rows of a long sequence are written at a time.
const group = 500

// SaveFlow stores a flow, and notifications with it: see [flow.Store].
func (s *Store) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	err := s.db.write(ctx, func(t *tx) error {
		err := t.saveFlow(ctx, &change)
		if err != nil || notifications == nil {
			return err
		}
		w := newWriting(t)
		if err := grouped(ctx, t, notifications, w.save); err != nil {
			return err
		}
		return w.finish(ctx)
	})
	return fail(ctx, "save flow", change.Flow.ID, err)
}

// saveFlow stores a flow without notifications.
func (t *tx) saveFlow(ctx context.Context, change *flow.FlowChange) error {
	f := &change.Flow
	if f.Version == 0 {
		if err := t.useService(ctx, f.Service); err != nil {
			return err
		}
	}
	return t.saveOne(ctx, &flowTable, &flowRecordTable, f.ID, f.Version,
		t.flowValues(f, f.Version+1), recordValues(t.database, f.ID, f.Version+1, change.Record))
}

// saveOne stores a row of a table, of which the version was read, by itself, and its record.
func (t *tx) saveOne(ctx context.Context, in, records *table, id uuid.UUID, version int64, row, record []any) error {
	if version == 0 {
		inserted, err := t.insert(ctx, t, in, [][]any{row})
		if err != nil {
			return err
		}
		if inserted == 0 {
			return errConflict
		}
	} else {
		var was old // of version 0, if there is none
		err := t.query(ctx, "SELECT "+t.key()+", version, search FROM "+in.name+" WHERE id = ?"+t.locking("NO KEY UPDATE"),
			[]any{t.id(id)}, []any{&was.key, &was.Version, &was.search}, func() {})
		if err != nil {
			return err
		}
		if was.Version != version {
			return errConflict
		}
		if err := t.update(ctx, t, in, in.fixed, []any{was.key}, [][]any{row}); err != nil {
			return err
		}
		if in.searched {
			if err := t.research(ctx, in, [][]any{row}, []old{was}); err != nil {
				return err
			}
		}
	}
	_, err := t.insert(ctx, t, records, [][]any{record})
	return err
}

// grouped pulls a sequence, and saves what it gives in groups.
func grouped[C any](ctx context.Context, t *tx, sequence iter.Seq2[C, error], save func(context.Context, []*C) error) error {
	t.once = true // the sequence cannot be pulled again
	changes := make([]*C, 0, group)
	for c, err := range sequence {
		if err != nil {
			return callers{err}
		}
		if changes = append(changes, &c); len(changes) < group {
			continue
		}
		if err := save(ctx, changes); err != nil {
			return err
		}
		changes = changes[:0]
	}
	return save(ctx, changes)
}

// research makes rows, of which the old ones are in the same order, be found by their new texts.
func (t *tx) research(ctx context.Context, in *table, rows [][]any, olds []old) error {
	var changes []retext
	at := in.columns.at("search")
	for i, was := range olds {
		if text := rows[i][at].(string); text != was.search {
			changes = append(changes, retext{was.key, was.search, text})
		}
	}
	return t.reindex(ctx, t, in, changes)
}

// SaveNotifications stores notifications: see [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	ordered := allInOrder(changes)
	err := s.db.write(ctx, func(t *tx) error {
		w := newWriting(t)
		if err := w.saveAll(ctx, ordered); err != nil {
			return err
		}
		return w.finish(ctx)
	})
	return fail(ctx, "save notifications", uuid.Nil, err)
}

// allInOrder returns changes sorted by ID: all of them, so that those who write the same ones
// never wait for each other.
func allInOrder(changes []flow.NotificationChange) []*flow.NotificationChange {
	ordered := make([]*flow.NotificationChange, len(changes))
	for i := range changes {
		ordered[i] = &changes[i]
	}
	inOrder(ordered, notificationID)
	return ordered
}

// inOrder sorts changes by ID, and returns them.
func inOrder[C any](changes []*C, id func(*C) uuid.UUID) []*C {
	slices.SortFunc(changes, func(a, b *C) int {
		own, other := id(a), id(b)
		return bytes.Compare(own[:], other[:])
	})
	return changes
}

func notificationID(change *flow.NotificationChange) uuid.UUID { return change.Notification.ID }

// writing is notifications that are written in one transaction, group by group.
type writing struct {
	*tx
	counts  counts
	changed map[uuid.UUID]struct{} // those of earlier groups that were there before
	sending []*flow.Notification   // those that become In invio
}

func newWriting(t *tx) *writing {
	return &writing{tx: t, counts: counts{}, changed: map[uuid.UUID]struct{}{}}
}

// finish checks the notifications that became In invio, and writes the counts. It comes last in a
// transaction.
func (w *writing) finish(ctx context.Context) error {
	if err := w.checkSending(ctx); err != nil {
		return err
	}
	return w.counts.write(ctx, w.tx)
}

// saveAll writes changes that are in order.
func (w *writing) saveAll(ctx context.Context, changes []*flow.NotificationChange) error {
	for some := range slices.Chunk(changes, group) {
		if err := w.save(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// save writes a group.
func (w *writing) save(ctx context.Context, changes []*flow.NotificationChange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inOrder(changes, notificationID)
	var created, changed, records [][]any
	var ids []uuid.UUID
	var next []*flow.Notification
	for i, change := range changes {
		n := &change.Notification
		if _, twice := w.changed[n.ID]; twice || i > 0 && n.ID == changes[i-1].Notification.ID {
			return errConflict
		}
		leaseEnd, err := w.leaseEnd(ctx, change)
		if err != nil {
			return err
		}
		row := w.notificationValues(n, n.Version+1, leaseEnd)
		if n.Version == 0 {
			if err := w.useService(ctx, n.Service); err != nil {
				return err
			}
			if n.State == flow.NotificationSending {
				w.sending = append(w.sending, n)
			}
			row[digestColumn] = digested(n.Digest())
			created = append(created, row)
			w.counts.add(n.FlowID, *n, 1)
		} else {
			w.changed[n.ID] = struct{}{}
			changed = append(changed, row)
			ids = append(ids, n.ID)
			next = append(next, n)
		}
		records = append(records, recordValues(w.database, n.ID, n.Version+1, change.Record))
	}
	if err := w.create(ctx, created); err != nil {
		return err
	}
	if err := w.replace(ctx, ids, next, changed); err != nil {
		return err
	}
	_, err := w.insert(ctx, w.tx, &notificationRecordTable, records)
	return err
}

// leaseEnd returns the end of the lease of what is to be In invio, and NULL for others.
func (w *writing) leaseEnd(ctx context.Context, change *flow.NotificationChange) (any, error) {
	if change.Notification.State != flow.NotificationSending {
		return nil, nil
	}
	now, err := w.now(ctx, w.tx)
	return now + change.Lease.Microseconds(), err
}

// create writes what is new.
func (w *writing) create(ctx context.Context, rows [][]any) error {
	inserted, err := w.insert(ctx, w.tx, &notificationTable, rows)
	if err == nil && inserted < int64(len(rows)) {
		err = errConflict
	}
	return err
}

// changes is rows that are changed from the same column on.
type changes struct {
	keys []any
	rows [][]any
}

// replace writes the next versions of what is there.
func (w *writing) replace(ctx context.Context, ids []uuid.UUID, next []*flow.Notification, rows [][]any) error {
	if len(ids) == 0 {
		return nil
	}
	olds := make([]old, 0, len(ids))
	var o old
	err := w.lock(ctx, w.tx, &notificationTable, oldColumns, ids, o.fields(), func(key any, fresh bool) {
		o.key, o.fresh = key, fresh
		olds = append(olds, o)
	})
	if err != nil {
		return err
	}
	if len(olds) < len(ids) {
		return errConflict
	}
	kind := notificationTable.columns.at("kind")
	changed := map[int]*changes{} // by the first column that changes: an index costs something if its columns are among them
	for i, was := range olds {
		n := next[i]
		if was.Version != n.Version || was.fresh {
			return errConflict
		}
		if n.State == flow.NotificationSending && was.State != flow.NotificationSending {
			w.sending = append(w.sending, n)
		}
		w.counts.add(was.FlowID, was.Notification, -1)
		w.counts.add(was.FlowID, *n, 1)
		from := notificationTable.fixed
		if was.says(n) {
			from = kind
			if was.kind == rows[i][kind] {
				from++
			}
		} else {
			rows[i][digestColumn] = digested(n.Digest())
		}
		c := changed[from]
		if c == nil {
			c = &changes{}
			changed[from] = c
		}
		c.keys, c.rows = append(c.keys, was.key), append(c.rows, rows[i])
	}
	for from, c := range changed {
		if err := w.update(ctx, w.tx, &notificationTable, from, c.keys, c.rows); err != nil {
			return err
		}
	}
	return w.research(ctx, &notificationTable, rows, olds)
}
