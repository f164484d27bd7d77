package memstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/listing"
)

// Notification returns a notification: see [flow.Store].
func (s *Store) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	const operation = "read notification"
	if err := ended(ctx, operation, id); err != nil {
		return flow.Notification{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.notifications[id]
	if n == nil {
		return flow.Notification{}, fail(operation, id, flussi.ErrNotFound)
	}
	return n.Notification, nil
}

// Notifications returns a page of notifications: see [flow.Store]. A page without a
// limit is as long as [flow.MaxPage].
func (s *Store) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	const operation = "list notifications"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, err := s.candidates(filter).Page(ctx, page, filter.From, filter.To, func(n *storedNotification) bool {
		return filter.Match(n.Notification)
	})
	if err != nil {
		return nil, fail(operation, uuid.Nil, err)
	}
	return copies(found), nil
}

// candidates returns the shortest list at hand that has all that match.
func (s *Store) candidates(filter flow.NotificationFilter) listing.List[*storedNotification] {
	switch {
	case len(filter.IDs) > 0:
		return listing.Pick(s.notifications, filter.IDs)
	case len(filter.Digests) > 0:
		var found []*storedNotification
		for _, digest := range filter.Digests {
			found = append(found, s.digests[digest]...)
		}
		return listing.Of(found)
	case filter.Flow != uuid.Nil || filter.Standalone:
		if g := s.groups[filter.Flow]; g != nil {
			return g.list
		}
		return nil
	}
	return s.list
}

// copies returns notifications as the caller gets them.
func copies(stored []*storedNotification) []flow.Notification {
	notifications := make([]flow.Notification, len(stored))
	for i, n := range stored {
		notifications[i] = n.Notification
	}
	return notifications
}

// NotificationHistory returns the records of a notification: see [flow.Store].
func (s *Store) NotificationHistory(ctx context.Context, id uuid.UUID) ([]flow.NotificationRecord, error) {
	if err := ended(ctx, "read history of notification", id); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.notifications[id]; n != nil {
		return slices.Clone(n.history), nil
	}
	return nil, nil
}
