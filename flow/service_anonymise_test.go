package flow_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
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
				want.Transmission.Answer, want.Transmission.Error = flussi.Text{},
					strings.TrimSuffix(n.Transmission.Error, " Risposta della piattaforma: «"+n.Transmission.Answer.Reveal()+"».")
			}
			want.AnonymisedAt, want.UpdatedAt, want.UpdatedBy, want.Version = time.Now().UTC(), time.Now().UTC(), operator.ID, n.Version+1
			assert.Equal(t, want, got)
			assert.Regexp(t, " anonymise$", w.steps(t, n.ID))
			records := do(t, w.NotificationHistory, n.ID)
			assert.Equal(t, silent(before.records[n.ID]), records[:len(records)-1], "the history remains")
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

// silent returns records without what the platform said.
func silent[S, A ~string](records []flow.Record[S, A]) []flow.Record[S, A] {
	records = slices.Clone(records)
	for i := range records {
		records[i].Answer = flussi.Text{}
	}
	return records
}

func ids(page flow.NotificationPage) []uuid.UUID {
	var ids []uuid.UUID
	for _, n := range page.Notifications {
		ids = append(ids, n.ID)
	}
	return ids
}

// holds reports whether a text is anywhere in what a store holds of a flow and of the notifications
// of it that are anonymised.
func (e everything) holds(t testing.TB, f flow.Flow, text string) bool {
	t.Helper()
	at := slices.IndexFunc(e.flows, func(one flow.Flow) bool { return one.ID == f.ID })
	all := []any{e.flows[at], e.flowRecords[f.ID]}
	for _, n := range e.notifications {
		if n.FlowID == f.ID && !n.AnonymisedAt.IsZero() {
			all = append(all, n, e.records[n.ID])
		}
	}
	return strings.Contains(string(must.Get(json.Marshal(all))(t)), text)
}

// What the platform said is in the flow and its records, and in the records of notifications, also
// of those that were sent later.
func TestAnonymiseErasesWhatThePlatformSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const said = "Frase della piattaforma"
		accept := func(int, flussi.FiscalCode) *reply { return nil }
		p := &scripted{script: accept}
		w := inPipes(t, p)
		f := w.sending(t, 30)
		stopped := func(script func(call int, to flussi.FiscalCode) *reply, says string) flow.Flow {
			t.Helper()
			p.calls, p.script = 0, script
			got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
			require.Contains(t, must.As[*flow.StopError](t, err).Answer.Reveal(), says)
			assert.Contains(t, got.Error, says)
			assert.Contains(t, got.Answer.Reveal(), says)
			time.Sleep(time.Hour)
			return got
		}
		stopped(func(call int, _ flussi.FiscalCode) *reply {
			if call <= 5 {
				return nil
			}
			a := gateway(401, said+" uno")
			return &a
		}, said+" uno")
		do(t, w.SendFlow, f.ID)
		assert.Empty(t, w.flow(t, f.ID).Answer.Reveal())
		got := stopped(always(problem(403, said+" due", "Sul servizio")), said+" due")
		require.Equal(t, flow.Counts{Registered: 25, Sent: 5}, got.Counts)

		before := everythingIn(t, w.store)
		require.True(t, before.holds(t, f, said+" uno"))
		require.Equal(t, 5, do2(t, w.Anonymise, taxes, time.Now()))
		after := everythingIn(t, w.store)
		assert.False(t, after.holds(t, f, said))
		assert.False(t, after.holds(t, f, "riservato"))
		now := w.flow(t, f.ID)
		assert.Zero(t, now.Answer)
		assert.Equal(t, strings.Replace(got.Error, " Risposta della piattaforma: «"+got.Answer.Reveal()+"».", "", 1), now.Error)
		assert.Contains(t, now.Error, "senza messaggi accettati: la causa può essere nel servizio. Le notifiche rifiutate")
		records := after.flowRecords[f.ID]
		assert.Equal(t, silent(before.flowRecords[f.ID]), records[:len(records)-1])
		assert.Equal(t, flow.FlowAnonymise, last(records).Action)
		assert.Equal(t, got.State, now.State)
		for _, n := range after.notifications {
			if n.AnonymisedAt.IsZero() {
				assert.Equal(t, before.records[n.ID], after.records[n.ID])
			}
		}

		// The flow goes on: one notification is refused and sent later, and one stays refused.
		do(t, w.SendFlow, f.ID)
		p.script = func(_ int, code flussi.FiscalCode) *reply {
			if code == citizen(20) || code == citizen(21) {
				a := problem(400, said+" tre", "")
				return &a
			}
			return nil
		}
		w.dispatch(t, f.ID)
		again := w.notifications(t, f.ID)[20]
		assert.Contains(t, last(do(t, w.NotificationHistory, again.ID)).Explanation().Reveal(), "riportare la notifica a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso». Risposta della piattaforma: «"+said+" tre (HTTP 400)».")
		assert.NotContains(t, last(do(t, w.NotificationHistory, again.ID)).Reason.Reveal(), said)
		do(t, w.RegisterNotification, again.ID)
		do(t, w.SendFlow, f.ID)
		p.script = accept
		assert.Equal(t, flow.Counts{Sent: 29, Failed: 1}, w.dispatch(t, f.ID).Counts)
		time.Sleep(time.Hour)
		assert.Equal(t, 25, do2(t, w.Anonymise, taxes, time.Now()))
		assert.False(t, everythingIn(t, w.store).holds(t, f, said))
		assert.False(t, everythingIn(t, w.store).holds(t, f, "riservato"))
	})
}

// After a failure between a flow and its notifications, another call erases the rest.
func TestAnonymiseErasesFlowsBeforeTheirNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const said = "Frase della piattaforma"
		p := &scripted{script: func(call int, _ flussi.FiscalCode) *reply {
			if call > 1 {
				return &reply{status: 401, kind: "application/json", body: `{"statusCode":401,"message":"` + said + `"}`}
			}
			return nil
		}}
		w := inPipes(t, p)
		f := w.sending(t, 3)
		_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		time.Sleep(time.Hour)
		store, down := newFaultyStore(w.store), errors.New("connection lost")
		service := newService(t, store, w.senders)
		for _, method := range []string{"SaveFlow", "SaveNotifications"} {
			store.set(method, 0, 1, down)
			done, err := service.Anonymise(t.Context(), operator, taxes, time.Now())
			require.ErrorIs(t, err, down)
			assert.Zero(t, done)
		}
		assert.Equal(t, 1, do2(t, service.Anonymise, taxes, time.Now()))
		e := everythingIn(t, w.store)
		assert.False(t, e.holds(t, f, said))
		assert.Equal(t, 1, strings.Count(w.flowSteps(t, f.ID), "anonymise"))
	})
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
