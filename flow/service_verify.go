package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/core"
)

// VerifyReport says what the verification of a flow found.
type VerifyReport struct {
	Asked    int // messages that were verified; those without a MessageID are not
	Final    int // of them, those whose delivery is final now, and went well
	Rejected int // of them, those that did not arrive after all: their notifications are in Errore now
	Failed   int // of them, those without an answer of the platform
	// Failures are the first of the Failed, at most [MaxVerifyFailures], in no order.
	Failures []VerifyFailure
}

// VerifyFailure is a message whose state the platform did not report.
type VerifyFailure struct {
	NotificationID uuid.UUID // of the message
	Err            error     // what the Sender returned, such as a [flussi.ErrRemoteForbidden] for a message of another service
}

// MaxVerifyFailures is how many Failures a [VerifyReport] lists.
const MaxVerifyFailures = 100

// VerifyNotification (Verifica Stato) reads from the platform what became of a notification that is
// Inviato, and stores it. If the message was rejected, or failed for good, the notification becomes
// Errore, and its flow Invio incompleto. What the platform does not report is not changed. It is
// refused with a [flussi.ErrEmpty] if there is no MessageID, as after
// [Service.ConfirmNotification].
func (s *Service) VerifyNotification(ctx context.Context, by flussi.Actor, id uuid.UUID) (Notification, error) {
	const op = "verify notification"
	n, err := s.notification(ctx, by, id)
	if err != nil {
		return Notification{}, notificationFailure(op, id, err)
	}
	checked := n
	if err := checked.Fire(ctx, NotificationVerify, by); err != nil {
		return n, notificationFailure(op, id, err)
	}
	if n.Transmission.MessageID == "" {
		return n, notificationFailure(op, id, &flussi.ValueError{Type: "MessageID", Err: flussi.ErrEmpty,
			Reason: "App IO non ha dato un ID al messaggio: non si può verificare."})
	}
	messenger, err := s.sender.messenger(ctx, n.Service)
	if err != nil {
		return n, notificationFailure(op, id, err)
	}
	state, err := messenger.Message(ctx, n.Recipient, n.Transmission.MessageID)
	if err != nil {
		return n, notificationFailure(op, id, err)
	}
	n, err = applyMessageState(ctx, s.store, by.ID, n, state)
	return n, notificationFailure(op, id, err)
}

// VerifyFlow (Verifica Stato) reads the state of all messages of a flow whose delivery is not
// final, and stores it, as [Service.VerifyNotification] does. It makes one call for each; if the
// context ends, what was stored by then remains. A notification is stored only if it has news; the
// flow's history records the verification. It counts and skips messages without an answer, and
// those that the service may not read because another service sent them.
//
// It ends with an error if the platform does not accept the key, if its gateway refuses the calls,
// if it does not answer many times in a row, or if it asks to wait for more than a minute. The
// report then has what was found before.
func (s *Service) VerifyFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (VerifyReport, error) {
	const op = "verify flow"
	f, err := s.changeFlow(ctx, op, by, id, FlowVerify, nil)
	if err != nil {
		return VerifyReport{}, err
	}
	report, err := verify(ctx, s.store, s.sender, f.Service, NotificationFilter{Flow: id}, by.ID, s.workers)
	return report, flowFailure(op, id, err)
}

// VerifyService reads the state of all messages of a service that changed since a time and whose
// delivery is not final, in flows and without one, as [Service.VerifyFlow] does, in the name of the
// dispatcher. It is for programs that verify regularly, such as every few minutes what was sent
// within a day.
func (d *Dispatcher) VerifyService(ctx context.Context, service string, since time.Time) (VerifyReport, error) {
	filter := NotificationFilter{Services: []string{service}, ChangedFrom: since}
	report, err := verify(ctx, d.store, d.sender, service, filter, d.config.ID, d.config.Workers)
	return report, failure("verify service", err)
}

// verification is the verification of a flow under way.
type verification struct {
	store     Store
	messenger Sender
	by        string

	rejecting sync.Mutex // rejections write the flow, so the workers take turns

	mu     sync.Mutex
	report VerifyReport
	inRow  int   // without an answer
	ended  error // why it ends early
}

// verify reads the messages of a service that match the filter, with some workers, which end with
// it.
func verify(ctx context.Context, store Store, sender sender, service string, filter NotificationFilter, by string, workers int) (VerifyReport, error) {
	messenger, err := sender.messenger(ctx, service)
	if err != nil {
		return VerifyReport{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &verification{store: store, messenger: messenger, by: by}
	jobs := make(chan Notification)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for n := range jobs {
				if err := v.ask(ctx, n); err != nil {
					v.end(err)
					cancel()
				}
			}
		})
	}
	filter.DeliveryOpen = true
	for n, err := range all(ctx, store, filter) {
		if err != nil {
			v.end(err)
			break
		}
		select {
		case jobs <- n:
			continue
		case <-ctx.Done():
			v.end(ctx.Err())
		}
		break
	}
	close(jobs)
	group.Wait()
	return v.report, v.ended
}

// end records why the verification ends early, and keeps the first reason.
func (v *verification) end(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended == nil {
		v.ended = err
	}
}

// ask reads one message. An error ends the verification.
func (v *verification) ask(ctx context.Context, n Notification) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	state, err := v.messenger.Message(ctx, n.Recipient, n.Transmission.MessageID)
	if err != nil {
		return v.unanswered(ctx, n, err)
	}
	n, err = v.apply(ctx, n, state)
	if err != nil && !errors.Is(err, flussi.ErrConflict) { // an operator was faster
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Asked++
	v.inRow = 0
	switch {
	case n.State == NotificationFailed:
		v.report.Rejected++
	case n.Delivery.Status.Final():
		v.report.Final++
	}
	return nil
}

func (v *verification) apply(ctx context.Context, n Notification, state appio.MessageState) (Notification, error) {
	if state.Status == appio.StatusRejected || state.Status == appio.StatusFailed {
		v.rejecting.Lock()
		defer v.rejecting.Unlock()
	}
	if news := withState(n.Delivery, state); news == n.Delivery {
		return n, nil // nothing to be written down
	}
	return applyMessageState(ctx, v.store, v.by, n, state)
}

// unanswered counts a message without an answer, and says whether to go on.
func (v *verification) unanswered(ctx context.Context, n Notification, err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	v.report.Asked++
	v.report.Failed++
	if len(v.report.Failures) < MaxVerifyFailures {
		v.report.Failures = append(v.report.Failures, VerifyFailure{n.ID, err})
	}
	var e *flussi.RemoteError
	switch isRemote := errors.As(err, &e); {
	case refusesService(err):
		return err
	case isRemote && isRefusal(e):
		return nil // the platform works, and does not report this message
	case isRemote && time.Until(waitUntil(e)) > longWait:
		return &flussi.Error{Package: "flow", Operation: "verify message", Err: err,
			Reason: waitText(waitUntil(e)) + ": ripetere la verifica dopo quel momento."}
	}
	if v.inRow++; v.inRow >= defaultMaxFailures {
		return err
	}
	return nil
}

// applyMessageState stores what the platform says about a message.
func applyMessageState(ctx context.Context, store Store, by string, n Notification, state appio.MessageState) (Notification, error) {
	before := n
	n.Delivery = withState(n.Delivery, state)
	n.Delivery.CheckedAt = now()
	action, code, text := NotificationVerify, ErrorCode(""), ""
	switch n.Delivery.Status {
	case appio.StatusRejected:
		action, code, text = NotificationReject, CodeUnreachable, CodeUnreachable.Italian()

	case appio.StatusFailed: // after it was accepted: the data are not to be corrected
		action, code, text = NotificationReject, CodeRefused, undelivered

	}
	if err := n.Fire(ctx, action, asSystem(by)); err != nil {
		return before, err
	}
	reason := "Stato consegna: non comunicato."
	if n.Delivery.Status != "" {
		reason = "Stato consegna: " + string(n.Delivery.Status) + "."
	}
	if action == NotificationReject {
		n.Transmission.ErrorCode, n.Transmission.Error = code, text
		reason += " " + n.Transmission.Error
	}
	change := n.change(action, before.State, by, reason)
	if action == NotificationVerify || n.FlowID == uuid.Nil {
		if err := store.SaveNotifications(ctx, change); err != nil {
			return before, err
		}
		n = change.Notification
		n.Version++
		return n, nil
	}
	return rejected(ctx, store, by, before, change)
}

const undelivered = "App IO non ha potuto consegnare il messaggio, per un errore definitivo: il messaggio non è arrivato. Riportare la notifica a «Registrato» e inviarla di nuovo."

// rejected stores that a message did not arrive after all, with its flow. It retries if the flow
// changes at the same moment.
func rejected(ctx context.Context, store Store, by string, before Notification, change NotificationChange) (Notification, error) {
	for tries := (core.Tries{}); ; {
		f, err := store.Flow(ctx, before.FlowID)
		if err != nil {
			return before, err
		}
		n, err := together(ctx, store, by, &f, before, change)
		if err == nil {
			return n, nil
		}
		if err := tries.Again(ctx, err); err != nil {
			if errors.Is(err, flussi.ErrConflict) { // over the flow, not over the notification
				err = errors.New("rejection not stored: its flow is changed all the time")
			}
			return before, err
		}
		current, err := store.Notification(ctx, before.ID)
		if err != nil {
			return before, err
		}
		if current.Version != before.Version {
			return current, flussi.ErrConflict
		}
	}
}

// withState returns the delivery with what the platform says of the message.
func withState(d Delivery, state appio.MessageState) Delivery {
	setKnown(&d.Status, state.Status)
	setKnown(&d.Email, state.Email)
	setKnown(&d.Push, state.Push)
	setKnown(&d.Read, state.Read)
	setKnown(&d.Payment, state.Payment)
	return d
}

// setKnown sets a status that the platform reports; "" leaves the known one.
func setKnown[T ~string](known *T, reported T) {
	if reported != "" {
		*known = reported
	}
}
