package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

var (
	// selectFlow reads flows with their counts.
	selectFlow = "SELECT " + flowColumns.read().list("f.") + `,
	CAST(coalesce(sum(c.registered), 0) AS BIGINT), CAST(coalesce(sum(c.sending), 0) AS BIGINT), CAST(coalesce(sum(c.sent), 0) AS BIGINT),
	CAST(coalesce(sum(c.failed), 0) AS BIGINT), CAST(coalesce(sum(c.disabled), 0) AS BIGINT)
	FROM flows f LEFT JOIN flow_counts c ON c.flow_id = f.id`
	groupFlow = " GROUP BY f.id"

	// selectNotification reads notifications.
	selectNotification = "SELECT " + notificationColumns.read().list("") + " FROM notifications"
)

// flow reads a flow.
func (t *tx) flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	return readOne(ctx, t, selectFlow+" WHERE f.id = ?"+groupFlow, id, flowFields)
}

// readOne reads the row with an ID.
func readOne[T any](ctx context.Context, t *tx, query string, id uuid.UUID, fields func(*T) []any) (T, error) {
	var row T
	found := false
	err := t.query(ctx, query, []any{t.id(id)}, fields(&row), func() { found = true })
	if err == nil && !found {
		err = errNotFound
	}
	return row, err
}

// Flow returns a flow: see [flow.Store].
func (s *Store) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	f, err := s.db.read().flow(ctx, id)
	return f, fail(ctx, "read flow", id, err)
}

// Notification returns a notification: see [flow.Store].
func (s *Store) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	n, err := readOne(ctx, s.db.read(), selectNotification+" WHERE id = ?", id, notificationFields)
	return n, fail(ctx, "read notification", id, err)
}

// FlowHistory returns the records of a flow: see [flow.Store].
func (s *Store) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	records, err := history[flow.FlowState, flow.FlowAction](ctx, s.db, "flow_records", id)
	return records, fail(ctx, "read history of flow", id, err)
}

// NotificationHistory returns the records of a notification: see [flow.Store].
func (s *Store) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	records, err := history[flow.NotificationState, flow.NotificationAction](ctx, s.db, "notification_records", id)
	return records, fail(ctx, "read history of notification", id, err)
}

func history[S, A ~string](ctx context.Context, d *database, table string, id uuid.UUID) ([]flow.Record[S, A], error) {
	var records []flow.Record[S, A]
	var r flow.Record[S, A]
	err := d.read().query(ctx, "SELECT "+recordColumns[1:].list("")+" FROM "+table+" WHERE owner = ? ORDER BY version",
		[]any{d.id(id)}, recordFields(&r), func() { records = append(records, r) })
	return records, err
}

// Expired returns notifications whose lease is over, in no order: see [flow.Store].
func (s *Store) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	const operation = "look for expired leases"
	if limit <= 0 || ctx.Err() != nil {
		return nil, fail(ctx, operation, uuid.Nil, ctx.Err())
	}
	t := s.db.read()
	var found []flow.Notification
	now, err := t.now(ctx, t)
	if err == nil {
		var n flow.Notification
		err = t.query(ctx, selectNotification+t.using("notifications_in_flight")+" WHERE lease_end <= ? LIMIT ?", []any{now, limit},
			notificationFields(&n), func() { found = append(found, n) })
	}
	return found, fail(ctx, operation, uuid.Nil, err)
}
