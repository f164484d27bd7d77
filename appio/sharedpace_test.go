package appio_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

const body = "80185250588"

// minPause is how long a Pace waits after an answer that it does not use.
const minPause = 50 * time.Millisecond

// remoteTurns is a TurnStore behind a network: a request takes latency, half of it in each direction.
type remoteTurns struct {
	turns    appio.TurnStore
	latency  time.Duration
	frozen   atomic.Bool // the process is frozen for 12 seconds while it waits for the answer
	down     atomic.Bool // requests fail after the latency
	hung     atomic.Bool // requests are not answered
	requests atomic.Int64
	granted  atomic.Int64
}

var errDown = fmt.Errorf("%w: no connection", flussi.ErrStoreUnavailable)

func (r *remoteTurns) ReserveTurns(ctx context.Context, q appio.TurnRequest) (appio.Turns, error) {
	r.requests.Add(1)
	if r.hung.Load() {
		<-ctx.Done()
		return appio.Turns{}, ctx.Err()
	}
	time.Sleep(r.latency / 2)
	if r.down.Load() {
		return appio.Turns{}, errDown
	}
	turns, err := r.turns.ReserveTurns(ctx, q)
	r.granted.Add(int64(turns.Count))
	time.Sleep(r.latency / 2)
	if r.frozen.Load() {
		time.Sleep(12 * time.Second)
	}
	return turns, err
}

func sharedPace(t testing.TB, turns appio.TurnStore) *appio.Pace {
	return newPace(t, appio.PaceConfig{Shared: turns, Body: body})
}

// process makes calls by several workers as fast as a pace permits, until the context ends. It
// records when each call started.
type process struct {
	mu     sync.Mutex
	starts []time.Time
}

func (p *process) run(ctx context.Context, pace *appio.Pace, workers int) {
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for pace.Wait(ctx) == nil {
				p.note()
			}
		})
	}
	group.Wait()
}

func (p *process) note() { p.mu.Lock(); defer p.mu.Unlock(); p.starts = append(p.starts, time.Now()) }

func (p *process) calls() int { p.mu.Lock(); defer p.mu.Unlock(); return len(p.starts) }

// mostIn returns the most calls of processes that started within any window.
func mostIn(window time.Duration, processes ...*process) (most int) {
	var all []time.Time
	for _, p := range processes {
		all = append(all, p.starts...)
	}
	slices.SortFunc(all, time.Time.Compare)
	first := 0
	for i := range all {
		for all[i].Sub(all[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// Any number of processes, with any demand, make no more calls in a window than the limit permits.
func TestSharedPaceKeepsTheLimitForAnyDemand(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 19))
			turns := &appio.MemoryTurns{}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var group sync.WaitGroup
			processes := make([]*process, 1+random.IntN(12))
			for i := range processes {
				p, seed := &process{}, random.Uint64()
				processes[i] = p
				pace := sharedPace(t, turns)
				for worker := range 1 + random.IntN(20) {
					group.Go(func() {
						random := rand.New(rand.NewPCG(seed, uint64(worker)))
						for ctx.Err() == nil {
							switch random.IntN(40) {
							case 0: // idle
								time.Sleep(time.Duration(random.IntN(20)) * time.Second)
							case 1:
								n, _ := pace.Reserve(random.IntN(50), time.Duration(random.IntN(500))*time.Millisecond)
								time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
								pace.Release(n)
							case 2: // the context of the call ends
								short, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(50))*time.Millisecond)
								if pace.Wait(short) == nil {
									p.note()
								}
								cancel()
							default:
								if pace.Wait(ctx) == nil {
									p.note()
								}
								if random.IntN(3) == 0 {
									time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
								}
							}
						}
					})
				}
			}
			group.Wait()
			assert.LessOrEqual(t, mostIn(5*time.Second, processes...), 150, "seed %d", seed)
			assert.LessOrEqual(t, mostIn(time.Second, processes...), 32, "seed %d", seed)
		})
	}
}

// Processes that always have calls to make use the whole limit, each about the same part, with few
// requests.
func TestSharedPaceIsUsedUpAndFair(t *testing.T) {
	for _, latencies := range [][]time.Duration{
		{time.Millisecond},
		{100 * time.Millisecond},
		{time.Millisecond, time.Millisecond},
		{5 * time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond, 5 * time.Millisecond},
		{time.Millisecond, 200 * time.Millisecond},
		{time.Millisecond, 2 * time.Millisecond, 50 * time.Millisecond, 150 * time.Millisecond},
		slices.Repeat([]time.Duration{10 * time.Millisecond}, 20),
	} {
		synctest.Test(t, func(t *testing.T) {
			turns := &appio.MemoryTurns{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var group sync.WaitGroup
			processes, stores := make([]*process, len(latencies)), make([]*remoteTurns, len(latencies))
			for i := range processes {
				processes[i], stores[i] = &process{}, &remoteTurns{turns: turns, latency: latencies[i]}
				pace := sharedPace(t, stores[i])
				group.Go(func() { processes[i].run(ctx, pace, 16) })
			}
			group.Wait()
			time.Sleep(time.Second) // the last answers come
			total, requests, least := 0, 0, processes[0].calls()
			for i, p := range processes {
				total += p.calls()
				requests += int(stores[i].requests.Load())
				least = min(least, p.calls())
				t.Logf("%v: %d calls, %d requests", latencies[i], p.calls(), stores[i].requests.Load())
			}
			t.Logf("%d of 1764 calls, most in a window %d", total, mostIn(5*time.Second, processes...))
			assert.Greater(t, total, 1764*95/100)
			assert.LessOrEqual(t, mostIn(5*time.Second, processes...), 150+int(slices.Max(latencies)*30/time.Second))
			assert.Greater(t, least, total/len(processes)/3)
			if len(processes) <= 4 {
				assert.Less(t, requests, total/2)
			}
		})
	}
}

// A 429 to one process holds and slows all of them. The others learn of it with their next request,
// and start less than half a second's calls until then.
func TestSharedPaceSlowsAllProcessesAfterA429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &appio.MemoryTurns{}
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		paces, processes := make([]*appio.Pace, 3), make([]*process, 3)
		for i := range paces {
			paces[i], processes[i] = sharedPace(t, &remoteTurns{turns: turns, latency: 5 * time.Millisecond}), &process{}
			group.Go(func() { processes[i].run(ctx, paces[i], 8) })
		}
		calls := func() (n int) {
			for _, p := range processes {
				n += p.calls()
			}
			return n
		}
		time.Sleep(10 * time.Second)
		before, own := calls(), processes[0].calls()
		paces[0].SlowDown(10 * time.Second)
		time.Sleep(9900 * time.Millisecond)
		assert.Equal(t, own, processes[0].calls(), "its own calls are paused at once")
		assert.LessOrEqual(t, calls()-before, 15, "the others' learn it soon")
		for _, p := range paces {
			assert.InDelta(t, 29.4*0.8, p.Rate(), 0.3)
		}
		time.Sleep(100 * time.Millisecond)
		before = calls()
		time.Sleep(5 * time.Second)
		assert.InDelta(t, 5*29.4*0.825, calls()-before, 4, "slowed, and growing")
		time.Sleep(20 * time.Second)
		before = calls()
		time.Sleep(10 * time.Second)
		assert.InDelta(t, 294, calls()-before, 3, "at full speed again")

		// The 429 asks for a longer wait than MaxWait, while the store is down. The store learns of it
		// when it is up again.
		down := sharedPace(t, &remoteTurns{turns: turns, latency: 5 * time.Millisecond})
		require.NoError(t, down.Wait(ctx))
		cancel()
		group.Wait()
		time.Sleep(time.Minute)
	})
}

// A process that waits after a 429 reports it to the store as soon as the store answers again.
func TestSharedPaceTellsOfA429OnceItsStoreWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := &appio.MemoryTurns{}
		store := &remoteTurns{turns: turns, latency: time.Millisecond}
		pace, other := sharedPace(t, store), sharedPace(t, turns)
		require.NoError(t, pace.Wait(t.Context()))
		store.down.Store(true)
		pace.SlowDown(time.Minute)
		go func() { assert.NoError(t, pace.Wait(t.Context())) }()
		time.Sleep(10 * time.Second)
		require.NoError(t, other.Wait(t.Context()), "it cannot know")
		store.down.Store(false)
		time.Sleep(3 * time.Second)
		start := time.Now()
		require.NoError(t, other.Wait(t.Context()))
		assert.InDelta(t, 47, time.Since(start).Seconds(), 2.1)
		time.Sleep(10 * time.Second)
	})
}

// Without turns no call starts, and its error says why. Short failures of the store only delay calls.
func TestSharedPaceFailsIfItsStoreDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := appiotest.New(appiotest.Config{})
		simulator.AddService(appiotest.Service{ID: "tributi", Key: "key-1", Body: body})
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: time.Millisecond}
		client := must.Get(appio.New(key(t, "key-1"), appio.Config{
			BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: pipenet.Direct(simulator, 0)}, Pace: sharedPace(t, store),
		}))(t)
		must.Get(client.Submit(t.Context(), message(t, 1)))(t)
		for name, fails := range map[string]*atomic.Bool{"down": &store.down, "hung": &store.hung} {
			fails.Store(true)
			time.AfterFunc(50*time.Second, func() { fails.Store(false) })
			must.Get(client.Submit(t.Context(), message(t, 2)))(t)

			fails.Store(true)
			start := time.Now()
			_, err := client.Submit(t.Context(), message(t, 3))
			took := time.Since(start)
			assert.InDelta(t, 60, took.Seconds(), 6, name)
			failed := must.As[*flussi.RemoteError](t, err)
			assert.Equal(t, flussi.OutcomeNotDone, failed.Outcome)
			assert.ErrorIs(t, err, flussi.ErrUnavailable)
			assert.Equal(t, name == "down", errors.Is(err, flussi.ErrStoreUnavailable))
			assert.Equal(t, "La chiamata non è partita, perché l'archivio che regola le chiamate dell'ente non risponde: verificare che sia attivo e riprovare.", flussi.Explain(err))
			fails.Store(false)
			must.Get(client.Submit(t.Context(), message(t, 4)))(t)
		}
		assert.Equal(t, 5, simulator.Received(appiotest.SubmitMessage))
	})
}

// While the store fails, Reserve announces one call only, which returns the error of the store.
func TestSharedPaceAnnouncesNothingWhileItsStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: time.Millisecond}
		store.down.Store(true)
		pace := sharedPace(t, store)
		for range 50 {
			n, next := pace.Reserve(10, 50*time.Millisecond)
			require.Zero(t, n)
			require.GreaterOrEqual(t, time.Until(next), time.Duration(0))
			time.Sleep(time.Until(next) + 5*time.Millisecond)
		}
		time.Sleep(time.Minute)
		n, next := pace.Reserve(10, 50*time.Millisecond)
		require.Zero(t, n)
		require.Greater(t, time.Until(next), time.Minute)
		n, _ = pace.Reserve(1, time.Until(next)+time.Second)
		require.Equal(t, 1, n)
		pace.Release(1)
		time.Sleep(time.Minute)
		assert.Less(t, store.requests.Load(), int64(60), "it waits longer each time")
	})
}

// The context of a call ends its wait, also for an answer of the store. Other calls use the turns that
// the call leaves.
func TestSharedPaceHonoursContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: 2 * time.Second}
		pace := sharedPace(t, store)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, pace.Wait(ctx), context.DeadlineExceeded)
		assert.Equal(t, 100*time.Millisecond, time.Since(start))
		require.NoError(t, pace.Wait(t.Context()))
		assert.Equal(t, 2*time.Second, time.Since(start), "the request of the call that left")
		store.hung.Store(true)
		require.ErrorIs(t, pace.Wait(ctx), context.DeadlineExceeded)
		go pace.SlowDown(time.Hour)
		synctest.Wait()
		n, _ := pace.Reserve(3, time.Second)
		assert.Zero(t, n, "it does not block")
		time.Sleep(time.Minute)
	})
}

// A process that was frozen while it held turns, or while it asked for some, uses none of them.
func TestSharedPaceUsesNoTurnsOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: time.Millisecond}
		pace := sharedPace(t, store)
		n, _ := pace.Reserve(100, time.Second)
		require.Zero(t, n)
		synctest.Wait()
		time.Sleep(10 * time.Second) // as if it were frozen: its clock goes on
		requests, start := store.requests.Load(), time.Now()
		require.NoError(t, pace.Wait(t.Context()))
		assert.Greater(t, store.requests.Load(), requests)
		assert.Equal(t, time.Millisecond, time.Since(start))

		store.frozen.Store(true)
		time.AfterFunc(time.Second, func() { store.frozen.Store(false) })
		start = time.Now()
		require.NoError(t, pace.Wait(t.Context()))
		assert.Greater(t, time.Since(start), 12*time.Second+minPause, "it asks again")
		time.Sleep(10 * time.Second)
	})
}

// A process with nothing to send makes no requests. A process that makes one call takes one turn.
func TestSharedPaceTakesOnlyWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: time.Millisecond}
		pace := sharedPace(t, store)
		for i := range 10 {
			require.NoError(t, pace.Wait(t.Context()))
			assert.EqualValues(t, i+1, store.granted.Load())
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		assert.EqualValues(t, 10, store.requests.Load())
		other := &process{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		other.run(ctx, sharedPace(t, store.turns), 4)
		assert.InDelta(t, 294, other.calls(), 2, "the idle process takes nothing from it")
		time.Sleep(10 * time.Second)
	})
}

// A process that makes calls as fast as it can asks for more turns at a time.
func TestSharedPaceAsksSeldomAtFullSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &remoteTurns{turns: &appio.MemoryTurns{}, latency: 3 * time.Millisecond}
		pace := newPace(t, appio.PaceConfig{Calls: 10_000_000, Shared: store, Body: body})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var group sync.WaitGroup
		var calls atomic.Int64
		for range 64 {
			group.Go(func() {
				for pace.Wait(ctx) == nil {
					calls.Add(1)
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
		group.Wait()
		t.Logf("%d calls, %d requests", calls.Load(), store.requests.Load())
		assert.Greater(t, calls.Load(), int64(10_000))
		assert.Less(t, store.requests.Load(), calls.Load()/200)
		time.Sleep(time.Second)
	})
}

// There are turns for announced calls, and calls that were announced before and wait come first.
func TestSharedPaceAnnouncesCallsThatHaveTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := sharedPace(t, &remoteTurns{turns: &appio.MemoryTurns{}, latency: 10 * time.Millisecond})
		interval := time.Second * 1000 / 29400
		n, _ := pace.Reserve(100, 50*time.Millisecond)
		assert.Zero(t, n)
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		start := time.Now()
		n, next := pace.Reserve(100, 50*time.Millisecond)
		assert.Equal(t, 2, n)
		assert.WithinDuration(t, start.Add(2*interval), next, time.Millisecond)
		n, _ = pace.Reserve(100, 50*time.Millisecond)
		assert.Zero(t, n, "they are announced")
		for range 2 {
			pace.Release(1)
			require.NoError(t, pace.Wait(t.Context()))
		}
		assert.WithinDuration(t, start.Add(interval), time.Now(), time.Millisecond)
		pace.SlowDown(10 * time.Second)
		n, next = pace.Reserve(1, time.Second)
		assert.Zero(t, n)
		assert.False(t, next.Before(start.Add(10*time.Second)))
		n, _ = pace.Reserve(1, 11*time.Second)
		assert.Equal(t, 1, n, "when the pause is over")
		pace.Release(1)
		time.Sleep(time.Minute)
	})
}

// A store that breaks its contract does not make calls exceed the limit of this process.
func TestSharedPaceDoesNotTrustItsStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := &process{}
		pace := sharedPace(t, generous{})
		p.run(ctx, pace, 8)
		assert.LessOrEqual(t, p.calls(), 300)
		assert.InDelta(t, 30*0.05, pace.Rate(), 0.1, "the lowest rate")
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.ErrorIs(t, sharedPace(t, empty{}).Wait(ctx), context.DeadlineExceeded)
		time.Sleep(time.Minute)
	})
}

// generous grants more turns than were asked for, all of them at once and long ago.
type generous struct{}

func (generous) ReserveTurns(context.Context, appio.TurnRequest) (appio.Turns, error) {
	return appio.Turns{Count: 1000, Start: -time.Hour, Interval: -1, Rate: math.NaN(), PausedFor: -time.Hour}, nil
}

// empty never grants any.
type empty struct{}

func (empty) ReserveTurns(context.Context, appio.TurnRequest) (appio.Turns, error) {
	return appio.Turns{}, nil
}

// A store that ignores the end of its context is one that fails. Calls do not wait for it longer than
// for any other, and calls begin again when it answers.
func TestSharedPaceFailsIfItsStoreIgnoresTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := appiotest.New(appiotest.Config{})
		simulator.AddService(appiotest.Service{ID: "tributi", Key: "key-1", Body: body})
		answers := make(chan struct{})
		pace := sharedPace(t, turnsFunc(func(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
			<-answers
			return (&appio.MemoryTurns{}).ReserveTurns(context.WithoutCancel(ctx), r)
		}))
		client := must.Get(appio.New(key(t, "key-1"), appio.Config{
			BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: pipenet.Direct(simulator, 0)}, Pace: pace,
		}))(t)
		for i := range 3 {
			start := time.Now()
			_, err := client.Submit(t.Context(), message(t, i))
			assert.InDelta(t, 60, time.Since(start).Seconds(), 11)
			assert.Equal(t, flussi.OutcomeNotDone, must.As[*flussi.RemoteError](t, err).Outcome)
			assert.ErrorIs(t, err, flussi.ErrUnavailable)
		}
		n, next := pace.Reserve(10, time.Second)
		assert.Zero(t, n)
		assert.Greater(t, time.Until(next), time.Minute, "a dispatcher announces one call, which returns the error")
		close(answers)
		must.Get(client.Submit(t.Context(), message(t, 9)))(t)
		time.Sleep(time.Minute)
	})
}

// turnsFunc is a TurnStore by a function.
type turnsFunc func(context.Context, appio.TurnRequest) (appio.Turns, error)

func (f turnsFunc) ReserveTurns(ctx context.Context, r appio.TurnRequest) (appio.Turns, error) {
	return f(ctx, r)
}

func TestMemoryTurnsRefuseARateOfZero(t *testing.T) {
	for _, rate := range []float64{0, -1, math.NaN()} {
		_, err := (&appio.MemoryTurns{}).ReserveTurns(t.Context(), appio.TurnRequest{Body: body, Rate: rate, Turns: 1})
		assert.ErrorIs(t, err, flussi.ErrConfig)
	}
}

func TestSharedPaceNeedsABody(t *testing.T) {
	for _, c := range []appio.PaceConfig{{Shared: &appio.MemoryTurns{}}, {Body: body}} {
		_, err := appio.NewPace(c)
		require.ErrorIs(t, err, flussi.ErrConfig)
	}
}
