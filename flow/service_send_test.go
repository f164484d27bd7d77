package flow_test

import (
	"cmp"
	"context"
	"errors"
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
	"github.com/flussi-go/flussi/internal/must"
)

func TestSendNew(t *testing.T) {
	for name, test := range map[string]struct {
		fault    appiotest.FaultKind
		op       appiotest.Operation // that it strikes; default: SubmitMessage
		payee    bool                // one that may not be named
		profiles bool
		citizen  appiotest.Citizen
		err      error
		state    flow.NotificationState
		code     flow.ErrorCode
		attempts int
	}{
		"it is sent":                         {state: flow.NotificationSent, attempts: 1},
		"after the profile was asked for":    {profiles: true, state: flow.NotificationSent, attempts: 1},
		"it is refused":                      {fault: appiotest.BadRequest, err: flussi.ErrRemoteInvalid, state: flow.NotificationFailed, code: flow.CodeRefused, attempts: 1},
		"the payee may not be named":         {payee: true, err: flussi.ErrRemoteForbidden, state: flow.NotificationFailed, code: flow.CodeNotPermitted, attempts: 1},
		"the citizen is not there":           {profiles: true, citizen: appiotest.Citizen{Absent: true}, err: flow.ErrCitizenUnreachable, state: flow.NotificationFailed, code: flow.CodeUnreachable},
		"the citizen blocks the service":     {profiles: true, citizen: appiotest.Citizen{Blocks: []string{taxes}}, err: flow.ErrCitizenUnreachable, state: flow.NotificationFailed, code: flow.CodeUnreachable},
		"nobody knows":                       {fault: appiotest.NoID, err: flussi.ErrOutcomeUnknown, state: flow.NotificationFailed, code: flow.CodeOutcomeUnknown, attempts: 1},
		"there is no answer":                 {fault: appiotest.Silent, err: flussi.ErrOutcomeUnknown, state: flow.NotificationFailed, code: flow.CodeOutcomeUnknown, attempts: 1},
		"the platform reports a failure":     {fault: appiotest.ServerProblem, err: flussi.ErrOutcomeUnknown, state: flow.NotificationFailed, code: flow.CodeOutcomeUnknown, attempts: 1},
		"the platform lets nobody in":        {fault: appiotest.TooManyRequests, err: flussi.ErrRateLimited, state: flow.NotificationRegistered, attempts: 5},
		"the key is not accepted":            {fault: appiotest.Unauthorized, err: flussi.ErrUnauthorized, state: flow.NotificationRegistered, attempts: 1},
		"the message is not permitted":       {fault: appiotest.Forbidden, err: flussi.ErrRemoteForbidden, state: flow.NotificationFailed, code: flow.CodeNotPermitted, attempts: 1},
		"the profile cannot be asked for":    {fault: appiotest.ServerProblem, op: appiotest.GetProfile, profiles: true, err: flussi.ErrUnavailable, state: flow.NotificationRegistered},
		"the profile may not be asked for":   {fault: appiotest.Forbidden, op: appiotest.GetProfile, profiles: true, err: flussi.ErrRemoteForbidden, state: flow.NotificationFailed, code: flow.CodeNotPermitted},
		"the profile's answer does not come": {fault: appiotest.Silent, op: appiotest.GetProfile, profiles: true, err: flussi.ErrUnavailable, state: flow.NotificationRegistered},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, worldConfig{service: flow.ServiceConfig{CheckProfiles: test.profiles}})
			d := draft(1)
			if test.payee {
				d = draftForPayee(1)
			}
			test.op = cmp.Or(test.op, appiotest.SubmitMessage)
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
			steps := map[flow.NotificationState]string{
				flow.NotificationSent: "create claim accept", flow.NotificationFailed: "create claim fail", flow.NotificationRegistered: "create claim release",
			}
			assert.Equal(t, steps[test.state], w.steps(t, n.ID))
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
			assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, flussi.Explain(err))
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
				return must.Err(w.SendNewNotification(t.Context(), operator, taxes, d, flow.SendNewConfig{}))
			})
			again := do(t, w.SendNotification, n.ID)
			assert.Equal(t, flow.NotificationSent, again.State)
			assert.Equal(t, test.attempts+1, again.Transmission.Attempts)
			w.hasDelivered(t, 1)
			w.refused(t, fsm.ErrNotAllowed, try(t, w.SendNotification, n.ID))
		})
	}
}

// An error says once what was done to what, and why.
func TestTheErrorOfAMessageThatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{client: appio.Config{MaxAttempts: 1}})
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests})
		n, err := w.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
		assert.EqualError(t, err, "flow: send new notification "+n.ID.String()+": appio: submit message: rate limited, retry after 1s (status 429)")
		assert.Equal(t, "App IO ha ricevuto troppe richieste dall'ente: riprovare più tardi.", flussi.Explain(err))
	})
}

func TestSendNewWithoutSender(t *testing.T) {
	w := newWorld(t)
	down := errors.New("keys not available")
	service, err := flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}},
		func(context.Context, string) (flow.Sender, error) { return nil, down }, flow.ServiceConfig{})
	require.NoError(t, err)
	n, err := service.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
	require.ErrorIs(t, err, down)
	assert.Equal(t, n, w.notification(t, n.ID))
	assert.Equal(t, flow.NotificationRegistered, n.State)
	do(t, w.SendNotification, n.ID)
}

func TestTheSameMessageIsNotSentTwiceUnlessWanted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		again := func(n int) func() error {
			return func() error {
				return must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(n), flow.SendNewConfig{}))
			}
		}
		first := w.sendNew(t, draft(1))
		w.refused(t, flussi.ErrDuplicate, again(1))
		reminder := draft(1)
		reminder.Occasion = "sollecito marzo"
		assert.NotEqual(t, first.ID, w.sendNew(t, reminder).ID)
		assert.Equal(t, 2, w.delivered()[citizen(1)])

		w.prepared(t, 1) // draft 0
		w.refused(t, flussi.ErrDuplicate, again(0))

		w.Fail(appiotest.SubmitMessage, noAnswer)
		require.Error(t, again(2)())
		w.refused(t, flussi.ErrDuplicate, again(2)) // it may have arrived

		w.Fail(appiotest.SubmitMessage, refusal)
		require.Error(t, again(3)())
		require.NoError(t, again(3)()) // it did not
		assert.Equal(t, 1, w.delivered()[citizen(3)])
	})
}

func TestSendNewWithOneIDSendsOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		c := flow.SendNewConfig{ID: uuid.New()}
		n := must.Get(w.SendNewNotification(t.Context(), operator, taxes, draft(1), c))(t)
		assert.Equal(t, c.ID, n.ID)
		w.refused(t, flussi.ErrExists, func() error { return must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(1), c)) })
		w.refused(t, flussi.ErrExists, func() error { return must.Err(w.SendNewNotification(t.Context(), operator, taxes, draft(2), c)) })
		again, err := w.SendNewNotification(t.Context(), operator, taxes, draft(1), c)
		assert.ErrorIs(t, err, flussi.ErrExists)
		assert.Equal(t, n, again, "as it is")
		w.hasDelivered(t, 1)
	})
}

func TestConcurrentSendNewWithOneIDSendsOnce(t *testing.T) {
	for _, occasion := range []string{"", "sollecito marzo"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := flow.SendNewConfig{ID: uuid.New()}
			d := draft(1)
			d.Occasion = occasion
			w.slow(time.Second)
			oneWins(t, func(int) error { return must.Err(w.SendNewNotification(t.Context(), operator, taxes, d, c)) }, flussi.ErrExists)
			w.hasDelivered(t, 1)
			assert.Equal(t, "create claim accept", w.steps(t, c.ID))
		})
	}
}

func TestConcurrentSendNotificationSendsOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 2)
		w.run(t, f.ID, refusal)
		n := w.notifications(t, f.ID)[0]
		do(t, w.RegisterNotification, n.ID)
		w.slow(time.Second)
		oneWins(t, func(int) error { return must.Err(w.SendNotification(t.Context(), operator, n.ID)) }, flussi.ErrConflict, fsm.ErrNotAllowed)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
		w.isIn(t, flow.FlowSent, f.ID)
		w.flowSteps(t, f.ID)
	})
}

// The caller goes away while the message is on its way: the answer still counts.
func TestSendNewAwaitsTheAnswerAfterTheContextEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n := must.Get(w.SendNewNotification(ctx, operator, taxes, draft(1), flow.SendNewConfig{}))(t)
		assert.Equal(t, flow.NotificationSent, n.State)
		assert.Equal(t, n, w.notification(t, n.ID))
	})
}

// The store is away when the outcome is to be stored.
func TestSendNewRetriesToStoreTheOutcome(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		store := newFaultyStore(w.store)
		down := errors.New("connection lost")
		service := must.Get(flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, w.senders, flow.ServiceConfig{Lease: time.Minute}))(t)
		store.set("SaveNotifications", 2, 3, down) // created and claimed before
		n := must.Get(service.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{}))(t)
		assert.Equal(t, flow.NotificationSent, n.State, "it is tried again")
		assert.Equal(t, n, w.notification(t, n.ID))

		start := time.Now()
		store.set("SaveNotifications", 2, 1000, down)
		n, err := service.SendNewNotification(t.Context(), operator, taxes, draft(2), flow.SendNewConfig{})
		require.ErrorIs(t, err, down)
		assert.Contains(t, err.Error(), "not stored")
		assert.LessOrEqual(t, time.Since(start), time.Minute, "until the lease is over")
		assert.Equal(t, flow.NotificationSending, w.notification(t, n.ID).State)
		time.Sleep(time.Minute)
		assert.Equal(t, 1, must.Get(w.dispatcher(t).RescueExpired(t.Context()))(t))
		assert.Equal(t, flow.CodeOutcomeUnknown, w.notification(t, n.ID).Transmission.ErrorCode)
	})
}

// A notification that cannot be sent in its state is refused with a text that says what to do.
func TestRefusedSendingSaysWhatToDo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		send := func(n int, faults ...appiotest.Fault) flow.Notification {
			w.Fail(appiotest.SubmitMessage, faults...)
			sent, _ := w.SendNewNotification(t.Context(), operator, taxes, draft(n), flow.SendNewConfig{})
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
		other := newWorld(t)
		_, skipped := other.skipped(t)
		_, err := other.SendNotification(t.Context(), operator, skipped.ID)
		assert.Equal(t, flow.CodeAlreadySent.Italian(), flussi.Explain(err))
	})
}
