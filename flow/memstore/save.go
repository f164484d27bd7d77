package memstore

import (
	"context"
	"iter"
	"time"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// SaveFlow stores a flow, and notifications with it: see [flow.Store]. While it pulls
// the notifications, of which it keeps all in memory, the store can be used; if the
// flow is changed by then, the error is a [flussi.ErrConflict].
func (s *Store) SaveFlow(
	ctx context.Context, change flow.FlowChange,
	notifications iter.Seq2[flow.NotificationChange, error],
) error {
	op := memtable.Operation{Name: "save flow", ID: change.Flow.ID}
	f, rows, err := s.pull(ctx, op, change, notifications)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, op, func() error { return s.save(op, f, rows) })
}

// SaveNotifications stores notifications: see [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	op := memtable.Operation{Name: "save notifications"}
	rows := memtable.Rows(changes, newNotificationRow)
	return s.db.Update(ctx, op, func() error { return s.save(op, nil, rows) })
}

// pull checks a flow, and returns its row and those of its notifications.
func (s *Store) pull(
	ctx context.Context, op memtable.Operation, change flow.FlowChange,
	notifications iter.Seq2[flow.NotificationChange, error],
) (*flowRow, []*notificationRow, error) {
	f := newFlowRow(change)
	if err := s.db.Check(ctx, op, s.flows.Write(f), s.services.write(f, nil)); err != nil {
		return nil, nil, err
	}
	rows, err := memtable.Pull(ctx, op, notifications, newNotificationRow)
	return f, rows, err
}

// save stores a flow, unless it is nil, and notifications. The caller holds the lock.
func (s *Store) save(op memtable.Operation, f *flowRow, rows []*notificationRow) error {
	now := time.Now().UnixMicro()
	for _, row := range rows {
		row.Entity.leaseEnd += now
	}
	parts := make([]memtable.Part, 0, 4)
	if f != nil {
		parts = append(parts, s.flows.Write(f))
	}
	parts = append(parts, s.notifications.Write(rows...))
	parts = append(parts, s.services.write(f, rows), s.notSentTwice(rows))
	return memtable.Save(op, parts...)
}

// newFlowRow returns the row of a change. Counts are not stored: viewFlow sets them.
func newFlowRow(change flow.FlowChange) *flowRow {
	row := &flowRow{Entity: change.Flow, History: []flow.FlowRecord{change.Record}}
	memtable.CutTimes(&row.Entity.CreatedAt, &row.Entity.UpdatedAt, &row.History[0].At)
	return row
}

// newNotificationRow returns the row of a change.
func newNotificationRow(change flow.NotificationChange) *notificationRow {
	row := &notificationRow{
		Entity:  notification{Notification: change.Notification, leaseEnd: change.Lease.Microseconds()},
		History: []flow.NotificationRecord{change.Record},
	}
	n := &row.Entity
	memtable.CutTimes(&n.DueDate, &n.Transmission.SentAt, &n.Delivery.CheckedAt, &n.AnonymisedAt,
		&n.CreatedAt, &n.UpdatedAt, &row.History[0].At)
	if n.Version == 0 { // carryDigest sets that of a later version
		n.digest = n.Digest()
	}
	return row
}
