package flow_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/fsm"
)

func TestAnonymise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{})
		ctx := t.Context()
		notice := must(flussi.ParseNoticeNumber("301005100001400678"))(t)
		payee := must(flussi.ParseOrganizationCode("80185250588"))(t)
		pay := draft(t, 40)
		pay.IsPayment, pay.Amount, pay.NoticeNumber, pay.Payee, pay.Reference = true, 100, notice, payee, "RIF/40"
		pay.DueDate, pay.PayableAfterDue = time.Now().Add(time.Hour).UTC(), true
		alone := must(w.SendNewNotification(ctx, operator, taxes, pay, flow.SendNewConfig{}))(t)
		alone = must(w.VerifyNotification(ctx, operator, alone.ID))(t)
		f := w.sending(t, 6)
		w.run(t, f.ID, refusal, noAnswer, noAnswer, refusal)
		all := w.notifications(t, f.ID)
		refused, unknown, confirmed, aside, sent, open := all[0], all[1], all[2], all[3], all[4], all[5]
		confirmed = must(w.ConfirmNotification(ctx, operator, confirmed.ID, "arrivata"))(t)
		aside = must(w.DisableNotification(ctx, operator, aside.ID))(t)
		open = must(w.DisableNotification(ctx, operator, open.ID))(t) // Inviato, and disabled
		foreign := must(w.SendNewNotification(ctx, stranger, school, draft(t, 41), flow.SendNewConfig{}))(t)
		inactive := w.notifications(t, w.prepared(t, 1).ID)[0]
		time.Sleep(time.Hour)
		border := time.Now()
		newer := must(w.SendNewNotification(ctx, operator, taxes, draft(t, 42), flow.SendNewConfig{}))(t)
		late := w.sending(t, 1)
		w.run(t, late.ID, refusal)
		time.Sleep(time.Hour)

		flowBefore, flowsBefore := w.flow(t, f.ID), w.flowSteps(t, f.ID)
		for _, when := range []time.Time{{}, time.Now().Add(time.Second)} {
			w.refused(t, flussi.ErrRange, func() error { return only(w.Anonymise(ctx, operator, taxes, when)) })
		}
		before := everythingIn(t, w.store)
		done := must(w.Anonymise(ctx, operator, taxes, border))(t)
		gone := []flow.Notification{alone, refused, confirmed, aside, sent, open}
		assert.Equal(t, len(gone), done)
		for _, n := range gone {
			got := w.notification(t, n.ID)
			want := n
			want.Draft = flow.Draft{DueDate: n.DueDate, Amount: n.Amount, IsPayment: n.IsPayment, PayableAfterDue: n.PayableAfterDue, Payee: n.Payee}
			want.AnonymisedAt, want.UpdatedAt, want.UpdatedBy, want.Version = time.Now().UTC(), time.Now().UTC(), operator.ID, n.Version+1
			assert.Equal(t, want, got)
			steps := w.steps(t, n.ID)
			assert.Equal(t, flow.NotificationAnonymise, steps[len(steps)-1])
			records := must(w.NotificationHistory(ctx, operator, n.ID))(t)
			assert.Equal(t, before.records[n.ID], records[:len(records)-1], "the history remains")
			assert.True(t, got.Digest().IsZero())
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Recipient: n.Recipient}, flow.Page{}))(t)), n.ID)
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{}))(t)), n.ID)
			assert.NotContains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{Text: "riservato"}, flow.Page{}))(t)), n.ID)
			assert.Contains(t, ids(must(w.Notifications(ctx, operator, flow.NotificationFilter{IDs: []uuid.UUID{n.ID}}, flow.Page{}))(t)), n.ID)
			assert.Equal(t, got, must(w.Notification(ctx, operator, n.ID))(t), "it can be looked at")
		}
		assert.Empty(t, must(w.Notifications(ctx, operator, flow.NotificationFilter{NoticeNumber: notice}, flow.Page{}))(t).Notifications)
		assert.Empty(t, must(w.Notifications(ctx, operator, flow.NotificationFilter{Reference: "RIF/40"}, flow.Page{}))(t).Notifications)
		for _, n := range before.notifications {
			if !slices.ContainsFunc(gone, func(g flow.Notification) bool { return g.ID == n.ID }) {
				assert.Equal(t, n, w.notification(t, n.ID), "of those that remain")
			}
		}
		for _, n := range []flow.Notification{unknown, foreign, newer, inactive} {
			assert.False(t, w.notification(t, n.ID).Recipient.IsZero())
		}
		assert.Equal(t, flowBefore, w.flow(t, f.ID), "the Counts, too")
		assert.Equal(t, flowsBefore, w.flowSteps(t, f.ID))

		for _, call := range map[string]func() error{
			"verify": func() error { return only(w.VerifyNotification(ctx, operator, sent.ID)) },
			"edit": func() error {
				return only(w.EditNotification(ctx, operator, refused.ID, refused.Version+1, draft(t, 9)))
			},
			"register": func() error { return only(w.RegisterNotification(ctx, operator, refused.ID)) },
		} {
			w.refused(t, flow.ErrAnonymised, call)
		}
		w.refused(t, fsm.ErrNotAllowed, func() error { return only(w.SendNotification(ctx, operator, refused.ID)) })
		calls := w.Received(appiotest.GetMessage)
		assert.Equal(t, flow.VerifyReport{}, must(w.VerifyFlow(ctx, operator, f.ID))(t))
		assert.Equal(t, calls, w.Received(appiotest.GetMessage), "nothing is left to be asked for")
		assert.Zero(t, must(w.Anonymise(ctx, operator, taxes, border))(t), "once")
		must(w.SendNewNotification(ctx, operator, taxes, pay, flow.SendNewConfig{}))(t) // nobody knows any more that it was sent
	})
}

func ids(page flow.NotificationPage) []uuid.UUID {
	var ids []uuid.UUID
	for _, n := range page.Notifications {
		ids = append(ids, n.ID)
	}
	return ids
}

// More than fit in a transaction, and a store that fails after the first group.
func TestAnonymisingGoesOnWhereItEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 1100)
		must(w.dispatcher(t, flow.DispatcherConfig{}).Run(t.Context(), f.ID))(t)
		time.Sleep(time.Hour)
		store := &faultyStore{Store: w.store}
		service, err := flow.NewService(store, flow.Permissions{operator.ID: {taxes}}, w.messengers, flow.ServiceConfig{})
		require.NoError(t, err)
		down := errors.New("connection lost")
		store.set("SaveNotifications", 1, 1, down)
		done, err := service.Anonymise(t.Context(), operator, taxes, time.Now())
		require.ErrorIs(t, err, down)
		rest := must(service.Anonymise(t.Context(), operator, taxes, time.Now()))(t)
		assert.NotZero(t, done)
		assert.Equal(t, 1100, done+rest)
		for _, n := range w.notifications(t, f.ID) {
			require.True(t, n.Recipient.IsZero())
			require.False(t, n.AnonymisedAt.IsZero())
		}
	})
}
