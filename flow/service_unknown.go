package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// ResolveReport says what became of notifications whose outcome was unknown.
type ResolveReport struct {
	Resolved int // notifications that were confirmed, or are Registrato again
	Skipped  int // that were left alone: they were changed at the same moment, or their flow is disabled
}

// ConfirmUnknown (Conferma come inviata) does what [Service.ConfirmNotification] does for all
// notifications that match the filter and whose outcome is unknown, such as those of a flow: one
// decision of the operator, with one reason, recorded in the history of each. Disabled ones are
// left alone, also if the filter asks for them. Notifications are stored in groups, so an error, or a context that ends, leaves those
// before as they are; call it again for the rest. Services in the filter are as in
// [Service.Notifications].
func (s *Service) ConfirmUnknown(ctx context.Context, by flussi.Actor, filter NotificationFilter, reason string) (ResolveReport, error) {
	return s.resolve(ctx, "confirm unknown outcomes", by, filter, NotificationConfirm, reason, confirmed)
}

// ResendUnknown (Invia di nuovo) does what [Service.ResendNotification] does for all notifications
// that match the filter and whose outcome is unknown, as [Service.ConfirmUnknown] does.
func (s *Service) ResendUnknown(ctx context.Context, by flussi.Actor, filter NotificationFilter, reason string) (ResolveReport, error) {
	return s.resolve(ctx, "resend unknown outcomes", by, filter, NotificationResend, reason, knowingly)
}

func (s *Service) resolve(ctx context.Context, op string, by flussi.Actor, filter NotificationFilter, action NotificationAction, reason string, edit func(*Notification, *Flow) error) (ResolveReport, error) {
	var report ResolveReport
	services, page, err := s.searched(ctx, by, filter.Services, filter.Text, Page{Limit: MaxPage, OldestFirst: true})
	if err == nil && len(services) > 0 {
		err = s.admitOperator(ctx, by, services[0], op)
	}
	if err == nil {
		err = needsReason(reason)
	}
	if err != nil || len(services) == 0 || filter.Disabled == OnlyDisabled || len(filter.ErrorCodes) > 0 && !slices.Contains(filter.ErrorCodes, ErrorOutcomeUnknown) {
		return report, failure(op, uuid.Nil, err)
	}
	filter.Services, filter.ErrorCodes, filter.Disabled = services, []ErrorCode{ErrorOutcomeUnknown}, OnlyEnabled
	for {
		found, err := s.store.Notifications(ctx, filter, page)
		if err != nil {
			return report, failure(op, uuid.Nil, err)
		}
		byFlow := map[uuid.UUID][]Notification{}
		for _, n := range found {
			byFlow[n.FlowID] = append(byFlow[n.FlowID], n)
		}
		for id, group := range byFlow {
			resolved, err := s.resolveGroup(ctx, by, id, group, action, reason, edit)
			report.Resolved += resolved
			if err != nil {
				return report, failure(op, id, err)
			}
			report.Skipped += len(group) - resolved
		}
		if len(found) < page.Limit {
			return report, nil
		}
		page.After = found[len(found)-1].Cursor()
	}
}

// resolveGroup takes a step with notifications of one flow, or of none, and returns how many took
// it. Those that another operator changed at the same moment are left out.
func (s *Service) resolveGroup(ctx context.Context, by flussi.Actor, flowID uuid.UUID, group []Notification, action NotificationAction, reason string, edit func(*Notification, *Flow) error) (int, error) {
	for try := 0; len(group) > 0; try++ {
		var f *Flow
		if flowID != uuid.Nil {
			read, err := s.store.Flow(ctx, flowID)
			if err != nil {
				return 0, plain(err)
			}
			if read.Disabled {
				return 0, nil
			}
			f = &read
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
		err := allTogether(ctx, s.store, by.ID, f, group, changes, fmt.Sprintf("%s: %s.", counted(len(group), "notifica", "notifiche"), action.Label()))
		if err == nil {
			return len(group), nil
		}
		if !errors.Is(err, ErrConflict) || try == maxTries {
			return 0, err
		}
		if err := again(ctx, try); err != nil {
			return 0, err
		}
		if group, err = s.unchanged(ctx, group); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// unchanged returns those of some notifications that nobody changed since they were read.
func (s *Service) unchanged(ctx context.Context, group []Notification) ([]Notification, error) {
	var same []Notification
	for _, n := range group {
		now, err := s.store.Notification(ctx, n.ID)
		if err != nil {
			return nil, plain(err)
		}
		if now.Version == n.Version {
			same = append(same, n)
		}
	}
	return same, nil
}
