package flow_test

import (
	"errors"
	"slices"
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

func TestAnonymise(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		notice := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
		payee := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
		pay := draft(40)
		pay.IsPayment, pay.Amount, pay.NoticeNumber, pay.Payee, pay.Reference = true, 100, notice, payee, "RIF/40"
		pay.DueDate, pay.PayableAfterDue, pay.Options.Button1 = time.Now().Add(time.Hour).UTC(), true, someOptions(t).Button1
		alone := w.sendNew(t, pay)
		alone = do(t, w.VerifyNotification, alone.ID)
		f := w.sending(t, 6)
		w.run(t, f.ID, refusal, noAnswer, noAnswer, refusal)
		all := w.notifications(t, f.ID)
		refused, unknown, confirmed, aside, sent, open := all[0], all[1], all[2], all[3], all[4], all[5]
		confirmed = do2(t, w.ConfirmNotification, confirmed.ID, "arrivata")
		aside = do(t, w.DisableNotification, aside.ID)
		open = do(t, w.DisableNotification, open.ID) // Inviato, and disabled
		foreign := must.Get(w.SendNewNotification(t.Context(), stranger, school, draft(41), flow.SendNewConfig{}))(t)
		inactive := w.notifications(t, w.prepared(t, 1).ID)[0]
		time.Sleep(time.Hour)
		border := time.Now()
		newer := w.sendNew(t, draft(42))
		late := w.sending(t, 1)
		w.run(t, late.ID, refusal)
		time.Sleep(time.Hour)

		flowBefore, flowsBefore := w.flow(t, f.ID), w.flowSteps(t, f.ID)
		for _, when := range []time.Time{{}, time.Now().Add(time.Second)} {
			w.refused(t, flussi.ErrRange, try2(t, w.Anonymise, taxes, when))
		}
		before := everythingIn(t, w.store)
		done := do2(t, w.Anonymise, taxes, border)
		gone := []flow.Notification{alone, refused, confirmed, aside, sent, open}
		assert.Equal(t, len(gone), done)
		for _, n := range gone {
			got := w.notification(t, n.ID)
			want := n
			want.Draft = flow.Draft{DueDate: n.DueDate, Amount: n.Amount, IsPayment: n.IsPayment, PayableAfterDue: n.PayableAfterDue, Payee: n.Payee}
			if !n.Transmission.Answer.IsZero() {
				want.Transmission.Answer, want.Transmission.Error = flussi.Text{}, flow.CodeRefused.Italian()
			}
			want.AnonymisedAt, want.UpdatedAt, want.UpdatedBy, want.Version = time.Now().UTC(), time.Now().UTC(), operator.ID, n.Version+1
			assert.Equal(t, want, got)
			assert.Regexp(t, " anonymise$", w.steps(t, n.ID))
			records := do(t, w.NotificationHistory, n.ID)
			assert.Equal(t, before.records[n.ID], records[:len(records)-1], "the history remains")
			assert.True(t, got.Digest().IsZero())
			assert.NotContains(t, ids(do2(t, w.Notifications, flow.NotificationFilter{Recipient: n.Recipient}, flow.Page{})), n.ID)
			assert.NotContains(t, ids(do2(t, w.Notifications, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{})), n.ID)
			assert.NotContains(t, ids(do2(t, w.Notifications, flow.NotificationFilter{Text: "riservato"}, flow.Page{})), n.ID)
			assert.Contains(t, ids(do2(t, w.Notifications, flow.NotificationFilter{IDs: []uuid.UUID{n.ID}}, flow.Page{})), n.ID)
			assert.Equal(t, got, do(t, w.Notification, n.ID), "it can be looked at")
		}
		assert.Empty(t, do2(t, w.Notifications, flow.NotificationFilter{NoticeNumber: notice}, flow.Page{}).Notifications)
		assert.Empty(t, do2(t, w.Notifications, flow.NotificationFilter{Reference: "RIF/40"}, flow.Page{}).Notifications)
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
			"verify": try(t, w.VerifyNotification, sent.ID),
			"edit": func() error {
				return must.Err(w.EditNotification(t.Context(), operator, refused.ID, refused.Version+1, draft(9)))
			},
			"register": try(t, w.RegisterNotification, refused.ID),
		} {
			w.refused(t, flow.ErrAnonymised, call)
		}
		w.refused(t, fsm.ErrNotAllowed, try(t, w.SendNotification, refused.ID))
		calls := w.Received(appiotest.GetMessage)
		assert.Equal(t, flow.VerifyReport{}, do(t, w.VerifyFlow, f.ID))
		assert.Equal(t, calls, w.Received(appiotest.GetMessage), "nothing is left to be asked for")
		assert.Zero(t, do2(t, w.Anonymise, taxes, border), "once")
		w.sendNew(t, pay) // nobody knows any more that it was sent
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
func TestAnonymiseContinuesAfterAFailure(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 1100)
		w.dispatch(t, f.ID)
		time.Sleep(time.Hour)
		store := newFaultyStore(w.store)
		service := newService(t, store, w.senders)
		down := errors.New("connection lost")
		store.set("SaveNotifications", 1, 1, down)
		done, err := service.Anonymise(t.Context(), operator, taxes, time.Now())
		require.ErrorIs(t, err, down)
		rest := do2(t, service.Anonymise, taxes, time.Now())
		assert.NotZero(t, done)
		assert.Equal(t, 1100, done+rest)
		for _, n := range w.notifications(t, f.ID) {
			require.True(t, n.Recipient.IsZero())
			require.False(t, n.AnonymisedAt.IsZero())
		}
	}, unlimited)
}
