package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Claim takes notifications that are to be sent: see [flow.Store].
func (s *Store) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	const operation = "claim notifications"
	var f flow.Flow
	var claimed []flow.Notification
	err := s.db.write(ctx, func(t *tx) error {
		var err error
		if f, err = t.flow(ctx, claim.Flow); err != nil {
			return err
		}
		if f.State != flow.FlowSending || f.Disabled || f.Error != "" || claim.Limit <= 0 {
			return nil
		}
		now, err := t.now(ctx, t)
		if err != nil {
			return err
		}
		rows, err := t.query(ctx, `WITH picked AS MATERIALIZED (
				SELECT id FROM notifications WHERE flow_id = ? AND state = 'registered' AND NOT disabled ORDER BY created_at, id LIMIT ?
			) UPDATE notifications SET state = 'sending', updated_at = ?, updated_by = ?, version = version + 1, unsettled = FALSE, lease_end = ?
			WHERE id IN (SELECT id FROM picked) RETURNING `+notificationColumns.list(""),
			t.id(claim.Flow), claim.Limit, claim.At.UnixMicro(), held(claim.By), now+claim.Lease.Microseconds())
		var n flow.Notification
		if err := read(rows, err, notificationFields(&n), func() { claimed = append(claimed, n) }); err != nil {
			return err
		}
		slices.SortFunc(claimed, func(a, b flow.Notification) int { return a.Cursor().Compare(b.Cursor()) })
		records := make([][]any, len(claimed))
		for i, n := range claimed {
			records[i] = recordValues(t.database, n.ID, n.Version, flow.NotificationRecord{
				At: claim.At, By: claim.By, Action: flow.NotificationClaim, From: flow.NotificationRegistered, To: flow.NotificationSending,
			})
		}
		if _, err := t.insert(ctx, t, "notification_records", recordColumns, records); err != nil {
			return err
		}
		w := newWriting(t)
		w.counts[claim.Flow] = &flow.Counts{Registered: -len(claimed), Sending: len(claimed)}
		if err := w.end(ctx); err != nil {
			return err
		}
		f, err = t.flow(ctx, claim.Flow)
		return err
	})
	return f, claimed, fail(ctx, operation, claim.Flow, err)
}

// Expired returns notifications whose lease is over, in no order: see [flow.Store].
func (s *Store) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	if limit <= 0 {
		return nil, fail(ctx, "look for expired leases", uuid.Nil, ctx.Err())
	}
	var found []flow.Notification
	err := s.db.view(ctx, func(t *tx) error {
		rows, err := t.query(ctx, "SELECT "+notificationColumns.list("")+" FROM notifications WHERE lease_end <= ? LIMIT ?", time.Now().UnixMicro(), limit)
		var n flow.Notification
		return read(rows, err, notificationFields(&n), func() { found = append(found, n) })
	})
	return found, fail(ctx, "look for expired leases", uuid.Nil, err)
}
