package flow_test

import (
	"context"
	"net/http"
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
)

// altered is a store some of whose methods a test replaces.
type altered struct {
	proxy
	Store             flow.Store
	saveFlow          func(context.Context, flow.FlowChange) error
	saveNotifications func(context.Context, []flow.NotificationChange) error
	claim             func(context.Context, flow.Claim) error // after the claim
}

func newAltered() *altered {
	s := &altered{Store: memstore.New()}
	s.proxy = func(ctx context.Context, call storeCall) (storeReply, error) {
		var err error
		switch {
		case call.Method == "SaveFlow" && s.saveFlow != nil:
			err = s.saveFlow(ctx, call.FlowChange)
		case call.Method == "SaveNotifications" && s.saveNotifications != nil:
			err = s.saveNotifications(ctx, call.Changes)
		}
		if err != nil {
			return storeReply{}, err
		}
		reply, err := perform(ctx, s.Store, call)
		if err == nil && call.Method == "Claim" && s.claim != nil {
			err = s.claim(ctx, call.Claim)
		}
		return reply, err
	}
	return s
}

// newAlteredWorld is a world on such a store.
func newAlteredWorld(t testing.TB) (*world, *altered) {
	t.Helper()
	store := newAltered()
	return newWorld(t, worldConfig{store: store}), store
}

// inAltered is inWorld on such a store.
func inAltered(t *testing.T, test func(t *testing.T, w *world, store *altered)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, store := newAlteredWorld(t)
		test(t, w, store)
	})
}

// Profiles that are answered do not hide that no message is.
func TestFailedMessagesStopAFlowDespiteAnsweredProfiles(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 100 {
			w.AddCitizen(appiotest.Citizen{Code: citizen(5 * i), Absent: true})
		}
		f := w.sending(t, 500)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.BadGateway})
		got, err := w.dispatcher(t, flow.DispatcherConfig{CheckProfiles: true}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		unknown := do2(t, w.Notifications, flow.NotificationFilter{Flow: f.ID, ErrorCodes: []flow.ErrorCode{flow.CodeOutcomeUnknown}}, flow.Page{Limit: 500})
		assert.LessOrEqual(t, len(unknown.Notifications), 20+15)
		assert.Greater(t, got.Counts.Registered, 400)
	}, unlimited)
}

// While it is not known who has a message, its notification is not made another's.
func TestEditOfUnknownOutcomeIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Reset, Stored: true})
		n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
		require.ErrorIs(t, err, flussi.ErrOutcomeUnknown)
		assert.ErrorIs(t, must.Err(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(2))), flow.ErrMayHaveArrived)
		assert.ErrorIs(t, must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})), flussi.ErrDuplicate)
		w.hasDelivered(t, 1)
	})
}

// Two operators, at the same moment, on a store that takes its time.
func TestConcurrentSendNewSendsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAltered()
		store.saveNotifications = func(context.Context, []flow.NotificationChange) error {
			time.Sleep(5 * time.Millisecond)
			return nil
		}
		w := newWorld(t, worldConfig{store: store})
		ends := make(chan error, 2)
		for range cap(ends) {
			go func() {
				_, err := w.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
				ends <- err
			}()
		}
		for range cap(ends) {
			if err := <-ends; err != nil {
				assert.ErrorIs(t, err, flussi.ErrDuplicate)
			}
		}
		assert.LessOrEqual(t, len(w.Deliveries()), 1)
		_, err := w.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
		if len(w.Deliveries()) == 1 && err != nil {
			assert.ErrorIs(t, err, flussi.ErrDuplicate)
		}
		w.hasDelivered(t, 1)
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
		bubble(t, name, func(t *testing.T) {
			w, store := newAlteredWorld(t)
			f := w.sending(t, 10)
			store.saveNotifications = func(ctx context.Context, _ []flow.NotificationChange) error {
				<-ctx.Done()
				return ctx.Err()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := start(ctx, w.dispatcher(t), f.ID)
			assert.ErrorIs(t, err, flow.ErrOutcomeNotStored)
			assert.Contains(t, flussi.Explain(err), "potrebbe essere arrivato")
			assert.Equal(t, http.StatusInternalServerError, flussi.HTTPStatus(err), "not that of a time-out, which invites to repeat")
		})
	}
}

// A stop is not a loss: Serve ends well.
func TestServeReturnsNoErrorAfterAStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 50)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Unauthorized, Delay: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		assert.NoError(t, w.dispatcher(t).Serve(ctx))
		assert.Equal(t, flow.Counts{Registered: 50}, w.flow(t, f.ID).Counts)
	})
}

// The context ends while the store is claiming: what was claimed is given back.
func TestInterruptedClaimIsReleased(t *testing.T) {
	inAltered(t, func(t *testing.T, w *world, store *altered) {
		f := w.sending(t, 100)
		ctx, cancel := context.WithCancel(t.Context())
		store.claim = func(claiming context.Context, _ flow.Claim) error {
			cancel()
			return claiming.Err()
		}
		_, err := w.dispatcher(t).Run(ctx, f.ID)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, flow.Counts{Registered: 100}, w.flow(t, f.ID).Counts)

		ctx, cancel = context.WithCancel(t.Context())
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if changes[0].Record.Action == flow.NotificationClaim {
				cancel()
			}
			return nil
		}
		n, err := w.SendNewNotification(ctx, operator, taxes, draft(900), flow.SendNewConfig{})
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, flow.NotificationRegistered, n.State)
		assert.Equal(t, "L'operazione è stata interrotta prima della fine: ripeterla.", last(do(t, w.NotificationHistory, n.ID)).Reason.Reveal())
	})
}

// A stop that cannot be stored holds back no outcome, and does not spin.
func TestFailureToStoreAStopKeepsOutcomes(t *testing.T) {
	for name, failure := range map[string]error{"failure": errStore, "conflict": flussi.ErrConflict} {
		bubble(t, name, func(t *testing.T) {
			w, store := newAlteredWorld(t)
			f := w.sending(t, 16)
			var tries atomic.Int64
			store.saveFlow = func(context.Context, flow.FlowChange) error {
				tries.Add(1)
				return failure
			}
			// All are on their way when one is refused, and the others are accepted after that.
			w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unauthorized, Delay: time.Second})
			w.slow(2 * time.Second)
			assert.ErrorIs(t, must.Err(w.dispatcher(t, flow.DispatcherConfig{Workers: 16}).Run(t.Context(), f.ID)), failure)
			assert.Equal(t, flow.Counts{Registered: 1, Sent: 15}, w.flow(t, f.ID).Counts)
			w.hasDelivered(t, 15)
			assert.Less(t, tries.Load(), int64(200))
		})
	}
}

// An answer after the lease is still stored, if nobody took the notification for lost.
func TestAnswerAfterTheLeaseIsStored(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 1)
		real := must.Get(w.senders(t.Context(), taxes))(t)
		w.senders = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(appio.Message) error { return nil }, 11 * time.Second}, nil
		}
		assert.Equal(t, flow.Counts{Sent: 1}, w.dispatch(t, f.ID, flow.DispatcherConfig{Lease: 10 * time.Second}).Counts)
	})
}

// A notification that cannot be stored does not keep the others from being recovered.
func TestRescueContinuesAfterAFailureToStore(t *testing.T) {
	inAltered(t, func(t *testing.T, w *world, store *altered) {
		f := w.sending(t, 10)
		poison := w.claimed(t, f.ID, 10, time.Second)[0].ID
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if changes[0].Notification.ID == poison {
				return errStore
			}
			return nil
		}
		time.Sleep(2 * time.Second)
		recovered, err := w.dispatcher(t).RescueExpired(t.Context())
		assert.ErrorIs(t, err, errStore)
		assert.Equal(t, 9, recovered)
		_, err = w.dispatcher(t).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, errStore, "it does not wait for ever")
	})
}

// Flows that fail, or wait for crashed senders, keep no other from being sent.
func TestServeSendsFlowsBesideFailingAndWaitingOnes(t *testing.T) {
	inAltered(t, func(t *testing.T, w *world, store *altered) {
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
		told := flow.Observer{SendingChanged: func(_ context.Context, c flow.SendingChange) {
			over := c.To == flow.SendingStopped || c.To == flow.SendingEnded && c.Reason != flow.ReasonInterrupted
			assert.False(t, over && waiting[c.FlowID], "what waits for others is not over")
		}}
		last := w.sending(t, 2)
		store.claim = func(_ context.Context, claim flow.Claim) error {
			if broken[claim.Flow] {
				return errStore
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second+time.Millisecond) // while no flow is polled
		defer cancel()
		assert.NoError(t, w.dispatcher(t, flow.DispatcherConfig{Observer: told}).Serve(ctx))
		w.isIn(t, flow.FlowSent, last.ID)
	})
}

// Rejections are stored however many are found at once.
func TestVerifyFlowStoresManyRejections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true, ListedOnly: true}, service: flow.ServiceConfig{Workers: 64}})
		f := w.sending(t, 500)
		require.Equal(t, flow.Counts{Sent: 500}, w.dispatch(t, f.ID).Counts)
		assert.Equal(t, flow.VerifyReport{Asked: 500, Rejected: 500}, do(t, w.VerifyFlow, f.ID))
		assert.Equal(t, flow.Counts{Failed: 500}, w.flow(t, f.ID).Counts)
		w.isIn(t, flow.FlowIncomplete, f.ID)
	})
}

func TestNilSenderStopsTheFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 2)
		w.senders = func(context.Context, string) (flow.Sender, error) { return nil, nil }
		got, err := w.dispatcher(t).Run(t.Context(), f.ID)
		assert.Error(t, err)
		assert.Equal(t, flow.FlowIncomplete, got.State)
		service := newService(t, w.store, w.senders)
		_, err = service.SendNewNotification(t.Context(), operator, taxes, draft(5), flow.SendNewConfig{})
		assert.Contains(t, flussi.Explain(err), "verificare la configurazione del servizio")
	})
}

// A sender that says it was interrupted, although nobody did, is one that fails.
func TestInterruptedSenderStopsTheFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 3)
		submitted := 0
		w.senders = func(context.Context, string) (flow.Sender, error) {
			return refusing{nil, func(appio.Message) error {
				submitted++
				return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrInterrupted, Outcome: flussi.OutcomeNotDone}
			}, 0}, nil
		}
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
		assert.ErrorAs(t, err, new(*flow.StopError))
		assert.Equal(t, flow.Counts{Registered: 3}, got.Counts)
		assert.LessOrEqual(t, submitted, 20)
	})
}

// An error that stops a flow is gone once all is sent nevertheless.
func TestSentFlowHasNoError(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
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

// The flows of a Serve share the requests, whatever comes and goes, and each claims no more than its
// workers begin soon.
func TestServeKeepsMaxRequestsForAllFlows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		busy := &busiest{}
		real := w.senders
		w.senders = func(ctx context.Context, service string) (flow.Sender, error) {
			client, err := real(ctx, service)
			return counted{client, busy}, err
		}
		w.slow(time.Second)
		stop := w.serve(t, flow.DispatcherConfig{Workers: 4, MaxRequests: 6, MaxFlows: 3, PollInterval: 100 * time.Millisecond})
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
			assert.LessOrEqual(t, open, 3*(4+1))
		}
		assert.GreaterOrEqual(t, most, 6)
		assert.Equal(t, 6, busy.most)
		for _, f := range flows {
			w.isIn(t, flow.FlowSent, f.ID)
		}
		stop()
	}, unlimited)
}

// Only failures without an answer in between count against the platform.
func TestAnswerResetsTheFailureCount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 132)
		submitted := 0
		real := must.Get(w.senders(t.Context(), taxes))(t)
		w.senders = func(context.Context, string) (flow.Sender, error) {
			return refusing{real, func(appio.Message) error {
				if submitted++; submitted%44 >= 40 {
					return &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrOutcomeUnknown, Outcome: flussi.OutcomeUnknown}
				}
				return nil
			}, 0}, nil
		}
		got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 1, FailureThreshold: 5})
		assert.Equal(t, flow.Counts{Sent: 120, Failed: 12}, got.Counts)
	}, unlimited)
}

// What the end of the context cuts off says nothing about the platform.
func TestCallsCutOffByTheContextStopNoFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 40)
		w.slow(9 * time.Second)
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
func TestOutcomesAreStoredOnceDespiteWrongErrorsOfTheStore(t *testing.T) {
	for name, failure := range map[string]error{"lost acknowledgement": errStore, "conflict": flussi.ErrConflict} {
		bubble(t, name, func(t *testing.T) {
			store := newAltered()
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
			assert.Equal(t, flow.NotificationSent, w.sendNew(t, draft(9)).State)
			failures = 0
			f := w.sending(t, 3)
			assert.Equal(t, flow.Counts{Sent: 3}, w.dispatch(t, f.ID).Counts)
			w.hasDelivered(t, 4)
		})
	}
}

// A flow that stopped and whose rest is resolved by hand is Inviato, without an error.
func TestFlowResolvedByHandHasNoError(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 1)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.BadGateway})
		got, err := w.dispatcher(t, flow.DispatcherConfig{FailureThreshold: 1}).Run(t.Context(), f.ID)
		require.Error(t, err)
		require.NotEmpty(t, got.Error)
		do2(t, w.ConfirmNotification, w.notifications(t, f.ID)[0].ID, "ha telefonato")
		w.isIn(t, flow.FlowSent, f.ID)
		assert.Empty(t, w.flow(t, f.ID).Error)
	})
}

// A service that is not enabled stops the flow, also if every message names a payee.
func TestServiceThatIsNotEnabledFailsNoPayment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 0)
		var rows []flow.Draft
		for i := range 100 {
			rows = append(rows, draftForPayee(i))
		}
		_, err := w.AddNotifications(t.Context(), operator, f.ID, flow.DraftRows(rows...), flow.AddConfig{})
		require.NoError(t, err)
		w.ordered(t, f.ID)
		got, err := w.dispatcher(t).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flussi.ErrRemoteForbidden)
		assert.Equal(t, flow.Counts{Registered: 100}, got.Counts)
	}, unlimited)
}

// What was refused, and was sent by another notification meanwhile, is not sent again.
func TestRefusedMessageSentByAnotherNotificationIsNotSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.sendInVain(t, draft(1), refusal)
		w.sendNew(t, draft(1))
		do(t, w.RegisterNotification, first.ID)
		w.sendAgainInVain(t, first.ID)
		w.hasDelivered(t, 1)
	})
}

// The buttons are those that work.
func TestActionsFollowTheState(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 0)
		actions := do(t, w.FlowActions, f.ID)
		assert.Equal(t, []flow.FlowAction{flow.FlowImport, flow.FlowEdit, flow.FlowDisable}, actions, "nothing to activate")
		f = w.sending(t, 2)
		of := func(i int) []flow.NotificationAction {
			return do(t, w.NotificationActions, w.notifications(t, f.ID)[i].ID)
		}
		assert.Empty(t, of(0), "it is sent with its flow")
		w.Fail(appiotest.SubmitMessage, refusal)
		w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 1})
		assert.Equal(t, []flow.NotificationAction{flow.NotificationEdit, flow.NotificationRegister, flow.NotificationDisable}, of(0))
		assert.Equal(t, []flow.NotificationAction{flow.NotificationVerify, flow.NotificationDisable}, of(1))
		do(t, w.RegisterNotification, w.notifications(t, f.ID)[0].ID)
		assert.Equal(t, []flow.NotificationAction{flow.NotificationEdit, flow.NotificationDisable, flow.NotificationSend}, of(0))
		assert.Equal(t, "Invia Messaggio", flow.NotificationSend.Label())
		actions = do(t, w.FlowActions, f.ID)
		assert.Contains(t, actions, flow.FlowSend)
		do(t, w.DisableFlow, f.ID)
		assert.Empty(t, of(0))
	})
}

// One outcome that cannot be stored hides no other, and is reported in the end.
func TestOutcomeThatCannotBeStoredIsReportedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAltered()
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
		got, err := w.dispatcher(t).Run(t.Context(), f.ID)
		assert.ErrorIs(t, err, flow.ErrOutcomeNotStored)
		assert.GreaterOrEqual(t, time.Since(start), 2*time.Minute, "the lease")
		w.hasDelivered(t, 200)
		assert.Equal(t, 199, got.Counts.Sent)
		got = w.dispatch(t, f.ID)
		assert.Equal(t, flow.Counts{Sent: 199, Failed: 1}, got.Counts)
	})
}

// A flow whose calls hang leaves room for the next one.
func TestHangingFlowLeavesRoomForTheNext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		large := w.sending(t, 500)
		real := w.senders
		hanging := true
		w.senders = func(ctx context.Context, service string) (flow.Sender, error) {
			m, err := real(ctx, service)
			if hanging {
				hanging = false
				return refusing{m, func(appio.Message) error { return nil }, time.Minute}, err
			}
			return m, err
		}
		stop := w.serve(t, flow.DispatcherConfig{})
		time.Sleep(2 * time.Second)
		small := w.sending(t, 3)
		time.Sleep(5 * time.Second)
		w.isIn(t, flow.FlowSent, small.ID)
		assert.LessOrEqual(t, w.flow(t, large.ID).Counts.Sending, 48)
		stop()
	}, unlimited)
}

// Payees that are not permitted hold up nobody while other messages are accepted.
func TestForbiddenPayeesStopNoFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.prepared(t, 10)
		var rows []flow.Draft
		for i := range 150 {
			if i%3 < 2 {
				rows = append(rows, draftForPayee(100+i))
			} else {
				rows = append(rows, draft(100+i))
			}
		}
		w.add(t, f.ID, rows...)
		w.ordered(t, f.ID)
		assert.Equal(t, flow.Counts{Sent: 60, Failed: 100}, w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 4}).Counts)
	}, unlimited)
}

// What waits to be sent by itself is not sent once a flow has sent the same.
func TestSendNotificationRefusesAMessageThatAFlowSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{MaxAttempts: 1}})
		n := w.sendInVain(t, draft(0), appiotest.Fault{Kind: appiotest.TooManyRequests})
		require.Equal(t, flow.NotificationRegistered, n.State)
		f, report, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, flow.DraftRows(draft(0)), flow.AddConfig{})
		require.NoError(t, err)
		require.Equal(t, 1, report.Disabled, "one that waits to be sent has the message")
		do(t, w.EnableNotification, report.Duplicates[0].NotificationID)
		w.ordered(t, f.ID)
		w.dispatch(t, f.ID)
		w.sendAgainInVain(t, n.ID)
		w.hasDelivered(t, 1)
	})
}

// What could not be stored for a moment is stored soon, however busy the sending is.
func TestTransientFailureOfTheStoreIsRetriedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAltered()
		w := newWorld(t, worldConfig{store: store, platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 6000)
		w.slow(500 * time.Millisecond)
		down := time.Now().Add(10 * time.Second)
		store.saveNotifications = func(_ context.Context, changes []flow.NotificationChange) error {
			if now := time.Now(); changes[0].Record.Action == flow.NotificationAccept && now.After(down) && now.Before(down.Add(time.Second)) {
				return errStore
			}
			return nil
		}
		go func() {
			time.Sleep(30 * time.Second)
			assert.LessOrEqual(t, w.flow(t, f.ID).Counts.Sending, 128)
			assert.GreaterOrEqual(t, w.flow(t, f.ID).Counts.Sent, 800)
			for _, n := range w.notifications(t, f.ID) {
				assert.False(t, n.State == flow.NotificationSending && time.Since(n.UpdatedAt) > 10*time.Second, "it waits for nothing")
			}
		}()
		assert.Equal(t, flow.Counts{Sent: 6000}, w.dispatch(t, f.ID).Counts)
	})
}
