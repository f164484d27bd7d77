package flow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// run sends one flow. Its goroutine claims and stores, so it counts what is claimed; the workers
// only send. Only the goroutine of the run uses its fields.
type run struct {
	store     Store
	config    *DispatcherConfig
	calls     slots // of the store, shared by all flows
	claimer   *claimer
	workers   *workers
	completer *completer
	scheduled *scheduledFlow // nil: by Run
	sending   *sending       // what the observer was told
	began     time.Time
	group     []completion // that is stored; its memory is used again
	storeBy   time.Time    // when to store the few results that wait for more; zero if none do

	flow           Flow       // as last read; Counts as last read or stored
	stop           *StopError // why this run stopped the flow; nil if it did not
	stopStored     bool       // or another dispatcher or an operator stopped the flow
	rescueAt       time.Time  // when to rescue next, by Run
	rescueFailures int        // consecutive, while nothing was claimed
	err            error      // why the run claims nothing more and ends: the store failed
}

// Errors of a run that the scheduler begins again later.
var (
	errElsewhere = errors.New("sent elsewhere")                 // other dispatchers have claimed the rest
	errLimited   = errors.New("the platform asks to wait")      // until the limit of the breaker ends
	errTurnOver  = errors.New("the turn of the flow has ended") // since other flows wait for theirs
)

const (
	maxRescueFailures = 10 // consecutive failures to rescue that end a run
	rescuedInBetween  = 10 // the most that a run rescues at a time while it sends, since it claims and stores nothing meanwhile
)

// slots limit how many calls are made at the same time.
type slots chan struct{}

func (s slots) do(call func()) {
	s <- struct{}{}
	defer func() { <-s }()
	call()
}

// send sends a flow. Run passes nil; the run then waits if other dispatchers have claimed the rest
// of the flow, or if the platform asks to wait. Serve passes the flow that it has scheduled; send
// then returns an error instead of waiting.
func (d *Dispatcher) send(ctx context.Context, flowID uuid.UUID, scheduled *scheduledFlow) (f Flow, err error) {
	const op = "run flow"
	status := &sending{}
	if scheduled != nil {
		status = &scheduled.sending
	}
	var limited time.Time
	defer func() { status.end(ctx, &d.config.Observer, f, err, scheduled != nil, limited) }()
	if err := ctx.Err(); err != nil {
		return Flow{}, flowFailure(op, flowID, err)
	}
	d.calls.do(func() { f, err = d.store.Flow(ctx, flowID) })
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
	var breaker *breaker
	if scheduled != nil {
		breaker = scheduled.breaker
	}
	if breaker == nil {
		breaker = newBreaker(f.ID, &d.config)
	}
	if messengerErr != nil {
		breaker.stop(ReasonService, messengerErr, serviceStopReason(messengerErr, flussi.Text{}), flussi.Text{})
	}
	status.flow, status.name = f.ID, f.Service
	status.change(ctx, &d.config.Observer, SendingRunning, "")
	w := d.pool.join(d.sender, messenger, &d.config, breaker)
	r := &run{
		store: d.store, config: &d.config, calls: d.calls, flow: f, scheduled: scheduled, sending: status, began: time.Now(),
		claimer: newClaimer(d.store, &d.config, f.ID, w), workers: w,
		completer: &completer{store: d.store, config: &d.config},
	}
	f, err = r.send(ctx)
	var stopped *StopError
	switch {
	case errors.Is(err, errLimited), errors.Is(err, errTurnOver):
		scheduled.breaker, limited = breaker, breaker.limited()
		return f, err
	case errors.As(err, &stopped):
		return f, err
	}
	return f, flowFailure(op, flowID, err)
}

// send returns when the flow is over or the run cannot go on, and everything is stored.
func (r *run) send(ctx context.Context) (Flow, error) {
	requests, cancel := patient(ctx, r.config.ShutdownTimeout)
	defer cancel()
	writes, cancel := patient(ctx, 2*r.config.ShutdownTimeout)
	defer cancel()
	defer r.workers.leave()

	for {
		r.rescue(ctx)
		r.storeStop(writes)
		r.claim(ctx, requests, writes)
		if r.claimer.open > 0 {
			r.wait(ctx)
			r.complete(ctx, requests, writes)
			continue
		}
		if r.mayClaim(ctx) && r.waitForTurn(ctx) {
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
		case r.turnOver():
			return r.flow, errTurnOver
		}
		if until := r.workers.breaker.limited(); time.Now().Before(until) {
			if r.scheduled != nil {
				return r.flow, errLimited
			}
			r.sending.throttled(ctx, &r.config.Observer, until)
			_ = pace.Wait(ctx, min(r.config.PollInterval, time.Until(until)))
			continue
		}
		switch {
		case r.claimer.empty: // other dispatchers have claimed all that is left
			if r.scheduled != nil {
				return r.flow, errElsewhere
			}
			r.report(ctx, SendingWaiting, ReasonClaimedByOthers)
			_ = pace.Wait(ctx, r.config.PollInterval)
			r.claimer.empty = false
		case time.Now().Before(r.claimer.dueAt):
			_ = pace.Wait(ctx, min(r.config.PollInterval, time.Until(r.claimer.dueAt)))
		}
	}
}

// waitForTurn waits for the turns of the next claim, and reports whether they come within the
// PollInterval. If they do not, it does not wait: the flow may change meanwhile.
func (r *run) waitForTurn(ctx context.Context) bool {
	wait := time.Until(r.claimer.dueAt)
	if wait <= 0 || wait > r.config.PollInterval || r.claimer.empty {
		return false
	}
	_ = pace.Wait(ctx, wait)
	return true
}

// flowTurn is how long the run of a flow may claim while other flows wait for a run.
const flowTurn = 10 * time.Second

// turnOver reports whether the run has to end, so that another flow is sent.
func (r *run) turnOver() bool {
	return r.scheduled != nil && time.Since(r.began) > flowTurn && r.scheduled.scheduler.crowded.Load()
}

// rescue makes expired notifications unknown, of all flows, if that is due. Serve does it for its runs.
func (r *run) rescue(ctx context.Context) {
	if r.scheduled != nil || time.Now().Before(r.rescueAt) || ctx.Err() != nil {
		return
	}
	most := math.MaxInt
	if r.claimer.open > 0 {
		most = rescuedInBetween
	}
	var err error
	r.calls.do(func() { _, err = rescue(ctx, r.store, r.config, most) })
	r.rescueAt = time.Now().Add(r.config.PollInterval)
	if err == nil || ctx.Err() != nil {
		r.rescueFailures = 0
		return
	}
	r.config.Logger.Warn("flow: recovery failed", "error", err)
	if r.claimer.open > 0 {
		return
	}
	if r.rescueFailures++; r.rescueFailures == maxRescueFailures {
		r.err = err
	}
}

func (r *run) mayClaim(ctx context.Context) bool {
	return r.err == nil && r.completer.uncertain == nil && r.workers.breaker.mayBegin(ctx) && !r.turnOver() &&
		r.flow.Counts.Registered > 0
}

// claim claims, if there is room, and begins to send.
func (r *run) claim(ctx, requests, writes context.Context) {
	if !r.mayClaim(ctx) {
		return
	}
	room := r.claimer.reserve(0)
	if room == 0 {
		return
	}
	r.claimer.asked = time.Now()
	r.calls.do(func() {
		var b *batch
		b, r.err = r.claimer.claim(writes, room)
		r.begin(ctx, requests, b)
	})
}

// wait returns when there are outcomes to store, or when another claim or another attempt to store
// outcomes is due.
func (r *run) wait(ctx context.Context) {
	due := earlier(r.completer.retryAt(), r.storeBy)
	if ctx.Err() == nil {
		due = earlier(due, r.rescueAt)
	}
	if at := r.claimer.dueAt; at.After(time.Now()) && r.mayClaim(ctx) {
		due = earlier(due, at)
	}
	var timer <-chan time.Time
	if !due.IsZero() {
		t := time.NewTimer(time.Until(due))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-r.workers.completed:
	case <-timer:
	}
}

// earlier returns the earlier of two times. A zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// begin passes a batch to the workers. The batch may be nil.
func (r *run) begin(ctx, requests context.Context, b *batch) {
	if b == nil {
		return
	}
	r.setFlow(b.flow)
	if len(b.notifications) > 0 {
		r.report(ctx, SendingRunning, "")
	}
	r.workers.begin(ctx, requests, b)
}

// report tells the observer the state of the run.
func (r *run) report(ctx context.Context, state SendingState, reason SendingReason) {
	r.sending.change(ctx, &r.config.Observer, state, reason)
}

// setFlow records the latest flow, which an operator or another dispatcher may have stopped.
func (r *run) setFlow(f Flow) {
	r.flow = f
	r.workers.breaker.setPaused(f.State != FlowSending || f.stopping())
}

// stopping reports whether nothing more of the flow is to be sent.
func (f Flow) stopping() bool { return f.Disabled || f.Error != "" }

// isElsewhere reports whether nothing is left to claim until other dispatchers store outcomes or
// their leases end. This dispatcher must have claimed nothing of the flow.
func (f Flow) isElsewhere() bool {
	return f.Counts.Sending > 0 && (f.Counts.Registered == 0 || f.stopping())
}

// complete stores the outcomes that there are. If possible it claims in the same step, and begins to
// send what it claimed.
func (r *run) complete(ctx, requests, writes context.Context) {
	results, wait := r.workers.ready(r.config.ClaimAhead)
	if wait > 0 && r.storeBy.IsZero() {
		r.storeBy = time.Now().Add(wait)
	}
	if waits := wait > 0 && time.Now().Before(r.storeBy); (results == 0 || waits) && !r.completer.isDue() {
		return
	}
	r.storeBy = time.Time{}
	r.claimer.asked = time.Now()
	var group []completion
	r.calls.do(func() {
		group = r.workers.take(r.group[:0])
		r.begin(ctx, requests, r.completeGroup(ctx, writes, group))
		r.save(writes, r.completer.due())
	})
	clear(group)
	r.group = group
}

// completeGroup stores a group of outcomes. If possible it claims in the same step, and returns what
// it claimed; otherwise nil.
func (r *run) completeGroup(ctx, writes context.Context, group []completion) *batch {
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
	r.claimer.open -= done
	if err != nil {
		r.err = err
		r.workers.breaker.close()
	}
}
