package memstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// Claim takes notifications that are to be sent: see [flow.Store].
func (s *Store) Claim(
	ctx context.Context, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	return s.saveAndClaim(ctx, "claim notifications", nil, claim)
}

// Self returns the store: see [flow.SaveAndClaimer].
func (s *Store) Self() flow.Store { return s }

// SaveAndClaim stores notifications and claims others: see [flow.SaveAndClaimer].
func (s *Store) SaveAndClaim(
	ctx context.Context, changes []flow.NotificationChange, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	return s.saveAndClaim(ctx, "save and claim notifications", changes, claim)
}

func (s *Store) saveAndClaim(
	ctx context.Context, operation string, changes []flow.NotificationChange, claim flow.Claim,
) (f flow.Flow, claimed []flow.Notification, err error) {
	op := memtable.Operation{Name: operation, ID: claim.Flow}
	rows := memtable.Rows(changes, newNotificationRow)
	err = s.db.Update(ctx, op, func() error {
		row := s.flows.Row(claim.Flow)
		if row == nil {
			return op.Fail(flussi.ErrNotFound)
		}
		if err := memtable.Save(op, &write{store: s, rows: rows}); err != nil {
			return err
		}
		if row.Entity.State == flow.FlowSending && !row.Entity.Disabled && row.Entity.Error == "" {
			claimed = s.claim(claim)
		}
		f = s.flows.View(row)
		return nil
	})
	return f, claimed, err
}

// claim takes notifications of a flow that is being sent. The caller holds the lock.
func (s *Store) claim(claim flow.Claim) []flow.Notification {
	memtable.CutTimes(&claim.At)
	leaseEnd := time.Now().Add(claim.Lease).UnixMicro()
	queue := s.queues.of(claim.Flow)
	var claimed []flow.Notification
	var next notification
	for len(claimed) < claim.Limit && queue.Len() > 0 {
		row := queue.rows[0]
		next = row.Entity
		next.leaseEnd = leaseEnd
		record := flow.NotificationRecord{
			At: claim.At, By: claim.By,
			Action: flow.NotificationClaim, From: next.State, To: flow.NotificationSending,
		}
		if earlier := s.alreadySent(&row.Entity); earlier != nil {
			change := next.SkipAlreadySent(*earlier, claim.At, claim.By)
			next.Notification, record = change.Notification, change.Record
		} else {
			next.State, next.UpdatedAt, next.UpdatedBy = flow.NotificationSending, claim.At, claim.By
		}
		s.notifications.Replace(row, &next, record)
		claimed = append(claimed, row.Entity.Notification)
	}
	return claimed
}

// Expired returns notifications whose lease is over, in no order: see [flow.Store].
func (s *Store) Expired(ctx context.Context, limit int) (expired []flow.Notification, err error) {
	err = s.db.View(ctx, memtable.Operation{Name: "look for expired leases"}, func() error {
		rows := s.queues.leases.until(time.Now().UnixMicro(), limit, 0, nil)
		expired = s.notifications.Views(rows)
		return nil
	})
	return expired, err
}

// queues has the notifications that may be claimed, and those that are In invio. The table of
// notifications keeps it up to date.
type queues struct {
	byFlow map[uuid.UUID]*heapOf // those that may be claimed, by place
	leases heapOf                // those that are In invio, by the end of their lease
}

func newQueues() queues {
	return queues{
		byFlow: map[uuid.UUID]*heapOf{},
		leases: heapOf{before: func(a, b *notification) bool { return a.leaseEnd < b.leaseEnd }},
	}
}

// of returns the queue of a flow.
func (q *queues) of(id uuid.UUID) *heapOf {
	queue := q.byFlow[id]
	if queue == nil {
		queue = &heapOf{before: func(a, b *notification) bool {
			return a.place().Compare(b.place()) < 0
		}}
		q.byFlow[id] = queue
	}
	return queue
}

// Enter adds a notification to the heap that it belongs to, if any.
func (q *queues) Enter(row *notificationRow) {
	if h := q.heap(&row.Entity); h != nil {
		h.add(row)
	}
}

// Leave undoes Enter.
func (q *queues) Leave(row *notificationRow) {
	if h := q.heap(&row.Entity); h != nil {
		h.remove(row)
	}
}

// heap returns the heap that a notification belongs to, or nil.
func (q *queues) heap(n *notification) *heapOf {
	switch {
	case n.State == flow.NotificationRegistered && !n.Disabled:
		return q.of(n.FlowID)
	case n.State == flow.NotificationSending:
		return &q.leases
	}
	return nil
}
