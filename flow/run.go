package flow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/pace"
)

// run sends one flow. Its goroutine claims and stores, so it counts what is in flight; the workers
// only send. Only the goroutine of the run uses its fields.
type run struct {
	store     Store
	config    *DispatcherConfig
	quota     *quota
	claimer   *claimer
	workers   *workers
	completer *completer
	reporter  *reporter

	flow           Flow       // as last read; Counts as last read or stored
	stop           *StopError // why this run stopped the flow; nil if it did not
	stopStored     bool       // or another dispatcher or an operator stopped the flow
	rescueFailures int        // consecutive
	err            error      // why the run claims nothing more and ends: the store failed
}

// errElsewhere is the error of a run that does not wait for what other dispatchers have claimed.
var errElsewhere = errors.New("sent elsewhere")

// limitedError is the error of a run that does not wait as long as the platform asks for.
type limitedError struct{ limit limit }

func (e *limitedError) Error() string {
	return "the platform asks to wait until " + e.limit.until.UTC().Format(time.RFC3339)
}

// maxRescueFailures is how many consecutive failures to rescue end a run.
const maxRescueFailures = 10

// send sends a flow within a budget, which it may share with others. It waits if other dispatchers
// have claimed the rest of the flow, or if the platform asks to wait. A scheduler passes the limit
// of the last run; send then returns errElsewhere or a limitedError instead of waiting.
func (d *Dispatcher) send(
	ctx context.Context, flowID uuid.UUID, b *budget, last *limit,
) (Flow, error) {
	const op = "run flow"
	if err := ctx.Err(); err != nil {
		return Flow{}, flowFailure(op, flowID, err)
	}
	f, err := d.store.Flow(ctx, flowID)
	if err != nil {
		return Flow{}, flowFailure(op, flowID, err)
	}
	switch f.State {
	case FlowSending:
	case FlowSent, FlowIncomplete:
		return f, nil
	default:
		return f, &flussi.Error{
			Package: "flow", Operation: op, Entity: entityFlow, ID: flowID, Err: flussi.ErrState,
			Reason: fmt.Sprintf("Il flusso è nello stato «%s»: avviare prima l'invio.", f.State.Label()),
		}
	}
	messenger, messengerErr := d.sender.messenger(ctx, f.Service)
	if ctx.Err() != nil {
		return f, flowFailure(op, flowID, ctx.Err())
	}
	q := b.join()
	defer q.leave()
	var before limit
	if last != nil {
		before = *last
	}
	r := &run{
		store: d.store, config: &d.config, quota: q, flow: f,
		claimer:   newClaimer(d.store, &d.config, f.ID, q),
		workers:   newWorkers(d.sender, messenger, &d.config, newBreaker(f.ID, &d.config, before)),
		completer: &completer{store: d.store, config: &d.config},
		reporter:  newReporter(d.config.Progress, f),
	}
	if messengerErr != nil {
		r.workers.breaker.stop(messengerErr, serviceStopReason(messengerErr, flussi.Text{}), flussi.Text{})
	}
	f, err = r.send(ctx, last == nil)
	var stopped *StopError
	var limited *limitedError
	switch {
	case errors.As(err, &limited):
		return f, err
	case !errors.Is(err, errElsewhere):
		r.reporter.report(f, true)
	}
	if errors.As(err, &stopped) {
		return f, err
	}
	return f, flowFailure(op, flowID, err)
}

// send starts the workers, and returns when the flow is over or the run cannot go on, and
// everything is stored.
func (r *run) send(ctx context.Context, waits bool) (Flow, error) {
	calls, cancel := patient(ctx, r.config.ShutdownTimeout)
	defer cancel()
	writes, cancel := patient(ctx, 2*r.config.ShutdownTimeout)
	defer cancel()
	r.workers.start(r.config.Workers)
	defer r.workers.stop()

	r.rescue(ctx)
	for {
		r.storeStop(writes)
		if r.mayClaim(ctx) {
			b, err := r.claimer.claim(writes)
			r.err = err
			r.begin(ctx, calls, b)
		}
		if r.quota.inFlight > 0 {
			r.begin(ctx, calls, r.complete(ctx, writes, r.completer.collect(r.workers.results)))
			r.save(writes, r.completer.due())
			continue
		}
		if r.err == nil {
			r.err = r.completer.uncertain
		}
		r.takeBack(writes)
		switch over, err := r.conclude(writes); {
		case errors.Is(r.err, ErrOutcomeNotStored):
			return r.flow, r.err
		case over && r.stop != nil && r.flow.State != FlowSent:
			return r.flow, r.stop
		case over:
			return r.flow, nil
		case r.err != nil:
			return r.flow, r.err
		case ctx.Err() != nil:
			return r.flow, ctx.Err()
		case err != nil:
			return r.flow, err
		}
		if l := r.workers.breaker.limited(); time.Now().Before(l.until) {
			if !waits {
				return r.flow, &limitedError{l}
			}
			_ = pace.Wait(ctx, min(r.config.PollInterval, time.Until(l.until)))
			continue
		}
		if r.claimer.empty { // other dispatchers have claimed all that is left
			if !waits {
				return r.flow, errElsewhere
			}
			_ = pace.Wait(ctx, r.config.PollInterval)
			r.rescue(ctx)
			r.claimer.empty = false
		}
	}
}

// rescue makes expired notifications unknown, of all flows.
func (r *run) rescue(ctx context.Context) {
	_, err := rescue(ctx, r.store, r.config)
	if err == nil || ctx.Err() != nil {
		r.rescueFailures = 0
		return
	}
	r.config.Logger.Warn("flow: recovery failed", "error", err)
	if r.rescueFailures++; r.rescueFailures == maxRescueFailures {
		r.err = err
	}
}

func (r *run) mayClaim(ctx context.Context) bool {
	return r.err == nil && r.completer.uncertain == nil && r.workers.breaker.mayBegin(ctx)
}

// begin passes a batch to the workers. The batch may be nil.
func (r *run) begin(ctx, calls context.Context, b *batch) {
	if b == nil {
		return
	}
	r.setFlow(b.flow)
	r.workers.begin(ctx, calls, b)
	r.reporter.report(r.flow, false)
}

// setFlow records the latest flow, which an operator or another dispatcher may have stopped.
func (r *run) setFlow(f Flow) {
	r.flow = f
	r.workers.breaker.setPaused(f.State != FlowSending || f.stopping())
}

// stopping reports whether nothing more of the flow is to be sent.
func (f Flow) stopping() bool { return f.Disabled || f.Error != "" }

// complete stores a group of outcomes. If possible it claims in the same step, and returns what it
// claimed; otherwise nil.
func (r *run) complete(ctx, writes context.Context, group []completion) *batch {
	for _, c := range group {
		if c.batch.unsent--; c.batch.unsent == 0 {
			c.batch.cancel()
		}
		if c.outcome.action == NotificationRelease {
			r.claimer.empty = false
		}
	}
	if len(group) > 0 && r.mayClaim(ctx) {
		b, err := r.claimer.saveAndClaim(writes, group)
		if b != nil {
			return b
		}
		if err != nil && !errors.Is(err, flussi.ErrConflict) {
			r.completer.setUncertain(group, err)
		}
	}
	r.save(writes, group)
	return nil
}

// save stores outcomes. If some of them have to be given up, the run ends.
func (r *run) save(ctx context.Context, group []completion) {
	if len(group) == 0 {
		return
	}
	done, err := r.completer.save(ctx, group, &r.flow.Counts)
	r.quota.update(0, done)
	if err != nil {
		r.err = err
		r.workers.breaker.close()
	}
	r.reporter.report(r.flow, false)
}

// storeStop writes the reason into a flow that this run stopped, so that no dispatcher begins
// anything more of it. Outcomes that are yet to be stored are not delayed: then a failure is
// tried again by the next call.
func (r *run) storeStop(ctx context.Context) {
	if r.stop == nil {
		if r.stop = r.workers.breaker.stopped(); r.stop == nil {
			return
		}
		r.config.Logger.Warn("flow: sending stopped", "flow", r.flow.ID, "error", r.stop.Err)
	}
	if r.stopStored || r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease)
	defer cancel()
	var pause backoff
	for {
		err := r.tryStoreStop(ctx)
		switch {
		case err == nil:
			r.stopStored = true
			return
		case r.quota.inFlight > 0:
			return
		case pause.wait(ctx) != nil:
			r.err = fmt.Errorf("stop not stored: %w", err)
			return
		}
	}
}

func (r *run) tryStoreStop(ctx context.Context) error {
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil || f.State != FlowSending || f.Error != "" {
		return err // nil if another dispatcher or an operator stopped it
	}
	f.Error, f.Answer = r.stop.Reason, r.stop.Answer
	return r.saveFlow(ctx, &f, FlowStop)
}

// saveFlow applies an action to a flow that is In invio, and stores it.
func (r *run) saveFlow(ctx context.Context, f *Flow, action FlowAction) error {
	by := r.config.ID
	if err := f.Fire(ctx, action, asSystem(by)); err != nil {
		return err
	}
	change := f.change(action, FlowSending, by, withoutAnswer(f.Error, f.Answer))
	change.Record.Answer = f.Answer
	*f = change.Flow
	f.Version++
	return r.store.SaveFlow(ctx, change, nil)
}

// conclude ends the flow's sending if nothing of it is left, and reports whether it is over.
// Its counts cannot change without its version: claims need something to claim, outcomes
// something In invio, and operators' changes write the flow along. So of all dispatchers that
// find that it is over, one succeeds.
func (r *run) conclude(ctx context.Context) (over bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease)
	defer cancel()
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil {
		return false, err
	}
	r.setFlow(f)
	switch {
	case f.State != FlowSending, r.stop != nil && r.err == nil && !f.stopping():
		return true, nil
	case f.Counts.Sending > 0:
		r.claimer.empty = true
		return false, nil
	case f.Counts.Registered > 0 && !f.stopping():
		return false, nil
	}
	action := FlowComplete
	if f.Counts.Registered+f.Counts.Failed > 0 {
		action = FlowEndIncomplete
	}
	switch {
	case action == FlowComplete:
		f.clearError()
	case f.Counts.Registered > 0 && f.Error == "":
		f.Error = "Invio fermato: il flusso è stato disabilitato durante l'invio. " +
			"Riabilitarlo, poi riprendere con " + italian.Quote(FlowSend.Label()) + "."
	}
	if err := r.saveFlow(ctx, &f, action); err != nil {
		if errors.Is(err, flussi.ErrConflict) {
			return false, nil // the flow changed: the caller reads it again
		}
		return false, err
	}
	r.flow = f
	return true, nil
}
