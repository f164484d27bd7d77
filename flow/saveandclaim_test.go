package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// exchanges is a store whose exchanges are another's.
type exchanges struct {
	*memstore.Store
	mu       sync.Mutex
	count    int
	most     int // In invio at the same time, of whichever flow
	exchange func(changes []flow.NotificationChange, exchange func() error) error
}

func newExchanges() *exchanges {
	return &exchanges{Store: memstore.New(), exchange: func(_ []flow.NotificationChange, exchange func() error) error { return exchange() }}
}

func (s *exchanges) Self() flow.Store { return s }

func (s *exchanges) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (f flow.Flow, claimed []flow.Notification, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	err = s.exchange(changes, func() error {
		f, claimed, err = s.Store.SaveAndClaim(ctx, changes, claim)
		s.most = max(s.most, s.sending(ctx))
		return err
	})
	if err != nil {
		return flow.Flow{}, nil, err
	}
	return f, claimed, nil
}

// sending is how many are In invio.
func (s *exchanges) sending(ctx context.Context) int {
	flows, _ := s.Flows(ctx, flow.FlowFilter{}, flow.Page{Limit: flow.MaxPage})
	sum := 0
	for _, f := range flows {
		sum += f.Counts.Sending
	}
	return sum
}

// What is claimed along with outcomes is never more than twice the workers.
func TestSaveAndClaimKeepsTwiceTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newExchanges()
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 500)
		assert.Equal(t, flow.Counts{Sent: 500}, w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 4}).Counts)
		assert.LessOrEqual(t, store.most, 8)
		assert.Positive(t, store.count)
	})
}

// Each flow of a Serve keeps to its workers, whatever it exchanges.
func TestSaveAndClaimOfManyFlowsKeepsTwiceTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newExchanges()
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		w.slow(time.Second)
		var flows []flow.Flow
		for range 3 {
			flows = append(flows, w.sending(t, 100))
		}
		stop := w.serve(t, flow.DispatcherConfig{Workers: 4, MaxFlows: 3})
		time.Sleep(5 * time.Minute)
		stop()
		for _, f := range flows {
			assert.Equal(t, flow.Counts{Sent: 100}, w.flow(t, f.ID).Counts)
		}
		assert.LessOrEqual(t, store.most, 3*8)
		assert.Positive(t, store.count)
	})
}

// An exchange that was not made is made up for, and the run goes on.
func TestRunContinuesAfterAFailedSaveAndClaim(t *testing.T) {
	for name, failure := range map[string]error{"a conflict": flussi.ErrConflict, "a failure": errStore} {
		bubble(t, name, func(t *testing.T) {
			store := newExchanges()
			store.exchange = func(_ []flow.NotificationChange, exchange func() error) error {
				if store.count%2 == 1 {
					return failure
				}
				return exchange()
			}
			w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
			f := w.sending(t, 300)
			assert.Equal(t, flow.Counts{Sent: 300}, w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 4}).Counts)
			w.hasDelivered(t, 300)
			assert.Greater(t, store.count, 2)
		})
	}
}

// An exchange that was made although the store said otherwise ends the run, as a claim does that
// failed: what it took is unknown after its lease, and nothing is sent twice.
func TestRunEndsAfterSaveAndClaimWithUnknownResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newExchanges()
		store.exchange = func(_ []flow.NotificationChange, exchange func() error) error {
			if err := exchange(); err != nil {
				return err
			}
			if store.count == 3 {
				return errStore
			}
			return nil
		}
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 300)
		d := w.dispatcher(t, flow.DispatcherConfig{Workers: 4, Lease: time.Minute})
		got, err := d.Run(t.Context(), f.ID)
		require.ErrorIs(t, err, errStore)
		assert.False(t, errors.Is(err, flow.ErrOutcomeNotStored), "every outcome is stored")
		w.hasDelivered(t, got.Counts.Sent)
		lost := got.Counts.Sending
		assert.Positive(t, lost)
		assert.LessOrEqual(t, lost, 8)
		got = must.Get(d.Run(t.Context(), f.ID))(t)
		assert.Equal(t, flow.Counts{Sent: 300 - lost, Failed: lost}, got.Counts)
		w.hasDelivered(t, 300-lost)
	})
}

// metrics is a store that embeds another one, and overrides what stores outcomes.
type metrics struct {
	*memstore.Store
	mu     sync.Mutex
	stored map[flow.NotificationAction]int
}

func (m *metrics) count(changes []flow.NotificationChange) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		m.stored[c.Record.Action]++
	}
}

func (m *metrics) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	m.count(changes)
	return m.Store.SaveNotifications(ctx, changes...)
}

// wholeMetrics overrides SaveAndClaim, too.
type wholeMetrics struct {
	metrics
	combined int
}

func (m *wholeMetrics) Self() flow.Store { return m }

func (m *wholeMetrics) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	m.count(changes)
	m.mu.Lock()
	m.combined++
	m.mu.Unlock()
	return m.Store.SaveAndClaim(ctx, changes, claim)
}

func TestDispatcherStoresOutcomesByTheWrapperOfAStore(t *testing.T) {
	whole := &wholeMetrics{metrics: metrics{Store: memstore.New(), stored: map[flow.NotificationAction]int{}}}
	half := &metrics{Store: memstore.New(), stored: map[flow.NotificationAction]int{}}
	for name, c := range map[string]struct {
		store   flow.Store
		metrics *metrics
	}{
		"that overrides SaveNotifications": {half, half},
		"that overrides both":              {whole, &whole.metrics},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, worldConfig{store: c.store, platform: appiotest.Config{Unlimited: true}})
			f := w.sending(t, 100)
			assert.Equal(t, flow.Counts{Sent: 100}, w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 4}).Counts)
			assert.Equal(t, 100, c.metrics.stored[flow.NotificationAccept], "outcomes that the wrapper stored")
		})
	}
	assert.Positive(t, whole.combined)
}
