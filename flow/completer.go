package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// completion is a notification whose outcome is to be stored.
type completion struct {
	batch        *batch
	notification *Notification // of the batch
	outcome      outcome
	took         time.Duration // by the submission; 0 if there was none
	answered     bool          // the platform took or refused the message
	uncertain    bool          // it was part of a SaveAndClaim that failed
	deadline     time.Time     // for storing it; zero until that failed once
}

// completer stores the outcomes of one flow. What cannot be stored is tried again until its
// deadline, and delays nothing else. Only the goroutine of the run uses it.
type completer struct {
	store  Store
	config *DispatcherConfig

	unstored []completion
	next     time.Time // retry of all that is unstored
	pause    backoff   // before the next retry

	// uncertain is the error of a SaveAndClaim that the store may have made. It is nil again once
	// one of its outcomes could be stored by another call: that proves that the store did not make
	// it.
	uncertain error
}

// retryAt returns when to try again to store what could not be stored; zero if there is nothing.
func (c *completer) retryAt() time.Time {
	if len(c.unstored) == 0 {
		return time.Time{}
	}
	return c.next
}

// isDue reports whether it is time to try again.
func (c *completer) isDue() bool { return len(c.unstored) > 0 && !time.Now().Before(c.next) }

// due returns the outcomes that could not be stored before, if it is time to try again.
func (c *completer) due() []completion {
	if !c.isDue() {
		return nil
	}
	due := c.unstored
	c.unstored = nil
	c.pause.grow()
	return due
}

// save stores outcomes, and keeps those that it cannot store for a retry. It returns how many
// need none, and an [ErrOutcomeNotStored] if some of them were given up. It adjusts the flow's
// counts if all are stored together.
func (c *completer) save(
	ctx context.Context, group []completion, counts *Counts,
) (done int, err error) {
	limited, cancel := context.WithTimeout(ctx, c.config.ShutdownTimeout)
	failed, err := c.saveAll(limited, group, counts)
	cancel()
	if len(failed) > 0 {
		c.config.Logger.Warn("flow: storing outcomes failed",
			"flow", failed[0].notification.FlowID, "notifications", len(failed), "error", err)
	}
	lost := 0
	for _, f := range failed {
		if f.deadline.IsZero() {
			f.deadline = storeTime(f.batch.claimedAt, c.config.Lease, c.config.ShutdownTimeout)
		}
		if ctx.Err() != nil || time.Now().After(f.deadline) {
			lost++
			continue
		}
		if len(c.unstored) == 0 {
			c.next = time.Now().Add(max(c.pause.next, minBackoff))
		}
		c.unstored = append(c.unstored, f)
	}
	if len(c.unstored) == 0 {
		c.pause = backoff{}
	}
	done = len(group) - len(failed) + lost
	if lost > 0 {
		return done, fmt.Errorf("%w: %d of them: %w", ErrOutcomeNotStored, lost, err)
	}
	return done, nil
}

// saveAll stores outcomes together, or, if that fails, one by one: one of the notifications may
// have changed in the meantime, or the store may have stored them although it returned an error.
// It returns those that it could not store, and why.
func (c *completer) saveAll(
	ctx context.Context, group []completion, counts *Counts,
) (failed []completion, err error) {
	changes, err := changesOf(group, c.config.ID)
	if err == nil {
		err = c.store.SaveNotifications(ctx, changes...)
	}
	if err == nil {
		for i, g := range group {
			c.stored(g)
			counts.Add(*g.notification, -1)
			counts.Add(changes[i].Notification, 1)
		}
		return nil, nil
	}
	for _, g := range group {
		switch saveErr := c.saveOne(ctx, g); {
		case errors.Is(saveErr, errOvertaken):
			c.config.Logger.Warn("flow: outcome came too late", "notification", g.notification.ID,
				"outcome", g.outcome.action, "error", saveErr)
		case saveErr != nil:
			failed, err = append(failed, g), saveErr
		}
	}
	return failed, err
}

func (c *completer) saveOne(ctx context.Context, g completion) error {
	change, err := g.outcome.change(*g.notification, c.config.ID)
	if err != nil {
		return err
	}
	err = c.store.SaveNotifications(ctx, change)
	switch {
	case err == nil:
		c.stored(g)
	case errors.Is(err, flussi.ErrConflict):
		_, err = overtaken(ctx, c.store, c.config.ID, *g.notification, change, g.outcome)
	}
	return err
}

// setUncertain records the error of a SaveAndClaim of a group that may have been made.
func (c *completer) setUncertain(group []completion, err error) {
	c.uncertain = err
	for i := range group {
		group[i].uncertain = true
	}
}

func (c *completer) stored(g completion) {
	if g.uncertain {
		c.uncertain = nil
	}
}

// changesOf returns what is to be stored for a group.
func changesOf(group []completion, by string) ([]NotificationChange, error) {
	changes := make([]NotificationChange, len(group))
	for i, g := range group {
		change, err := g.outcome.change(*g.notification, by)
		if err != nil { // a step that the machine always has
			return nil, err
		}
		changes[i] = change
	}
	return changes, nil
}

// errOvertaken: the notification was changed after its lease ended; the outcome comes too late.
var errOvertaken = errors.New("overtaken")

// settle stores an outcome once, with the notification's flow. If the lease was over and the
// outcome was made unknown, an accepted message still becomes Inviato.
func settle(
	ctx context.Context, store Store, by string, n Notification, o outcome,
) (Notification, error) {
	var f *Flow
	if n.FlowID != uuid.Nil {
		read, err := store.Flow(ctx, n.FlowID)
		if err != nil {
			return n, err
		}
		f = &read
	}
	change, err := o.change(n, by)
	if err != nil {
		return n, err
	}
	stored, err := together(ctx, store, by, f, n, change)
	if err == nil {
		return stored, nil
	}
	if !errors.Is(err, flussi.ErrConflict) {
		return n, err
	}
	return overtaken(ctx, store, by, n, change, o)
}

// overtaken resolves the conflict of an outcome. The error is an ErrConflict if the notification
// itself did not change: then the outcome can be stored again.
func overtaken(
	ctx context.Context, store Store, by string, n Notification, wanted NotificationChange, o outcome,
) (Notification, error) {
	current, err := store.Notification(ctx, n.ID)
	if err != nil {
		return n, err
	}
	is, want := &current.Transmission, wanted.Notification.Transmission
	accepted := o.action == NotificationAccept
	switch {
	case current.Version == n.Version:
		return n, flussi.ErrConflict
	case current.State == wanted.Notification.State &&
		is.MessageID == want.MessageID && is.ErrorCode == want.ErrorCode:
		return current, nil // it was stored although the store returned an error
	case accepted && current.State == NotificationFailed && is.ErrorCode == CodeOutcomeUnknown:
		return settle(ctx, store, by, current, o)
	case accepted && current.State == NotificationSent && is.MessageID == "":
		// An operator confirmed it in the meantime, without the ID.
		is.MessageID = want.MessageID
		return current, store.SaveNotifications(ctx, current.change(
			NotificationVerify, current.State, by, "«ID Consegna App.IO» arrivato in ritardo."))
	}
	return current, fmt.Errorf("%w: it is %s", errOvertaken, current.State)
}
