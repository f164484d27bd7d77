package flow

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// FlowActions returns what the actor may do with a flow now, by its state and its notifications:
// the buttons to show, in the order of the machine's table.
func (s *Service) FlowActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]FlowAction, error) {
	f, err := s.flow(ctx, by, id)
	if err != nil {
		return nil, flowFailure("get actions of flow", id, err)
	}
	return slices.DeleteFunc(f.Allowed(by.Roles...), func(action FlowAction) bool {
		return (action == FlowActivate || action == FlowSend) && f.Counts.Registered == 0
	}), nil
}

// NotificationActions returns what the actor may do with a notification now, by its state and its
// flow: the buttons to show, in the order of the machine's table, [NotificationSend] the last.
// Whether another notification has the same message is not checked here.
func (s *Service) NotificationActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NotificationAction, error) {
	n, err := s.notification(ctx, by, id)
	var f *Flow
	if err == nil {
		f, err = flowOf(ctx, s.store, n)
	}
	if err != nil {
		return nil, notificationFailure("get actions of notification", id, err)
	}
	if f != nil && f.Disabled {
		return nil, nil
	}
	actions := slices.DeleteFunc(n.Allowed(by.Roles...), func(action NotificationAction) bool {
		return action != NotificationVerify && fixed(&n, f) != nil || action == NotificationVerify && n.Transmission.MessageID == ""
	})
	if by.Has(flussi.Operator) && n.check(NotificationClaim) == nil && n.State == NotificationRegistered && isOver(f) {
		actions = append(actions, NotificationSend)
	}
	return actions, nil
}
