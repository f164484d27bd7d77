package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Flows returns a page of flows: see [flow.Store].
func (s *Store) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	found, err := listPage(ctx, s.db, page, func(t *tx) *search { return flowSearch(t, filter, page) }, selectFlow, groupFlow, flowFields)
	return found, fail(ctx, "list flows", uuid.Nil, err)
}

// Notifications returns a page of notifications: see [flow.Store].
func (s *Store) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	found, err := listPage(ctx, s.db, page, func(t *tx) *search { return notificationSearch(t, filter, page) }, selectNotification, "", notificationFields)
	return found, fail(ctx, "list notifications", uuid.Nil, err)
}

// listPage reads what a search finds, by a query and its GROUP BY, in the order of the list.
func listPage[T interface{ Cursor() flow.Cursor }](
	ctx context.Context, d *database, page flow.Page, searchIn func(*tx) *search, query, group string, fields func(*T) []any,
) ([]T, error) {
	var found []T
	err := d.view(ctx, func(t *tx) error {
		listed, err := searchIn(t).find(ctx, t)
		if err != nil {
			return err
		}
		var row T
		return t.query(ctx, query+" WHERE "+listed.text+group, listed.args, fields(&row), func() { found = append(found, row) })
	})
	slices.SortFunc(found, func(a, b T) int {
		if page.OldestFirst {
			return a.Cursor().Compare(b.Cursor())
		}
		return b.Cursor().Compare(a.Cursor())
	})
	return found, err
}

// flowSearch translates a filter.
func flowSearch(t *tx, q flow.FlowFilter, page flow.Page) *search {
	s := &search{
		table: &flowTable, page: page, realms: q.Services, from: q.From, to: q.To, orderly: q.ChangedTo,
		text: q.Text, user: q.User, changedFrom: q.ChangedFrom, changedTo: q.ChangedTo,
		kinds: func(k kind) bool { return among(q.States, k.state) && matches(q.Disabled, k) },
	}
	s.oneOf(t, column{"id", "uuid"}, values(q.IDs, t.id))
	s.is("app_key", q.AppKey, "flows_by_key")
	s.is("app_context", q.AppContext, "flows_by_context")
	s.states(t, words(q.States))
	s.disabled(q.Disabled)
	return s
}

// notificationSearch translates a filter.
func notificationSearch(t *tx, q flow.NotificationFilter, page flow.Page) *search {
	s := &search{
		table: &notificationTable, page: page, realms: q.Services, from: q.From, to: q.To, orderly: earlier(q.ChangedTo, q.ClosedBefore),
		text: q.Text, user: q.User, changedFrom: q.ChangedFrom, changedTo: q.ChangedTo,
		kinds: func(k kind) bool {
			return among(q.States, k.state) && among(q.ErrorCodes, k.code) && matches(q.Disabled, k) &&
				(!q.DeliveryOpen || k.has(isUnsettled)) && (q.ClosedBefore.IsZero() || closed(k))
		},
	}
	s.flying = among(q.States, string(flow.NotificationSending)) && !q.DeliveryOpen && q.ClosedBefore.IsZero()
	s.oneOf(t, column{"id", "uuid"}, values(q.IDs, t.id))
	s.is("message_id", string(q.MessageID), "notifications_by_message")
	s.is("notice_number", q.NoticeNumber.Reveal(), "notifications_by_notice")
	s.oneOf(t, column{"message_digest", "bytea"}, values(q.Digests, func(d flow.Digest) any { return d[:] }))
	s.is("recipient", q.Recipient.Reveal(), "notifications_by_recipient")
	s.is("reference", q.Reference, "notifications_by_reference")
	switch {
	case q.Flow != uuid.Nil && q.Standalone:
		s.kinds, s.flying = func(kind) bool { return false }, false
		s.where.add("FALSE")
	case q.Flow != uuid.Nil || q.Standalone:
		s.parent = &q.Flow
	}
	s.states(t, words(q.States))
	if len(q.ErrorCodes) > 0 {
		s.where = append(s.where, t.oneOf(column{"error_code", "text"}, words(q.ErrorCodes)))
	}
	s.disabled(q.Disabled)
	if q.DeliveryOpen {
		s.where.add("unsettled")
	}
	if !q.ClosedBefore.IsZero() {
		at := ceiling(q.ClosedBefore)
		s.where.add(`anonymised_at IS NULL AND (state = 'sent' AND sent_at < ?
			OR (state = 'failed' AND error_code <> 'outcome_unknown' OR state = 'registered' AND disabled) AND updated_at < ?)`, at, at)
	}
	return s
}

// closed reports whether what is of a kind may be closed.
func closed(k kind) bool {
	switch flow.NotificationState(k.state) {
	case flow.NotificationSent:
		return !k.has(isAnonymised)
	case flow.NotificationFailed:
		return !k.has(isAnonymised) && k.code != string(flow.CodeOutcomeUnknown)
	case flow.NotificationRegistered:
		return !k.has(isAnonymised) && k.has(isDisabled)
	}
	return false
}

func among[T ~string](wanted []T, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, T(value))
}

func matches(d flow.DisabledFilter, k kind) bool {
	return d == flow.AnyDisabled || k.has(isDisabled) == (d == flow.OnlyDisabled)
}

// disabled adds what is wanted of the flag.
func (s *search) disabled(d flow.DisabledFilter) {
	switch d {
	case flow.AnyDisabled:
	case flow.OnlyDisabled:
		s.where.add("disabled")
	default:
		s.where.add("NOT disabled")
	}
}

// is adds the condition that a column has a value that few have.
func (s *search) is(name, value, index string) {
	if value != "" {
		s.few = append(s.few, few{clause{name + " = ? AND " + name + " <> ''", []any{held(value)}}, index, false})
	}
}

// oneOf adds the condition that a column has one of some values, of which hardly any is there
// twice.
func (s *search) oneOf(t *tx, c column, values []any) {
	if len(values) > 0 {
		s.few = append(s.few, few{t.oneOf(c, values), s.table.name + "_by_" + c.name, true})
	}
}

// values returns values as arguments.
func values[T any](of []T, value func(T) any) []any {
	args := make([]any, len(of))
	for i, v := range of {
		args[i] = value(v)
	}
	return args
}
