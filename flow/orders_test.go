package flow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// B was ordered beside A, which the platform rejected later: C is still refused because of B.
func TestResentNotificationBlocksLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		a, b := w.skipped(t)
		must(w.ResendNotification(t.Context(), operator, b.ID, "Il cittadino l'ha cancellata."))(t)
		must(w.SendNotification(t.Context(), operator, b.ID))(t)
		w.SetState(string(a.Transmission.MessageID), appiotest.State{Status: "REJECTED"})
		must(w.VerifyNotification(t.Context(), operator, a.ID))(t)
		require.Equal(t, flow.NotificationFailed, w.notification(t, a.ID).State)
		c := w.another(t, draft(t, 1))[0]
		assert.Equal(t, flow.CodeAlreadySent, c.Transmission.ErrorCode)
		assert.Equal(t, b.ID, c.Transmission.EarlierID)
		assert.Len(t, w.Deliveries(), 2)

		// A itself, once registered again, is refused because of B, too.
		must(w.RegisterNotification(t.Context(), operator, a.ID))(t)
		a, err := w.SendNotification(t.Context(), operator, a.ID)
		assert.ErrorIs(t, err, flussi.ErrDuplicate)
		assert.Equal(t, b.ID, a.Transmission.EarlierID)
		assert.Len(t, w.Deliveries(), 2)
	})
}

func TestResendOrderIsForOneMessage(t *testing.T) {
	unavailable := &flussi.RemoteError{Operation: "submit message", Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone}
	edit := func(change func(*flow.Draft)) func(t *testing.T, w *world, n flow.Notification) {
		return func(t *testing.T, w *world, n flow.Notification) {
			for _, change := range []func(*flow.Draft){change, func(d *flow.Draft) { *d = draft(t, 1) }} {
				n := w.notification(t, n.ID)
				d := n.Draft
				change(&d)
				must(w.EditNotification(t.Context(), operator, n.ID, n.Version, d))(t)
			}
		}
	}
	for name, test := range map[string]struct {
		between func(t *testing.T, w *world, n flow.Notification)
		holds   bool
	}{
		"nothing": {func(*testing.T, *world, flow.Notification) {}, true},
		"the platform did not take it": {func(t *testing.T, w *world, n flow.Notification) {
			messengers := func(ctx context.Context, service string) (flow.Sender, error) {
				return brokenMessenger{unavailable}, nil
			}
			down, err := flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}}, messengers, flow.ServiceConfig{})
			require.NoError(t, err)
			for range 2 {
				got, err := down.SendNotification(t.Context(), operator, n.ID)
				assert.ErrorIs(t, err, flussi.ErrUnavailable)
				assert.Equal(t, flow.NotificationRegistered, got.State)
				assert.True(t, got.AllowDuplicate)
			}
		}, true},
		"the flow was stopped": {func(t *testing.T, w *world, n flow.Notification) {
			w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Unauthorized})
			must(w.SendFlow(t.Context(), operator, n.FlowID))(t)
			_, err := w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), n.FlowID)
			assert.ErrorIs(t, err, flussi.ErrUnauthorized)
			w.FailAtRandom(appiotest.SubmitMessage, 0, 1)
			assert.True(t, w.notification(t, n.ID).AllowDuplicate)
		}, true},
		"it was set aside": {func(t *testing.T, w *world, n flow.Notification) {
			must(w.DisableNotification(t.Context(), operator, n.ID))(t)
			must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		}, true},
		"its reference was changed": {edit(func(d *flow.Draft) { d.Reference = "R/1" }), true},
		"its spelling was changed":  {edit(func(d *flow.Draft) { d.Subject = flussi.NewText(d.Subject.Reveal() + " ") }), true},
		"its text was changed":      {edit(func(d *flow.Draft) { d.Subject = flussi.NewText(d.Subject.Reveal() + ".") }), false},
		"its occasion was changed":  {edit(func(d *flow.Draft) { d.Occasion = "sollecito" }), false},
		"it was refused": {func(t *testing.T, w *world, n flow.Notification) {
			w.Fail(appiotest.SubmitMessage, refusal)
			assert.ErrorIs(t, only(w.SendNotification(t.Context(), operator, n.ID)), flussi.ErrRemoteInvalid)
			must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				_, n := w.skipped(t)
				must(w.ResendNotification(t.Context(), operator, n.ID, "Il cittadino l'ha cancellata."))(t)
				test.between(t, w, n)
				assert.Equal(t, test.holds, w.notification(t, n.ID).AllowDuplicate)
				got, err := w.SendNotification(t.Context(), operator, n.ID)
				if !test.holds {
					assert.ErrorIs(t, err, flussi.ErrDuplicate)
					assert.Equal(t, flow.CodeAlreadySent, got.Transmission.ErrorCode)
					assert.Len(t, w.Deliveries(), 1)
					return
				}
				require.NoError(t, err)
				assert.Len(t, w.Deliveries(), 2)
				assert.False(t, got.AllowDuplicate)
			})
		})
	}
}

// One order is for one more message: while a notification with an unknown outcome waits to be sent
// again, another one may bring the message before it.
func TestResendOrderAfterUnknownOutcomeIsForOneMessage(t *testing.T) {
	for name, order := range map[string]func(w *world, ctx context.Context, id uuid.UUID) error{
		"ResendNotification": func(w *world, ctx context.Context, id uuid.UUID) error {
			return only(w.ResendNotification(ctx, operator, id, "non arrivata"))
		},
		"ResendUnknown": func(w *world, ctx context.Context, id uuid.UUID) error {
			return only(w.ResendUnknown(ctx, operator, flow.NotificationFilter{IDs: []uuid.UUID{id}}, "non arrivata"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				w.Fail(appiotest.SubmitMessage, noAnswer)
				a := w.another(t, draft(t, 1))[0]
				require.Equal(t, flow.CodeOutcomeUnknown, a.Transmission.ErrorCode)
				require.NoError(t, order(w, t.Context(), a.ID))
				b := w.another(t, draft(t, 1))[0]
				assert.Equal(t, flow.NotificationSent, b.State)
				a, err := w.SendNotification(t.Context(), operator, a.ID)
				assert.ErrorIs(t, err, flussi.ErrDuplicate)
				assert.Equal(t, b.ID, a.Transmission.EarlierID)
				assert.Len(t, w.Deliveries(), 2)

				must(w.ResendNotification(t.Context(), operator, a.ID, "Il cittadino le ha cancellate."))(t)
				must(w.SendNotification(t.Context(), operator, a.ID))(t)
				assert.Len(t, w.Deliveries(), 3, "by another order")
			})
		})
	}
}

// An unknown outcome uses up the order: to send the message again, another order is needed.
func TestUnknownOutcomeEndsResendOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		_, n := w.skipped(t)
		must(w.ResendNotification(t.Context(), operator, n.ID, "Il cittadino l'ha cancellata."))(t)
		w.Fail(appiotest.SubmitMessage, noAnswer)
		got, err := w.SendNotification(t.Context(), operator, n.ID)
		require.ErrorIs(t, err, flussi.ErrOutcomeUnknown)
		assert.False(t, got.AllowDuplicate)
		got = must(w.ConfirmNotification(t.Context(), operator, n.ID, "arrivata"))(t)
		assert.False(t, got.AllowDuplicate)

		// A crash ends it, too.
		third := w.another(t, draft(t, 1))[0]
		must(w.ResendNotification(t.Context(), operator, third.ID, "Il cittadino l'ha cancellata."))(t)
		must(w.SendFlow(t.Context(), operator, third.FlowID))(t)
		require.True(t, w.claimed(t, third.FlowID, 1, time.Second)[0].AllowDuplicate)
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, must(w.dispatcher(t, flow.DispatcherConfig{}).RescueExpired(t.Context()))(t))
		third = w.notification(t, third.ID)
		assert.Equal(t, flow.CodeOutcomeUnknown, third.Transmission.ErrorCode)
		assert.False(t, third.AllowDuplicate)
	})
}
