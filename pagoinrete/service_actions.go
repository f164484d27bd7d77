package pagoinrete

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// EventActions returns what the actor may do with an event now, by its state and its notices: the
// buttons to show, in the order of the machine's table.
func (s *Service) EventActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]EventAction, error) {
	e, err := s.event(ctx, by, id)
	if err != nil {
		return nil, eventFailure("get actions of event", id, err)
	}
	return e.Actions(by.Roles...), nil
}

// Actions returns what an actor with the roles may do with the event now, by its state and Counts:
// the buttons to show, in the order of the machine's table. It is for lists, where
// [Service.EventActions] would read each event again.
func (e *Event) Actions(roles ...flussi.Role) []EventAction {
	return slices.DeleteFunc(e.Allowed(roles...), func(action EventAction) bool {
		switch action {
		case EventSubmit:
			return noticesReady(*e) != nil
		case EventAddNotices:
			return e.Kind == Donation
		case EventTransmitNotices:
			return e.Counts.NotLinked == 0
		case EventNotify:
			return e.Kind == Fee && e.Counts.Unpaid == 0
		case EventDownload, EventShow:
			return e.Counts.NotCancelled() == 0
		case EventResolveDiscrepancy:
			return !e.Discrepancy.Open()
		}
		return false
	})
}

// take takes a step with the event. If its state does not allow the step, the error names the steps
// that its state and its notices allow.
func (e *Event) take(ctx context.Context, action EventAction, by flussi.Actor) error {
	err := e.Fire(ctx, action, by)
	return core.Offer(err, func() []EventAction { return e.Actions(by.Roles...) })
}

// NoticeActions returns what the actor may do with a notice now, by its state and its event: the
// buttons to show, in the order of the machine's table.
func (s *Service) NoticeActions(ctx context.Context, by flussi.Actor, id uuid.UUID) ([]NoticeAction, error) {
	n, e, err := s.noticeAndEvent(ctx, by, id)
	if err != nil {
		return nil, noticeFailure("get actions of notice", id, err)
	}
	return n.Actions(e, by.Roles...), nil
}

// Actions returns what an actor with the roles may do with the notice now, by its state and its
// event: the buttons to show, in the order of the machine's table. It is for lists, where
// [Service.NoticeActions] would read each notice and its event again.
func (n *Notice) Actions(e Event, roles ...flussi.Role) []NoticeAction {
	return slices.DeleteFunc(n.Allowed(roles...), func(action NoticeAction) bool {
		return noticeReady(action, *n, e) != nil || action == NoticeShow && n.Visible || action == NoticeHide && !n.Visible
	})
}

// take takes a step with the notice. If its state does not allow the step, the error names the
// steps that its state and its event allow.
func (n *Notice) take(ctx context.Context, action NoticeAction, e Event, by flussi.Actor) error {
	err := n.Fire(ctx, action, by)
	return core.Offer(err, func() []NoticeAction { return n.Actions(e, by.Roles...) })
}

// fee reads an event whose notices the actor may take an action with. A donation has none.
func (s *Service) fee(ctx context.Context, by flussi.Actor, id uuid.UUID, action EventAction) (Event, error) {
	e, err := s.event(ctx, by, id)
	if err == nil {
		err = e.take(ctx, action, by)
	}
	if err == nil && e.Kind == Donation {
		err = refuse(ErrDonation, "Un'erogazione liberale non ha avvisi di pagamento: passare all'operazione successiva.")
	}
	return e, err
}
