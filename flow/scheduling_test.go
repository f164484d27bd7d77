package flow_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// county is a process that sends for many bodies, each with a service, a platform and a pace of its
// own. Each message takes 50 ms.
type county struct {
	store     flow.Store
	service   *flow.Service
	platforms []*appiotest.Simulator
	silent    []atomic.Bool // the platform does not answer
	senders   flow.SenderFor
}

// line is the connection to a platform.
type line struct {
	http.RoundTripper
	silent *atomic.Bool
}

func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.silent.Load() {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return l.RoundTripper.RoundTrip(r)
}

// newCounty starts a county. Its bodies get the limits in turn, in calls in 5 seconds; 150 by default.
func newCounty(t testing.TB, bodies int, calls ...int) *county {
	calls = append(calls, 150)[:max(1, len(calls))]
	c := &county{store: memstore.New(), silent: make([]atomic.Bool, bodies)}
	clients, services := map[string]*appio.Client{}, make([]string, bodies)
	for i := range services {
		services[i] = fmt.Sprint("ente-", i)
		key := fmt.Sprint("0123456789abcdef-", i)
		simulator := appiotest.New(appiotest.Config{})
		simulator.AddService(appiotest.Service{ID: services[i], Key: key, Body: "80185250588"})
		c.platforms = append(c.platforms, simulator)
		clients[services[i]] = must.Get(appio.New(must.Get(flussi.ParseKey(key))(t), appio.Config{
			BaseURL: "http://localhost" + appiotest.BasePath, Pace: must.Get(appio.NewPace(appio.PaceConfig{Calls: calls[i%len(calls)]}))(t),
			HTTPClient: &http.Client{Transport: line{pipenet.Direct(simulator, 50*time.Millisecond), &c.silent[i]}, Timeout: 10 * time.Second},
		}))(t)
	}
	c.senders = func(_ context.Context, service string) (flow.Sender, error) { return clients[service], nil }
	c.service = must.Get(flow.NewService(c.store, flow.Permissions{operator.ID: services}, c.senders, flow.ServiceConfig{}))(t)
	return c
}

// orders orders flows of n messages of a body.
func (c *county) orders(t testing.TB, body, flows, n int) (ordered []uuid.UUID) {
	for i := range flows {
		f, _, err := c.service.ImportFlow(t.Context(), operator, fmt.Sprint("ente-", body), flow.Details{}, flow.DraftRows(drafts(n)...), flow.AddConfig{Occasion: fmt.Sprint("occasione ", i)})
		require.NoError(t, err)
		must.Get(c.service.ActivateFlow(t.Context(), operator, f.ID))(t)
		must.Get(c.service.SendFlow(t.Context(), operator, f.ID))(t)
		ordered = append(ordered, f.ID)
	}
	return ordered
}

// serve sends with the zero configuration until stop is called.
func (c *county) serve(t testing.TB, config ...flow.DispatcherConfig) (stop func()) {
	w := &world{store: c.store, senders: c.senders}
	return w.serve(t, append(config, flow.DispatcherConfig{})[0])
}

// sending returns how many notifications of flows are claimed and not stored.
func (c *county) sending(t testing.TB, flows []uuid.UUID) (n int) {
	for _, id := range flows {
		n += must.Get(c.store.Flow(context.WithoutCancel(t.Context()), id))(t).Counts.Sending
	}
	return n
}

// All bodies are sent for at their full pace, and together.
func TestServeSendsForAllBodiesAtTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bodies, each = 50, 60
		c := newCounty(t, bodies)
		var all []uuid.UUID
		for i := range bodies {
			all = append(all, c.orders(t, i, 1, each)...)
		}
		stop := c.serve(t)
		defer stop()
		time.Sleep(each / 30.0 * 1.2 * 1000 * time.Millisecond)
		synctest.Wait()
		for i, id := range all {
			require.Equal(t, flow.FlowSent, must.Get(c.store.Flow(t.Context(), id))(t).State, "body %d", i)
			require.Zero(t, c.platforms[i].Limited())
		}
	})
}

// What a crash would leave unknown at any moment: what is on its way, and what begins soon. That is
// so for several flows of a body, too, which share its pace.
func TestClaimsFollowThePace(t *testing.T) {
	for flows, most := range map[int]int{1: 6, 12: 10} {
		synctest.Test(t, func(t *testing.T) {
			c := newCounty(t, 1)
			ordered := c.orders(t, 0, flows, 600/flows)
			stop := c.serve(t)
			defer stop()
			sum, samples := 0, 0
			for at := range 600 {
				time.Sleep(time.Duration(20+at%13) * time.Millisecond)
				synctest.Wait()
				n := c.sending(t, ordered)
				require.LessOrEqual(t, n, most, "%d flows", flows)
				sum, samples = sum+n, samples+1
			}
			assert.LessOrEqual(t, float64(sum)/float64(samples), 4.0, "%d flows", flows)
			assert.GreaterOrEqual(t, len(c.platforms[0].Deliveries()), 400, "at the full pace")
		})
	}
}

// While a body has to wait, nothing more of it is claimed.
func TestNothingIsClaimedDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounty(t, 1)
		ordered := c.orders(t, 0, 1, 300)
		stop := c.serve(t)
		defer stop()
		time.Sleep(2 * time.Second)
		c.platforms[0].Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 30 * time.Second})
		for range 25 {
			time.Sleep(time.Second)
			synctest.Wait()
			require.LessOrEqual(t, c.sending(t, ordered), 4)
		}
	})
}

// If the platform asks a body to wait for an hour, each of its flows stops and says so, whichever of
// them was told.
func TestFlowsOfABodyStopTogetherForALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounty(t, 1)
		first := c.orders(t, 0, 1, 300)
		stop := c.serve(t)
		defer stop()
		time.Sleep(2 * time.Second)
		c.platforms[0].Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour})
		time.Sleep(2 * time.Second)
		f, _, err := c.service.ImportFlow(t.Context(), operator, "ente-0", flow.Details{}, flow.DraftRows(drafts(5)...), flow.AddConfig{Occasion: "dopo"})
		require.NoError(t, err)
		must.Get(c.service.ActivateFlow(t.Context(), operator, f.ID))(t)
		must.Get(c.service.SendFlow(t.Context(), operator, f.ID))(t)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, id := range append(first, f.ID) {
			got := must.Get(c.store.Flow(t.Context(), id))(t)
			assert.Equal(t, flow.FlowIncomplete, got.State)
			assert.Contains(t, got.Error, "chiede di attendere fino al")
			assert.Zero(t, got.Counts.Failed+got.Counts.Sending)
		}
	})
}

// Bodies whose platform is down, in every way, take nothing from the others; also if they need more
// requests than there are.
func TestBodiesThatAreDownDelayNoOther(t *testing.T) {
	for name, test := range map[string]struct {
		kinds  []appiotest.FaultKind
		config flow.DispatcherConfig
	}{
		"in every way": {[]appiotest.FaultKind{appiotest.Unauthorized, appiotest.TooManyRequests, appiotest.Unavailable, appiotest.Silent}, flow.DispatcherConfig{}},
		"silent":       {[]appiotest.FaultKind{appiotest.Silent}, flow.DispatcherConfig{MaxRequests: 200}},
	} {
		bubble(t, name, func(t *testing.T) {
			const bodies, each = 40, 60
			c := newCounty(t, bodies)
			var healthy []uuid.UUID
			for i := range bodies {
				if i%2 == 1 {
					healthy = append(healthy, c.orders(t, i, 1, each)...)
					continue
				}
				c.orders(t, i, 1, 400)
				if kind := test.kinds[i/2%len(test.kinds)]; kind == appiotest.Silent {
					c.silent[i].Store(true)
				} else {
					c.platforms[i].FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: kind})
				}
			}
			stop := c.serve(t, test.config)
			defer stop()
			time.Sleep(each / 30.0 * 1.3 * 1000 * time.Millisecond)
			synctest.Wait()
			for _, id := range healthy {
				require.Equal(t, flow.FlowSent, must.Get(c.store.Flow(t.Context(), id))(t).State)
			}
		})
	}
}

// Flows of one body share its pace evenly, also if the store is slow and one of them began earlier.
func TestFlowsOfABodySharePaceOnASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounty(t, 1)
		fast := c.store
		first := c.orders(t, 0, 1, 1000)[0]
		c.store = newSlowStore(fast, 150*time.Millisecond)
		stop := c.serve(t)
		defer stop()
		time.Sleep(3 * time.Second)
		f, _, err := c.service.ImportFlow(t.Context(), operator, "ente-0", flow.Details{}, flow.DraftRows(drafts(1000)...), flow.AddConfig{Occasion: "dopo"})
		require.NoError(t, err)
		must.Get(c.service.ActivateFlow(t.Context(), operator, f.ID))(t)
		must.Get(c.service.SendFlow(t.Context(), operator, f.ID))(t)
		sent := func(id uuid.UUID) int { return must.Get(fast.Flow(t.Context(), id))(t).Counts.Sent }
		time.Sleep(time.Second)
		before := sent(first)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		earlier, later := sent(first)-before, sent(f.ID)
		assert.Greater(t, earlier+later, 500, "at the full pace")
		assert.InDelta(t, earlier, later, 120)
	})
}

// slowStore is a store with SaveAndClaim that delays its writes.
type slowStore struct {
	exchanging
	writes atomic.Int64
}

func newSlowStore(store flow.Store, takes time.Duration) *slowStore {
	s := &slowStore{}
	s.proxy = func(ctx context.Context, call storeCall) (storeReply, error) {
		if strings.HasPrefix(call.Method, "Save") || call.Method == "Claim" {
			s.writes.Add(1)
			time.Sleep(takes)
		}
		return perform(ctx, store, call)
	}
	return s
}

func (s *slowStore) Self() flow.Store { return s }

// If answers take much less time than a write, each write stores all that the workers can send during
// a write.
func TestQuickAnswersMakeLargeWrites(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const workers, writes = 32, 30
		f := w.sending(t, 2*workers*writes)
		slow := newSlowStore(w.store, 20*time.Millisecond)
		w.store = slow
		w.slow(50 * time.Microsecond)
		w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: workers})
		assert.LessOrEqual(t, slow.writes.Load(), int64(writes*5/4))
	}, unlimited)
}

// Bodies whose platform stops answering, and that have work for all places, leave the other bodies
// their shares. That includes bodies that do not need a place all the time, such as slow ones.
func TestBodiesThatFallSilentLeaveTheOthersTheirShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bodies, each = 8, 30
		c := newCounty(t, bodies, 150, 15) // the odd ones may send 3 a second
		var healthy []uuid.UUID
		for i := range bodies {
			if i%2 == 1 {
				healthy = append(healthy, c.orders(t, i, 1, each)...)
				continue
			}
			c.orders(t, i, 1, 10*each)
		}
		stop := c.serve(t, flow.DispatcherConfig{MaxRequests: 4 * bodies})
		defer stop()
		time.Sleep(time.Second)
		for i := 0; i < bodies; i += 2 {
			c.silent[i].Store(true)
		}
		time.Sleep((each/3*1.2 - 1) * 1000 * time.Millisecond)
		synctest.Wait()
		for _, id := range healthy {
			require.Equal(t, flow.FlowSent, must.Get(c.store.Flow(t.Context(), id))(t).State)
		}
	})
}

// If there are more flows than MaxFlows, they take turns.
func TestFlowsTakeTurnsBeyondMaxFlows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounty(t, 6)
		var all []uuid.UUID
		for i := range 6 {
			all = append(all, c.orders(t, i, 1, 900)...) // 30 seconds of sending
		}
		stop := c.serve(t, flow.DispatcherConfig{MaxFlows: 2})
		defer stop()
		time.Sleep(40 * time.Second)
		synctest.Wait()
		for _, id := range all {
			sent := must.Get(c.store.Flow(t.Context(), id))(t).Counts.Sent
			assert.Greater(t, sent, 200)
			assert.Less(t, sent, 700)
		}
		time.Sleep(70 * time.Second)
		synctest.Wait()
		for _, id := range all {
			assert.Equal(t, flow.FlowSent, must.Get(c.store.Flow(t.Context(), id))(t).State)
		}
	})
}

// A sender without a pace gets as many workers as its answers earn, and no platform that is silent
// keeps more than the first ones.
func TestWorkersGrowWithAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		fault appiotest.Fault
		most  int
	}{
		"answers after a second": {appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second}, 64},
		"silence":                {appiotest.Fault{Kind: appiotest.Silent}, 16},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, unlimited)
			f := w.sending(t, 500)
			w.FailAtRandom(appiotest.SubmitMessage, 1, 1, test.fault)
			busy := &busiest{}
			real := must.Get(w.senders(t.Context(), taxes))(t)
			w.senders = func(context.Context, string) (flow.Sender, error) {
				return counted{real, busy}, nil
			}
			_, _ = w.dispatcher(t).Run(t.Context(), f.ID)
			assert.Equal(t, test.most, busy.most)
		})
	}
}

// Outcomes are stored soon, also if a platform that was quick falls silent.
func TestOutcomesAreStoredBeforeAPlatformThatFellSilentAnswers(t *testing.T) {
	for quick := range 40 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, unlimited)
			f := w.sending(t, 400)
			sender := &fallingSilent{Sender: must.Get(w.senders(t.Context(), taxes))(t), quick: 100 + quick}
			w.senders = func(context.Context, string) (flow.Sender, error) { return sender, nil }
			stop := w.serve(t, flow.DispatcherConfig{Workers: 16, ShutdownTimeout: time.Second})
			defer stop()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			require.Equal(t, 100+quick, w.flow(t, f.ID).Counts.Sent)
		})
	}
}

// fallingSilent is a sender whose platform answers some messages, each a little later than the one
// before, and then none.
type fallingSilent struct {
	flow.Sender
	mu    sync.Mutex
	quick int
}

func (s *fallingSilent) Submit(ctx context.Context, m appio.Message) (appio.Receipt, error) {
	s.mu.Lock()
	s.quick--
	left := s.quick
	s.mu.Unlock()
	if left < 0 {
		<-ctx.Done()
		return appio.Receipt{}, ctx.Err()
	}
	time.Sleep(time.Millisecond + time.Duration(left%16)*100*time.Microsecond)
	return s.Sender.Submit(ctx, m)
}

// busiest is how many submissions are under way, and were at the same time at most.
type busiest struct {
	mu        sync.Mutex
	now, most int
}

func (b *busiest) count(change int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now += change
	b.most = max(b.most, b.now)
}

// counted counts the submissions that are under way.
type counted struct {
	flow.Sender
	busy *busiest
}

func (s counted) Submit(ctx context.Context, m appio.Message) (appio.Receipt, error) {
	s.busy.count(1)
	defer s.busy.count(-1)
	return s.Sender.Submit(ctx, m)
}
