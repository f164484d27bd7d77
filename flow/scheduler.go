package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// scheduler decides which flows are sent: all that are In invio, each by a run of its own, at most
// MaxFlows at a time. If there are more, they take turns.
type scheduler struct {
	dispatcher *Dispatcher
	runs       sync.WaitGroup
	ended      chan struct{} // runs send when they end while others wait, so that the next ones begin
	crowded    atomic.Bool   // flows wait for a run

	mu      sync.Mutex // serve and the goroutines of the runs use what follows
	flows   map[uuid.UUID]*scheduledFlow
	running int
	lost    error // the last ErrOutcomeNotStored
}

// scheduledFlow is a flow that is sent, or waits for its turn. The scheduler's mutex guards it, but
// for the breaker, which belongs to its run while there is one.
type scheduledFlow struct {
	id        uuid.UUID
	scheduler *scheduler
	running   bool
	foundAt   time.Time     // the last time that it was In invio and had notifications to claim
	dueAt     time.Time     // the next run; of a new flow, when it was found
	pause     time.Duration // after the last failure
	breaker   *breaker      // of the last run, if the next one goes on with it
	sending   sending       // what the observer was told; while a run exists, only the run uses it
}

// foundFlow is a flow that is In invio.
type foundFlow struct {
	id      uuid.UUID
	service string
}

// maxPause is the longest time between runs of a flow that fails.
const maxPause = time.Minute

// Serve sends every flow that is In invio, all at the same time, begins those whose time has come,
// which [Service.ScheduleFlow] set, and rescues expired notifications, until the context ends. Then
// it returns nil once everything is stored, or an [ErrOutcomeNotStored], the last if there were
// several. Other failures are logged and tried again, later each time. A flow that fails, waits, or
// whose remaining notifications other dispatchers have claimed, delays no other.
func (d *Dispatcher) Serve(ctx context.Context) error {
	s := &scheduler{dispatcher: d, flows: map[uuid.UUID]*scheduledFlow{}, ended: make(chan struct{}, 1)}
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
	for _, f := range s.flows { // those that wait
		f.sending.change(ctx, &d.config.Observer, SendingEnded, ReasonInterrupted)
	}
	return s.lost
}

// begin starts runs for the flows that find returns, as many as MaxFlows permits.
func (s *scheduler) begin(ctx context.Context) {
	found, err := s.find(ctx)
	if err != nil && ctx.Err() == nil {
		s.dispatcher.config.Logger.Warn("flow: looking for flows failed", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	due := s.due(found)
	for id, f := range s.flows {
		if last := time.Now().Add(-maxPause); err == nil && !f.running && f.dueAt.Before(last) && f.foundAt.Before(last) {
			delete(s.flows, id) // another dispatcher ended it; if not, it is found anew
			f.sending.change(ctx, &s.dispatcher.config.Observer, SendingEnded, ReasonEndedByOthers)
		}
	}
	begun := min(len(due), s.dispatcher.config.MaxFlows-s.running)
	s.crowded.Store(len(due) > begun)
	for _, f := range due[begun:] {
		f.sending.change(ctx, &s.dispatcher.config.Observer, SendingWaiting, ReasonMaxFlows)
	}
	for _, f := range due[:begun] {
		f.running = true
		s.running++
		s.runs.Go(func() {
			_, err := s.dispatcher.send(ctx, f.id, f)
			s.finish(ctx, f, err)
		})
	}
}

// find returns the flows that are In invio, the oldest first. It leaves out flows whose remaining
// notifications other dispatchers have claimed. With an error it returns only some of the flows.
func (s *scheduler) find(ctx context.Context) (found []foundFlow, err error) {
	filter := FlowFilter{States: []FlowState{FlowSending}, Services: s.dispatcher.config.Services}
	for page := (Page{Limit: MaxPage, OldestFirst: true}); ; {
		flows, err := s.dispatcher.store.Flows(ctx, filter, page)
		for _, f := range flows {
			if page.After = f.Cursor(); !f.isElsewhere() {
				found = append(found, foundFlow{f.ID, f.Service})
			}
		}
		if err != nil || len(flows) < page.Limit {
			return found, err
		}
	}
}

// due returns the flows to begin of those that were found In invio: first those that have waited
// longest. Of those that were found at the same time, the oldest come first. The mutex is locked.
func (s *scheduler) due(found []foundFlow) []*scheduledFlow {
	var due []*scheduledFlow
	now := time.Now()
	for _, one := range found {
		f := s.flows[one.id]
		if f == nil {
			f = &scheduledFlow{id: one.id, scheduler: s, dueAt: now, sending: sending{flow: one.id, name: one.service}}
			s.flows[one.id] = f
		}
		f.foundAt = now
		if !f.running && !f.dueAt.After(now) {
			due = append(due, f)
		}
	}
	slices.SortStableFunc(due, func(a, b *scheduledFlow) int { return a.dueAt.Compare(b.dueAt) })
	return due
}

// finish records the end of a run, and when the flow is due again.
func (s *scheduler) finish(ctx context.Context, f *scheduledFlow, err error) {
	config := &s.dispatcher.config
	if s.crowded.Load() {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.running = false
	s.running--
	var stopped *StopError
	switch {
	case errors.Is(err, errLimited):
		f.dueAt = f.breaker.limited()
		return
	case errors.Is(err, errTurnOver):
		f.dueAt = time.Now()
		return
	}
	f.breaker = nil
	switch {
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
