package memstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// Import stores the rows of a file once: see [flow.Store]. It collects all rows in memory first;
// meanwhile other calls are not blocked.
func (s *Store) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	const operation = "import"
	b, err := s.pull(ctx, operation, i.Flow, i.Rows)
	if err != nil {
		return flow.ImportResult{}, false, err
	}
	done := flow.ImportResult{Key: i.Key(), Flow: i.Flow.Flow.ID, At: i.Flow.Record.At}
	utc(&done.At)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx, operation, done.Flow); err != nil {
		return flow.ImportResult{}, false, err
	}
	if before, counts := s.imported(done.Key); counts {
		return before, true, nil
	}
	if err := s.save(ctx, operation, i.Flow, s.applyDuplicate(b, i.OnDuplicate)); err != nil {
		return flow.ImportResult{}, false, err
	}
	s.imports[done.Key] = done
	return done, false, nil
}

// Imported returns the import with a key: see [flow.Store].
func (s *Store) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	const operation = "find import"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return flow.ImportResult{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	done, counts := s.imported(key)
	if !counts {
		return flow.ImportResult{}, fail(operation, uuid.Nil, flussi.ErrNotFound)
	}
	return done, nil
}

// imported returns the import with a key, and reports whether it counts: whether its flow was not
// disabled before it was sent.
func (s *Store) imported(key flow.ImportKey) (flow.ImportResult, bool) {
	done, there := s.imports[key]
	if !there {
		return flow.ImportResult{}, false
	}
	f := s.flows[done.Flow]
	return done, !f.Disabled || f.State != flow.FlowInactive && f.State != flow.FlowActive
}

// applyDuplicate calls duplicate for each row whose message the service already has, and returns
// the batch to store.
func (s *Store) applyDuplicate(b batch, duplicate func(flow.NotificationChange, flow.Notification) (flow.NotificationChange, bool)) batch {
	var kept batch
	for _, p := range b {
		earlier := s.earlier(p)
		if earlier == nil {
			kept = append(kept, p)
			continue
		}
		change := flow.NotificationChange{Notification: p.entry.Notification, Record: p.entry.history[0], Lease: p.lease}
		if change, store := duplicate(change, *earlier); store {
			kept.add(change)
		}
	}
	return kept
}

// earlier returns the oldest notification with the message of a row that may have arrived; if none
// may have, the oldest that waits to be sent; nil if there is neither.
func (s *Store) earlier(row pending) *flow.Notification {
	var found *storedNotification
	for _, n := range s.digests[row.entry.digest] { // the oldest first
		if n.Service != row.entry.Service || n.ID == row.entry.ID {
			continue
		}
		arrived := n.MayHaveArrived()
		if !arrived && !n.IsPending(s.flowDisabled(n)) {
			continue
		}
		if found == nil || arrived && !found.MayHaveArrived() {
			found = n
		}
	}
	if found == nil {
		return nil
	}
	return &found.Notification
}

// flowDisabled reports whether the flow of a notification is disabled; false if it has none.
func (s *Store) flowDisabled(n *storedNotification) bool {
	f := s.flows[n.FlowID]
	return f != nil && f.Disabled
}
