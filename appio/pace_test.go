package appio_test

import (
	"context"
	"net/http"
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

func newPace(t testing.TB, c appio.PaceConfig) *appio.Pace {
	t.Helper()
	pace := must.Get(appio.NewPace(c))(t)
	return pace
}

// twoServices is a simulator with two services of one body.
func twoServices() *appiotest.Simulator {
	simulator := appiotest.New(appiotest.Config{})
	for _, n := range []string{"1", "2"} {
		simulator.AddService(appiotest.Service{ID: "servizio-" + n, Key: "key-" + n, Body: "80185250588"})
	}
	return simulator
}

func paced(t testing.TB, simulator *appiotest.Simulator, key_ string, pace *appio.Pace, takes time.Duration) *appio.Client {
	client := must.Get(appio.New(key(t, key_), appio.Config{
		BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: pipenet.Direct(simulator, takes)}, Pace: pace, MaxAttempts: 100,
	}))(t)
	return client
}

// The platform allows 150 calls in 5 s. 16 workers, of two services of one body, get
// the most out of that, and lose nothing.
func TestWorkersThatShareAPaceUseTheLimitUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := twoServices()
		pace := newPace(t, appio.PaceConfig{})
		clients := []*appio.Client{paced(t, simulator, "key-1", pace, 50*time.Millisecond), paced(t, simulator, "key-2", pace, 50*time.Millisecond)}
		total := 9000
		if testing.Short() {
			total = 1500
		}
		var next atomic.Int64
		var group sync.WaitGroup
		start := time.Now()
		for w := range 16 {
			group.Go(func() {
				for i := next.Add(1); i <= int64(total); i = next.Add(1) {
					_, err := clients[w%2].Submit(t.Context(), message(t, int(i)))
					assert.NoError(t, err)
				}
			})
		}
		group.Wait()
		rate := float64(total) / time.Since(start).Seconds()
		t.Logf("%.2f calls a second of 30, %d refused of %d", rate, simulator.Limited(), simulator.Received(appiotest.SubmitMessage))
		assert.Len(t, simulator.Deliveries(), total)
		assert.GreaterOrEqual(t, rate, 0.95*30)
		assert.LessOrEqual(t, simulator.Limited(), total/100)
	})
}

// The same while another program of the body uses up half of the limit for a while.
func TestAPaceAdaptsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := twoServices()
		pace := newPace(t, appio.PaceConfig{})
		client := paced(t, simulator, "key-1", pace, 10*time.Millisecond)
		other := paced(t, simulator, "key-2", newPace(t, appio.PaceConfig{Calls: 15, Window: time.Second}), 10*time.Millisecond)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			for ctx.Err() == nil {
				_, _ = other.Submit(ctx, message(t, 0))
			}
		})
		var sent atomic.Int64
		for range 8 {
			group.Go(func() {
				for ctx.Err() == nil {
					if _, err := client.Submit(ctx, message(t, 1)); err == nil {
						sent.Add(1)
					}
				}
			})
		}
		<-ctx.Done()
		group.Wait()
		slowed := pace.Rate()
		t.Logf("%d sent beside the other in a minute, %d refused of %d, rate %.1f", sent.Load(), simulator.Limited(), simulator.Received(appiotest.SubmitMessage), slowed)
		assert.Less(t, slowed, 25.0)
		assert.Less(t, simulator.Limited(), simulator.Received(appiotest.SubmitMessage)/10)
		time.Sleep(2 * time.Minute)
		assert.InDelta(t, 29.4, pace.Rate(), 0.01, "it recovers when nothing is refused")
	})
}

func TestA429OfOneClientHoldsAllOfThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := twoServices()
		pace := newPace(t, appio.PaceConfig{})
		first, second := paced(t, simulator, "key-1", pace, 0), paced(t, simulator, "key-2", pace, 0)
		simulator.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 7 * time.Second})
		start := time.Now()
		var group sync.WaitGroup
		group.Go(func() {
			_, err := first.Submit(t.Context(), message(t, 1))
			assert.NoError(t, err)
			assert.GreaterOrEqual(t, time.Since(start), 7*time.Second)
		})
		synctest.Wait()
		must.Get(second.Submit(t.Context(), message(t, 2)))(t)
		assert.GreaterOrEqual(t, time.Since(start), 7*time.Second)
		group.Wait()
		assert.Less(t, pace.Rate(), 29.0)
	})
}

// A platform that asks to wait for an hour is not asked again until then: neither by calls that were
// waiting for their turn, nor by later ones.
func TestLongWaitsEndTheCallsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := twoServices()
		pace := newPace(t, appio.PaceConfig{Calls: 5})
		client, other := paced(t, simulator, "key-1", pace, 100*time.Millisecond), paced(t, simulator, "key-2", pace, 0)
		patient := must.Get(appio.New(key(t, "key-2"), appio.Config{
			BaseURL: "http://localhost" + appiotest.BasePath, HTTPClient: &http.Client{Transport: pipenet.Direct(simulator, 0)}, Pace: pace, MaxWait: 2 * time.Hour,
		}))(t)
		simulator.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour})
		start := time.Now()
		limited := func(err error, attempts int) {
			failed := must.As[*flussi.RemoteError](t, err)
			assert.ErrorIs(t, err, flussi.ErrRateLimited)
			assert.Equal(t, flussi.OutcomeNotDone, failed.Outcome)
			assert.Equal(t, attempts, failed.Attempts)
			assert.WithinDuration(t, start.Add(time.Hour), failed.RetryAt, time.Second)
			assert.InDelta(t, time.Until(failed.RetryAt), failed.RetryAfter, float64(time.Millisecond))
			assert.Equal(t, "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi.", flussi.Explain(err))
		}
		var group sync.WaitGroup
		group.Go(func() {
			_, err := client.Submit(t.Context(), message(t, 1))
			limited(err, 1)
		})
		synctest.Wait()
		for i := range 20 {
			group.Go(func() {
				_, err := []*appio.Client{client, other}[i%2].Submit(t.Context(), message(t, 2))
				limited(err, 0)
				assert.Less(t, time.Since(start), time.Second)
			})
		}
		group.Go(func() {
			_, err := patient.Submit(t.Context(), message(t, 3))
			assert.NoError(t, err)
			assert.GreaterOrEqual(t, time.Since(start), time.Hour)
		})
		time.Sleep(30 * time.Minute)
		_, err := client.Submit(t.Context(), message(t, 4))
		limited(err, 0)
		_, err = client.Profile(t.Context(), message(t, 4).To)
		assert.ErrorIs(t, err, flussi.ErrRateLimited)
		assert.Equal(t, 1, simulator.Received(appiotest.SubmitMessage))
		assert.Zero(t, simulator.Received(appiotest.GetProfile))
		time.Sleep(29*time.Minute + 30*time.Second)
		must.Get(client.Submit(t.Context(), message(t, 5)))(t) // waits for the rest
		assert.GreaterOrEqual(t, time.Since(start), time.Hour)
		group.Wait()
		assert.Equal(t, 3, simulator.Received(appiotest.SubmitMessage))
	})
}

// Between two attempts, too.
func TestLongWaitsEndTheCallsThatRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator := twoServices()
		pace := newPace(t, appio.PaceConfig{})
		client := paced(t, simulator, "key-1", pace, 0)
		simulator.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 10 * time.Second})
		start := time.Now()
		go func() {
			time.Sleep(time.Second)
			pace.SlowDown(time.Hour)
		}()
		_, err := client.Submit(t.Context(), message(t, 1))
		assert.ErrorIs(t, err, flussi.ErrRateLimited)
		failed := must.As[*flussi.RemoteError](t, err)
		assert.Equal(t, 1, failed.Attempts)
		assert.Equal(t, start.Add(time.Hour+time.Second).UTC(), failed.RetryAt)
		assert.LessOrEqual(t, time.Since(start), 11*time.Second)
		assert.Equal(t, 1, simulator.Received(appiotest.SubmitMessage))
	})
}

func TestPace(t *testing.T) {
	pipenet.InBubble(t, "the first call goes out at once, the others evenly", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{Calls: 98, Window: 10 * time.Second})
		start := time.Now()
		for range 98 {
			require.NoError(t, pace.Wait(t.Context()))
		}
		assert.InDelta(t, 97.0/98*10/0.98, time.Since(start).Seconds(), 0.01)
	})
	pipenet.InBubble(t, "calls that are refused together count once", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		full := pace.Rate()
		for range 16 {
			pace.SlowDown(time.Second)
		}
		assert.InDelta(t, full*0.8, pace.Rate(), 0.01)
		time.Sleep(time.Second)
		pace.SlowDown(0)
		assert.InDelta(t, full*0.8*0.8, pace.Rate(), 0.01)
		start := time.Now()
		require.NoError(t, pace.Wait(t.Context()))
		assert.Equal(t, time.Second, time.Since(start), "a fifth of the window, if the platform names no time")
	})
	pipenet.InBubble(t, "callers that leave the queue take nothing along", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		require.NoError(t, pace.Wait(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 1000 {
			group.Go(func() { assert.ErrorIs(t, pace.Wait(ctx), context.Canceled) })
		}
		synctest.Wait()
		cancel()
		group.Wait()
		start := time.Now()
		require.NoError(t, pace.Wait(t.Context()))
		assert.Less(t, time.Since(start), 50*time.Millisecond)
	})
	pipenet.InBubble(t, "callers in the queue are slowed and held too", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		var passed atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range 2000 {
			group.Go(func() {
				if pace.Wait(ctx) == nil {
					passed.Add(1)
				}
			})
		}
		time.Sleep(time.Second)
		assert.InDelta(t, 30, passed.Load(), 1)
		for range 8 {
			pace.SlowDown(time.Second)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		assert.LessOrEqual(t, passed.Load(), int64(30+8), "held")
		before := passed.Load()
		pace.SlowDown(time.Second)
		pace.SlowDown(500 * time.Millisecond)
		time.Sleep(900 * time.Millisecond)
		assert.Equal(t, before, passed.Load(), "a shorter time does not shorten a longer one")
		time.Sleep(1100 * time.Millisecond)
		assert.InDelta(t, float64(before)+29.4*0.134, passed.Load(), 2, "slowed, though they came at full speed")
		cancel()
		group.Wait()
	})
	pipenet.InBubble(t, "nothing is regained while nothing may go out", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		pace.SlowDown(time.Minute)
		time.Sleep(time.Minute)
		assert.InDelta(t, 29.4*0.8, pace.Rate(), 0.01)
		time.Sleep(20 * time.Second)
		assert.InDelta(t, 29.4, pace.Rate(), 0.01)
	})
	pipenet.InBubble(t, "idle time is not saved up", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		require.NoError(t, pace.Wait(t.Context()))
		time.Sleep(time.Minute)
		start := time.Now()
		for range 30 {
			require.NoError(t, pace.Wait(t.Context()))
		}
		assert.Greater(t, time.Since(start), 900*time.Millisecond)
	})
	pipenet.InBubble(t, "calls wait as long as the platform asks", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		pace.SlowDown(24 * time.Hour)
		start := time.Now()
		require.NoError(t, pace.Wait(t.Context()))
		assert.Equal(t, 24*time.Hour, time.Since(start))
	})
	pipenet.InBubble(t, "it never stops", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{})
		for range 100 {
			pace.SlowDown(time.Millisecond)
			time.Sleep(time.Millisecond)
		}
		assert.Greater(t, pace.Rate(), 1.0)
		require.NoError(t, pace.Wait(t.Context()))
	})
	pipenet.InBubble(t, "a caller that is gone takes no turn", func(t *testing.T) {
		pace := newPace(t, appio.PaceConfig{Calls: 1, Window: 98 * time.Second})
		require.NoError(t, pace.Wait(t.Context()))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, pace.Wait(ctx), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
		require.NoError(t, pace.Wait(t.Context()))
		assert.InDelta(t, 100, time.Since(start).Seconds(), 0.01)
		assert.ErrorIs(t, pace.Wait(ctx), context.DeadlineExceeded)
	})
	for _, c := range []appio.PaceConfig{{Calls: -1}, {Window: -1}, {Window: 25 * time.Hour}} {
		_, err := appio.NewPace(c)
		assert.ErrorContains(t, err, "must not be negative")
	}
}

// Announced calls are those that can start within the time, behind those that wait and those that
// were announced before; a pause is part of the time.
func TestPaceAnnouncesCallsThatCanStartSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: 500, Window: 5 * time.Second}))(t) // 98 a second
		interval := time.Second / 98
		require.NoError(t, pace.Wait(t.Context()))
		start := time.Now()
		n, next := pace.Reserve(100, 5*interval)
		assert.Equal(t, 5, n)
		assert.WithinDuration(t, start.Add(6*interval), next, time.Microsecond)
		n, next = pace.Reserve(100, 5*interval)
		assert.Zero(t, n, "another one announced them")
		assert.WithinDuration(t, start.Add(6*interval), next, time.Microsecond)
		pace.Release(3)
		go func() { assert.NoError(t, pace.Wait(t.Context())) }()
		synctest.Wait()
		n, _ = pace.Reserve(100, 5*interval)
		assert.Equal(t, 2, n, "one waits")
		n, _ = pace.Reserve(0, time.Hour)
		assert.Zero(t, n)
		pace.Release(4)
		pace.SlowDown(10 * time.Second)
		n, next = pace.Reserve(1, time.Second)
		assert.Zero(t, n)
		assert.False(t, next.Before(start.Add(10*time.Second)))
		n, _ = pace.Reserve(1, 11*time.Second)
		assert.Equal(t, 1, n)
		time.Sleep(time.Minute)
	})
}
