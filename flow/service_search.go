package flow

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// FlowPage is a part of a list of flows.
type FlowPage struct {
	Flows []Flow // the newest first, unless the page says otherwise
	Next  Cursor // for the next page's After; zero: this is the last one
}

// NotificationPage is a part of a list of notifications.
type NotificationPage struct {
	Notifications []Notification // the newest first, unless the page says otherwise
	Next          Cursor         // for the next page's After; zero: this is the last one
}

// Flow (Flusso Archivio) returns a flow, with its Counts.
func (s *Service) Flow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	f, err := s.flow(ctx, by, id)
	return f, flowFailure("get flow", id, err)
}

// Notification returns a notification.
func (s *Service) Notification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	n, err := s.notification(ctx, by, id)
	return n, notificationFailure("get notification", id, err)
}

// Flows (Elenca) returns a page of the flows that match the filter, the newest first,
// each with its Counts. Without Services in the filter it looks in all that the actor is
// enabled for; with one that the actor is not enabled for the error is a [flussi.ErrForbidden].
// What the filter's Check or the page's refuses is a [*flussi.InvalidError].
func (s *Service) Flows(ctx context.Context, by flussi.Actor, filter FlowFilter, page Page) (FlowPage, error) {
	list := func(services []string, page Page) ([]Flow, error) {
		filter.Services = services
		return s.store.Flows(ctx, filter, page)
	}
	flows, next, err := core.List(ctx, s.access, by, filter.Services, filter.Check(), page, list)
	return FlowPage{flows, next}, failure("list flows", err)
}

// Notifications (Elenca) returns a page of the notifications that match the filter, the
// newest first, as [Service.Flows] does.
func (s *Service) Notifications(ctx context.Context, by flussi.Actor, filter NotificationFilter, page Page) (NotificationPage, error) {
	list := func(services []string, page Page) ([]Notification, error) {
		filter.Services = services
		return s.store.Notifications(ctx, filter, page)
	}
	notifications, next, err := core.List(ctx, s.access, by, filter.Services, filter.Check(), page, list)
	return NotificationPage{notifications, next}, failure("list notifications", err)
}

// AllNotifications returns all notifications that match the filter, the oldest first, as
// an export (Esporta Excel) needs them. An error ends the sequence. The actor is
// authorised once, at its beginning.
//
// The notifications of one import come in the order of its rows, but rows that were not stored are
// left out. To find the row of a notification, or the notification of a row
// ([NotificationFilter].Reference), give each row a [Draft].Reference.
func (s *Service) AllNotifications(ctx context.Context, by flussi.Actor, filter NotificationFilter) iter.Seq2[Notification, error] {
	list := func(services []string) iter.Seq2[Notification, error] {
		filter := filter // the sequence may be pulled again
		filter.Services = services
		return all(ctx, s.store, filter)
	}
	fail := func(err error) error { return failure("list notifications", err) }
	return core.All(ctx, s.access, by, filter.Services, filter.Check(), list, fail)
}

// pages returns all notifications that match a filter, the oldest first, in groups of at most
// limit.
func pages(ctx context.Context, store Store, filter NotificationFilter, limit int) iter.Seq2[[]Notification, error] {
	return core.Pages(ctx, limit, func(ctx context.Context, page Page) ([]Notification, error) {
		return store.Notifications(ctx, filter, page)
	})
}

// all returns all notifications that match a filter, the oldest first.
func all(ctx context.Context, store Store, filter NotificationFilter) iter.Seq2[Notification, error] {
	return core.Each(pages(ctx, store, filter, MaxPage))
}

// FlowHistory returns what was done to a flow, in order.
func (s *Service) FlowHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]FlowRecord, error) {
	records, err := core.History(ctx, by, id, s.flow, s.store.FlowHistory)
	return records, flowFailure("get history of flow", id, err)
}

// NotificationHistory returns what was done to a notification, in order.
func (s *Service) NotificationHistory(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NotificationRecord, error) {
	records, err := core.History(ctx, by, id, s.notification, s.store.NotificationHistory)
	return records, notificationFailure("get history of notification", id, err)
}
