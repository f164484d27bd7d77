package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Serve sends every flow that is In invio, and recovers what crashed senders left behind,
// until the context ends; then it returns nil, once everything is written down, or an
// error that is an [ErrOutcomeNotStored], the last of them if there were several. What fails in
// between is logged, and tried again, later each time; a flow that fails, or whose rest
// others are sending, holds up no other.
func (d *Dispatcher) Serve(ctx context.Context) error {
	s := &serving{
		Dispatcher: d, flows: map[uuid.UUID]*served{},
		pool:  &pool{size: d.config.MaxInFlight, share: d.config.MaxInFlight / d.config.MaxFlows, flows: d.config.MaxFlows},
		ended: make(chan struct{}, 1),
	}
	for ctx.Err() == nil {
		if _, err := d.RescueExpired(ctx); err != nil && ctx.Err() == nil {
			d.config.Logger.Warn("flow: recovery failed", "error", err)
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

// serving is a Serve under way.
type serving struct {
	*Dispatcher
	pool *pool
	runs sync.WaitGroup
	// Told when a run ends, so that the next one can begin.
	ended chan struct{}

	mu      sync.Mutex
	flows   map[uuid.UUID]*served
	running int
	lost    error // the last of those that could not be stored
}

// served is a flow that is sent, or rests.
type served struct {
	id      uuid.UUID
	running bool
	until   time.Time // rests
	pause   backoff   // after failures
}

// begin starts runs for flows that are In invio, the oldest first, as long as there is room.
func (s *serving) begin(ctx context.Context) {
	s.mu.Lock()
	for id, f := range s.flows {
		if !f.running && f.until.Before(time.Now().Add(-maxRest)) {
			delete(s.flows, id) // it was sent by somebody else, or is found anew
		}
	}
	free, known := s.config.MaxFlows-s.running, len(s.flows)
	s.mu.Unlock()
	if free == 0 {
		return
	}
	flows, err := s.store.Flows(ctx, FlowFilter{States: []FlowState{FlowSending}}, Page{Limit: min(free+known, MaxPage), OldestFirst: true})
	if err != nil && ctx.Err() == nil {
		s.config.Logger.Warn("flow: looking for flows failed", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*served
	for _, found := range flows {
		f := s.flows[found.ID]
		if f == nil {
			f = &served{id: found.ID}
			s.flows[found.ID] = f
		}
		if !f.running && !f.until.After(time.Now()) {
			due = append(due, f)
		}
	}
	// Those first that wait longest for their turn, or never had one.
	slices.SortStableFunc(due, func(a, b *served) int { return a.until.Compare(b.until) })
	for _, f := range due[:min(len(due), s.config.MaxFlows-s.running)] {
		f.running = true
		s.running++
		s.runs.Go(func() { s.run(ctx, f) })
	}
}

// maxRest is the longest time that a flow rests after failures.
const maxRest = time.Minute

// run sends a flow, and notes what came of it.
func (s *serving) run(ctx context.Context, f *served) {
	_, err := s.Dispatcher.run(ctx, f.id, s.pool, false)
	defer func() {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	f.running = false
	s.running--
	var stopped *StopError
	switch {
	case errors.Is(err, ErrOutcomeNotStored):
		s.lost = err
	case err == nil, errors.As(err, &stopped): // it is over
		delete(s.flows, f.id)
		return
	case errors.Is(err, errElsewhere):
		f.until = time.Now().Add(s.config.PollInterval)
		return
	}
	f.pause.next = min(max(2*f.pause.next, s.config.PollInterval), maxRest)
	f.until = time.Now().Add(f.pause.next)
	if ctx.Err() == nil {
		s.config.Logger.Warn("flow: run failed", "flow", f.id, "error", err)
	}
}
