package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// B was ordered beside A, which the platform rejected later: C is still refused because of B.
func TestResentNotificationBlocksLaterOnes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.skipped(t)
		do2(t, w.ResendNotification, b.ID, "Il cittadino l'ha cancellata.")
		do(t, w.SendNotification, b.ID)
		w.SetState(string(a.Transmission.MessageID), appiotest.State{Status: "REJECTED"})
		do(t, w.VerifyNotification, a.ID)
		require.Equal(t, flow.NotificationFailed, w.notification(t, a.ID).State)
		c := w.another(t, draft(1))[0]
		assert.Equal(t, flow.CodeAlreadySent, c.Transmission.ErrorCode)
		assert.Equal(t, b.ID, c.Transmission.EarlierID)
		w.hasDelivered(t, 2)

		// A itself, once registered again, is refused because of B, too.
		do(t, w.RegisterNotification, a.ID)
		assert.Equal(t, b.ID, w.sendAgainInVain(t, a.ID).Transmission.EarlierID)
		w.hasDelivered(t, 2)
	})
}

func TestResendOrderIsForOneMessage(t *testing.T) {
	unavailable := &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone}
	edit := func(change func(*flow.Draft)) func(t *testing.T, w *world, n flow.Notification) {
		return func(t *testing.T, w *world, n flow.Notification) {
			for _, change := range []func(*flow.Draft){change, func(d *flow.Draft) { *d = draft(1) }} {
				n := w.notification(t, n.ID)
				d := n.Draft
				change(&d)
				must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			}
		}
	}
	for name, test := range map[string]struct {
		between func(t *testing.T, w *world, n flow.Notification)
		holds   bool
	}{
		"nothing": {func(*testing.T, *world, flow.Notification) {}, true},
		"the platform did not take it": {func(t *testing.T, w *world, n flow.Notification) {
			senders := func(ctx context.Context, service string) (flow.Sender, error) {
				return brokenSender{unavailable}, nil
			}
			down := newService(t, w.store, senders)
			for range 2 {
				got, err := down.SendNotification(t.Context(), operator, n.ID)
				assert.ErrorIs(t, err, flussi.ErrUnavailable)
				assert.Equal(t, flow.NotificationRegistered, got.State)
				assert.True(t, got.AllowDuplicate)
			}
		}, true},
		"the flow was stopped": {func(t *testing.T, w *world, n flow.Notification) {
			w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Unauthorized})
			do(t, w.SendFlow, n.FlowID)
			assert.ErrorIs(t, must.Err(w.dispatcher(t).Run(t.Context(), n.FlowID)), flussi.ErrUnauthorized)
			w.FailAtRandom(appiotest.SubmitMessage, 0, 1)
			assert.True(t, w.notification(t, n.ID).AllowDuplicate)
		}, true},
		"it was set aside": {func(t *testing.T, w *world, n flow.Notification) {
			do(t, w.DisableNotification, n.ID)
			do(t, w.EnableNotification, n.ID)
		}, true},
		"its reference was changed": {edit(func(d *flow.Draft) { d.Reference = "R/1" }), true},
		"its spelling was changed":  {edit(func(d *flow.Draft) { d.Subject = flussi.NewText(d.Subject.Reveal() + " ") }), true},
		"its text was changed":      {edit(func(d *flow.Draft) { d.Subject = flussi.NewText(d.Subject.Reveal() + ".") }), false},
		"its occasion was changed":  {edit(func(d *flow.Draft) { d.Occasion = "sollecito" }), false},
		"it was refused": {func(t *testing.T, w *world, n flow.Notification) {
			w.Fail(appiotest.SubmitMessage, refusal)
			assert.ErrorIs(t, must.Err(w.SendNotification(t.Context(), operator, n.ID)), flussi.ErrRemoteInvalid)
			do(t, w.RegisterNotification, n.ID)
		}, false},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			_, n := w.skipped(t)
			do2(t, w.ResendNotification, n.ID, "Il cittadino l'ha cancellata.")
			test.between(t, w, n)
			assert.Equal(t, test.holds, w.notification(t, n.ID).AllowDuplicate)
			got, err := w.SendNotification(t.Context(), operator, n.ID)
			if !test.holds {
				assert.ErrorIs(t, err, flussi.ErrDuplicate)
				assert.Equal(t, flow.CodeAlreadySent, got.Transmission.ErrorCode)
				w.hasDelivered(t, 1)
				return
			}
			require.NoError(t, err)
			w.hasDelivered(t, 2)
			assert.False(t, got.AllowDuplicate)
		})
	}
}

// One order is for one more message: while a notification with an unknown outcome waits to be sent
// again, another one may bring the message before it.
func TestResendOrderAfterUnknownOutcomeIsForOneMessage(t *testing.T) {
	for name, order := range map[string]func(w *world, ctx context.Context, id uuid.UUID) error{
		"ResendNotification": func(w *world, ctx context.Context, id uuid.UUID) error {
			return must.Err(w.ResendNotification(ctx, operator, id, "non arrivata"))
		},
		"ResendUnknown": func(w *world, ctx context.Context, id uuid.UUID) error {
			return must.Err(w.ResendUnknown(ctx, operator, flow.NotificationFilter{IDs: []uuid.UUID{id}}, "non arrivata"))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			w.Fail(appiotest.SubmitMessage, noAnswer)
			a := w.another(t, draft(1))[0]
			require.Equal(t, flow.CodeOutcomeUnknown, a.Transmission.ErrorCode)
			require.NoError(t, order(w, t.Context(), a.ID))
			b := w.another(t, draft(1))[0]
			assert.Equal(t, flow.NotificationSent, b.State)
			assert.Equal(t, b.ID, w.sendAgainInVain(t, a.ID).Transmission.EarlierID)
			w.hasDelivered(t, 2)

			do2(t, w.ResendNotification, a.ID, "Il cittadino le ha cancellate.")
			do(t, w.SendNotification, a.ID)
			w.hasDelivered(t, 3, "by another order")
		})
	}
}

// An unknown outcome uses up the order: to send the message again, another order is needed.
func TestUnknownOutcomeEndsResendOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, n := w.skipped(t)
		do2(t, w.ResendNotification, n.ID, "Il cittadino l'ha cancellata.")
		w.Fail(appiotest.SubmitMessage, noAnswer)
		got, err := w.SendNotification(t.Context(), operator, n.ID)
		require.ErrorIs(t, err, flussi.ErrOutcomeUnknown)
		assert.False(t, got.AllowDuplicate)
		got = do2(t, w.ConfirmNotification, n.ID, "arrivata")
		assert.False(t, got.AllowDuplicate)

		// A crash ends it, too.
		third := w.another(t, draft(1))[0]
		do2(t, w.ResendNotification, third.ID, "Il cittadino l'ha cancellata.")
		do(t, w.SendFlow, third.FlowID)
		require.True(t, w.claimed(t, third.FlowID, 1, time.Second)[0].AllowDuplicate)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, must.Get(w.dispatcher(t).RescueExpired(t.Context()))(t))
		third = w.notification(t, third.ID)
		assert.Equal(t, flow.CodeOutcomeUnknown, third.Transmission.ErrorCode)
		assert.False(t, third.AllowDuplicate)
	})
}
