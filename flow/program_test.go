package flow_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// program is what the README shows: a file is imported, and its flow is sent to its end.
func (w *world) program(ctx context.Context, t testing.TB, store flow.Store, rows []flow.Draft) error {
	senders := func(ctx context.Context, service string) (flow.Sender, error) {
		m, err := w.senders(ctx, service)
		return mortal{m, store}, err
	}
	service := newService(t, store, senders)
	dispatcher := must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{Workers: 2}))(t)
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
	proxy
	at     int  // the call
	stores bool // the store performs it
	ends   func()
	calls  int
	dead   atomic.Bool
}

func newDying(store flow.Store, at int, stores bool, ends func()) *dying {
	s := &dying{at: at, stores: stores, ends: ends}
	s.proxy = func(ctx context.Context, call storeCall) (storeReply, error) {
		if !slices.Contains([]string{"Flow", "SaveFlow", "SaveImport", "SaveNotifications", "Claim", "Expired"}, call.Method) {
			return perform(ctx, store, call)
		}
		if s.dead.Load() {
			return storeReply{}, errStore
		}
		if s.calls++; s.calls < s.at {
			return perform(ctx, store, call)
		}
		if s.stores {
			_, _ = perform(ctx, store, call)
		}
		s.dead.Store(true)
		s.ends()
		return storeReply{}, errStore
	}
	return s
}

// mortal is the sender of a process that may die.
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
				w := newWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				store := newDying(w.store, at, stores, cancel)
				err := w.program(ctx, t, store, drafts(rows))
				if died = store.dead.Load(); died {
					require.Error(t, err)
				} else {
					require.NoError(t, err)
				}
				time.Sleep(time.Minute)
				for range 2 {
					if err := w.program(t.Context(), t, w.store, drafts(rows)); err != nil {
						require.ErrorIs(t, err, flow.ErrNothingToSend, "after call %d", at)
					}
				}
				require.Len(t, w.flows(t), 1)
				f := w.flows(t)[0]
				require.Equal(t, rows, f.Counts.Sent+f.Counts.Failed, "after call %d", at)
				require.LessOrEqual(t, f.Counts.Failed, 4, "twice the workers")
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
						do2(t, w.ConfirmUnknown, filter, "arrivata")
					} else {
						do2(t, w.ResendUnknown, filter, "non arrivata")
					}
				}
				require.NoError(t, w.program(t.Context(), t, w.store, drafts(rows)))
				w.isIn(t, flow.FlowSent, f.ID)
				require.Len(t, w.Deliveries(), rows)
				require.Len(t, w.delivered(), rows)
			})
		}
		assert.Greater(t, at, 12, "calls")
		assert.NotZero(t, unknown, "some died while messages were on their way")
	}
}

// The program is stopped after one of its writes to the store, each in turn. No outcome is unknown
// then.
func TestStoppedProgramRunAgainNotifiesEverybodyOnce(t *testing.T) {
	const rows = 7
	for at, ended := 1, true; ended; at++ {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			writes := 0
			store := proxy(func(ctx context.Context, call storeCall) (storeReply, error) {
				reply, err := perform(ctx, w.store, call)
				if strings.HasPrefix(call.Method, "Save") || call.Method == "Claim" {
					if writes++; writes == at {
						cancel()
					}
				}
				return reply, err
			})
			err := w.program(ctx, t, store, drafts(rows))
			if ended = writes >= at; ended && err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
			for range 2 {
				require.NoError(t, w.program(t.Context(), t, w.store, drafts(rows)))
			}
			require.Len(t, w.flows(t), 1)
			require.Equal(t, flow.FlowSent, w.flows(t)[0].State)
			require.Equal(t, flow.Counts{Sent: rows}, w.flows(t)[0].Counts)
			require.Len(t, w.Deliveries(), rows)
			require.Len(t, w.delivered(), rows)
		})
	}
}
