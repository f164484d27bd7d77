package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// NewConfig says how a new notification is sent at once.
type NewConfig struct {
	// ID of the notification. A program whose form may be submitted twice gives each form
	// an ID when it is opened, and the second submission is an [ErrConflict]. Defaults to
	// a new one.
	ID uuid.UUID
	// Repeat sends the notification although the service has the same message for the same
	// citizen already. Defaults to false: it is refused with [ErrDuplicate].
	Repeat bool
}

// SendNew (Nuovo, Aggiungi) creates a notification outside any flow and sends it at once.
// It returns when the outcome is known. See [Service.SendNotification] for what comes of
// it: the notification exists unless the error came before it was created, in which case
// it is the zero Notification.
func (s *Service) SendNew(ctx context.Context, by flussi.Actor, service string, d Draft, c NewConfig) (Notification, error) {
	const op = "send new notification"
	n, err := NewNotification(service, d.Recipient, by)
	if err == nil {
		err = s.admitOperator(ctx, by, service, op)
	}
	if err == nil {
		err = s.validate(d)
	}
	if err == nil && !c.Repeat {
		err = s.unsent(ctx, service, d)
	}
	if err != nil {
		return Notification{}, failure(op, uuid.Nil, err)
	}
	n.Draft = d.normal()
	if c.ID != uuid.Nil {
		n.ID = c.ID
	}
	if err := s.store.SaveNotifications(ctx, created(n)); err != nil {
		return Notification{}, failure(op, n.ID, err)
	}
	n.Version++
	return s.send(ctx, op, by, n)
}

// unsent refuses a message that the citizen has from the service already, or is about to
// get. What surely did not arrive does not count.
func (s *Service) unsent(ctx context.Context, service string, d Draft) error {
	for n, err := range all(ctx, s.store, NotificationFilter{Services: []string{service}, Digests: []Digest{d.Digest()}, Disabled: OnlyEnabled}) {
		if err != nil {
			return err
		}
		if n.State == NotificationFailed && n.Transmission.ErrorCode != ErrorOutcomeUnknown {
			continue
		}
		return &Error{Operation: "send new notification", ID: n.ID, Err: ErrDuplicate, Reason: fmt.Sprintf(
			"Doppione: il servizio ha già lo stesso messaggio per lo stesso cittadino (notifica %s, stato «%s»).", n.ID, n.State.Label())}
	}
	return nil
}

// SendNotification (Invia Messaggio) sends a notification that is Registrato, at once: one
// that stands alone, or one whose flow was sent before, after a correction. With a flow
// in another state it is refused with [ErrFlowState].
//
// It returns when the outcome is known, and no error only if the platform accepted the
// message. Otherwise the notification that it returns says what came of it: it is in
// Errore, with the same reason as the error; or it is Registrato again, since it surely
// was not sent, and can be sent later. When the context ends, a message that is on its way
// has half a minute left to be answered. If the outcome cannot be stored, the error says so; the
// notification becomes Errore with an unknown outcome when its lease is over and a
// [Dispatcher] finds it.
func (s *Service) SendNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	const op = "send notification"
	n, err := s.notification(ctx, by, id)
	if err == nil {
		err = s.admitOperator(ctx, by, n.Service, op)
	}
	if err != nil {
		return Notification{}, failure(op, id, err)
	}
	return s.send(ctx, op, by, n)
}

// send claims a notification, sends it and stores the outcome.
func (s *Service) send(ctx context.Context, op string, by flussi.Actor, n Notification) (Notification, error) {
	messenger, err := s.sender.messengers(ctx, n.Service)
	if err != nil {
		return n, failure(op, n.ID, err)
	}
	start := time.Now()
	n, err = s.claim(ctx, by, n)
	if err != nil {
		return n, failure(op, n.ID, err)
	}
	calls, cancel := patient(ctx, defaultGrace)
	defer cancel()
	calls, cancel = context.WithDeadline(calls, cutTime(start, s.lease))
	defer cancel()
	o := outcome{action: NotificationRelease, err: ctx.Err()}
	if o.err == nil {
		o = s.sender.submit(calls, messenger, n, nil)
	}
	writing, cancel := context.WithDeadline(context.WithoutCancel(ctx), start.Add(s.lease))
	defer cancel()
	n, err = s.report(writing, by.ID, n, o)
	if err != nil {
		return n, failure(op, n.ID, fmt.Errorf("outcome %s not stored: %w", o.action, err))
	}
	return n, failure(op, n.ID, o.failure())
}

// failure is the error of an outcome that is not a sent message.
func (o outcome) failure() error {
	switch {
	case o.action == NotificationAccept:
		return nil
	case o.err == nil:
		return &Error{Operation: "check profile", Err: ErrUnreachable, Reason: o.code.Italian()}
	}
	return o.err
}

// ErrUnreachable: the citizen is not on App IO, or blocks the service.
var ErrUnreachable = errors.New("citizen not reachable")

// claim makes a notification In invio, under a lease, with its flow.
func (s *Service) claim(ctx context.Context, by flussi.Actor, n Notification) (Notification, error) {
	seen := n.Version
	for try := 0; ; try++ {
		f, err := s.sentFlow(ctx, n)
		if err != nil {
			return n, err
		}
		before := n
		claimed := n
		if err := claimed.Fire(ctx, NotificationClaim, asSystem(by.ID)); err != nil {
			return n, err
		}
		change := claimed.change(NotificationClaim, before.State, by.ID, "")
		change.Lease = s.lease
		claimed, err = together(ctx, s.store, by.ID, f, before, change)
		if err == nil || !errors.Is(err, ErrConflict) || try == maxTries {
			if err != nil {
				return n, err
			}
			return claimed, nil
		}
		if n, err = s.store.Notification(ctx, n.ID); err != nil {
			return n, plain(err)
		}
		if n.Version != seen {
			return n, ErrConflict
		}
	}
}

// sentFlow reads the flow of a notification, nil if it stands alone, and refuses one that
// is not over.
func (s *Service) sentFlow(ctx context.Context, n Notification) (*Flow, error) {
	if n.FlowID == uuid.Nil {
		return nil, nil
	}
	f, err := s.store.Flow(ctx, n.FlowID)
	switch {
	case err != nil:
		return nil, plain(err)
	case f.Disabled:
		return nil, checkFlag(true, false, "Flow", "Il flusso")
	case f.State != FlowSent && f.State != FlowIncomplete:
		return nil, &Error{Operation: "send notification", ID: n.ID, Err: ErrFlowState, Reason: fmt.Sprintf(
			"Il flusso è nello stato «%s»: la notifica si invia con il flusso.", f.State.Label())}
	}
	return &f, nil
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

// errOvertaken: the notification went on without its sender, whose outcome comes too late.
var errOvertaken = errors.New("overtaken")

// settle stores an outcome once, with the notification's flow. If the lease was over and
// somebody made the outcome unknown, what the sender knows still counts.
func settle(ctx context.Context, store Store, by string, n Notification, o outcome) (Notification, error) {
	var f *Flow
	if n.FlowID != uuid.Nil {
		read, err := store.Flow(ctx, n.FlowID)
		if err != nil {
			return n, err
		}
		f = &read
	}
	change, err := o.apply(ctx, n, by)
	if err != nil {
		return n, err
	}
	stored, err := together(ctx, store, by, f, n, change)
	if err == nil {
		return stored, nil
	}
	if !errors.Is(err, ErrConflict) {
		return n, err
	}
	current, err := store.Notification(ctx, n.ID)
	if err != nil {
		return n, err
	}
	if current.Version == n.Version {
		return n, ErrConflict // only the flow moved: once more
	}
	return overtaken(ctx, store, by, current, change, o)
}

// overtaken looks at a notification that changed before its sender stored the outcome.
func overtaken(ctx context.Context, store Store, by string, current Notification, wanted NotificationChange, o outcome) (Notification, error) {
	is, want := current, wanted.Notification
	switch {
	case is.State == want.State && is.Transmission.MessageID == want.Transmission.MessageID && is.Transmission.ErrorCode == want.Transmission.ErrorCode:
		return current, nil // it was stored, though the store said otherwise
	case o.action == NotificationAccept && is.State == NotificationFailed && is.Transmission.ErrorCode == ErrorOutcomeUnknown:
		return settle(ctx, store, by, current, o)
	}
	return current, fmt.Errorf("%w: it is %s", errOvertaken, current.State)
}

// backoff waits longer each time. The zero value begins with a tenth of a second.
type backoff struct{ next time.Duration }

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// wait waits, or returns the context's error when that ends.
func (b *backoff) wait(ctx context.Context) error {
	b.next = min(max(2*b.next, minBackoff), maxBackoff)
	return wait(ctx, b.next)
}

// wait waits, or returns the context's error when that ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
