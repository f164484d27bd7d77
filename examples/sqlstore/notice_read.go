package sqlstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/pagoinrete"
)

var (
	// selectEvent reads events with their counts.
	selectEvent = "SELECT " + eventColumns.read().list("e.") + `,
	CAST(coalesce(sum(c.not_linked), 0) AS BIGINT), CAST(coalesce(sum(c.unpaid), 0) AS BIGINT), CAST(coalesce(sum(c.paid), 0) AS BIGINT),
	CAST(coalesce(sum(c.cancelled), 0) AS BIGINT), CAST(coalesce(sum(c.refunded), 0) AS BIGINT), CAST(coalesce(sum(c.discrepancies), 0) AS BIGINT)
	FROM events e LEFT JOIN event_counts c ON c.event_id = e.id`
	groupEvent = " GROUP BY e.id"

	// selectNotice reads notices.
	selectNotice = "SELECT " + noticeColumns.read().list("") + " FROM notices"
)

// Event returns an event: see [pagoinrete.Store].
func (s *Store) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	e, err := readOne(ctx, s.db.read(), selectEvent+" WHERE e.id = ?"+groupEvent, id, eventFields)
	return e, failNotice(ctx, "read event", id, err)
}

// Notice returns a notice: see [pagoinrete.Store].
func (s *Store) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	n, err := readOne(ctx, s.db.read(), selectNotice+" WHERE id = ?", id, noticeFields)
	return n, failNotice(ctx, "read notice", id, err)
}

// EventHistory returns the records of an event: see [pagoinrete.Store].
func (s *Store) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	records, err := history[pagoinrete.EventState, pagoinrete.EventAction](ctx, s.db, "event_records", id)
	return records, failNotice(ctx, "read history of event", id, err)
}

// NoticeHistory returns the records of a notice: see [pagoinrete.Store].
func (s *Store) NoticeHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
	records, err := history[pagoinrete.NoticeState, pagoinrete.NoticeAction](ctx, s.db, "notice_records", id)
	return records, failNotice(ctx, "read history of notice", id, err)
}

// Events returns a page of events: see [pagoinrete.Store].
func (s *Store) Events(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
	found, err := listPage(ctx, s.db, page, func(t *tx) *search { return eventSearch(t, filter, page) }, selectEvent, groupEvent, eventFields)
	return found, failNotice(ctx, "list events", uuid.Nil, err)
}

// Notices returns a page of notices: see [pagoinrete.Store].
func (s *Store) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
	found, err := listPage(ctx, s.db, page, func(t *tx) *search { return noticeSearch(t, filter, page) }, selectNotice, "", noticeFields)
	return found, failNotice(ctx, "list notices", uuid.Nil, err)
}
