package flow

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// RecipientCheck is what the platform says about the recipient of a notification.
type RecipientCheck struct {
	Notification Notification // its Cursor is where [Service.CheckRecipients] goes on
	Reachability Reachability // whether the recipient takes messages of the service
	Languages    []string     // of the recipient, preferred ones first, such as it_IT; may be empty. Do not change it
	Err          error        // why the Reachability is unknown; otherwise nil
}

// LogValue returns what may be logged of a result.
func (r RecipientCheck) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("notification", r.Notification), slog.String("reachability", string(r.Reachability)))
}

// CheckRecipients asks the platform whether the recipients of a flow's notifications take messages
// of its service, before they are sent: of those that are Registrato and not disabled, the oldest
// first. It asks once for each citizen, at the pace of the [Sender], several at a time, and stores
// nothing: the sequence gives the result of each notification as it is known, for a progress, a
// count by [Reachability], or an export by package flowexcel. What citizens choose may change until
// the sending; [DispatcherConfig].CheckProfiles asks again then.
//
// A refusal of one citizen's profile, and a call without an answer, is a result with
// [ReachabilityUnknown]. If the service may not ask, if the platform asks to wait for longer than
// the Sender waits, or does not answer 20 times in a row, the sequence ends with an error. To go on,
// call again with the Cursor of the last notification that it gave; those without an answer at its
// end were not given. A zero cursor begins at the first. The actor must be an operator who is
// enabled for the service; the permission is checked once, at the beginning.
func (s *Service) CheckRecipients(ctx context.Context, by flussi.Actor, flowID uuid.UUID, after Cursor) iter.Seq2[RecipientCheck, error] {
	return func(yield func(RecipientCheck, error) bool) {
		if err := s.checkRecipients(ctx, by, flowID, after, func(r RecipientCheck) bool { return yield(r, nil) }); err != nil {
			yield(RecipientCheck{}, flowFailure("check recipients", flowID, err))
		}
	}
}

// checkRecipients gives the results until give returns false.
func (s *Service) checkRecipients(ctx context.Context, by flussi.Actor, flowID uuid.UUID, after Cursor, give func(RecipientCheck) bool) error {
	f, err := s.flow(ctx, by, flowID)
	if err == nil {
		err = s.admitOperator(ctx, by, f.Service)
	}
	if err != nil {
		return err
	}
	messenger, err := s.sender.messenger(ctx, f.Service)
	if err != nil {
		return err
	}
	c := &recipientCheck{messenger: messenger, give: give}
	filter := NotificationFilter{Flow: flowID, States: []NotificationState{NotificationRegistered}, Disabled: OnlyEnabled}
	for {
		page, err := s.store.Notifications(ctx, filter, Page{Limit: 4 * s.workers, After: after, OldestFirst: true})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			c.giveHeld()
			return nil
		}
		after = page[len(page)-1].Cursor()
		for _, r := range c.ask(ctx, page, s.workers) {
			if err := c.take(ctx, r); err != nil || c.ended {
				return err
			}
		}
	}
}

// recipientCheck is a check under way.
type recipientCheck struct {
	messenger Sender
	known     profiles
	give      func(RecipientCheck) bool
	ended     bool             // give returned false
	held      []RecipientCheck // the last results, without an answer: given if another answer follows
}

// ask asks for the recipients of some notifications, with some workers, which end with it.
func (c *recipientCheck) ask(ctx context.Context, page []Notification, workers int) []RecipientCheck {
	results := make([]RecipientCheck, len(page))
	next := make(chan int, len(page))
	for i := range page {
		next <- i
	}
	close(next)
	var group sync.WaitGroup
	for range min(workers, len(page)) {
		group.Go(func() {
			for i := range next {
				found, err := c.known.of(ctx, c.messenger, page[i].Recipient)
				results[i] = RecipientCheck{page[i], found.reachability, found.languages, err}
			}
		})
	}
	group.Wait()
	return results
}

// take gives a result, or holds it back. An error ends the check.
func (c *recipientCheck) take(ctx context.Context, r RecipientCheck) error {
	var e *flussi.RemoteError
	switch isRemote := errors.As(r.Err, &e); {
	case r.Err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case refusesService(r.Err):
		return r.Err
	case isRemote && isRefusal(e), errors.Is(r.Err, flussi.ErrInvalid): // of this citizen
	case isRemote && time.Until(waitUntil(e)) > longWait:
		return &flussi.Error{Package: "flow", Operation: "check recipient", Err: r.Err,
			Reason: waitText(waitUntil(e)) + ": riprendere la verifica dopo quel momento."}
	default:
		if c.held = append(c.held, r); len(c.held) >= defaultMaxFailures {
			return r.Err
		}
		return nil
	}
	c.giveHeld()
	c.giveOne(r)
	return nil
}

func (c *recipientCheck) giveHeld() {
	for _, r := range c.held {
		c.giveOne(r)
	}
	c.held = nil
}

func (c *recipientCheck) giveOne(r RecipientCheck) { c.ended = c.ended || !c.give(r) }
