package flow

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// ResolveReport counts the notifications of [Service.ConfirmUnknown] or [Service.ResendUnknown].
type ResolveReport struct {
	Resolved int // confirmed, or Registrato again
	Skipped  int // unchanged, because of a concurrent change or a disabled flow
}

// ConfirmUnknown (Conferma come inviata) confirms as sent all notifications that match the filter
// and whose outcome is unknown, such as those of a flow, as [Service.ConfirmNotification] does for
// one. The reason is recorded in the history of each. Disabled notifications are not changed, even
// if the filter asks for them. Notifications are stored in groups: after an error, or the end of
// the context, those of earlier groups are resolved; call it again for the others. Services in the
// filter are as in [Service.Notifications].
func (s *Service) ConfirmUnknown(ctx context.Context, by flussi.Actor, filter NotificationFilter, reason string) (ResolveReport, error) {
	return s.resolve(ctx, "confirm unknown outcomes", by, filter, NotificationConfirm, reason, markConfirmed)
}

// ResendUnknown (Invia di nuovo) sets back to Registrato all notifications that match the filter
// and whose outcome is unknown, as [Service.ResendNotification] does for one. Filter, reason,
// groups and errors are as in [Service.ConfirmUnknown].
func (s *Service) ResendUnknown(ctx context.Context, by flussi.Actor, filter NotificationFilter, reason string) (ResolveReport, error) {
	return s.resolve(ctx, "resend unknown outcomes", by, filter, NotificationResend, reason, prepareResend)
}

func (s *Service) resolve(ctx context.Context, op string, by flussi.Actor, filter NotificationFilter, action NotificationAction, reason string, edit func(*Notification, *Flow) error) (ResolveReport, error) {
	var report ResolveReport
	services, _, err := core.Narrow(ctx, s.access, by, filter.Services, filter.Check(), Page{})
	if err == nil && len(services) > 0 {
		err = s.admitOperator(ctx, by, services[0])
	}
	if err == nil {
		err = needsReason(reason)
	}
	if err != nil || len(services) == 0 || filter.Disabled == OnlyDisabled || !core.Among(filter.ErrorCodes, CodeOutcomeUnknown) {
		return report, failure(op, err)
	}
	filter.Services, filter.ErrorCodes, filter.Disabled = services, []ErrorCode{CodeOutcomeUnknown}, OnlyEnabled
	for found, err := range pages(ctx, s.store, filter, MaxPage) {
		if err != nil {
			return report, failure(op, err)
		}
		byFlow := map[uuid.UUID][]Notification{}
		for _, n := range found {
			byFlow[n.FlowID] = append(byFlow[n.FlowID], n)
		}
		for id, group := range byFlow {
			resolved, err := s.resolveGroup(ctx, by, group, action, reason, edit)
			report.Resolved += resolved
			if err != nil {
				return report, flowFailure(op, id, err)
			}
			report.Skipped += len(group) - resolved
		}
	}
	return report, nil
}

// resolveGroup applies an action to notifications of one flow, or to notifications without a flow,
// and returns how many it changed. It leaves out those that another operator changes at the same
// moment.
func (s *Service) resolveGroup(ctx context.Context, by flussi.Actor, group []Notification, action NotificationAction, reason string, edit func(*Notification, *Flow) error) (int, error) {
	for tries := (core.Tries{}); len(group) > 0; {
		f, err := flowOf(ctx, s.store, group[0])
		if err != nil || f != nil && f.Disabled {
			return 0, err
		}
		changes := make([]NotificationChange, len(group))
		for i, n := range group {
			from := n.State
			if err := n.Fire(ctx, action, by); err != nil {
				return 0, err
			}
			if err := edit(&n, f); err != nil {
				return 0, err
			}
			changes[i] = n.change(action, from, by.ID, reason)
		}
		err = allTogether(ctx, s.store, by.ID, f, group, changes, fmt.Sprintf("%s: %s.", italian.Notification.Count(len(group)), italian.Quote(action.Label())))
		if err == nil {
			return len(group), nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return 0, err
		}
		if group, err = s.unchanged(ctx, group); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// unchanged returns the notifications of the group whose version is still the same.
func (s *Service) unchanged(ctx context.Context, group []Notification) ([]Notification, error) {
	var same []Notification
	for _, n := range group {
		now, err := s.store.Notification(ctx, n.ID)
		if err != nil {
			return nil, core.NotFound(err)
		}
		if now.Version == n.Version {
			same = append(same, n)
		}
	}
	return same, nil
}
