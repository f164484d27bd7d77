package flow

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// EditNotification (Aggiorna) corrects the data of a notification that is Registrato or in Errore,
// unless its outcome is unknown ([ErrMayHaveArrived]). The version is the one that the operator
// read; if the notification has another one now, the error is a [flussi.ErrConflict]. While its
// flow is Attivo or In invio, what is Registrato is fixed ([flussi.ErrState]). A message that the
// flow has already for the same citizen is refused ([flussi.ErrDuplicate]); without a flow, one
// that the service has.
func (s *Service) EditNotification(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d Draft) (Notification, error) {
	return s.changeNotification(ctx, "edit notification", by, id, NotificationEdit, "", func(n *Notification, f *Flow) error {
		if n.Version != version {
			return flussi.ErrConflict
		}
		if err := fixed(n, f); err != nil {
			return err
		}
		if err := d.Validate(s.limits); err != nil {
			return err
		}
		d = d.normal()
		n.AllowDuplicate = n.AllowDuplicate && d.Digest() == n.Digest() // the order was for the old message
		n.Draft = d
		return s.unique(ctx, n)
	})
}

// fixed refuses to change what is about to be sent with its flow.
func fixed(n *Notification, f *Flow) error {
	if f == nil || n.State != NotificationRegistered || f.State != FlowActive && f.State != FlowSending {
		return nil
	}
	return refuse(flussi.ErrState, "Il flusso è nello stato «%s»: le notifiche da inviare non si possono modificare fino alla fine dell'invio.", f.State.Label())
}

// unique refuses a notification whose flow has the same message for the same citizen, or for one
// without a flow, whose service has.
func (s *Service) unique(ctx context.Context, n *Notification) error {
	if n.FlowID == uuid.Nil {
		return s.unsent(ctx, *n)
	}
	filter := NotificationFilter{Flow: n.FlowID, Digests: []Digest{n.Digest()}}
	same, err := s.store.Notifications(ctx, filter, Page{Limit: 2})
	if err != nil {
		return err
	}
	for _, other := range same {
		if other.ID != n.ID {
			return refuseAbout(entityNotification, other.ID, flussi.ErrDuplicate,
				"Doppione: lo stesso messaggio per lo stesso cittadino è già nel flusso (notifica %s). Correggere i dati, o disabilitare la notifica; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.", other.ID)
		}
	}
	return nil
}

// RegisterNotification (Registrato) sets a notification in Errore back, so that it is sent again:
// by [Service.SendNotification], or with its flow by [Service.SendFlow]. While the outcome is
// unknown it is refused with [ErrMayHaveArrived]: see [Service.ConfirmNotification] and
// [Service.ResendNotification]. After [CodeAlreadySent], the next claim refuses it again, unless
// the earlier message turned out not to have arrived.
func (s *Service) RegisterNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	return s.changeNotification(ctx, "register notification", by, id, NotificationRegister, "", clearTransmission)
}

// ConfirmNotification (Conferma come inviata) resolves an unknown outcome: the operator
// knows that the message arrived, say from the citizen. The reason is recorded; keep
// personal data out of it. Without one it is refused with [flussi.ErrEmpty].
func (s *Service) ConfirmNotification(ctx context.Context, by flussi.Actor, id uuid.UUID, reason string) (Notification, error) {
	return s.changeNotification(ctx, "confirm notification", by, id, NotificationConfirm, reason, func(n *Notification, f *Flow) error {
		if err := needsReason(reason); err != nil {
			return err
		}
		return markConfirmed(n, f)
	})
}

// markConfirmed clears the error of a notification that an operator confirms as sent.
func markConfirmed(n *Notification, _ *Flow) error {
	n.Transmission.ErrorCode, n.Transmission.Error = "", ""
	return nil
}

// ResendNotification (Invia di nuovo) resolves an unknown outcome, or [CodeAlreadySent], by
// accepting that the citizen may get the message twice: the notification is Registrato again, to
// be sent as after [Service.RegisterNotification]. After [CodeAlreadySent] it is sent once,
// even if other notifications sent the same message. After an unknown outcome it is not sent if
// another notification sends the message first: one order is for one more message. The reason is
// recorded; keep personal data out of it. Without one it is refused with [flussi.ErrEmpty].
func (s *Service) ResendNotification(ctx context.Context, by flussi.Actor, id uuid.UUID, reason string) (Notification, error) {
	return s.changeNotification(ctx, "resend notification", by, id, NotificationResend, reason, func(n *Notification, f *Flow) error {
		if err := needsReason(reason); err != nil {
			return err
		}
		return prepareResend(n, f)
	})
}

func needsReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return &flussi.ValueError{Type: "Reason", Err: flussi.ErrEmpty, Reason: "Manca il motivo della decisione."}
	}
	e := &core.Invalid{}
	e.Text(core.TextRule{Field: "Reason", Name: "il motivo", Max: MaxNote}, reason)
	return e.OrNil()
}

// clearTransmission prepares a notification for another sending.
func clearTransmission(n *Notification, _ *Flow) error {
	n.Transmission = Transmission{Attempts: n.Transmission.Attempts, StoppedFlow: n.Transmission.StoppedFlow}
	n.Delivery = Delivery{}
	n.AllowDuplicate = false
	return nil
}

// prepareResend prepares a notification for another sending, although the citizen may have its
// message. After an unknown outcome, being Registrato again is enough: the notification no longer
// keeps others with its message from being sent. After [CodeAlreadySent] the message is in another
// notification, so this one needs AllowDuplicate.
func prepareResend(n *Notification, f *Flow) error {
	repeat := n.Transmission.ErrorCode == CodeAlreadySent
	err := clearTransmission(n, f)
	n.AllowDuplicate = repeat
	return err
}

// DisableNotification (Dis.) sets a notification aside: it is not sent, and does not
// count for the state of its flow. It is refused while the notification is In invio, and
// as an edit is while its flow is Attivo or In invio.
func (s *Service) DisableNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	return s.changeNotification(ctx, "disable notification", by, id, NotificationDisable, "", func(n *Notification, f *Flow) error {
		n.Disabled = true
		return fixed(n, f)
	})
}

// EnableNotification undoes DisableNotification.
func (s *Service) EnableNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	return s.changeNotification(ctx, "enable notification", by, id, NotificationEnable, "", func(n *Notification, f *Flow) error {
		n.Disabled = false
		return fixed(n, f)
	})
}

// changeNotification takes a step with a notification, edits it, and stores it with its flow, which
// is nil for one without a flow. After a conflict it retries if the notification has the same
// version; a changed notification is a conflict of the caller.
func (s *Service) changeNotification(ctx context.Context, op string, by flussi.Actor, id uuid.UUID, action NotificationAction, reason string, edit func(*Notification, *Flow) error) (Notification, error) {
	var seen int64
	for tries := (core.Tries{}); ; {
		n, err := s.notification(ctx, by, id)
		var f *Flow
		var before Notification
		switch {
		case err != nil:
		case seen != 0 && n.Version != seen:
			err = flussi.ErrConflict
		default:
			seen, before = n.Version, n
			f, err = s.editNotification(ctx, by, &n, action, edit)
		}
		if err != nil {
			return Notification{}, notificationFailure(op, id, err)
		}
		changed, err := together(ctx, s.store, by.ID, f, before, n.change(action, before.State, by.ID, reason))
		if err == nil {
			return changed, nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return Notification{}, notificationFailure(op, id, err)
		}
	}
}

// editNotification takes a step with a notification and edits it. It returns its flow, and stores
// nothing.
func (s *Service) editNotification(ctx context.Context, by flussi.Actor, n *Notification, action NotificationAction, edit func(*Notification, *Flow) error) (*Flow, error) {
	f, err := flowOf(ctx, s.store, *n)
	switch {
	case err != nil:
		return nil, err
	case f != nil && f.Disabled:
		return nil, checkFlag(true, "", italian.Flow)
	}
	if err := n.Fire(ctx, action, by); err != nil {
		return nil, err
	}
	return f, edit(n, f)
}

// together stores a change of a notification together with its flow: see allTogether.
func together(ctx context.Context, store Store, by string, f *Flow, before Notification, c NotificationChange) (Notification, error) {
	reason := fmt.Sprintf("Notifica %s: %s.", c.Notification.ID, italian.Quote(c.Record.Action.Label()))
	if err := allTogether(ctx, store, by, f, []Notification{before}, []NotificationChange{c}, reason); err != nil {
		return Notification{}, err
	}
	c.Notification.Version++
	return c.Notification, nil
}

// allTogether stores changes of notifications of one flow together with the flow's next state; f is
// nil for notifications without a flow. Each call increments the flow's version, so two concurrent
// calls cannot both conclude the flow.
func allTogether(ctx context.Context, store Store, by string, f *Flow, before []Notification, changes []NotificationChange, reason string) error {
	if f == nil {
		return store.SaveNotifications(ctx, changes...)
	}
	from := f.State
	for i, c := range changes {
		f.Counts.Add(before[i], -1)
		f.Counts.Add(c.Notification, 1)
	}
	action, err := f.conclude(ctx, by, FlowNotificationChanged)
	if err != nil {
		return err
	}
	return store.SaveFlow(ctx, f.change(action, from, by, reason), func(yield func(NotificationChange, error) bool) {
		for _, c := range changes {
			if !yield(c, nil) {
				return
			}
		}
	})
}
