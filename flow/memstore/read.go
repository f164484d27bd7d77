package memstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// Flow returns a flow: see [flow.Store].
func (s *Store) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	return s.flows.Get(ctx, "read flow", id)
}

// Flows returns a page of flows: see [flow.Store]. A page without a limit is as long as
// [flow.MaxPage].
func (s *Store) Flows(
	ctx context.Context, filter flow.FlowFilter, page flow.Page,
) ([]flow.Flow, error) {
	candidates := s.flows.All
	if len(filter.IDs) > 0 {
		candidates = func() flowList { return s.flows.Pick(filter.IDs) }
	}
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.flows.Page(ctx, "list flows", within, candidates,
		func(f *flow.Flow) bool { return filter.Match(*f) })
}

// FlowHistory returns the records of a flow: see [flow.Store].
func (s *Store) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	return s.flows.History(ctx, "read history of flow", id)
}

// Notification returns a notification: see [flow.Store].
func (s *Store) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	return s.notifications.Get(ctx, "read notification", id)
}

// Notifications returns a page of notifications: see [flow.Store]. A page without a
// limit is as long as [flow.MaxPage].
func (s *Store) Notifications(
	ctx context.Context, filter flow.NotificationFilter, page flow.Page,
) ([]flow.Notification, error) {
	candidates := func() notificationList { return s.candidates(&filter) }
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.notifications.Page(ctx, "list notifications", within, candidates,
		func(n *notification) bool { return filter.Match(n.Notification) })
}

// candidates returns the shortest list that has all notifications that match.
func (s *Store) candidates(filter *flow.NotificationFilter) notificationList {
	switch {
	case len(filter.IDs) > 0:
		return s.notifications.Pick(filter.IDs)
	case len(filter.Digests) > 0:
		return s.byDigest.Of(filter.Digests...)
	case filter.Flow != uuid.Nil || filter.Standalone:
		return s.byFlow.Of(filter.Flow)
	}
	return s.notifications.All()
}

// NotificationHistory returns the records of a notification: see [flow.Store].
func (s *Store) NotificationHistory(
	ctx context.Context, id uuid.UUID,
) ([]flow.NotificationRecord, error) {
	return s.notifications.History(ctx, "read history of notification", id)
}
