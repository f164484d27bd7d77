package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Flows returns a page of flows: see [flow.Store].
func (s *Store) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	var found []flow.Flow
	err := s.db.view(ctx, func(t *tx) error {
		listed, err := flowSearch(t, filter, page).find(ctx, t)
		if err != nil {
			return err
		}
		var f flow.Flow
		return t.query(ctx, selectFlow+" WHERE "+listed.text+groupFlow, listed.args, flowFields(&f), func() { found = append(found, f) })
	})
	sortPage(found, page)
	return found, fail(ctx, "list flows", uuid.Nil, err)
}

// Notifications returns a page of notifications: see [flow.Store].
func (s *Store) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	var found []flow.Notification
	err := s.db.view(ctx, func(t *tx) error {
		listed, err := notificationSearch(t, filter, page).find(ctx, t)
		if err != nil {
			return err
		}
		var n flow.Notification
		return t.query(ctx, selectNotification+" WHERE "+listed.text, listed.args, notificationFields(&n), func() { found = append(found, n) })
	})
	sortPage(found, page)
	return found, fail(ctx, "list notifications", uuid.Nil, err)
}

// sortPage puts what was found into the order of the list.
func sortPage[T interface{ Cursor() flow.Cursor }](found []T, page flow.Page) {
	slices.SortFunc(found, func(a, b T) int {
		if page.OldestFirst {
			return a.Cursor().Compare(b.Cursor())
		}
		return b.Cursor().Compare(a.Cursor())
	})
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
