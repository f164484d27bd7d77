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

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
)

// altered is a store some of whose methods a test replaces.
type altered struct {
	flow.Store
	saveFlow          func(context.Context, flow.FlowChange) error
	saveNotifications func(context.Context, []flow.NotificationChange) error
	claim             func(context.Context, flow.Claim) error // after the claim
}

func (s *altered) SaveFlow(ctx context.Context, change flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	if s.saveFlow != nil {
		if err := s.saveFlow(ctx, change); err != nil {
			return err
		}
	}
	return s.Store.SaveFlow(ctx, change, rows)
}

func (s *altered) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	if s.saveNotifications != nil {
		if err := s.saveNotifications(ctx, changes); err != nil {
			return err
		}
	}
	return s.Store.SaveNotifications(ctx, changes...)
}

func (s *altered) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	f, claimed, err := s.Store.Claim(ctx, claim)
	if err == nil && s.claim != nil {
		if err := s.claim(ctx, claim); err != nil {
			return flow.Flow{}, nil, err
		}
	}
	return f, claimed, err
}

// Profiles that are answered do not hide that no message is.
func TestAPlatformThatIsDownForMessagesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		for i := range 100 {
			w.AddCitizen(appiotest.Citizen{Code: citizen(t, 5*i), Absent: true})
		}
		f := w.sending(t, 500)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.BadGateway})
		got, err := w.dispatcher(t, flow.DispatcherConfig{CheckProfiles: true}).Run(t.Context(), f.ID)
		var stopped *flow.StopError
		require.ErrorAs(t, err, &stopped)
		unknown, err := w.Notifications(t.Context(), operator, flow.NotificationFilter{Flow: f.ID, ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}}, flow.Page{Limit: 500})
		require.NoError(t, err)
		assert.LessOrEqual(t, len(unknown.Notifications), 20+15)
		assert.Greater(t, got.Counts.Registered, 400)
	})
}

// While it is not known who has a message, its notification is not made another's.
func TestAnUnknownOutcomeIsNotEdited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Reset, Stored: true})
		n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.ErrorIs(t, err, flussi.ErrOutcomeUnknown)
		_, err = w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 2))
		assert.ErrorIs(t, err, flow.ErrMayHaveArrived)
		_, err = w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		assert.ErrorIs(t, err, flussi.ErrDuplicate)
		assert.Len(t, w.Deliveries(), 1)
	})
}

// Two operators, at the same moment, on a store that takes its time.
func TestTheSameMessageTwiceAtTheSameMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		store.saveNotifications = func(context.Context, []flow.NotificationChange) error {
			time.Sleep(5 * time.Millisecond)
			return nil
		}
		w := newWorld(t, worldConfig{store: store})
		ends := make(chan error, 2)
		for range cap(ends) {
			go func() {
				_, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
				ends <- err
			}()
		}
		for range cap(ends) {
			if err := <-ends; err != nil {
				assert.ErrorIs(t, err, flussi.ErrDuplicate)
			}
		}
		assert.LessOrEqual(t, len(w.Deliveries()), 1)
		_, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		if len(w.Deliveries()) == 1 && err != nil {
			assert.ErrorIs(t, err, flussi.ErrDuplicate)
		}
		assert.Len(t, w.Deliveries(), 1)
	})
}

// A database that hangs when the context ends: that outcomes are lost is said, by Run and
// by Serve.
func TestOutcomesThatCannotBeStoredAreReported(t *testing.T) {
	for name, start := range map[string]func(context.Context, *flow.Dispatcher, uuid.UUID) error{
		"run": func(ctx context.Context, d *flow.Dispatcher, id uuid.UUID) error {
			_, err := d.Run(ctx, id)
			return err
		},
		"serve": func(ctx context.Context, d *flow.Dispatcher, _ uuid.UUID) error { return d.Serve(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				w := newWorld(t, worldConfig{store: store})
				f := w.sending(t, 10)
				store.saveNotifications = func(ctx context.Context, _ []flow.NotificationChange) error {
					<-ctx.Done()
					return ctx.Err()
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				err := start(ctx, w.dispatcher(t, flow.DispatcherConfig{}), f.ID)
				assert.ErrorIs(t, err, flow.ErrOutcomeNotStored)
				assert.Contains(t, flussi.Explain(err), "potrebbe essere arrivato")
			})
		})
	}
}

// A stop is not a loss: Serve ends well.
func TestServeEndsWellAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 50)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Unauthorized, Delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		assert.NoError(t, w.dispatcher(t, flow.DispatcherConfig{}).Serve(ctx))
		assert.Equal(t, flow.Counts{Registered: 50}, w.flow(t, f.ID).Counts)
	})
}

// The context ends while the store is claiming: what was claimed is given back.
func TestAClaimThatIsInterruptedIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		w := newWorld(t, worldConfig{store: store})
		f := w.sending(t, 100)
		ctx, cancel := context.WithCancel(t.Context())
		store.claim = func(claiming context.Context, _ flow.Claim) error {
			cancel()
			return claiming.Err()
		}
		_, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(ctx, f.ID)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, flow.Counts{Registered: 100}, w.flow(t, f.ID).Counts)

		ctx, cancel = context.WithCancel(t.Context())
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if changes[0].Record.Action == flow.NotificationClaim {
				cancel()
			}
			return nil
		}
		n, err := w.SendNewNotification(ctx, operator, taxes, draft(t, 900), flow.SendNewConfig{})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, flow.NotificationRegistered, n.State)
		history, err := w.NotificationHistory(t.Context(), operator, n.ID)
		require.NoError(t, err)
		assert.Equal(t, "L'operazione è stata interrotta prima della fine: ripeterla.", history[len(history)-1].Reason.Reveal())
	})
}

// A stop that cannot be stored holds back no outcome, and does not spin.
func TestAStopThatCannotBeStored(t *testing.T) {
	for name, failure := range map[string]error{"failure": errStore, "conflict": flussi.ErrConflict} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				w := newWorld(t, worldConfig{store: store})
				f := w.sending(t, 16)
				var tries atomic.Int64
				store.saveFlow = func(context.Context, flow.FlowChange) error {
					tries.Add(1)
					return failure
				}
				// All are on their way when one is refused, and the others are accepted after that.
				w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unauthorized, Delay: time.Second})
				w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 2 * time.Second})
				_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 16}).Run(t.Context(), f.ID)
				assert.ErrorIs(t, err, failure)
				assert.Equal(t, flow.Counts{Registered: 1, Sent: 15}, w.flow(t, f.ID).Counts)
				assert.Len(t, w.Deliveries(), 15)
				assert.Less(t, tries.Load(), int64(200))
			})
		})
	}
}

// An answer after the lease is still stored, if nobody took the notification for lost.
func TestAnAnswerAfterTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 1)
		real, err := w.messengers(t.Context(), taxes)
		require.NoError(t, err)
		w.messengers = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(appio.Message) error { return nil }, 11 * time.Second}, nil
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Lease: 10 * time.Second}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 1}, got.Counts)
	})
}

// A notification that cannot be stored does not keep the others from being recovered.
func TestOneThatCannotBeStoredHoldsUpNoRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		w := newWorld(t, worldConfig{store: store})
		f := w.sending(t, 10)
		poison := w.claimed(t, f.ID, 10, time.Second)[0].ID
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if changes[0].Notification.ID == poison {
				return errStore
			}
			return nil
		}
		time.Sleep(2 * time.Second)
		recovered, err := w.dispatcher(t, flow.DispatcherConfig{}).RescueExpired(t.Context())
		assert.ErrorIs(t, err, errStore)
		assert.Equal(t, 9, recovered)
		_, err = w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, errStore, "it does not wait for ever")
	})
}

// Flows that fail, or wait for crashed senders, keep no other from being sent.
func TestServeLetsNobodyWaitInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		w := newWorld(t, worldConfig{store: store})
		broken := map[uuid.UUID]bool{}
		for range 5 {
			broken[w.sending(t, 2).ID] = true
			time.Sleep(time.Second)
		}
		waiting := map[uuid.UUID]bool{}
		for range 5 {
			f := w.sending(t, 2)
			waiting[f.ID] = true
			w.claimed(t, f.ID, 2, time.Hour)
			time.Sleep(time.Second)
		}
		told := func(p flow.Progress) {
			assert.False(t, p.Done && waiting[p.Flow.ID], "what waits for others is not done")
		}
		last := w.sending(t, 2)
		store.claim = func(_ context.Context, claim flow.Claim) error {
			if broken[claim.Flow] {
				return errStore
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		assert.NoError(t, w.dispatcher(t, flow.DispatcherConfig{Progress: told}).Serve(ctx))
		assert.Equal(t, flow.FlowSent, w.flow(t, last.ID).State)
	})
}

// Rejections are stored however many are found at once.
func TestManyRejectionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true, ListedOnly: true}, service: flow.ServiceConfig{Workers: 64}})
		f := w.sending(t, 500)
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		require.Equal(t, flow.Counts{Sent: 500}, got.Counts)
		report, err := w.VerifyFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.VerifyReport{Asked: 500, Rejected: 500}, report)
		assert.Equal(t, flow.Counts{Failed: 500}, w.flow(t, f.ID).Counts)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
	})
}

func TestNoMessengerAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 2)
		w.messengers = func(context.Context, string) (flow.Sender, error) { return nil, nil }
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		assert.Error(t, err)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		service, err := flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{})
		require.NoError(t, err)
		_, err = service.SendNewNotification(t.Context(), operator, taxes, draft(t, 5), flow.SendNewConfig{})
		assert.Contains(t, flussi.Explain(err), "verificare la configurazione del servizio")
	})
}

// A messenger that says it was interrupted, although nobody did, is one that fails.
func TestAMessengerThatWasShutDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 3)
		submitted := 0
		w.messengers = func(context.Context, string) (flow.Sender, error) {
			return refusing{nil, func(appio.Message) error {
				submitted++
				return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrInterrupted, Outcome: flussi.OutcomeNotDone}
			}, 0}, nil
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
		var stopped *flow.StopError
		assert.ErrorAs(t, err, &stopped)
		assert.Equal(t, flow.Counts{Registered: 3}, got.Counts)
		assert.LessOrEqual(t, submitted, 20)
	})
}

// An error that stops a flow is gone once all is sent nevertheless.
func TestAFlowThatIsSentHasNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 2)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadGateway, Delay: time.Second}, appiotest.Fault{Kind: appiotest.Slow, Delay: 5 * time.Second})
		go func() {
			time.Sleep(2 * time.Second)
			for _, n := range w.notifications(t, f.ID) {
				if n.State == flow.NotificationFailed {
					_, err := w.ConfirmNotification(t.Context(), operator, n.ID, "ha telefonato")
					assert.NoError(t, err)
				}
			}
		}()
		got, err := w.dispatcher(t, flow.DispatcherConfig{FailureThreshold: 1}).Run(t.Context(), f.ID)
		assert.NoError(t, err)
		assert.Equal(t, flow.FlowSent, got.State)
		assert.Empty(t, got.Error)
	})
}

// The flows of a Serve share one batch, whatever comes and goes.
func TestServeSharesTheBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- w.dispatcher(t, flow.DispatcherConfig{Workers: 4, MaxInFlight: 12, MaxFlows: 3, PollInterval: 100 * time.Millisecond}).Serve(ctx)
		}()
		var flows []flow.Flow
		most := 0
		for range 200 {
			if len(flows) < 6 {
				flows = append(flows, w.sending(t, 20))
			}
			time.Sleep(300 * time.Millisecond)
			synctest.Wait() // nothing moves while they are counted
			open := 0
			for _, f := range flows {
				open += w.flow(t, f.ID).Counts.Sending
			}
			most = max(most, open)
			assert.LessOrEqual(t, open, 12)
		}
		assert.Equal(t, 12, most)
		for _, f := range flows {
			assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		}
		cancel()
		assert.NoError(t, <-ended)
	})
	_, err := flow.NewDispatcher(memstore.New(), func(context.Context, string) (flow.Sender, error) { return nil, errors.New("none") },
		flow.DispatcherConfig{Workers: 1, MaxInFlight: 2, MaxFlows: 3})
	assert.ErrorIs(t, err, flussi.ErrConfig)
}

// Only failures without an answer in between count against the platform.
func TestAnAnswerBeginsTheCountAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 60)
		submitted := 0
		real, err := w.messengers(t.Context(), taxes)
		require.NoError(t, err)
		w.messengers = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(appio.Message) error {
				if submitted++; submitted%5 != 0 {
					return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrOutcomeUnknown, Outcome: flussi.OutcomeUnknown}
				}
				return nil
			}, 0}, nil
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1, FailureThreshold: 5}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 12, Failed: 48}, got.Counts)
	})
}

// What the end of the context cuts off says nothing about the platform.
func TestWhatWeCutOffStopsNoFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 40)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := w.dispatcher(t, flow.DispatcherConfig{FailureThreshold: 2, ShutdownTimeout: time.Second}).Run(ctx, f.ID)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, flow.FlowSending, got.State)
		assert.Empty(t, w.flow(t, f.ID).Error)
	})
}

// A store that stores and says that it did not, and one that says there is a conflict where
// there is none.
func TestAStoreWhoseWordIsNotToBeTrusted(t *testing.T) {
	for name, failure := range map[string]error{"lost acknowledgement": errStore, "conflict": flussi.ErrConflict} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &altered{Store: memstore.New()}
				failures := 0
				store.saveNotifications = func(ctx context.Context, changes []flow.NotificationChange) error {
					if changes[0].Record.Action != flow.NotificationAccept || failures == 2 {
						return nil
					}
					failures++
					if failure == errStore {
						_ = store.Store.SaveNotifications(ctx, changes...)
					}
					return failure
				}
				w := newWorld(t, worldConfig{store: store})
				n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 9), flow.SendNewConfig{})
				require.NoError(t, err)
				assert.Equal(t, flow.NotificationSent, n.State)
				failures = 0
				f := w.sending(t, 3)
				got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
				require.NoError(t, err)
				assert.Equal(t, flow.Counts{Sent: 3}, got.Counts)
				assert.Len(t, w.Deliveries(), 4)
			})
		})
	}
}

// A flow that stopped and whose rest is resolved by hand is Inviato, without an error.
func TestAFlowThatIsResolvedByHandHasNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 1)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadGateway})
		got, err := w.dispatcher(t, flow.DispatcherConfig{FailureThreshold: 1}).Run(t.Context(), f.ID)
		require.Error(t, err)
		require.NotEmpty(t, got.Error)
		_, err = w.ConfirmNotification(t.Context(), operator, w.notifications(t, f.ID)[0].ID, "ha telefonato")
		require.NoError(t, err)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		assert.Empty(t, w.flow(t, f.ID).Error)
	})
}

// A service that is not enabled stops the flow, also if every message names a payee.
func TestAServiceThatIsNotEnabledBurnsNoPayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.prepared(t, 0)
		var rows []flow.Draft
		for i := range 100 {
			d := draft(t, i)
			d.IsPayment, d.Amount = true, 1000
			d.NoticeNumber, _ = flussi.ParseNoticeNumber("301005100001400678")
			d.Payee, _ = flussi.ParseOrganizationCode("15376371009")
			rows = append(rows, d)
		}
		_, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(rows...), flow.AddConfig{})
		require.NoError(t, err)
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flussi.ErrRemoteForbidden)
		assert.Equal(t, flow.Counts{Registered: 100}, got.Counts)
	})
}

// What was refused, and was sent by another notification meanwhile, is not sent again.
func TestARefusedMessageThatWasSentOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
		first, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.Error(t, err)
		_, err = w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.NoError(t, err)
		_, err = w.RegisterNotification(t.Context(), operator, first.ID)
		require.NoError(t, err)
		got, err := w.SendNotification(t.Context(), operator, first.ID)
		assert.ErrorIs(t, err, flussi.ErrDuplicate)
		assert.Equal(t, flow.CodeAlreadySent, got.Transmission.ErrorCode)
		assert.Len(t, w.Deliveries(), 1)
	})
}

// The buttons are those that work.
func TestTheButtons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		f := w.prepared(t, 0)
		actions, err := w.FlowActions(ctx, operator, f.ID)
		require.NoError(t, err)
		assert.Equal(t, []flow.FlowAction{flow.FlowImport, flow.FlowEdit, flow.FlowDisable}, actions, "nothing to activate")
		f = w.sending(t, 2)
		of := func(i int) []flow.NotificationAction {
			actions, err := w.NotificationActions(ctx, operator, w.notifications(t, f.ID)[i].ID)
			require.NoError(t, err)
			return actions
		}
		assert.Empty(t, of(0), "it is sent with its flow")
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadRequest})
		_, err = w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(ctx, f.ID)
		require.NoError(t, err)
		assert.Equal(t, []flow.NotificationAction{flow.NotificationEdit, flow.NotificationRegister, flow.NotificationDisable}, of(0))
		assert.Equal(t, []flow.NotificationAction{flow.NotificationVerify, flow.NotificationDisable}, of(1))
		_, err = w.RegisterNotification(ctx, operator, w.notifications(t, f.ID)[0].ID)
		require.NoError(t, err)
		assert.Equal(t, []flow.NotificationAction{flow.NotificationEdit, flow.NotificationDisable, flow.NotificationSend}, of(0))
		assert.Equal(t, "Invia Messaggio", flow.NotificationSend.Label())
		actions, err = w.FlowActions(ctx, operator, f.ID)
		require.NoError(t, err)
		assert.Contains(t, actions, flow.FlowSend)
		_, err = w.DisableFlow(ctx, operator, f.ID)
		require.NoError(t, err)
		assert.Empty(t, of(0))
	})
}

// One outcome that cannot be stored hides no other, and is reported in the end.
func TestOneOutcomeThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 200)
		poison := w.notifications(t, f.ID)[3].ID
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			for _, change := range changes {
				if change.Notification.ID == poison && change.Record.Action == flow.NotificationAccept {
					return errStore
				}
			}
			return nil
		}
		start := time.Now()
		go func() {
			time.Sleep(time.Minute)
			assert.Equal(t, flow.Counts{Sending: 1, Sent: 199}, w.flow(t, f.ID).Counts, "long before the lease ends")
		}()
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flow.ErrOutcomeNotStored)
		assert.GreaterOrEqual(t, time.Since(start), 5*time.Minute)
		assert.Len(t, w.Deliveries(), 200)
		assert.Equal(t, 199, got.Counts.Sent)
		got, err = w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 199, Failed: 1}, got.Counts)
	})
}

// A flow whose calls hang leaves room for the next one.
func TestAFlowThatHangsLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		large := w.sending(t, 500)
		real := w.messengers
		hanging := true
		w.messengers = func(ctx context.Context, service string) (flow.Sender, error) {
			m, err := real(ctx, service)
			if hanging {
				hanging = false
				return refusing{m, func(appio.Message) error { return nil }, time.Minute}, err
			}
			return m, err
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.dispatcher(t, flow.DispatcherConfig{}).Serve(ctx) }()
		time.Sleep(2 * time.Second)
		small := w.sending(t, 3)
		time.Sleep(5 * time.Second)
		assert.Equal(t, flow.FlowSent, w.flow(t, small.ID).State)
		assert.LessOrEqual(t, w.flow(t, large.ID).Counts.Sending, 48)
		cancel()
		assert.NoError(t, <-ended)
	})
}

// Payees that are not permitted hold up nobody once the service is known to work.
func TestManyPayeesThatMayNotBeNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.prepared(t, 10)
		var rows []flow.Draft
		for i := range 150 {
			d := draft(t, 100+i)
			if i < 100 {
				d.IsPayment, d.Amount = true, 1000
				d.NoticeNumber, _ = flussi.ParseNoticeNumber("301005100001400678")
				d.Payee, _ = flussi.ParseOrganizationCode("15376371009")
			}
			rows = append(rows, d)
		}
		_, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(rows...), flow.AddConfig{})
		require.NoError(t, err)
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 4}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 60, Failed: 100}, got.Counts)
	})
}

// What waits to be sent by itself is not sent once a flow has sent the same.
func TestWhatAFlowHasSentIsNotSentByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{MaxAttempts: 1}})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests})
		n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 0), flow.SendNewConfig{})
		require.Error(t, err)
		require.Equal(t, flow.NotificationRegistered, n.State)
		f, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(draft(t, 0)), flow.AddConfig{})
		require.NoError(t, err)
		require.Equal(t, 1, report.Disabled, "one that waits to be sent has the message")
		_, err = w.EnableNotification(t.Context(), operator, report.Duplicates[0].NotificationID)
		require.NoError(t, err)
		_, err = w.ActivateFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.SendFlow(t.Context(), operator, f.ID)
		require.NoError(t, err)
		_, err = w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		n, err = w.SendNotification(t.Context(), operator, n.ID)
		assert.ErrorIs(t, err, flussi.ErrDuplicate)
		assert.Equal(t, flow.CodeAlreadySent, n.Transmission.ErrorCode)
		assert.Len(t, w.Deliveries(), 1)
	})
}

// What could not be stored for a moment is stored soon, however busy the sending is.
func TestATransientFailureIsMadeUpForSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &altered{Store: memstore.New()}
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 6000)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 500 * time.Millisecond})
		down := time.Now().Add(10 * time.Second)
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if now := time.Now(); changes[0].Record.Action == flow.NotificationAccept && now.After(down) && now.Before(down.Add(time.Second)) {
				return errStore
			}
			return nil
		}
		go func() {
			time.Sleep(30 * time.Second)
			assert.LessOrEqual(t, w.flow(t, f.ID).Counts.Sending, 64)
			assert.GreaterOrEqual(t, w.flow(t, f.ID).Counts.Sent, 800)
			for _, n := range w.notifications(t, f.ID) {
				assert.False(t, n.State == flow.NotificationSending && time.Since(n.UpdatedAt) > 10*time.Second, "it waits for nothing")
			}
		}()
		got, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 6000}, got.Counts)
	})
}
