package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// selectFlow reads flows with their counts; the condition goes behind.
var selectFlow = "SELECT " + flowColumns.list("f.") + `,
	CAST(coalesce(sum(c.registered), 0) AS BIGINT), CAST(coalesce(sum(c.sending), 0) AS BIGINT), CAST(coalesce(sum(c.sent), 0) AS BIGINT),
	CAST(coalesce(sum(c.failed), 0) AS BIGINT), CAST(coalesce(sum(c.disabled), 0) AS BIGINT)
	FROM flows f LEFT JOIN flow_counts c ON c.flow_id = f.id `

func (t *tx) flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	var f flow.Flow
	rows, err := t.query(ctx, selectFlow+"WHERE f.id = ? GROUP BY f.id", t.id(id))
	err = read(rows, err, flowFields(&f), func() {})
	if err == nil && f.Version == 0 {
		err = flow.ErrNotFound
	}
	return f, err
}

// Flow returns a flow: see [flow.Store].
func (s *Store) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	var f flow.Flow
	err := s.db.view(ctx, func(t *tx) (err error) {
		f, err = t.flow(ctx, id)
		return err
	})
	return f, fail(ctx, "read flow", id, err)
}

// Notification returns a notification: see [flow.Store].
func (s *Store) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	var n flow.Notification
	err := s.db.view(ctx, func(t *tx) error {
		rows, err := t.query(ctx, "SELECT "+notificationColumns.list("")+" FROM notifications WHERE id = ?", t.id(id))
		if err := read(rows, err, notificationFields(&n), func() {}); err != nil {
			return err
		}
		if n.Version == 0 {
			return flow.ErrNotFound
		}
		return nil
	})
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
	err := d.view(ctx, func(t *tx) error {
		rows, err := t.query(ctx, "SELECT "+recordColumns[1:].list("")+" FROM "+table+" WHERE owner = ? ORDER BY version", t.id(id))
		var r flow.Record[S, A]
		return read(rows, err, recordFields(&r), func() { records = append(records, r) })
	})
	return records, err
}

// where collects conditions.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}

func in[T any](w *where, column string, values []T, value func(T) any) {
	if len(values) > 0 {
		args := make([]any, len(values))
		for i, v := range values {
			args[i] = value(v)
		}
		w.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
	}
}

func words[T ~string](w *where, column string, values ...T) {
	in(w, column, values, func(v T) any { return held(string(v)) })
}

func (w *where) is(column string, value string) {
	if value != "" {
		w.add(column+" = ?", held(value))
	}
}

func (w *where) within(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column+" >= ?", from.UnixMicro())
	}
	if !to.IsZero() {
		w.add(column+" < ?", to.UnixMicro())
	}
}

func (w *where) disabled(d flow.Disabled) {
	switch d {
	case flow.AnyDisabled:
	case flow.OnlyDisabled:
		w.add("disabled")
	default:
		w.add("NOT disabled")
	}
}

func (w *where) page(d *database, p flow.Page) string {
	direction, order := "<", " ORDER BY created_at DESC, id DESC LIMIT ?"
	if p.OldestFirst {
		direction, order = ">", " ORDER BY created_at, id LIMIT ?"
	}
	if !p.After.IsZero() {
		w.add("(created_at, id) "+direction+" (?, ?)", p.After.At.UnixMicro(), d.id(p.After.ID))
	}
	w.args = append(w.args, p.Limit)
	return order
}

// Flows returns a page of flows: see [flow.Store].
func (s *Store) Flows(ctx context.Context, q flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	w := &where{}
	in(w, "id", q.IDs, s.db.id)
	words(w, "service", q.Services...)
	words(w, "state", q.States...)
	if q.Text != "" {
		w.add("instr(search, ?) > 0", searched(q.Text))
	}
	w.is("updated_by", q.User)
	w.is("app_context", q.AppContext)
	w.is("app_key", q.AppKey)
	w.within("created_at", q.From, q.To)
	w.within("updated_at", q.ChangedFrom, q.ChangedTo)
	w.disabled(q.Disabled)
	order := w.page(s.db, page)
	var found []flow.Flow
	err := s.db.view(ctx, func(t *tx) error {
		var ids []uuid.UUID
		var id uuid.UUID
		rows, err := t.QueryContext(ctx, "SELECT id FROM flows "+w.String()+order, w.args...)
		if err := read(rows, err, []any{&id}, func() { ids = append(ids, id) }); err != nil {
			return err
		}
		for _, id := range ids {
			f, err := t.flow(ctx, id)
			if err != nil {
				return err
			}
			found = append(found, f)
		}
		return nil
	})
	return found, fail(ctx, "list flows", uuid.Nil, err)
}

// Notifications returns a page of notifications: see [flow.Store].
func (s *Store) Notifications(ctx context.Context, q flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	w := &where{}
	in(w, "id", q.IDs, s.db.id)
	if q.Flow != uuid.Nil {
		w.add("flow_id = ?", s.db.id(q.Flow))
	}
	if q.Standalone {
		w.add("flow_id = ?", s.db.id(uuid.Nil))
	}
	words(w, "service", q.Services...)
	words(w, "state", q.States...)
	words(w, "error_code", q.ErrorCodes...)
	if q.Text != "" {
		w.add("instr(search, ?) > 0", searched(q.Text))
	}
	w.is("updated_by", q.User)
	w.within("created_at", q.From, q.To)
	w.is("recipient", q.Recipient.Reveal())
	w.is("notice_number", q.NoticeNumber.Reveal())
	w.is("reference", q.Reference)
	w.is("message_id", string(q.MessageID))
	in(w, "digest", q.Digests, func(d flow.Digest) any { return d[:] })
	w.disabled(q.Disabled)
	w.within("updated_at", q.ChangedFrom, q.ChangedTo)
	if q.Unsettled {
		w.add("unsettled")
	}
	if !q.ClosedBefore.IsZero() {
		at := q.ClosedBefore.UnixMicro()
		w.add(`anonymised_at IS NULL AND (state = 'sent' AND sent_at < ?
			OR (state = 'failed' AND error_code <> 'outcome_unknown' OR state = 'registered' AND disabled) AND updated_at < ?)`, at, at)
	}
	order := w.page(s.db, page)
	var found []flow.Notification
	err := s.db.view(ctx, func(t *tx) error {
		rows, err := t.QueryContext(ctx, "SELECT "+notificationColumns.list("")+" FROM notifications "+w.String()+order, w.args...)
		var n flow.Notification
		return read(rows, err, notificationFields(&n), func() { found = append(found, n) })
	})
	return found, fail(ctx, "list notifications", uuid.Nil, err)
}
