package pacetest

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio"
)

func TestMemoryTurnsKeepTheContract(t *testing.T) {
	RunTurnStore(t, func(*testing.T) []appio.TurnStore { return []appio.TurnStore{&appio.MemoryTurns{}} })
}

// store is a TurnStore by a function.
type store func(context.Context, appio.TurnRequest) (appio.Turns, error)

func (s store) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	return s(ctx, r)
}

// altered is a store in memory with functions that alter requests and answers. Each may be nil.
func altered(request func(*appio.TurnRequest), answer func(appio.TurnRequest, *appio.Turns)) func() appio.TurnStore {
	return func() appio.TurnStore {
		memory := &appio.MemoryTurns{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			asked := r
			if request != nil {
				request(&asked)
			}
			turns, err := memory.ReserveTurns(ctx, asked)
			if answer != nil && err == nil {
				answer(r, &turns)
			}
			return turns, err
		})
	}
}

// simple is one ledger for all bodies that ignores 429s, and has one fault.
type simple struct {
	mu   sync.Mutex
	next map[string]time.Time

	greedy, saves, racy, starves, single bool
}

func (s *simple) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	if err := ctx.Err(); err != nil {
		return appio.Turns{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = map[string]time.Time{}
	}
	now, next := time.Now(), s.next[r.Body]
	switch {
	case next.IsZero(), next.Before(now) && !s.saves:
		next = now
	}
	if s.racy {
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
		s.mu.Lock()
	}
	interval := time.Duration(float64(time.Second) / r.Rate)
	start := max(next.Sub(now), 0)
	half := max(1, int((500*time.Millisecond-start)/(2*interval)))
	switch {
	case s.greedy:
		half = r.Turns
	case s.single:
		half = 1
	case s.starves && start > 500*time.Millisecond:
		half = 0
	}
	count := min(r.Turns, half)
	s.next[r.Body] = next.Add(time.Duration(count) * interval)
	return appio.Turns{Count: count, Start: start, Interval: interval, Rate: r.Rate}, nil
}

// slowed is one ledger for all bodies, with a function for 429s.
type slowed struct {
	turns simple
	rule  func(s *slowed, now time.Time, wait time.Duration)

	mu            sync.Mutex
	share         map[string]float64
	paused, since map[string]time.Time
	body          string
}

func (s *slowed) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	if err := ctx.Err(); err != nil {
		return appio.Turns{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.share == nil {
		s.share, s.paused, s.since = map[string]float64{}, map[string]time.Time{}, map[string]time.Time{}
	}
	now := time.Now()
	if s.body = r.Body; s.share[r.Body] == 0 {
		s.share[r.Body] = 1
	}
	if r.RetryAfter > 0 {
		s.rule(s, now, r.RetryAfter)
	}
	rate := r.Rate * s.share[r.Body]
	paused := max(s.paused[r.Body].Sub(now), 0)
	if paused > 0 || r.Turns == 0 {
		return appio.Turns{Rate: rate, PausedFor: paused}, nil
	}
	r.Rate = rate
	return s.turns.ReserveTurns(ctx, r)
}

func (s *slowed) hold(now time.Time, wait time.Duration) {
	if until := now.Add(wait); until.After(s.paused[s.body]) {
		s.paused[s.body] = until
	}
}

// broken are stores that break the contract, each with the rule that has to find the fault.
var broken = map[string]struct {
	open func() appio.TurnStore
	rule string
}{
	"grants twice the rate": {altered(nil, func(_ appio.TurnRequest, a *appio.Turns) { a.Interval /= 2 }), "start at once"},
	"keeps the first full rate": {func() appio.TurnStore {
		memory, first := &appio.MemoryTurns{}, atomic.Uint64{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			first.CompareAndSwap(0, math.Float64bits(r.Rate))
			r.Rate = math.Float64frombits(first.Load())
			return memory.ReserveTurns(ctx, r)
		})
	}, "another full rate"},
	"grants more than was asked for":   {altered(nil, func(_ appio.TurnRequest, a *appio.Turns) { a.Count++ }), "than were asked for"},
	"grants turns that were not asked": {altered(func(r *appio.TurnRequest) { r.Turns++ }, nil), "than were asked for"},
	"grants again what it granted": {func() appio.TurnStore {
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			return (&appio.MemoryTurns{}).ReserveTurns(ctx, r)
		})
	}, "granted twice"},
	"grants the same to those who ask at once": {func() appio.TurnStore { return &simple{racy: true} }, "twice to those who ask at once"},
	"grants all that one asks for":             {func() appio.TurnStore { return &simple{greedy: true} }, "leaves turns"},
	"grants one at a time":                     {func() appio.TurnStore { return &simple{single: true} }, "leaves turns"},
	"grants none behind many":                  {func() appio.TurnStore { return &simple{starves: true} }, "leaves turns"},
	"counts idle time as turns":                {func() appio.TurnStore { return &simple{saves: true} }, "idle time"},
	"begins late":                              {altered(nil, func(_ appio.TurnRequest, a *appio.Turns) { a.Start += time.Second }), "start at once"},
	"never grants":                             {altered(func(r *appio.TurnRequest) { r.Turns = 0 }, nil), "start at once"},
	"ignores 429s":                             {altered(func(r *appio.TurnRequest) { r.RetryAfter = 0 }, nil), "holds all calls"},
	"ignores 429s of requests for turns": {altered(func(r *appio.TurnRequest) {
		if r.Turns > 0 {
			r.RetryAfter = 0
		}
	}, nil), "holds all calls"},
	"forgets 429s": {func() appio.TurnStore {
		memory := &appio.MemoryTurns{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			if r.RetryAfter > 0 {
				return (&appio.MemoryTurns{}).ReserveTurns(ctx, r)
			}
			return memory.ReserveTurns(ctx, r)
		})
	}, "holds all calls"},
	"never ends a wait": {altered(func(r *appio.TurnRequest) {
		if r.RetryAfter > 0 {
			r.RetryAfter = 1000 * time.Hour
		}
	}, nil), "holds all calls"},
	"grants during a wait": {altered(nil, func(r appio.TurnRequest, a *appio.Turns) {
		if a.PausedFor > 0 && r.Turns > 0 {
			a.Count, a.Interval = 1, time.Hour
		}
	}), "holds all calls"},
	"blocks during a wait": {func() appio.TurnStore {
		memory := &appio.MemoryTurns{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			a, err := memory.ReserveTurns(ctx, r)
			time.Sleep(a.PausedFor)
			a.PausedFor = 0
			return a, err
		})
	}, "holds all calls"},
	"lets the last wait win": {func() appio.TurnStore {
		return &slowed{rule: func(s *slowed, now time.Time, wait time.Duration) { s.paused[s.body] = now.Add(wait) }}
	}, "longer one"},
	"lowers the rate for each 429": {func() appio.TurnStore {
		return &slowed{rule: func(s *slowed, now time.Time, wait time.Duration) {
			s.share[s.body] = max(s.share[s.body]*0.8, 0.05)
			s.hold(now, wait)
		}}
	}, "lowers the rate"},
	"does not lower the rate": {func() appio.TurnStore { return &slowed{rule: (*slowed).hold} }, "lowers the rate"},
	"has no lowest rate, and does not grow": {func() appio.TurnStore {
		return &slowed{rule: func(s *slowed, now time.Time, wait time.Duration) {
			if !now.Before(s.paused[s.body]) {
				s.share[s.body] *= 0.8
			}
			s.hold(now, wait)
		}}
	}, "lowest value"},
	"has a lowest rate that is too high": {func() appio.TurnStore {
		return &slowed{rule: func(s *slowed, now time.Time, wait time.Duration) {
			if !now.Before(s.paused[s.body]) {
				s.share[s.body] = max(s.share[s.body]*0.8, 0.5)
			}
			s.hold(now, wait)
		}}
	}, "lowest value"},
	"grows beyond the full rate": {func() appio.TurnStore {
		memory, opened := &appio.MemoryTurns{}, time.Now()
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			a, err := memory.ReserveTurns(ctx, r)
			a.Rate *= 1 + 0.01*time.Since(opened).Seconds()
			return a, err
		})
	}, "idle time"},
	"does not grow": {func() appio.TurnStore {
		return &slowed{rule: func(s *slowed, now time.Time, wait time.Duration) {
			if !now.Before(s.paused[s.body]) {
				s.share[s.body] = max(s.share[s.body]*0.8, 0.05)
			}
			s.hold(now, wait)
		}}
	}, "grows again"},
	"forgets the lower rate after the wait": {altered(nil, func(r appio.TurnRequest, a *appio.Turns) {
		if a.PausedFor == 0 {
			a.Rate = r.Rate
		}
	}), "lowest value"},
	"mixes all bodies":     {altered(func(r *appio.TurnRequest) { r.Body = "" }, nil), "bodies have nothing"},
	"mixes similar bodies": {altered(func(r *appio.TurnRequest) { r.Body = strings.ToLower(strings.TrimSpace(r.Body)) }, nil), "bodies have nothing"},
	"cuts long names":      {altered(func(r *appio.TurnRequest) { r.Body = r.Body[:min(255, len(r.Body))] }, nil), "bodies have nothing"},
	"cuts names at a NUL":  {altered(func(r *appio.TurnRequest) { r.Body, _, _ = strings.Cut(r.Body, "\x00") }, nil), "bodies have nothing"},
	"ignores the context": {func() appio.TurnStore {
		memory := &appio.MemoryTurns{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			return memory.ReserveTurns(context.WithoutCancel(ctx), r)
		})
	}, "context that has ended"},
	"takes turns for a context that has ended": {func() appio.TurnStore {
		memory := &appio.MemoryTurns{}
		return store(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			a, _ := memory.ReserveTurns(context.WithoutCancel(ctx), r)
			return a, ctx.Err()
		})
	}, "context that has ended"},
	"blocks for ever": {func() appio.TurnStore {
		return store(func(context.Context, appio.TurnRequest) (appio.Turns, error) {
			time.Sleep(10 * patience)
			return appio.Turns{}, nil
		})
	}, "start at once"},
	"shares nothing": {func() appio.TurnStore { return &apart{} }, "granted twice"},
}

// apart answers as stores of several processes that share no data.
type apart struct {
	asked  atomic.Int64
	stores [2]appio.MemoryTurns
}

func (a *apart) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	return a.stores[a.asked.Add(1)%2].ReserveTurns(ctx, r)
}

// Each rule finds a store that breaks it, and the stores that keep the contract break none.
func TestBrokenTurnStoresAreFound(t *testing.T) {
	proved := map[string]bool{}
	for name, b := range broken {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				found := false
				for _, r := range rules {
					faults := r.check(t.Context(), []appio.TurnStore{b.open()})
					if strings.Contains(r.name, b.rule) {
						assert.NotEmpty(t, faults, r.name)
						proved[r.name], found = true, true
					}
				}
				assert.True(t, found, "there is no rule %q", b.rule)
				time.Sleep(24 * time.Hour * 50) // so that blocked calls end
			})
		})
	}
	for _, r := range rules {
		assert.True(t, proved[r.name], "no broken store proves the rule %q", r.name)
		synctest.Test(t, func(t *testing.T) {
			assert.Empty(t, r.check(t.Context(), []appio.TurnStore{&appio.MemoryTurns{}}), r.name)
		})
	}
}
