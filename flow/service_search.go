package flow

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// FlowPage is a part of a list of flows.
type FlowPage struct {
	Flows []Flow // the newest first
	Next  Cursor // for the next page's After; zero: this is the last one
}

// NotificationPage is a part of a list of notifications.
type NotificationPage struct {
	Notifications []Notification // the newest first
	Next          Cursor         // for the next page's After; zero: this is the last one
}

// Flow (Flusso Archivio) returns a flow, with its Counts.
func (s *Service) Flow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	f, err := s.flow(ctx, by, id)
	return f, failure("get flow", id, err)
}

// Notification returns a notification.
func (s *Service) Notification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	n, err := s.notification(ctx, by, id)
	return n, failure("get notification", id, err)
}

// Flows (Elenca) returns a page of the flows that match the filter, the newest first,
// each with its Counts. Without Services in the filter it looks in all that the actor is
// enabled for; with one that the actor is not enabled for the error is an [flussi.ErrForbidden].
func (s *Service) Flows(ctx context.Context, by flussi.Actor, filter FlowFilter, page Page) (FlowPage, error) {
	const op = "list flows"
	services, page, err := s.searched(ctx, by, filter.Services, filter.Text, page)
	if err != nil || len(services) == 0 {
		return FlowPage{}, failure(op, uuid.Nil, err)
	}
	filter.Services = services
	more := page
	more.Limit++ // to know whether there is more
	found, err := s.store.Flows(ctx, filter, more)
	if err != nil {
		return FlowPage{}, failure(op, uuid.Nil, err)
	}
	result := FlowPage{Flows: found}
	if len(found) > page.Limit {
		result.Flows = found[:page.Limit]
		result.Next = result.Flows[page.Limit-1].Cursor()
	}
	return result, nil
}

// Notifications (Elenca) returns a page of the notifications that match the filter, the
// newest first, as [Service.Flows] does.
func (s *Service) Notifications(ctx context.Context, by flussi.Actor, filter NotificationFilter, page Page) (NotificationPage, error) {
	const op = "list notifications"
	services, page, err := s.searched(ctx, by, filter.Services, filter.Text, page)
	if err != nil || len(services) == 0 {
		return NotificationPage{}, failure(op, uuid.Nil, err)
	}
	filter.Services = services
	more := page
	more.Limit++
	found, err := s.store.Notifications(ctx, filter, more)
	if err != nil {
		return NotificationPage{}, failure(op, uuid.Nil, err)
	}
	result := NotificationPage{Notifications: found}
	if len(found) > page.Limit {
		result.Notifications = found[:page.Limit]
		result.Next = result.Notifications[page.Limit-1].Cursor()
	}
	return result, nil
}

// AllNotifications returns all notifications that match the filter, the oldest first, as
// an export (Esporta Excel) needs them. An error ends the sequence. The actor is asked
// about once, at its beginning.
func (s *Service) AllNotifications(ctx context.Context, by flussi.Actor, filter NotificationFilter) iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		const op = "list notifications"
		services, _, err := s.searched(ctx, by, filter.Services, filter.Text, Page{})
		if err != nil {
			yield(Notification{}, failure(op, uuid.Nil, err))
			return
		}
		if len(services) == 0 {
			return
		}
		filter := filter
		filter.Services = services
		for n, err := range all(ctx, s.store, filter) {
			if !yield(n, failure(op, uuid.Nil, err)) || err != nil {
				return
			}
		}
	}
}

// searched returns the services to look in, none if there are none, and the page with its
// limit.
func (s *Service) searched(ctx context.Context, by flussi.Actor, wanted []string, text string, page Page) ([]string, Page, error) {
	services, err := s.services(ctx, by)
	if err != nil {
		return nil, page, err
	}
	for _, service := range wanted {
		if !enabled(services, service) {
			return nil, page, flussi.ErrForbidden
		}
	}
	if n := utf8.RuneCountInString(text); n > 0 && n < MinSearch {
		return nil, page, &flussi.ValueError{Type: "Text", Err: flussi.ErrLength,
			Reason: fmt.Sprintf("Il testo da cercare deve avere almeno %d caratteri.", MinSearch)}
	}
	if page, err = page.Check(); err != nil {
		return nil, page, err
	}
	if len(wanted) > 0 {
		return wanted, page, nil
	}
	return services, page, nil
}

// FlowActions returns what the actor may do with a flow now, as it and its notifications
// are: the buttons to show, in the order of the machine's table.
func (s *Service) FlowActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]FlowAction, error) {
	f, err := s.flow(ctx, by, id)
	if err != nil {
		return nil, failure("get actions of flow", id, err)
	}
	return slices.DeleteFunc(f.Allowed(by.Roles...), func(action FlowAction) bool {
		return (action == FlowActivate || action == FlowSend) && needsSomething(&f) != nil
	}), nil
}

// NotificationActions returns what the actor may do with a notification now, as it and its
// flow are: the buttons to show, in the order of the machine's table, [NotificationSend] the
// last. That another notification is the same is found out only when it is tried.
func (s *Service) NotificationActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NotificationAction, error) {
	const op = "get actions of notification"
	n, err := s.notification(ctx, by, id)
	if err != nil {
		return nil, failure(op, id, err)
	}
	var f *Flow
	if n.FlowID != uuid.Nil {
		read, err := s.store.Flow(ctx, n.FlowID)
		if err != nil {
			return nil, failure(op, id, plain(err))
		}
		if f = &read; f.Disabled {
			return nil, nil
		}
	}
	actions := slices.DeleteFunc(n.Allowed(by.Roles...), func(action NotificationAction) bool {
		return action != NotificationVerify && fixed(&n, f) != nil || action == NotificationVerify && n.Transmission.MessageID == ""
	})
	if by.Has(flussi.Operator) && n.check(NotificationClaim) == nil && n.State == NotificationRegistered && isOver(f) {
		actions = append(actions, NotificationSend)
	}
	return actions, nil
}

// FlowHistory returns what was done to a flow, in order.
func (s *Service) FlowHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]FlowRecord, error) {
	_, err := s.flow(ctx, by, id)
	var records []FlowRecord
	if err == nil {
		records, err = s.store.FlowHistory(ctx, id)
	}
	return records, failure("get history of flow", id, err)
}

// NotificationHistory returns what was done to a notification, in order.
func (s *Service) NotificationHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NotificationRecord, error) {
	_, err := s.notification(ctx, by, id)
	var records []NotificationRecord
	if err == nil {
		records, err = s.store.NotificationHistory(ctx, id)
	}
	return records, failure("get history of notification", id, err)
}
