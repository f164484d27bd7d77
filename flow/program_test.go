package flow_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// program is what the README shows: a file is imported, and its flow is sent to its end.
func (w *world) program(ctx context.Context, t testing.TB, store flow.Store, rows []flow.Draft) error {
	messengers := func(ctx context.Context, service string) (flow.Sender, error) {
		m, err := w.messengers(ctx, service)
		return mortal{m, store}, err
	}
	service, err := flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, messengers, flow.ServiceConfig{})
	require.NoError(t, err)
	dispatcher, err := flow.NewDispatcher(store, messengers, flow.DispatcherConfig{Workers: 2, MaxInFlight: 3})
	require.NoError(t, err)
	f, _, err := service.ImportFlow(ctx, operator, taxes, flow.Details{}, flow.DraftRows(rows...), flow.AddConfig{})
	if err == nil {
		_, err = service.ActivateFlow(ctx, operator, f.ID)
	}
	if err == nil {
		_, err = service.SendFlow(ctx, operator, f.ID)
	}
	if err == nil {
		_, err = dispatcher.Run(ctx, f.ID)
	}
	return err
}

// dying is the store of a process that dies at one of its calls. No later call is answered.
type dying struct {
	flow.Store
	at     int  // the call
	stores bool // the store performs it
	ends   func()
	calls  int
	dead   atomic.Bool
}

// perform makes a call, unless the process is dead.
func (s *dying) perform(call func() error) error {
	if s.dead.Load() {
		return errStore
	}
	if s.calls++; s.calls < s.at {
		return call()
	}
	if s.stores {
		_ = call()
	}
	s.dead.Store(true)
	s.ends()
	return errStore
}

func (s *dying) Flow(ctx context.Context, id uuid.UUID) (f flow.Flow, err error) {
	err = s.perform(func() error { f, err = s.Store.Flow(ctx, id); return err })
	return f, err
}

func (s *dying) SaveFlow(ctx context.Context, change flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	return s.perform(func() error { return s.Store.SaveFlow(ctx, change, rows) })
}

func (s *dying) SaveImport(ctx context.Context, i flow.ImportRequest) (done flow.ImportResult, before bool, err error) {
	err = s.perform(func() error { done, before, err = s.Store.SaveImport(ctx, i); return err })
	return done, before, err
}

func (s *dying) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	return s.perform(func() error { return s.Store.SaveNotifications(ctx, changes...) })
}

func (s *dying) Claim(ctx context.Context, claim flow.Claim) (f flow.Flow, claimed []flow.Notification, err error) {
	err = s.perform(func() error { f, claimed, err = s.Store.Claim(ctx, claim); return err })
	return f, claimed, err
}

func (s *dying) Expired(ctx context.Context, limit int) (found []flow.Notification, err error) {
	err = s.perform(func() error { found, err = s.Store.Expired(ctx, limit); return err })
	return found, err
}

// mortal is the messenger of a process that may die.
type mortal struct {
	flow.Sender
	store flow.Store
}

func (m mortal) Submit(ctx context.Context, message appio.Message) (appio.Receipt, error) {
	if s, ok := m.store.(*dying); ok && s.dead.Load() {
		return appio.Receipt{}, errors.New("the process is dead")
	}
	return m.Sender.Submit(ctx, message)
}

// The program is killed at one of its calls of the store, each in turn, and run again, twice.
func TestKilledProgramRunAgainNotifiesEverybodyOnce(t *testing.T) {
	const rows = 7
	for _, stores := range []bool{false, true} {
		unknown, at := 0, 1
		for died := true; died; at++ {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				store := &dying{Store: w.store, at: at, stores: stores, ends: cancel}
				err := w.program(ctx, t, store, drafts(t, rows))
				if died = store.dead.Load(); died {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
				}
				time.Sleep(time.Minute)
				for range 2 {
					if err := w.program(t.Context(), t, w.store, drafts(t, rows)); err != nil {
						require.ErrorIs(t, err, flow.ErrNothingToSend, "after call %d", at)
					}
				}
				require.Len(t, w.flows(t), 1)
				f := w.flows(t)[0]
				require.Equal(t, rows, f.Counts.Sent+f.Counts.Failed, "after call %d", at)
				require.LessOrEqual(t, f.Counts.Failed, 3, "a batch")
				unknown += f.Counts.Failed
				for _, n := range w.notifications(t, f.ID) {
					require.LessOrEqual(t, w.delivered()[n.Recipient], 1, "after call %d", at)
					if n.State != flow.NotificationFailed {
						require.Equal(t, 1, w.delivered()[n.Recipient], "after call %d", at)
						continue
					}
					require.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
					filter := flow.NotificationFilter{IDs: []uuid.UUID{n.ID}}
					if w.delivered()[n.Recipient] == 1 {
						must(w.ConfirmUnknown(t.Context(), operator, filter, "arrivata"))(t)
					} else {
						must(w.ResendUnknown(t.Context(), operator, filter, "non arrivata"))(t)
					}
				}
				require.NoError(t, w.program(t.Context(), t, w.store, drafts(t, rows)))
				require.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
				require.Len(t, w.Deliveries(), rows)
				require.Len(t, w.delivered(), rows)
			})
		}
		assert.Greater(t, at, 12, "calls")
		assert.NotZero(t, unknown, "some died while messages were on their way")
	}
}

// The program is stopped after one of its calls of the store, each in turn. No outcome is unknown
// then.
func TestStoppedProgramRunAgainNotifiesEverybodyOnce(t *testing.T) {
	const rows = 7
	for at, ended := 1, true; ended; at++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			store := &stopping{Store: w.store, at: at, stop: cancel}
			err := w.program(ctx, t, store, drafts(t, rows))
			if ended = store.calls >= at; ended && err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
			for range 2 {
				require.NoError(t, w.program(t.Context(), t, w.store, drafts(t, rows)))
			}
			require.Len(t, w.flows(t), 1)
			require.Equal(t, flow.FlowSent, w.flows(t)[0].State)
			require.Equal(t, flow.Counts{Sent: rows}, w.flows(t)[0].Counts)
			require.Len(t, w.Deliveries(), rows)
			require.Len(t, w.delivered(), rows)
		})
	}
}

// stopping is a store that stops its process after one of the calls that change something.
type stopping struct {
	flow.Store
	at    int
	stop  func()
	calls int
}

func (s *stopping) count() {
	if s.calls++; s.calls == s.at {
		s.stop()
	}
}

func (s *stopping) SaveFlow(ctx context.Context, change flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	defer s.count()
	return s.Store.SaveFlow(ctx, change, rows)
}

func (s *stopping) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	defer s.count()
	return s.Store.SaveImport(ctx, i)
}

func (s *stopping) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	defer s.count()
	return s.Store.SaveNotifications(ctx, changes...)
}

func (s *stopping) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	defer s.count()
	return s.Store.Claim(ctx, claim)
}
