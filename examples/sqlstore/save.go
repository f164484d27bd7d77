package sqlstore

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// chunk is how many notifications of a long sequence are written at a time.
const chunk = 500

// SaveFlow stores a flow, and notifications with it: see [flow.Store].
func (s *Store) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	const operation = "save flow"
	err := s.db.write(ctx, func(t *tx) error {
		if err := t.saveFlow(ctx, change); err != nil {
			return fail(ctx, operation, change.Flow.ID, err)
		}
		if notifications == nil {
			return nil
		}
		w := newWriting(t)
		group := make([]flow.NotificationChange, 0, chunk)
		for n, err := range notifications {
			if err != nil {
				return err
			}
			if group = append(group, n); len(group) < chunk {
				continue
			}
			if err := w.save(ctx, group); err != nil {
				return err
			}
			group = group[:0]
		}
		if err := w.save(ctx, group); err != nil {
			return err
		}
		return w.end(ctx)
	})
	return fail(ctx, operation, change.Flow.ID, err)
}

// saveFlow stores a flow by itself.
func (t *tx) saveFlow(ctx context.Context, change flow.FlowChange) error {
	f := change.Flow
	values := [][]any{t.flowValues(&f, f.Version+1)}
	if f.Version == 0 {
		switch inserted, err := t.insert(ctx, t, "flows", storedFlowColumns, values); {
		case err != nil:
			return err
		case inserted == 0:
			return flow.ErrConflict
		}
	} else {
		var version int64
		rows, err := t.query(ctx, "SELECT version FROM flows WHERE id = ?", t.id(f.ID))
		if err := read(rows, err, []any{&version}, func() {}); err != nil {
			return err
		}
		if version != f.Version { // or there is none, which has 0
			return flow.ErrConflict
		}
		if err := t.update(ctx, t, "flows", storedFlowColumns, 3, values); err != nil {
			return err
		}
	}
	_, err := t.insert(ctx, t, "flow_records", recordColumns, [][]any{recordValues(t.database, f.ID, f.Version+1, change.Record)})
	return err
}

// SaveNotifications stores notifications: see [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	const operation = "save notifications"
	err := s.db.write(ctx, func(t *tx) error {
		w := newWriting(t)
		for group := range slices.Chunk(changes, chunk) {
			if err := w.save(ctx, group); err != nil {
				return err
			}
		}
		return w.end(ctx)
	})
	return fail(ctx, operation, uuid.Nil, err)
}

// writing is notifications that are written in one transaction, group by group.
type writing struct {
	*tx
	counts  map[uuid.UUID]*flow.Counts // what changes, by flow
	changed map[uuid.UUID]struct{}     // those that were there before
}

func newWriting(t *tx) *writing {
	return &writing{t, map[uuid.UUID]*flow.Counts{}, map[uuid.UUID]struct{}{}}
}

// save writes a group.
func (w *writing) save(ctx context.Context, group []flow.NotificationChange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(group) == 0 {
		return nil
	}
	group = slices.SortedFunc(slices.Values(group), func(a, b flow.NotificationChange) int {
		return bytes.Compare(a.Notification.ID[:], b.Notification.ID[:])
	})
	var created, changed, records [][]any
	var olds []uuid.UUID
	for i := range group {
		n := &group[i].Notification
		if i > 0 && n.ID == group[i-1].Notification.ID {
			return flow.ErrConflict
		}
		var leaseEnd any
		if n.State == flow.NotificationSending {
			now, err := w.now(ctx, w.tx)
			if err != nil {
				return err
			}
			leaseEnd = now + group[i].Lease.Microseconds()
		}
		values := w.notificationValues(n, n.Version+1, leaseEnd)
		if n.Version == 0 {
			created = append(created, values)
			w.count(n.FlowID, n, 1)
		} else {
			changed = append(changed, values)
			olds = append(olds, n.ID)
		}
		records = append(records, recordValues(w.database, n.ID, n.Version+1, group[i].Record))
	}
	if err := w.leave(ctx, group); err != nil {
		return err
	}
	inserted, err := w.insert(ctx, w.tx, "notifications", storedNotificationColumns, created)
	if err != nil {
		return err
	}
	if inserted < int64(len(created)) {
		return flow.ErrConflict
	}
	if err := w.update(ctx, w.tx, "notifications", storedNotificationColumns, 4, changed); err != nil {
		return err
	}
	_, err = w.insert(ctx, w.tx, "notification_records", recordColumns, records)
	return err
}

// leave checks the versions of those that were there before, and counts them out and in again.
func (w *writing) leave(ctx context.Context, group []flow.NotificationChange) error {
	for i := range group {
		n := &group[i].Notification
		if n.Version == 0 {
			continue
		}
		var old flow.Notification
		rows, err := w.query(ctx, "SELECT version, flow_id, state, disabled FROM notifications WHERE id = ?", w.id(n.ID))
		if err := read(rows, err, []any{&old.Version, &old.FlowID, wordTo(&old.State), &old.Disabled}, func() {}); err != nil {
			return err
		}
		if old.Version != n.Version {
			return flow.ErrConflict
		}
		w.count(old.FlowID, &old, -1)
		w.count(old.FlowID, n, 1)
	}
	return nil
}

// count counts a notification in, or out with -1.
func (w *writing) count(flowID uuid.UUID, n *flow.Notification, by int) {
	if flowID == uuid.Nil {
		return
	}
	c := w.counts[flowID]
	if c == nil {
		c = &flow.Counts{}
		w.counts[flowID] = c
	}
	c.Add(*n, by)
}

// end writes what changed in the counts.
func (w *writing) end(ctx context.Context) error {
	for id, c := range w.counts {
		if *c == (flow.Counts{}) {
			continue
		}
		if _, err := w.exec(ctx, `INSERT INTO flow_counts (flow_id, shard, registered, sending, sent, failed, disabled) VALUES (?, 0, ?, ?, ?, ?, ?)
			ON CONFLICT (flow_id, shard) DO UPDATE SET registered = flow_counts.registered + excluded.registered, sending = flow_counts.sending + excluded.sending,
			sent = flow_counts.sent + excluded.sent, failed = flow_counts.failed + excluded.failed, disabled = flow_counts.disabled + excluded.disabled`,
			w.id(id), c.Registered, c.Sending, c.Sent, c.Failed, c.Disabled); err != nil {
			return err
		}
	}
	return nil
}
