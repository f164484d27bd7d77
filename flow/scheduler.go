package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// scheduler decides which flows are sent, and by its budget how much of each at once.
type scheduler struct {
	dispatcher *Dispatcher
	budget     *budget
	runs       sync.WaitGroup
	ended      chan struct{} // runs send when they end, so that the next ones begin

	mu      sync.Mutex // serve and the goroutines of the runs use what follows
	flows   map[uuid.UUID]*scheduledFlow
	running int
	lost    error // the last ErrOutcomeNotStored
}

// scheduledFlow is a flow that is sent, or waits for its turn. The scheduler's mutex guards it.
type scheduledFlow struct {
	id      uuid.UUID
	running bool
	dueAt   time.Time     // the next run
	pause   time.Duration // after the last failure
	limit   limit         // of the last run, if the platform asked to wait
}

// maxPause is the longest time between runs of a flow that fails.
const maxPause = time.Minute

// Serve sends every flow that is In invio, begins those whose time has come, which
// [Service.ScheduleFlow] set, and rescues expired notifications, until the context ends. Then it returns nil once everything is stored, or an [ErrOutcomeNotStored], the last if
// there were several. Other failures are logged and tried again, later each time. A flow that
// fails, or whose remaining notifications other dispatchers have claimed, delays no other.
func (d *Dispatcher) Serve(ctx context.Context) error {
	s := &scheduler{
		dispatcher: d, budget: newBudget(&d.config, d.config.MaxFlows),
		flows: map[uuid.UUID]*scheduledFlow{}, ended: make(chan struct{}, 1),
	}
	for ctx.Err() == nil {
		if _, err := d.RescueExpired(ctx); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("flow: recovery failed", "error", err)
		}
		if err := d.beginScheduled(ctx); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("flow: beginning scheduled flows failed", "error", err)
		}
		s.begin(ctx)
		select {
		case <-ctx.Done():
		case <-s.ended:
		case <-time.After(d.config.PollInterval):
		}
	}
	s.runs.Wait()
	return s.lost
}

// begin starts runs for flows that are In invio, as many as MaxFlows permits.
func (s *scheduler) begin(ctx context.Context) {
	config := &s.dispatcher.config
	s.mu.Lock()
	for id, f := range s.flows {
		if !f.running && f.dueAt.Before(time.Now().Add(-maxPause)) {
			delete(s.flows, id) // another dispatcher ended it, or it is found anew
		}
	}
	free, known := config.MaxFlows-s.running, len(s.flows)
	s.mu.Unlock()
	if free == 0 {
		return
	}
	found, err := s.dispatcher.store.Flows(ctx, FlowFilter{States: []FlowState{FlowSending}, Services: config.Services},
		Page{Limit: min(free+known, MaxPage), OldestFirst: true})
	if err != nil && ctx.Err() == nil {
		config.Logger.Warn("flow: looking for flows failed", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.due(found) {
		f.running = true
		s.running++
		last := f.limit
		s.runs.Go(func() {
			_, err := s.dispatcher.send(ctx, f.id, s.budget, &last)
			s.finish(ctx, f, err)
		})
	}
}

// due returns the flows to begin of those that were found In invio, the oldest first: the flows
// that have waited longest, or were never sent.
func (s *scheduler) due(found []Flow) []*scheduledFlow {
	var due []*scheduledFlow
	for _, flow := range found {
		f := s.flows[flow.ID]
		if f == nil {
			f = &scheduledFlow{id: flow.ID}
			s.flows[flow.ID] = f
		}
		if !f.running && !f.dueAt.After(time.Now()) {
			due = append(due, f)
		}
	}
	slices.SortStableFunc(due, func(a, b *scheduledFlow) int { return a.dueAt.Compare(b.dueAt) })
	return due[:min(len(due), s.dispatcher.config.MaxFlows-s.running)]
}

// finish records the end of a run, and when the flow is due again.
func (s *scheduler) finish(ctx context.Context, f *scheduledFlow, err error) {
	config := &s.dispatcher.config
	defer func() {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	f.running, f.limit = false, limit{}
	s.running--
	var stopped *StopError
	var limited *limitedError
	switch {
	case errors.As(err, &limited):
		f.limit, f.dueAt = limited.limit, limited.limit.until
		return
	case errors.Is(err, ErrOutcomeNotStored):
		s.lost = err
	case err == nil, errors.As(err, &stopped):
		delete(s.flows, f.id)
		return
	case errors.Is(err, errElsewhere):
		f.dueAt = time.Now().Add(config.PollInterval)
		return
	}
	f.pause = min(max(2*f.pause, config.PollInterval), maxPause)
	f.dueAt = time.Now().Add(f.pause)
	if ctx.Err() == nil {
		config.Logger.Warn("flow: run failed", "flow", f.id, "error", err)
	}
}

// budget is how many notifications several flows may have in flight together: claimed, and the
// outcome not stored. A flow that is alone may use all of it; otherwise each flow has a guaranteed
// share, and may also use what the others leave free. It is safe for concurrent use. A run uses
// only its quota: inFlight, reserve, update and leave.
type budget struct {
	size    int // MaxInFlight
	share   int // of each flow
	flows   int // at most
	workers int // of each flow

	mu       sync.Mutex
	joined   int // flows
	inFlight int // of all flows, with what is reserved
}

// newBudget returns a budget for a number of flows.
func newBudget(config *DispatcherConfig, flows int) *budget {
	return &budget{
		size: config.MaxInFlight, share: config.MaxInFlight / flows,
		flows: flows, workers: config.Workers,
	}
}

// quota is the part of a budget that one flow uses. Only the goroutine of its run uses it.
type quota struct {
	budget   *budget
	inFlight int
	reserved int // of the budget, for a claim that is under way
}

// join returns the quota of another flow, which leaves it at the end.
func (b *budget) join() *quota {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.joined++
	return &quota{budget: b}
}

func (q *quota) leave() { q.budget.mu.Lock(); defer q.budget.mu.Unlock(); q.budget.joined-- }

// reserve returns how many notifications to claim now, and reserves room for them until update: 0
// while the workers have enough work. The claim may also store the outcomes of some that are done,
// and use their room; then fewer free places are enough for a claim. Beyond its share a flow leaves
// one share free for the next flow.
func (q *quota) reserve(done int) int {
	b := q.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	most, all := b.size-(b.joined-1)*b.share, b.size
	if b.joined < b.flows {
		all -= b.share
		most = min(most, all)
	}
	own, total := q.inFlight-done, b.inFlight-done
	room := min(most-own, all-total)
	if own < b.share {
		room = max(room, min(b.share-own, b.size-total))
	}
	enough := min(most/2, most-b.workers)
	if done > 0 {
		enough /= 4
	}
	if room < max(1, enough) && (own > 0 || room < 1) {
		return 0
	}
	q.reserved = max(0, room-done)
	b.inFlight += q.reserved
	return room
}

// update counts notifications that were claimed, and others that are done, and frees what was
// reserved.
func (q *quota) update(claimed, done int) {
	q.budget.mu.Lock()
	defer q.budget.mu.Unlock()
	q.budget.inFlight += claimed - done - q.reserved
	q.inFlight += claimed - done
	q.reserved = 0
}
