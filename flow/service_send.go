package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/pace"
)

// SendNewConfig says how a new notification is sent at once.
type SendNewConfig struct {
	// ID of the notification. A program whose form may be submitted twice, perhaps at the same
	// moment, or that tries again after an error, gives each form an ID when it is opened. The
	// second submission is a [flussi.ErrExists] and returns the notification as it is: if that is
	// Registrato, it was not sent, and [Service.SendNotification] sends it. Defaults to a new ID.
	ID uuid.UUID
}

// SendNewNotification (Nuovo, Aggiungi) creates a notification outside any flow and sends it at
// once. It returns when the outcome is known. See [Service.SendNotification] for the outcomes. The
// notification that is returned is stored, unless it is the zero Notification. If the service has
// sent the same message to the same citizen, or is about to, the error is a [flussi.ErrDuplicate],
// and nothing is created; to send the message again, set another [Draft.Occasion]. Of two that are
// submitted at the same moment, one is sent, and the other becomes Errore with [CodeAlreadySent].
func (s *Service) SendNewNotification(ctx context.Context, by flussi.Actor, service string, d Draft, c SendNewConfig) (Notification, error) {
	const op = "send new notification"
	n, err := s.draft(ctx, by, service, d, c)
	if err == nil {
		err = s.store.SaveNotifications(ctx, created(n))
	}
	if errors.Is(err, flussi.ErrConflict) && c.ID != uuid.Nil {
		if n, err = s.notification(ctx, by, c.ID); err == nil {
			err = refuse(flussi.ErrExists, "La notifica è già stata aggiunta, ed è nello stato «%s».", n.State.Label())
		}
		return n, notificationFailure(op, c.ID, err)
	}
	if err != nil {
		return Notification{}, notificationFailure(op, c.ID, err)
	}
	n.Version++
	return s.send(ctx, op, by, n)
}

// draft makes a new notification, and stores nothing.
func (s *Service) draft(ctx context.Context, by flussi.Actor, service string, d Draft, c SendNewConfig) (Notification, error) {
	if err := s.admitOperator(ctx, by, service); err != nil {
		return Notification{}, err
	}
	if err := d.Validate(s.limits); err != nil {
		return Notification{}, err
	}
	n, err := NewNotification(service, d.Recipient, by)
	if err != nil {
		return Notification{}, err
	}
	n.Draft = d.normal()
	if c.ID != uuid.Nil {
		n.ID = c.ID
		switch _, err := s.store.Notification(ctx, c.ID); {
		case err == nil:
			return Notification{}, flussi.ErrConflict
		case !errors.Is(err, flussi.ErrNotFound):
			return Notification{}, err
		}
	}
	return n, s.unsent(ctx, n)
}

// unsent refuses a message that another notification of the service has sent to the citizen, or is
// about to send. It informs the operator early; the store decides again when the notification is
// claimed.
func (s *Service) unsent(ctx context.Context, n Notification) error {
	for other, err := range all(ctx, s.store, NotificationFilter{Services: []string{n.Service}, Digests: []Digest{n.Digest()}}) {
		if err != nil {
			return err
		}
		if other.ID == n.ID {
			continue
		}
		if !other.MayHaveArrived() {
			disabled, err := s.flowDisabled(ctx, other)
			if err != nil {
				return err
			}
			if !other.IsPending(disabled) {
				continue
			}
		}
		return refuseAbout(entityNotification, other.ID, flussi.ErrDuplicate,
			"Doppione: il servizio ha già lo stesso messaggio per lo stesso cittadino (notifica %s, stato «%s»). Se è un nuovo invio, indicare un'occasione diversa.", other.ID, other.State.Label())
	}
	return nil
}

// flowDisabled reports whether the flow of a notification is disabled, or missing; false if the
// notification has no flow.
func (s *Service) flowDisabled(ctx context.Context, n Notification) (bool, error) {
	switch f, err := flowOf(ctx, s.store, n); {
	case err == flussi.ErrNotFound:
		return true, nil
	case err != nil:
		return false, err
	default:
		return f != nil && f.Disabled, nil
	}
}

// SendNotification (Invia Messaggio) sends a notification that is Registrato, at once: one without
// a flow, or a corrected one whose flow was sent before. With a flow in another state it is refused
// with [flussi.ErrState]. If the citizen may have the message from another notification of the
// service, it is not sent: it becomes Errore with [CodeAlreadySent], and the error is a
// [flussi.ErrDuplicate].
//
// It returns when the outcome is known, and no error only if the platform accepted the message.
// Otherwise the notification that it returns is in Errore, with the same reason as the error; or it
// is Registrato again, since it was certainly not sent, and can be sent later. When the context
// ends, a request that is under way has 35 seconds left, and storing its outcome as long. If it
// cannot be stored, the error is an [ErrOutcomeNotStored].
func (s *Service) SendNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	const op = "send notification"
	n, err := s.notification(ctx, by, id)
	if err == nil {
		err = s.admitOperator(ctx, by, n.Service)
	}
	if err != nil {
		return Notification{}, notificationFailure(op, id, err)
	}
	return s.send(ctx, op, by, n)
}

// send claims a notification, sends it and stores the outcome.
func (s *Service) send(ctx context.Context, op string, by flussi.Actor, n Notification) (Notification, error) {
	messenger, err := s.sender.messenger(ctx, n.Service)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return n, notificationFailure(op, n.ID, err)
	}
	// From here on the context does not cut off what is stored: a claim without a result
	// would become an unknown outcome.
	writing, cancel := patient(ctx, 2*defaultGrace)
	defer cancel()
	start := time.Now()
	n, err = s.claim(writing, by, n)
	if err != nil {
		return n, notificationFailure(op, n.ID, err)
	}
	calls, cancel := patient(ctx, defaultGrace)
	defer cancel()
	calls, cancel = within(calls, s.lease, start)
	defer cancel()
	o := outcome{action: NotificationRelease, err: ctx.Err()}
	if o.err == nil && pace.MayStart(calls) == nil {
		o = s.sender.submit(calls, messenger, n, nil)
	}
	writing, cancel = context.WithDeadline(writing, storeTime(start, s.lease, defaultGrace))
	defer cancel()
	n, err = s.report(writing, by.ID, n, o)
	if err != nil {
		return n, notificationFailure(op, n.ID, fmt.Errorf("%w: %s: %w", ErrOutcomeNotStored, o.action, err))
	}
	switch {
	case o.action == NotificationAccept:
		return n, nil
	case o.err == nil && o.action == NotificationRelease:
		o.err = pace.ErrTooLate
	case o.err == nil:
		o.err = ErrCitizenUnreachable
	}
	return n, &flussi.Error{Package: "flow", Operation: op, Entity: entityNotification, ID: n.ID, Err: o.err, Reason: o.explanation()}
}

// claim makes a notification In invio, under a lease, with its flow. If the citizen may have its
// message already, it makes it Errore and returns an [*AlreadySentError].
func (s *Service) claim(ctx context.Context, by flussi.Actor, n Notification) (Notification, error) {
	seen := n.Version
	var refused *AlreadySentError
	for tries := (core.Tries{}); ; {
		f, err := s.sentFlow(ctx, n)
		if err != nil {
			return n, err
		}
		before, claimed := n, n
		if err := claimed.Fire(ctx, NotificationClaim, asSystem(by.ID)); err != nil {
			return n, notSendable(n, err)
		}
		change := claimed.change(NotificationClaim, before.State, by.ID, "")
		change.Lease = s.lease
		if refused != nil {
			change = n.SkipAlreadySent(refused.Earlier, now(), by.ID)
		}
		claimed, err = together(ctx, s.store, by.ID, f, before, change)
		switch {
		case err == nil && refused != nil:
			return claimed, refused
		case err == nil:
			return claimed, nil
		case errors.As(err, &refused):
			continue
		}
		if err := tries.Again(ctx, err); err != nil {
			return n, err
		}
		if n, err = s.store.Notification(ctx, n.ID); err != nil {
			return n, core.NotFound(err)
		}
		if n.Version != seen {
			return n, flussi.ErrConflict
		}
	}
}

// notSendable returns the reason why a notification cannot be sent in its state. The error of the
// machine names the claim, which operators do not know.
func notSendable(n Notification, err error) error {
	if !errors.Is(err, fsm.ErrNotAllowed) {
		return err
	}
	reason := "La notifica è già stata inviata."
	switch n.State {
	case NotificationSending:
		reason = "L'invio della notifica è già in corso."
	case NotificationFailed:
		reason = "La notifica è nello stato «Errore»: correggerla se serve, riportarla a «Registrato» e ripetere «Invia Messaggio»."
		if code := n.Transmission.ErrorCode; code == CodeOutcomeUnknown || code == CodeAlreadySent {
			reason = code.Italian()
		}
	}
	return refuse(err, "%s", reason)
}

// sentFlow reads the flow of a notification, nil if it has none, and refuses one that is not over.
func (s *Service) sentFlow(ctx context.Context, n Notification) (*Flow, error) {
	f, err := flowOf(ctx, s.store, n)
	switch {
	case err != nil:
		return nil, err
	case f != nil && f.Disabled:
		return nil, checkFlag(true, "", italian.Flow)
	case !isOver(f):
		return nil, refuse(flussi.ErrState, "Il flusso è nello stato «%s»: la notifica si invia con il flusso.", f.State.Label())
	}
	return f, nil
}

// isOver reports whether a notification of the flow, nil for none, may be sent by itself.
func isOver(f *Flow) bool {
	return f == nil || f.State == FlowSent || f.State == FlowIncomplete
}

// report stores the outcome of a notification that was claimed, until ctx ends.
func (s *Service) report(ctx context.Context, by string, n Notification, o outcome) (Notification, error) {
	var pause backoff
	for {
		stored, err := settle(ctx, s.store, by, n, o)
		if err == nil || errors.Is(err, errOvertaken) || ctx.Err() != nil {
			return stored, err
		}
		if waited := pause.wait(ctx); waited != nil {
			return n, err
		}
	}
}
