package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// run is one dispatcher's work on one flow. One goroutine, that of the caller, claims and
// stores; the workers only send. So what is claimed and not yet stored is known, and
// never more than a batch, and outcomes are stored in groups: those that came in while the
// last ones were being stored.
type run struct {
	*Dispatcher
	pool      *pool
	waits     bool           // for others who send the rest
	flow      Flow           // as it was last seen
	exchanger SaveAndClaimer // the store, if it is one
	messenger Sender
	unable    error // why there is no messenger
	known     *profiles
	meter     *meter

	calls   context.Context // of all calls: it outlives the run's by the grace
	writes  context.Context // of what is stored: it outlives that by another
	jobs    chan job
	results chan result
	workers sync.WaitGroup
	halted  atomic.Bool  // the flow is not to be sent any more
	broken  atomic.Bool  // a worker found that nobody can be sent anything; this run ends
	works   atomic.Bool  // the service was answered for good
	inRow   atomic.Int64 // submissions that the platform did not take, without a better one in between

	open    int       // claimed, and the outcome not stored
	pending []result  // of them, those whose outcome could not be stored yet
	retry   time.Time // when they are tried again
	pause   backoff
	dry     bool // the last claim got nothing
	taken   int  // submissions that the platform answered for good
	again   map[uuid.UUID]trial
	stopped *StopError // why this run stopped the flow
	marked  bool       // the flow says so
	failed  error      // of the store: the run cannot go on
	doubt   error      // of a claim that may have been made: the outcomes that went with it will tell
	misses  int        // recoveries in a row that failed
}

// job is a notification to be sent.
type job struct {
	n     Notification
	batch *batch
}

// batch is what was claimed at once.
type batch struct {
	claimed time.Time          // by our clock, from before the claim
	calls   context.Context    // of its calls
	cancel  context.CancelFunc // once all of it is done
	open    int                // what is not done
}

// result is what came of a job.
type result struct {
	job
	outcome
	down  bool      // it was one too many in a row that the platform did not take
	tells bool      // once it is stored, the claim that is in doubt was not made
	until time.Time // when storing it is given up; zero: it was not tried
}

// trial is a notification that the platform did not take.
type trial struct {
	times int // while it took others
	taken int // how many it had taken then
}

// maxAgain is how often a notification that the platform did not take is tried anew while
// others are taken.
const maxAgain = 3

func newRun(d *Dispatcher, f Flow, batch *pool, waits bool) *run {
	r := &run{
		pool: batch, waits: waits,
		Dispatcher: d, flow: f, known: &profiles{}, meter: newMeter(d.config.Progress, f),
		jobs: make(chan job, batch.size), results: make(chan result, batch.size),
		again: map[uuid.UUID]trial{},
	}
	r.exchanger, _ = d.store.(SaveAndClaimer)
	r.works.Store(f.Counts.Sent > 0)
	return r
}

// send runs until the flow's sending is over.
func (r *run) send(ctx context.Context) (Flow, error) {
	calls, cancel := patient(ctx, r.config.ShutdownTimeout)
	defer cancel()
	writes, cancel := patient(ctx, 2*r.config.ShutdownTimeout)
	defer cancel()
	r.calls, r.writes = calls, writes
	r.pool.enter()
	defer r.pool.leave()
	for range r.config.Workers {
		r.workers.Go(func() {
			for j := range r.jobs {
				r.results <- r.attempt(ctx, j)
			}
		})
	}
	defer r.workers.Wait()
	defer close(r.jobs)

	if r.unable != nil {
		r.stop(r.unable, why(r.unable))
	}
	r.recover(ctx)
	for {
		r.mark()
		r.claim(ctx)
		if r.open > 0 {
			r.write(ctx, r.collect())
			continue
		}
		if r.failed == nil {
			r.failed = r.doubt
		}
		switch over, err := r.conclude(); {
		case errors.Is(r.failed, ErrOutcomeNotStored):
			return r.end(r.failed)
		case over && r.stopped != nil && r.flow.State != FlowSent:
			return r.end(r.stopped)
		case over:
			return r.end(nil)
		case r.failed != nil:
			return r.end(r.failed)
		case ctx.Err() != nil:
			return r.end(ctx.Err())
		case err != nil:
			return r.end(err)
		}
		if r.dry {
			// What is left is in the hands of others.
			if !r.waits {
				return r.end(errElsewhere)
			}
			_ = wait(ctx, r.config.PollInterval)
			r.recover(ctx)
			r.dry = false
		}
	}
}

// end tells the end of the run, unless it is only a pause until others have sent the rest.
func (r *run) end(err error) (Flow, error) {
	if err != errElsewhere {
		r.meter.report(r.flow, true)
	}
	return r.flow, err
}

// recover finds what crashed senders left behind.
func (r *run) recover(ctx context.Context) {
	_, err := r.RescueExpired(ctx)
	if err == nil || ctx.Err() != nil {
		r.misses = 0
		return
	}
	r.config.Logger.Warn("flow: recovery failed", "error", err)
	if r.misses++; r.misses == maxMisses {
		r.failed = err
	}
}

// maxMisses is how often in a row a run looks in vain for what crashed senders left.
const maxMisses = 10

// claim fills the batch up.
func (r *run) claim(ctx context.Context) {
	if !r.mayClaim(ctx) || r.dry && r.open > 0 {
		return
	}
	// Not for each one, if the batch has room for more than what the workers have in hand.
	room := r.pool.take(r.open, 0, r.config.Workers)
	if room == 0 {
		r.dry = r.open == 0
		return
	}
	r.failed = r.take(room, 0, r.store.Claim)
}

// mayClaim reports whether anything more may be claimed.
func (r *run) mayClaim(ctx context.Context) bool {
	return !r.over(ctx) && r.failed == nil && r.doubt == nil && r.messenger != nil
}

// saw notes what the flow is like, and whether somebody stopped it.
func (r *run) saw(f Flow) {
	r.flow = f
	r.halted.Store(f.State != FlowSending || f.stopping())
}

// over reports whether nothing more is to be begun.
func (r *run) over(ctx context.Context) bool {
	return ctx.Err() != nil || r.halted.Load() || r.broken.Load()
}

// stopping reports whether nothing more is to be sent.
func (f Flow) stopping() bool { return f.Disabled || f.Error != "" }

// attempt sends a notification, or gives it back if it is too late to begin.
func (r *run) attempt(ctx context.Context, j job) result {
	if r.over(ctx) || tooLate(j.batch.claimed, r.config.Lease) {
		return result{job: j, outcome: outcome{action: NotificationRelease}}
	}
	result := result{job: j, outcome: r.sender.submit(j.batch.calls, r.messenger, j.n, r.known)}
	// Whether to go on is decided here, before another is begun.
	switch {
	case ctx.Err() != nil, result.action == NotificationRelease && j.batch.calls.Err() != nil:
		// Perhaps cut off by us: it says nothing about the platform.
		result.shaky = false
	case result.payee && r.works.Load():
		// The platform works, and the service is enabled: it is the payee.
		result.shaky = false
	case result.shaky:
		result.down = r.inRow.Add(1) >= int64(r.config.FailureThreshold)
	case result.answered:
		r.works.Store(true)
		r.inRow.Store(0)
	}
	if result.down || result.stops {
		r.broken.Store(true)
	}
	return result
}

// collect waits for a result, and takes along what else there is. If there are outcomes that
// could not be stored yet, it waits only until they are tried again, and may return none.
func (r *run) collect() []result {
	var again <-chan time.Time
	if len(r.pending) > 0 {
		timer := time.NewTimer(time.Until(r.retry))
		defer timer.Stop()
		again = timer.C
	}
	var group []result
	select {
	case first := <-r.results:
		group = append(group, first)
	case <-again:
		return nil
	}
	for {
		select {
		case next := <-r.results:
			group = append(group, next)
		default:
			return group
		}
	}
}

// write stores what came of a group of notifications, and of those that could not be stored
// before, when it is time. What cannot be stored holds up nothing else; it is tried again as
// long as it makes sense.
func (r *run) write(ctx context.Context, group []result) {
	for i := range group {
		b := group[i].batch
		if b.open--; b.open == 0 {
			b.cancel()
		}
		r.weigh(&group[i])
	}
	if len(group) > 0 && !r.exchange(ctx, group) {
		r.settle(group, r.writeAll)
		r.meter.report(r.flow, false)
	}
	if len(r.pending) > 0 && !time.Now().Before(r.retry) {
		pending := r.pending
		r.pending = nil
		r.pause.grow()
		r.settle(pending, r.writeEach)
	}
}

// settle stores outcomes, and keeps those that could not be stored as pending, or gives them
// up.
func (r *run) settle(group []result, write func(context.Context, []result) ([]result, error)) {
	ctx, cancel := context.WithTimeout(r.writes, r.config.ShutdownTimeout)
	left, err := write(ctx, group)
	cancel()
	lost, kept := 0, 0
	for _, g := range left {
		if g.until.IsZero() {
			g.until = storeTime(g.batch.claimed, r.config.Lease, r.config.ShutdownTimeout)
		}
		if r.writes.Err() != nil || time.Now().After(g.until) {
			lost++
			continue
		}
		if len(r.pending) == 0 {
			r.retry = time.Now().Add(max(r.pause.next, minBackoff))
		}
		r.pending = append(r.pending, g)
		kept++
	}
	if len(r.pending) == 0 {
		r.pause = backoff{}
	}
	if len(left) > 0 {
		r.config.Logger.Warn("flow: storing outcomes failed", "flow", r.flow.ID, "notifications", len(left), "error", err)
	}
	if lost > 0 {
		r.failed = fmt.Errorf("%w: %d of them: %w", ErrOutcomeNotStored, lost, err)
		r.broken.Store(true)
	}
	done := len(group) - kept
	r.open -= done
	r.pool.give(done)
}

// writeAll stores outcomes together, and if that fails, one by one.
func (r *run) writeAll(ctx context.Context, group []result) ([]result, error) {
	changes, err := r.changes(group)
	if err != nil {
		return group, err
	}
	if err := r.store.SaveNotifications(ctx, changes...); err != nil {
		return r.writeEach(ctx, group)
	}
	for i, g := range group {
		r.stored(g)
		r.flow.Counts.Add(g.n, -1)
		r.flow.Counts.Add(changes[i].Notification, 1)
	}
	return nil, nil
}

// changes returns what is to be stored of a group.
func (r *run) changes(group []result) ([]NotificationChange, error) {
	changes := make([]NotificationChange, len(group))
	for i, g := range group {
		change, err := g.apply(g.n, r.config.ID)
		if err != nil { // a step that the machine always has
			return nil, err
		}
		changes[i] = change
	}
	return changes, nil
}

// stored notes that an outcome was stored, and by now: so nothing that came with it was before.
func (r *run) stored(g result) {
	if g.tells {
		r.doubt = nil
	}
}

// writeEach stores outcomes one by one, as one of the notifications went on without us,
// or the store wrote them although it said otherwise. It returns those that it could not
// store, and why.
func (r *run) writeEach(ctx context.Context, group []result) ([]result, error) {
	var left []result
	var failed error
	for _, g := range group {
		switch err := r.writeOne(ctx, g); {
		case errors.Is(err, errOvertaken):
			r.config.Logger.Warn("flow: outcome came too late", "notification", g.n.ID, "outcome", g.action, "error", err)
		case err != nil:
			left, failed = append(left, g), err
		}
	}
	return left, failed
}

// writeOne stores an outcome by itself.
func (r *run) writeOne(ctx context.Context, g result) error {
	change, err := g.apply(g.n, r.config.ID)
	if err != nil {
		return err
	}
	if err = r.store.SaveNotifications(ctx, change); !errors.Is(err, flussi.ErrConflict) {
		if err == nil {
			r.stored(g)
		}
		return err
	}
	_, err = overtaken(ctx, r.store, r.config.ID, g.n, change, g.outcome)
	return err
}
