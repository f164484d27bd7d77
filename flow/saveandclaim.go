package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
)

// exchange stores the outcomes of a group and claims anew in one step, if the store can and the
// batch has room for a claim that is worth it. It reports whether they are stored.
func (r *run) exchange(ctx context.Context, group []result) bool {
	if r.exchanger == nil || !r.mayClaim(ctx) || r.dry {
		return false
	}
	changes, err := r.changes(group)
	if err != nil {
		return false
	}
	room := r.pool.take(r.open, len(group), r.config.Workers)
	if room == 0 {
		return false
	}
	err = r.take(room, len(group), func(ctx context.Context, claim Claim) (Flow, []Notification, error) {
		return r.exchanger.SaveAndClaim(ctx, changes, claim)
	})
	if err != nil && !errors.Is(err, flussi.ErrConflict) {
		r.doubt = err
		for i := range group {
			group[i].tells = true
		}
	}
	return err == nil
}

// take claims what there is room for, by a method of the store that also stores those that
// are done.
func (r *run) take(room, done int, claim func(context.Context, Claim) (Flow, []Notification, error)) error {
	start := time.Now()
	// A claim is not cut off: what it took, and nobody heard of, would be unknown.
	limit := r.config.Lease / 2
	if done > 0 { // time is left to store them without it
		limit = min(limit, r.config.ShutdownTimeout)
	}
	claiming, cancel := context.WithTimeout(r.writes, limit)
	defer cancel()
	f, claimed, err := claim(claiming, Claim{
		Flow: r.flow.ID, Limit: room, Lease: r.config.Lease, At: now(), By: r.config.ID,
	})
	if err != nil {
		r.pool.give(reserve(room, done))
		return err
	}
	r.saw(f)
	r.dry = len(claimed) == 0
	all := len(claimed)
	claimed = slices.DeleteFunc(claimed, func(n Notification) bool { return n.State != NotificationSending })
	if skipped := all - len(claimed); skipped > 0 {
		r.config.Logger.Warn("flow: not sent: citizens may have the same messages already", "flow", r.flow.ID, "notifications", skipped)
	}
	r.pool.give(reserve(room, done) + done - len(claimed))
	r.open -= done
	b := &batch{claimed: start, open: len(claimed)}
	b.calls, b.cancel = context.WithDeadline(r.calls, cutTime(start, r.config.Lease))
	if b.open == 0 {
		b.cancel()
	}
	for _, n := range claimed {
		r.open++
		r.jobs <- job{n, b} // there is room for a batch
	}
	r.meter.report(f, false)
	return nil
}
