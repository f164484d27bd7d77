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
	w, err := s.pull(ctx, op, change, notifications)
	if err != nil {
		return err
	}
	return s.db.Save(ctx, op, w)
}

// SaveNotifications stores notifications: see [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	op := memtable.Operation{Name: "save notifications"}
	rows := memtable.Rows(changes, newNotificationRow)
	return s.db.Save(ctx, op, &write{store: s, rows: rows})
}

// pull returns the write of a flow, which it checks, and of its notifications.
func (s *Store) pull(
	ctx context.Context, op memtable.Operation, change flow.FlowChange,
	notifications iter.Seq2[flow.NotificationChange, error],
) (*write, error) {
	w := &write{store: s, flow: newFlowRow(change)}
	if notifications == nil {
		return w, nil // Save checks it
	}
	if err := s.db.Check(ctx, op, w); err != nil {
		return nil, err
	}
	var err error
	w.rows, err = memtable.Pull(ctx, op, notifications, newNotificationRow)
	return w, err
}

// write is a flow and notifications that are stored together.
type write struct {
	store       *Store
	flow        *flowRow // nil: none
	rows        []*notificationRow
	newServices map[string]string // names by skeleton: those that Check found and Put stores
}

var _ memtable.Part = (*write)(nil)

// Check checks the versions, the names of services, and that no message is sent twice.
func (w *write) Check(op memtable.Operation) error {
	if w.flow != nil {
		if err := w.store.flows.Check(op, w.flow); err != nil {
			return err
		}
	}
	if err := w.store.notifications.Check(op, w.rows...); err != nil {
		return err
	}
	if err := w.checkServices(op); err != nil {
		return err
	}
	return w.checkSent(op)
}

// Put stores the flow, the notifications, with leases from now, and new services.
func (w *write) Put() {
	if w.flow != nil {
		w.store.flows.Put(w.flow)
	}
	now := time.Now().UnixMicro()
	for _, row := range w.rows {
		row.Entity.leaseEnd += now
	}
	w.store.notifications.Put(w.rows...)
	w.putServices()
}

// newFlowRow returns the row of a change. Counts are not stored: addCounts sets them.
func newFlowRow(change flow.FlowChange) *flowRow {
	row := &flowRow{Entity: change.Flow, History: []flow.FlowRecord{change.Record}}
	memtable.CutTimes(&row.Entity.Options.Remote.OriginalReceiptDate, &row.Entity.NotBefore, &row.Entity.CreatedAt, &row.Entity.UpdatedAt,
		&row.History[0].At)
	return row
}

// newNotificationRow returns the row of a change.
func newNotificationRow(change flow.NotificationChange) *notificationRow {
	row := &notificationRow{
		Entity:  notification{Notification: change.Notification, leaseEnd: change.Lease.Microseconds()},
		History: []flow.NotificationRecord{change.Record},
	}
	n := &row.Entity
	memtable.CutTimes(&n.DueDate, &n.Options.Remote.OriginalReceiptDate, &n.Transmission.SentAt, &n.Delivery.CheckedAt, &n.AnonymisedAt,
		&n.CreatedAt, &n.UpdatedAt, &row.History[0].At)
	if n.Version == 0 { // carryDigest sets that of a later version
		n.digest = n.Digest()
	}
	return row
}
