package engine

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Flows implements [flow.Store].
func (s *Store) Flows(ctx context.Context, filter flow.FlowFilter, p flow.Page) ([]flow.Flow, error) {
	found, err := page(ctx, s, &flows, func(t *tx) *list { return flowList(t, filter, p) })
	return found, s.fail(ctx, "list flows", uuid.Nil, err)
}

// Notifications implements [flow.Store].
func (s *Store) Notifications(ctx context.Context, filter flow.NotificationFilter, p flow.Page) ([]flow.Notification, error) {
	found, err := page(ctx, s, &notifications, func(t *tx) *list { return notificationList(t, filter, p) })
	return found, s.fail(ctx, "list notifications", uuid.Nil, err)
}

// everyService is the condition of the indexes flows_listed and notifications_listed.
const everyService = "length(service) >= 0"

func flowList(t *tx, q flow.FlowFilter, p flow.Page) *list {
	l := &list{table: flows.table, page: p, text: q.Text, allOwners: everyService}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	l.whereText(t, "app_key", q.AppKey)
	l.whereLabel(t, "app_context", q.AppContext)
	if !q.ScheduledBefore.IsZero() { // few are: index flows_of_service_scheduled
		l.where("not_before < ?", ceiling(q.ScheduledBefore))
	}
	switch {
	case len(q.Services) > 0:
		l.whereOwner(t, Column{Name: "service", Type: "text"}, distinct(q.Services))
		whereStates(l, q.States)
	case !q.ScheduledBefore.IsZero(): // the dispatcher lists those whose time has come: index flows_scheduled
		l.allOwners = "not_before IS NOT NULL"
		whereStates(l, q.States)
	default: // the dispatcher lists the flows of all services that are In invio: index flows_in_state
		l.whereOwner(t, Column{Name: "state", Type: "text"}, distinct(q.States))
	}
	l.whereDisabled(q.Disabled)
	l.whereCreated(q.From, q.To)
	l.whereChanged(q.User, q.ChangedFrom, q.ChangedTo)
	return l
}

func notificationList(t *tx, q flow.NotificationFilter, p flow.Page) *list {
	l := &list{table: notifications.table, page: p, text: q.Text, allOwners: everyService}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	l.whereText(t, "message_id", string(q.MessageID))
	l.whereText(t, "notice_number", q.NoticeNumber.Reveal())
	whereSelective(l, t, Column{Name: "digest", Type: "bytea"}, q.Digests, func(d flow.Digest) any { return d })
	l.whereText(t, "recipient", q.Recipient.Reveal())
	l.whereLabel(t, "reference", q.Reference)
	if q.Flow != uuid.Nil || q.Standalone { // notifications without a flow have the zero ID
		l.whereOwner(t, Column{Name: "flow_id", Type: "uuid"}, []any{q.Flow})
	}
	if q.Flow != uuid.Nil && q.Standalone {
		l.where("FALSE")
	}
	l.whereOwner(t, Column{Name: "service", Type: "text"}, distinct(q.Services))
	whereStates(l, q.States)
	if len(q.ErrorCodes) > 0 {
		l.rest = append(l.rest, (&oneOf{Column{Name: "error_code", Type: "text"}, distinct(q.ErrorCodes)}).in(t))
	}
	l.whereDisabled(q.Disabled)
	l.whereCreated(q.From, q.To)
	l.whereChanged(q.User, q.ChangedFrom, q.ChangedTo)
	if q.DeliveryOpen {
		l.where("delivery_open")
	}
	if !q.ClosedBefore.IsZero() {
		at := ceiling(q.ClosedBefore)
		l.where("anonymised_at IS NULL AND (state = 'sent' AND sent_at < ? OR (state = 'failed' AND error_code <> 'outcome_unknown'"+
			" OR state = 'registered' AND disabled) AND updated_at < ?)", at, at)
	}
	return l
}

// whereDisabled adds the condition on the column disabled.
func (l *list) whereDisabled(d flow.DisabledFilter) {
	switch d {
	case flow.AnyDisabled:
	case flow.OnlyDisabled:
		l.where("disabled")
	case flow.OnlyEnabled:
		l.where("NOT disabled")
	default: // no entity has the value
		l.where("FALSE")
	}
}
