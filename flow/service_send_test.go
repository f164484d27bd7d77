package flow_test

import (
	"context"
	"errors"
	"sync"
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
	"github.com/flussi-go/flussi/fsm"
)

func TestSendNew(t *testing.T) {
	payee := must(flussi.ParseOrganizationCode("01199250158"))(t)
	notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
	withPayee := func(d flow.Draft) flow.Draft {
		d.IsPayment, d.Amount, d.NoticeNumber, d.Payee = true, 1, notice, payee
		return d
	}
	plain := func(d flow.Draft) flow.Draft { return d }
	for name, test := range map[string]struct {
		fault    appiotest.FaultKind
		op       appiotest.Operation // that it strikes
		change   func(flow.Draft) flow.Draft
		profiles bool
		citizen  appiotest.Citizen
		err      error
		state    flow.NotificationState
		code     flow.ErrorCode
		attempts int
	}{
		"it is sent":                         {"", "", plain, false, appiotest.Citizen{}, nil, flow.NotificationSent, "", 1},
		"after the profile was asked for":    {"", "", plain, true, appiotest.Citizen{}, nil, flow.NotificationSent, "", 1},
		"it is refused":                      {appiotest.BadRequest, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrRemoteInvalid, flow.NotificationFailed, flow.CodeRefused, 1},
		"the payee may not be named":         {"", "", withPayee, false, appiotest.Citizen{}, flussi.ErrRemoteForbidden, flow.NotificationFailed, flow.CodeRefused, 1},
		"the citizen is not there":           {"", "", plain, true, appiotest.Citizen{Absent: true}, flow.ErrCitizenUnreachable, flow.NotificationFailed, flow.CodeUnreachable, 0},
		"the citizen blocks the service":     {"", "", plain, true, appiotest.Citizen{Blocks: []string{taxes}}, flow.ErrCitizenUnreachable, flow.NotificationFailed, flow.CodeUnreachable, 0},
		"nobody knows":                       {appiotest.NoID, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrOutcomeUnknown, flow.NotificationFailed, flow.CodeOutcomeUnknown, 1},
		"there is no answer":                 {appiotest.Silent, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrOutcomeUnknown, flow.NotificationFailed, flow.CodeOutcomeUnknown, 1},
		"the platform reports a failure":     {appiotest.ServerProblem, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrOutcomeUnknown, flow.NotificationFailed, flow.CodeOutcomeUnknown, 1},
		"the platform lets nobody in":        {appiotest.TooManyRequests, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrRateLimited, flow.NotificationRegistered, "", 5},
		"the key is not accepted":            {appiotest.Unauthorized, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrUnauthorized, flow.NotificationRegistered, "", 1},
		"the service is not enabled":         {appiotest.Forbidden, appiotest.SubmitMessage, plain, false, appiotest.Citizen{}, flussi.ErrRemoteForbidden, flow.NotificationRegistered, "", 1},
		"the profile cannot be asked for":    {appiotest.ServerProblem, appiotest.GetProfile, plain, true, appiotest.Citizen{}, flussi.ErrUnavailable, flow.NotificationRegistered, "", 0},
		"the profile may not be asked for":   {appiotest.Forbidden, appiotest.GetProfile, plain, true, appiotest.Citizen{}, flussi.ErrRemoteForbidden, flow.NotificationRegistered, "", 0},
		"the profile's answer does not come": {appiotest.Silent, appiotest.GetProfile, plain, true, appiotest.Citizen{}, flussi.ErrUnavailable, flow.NotificationRegistered, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{service: flow.ServiceConfig{CheckProfiles: test.profiles}})
				d := test.change(draft(t, 1))
				test.citizen.Code = d.Recipient
				w.AddCitizen(test.citizen)
				if test.fault != "" {
					w.FailAtRandom(test.op, 1, 1, appiotest.Fault{Kind: test.fault})
				}
				n, err := w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{})
				assert.Equal(t, n, w.notification(t, n.ID), "as it is stored")
				assert.Equal(t, d, n.Draft)
				assert.Equal(t, uuid.Nil, n.FlowID)
				assert.Equal(t, operator.ID, n.UpdatedBy)
				assert.Equal(t, test.state, n.State)
				assert.Equal(t, test.code, n.Transmission.ErrorCode)
				assert.Equal(t, test.attempts, n.Transmission.Attempts)
				last := map[flow.NotificationState]flow.NotificationAction{
					flow.NotificationSent: flow.NotificationAccept, flow.NotificationFailed: flow.NotificationFail, flow.NotificationRegistered: flow.NotificationRelease,
				}[test.state]
				assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationClaim, last}, w.steps(t, n.ID))
				if test.err == nil {
					require.NoError(t, err)
					require.Len(t, w.Deliveries(), 1)
					assert.EqualValues(t, w.Deliveries()[0].ID, n.Transmission.MessageID)
					assert.False(t, n.Transmission.SentAt.IsZero())
					return
				}
				require.ErrorIs(t, err, test.err)
				var typed *flussi.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, n.ID, typed.ID)
				explained := flussi.Explain(err)
				assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, explained)
				assert.Empty(t, n.Transmission.MessageID)
				if test.op == appiotest.GetProfile || test.code == flow.CodeUnreachable {
					assert.Zero(t, w.Received(appiotest.SubmitMessage), "nothing was sent")
				}
				if test.state == flow.NotificationFailed {
					assert.NotEmpty(t, n.Transmission.Error)
					assert.Equal(t, test.code == flow.CodeOutcomeUnknown, !n.Transmission.SentAt.IsZero())
					return
				}

				// Mended, it is sent later, once.
				assert.Empty(t, n.Transmission.Error)
				w.FailAtRandom(test.op, 0, 1)
				w.refused(t, flussi.ErrDuplicate, func() error {
					return only(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))
				})
				again := must(w.SendNotification(t.Context(), operator, n.ID))(t)
				assert.Equal(t, flow.NotificationSent, again.State)
				assert.Equal(t, test.attempts+1, again.Transmission.Attempts)
				assert.Len(t, w.Deliveries(), 1)
				w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })
			})
		})
	}
}

// An error says once what was done to what, and why.
func TestTheErrorOfAMessageThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{MaxAttempts: 1}})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests})
		n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
		assert.EqualError(t, err, "flow: send new notification "+n.ID.String()+": appio: submit message: rate limited, retry after 1s (status 429)")
		assert.Equal(t, "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi.", flussi.Explain(err))
	})
}

func TestSendNewWithoutAMessenger(t *testing.T) {
	w := newWorld(t, worldConfig{})
	down := errors.New("keys not available")
	service, err := flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}},
		func(context.Context, string) (flow.Sender, error) { return nil, down }, flow.ServiceConfig{})
	require.NoError(t, err)
	n, err := service.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{})
	require.ErrorIs(t, err, down)
	assert.Equal(t, n, w.notification(t, n.ID))
	assert.Equal(t, flow.NotificationRegistered, n.State)
	must(w.SendNotification(t.Context(), operator, n.ID))(t)
}

func TestTheSameMessageIsNotSentTwiceUnlessWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		again := func(n int) func() error {
			return func() error {
				return only(w.SendNewNotification(ctx, operator, taxes, draft(t, n), flow.SendNewConfig{}))
			}
		}
		first := must(w.SendNewNotification(ctx, operator, taxes, draft(t, 1), flow.SendNewConfig{}))(t)
		w.refused(t, flussi.ErrDuplicate, again(1))
		reminder := draft(t, 1)
		reminder.Occasion = "sollecito marzo"
		second := must(w.SendNewNotification(ctx, operator, taxes, reminder, flow.SendNewConfig{}))(t)
		assert.NotEqual(t, first.ID, second.ID)
		assert.Equal(t, 2, w.delivered()[citizen(t, 1)])

		w.prepared(t, 1) // draft 0
		w.refused(t, flussi.ErrDuplicate, again(0))

		w.Fail(appiotest.SubmitMessage, noAnswer)
		require.Error(t, again(2)())
		w.refused(t, flussi.ErrDuplicate, again(2)) // it may have arrived

		w.Fail(appiotest.SubmitMessage, refusal)
		require.Error(t, again(3)())
		require.NoError(t, again(3)()) // it did not
		assert.Equal(t, 1, w.delivered()[citizen(t, 3)])
	})
}

func TestAFormIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		c := flow.SendNewConfig{ID: uuid.New()}
		n := must(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c))(t)
		assert.Equal(t, c.ID, n.ID)
		w.refused(t, flussi.ErrExists, func() error { return only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c)) })
		w.refused(t, flussi.ErrExists, func() error { return only(w.SendNewNotification(t.Context(), operator, taxes, draft(t, 2), c)) })
		again, err := w.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), c)
		assert.ErrorIs(t, err, flussi.ErrExists)
		assert.Equal(t, n, again, "as it is")
		assert.Len(t, w.Deliveries(), 1)
	})
}

func TestAFormIsSentOnceHoweverOftenAtOnce(t *testing.T) {
	for _, occasion := range []string{"", "sollecito marzo"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			c := flow.SendNewConfig{ID: uuid.New()}
			d := draft(t, 1)
			d.Occasion = occasion
			w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
			errs := make([]error, 16)
			var group sync.WaitGroup
			for i := range errs {
				group.Go(func() { errs[i] = only(w.SendNewNotification(t.Context(), operator, taxes, d, c)) })
			}
			group.Wait()
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, flussi.ErrExists)
				}
			}
			assert.Equal(t, 1, won)
			assert.Len(t, w.Deliveries(), 1)
			assert.Equal(t, []flow.NotificationAction{flow.NotificationCreate, flow.NotificationClaim, flow.NotificationAccept}, w.steps(t, c.ID))
		})
	}
}

func TestANotificationIsSentOnceHoweverOftenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 2)
		w.run(t, f.ID, refusal)
		n := w.notifications(t, f.ID)[0]
		must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Second})
		errs := make([]error, 16)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = only(w.SendNotification(t.Context(), operator, n.ID)) })
		}
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, flussi.ErrConflict) {
				assert.ErrorIs(t, err, fsm.ErrNotAllowed)
			}
		}
		assert.Equal(t, 1, won)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		w.flowSteps(t, f.ID)
	})
}

// The caller goes away while the message is on its way: the answer still counts.
func TestAMessageOnItsWayIsAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n, err := w.SendNewNotification(ctx, operator, taxes, draft(t, 1), flow.SendNewConfig{})
		require.NoError(t, err)
		assert.Equal(t, flow.NotificationSent, n.State)
		assert.Equal(t, n, w.notification(t, n.ID))
	})
}

// The store is away when the outcome is to be stored.
func TestAnOutcomeThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		store := &faultyStore{Store: w.store}
		down := errors.New("connection lost")
		service, err := flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{Lease: time.Minute})
		require.NoError(t, err)
		store.set("SaveNotifications", 2, 3, down) // created and claimed before
		n := must(service.SendNewNotification(t.Context(), operator, taxes, draft(t, 1), flow.SendNewConfig{}))(t)
		assert.Equal(t, flow.NotificationSent, n.State, "it is tried again")
		assert.Equal(t, n, w.notification(t, n.ID))

		start := time.Now()
		store.set("SaveNotifications", 2, 1000, down)
		n, err = service.SendNewNotification(t.Context(), operator, taxes, draft(t, 2), flow.SendNewConfig{})
		require.ErrorIs(t, err, down)
		assert.Contains(t, err.Error(), "not stored")
		assert.LessOrEqual(t, time.Since(start), time.Minute, "until the lease is over")
		assert.Equal(t, flow.NotificationSending, w.notification(t, n.ID).State)
		time.Sleep(time.Minute)
		recovered := must(w.dispatcher(t, flow.DispatcherConfig{}).RescueExpired(t.Context()))(t)
		assert.Equal(t, 1, recovered)
		assert.Equal(t, flow.CodeOutcomeUnknown, w.notification(t, n.ID).Transmission.ErrorCode)
	})
}

// A notification that cannot be sent in its state is refused with a text that says what to do.
func TestRefusedSendingSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		send := func(n int, faults ...appiotest.Fault) flow.Notification {
			w.Fail(appiotest.SubmitMessage, faults...)
			sent, _ := w.SendNewNotification(t.Context(), operator, taxes, draft(t, n), flow.SendNewConfig{})
			return sent
		}
		for text, n := range map[string]flow.Notification{
			"La notifica è già stata inviata.":                   send(1),
			"La notifica è nello stato «Errore»: correggerla se": send(2, refusal),
			flow.CodeOutcomeUnknown.Italian():                    send(3, noAnswer),
		} {
			_, err := w.SendNotification(t.Context(), operator, n.ID)
			require.ErrorIs(t, err, fsm.ErrNotAllowed)
			assert.Contains(t, flussi.Explain(err), text)
			assert.Equal(t, n, w.notification(t, n.ID))
		}
		other := newWorld(t, worldConfig{})
		_, skipped := other.skipped(t)
		_, err := other.SendNotification(t.Context(), operator, skipped.ID)
		assert.Equal(t, flow.CodeAlreadySent.Italian(), flussi.Explain(err))
	})
}
