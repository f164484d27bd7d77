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
	var e pagoinrete.Event
	err := s.db.read().query(ctx, selectEvent+" WHERE e.id = ?"+groupEvent, []any{s.db.id(id)}, eventFields(&e), func() {})
	if err == nil && e.Version == 0 {
		err = errNotFound
	}
	return e, failNotice(ctx, "read event", id, err)
}

// Notice returns a notice: see [pagoinrete.Store].
func (s *Store) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	var n pagoinrete.Notice
	err := s.db.read().query(ctx, selectNotice+" WHERE id = ?", []any{s.db.id(id)}, noticeFields(&n), func() {})
	if err == nil && n.Version == 0 {
		err = errNotFound
	}
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
	var found []pagoinrete.Event
	err := s.db.view(ctx, func(t *tx) error {
		listed, err := eventSearch(t, filter, page).find(ctx, t)
		if err != nil {
			return err
		}
		var e pagoinrete.Event
		return t.query(ctx, selectEvent+" WHERE "+listed.text+groupEvent, listed.args, eventFields(&e), func() { found = append(found, e) })
	})
	sortPage(found, page)
	return found, failNotice(ctx, "list events", uuid.Nil, err)
}

// Notices returns a page of notices: see [pagoinrete.Store].
func (s *Store) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
	var found []pagoinrete.Notice
	err := s.db.view(ctx, func(t *tx) error {
		listed, err := noticeSearch(t, filter, page).find(ctx, t)
		if err != nil {
			return err
		}
		var n pagoinrete.Notice
		return t.query(ctx, selectNotice+" WHERE "+listed.text, listed.args, noticeFields(&n), func() { found = append(found, n) })
	})
	sortPage(found, page)
	return found, failNotice(ctx, "list notices", uuid.Nil, err)
}
