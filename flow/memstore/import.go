package memstore

import (
	"context"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// SaveImport stores the rows of a file once: see [flow.Store]. It collects all rows in memory
// first; meanwhile other calls are not blocked.
func (s *Store) SaveImport(
	ctx context.Context, i flow.ImportRequest,
) (done flow.ImportResult, before bool, err error) {
	op := memtable.Operation{Name: "import", ID: i.Flow.Flow.ID}
	w, err := s.pull(ctx, op, i.Flow, i.Rows)
	if err != nil {
		return flow.ImportResult{}, false, err
	}
	key := i.Key()
	err = s.db.Update(ctx, op, func() error {
		if done, before = s.imported(key); before {
			return nil
		}
		w.rows = s.applyDuplicate(w.rows, i.OnDuplicate)
		if err := memtable.Save(op, w); err != nil {
			return err
		}
		done = flow.ImportResult{Key: key, Flow: w.flow.Entity.ID, At: i.Flow.Record.At}
		memtable.CutTimes(&done.At)
		s.imports[key] = done
		return nil
	})
	return done, before, err
}

// ImportResult returns the import with a key: see [flow.Store].
func (s *Store) ImportResult(
	ctx context.Context, key flow.ImportKey,
) (done flow.ImportResult, err error) {
	op := memtable.Operation{Name: "find import"}
	err = s.db.View(ctx, op, func() error {
		var counts bool
		if done, counts = s.imported(key); !counts {
			return op.Fail(flussi.ErrNotFound)
		}
		return nil
	})
	return done, err
}

// imported returns the import with a key, and reports whether it counts: whether its flow was not
// disabled before it was sent.
func (s *Store) imported(key flow.ImportKey) (flow.ImportResult, bool) {
	done, stored := s.imports[key]
	if !stored {
		return flow.ImportResult{}, false
	}
	f := &s.flows.Row(done.Flow).Entity
	if f.Disabled && (f.State == flow.FlowInactive || f.State == flow.FlowActive) {
		return flow.ImportResult{}, false
	}
	return done, true
}

// applyDuplicate calls duplicate for each row whose message the service already has, and returns
// the rows to store.
func (s *Store) applyDuplicate(
	rows []*notificationRow,
	duplicate func(flow.NotificationChange, flow.Notification) (flow.NotificationChange, bool),
) []*notificationRow {
	var kept []*notificationRow
	for _, row := range rows {
		earlier := s.earlier(&row.Entity)
		if earlier == nil {
			kept = append(kept, row)
			continue
		}
		change := flow.NotificationChange{
			Notification: row.Entity.Notification, Record: row.History[0],
			Lease: time.Duration(row.Entity.leaseEnd) * time.Microsecond,
		}
		if change, store := duplicate(change, *earlier); store {
			kept = append(kept, newNotificationRow(change))
		}
	}
	return kept
}

// earlier returns the oldest notification with the message of n that may have arrived; if none
// may have, the oldest that waits to be sent; nil if there is neither.
func (s *Store) earlier(n *notification) *flow.Notification {
	var found *flow.Notification
	for _, row := range s.byDigest.Of(n.digest) { // the oldest first
		other := &row.Entity
		if other.Service != n.Service || other.ID == n.ID {
			continue
		}
		arrived := other.MayHaveArrived()
		if !arrived && !other.IsPending(s.flowDisabled(other)) {
			continue
		}
		if found == nil || arrived && !found.MayHaveArrived() {
			found = &other.Notification
		}
	}
	return found
}

// flowDisabled reports whether the flow of a notification is disabled; false if it has none.
func (s *Store) flowDisabled(n *notification) bool {
	row := s.flows.Row(n.FlowID)
	return row != nil && row.Entity.Disabled
}
