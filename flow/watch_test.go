package flow_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// seen is what Watch yielded, and when.
type seen struct {
	flow.Progress
	err error
	at  time.Time
}

// watch follows a flow to the end of the sequence, as the operator.
func (w *world) watch(ctx context.Context, id uuid.UUID) []seen {
	var all []seen
	for now, err := range w.Watch(ctx, operator, id) {
		all = append(all, seen{now, err, time.Now()})
	}
	return all
}

func TestWatchYieldsChangesAtMostOncePerSecond(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 100)
		w.slow(time.Second)
		start := time.Now()
		go w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 5})
		elsewhere := &world{Service: newService(t, w.store, w.senders)} // in a process that sends nothing
		all := elsewhere.watch(t.Context(), f.ID)
		assert.Equal(t, start, all[0].at, "the first one at once")
		assert.InDelta(t, 20, len(all), 3)
		for i, now := range all {
			require.NoError(t, now.err)
			assert.Equal(t, i == len(all)-1, now.Done)
			if i > 0 {
				assert.GreaterOrEqual(t, now.at.Sub(all[i-1].at), time.Second)
				assert.NotEqual(t, all[i-1].Progress, now.Progress)
				assert.GreaterOrEqual(t, now.Flow.Counts.Sent, all[i-1].Flow.Counts.Sent)
			}
		}
		middle, last := all[len(all)/2], all[len(all)-1]
		assert.InDelta(t, 5, middle.Rate, 0.5)
		assert.InDelta(t, float64(middle.Flow.Counts.Pending())/5, middle.TimeLeft.Seconds(), 2)
		assert.Zero(t, last.TimeLeft)
		assert.Equal(t, flow.Counts{Sent: 100}, last.Flow.Counts)
		assert.Equal(t, flow.FlowSent, last.Flow.State)
	}, unlimited)
}

// The platform accepts 10 messages a second, and after the hundredth asks to wait for ten minutes.
func TestWatchTellsTheTimeLeftAfterAWait(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		var waitsUntil time.Time
		p := &scripted{}
		p.script = func(call int, _ flussi.FiscalCode) *reply {
			if call == 100 {
				waitsUntil = time.Now().Add(10 * time.Minute)
			}
			if time.Now().Before(waitsUntil) {
				a := gateway(429, "Rate limit is exceeded.")
				a.retryAfter = "600"
				return &a
			}
			return nil
		}
		config := worldConfig{}
		config.client.Pace = paceOf(t, 10)
		w := inPipes(t, p, config)
		f := w.sending(t, 400)
		stop := w.serve(t, flow.DispatcherConfig{})
		defer stop()
		all := w.watch(t.Context(), f.ID)
		assert.True(t, all[len(all)-1].Done)
		var during, after []seen
		for _, now := range all {
			switch {
			case now.at.Before(waitsUntil.Add(-9 * time.Minute)):
			case now.at.Before(waitsUntil):
				during = append(during, now)
			case !now.Done && now.Rate > 0:
				after = append(after, now)
			}
		}
		assert.Empty(t, during, "nothing changes a minute after the beginning of the wait")
		require.Greater(t, len(after), 20)
		for _, now := range after {
			assert.InDelta(t, 0.8*9.8, now.Rate, 3, "four fifths after a 429, and growing")
			assert.InDelta(t, float64(now.Flow.Counts.Pending())/now.Rate, now.TimeLeft.Seconds(), 1)
		}
		i := slices.IndexFunc(all, func(now seen) bool { return now.at.After(waitsUntil.Add(-9 * time.Minute)) })
		standing := all[i-1]
		assert.Zero(t, standing.Rate, "the last progress before says that it stands still")
		assert.Equal(t, flow.FlowSending, standing.Flow.State)
	})
}

func TestWatchSaysWhyNothingIsSent(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(t *testing.T, w *world) uuid.UUID
		check   func(t *testing.T, p flow.Progress)
		done    bool
	}{
		"it is not active": {
			prepare: func(t *testing.T, w *world) uuid.UUID { return w.prepared(t, 2).ID },
			check:   func(t *testing.T, p flow.Progress) { assert.Equal(t, flow.FlowInactive, p.Flow.State) },
		},
		"it is scheduled": {
			prepare: func(t *testing.T, w *world) uuid.UUID {
				f := w.prepared(t, 2)
				do(t, w.ActivateFlow, f.ID)
				return do2(t, w.ScheduleFlow, f.ID, time.Now().Add(time.Hour)).ID
			},
			check: func(t *testing.T, p flow.Progress) { assert.False(t, p.Flow.NotBefore.IsZero()) },
		},
		"it is disabled": {
			prepare: func(t *testing.T, w *world) uuid.UUID { return do(t, w.DisableFlow, w.sending(t, 2).ID).ID },
			check:   func(t *testing.T, p flow.Progress) { assert.True(t, p.Flow.Disabled) },
		},
		"nobody sends it": {
			prepare: func(t *testing.T, w *world) uuid.UUID { return w.sending(t, 2).ID },
			check: func(t *testing.T, p flow.Progress) {
				assert.Equal(t, flow.FlowSending, p.Flow.State)
				assert.Zero(t, p.Rate)
			},
		},
		"it was stopped": {
			prepare: func(t *testing.T, w *world) uuid.UUID {
				f := w.sending(t, 2)
				w.senders = func(context.Context, string) (flow.Sender, error) { return nil, errors.New("no key") }
				_, err := w.dispatcher(t).Run(t.Context(), f.ID)
				require.Error(t, err)
				return f.ID
			},
			check: func(t *testing.T, p flow.Progress) { assert.Contains(t, p.Flow.Error, "Invio fermato") },
			done:  true,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			all := w.watch(ctx, test.prepare(t, w))
			test.check(t, all[0].Progress)
			assert.Equal(t, test.done, all[0].Done)
			if test.done {
				assert.Len(t, all, 1)
				return
			}
			require.Len(t, all, 2, "it does not change, and the context ends")
			assert.Equal(t, all[0].Progress, all[1].Progress)
			assert.ErrorIs(t, all[1].err, context.DeadlineExceeded)
		})
	}
}

// rights is an Authorizer that permits the operator another service once withdrawn is set.
type rights struct{ withdrawn atomic.Bool }

func (r *rights) Services(_ context.Context, by flussi.Actor) ([]string, error) {
	if r.withdrawn.Load() || by.ID != operator.ID {
		return []string{school}, nil
	}
	return []string{taxes}, nil
}

func TestWatchEndsWithTheRightToRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 2)
		operators := &rights{}
		w.Service = must.Get(flow.NewService(w.store, operators, w.senders, flow.ServiceConfig{}))(t)
		time.AfterFunc(10*time.Second, func() { operators.withdrawn.Store(true) })
		start := time.Now()
		var others []error
		var watching sync.WaitGroup
		watching.Go(func() {
			for range 5 { // while the operator watches the same flow
				_, err := pull(w.Watch(t.Context(), stranger, f.ID))
				others = append(others, err)
				time.Sleep(time.Second)
			}
		})
		all := w.watch(t.Context(), f.ID)
		watching.Wait()
		assert.InDelta(t, 10, time.Since(start).Seconds(), 1)
		require.Len(t, all, 2)
		assert.ErrorIs(t, all[1].err, flussi.ErrNotFound)
		require.Len(t, others, 5)
		for _, err := range others {
			assert.ErrorIs(t, err, flussi.ErrNotFound)
		}
		_, err := pull(w.Watch(t.Context(), operator, uuid.New()))
		assert.ErrorIs(t, err, flussi.ErrNotFound)
	})
}

// readings is a store whose reads of a flow are counted, and may fail.
func readings(store flow.Store, fail func(n int) error) flow.Store {
	n := 0
	return proxy(func(ctx context.Context, call storeCall) (storeReply, error) {
		if call.Method == "Flow" {
			if n++; fail(n) != nil {
				return storeReply{}, fail(n)
			}
		}
		return perform(ctx, store, call)
	})
}

func TestWatchGoesOnAfterErrorsOfTheStore(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 2)
		store := w.store
		broken := readings(store, func(n int) error {
			if n >= 3 && n < 8 || n == 10 {
				return flussi.ErrStoreUnavailable
			}
			return nil
		})
		w.Service = newService(t, broken, w.senders)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		all := w.watch(ctx, f.ID)
		require.Len(t, all, 6)
		for i, at := range []int{0, 2, 7, 9, 10, 20} {
			assert.Equal(t, time.Duration(at)*time.Second, all[i].at.Sub(start), i)
			assert.Equal(t, f.ID, all[i].Flow.ID, "an error comes with the last progress")
			if i == 1 || i == 3 {
				assert.ErrorIs(t, all[i].err, flussi.ErrStoreUnavailable)
				assert.NotEmpty(t, flussi.Explain(all[i].err))
			} else if i < 5 {
				assert.NoError(t, all[i].err)
			}
		}
		assert.ErrorIs(t, all[5].err, context.DeadlineExceeded)
	})
}

func TestWatchersOfAFlowShareTheReads(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f, reads := w.sending(t, 50), 0
		w.slow(900 * time.Millisecond) // not at the moment of a read
		counted := readings(w.store, func(n int) error { reads = n; return nil })
		page := &world{Service: newService(t, counted, w.senders)}
		start := time.Now()
		go w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 5})
		all := make([][]seen, 100)
		atOnce(len(all), func(i int) error {
			time.Sleep(time.Duration(i) * 37 * time.Millisecond) // they do not open the page at once
			all[i] = page.watch(t.Context(), f.ID)
			return nil
		})
		assert.InDelta(t, time.Since(start).Seconds()+1, reads, 1)
		for i, watcher := range all {
			assert.True(t, watcher[len(watcher)-1].Done, i)
			assert.LessOrEqual(t, watcher[0].at, start.Add(time.Duration(i)*37*time.Millisecond), "the first one at once")
			if i > 60 {
				assert.Greater(t, watcher[0].Rate, 4.0, "who comes later gets the rate at once")
			}
		}
	}, unlimited)
}

// synctest fails if a goroutine is left.
func TestWatchEndsWithItsLoop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 2)
		for range w.Watch(t.Context(), operator, f.ID) {
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		yielded := 0
		for now, err := range w.Watch(ctx, operator, f.ID) {
			if yielded++; yielded == 1 {
				require.NoError(t, err)
				time.AfterFunc(300*time.Millisecond, cancel)
				continue
			}
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, f.ID, now.Flow.ID)
		}
		assert.Equal(t, 2, yielded)
		all := w.watch(ctx, f.ID)
		require.Len(t, all, 1)
		assert.ErrorIs(t, all[0].err, context.Canceled)
	})
}

// If a watcher leaves while it reads a slow store, the other watcher reads the store.
func TestWatcherThatGoesAwayDisturbsNoOther(t *testing.T) {
	inAltered(t, func(t *testing.T, w *world, _ *altered) {
		f := w.sending(t, 2)
		slow := proxy(func(ctx context.Context, call storeCall) (storeReply, error) {
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
				return storeReply{}, ctx.Err()
			}
			return perform(ctx, w.store, call)
		})
		page := &world{Service: newService(t, slow, w.senders)}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		go func() { assert.Len(t, page.watch(ctx, f.ID), 1) }()
		time.Sleep(time.Second)
		for now, err := range page.Watch(t.Context(), operator, f.ID) {
			assert.NoError(t, err)
			assert.Equal(t, f.ID, now.Flow.ID)
			break
		}
	})
}

// paceOf is a pace of so many calls a second.
func paceOf(t testing.TB, calls int) *appio.Pace {
	t.Helper()
	return must.Get(appio.NewPace(appio.PaceConfig{Calls: calls, Window: time.Second}))(t)
}
