package flow_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
)

func TestVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
		n := w.sendNew(t, draft(1))
		id := string(n.Transmission.MessageID)
		verify := func() flow.Notification {
			t.Helper()
			time.Sleep(time.Minute)
			got := do(t, w.VerifyNotification, n.ID)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Equal(t, time.Now().UTC(), got.Delivery.CheckedAt)
			assert.Equal(t, n.Transmission, got.Transmission)
			assert.Equal(t, flow.NotificationSent, got.State)
			got.Delivery.CheckedAt = time.Time{}
			return got
		}
		assert.Equal(t, flow.Delivery{Status: appio.StatusAccepted}, verify().Delivery)
		assert.True(t, w.SetState(id, appiotest.State{Status: "THROTTLED", Email: "THROTTLED"}))
		assert.Equal(t, flow.Delivery{Status: appio.StatusThrottled, Email: appio.ChannelThrottled}, verify().Delivery)
		w.SetState(id, appiotest.State{Status: "PROCESSED", Email: "SENT", Push: "FAILED"})
		assert.Equal(t, flow.Delivery{Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelFailed}, verify().Delivery)
		w.SetState(id, appiotest.State{Push: "SENT"})
		assert.Equal(t, flow.Delivery{Status: appio.StatusProcessed, Email: appio.ChannelSent, Push: appio.ChannelSent}, verify().Delivery, "what is not told any more is kept")
		w.SetState(id, appiotest.State{Status: "SOMETHING_NEW"})
		assert.Equal(t, appio.MessageStatus("SOMETHING_NEW"), verify().Delivery.Status)
		last := last(do(t, w.NotificationHistory, n.ID))
		assert.Equal(t, flow.NotificationVerify, last.Action)
		assert.Equal(t, operator.ID, last.By)
		assert.Equal(t, "Stato consegna: SOMETHING_NEW.", last.Reason.Reveal())

		// Without an answer nothing changes.
		before := everythingIn(t, w.store)
		w.Fail(appiotest.GetMessage, appiotest.Fault{Kind: appiotest.NotFound})
		got, err := w.VerifyNotification(t.Context(), operator, n.ID)
		assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
		assert.Equal(t, "App IO non trova il messaggio: verificare l'ID del messaggio e il codice fiscale del destinatario.", flussi.Explain(err))
		assert.Equal(t, w.notification(t, n.ID), got)
		assert.Equal(t, before, everythingIn(t, w.store))
	})
}

func TestVerifyFindsRejectedMessages(t *testing.T) {
	for status, code := range map[string]flow.ErrorCode{"REJECTED": flow.CodeUnreachable, "FAILED": flow.CodeRefused} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprint(status, ", whole flow ", whole), func(t *testing.T) {
				w := newWorld(t, worldConfig{platform: appiotest.Config{Hold: true}})
				f := w.sending(t, 3)
				require.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
				n := w.notifications(t, f.ID)[0]
				w.SetState(string(n.Transmission.MessageID), appiotest.State{Status: status, Email: "FAILED"})
				if whole {
					assert.Equal(t, flow.VerifyReport{Asked: 3, Rejected: 1}, do(t, w.VerifyFlow, f.ID))
				} else {
					assert.Equal(t, w.notification(t, n.ID).Version+1, do(t, w.VerifyNotification, n.ID).Version)
				}
				got := w.notification(t, n.ID)
				assert.Equal(t, flow.NotificationFailed, got.State)
				assert.Equal(t, code, got.Transmission.ErrorCode)
				assert.Equal(t, map[string]string{
					"REJECTED": "Il cittadino non è su App IO o ha disattivato i messaggi del servizio: il messaggio non è arrivato. Avvisare il cittadino con un altro canale.",
					"FAILED":   "App IO non ha potuto consegnare il messaggio, per un errore definitivo: il messaggio non è arrivato. Riportare la notifica a «Registrato» e inviarla di nuovo.",
				}[status], got.Transmission.Error)
				assert.Equal(t, n.Transmission.MessageID, got.Transmission.MessageID)
				assert.Equal(t, appio.MessageStatus(status), got.Delivery.Status)
				assert.Equal(t, appio.ChannelFailed, got.Delivery.Email)
				w.isIn(t, flow.FlowIncomplete, f.ID)
				assert.Equal(t, flow.Counts{Sent: 2, Failed: 1}, w.flow(t, f.ID).Counts)
				assert.Regexp(t, " reject$", w.steps(t, n.ID))
				assert.Regexp(t, " fall_short$", w.flowSteps(t, f.ID))
				w.refused(t, fsm.ErrNotAllowed, try(t, w.VerifyNotification, n.ID))

				// Once it is sent again, nothing is left of that.
				assert.Zero(t, do(t, w.RegisterNotification, n.ID).Delivery)
				do(t, w.SendNotification, n.ID)
				w.isIn(t, flow.FlowSent, f.ID)
				assert.NotEqual(t, n.Transmission.MessageID, w.notification(t, n.ID).Transmission.MessageID)
			})
		}
	}
}

func TestVerifyNeedsASentMessage(t *testing.T) {
	w := newWorld(t)
	on := sceneOf(t, w)
	for _, n := range []flow.Notification{on.draft, on.refused, on.unknown, on.registered} {
		w.refused(t, fsm.ErrNotAllowed, try(t, w.VerifyNotification, n.ID))
	}
	confirmed := do2(t, w.ConfirmNotification, on.unknown.ID, "arrivata")
	w.refused(t, flussi.ErrEmpty, try(t, w.VerifyNotification, confirmed.ID))
	assert.Equal(t, flow.VerifyReport{Asked: 2, Final: 2}, do(t, w.VerifyFlow, on.incomplete.ID), "it is passed over")
	for _, f := range []flow.Flow{on.inactive, on.active} {
		w.refused(t, fsm.ErrNotAllowed, try(t, w.VerifyFlow, f.ID))
	}
}

func TestVerifyFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true, Hold: true}})
		f := w.sending(t, 30)
		w.run(t, f.ID)
		all := w.notifications(t, f.ID)
		state := func(i int, status string) {
			require.True(t, w.SetState(string(all[i].Transmission.MessageID), appiotest.State{Status: status}))
		}
		assert.Equal(t, flow.VerifyReport{Asked: 30}, do(t, w.VerifyFlow, f.ID))
		state(0, "REJECTED")
		state(1, "FAILED")
		state(2, "PROCESSED")
		state(3, "PROCESSED")
		w.Fail(appiotest.GetMessage, appiotest.Fault{Kind: appiotest.NotFound})
		report := do(t, w.VerifyFlow, f.ID)
		assert.Equal(t, 30, report.Asked)
		assert.Equal(t, 1, report.Failed)
		rest := do(t, w.VerifyFlow, f.ID)
		assert.Equal(t, [2]int{2, 2}, [2]int{report.Final + rest.Final, report.Rejected + rest.Rejected})
		assert.Equal(t, flow.VerifyReport{Asked: 26}, do(t, w.VerifyFlow, f.ID), "what is final is not asked for")
		assert.Equal(t, flow.Counts{Sent: 28, Failed: 2}, w.flow(t, f.ID).Counts)
		w.isIn(t, flow.FlowIncomplete, f.ID)
		w.Process()
		do(t, w.DisableFlow, f.ID)
		assert.Equal(t, flow.VerifyReport{Asked: 26, Final: 26}, do(t, w.VerifyFlow, f.ID), "a disabled flow, too")
		calls := w.calls()
		assert.Equal(t, flow.VerifyReport{}, do(t, w.VerifyFlow, f.ID))
		assert.Equal(t, calls, w.calls())
		for _, n := range w.notifications(t, f.ID) {
			w.steps(t, n.ID)
		}
		w.flowSteps(t, f.ID)
	})
}

func TestAVerificationEndsWhenThePlatformDoesNotAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		fault appiotest.FaultKind
		err   error
		asked int
	}{
		"the key is not accepted": {appiotest.Unauthorized, flussi.ErrUnauthorized, 6},
		"no answers":              {appiotest.GatewayTimeout, flussi.ErrUnavailable, 25},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, service: flow.ServiceConfig{Workers: 1}})
			f := w.sending(t, 60)
			w.run(t, f.ID)
			w.FailAtRandom(appiotest.GetMessage, 1, 1, appiotest.Fault{Kind: test.fault})
			w.Fail(appiotest.GetMessage, slices.Repeat([]appiotest.Fault{{Kind: appiotest.Slow}}, 5)...)
			report, err := w.VerifyFlow(t.Context(), operator, f.ID)
			require.ErrorIs(t, err, test.err)
			assert.Len(t, report.Failures, test.asked-5)
			report.Failures = nil
			assert.Equal(t, flow.VerifyReport{Asked: test.asked, Final: 5, Failed: test.asked - 5}, report)
			w.FailAtRandom(appiotest.GetMessage, 0, 1)
			assert.Equal(t, flow.VerifyReport{Asked: 55, Final: 55}, do(t, w.VerifyFlow, f.ID))
		})
	}
	bubble(t, "some answers are enough", func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{MaxAttempts: 1}, service: flow.ServiceConfig{Workers: 1}})
		f := w.sending(t, 60)
		w.run(t, f.ID)
		silence := slices.Repeat([]appiotest.Fault{{Kind: appiotest.GatewayTimeout}}, 19)
		w.Fail(appiotest.GetMessage, slices.Concat(silence, []appiotest.Fault{{Kind: appiotest.Slow}}, silence)...)
		report := do(t, w.VerifyFlow, f.ID)
		assert.Equal(t, [3]int{60, 22, 38}, [3]int{report.Asked, report.Final, report.Failed})
	})
	bubble(t, "the context ends", func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, service: flow.ServiceConfig{Workers: 2}})
		f := w.sending(t, 20)
		w.run(t, f.ID)
		w.FailAtRandom(appiotest.GetMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 2 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		report, err := w.VerifyFlow(ctx, operator, f.ID)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, flow.VerifyReport{Asked: 4, Final: 4}, report, "what was stored by then")
		w.FailAtRandom(appiotest.GetMessage, 0, 1)
		assert.Equal(t, flow.VerifyReport{Asked: 16, Final: 16}, do(t, w.VerifyFlow, f.ID))
	})
}
