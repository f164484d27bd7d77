package flow_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
)

func TestWhatFailedIsCorrectedAndSentAgain(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, w *world, n flow.Notification){
		"by itself": func(t *testing.T, w *world, n flow.Notification) {
			got := must(w.SendNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, got, w.notification(t, n.ID))
			assert.Equal(t, operator.ID, got.UpdatedBy)
		},
		"with its flow": func(t *testing.T, w *world, n flow.Notification) {
			must(w.SendFlow(t.Context(), operator, n.FlowID))(t)
			w.run(t, n.FlowID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			f := w.sending(t, 3)
			assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, refusal).State)
			n := w.notifications(t, f.ID)[0]
			require.Equal(t, flow.CodeRefused, n.Transmission.ErrorCode)
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })

			corrected := must(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 50)))(t)
			assert.Equal(t, flow.NotificationFailed, corrected.State)
			assert.Equal(t, n.Transmission, corrected.Transmission)
			registered := must(w.RegisterNotification(t.Context(), operator, n.ID))(t)
			assert.Equal(t, flow.NotificationRegistered, registered.State)
			assert.Equal(t, flow.Transmission{Attempts: 1}, registered.Transmission, "only the attempts remain")
			assert.Equal(t, registered, w.notification(t, n.ID))
			assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.RegisterNotification(t.Context(), operator, n.ID)) })

			send(t, w, registered)
			got := w.notification(t, n.ID)
			assert.Equal(t, flow.NotificationSent, got.State)
			assert.Equal(t, 2, got.Transmission.Attempts)
			assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
			assert.Equal(t, flow.Counts{Sent: 3}, w.flow(t, f.ID).Counts)
			assert.Equal(t, map[flussi.FiscalCode]int{citizen(t, 1): 1, citizen(t, 2): 1, citizen(t, 50): 1}, w.delivered())
			assert.Equal(t, []flow.NotificationAction{
				flow.NotificationCreate, flow.NotificationClaim, flow.NotificationFail, flow.NotificationEdit,
				flow.NotificationRegister, flow.NotificationClaim, flow.NotificationAccept,
			}, w.steps(t, n.ID))
			w.flowSteps(t, f.ID)
		})
	}
}

func TestWhatIsAboutToBeSentWithItsFlowIsFixed(t *testing.T) {
	for _, state := range []flow.FlowState{flow.FlowActive, flow.FlowSending} {
		t.Run(state.Label(), func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			ctx := t.Context()
			f := w.prepared(t, 2)
			all := w.notifications(t, f.ID)
			aside := must(w.DisableNotification(ctx, operator, all[1].ID))(t)
			must(w.ActivateFlow(ctx, operator, f.ID))(t)
			if state == flow.FlowSending {
				must(w.SendFlow(ctx, operator, f.ID))(t)
			}
			w.refused(t, flussi.ErrState, func() error { return only(w.EditNotification(ctx, operator, all[0].ID, all[0].Version, draft(t, 9))) })
			w.refused(t, flussi.ErrState, func() error { return only(w.DisableNotification(ctx, operator, all[0].ID)) })
			w.refused(t, flussi.ErrState, func() error { return only(w.EnableNotification(ctx, operator, aside.ID)) })
			w.refused(t, flussi.ErrState, func() error { return only(w.SendNotification(ctx, operator, all[0].ID)) })
		})
	}
	t.Run("Inattivo", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		n := w.notifications(t, w.prepared(t, 1).ID)[0]
		w.refused(t, flussi.ErrState, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })
		edited := must(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 9)))(t)
		assert.Equal(t, draft(t, 9), edited.Draft)
		assert.Equal(t, edited, w.notification(t, n.ID))
		assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowNotificationChanged}, w.flowSteps(t, n.FlowID))
		touched := must(w.FlowHistory(t.Context(), operator, n.FlowID))(t)[2]
		assert.Equal(t, fmt.Sprintf("Notifica %s: «Aggiorna».", n.ID), touched.Reason.Reveal())
	})
}

func TestAnEditMakesNoDuplicate(t *testing.T) {
	w := newWorld(t, worldConfig{})
	f := w.prepared(t, 3)
	all := w.notifications(t, f.ID)
	w.refused(t, flussi.ErrDuplicate, func() error {
		return only(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(t, 1)))
	})
	_, err := w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(t, 1))
	var duplicate *flussi.Error
	require.ErrorAs(t, err, &duplicate)
	assert.Equal(t, all[1].ID, duplicate.ID, "the one that exists already")
	assert.Equal(t, "notification", duplicate.Entity)
	must(w.DisableNotification(t.Context(), operator, all[1].ID))(t)
	w.refused(t, flussi.ErrDuplicate, func() error {
		return only(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, draft(t, 1)))
	})
	same := draft(t, 0)
	same.DueDate = time.Date(2030, 1, 2, 22, 59, 59, 999999999, time.FixedZone("", 3600))
	same.Reference = "R1"
	got := must(w.EditNotification(t.Context(), operator, all[0].ID, all[0].Version, same))(t)
	assert.Equal(t, time.Date(2030, 1, 2, 21, 59, 59, 999999000, time.UTC), got.DueDate, "it is not its own duplicate")
	other := w.prepared(t, 0)
	must(w.AddNotifications(t.Context(), operator, other.ID, flow.DraftRows(draft(t, 30)), flow.AddConfig{}))(t)
	must(w.EditNotification(t.Context(), operator, all[2].ID, all[2].Version, draft(t, 30)))(t) // of another flow

	// Two that would become the same at the same moment.
	f = w.prepared(t, 16)
	all = w.notifications(t, f.ID)
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, n := range all {
		group.Go(func() { errs[i] = only(w.EditNotification(t.Context(), operator, n.ID, n.Version, draft(t, 77))) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			assert.ErrorIs(t, err, flussi.ErrDuplicate)
		}
	}
	assert.Equal(t, 1, won)
}

func TestAnUnknownOutcomeIsDecidedByAPerson(t *testing.T) {
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
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, worldConfig{})
				f := w.sending(t, 2)
				assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, noAnswer).State)
				n := w.notifications(t, f.ID)[0]
				require.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
				w.refused(t, flow.ErrMayHaveArrived, func() error { return only(w.RegisterNotification(t.Context(), operator, n.ID)) })
				w.refused(t, flussi.ErrEmpty, func() error { return only(test.decide(t.Context(), w, n.ID, "")) })
				w.refused(t, flussi.ErrLength, func() error { return only(test.decide(t.Context(), w, n.ID, strings.Repeat("x", 4001))) })
				time.Sleep(time.Hour)
				got := must(test.decide(t.Context(), w, n.ID, reason))(t)
				assert.Equal(t, test.state, got.State)
				assert.Equal(t, got, w.notification(t, n.ID))
				assert.Empty(t, got.Transmission.ErrorCode)
				assert.Empty(t, got.Transmission.Error)
				assert.Equal(t, 1, got.Transmission.Attempts)
				assert.Equal(t, test.flow, w.flow(t, f.ID).State)
				records := must(w.NotificationHistory(t.Context(), operator, n.ID))(t)
				assert.Equal(t, flow.NotificationRecord{
					Version: got.Version, At: time.Now().UTC(), By: operator.ID, Action: test.action,
					From: flow.NotificationFailed, To: test.state, Reason: flussi.NewText(reason),
				}, records[len(records)-1])
				w.refused(t, fsm.ErrNotAllowed, func() error { return only(test.decide(t.Context(), w, n.ID, reason)) })
				if test.state == flow.NotificationRegistered {
					must(w.SendNotification(t.Context(), operator, n.ID))(t)
					assert.Equal(t, 2, w.delivered()[n.Recipient], "twice, knowingly")
					assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
				}
			})
		})
		t.Run(name+", of a known outcome", func(t *testing.T) {
			w := newWorld(t, worldConfig{})
			f := w.sending(t, 2)
			w.run(t, f.ID, refusal)
			all := w.notifications(t, f.ID)
			w.refused(t, flow.ErrOutcomeKnown, func() error { return only(test.decide(t.Context(), w, all[0].ID, reason)) })
			w.refused(t, fsm.ErrNotAllowed, func() error { return only(test.decide(t.Context(), w, all[1].ID, reason)) })
		})
	}
}

func TestADisabledNotificationDoesNotCount(t *testing.T) {
	t.Run("it is not sent", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.prepared(t, 3)
		n := w.notifications(t, f.ID)[1]
		w.refused(t, flow.ErrNotDisabled, func() error { return only(w.EnableNotification(t.Context(), operator, n.ID)) })
		aside := must(w.DisableNotification(t.Context(), operator, n.ID))(t)
		assert.True(t, aside.Disabled)
		assert.Equal(t, flow.Counts{Registered: 2, Disabled: 1}, w.flow(t, f.ID).Counts)
		w.refused(t, flow.ErrDisabled, func() error { return only(w.DisableNotification(t.Context(), operator, n.ID)) })
		w.refused(t, flow.ErrDisabled, func() error { return only(w.EditNotification(t.Context(), operator, n.ID, aside.Version, draft(t, 9))) })
		must(w.ActivateFlow(t.Context(), operator, f.ID))(t)
		must(w.SendFlow(t.Context(), operator, f.ID))(t)
		assert.Equal(t, flow.FlowSent, w.run(t, f.ID).State)
		assert.Zero(t, w.delivered()[n.Recipient])
		w.refused(t, flow.ErrDisabled, func() error { return only(w.SendNotification(t.Context(), operator, n.ID)) })

		// Enabled, it is to be sent, so its flow is not over.
		must(w.EnableNotification(t.Context(), operator, n.ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.SendNotification(t.Context(), operator, n.ID))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		assert.Equal(t, 1, w.delivered()[n.Recipient])
	})
	t.Run("the last one in error concludes the flow, and leads back", func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		f := w.sending(t, 4)
		assert.Equal(t, flow.FlowIncomplete, w.run(t, f.ID, refusal, noAnswer).State)
		all := w.notifications(t, f.ID)
		must(w.DisableNotification(t.Context(), operator, all[0].ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.DisableNotification(t.Context(), operator, all[1].ID))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		must(w.EnableNotification(t.Context(), operator, all[1].ID))(t)
		assert.Equal(t, flow.FlowIncomplete, w.flow(t, f.ID).State)
		must(w.ConfirmNotification(t.Context(), operator, all[1].ID, "arrivata"))(t)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		must(w.DisableNotification(t.Context(), operator, all[3].ID))(t) // Inviato
		assert.Equal(t, flow.Counts{Sent: 2, Disabled: 2}, w.flow(t, f.ID).Counts)
		assert.Equal(t, flow.FlowSent, w.flow(t, f.ID).State)
		steps := w.flowSteps(t, f.ID)
		assert.Equal(t, []flow.FlowAction{flow.FlowSend, flow.FlowEndIncomplete, flow.FlowNotificationChanged, flow.FlowComplete, flow.FlowEndIncomplete, flow.FlowComplete, flow.FlowNotificationChanged}, steps[3:])
	})
}
