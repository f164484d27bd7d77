package flow_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// claimed claims n notifications of a flow for a sender that is never heard of again.
func (w *world) claimed(t testing.TB, id uuid.UUID, n int, lease time.Duration) []flow.Notification {
	t.Helper()
	_, claimed, err := w.store.Claim(t.Context(), flow.Claim{Flow: id, Limit: n, Lease: lease, At: time.Now().UTC(), By: "crashed"})
	require.NoError(t, err)
	require.Len(t, claimed, n)
	return claimed
}

// What a crashed sender had claimed may have arrived: it is not sent again.
func TestExpiredLeaseMakesTheOutcomeUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 20)
		claimed := w.claimed(t, f.ID, 5, time.Minute)
		start := time.Now()
		got := w.dispatch(t, f.ID)
		assert.GreaterOrEqual(t, time.Since(start), time.Minute, "the lease is respected")
		assert.Less(t, time.Since(start), 65*time.Second)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		assert.Equal(t, flow.Counts{Sent: 15, Failed: 5}, got.Counts)
		assert.Empty(t, got.Error)
		for _, n := range claimed {
			n := do(t, w.Notification, n.ID)
			assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
			assert.Zero(t, w.delivered()[n.Recipient])
			assert.ErrorIs(t, must.Err(w.RegisterNotification(t.Context(), operator, n.ID)), flow.ErrMayHaveArrived)
			do2(t, w.ResendNotification, n.ID, "il cittadino non l'ha ricevuto")
		}
		do(t, w.SendFlow, f.ID)
		got = w.dispatch(t, f.ID)
		assert.Equal(t, flow.Counts{Sent: 20}, got.Counts)
	})
}

// A run rescues the notifications of other flows while it sends, a few at a time.
func TestRunRescuesWhileItSends(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(time.Second)
		crashed, f := w.sending(t, 25), w.sending(t, 60)
		w.claimed(t, crashed.ID, 25, 5*time.Second)
		start, rescued := time.Now(), map[time.Duration]int{}
		ended := make(chan flow.Flow)
		go func() {
			ended <- w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 1, Observer: flow.Observer{
				LeaseRescued: func(context.Context, flow.RescuedLease) { rescued[time.Since(start).Truncate(time.Second)]++ },
			}})
		}()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, flow.Counts{Failed: 25}, w.flow(t, crashed.ID).Counts)
		for at, n := range rescued {
			assert.LessOrEqual(t, n, 10, at)
		}
		assert.Equal(t, flow.Counts{Sent: 60}, (<-ended).Counts)
		assert.Less(t, time.Since(start), 63*time.Second)
	}, unlimited)
}

// Recover works without a run, for notifications of no flow, too.
func TestRescueExpiredFindsNotificationsWithoutFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n, err := flow.NewNotification(taxes, citizen(1), operator)
		require.NoError(t, err)
		n.State = flow.NotificationSending
		require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Lease: time.Hour}))
		d := w.dispatcher(t, flow.DispatcherConfig{ID: "d1"})
		recovered, err := d.RescueExpired(t.Context())
		assert.NoError(t, err)
		assert.Zero(t, recovered)
		time.Sleep(time.Hour + time.Second)
		recovered, err = d.RescueExpired(t.Context())
		assert.NoError(t, err)
		assert.Equal(t, 1, recovered)
		n = do(t, w.Notification, n.ID)
		assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
		assert.Equal(t, "d1", n.UpdatedBy)
	})
}

// faulty is a store that fails now and then, before a write or after it.
type faulty struct {
	exchanging
	Store  flow.Store
	mu     sync.Mutex
	random *rand.Rand
	before float64 // chance that a call fails and changes nothing
	after  float64 // chance that a write happens and is said to have failed
}

func (s *faulty) Self() flow.Store { return s }

var errStore = errors.New("database is locked")

func newFaulty(seed uint64) *faulty {
	s := &faulty{Store: memstore.New(), random: rand.New(rand.NewPCG(seed, 3))}
	s.proxy = func(ctx context.Context, call storeCall) (storeReply, error) {
		writes := slices.Contains([]string{"SaveNotifications", "SaveAndClaim", "SaveFlow", "SaveImport"}, call.Method)
		if writes && s.fails(&s.before) {
			return storeReply{}, errStore
		}
		reply, err := perform(ctx, s.Store, call)
		switch {
		case err != nil || !writes || call.Method == "SaveAndClaim" || !s.fails(&s.after):
			return reply, err
		case call.Method == "SaveImport":
			return storeReply{}, flussi.ErrCommitUnknown
		}
		return storeReply{}, errStore
	}
	return s
}

func newFaultyWorld(t testing.TB) (*world, *faulty) {
	t.Helper()
	store := newFaulty(1)
	return newWorld(t, worldConfig{store: store}), store
}

func (s *faulty) fails(chance *float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Float64() < *chance
}

// A store that fails now and then loses nothing, and makes nothing unknown.
func TestFailuresOfTheStoreLoseNoOutcome(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			store := newFaulty(seed)
			w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
			f := w.sending(t, 300)
			store.before, store.after = 0.3, 0.2
			ends := make(chan error, 2)
			for range cap(ends) {
				d := w.dispatcher(t, flow.DispatcherConfig{Workers: 4})
				go func() {
					for {
						// The store may be down when the run has nothing left to do but to end.
						if _, err := d.Run(t.Context(), f.ID); !errors.Is(err, errStore) {
							ends <- err
							return
						}
					}
				}()
			}
			for range cap(ends) {
				require.NoError(t, <-ends)
			}
			assert.Equal(t, flow.Counts{Sent: 300}, w.flow(t, f.ID).Counts)
			w.isIn(t, flow.FlowSent, f.ID)
			w.hasDelivered(t, 300)
		})
	}
}

// The lease runs out while the store is not there; what the sender knows still counts, and
// is written down once it can be.
func TestAnswerReplacesAnUnknownOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store := newFaultyWorld(t)
		f := w.sending(t, 1)
		store.before = 1
		go func() {
			time.Sleep(20 * time.Second)
			// By the store's clock the lease is over, by the sender's it is not.
			n := w.notifications(t, f.ID)[0]
			from := n.State
			n.State, n.Transmission.ErrorCode = flow.NotificationFailed, flow.CodeOutcomeUnknown
			require.NoError(t, store.Store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n,
				Record: flow.NotificationRecord{Action: flow.NotificationFail, From: from, To: n.State}}))
			store.mu.Lock()
			defer store.mu.Unlock()
			store.before = 0
		}()
		got := w.dispatch(t, f.ID)
		assert.Equal(t, flow.FlowSent, got.State)
		assert.Equal(t, flow.Counts{Sent: 1}, got.Counts)
		n := w.notifications(t, f.ID)[0]
		assert.EqualValues(t, w.Deliveries()[0].ID, n.Transmission.MessageID)
		assert.Empty(t, n.Transmission.ErrorCode)
	})
}

// A store that does not come back: the run ends with an error, and what it could not
// write down is unknown after the lease.
func TestRunEndsWhenTheStoreDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, store := newFaultyWorld(t)
		f := w.sending(t, 100)
		store.before = 1
		start := time.Now()
		_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 2, Lease: time.Minute}).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, errStore)
		assert.ErrorIs(t, err, flow.ErrOutcomeNotStored)
		assert.Less(t, time.Since(start), 2*time.Minute, "the lease, and a while for what was given back")
		store.before = 0
		assert.Equal(t, flow.Counts{Sent: 98, Failed: 2}, w.dispatch(t, f.ID).Counts)
		w.hasDelivered(t, 100, "those that had been sent are not sent again")
	})
}

// If one dispatcher has claimed the rest of a flow, the others make no claims of it. They conclude it
// soon after the leases have ended.
func TestNothingIsClaimedOfAFlowThatOthersHaveClaimed(t *testing.T) {
	for name, serve := range map[string]bool{"Run": false, "Serve": true} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, unlimited)
			f := w.sending(t, 5)
			w.claimed(t, f.ID, 5, time.Minute)
			var mu sync.Mutex
			calls := map[string]int{}
			inner := w.store
			w.store = proxy(func(ctx context.Context, call storeCall) (storeReply, error) {
				mu.Lock()
				defer mu.Unlock()
				calls[call.Method]++
				return perform(ctx, inner, call)
			})
			if serve {
				stop := w.serve(t, flow.DispatcherConfig{})
				defer stop()
			} else {
				go func() { _, _ = w.dispatcher(t).Run(t.Context(), f.ID) }()
			}
			time.Sleep(50 * time.Second)
			synctest.Wait()
			mu.Lock()
			assert.Zero(t, calls["Claim"])
			assert.LessOrEqual(t, calls["Flow"], 52)
			mu.Unlock()
			time.Sleep(13 * time.Second)
			synctest.Wait()
			assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		})
	}
}
