package flow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

// failedOf sends a flow of n notifications, and returns the first, which a fault makes fail.
func (w *world) failedOf(t *testing.T, n int, fault appiotest.Fault, code flow.ErrorCode) flow.Notification {
	t.Helper()
	f := w.sending(t, n)
	assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, fault).State)
	failed := w.notifications(t, f.ID)[0]
	require.Equal(t, code, failed.Transmission.ErrorCode)
	return failed
}

func TestFailedNotificationIsCorrectedAndSentAgain(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, w *world, n flow.Notification){
		"by itself": func(t *testing.T, w *world, n flow.Notification) {
			got := do(t, w.SendNotification, n.ID)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Equal(t, operator.ID, got.UpdatedBy)
		},
		"with its flow": func(t *testing.T, w *world, n flow.Notification) {
			do(t, w.SendFlow, n.FlowID)
			w.run(t, n.FlowID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			n := w.failedOf(t, 3, refusal, flow.CodeRefused)
			f := w.flow(t, n.FlowID)
			w.refused(t, fsm.ErrNotAllowed, try(t, w.SendNotification, n.ID))

			corrected := must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(50)))(t)
			assert.Equal(t, flow.NotificationFailed, corrected.State)
			assert.Equal(t, n.Transmission, corrected.Transmission)
			registered := do(t, w.RegisterNotification, n.ID)
			assert.Equal(t, flow.NotificationRegistered, registered.State)
			assert.Equal(t, flow.Transmission{Attempts: 1}, registered.Transmission, "only the attempts remain")
			assert.Equal(t, registered, w.notification(t, n.ID))
			w.isIn(t, flow.FlowIncomplete, f.ID)
			w.refused(t, fsm.ErrNotAllowed, try(t, w.RegisterNotification, n.ID))

			send(t, w, registered)
			got := w.notification(t, n.ID)
			assert.Equal(t, flow.NotificationSent, got.State)
			assert.Equal(t, 2, got.Transmission.Attempts)
			w.isIn(t, flow.FlowSent, f.ID)
			assert.Equal(t, flow.Counts{Sent: 3}, w.flow(t, f.ID).Counts)
			assert.Equal(t, map[flussi.FiscalCode]int{citizen(1): 1, citizen(2): 1, citizen(50): 1}, w.delivered())
			assert.Equal(t, "create claim fail edit register claim accept", w.steps(t, n.ID))
			w.flowSteps(t, f.ID)
		})
	}
}

func TestNotificationOfActiveFlowIsNotChanged(t *testing.T) {
	for _, state := range []flow.FlowState{flow.FlowActive, flow.FlowSending} {
		t.Run(state.Label(), func(t *testing.T) {
			w := newWorld(t)
			f := w.prepared(t, 2)
			all := w.notifications(t, f.ID)
			aside := do(t, w.DisableNotification, all[1].ID)
			do(t, w.ActivateFlow, f.ID)
			if state == flow.FlowSending {
				do(t, w.SendFlow, f.ID)
			}
			w.refused(t, flussi.ErrState, func() error {
				return must.Err(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(9)))
			})
			w.refused(t, flussi.ErrState, try(t, w.DisableNotification, all[0].ID))
			w.refused(t, flussi.ErrState, try(t, w.EnableNotification, aside.ID))
			w.refused(t, flussi.ErrState, try(t, w.SendNotification, all[0].ID))
		})
	}
	t.Run("Inattivo", func(t *testing.T) {
		w := newWorld(t)
		n := w.notifications(t, w.prepared(t, 1).ID)[0]
		w.refused(t, flussi.ErrState, try(t, w.SendNotification, n.ID))
		edited := must.Get(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(9)))(t)
		assert.Equal(t, draft(9), edited.Draft)
		assert.Equal(t, edited, w.notification(t, n.ID))
		assert.Equal(t, "create import touch", w.flowSteps(t, n.FlowID))
		touched := do(t, w.FlowHistory, n.FlowID)[2]
		assert.Equal(t, fmt.Sprintf("Notifica %s: «Aggiorna».", n.ID), touched.Reason.Reveal())
	})
}

func TestEditThatMakesADuplicateIsRefused(t *testing.T) {
	w := newWorld(t)
	f := w.prepared(t, 3)
	all := w.notifications(t, f.ID)
	w.refused(t, flussi.ErrDuplicate, func() error {
		return must.Err(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(1)))
	})
	_, err := w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(1))
	var duplicate *flussi.Error
	require.ErrorAs(t, err, &duplicate)
	assert.Equal(t, all[1].ID, duplicate.ID, "the one that exists already")
	assert.Equal(t, "notification", duplicate.Entity)
	do(t, w.DisableNotification, all[1].ID)
	w.refused(t, flussi.ErrDuplicate, func() error {
		return must.Err(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(1)))
	})
	same := draft(0)
	same.DueDate = time.Date(2030, 1, 2, 22, 59, 59, 999999999, time.FixedZone("", 3600))
	same.Reference = "R1"
	got := must.Get(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, same))(t)
	assert.Equal(t, time.Date(2030, 1, 2, 21, 59, 59, 999999000, time.UTC), got.DueDate, "it is not its own duplicate")
	other := w.prepared(t, 0)
	w.add(t, other.ID, draft(30))
	must.Get(w.EditNotification(t.Context(), operator, all[2].ID, all[2].Version, draft(30)))(t) // of another flow

	// Two that would become the same at the same moment.
	f = w.prepared(t, 16)
	all = w.notifications(t, f.ID)
	oneWins(t, func(i int) error {
		return must.Err(w.EditNotification(t.Context(), operator, all[i].ID, all[i].Version, draft(77)))
	}, flussi.ErrDuplicate)
}

func TestOperatorDecidesAnUnknownOutcome(t *testing.T) {
	const reason = "Il cittadino ha telefonato."
	for name, test := range map[string]struct {
		decide func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error)
		action flow.NotificationAction
		state  flow.NotificationState
		flow   flow.FlowState
	}{
		"it arrived": {func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error) {
			return w.ConfirmNotification(ctx, operator, id, reason)
		}, flow.NotificationConfirm, flow.NotificationSent, flow.FlowSent},
		"perhaps it did not": {func(ctx context.Context, w *world, id uuid.UUID, reason string) (flow.Notification, error) {
			return w.ResendNotification(ctx, operator, id, reason)
		}, flow.NotificationResend, flow.NotificationRegistered, flow.FlowIncomplete},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			n := w.failedOf(t, 2, noAnswer, flow.CodeOutcomeUnknown)
			f := w.flow(t, n.FlowID)
			w.refused(t, flow.ErrMayHaveArrived, try(t, w.RegisterNotification, n.ID))
			w.refused(t, flussi.ErrEmpty, func() error { return must.Err(test.decide(t.Context(), w, n.ID, "")) })
			w.refused(t, flussi.ErrLength, func() error { return must.Err(test.decide(t.Context(), w, n.ID, strings.Repeat("x", 4001))) })
			time.Sleep(time.Hour)
			got := must.Get(test.decide(t.Context(), w, n.ID, reason))(t)
			assert.Equal(t, test.state, got.State)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Empty(t, got.Transmission.ErrorCode)
			assert.Empty(t, got.Transmission.Error)
			assert.Equal(t, 1, got.Transmission.Attempts)
			assert.Equal(t, test.flow, w.flow(t, f.ID).State)
			assert.Equal(t, flow.NotificationRecord{
				Version: got.Version, At: time.Now().UTC(), By: operator.ID, Action: test.action,
				From: flow.NotificationFailed, To: test.state, Reason: flussi.NewText(reason),
			}, last(do(t, w.NotificationHistory, n.ID)))
			w.refused(t, fsm.ErrNotAllowed, func() error { return must.Err(test.decide(t.Context(), w, n.ID, reason)) })
			if test.state == flow.NotificationRegistered {
				do(t, w.SendNotification, n.ID)
				assert.Equal(t, 2, w.delivered()[n.Recipient], "twice, knowingly")
				w.isIn(t, flow.FlowSent, f.ID)
			}
		})
		t.Run(name+", of a known outcome", func(t *testing.T) {
			w := newWorld(t)
			f := w.sending(t, 2)
			w.run(t, f.ID, refusal)
			all := w.notifications(t, f.ID)
			w.refused(t, flow.ErrOutcomeKnown, func() error { return must.Err(test.decide(t.Context(), w, all[0].ID, reason)) })
			w.refused(t, fsm.ErrNotAllowed, func() error { return must.Err(test.decide(t.Context(), w, all[1].ID, reason)) })
		})
	}
}

func TestDisabledNotificationIsNotSentAndNotCounted(t *testing.T) {
	t.Run("it is not sent", func(t *testing.T) {
		w := newWorld(t)
		f := w.prepared(t, 3)
		n := w.notifications(t, f.ID)[1]
		w.refused(t, flow.ErrNotDisabled, try(t, w.EnableNotification, n.ID))
		aside := do(t, w.DisableNotification, n.ID)
		assert.True(t, aside.Disabled)
		assert.Equal(t, flow.Counts{Registered: 2, Disabled: 1}, w.flow(t, f.ID).Counts)
		w.refused(t, flow.ErrDisabled, try(t, w.DisableNotification, n.ID))
		w.refused(t, flow.ErrDisabled, func() error {
			return must.Err(w.EditNotification(t.Context(), operator, n.ID, aside.Version, draft(9)))
		})
		w.ordered(t, f.ID)
		assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
		assert.Zero(t, w.delivered()[n.Recipient])
		w.refused(t, flow.ErrDisabled, try(t, w.SendNotification, n.ID))

		// Enabled, it is to be sent, so its flow is not over.
		do(t, w.EnableNotification, n.ID)
		w.isIn(t, flow.FlowIncomplete, f.ID)
		do(t, w.SendNotification, n.ID)
		w.isIn(t, flow.FlowSent, f.ID)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
	})
	t.Run("the last one in error concludes the flow, and leads back", func(t *testing.T) {
		w := newWorld(t)
		f := w.sending(t, 4)
		assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, refusal, noAnswer).State)
		all := w.notifications(t, f.ID)
		do(t, w.DisableNotification, all[0].ID)
		w.isIn(t, flow.FlowIncomplete, f.ID)
		do(t, w.DisableNotification, all[1].ID)
		w.isIn(t, flow.FlowSent, f.ID)
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		do(t, w.EnableNotification, all[1].ID)
		w.isIn(t, flow.FlowIncomplete, f.ID)
		do2(t, w.ConfirmNotification, all[1].ID, "arrivata")
		w.isIn(t, flow.FlowSent, f.ID)
		do(t, w.DisableNotification, all[3].ID) // Inviato
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		w.isIn(t, flow.FlowSent, f.ID)
		assert.Equal(t, "create import activate send fall_short touch complete fall_short complete touch", w.flowSteps(t, f.ID))
	})
}
