package pagoinrete_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

func TestVerifyNoticeRecordsTheStepsBetween(t *testing.T) {
	w := newWorld(t)
	e := w.notified(t, 1)
	for i, n := range w.notices(t, e.ID) {
		require.Equal(t, pagoinrete.NoticeNotified, n.State)
		require.True(t, w.platform.Pay(n.ID, n.Due()))
		require.True(t, w.platform.Settle(n.ID, n.Due()))
		if i == 1 {
			require.True(t, w.platform.Reconcile(n.ID, n.Due()))
		}
		n := do(t, assistant, w.VerifyNotice, n.ID)
		assert.Equal(t, []pagoinrete.NoticeState{pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled}[i], n.State)
		assert.Equal(t, n.Due(), n.Evidence.Receipt.Amount)
		assert.Equal(t, n.Due(), n.Evidence.Settlement.Amount)
		last := last(do(t, assistant, w.NoticeHistory, n.ID))
		assert.Equal(t, pagoinrete.NoticeNotified, last.From)
		assert.Equal(t, "a.bianchi", last.By)
		assert.Contains(t, last.Reason.Reveal(), "con i passi intermedi «RPT inviata» e «RT ricevuta»")

		assert.Equal(t, n, do(t, assistant, w.VerifyNotice, n.ID), "nothing new, nothing stored")
	}
}

func TestFailedPaymentLeavesTheNoticeUnpaid(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	require.True(t, w.platform.StartPayment(n.ID))
	n = do(t, assistant, w.VerifyNotice, n.ID)
	assert.Equal(t, "In attesa di ricevuta", n.State.Labels().Family)
	_, err := w.CancelNotice(t.Context(), assistant, n.ID, flussi.NewText("Errore nostro."))
	assert.Error(t, err, "the money may arrive")
	require.True(t, w.platform.FailPayment(n.ID))
	n = do(t, assistant, w.VerifyNotice, n.ID)
	assert.Equal(t, pagoinrete.NoticeNotified, n.State)
}

// What a payer does after the event was notified is found by a poll.
func TestVerifyOpenFindsALateLogIn(t *testing.T) {
	w := newWorld(t)
	e := w.toApprove(t, 2)
	do(t, principal, w.ApproveEvent, e.ID)
	w.platform.LogIn(payer(0))
	w.platform.RegisterPayer(payer(1))
	do(t, assistant, w.NotifyEvent, e.ID)
	states := func() (all []pagoinrete.NoticeState) {
		for _, n := range w.notices(t, e.ID) {
			all = append(all, n.State)
			assert.Equal(t, n.Payer == payer(1) || n.PayerLoggedIn, n.PayerRegistered || n.State == pagoinrete.NoticeNotNotified)
		}
		return all
	}
	yes, no := pagoinrete.NoticeNotified, pagoinrete.NoticeNotNotified
	assert.Equal(t, []pagoinrete.NoticeState{yes, yes, no, no}, states())
	w.platform.LogIn(payer(1))
	assert.Equal(t, pagoinrete.VerifyReport{Asked: 4, Changed: 2}, do(t, assistant, w.VerifyOpen, school))
	assert.Equal(t, []pagoinrete.NoticeState{yes, yes, yes, yes}, states())
}

func TestImpossibleStateIsADiscrepancy(t *testing.T) {
	proof := pagoinrete.Proof{Reference: "Bollettino 7", Amount: 10_000, Date: day(10, 1)}
	other := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	for name, test := range map[string]struct {
		happen func(*testing.T, *world, pagoinrete.Notice)
		kind   pagoinrete.DiscrepancyKind
		state  pagoinrete.NoticeState // that is kept, or came
		says   string
	}{
		"cancelled here, paid there": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			do2(t, assistant, w.CancelNotice, n.ID, flussi.NewText("Ritirato."))
			require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticePaidOnline))
		}, pagoinrete.DiscrepancyState, pagoinrete.NoticeCancelled, "Su Pago In Rete lo stato è «Pagato (Pagato online)», che non può seguire quello registrato: verificare su Pago In Rete, poi eseguire di nuovo «Verifica stato» o archiviare la discrepanza."},
		"paid by hand and online": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			do2(t, assistant, w.PayNoticeManually, n.ID, proof)
			require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticePaidOnline))
		}, pagoinrete.DiscrepancyPaidTwice, pagoinrete.NoticePaidManually, "L'avviso risulta pagato più di una volta: verificare e, se confermato, disporre il rimborso."},
		"paid, and then not": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			require.True(t, w.platform.Pay(n.ID, n.Due()))
			do(t, assistant, w.VerifyNotice, n.ID)
			require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticeNotified))
		}, pagoinrete.DiscrepancyState, pagoinrete.NoticePaidOnline, "Non pagato (Notificato)"},
		"lost": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			require.True(t, w.platform.Forget(n.ID))
		}, pagoinrete.DiscrepancyMissing, pagoinrete.NoticeNotified, "Quanto era stato trasmesso non risulta su Pago In Rete: verificare su Pago In Rete, poi eseguire di nuovo «Verifica stato» o archiviare la discrepanza."},
		"another number": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			require.True(t, w.platform.SetNumber(n.ID, other))
		}, pagoinrete.DiscrepancyNumber, pagoinrete.NoticeNotified, "l'avviso ha un altro numero"},
		"another amount": {func(t *testing.T, w *world, n pagoinrete.Notice) {
			require.True(t, w.platform.Pay(n.ID, n.Due()-1))
		}, pagoinrete.DiscrepancyAmount, pagoinrete.NoticePaidOnline, "L'importo pagato è 99,99 €, diverso da quello dovuto: verificare con la banca o con il PSP, poi abbinare il pagamento a mano o archiviare la discrepanza."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := w.notified(t, 1)
			n := w.notices(t, e.ID)[0]
			test.happen(t, w, n)
			found, err := w.VerifyNotice(t.Context(), assistant, n.ID)
			assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
			assert.Contains(t, flussi.Explain(err), test.says)
			assert.Equal(t, test.kind, found.Discrepancy.Kind)
			assert.Equal(t, test.state, found.State)
			assert.Equal(t, n.Number, found.Number, "nothing is overwritten")

			e, report, err := w.VerifyEvent(t.Context(), assistant, e.ID)
			require.NoError(t, err)
			assert.Equal(t, 1, report.Discrepancies)
			assert.Equal(t, 1, e.Counts.Discrepancies)
			page := do2(t, assistant, w.Notices, pagoinrete.NoticeFilter{Discrepancy: true}, pagoinrete.Page{})
			require.Len(t, page.Notices, 1)
			assert.Equal(t, found, page.Notices[0], "the same is not stored again")
			assert.Contains(t, do(t, assistant, w.NoticeActions, n.ID), pagoinrete.NoticeResolveDiscrepancy)

			_, err = w.ResolveNoticeDiscrepancy(t.Context(), principal, n.ID, found.Version, flussi.NewText("Visto."))
			assert.Error(t, err)
			_, err = w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, found.Version-1, flussi.NewText("Chiarito con la famiglia."))
			assert.ErrorIs(t, err, flussi.ErrConflict, "of what was seen")
			must.Get(w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, found.Version, flussi.NewText("Chiarito con la famiglia.")))(t)
			found, err = w.VerifyNotice(t.Context(), assistant, n.ID)
			require.NoError(t, err, "what was looked at is not reported again")
			assert.False(t, found.Discrepancy.Open())
			refused(t, must.Err(w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, found.Version, flussi.NewText("Chiarito."))), pagoinrete.ErrDiscrepancy, "L'avviso non ha discrepanze da archiviare.")
		})
	}
}

func TestDiscrepancyEndsWithItsCause(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticeNotNotified))
	require.ErrorIs(t, must.Err(w.VerifyNotice(t.Context(), assistant, n.ID)), pagoinrete.ErrDiscrepancy)
	require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticeNotified))
	n = do(t, assistant, w.VerifyNotice, n.ID)
	assert.Zero(t, n.Discrepancy)
}

func TestAnEventFollowsWhatIsDoneInPagoInReteItself(t *testing.T) {
	w := newWorld(t)
	e := w.toApprove(t, 1)
	require.True(t, w.platform.SetEventState(e.ID, restgatewaytest.EventNotified))
	e, report, err := w.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	assert.Equal(t, pagoinrete.EventNotified, e.State)
	assert.Equal(t, 2, report.Asked)
	assert.Equal(t, "Secondo Pago In Rete, con il passo intermedio «Approva l'evento di pagamento su Pago in Rete».", last(do(t, assistant, w.EventHistory, e.ID)).Reason.Reveal())

	require.True(t, w.platform.SetEventState(e.ID, restgatewaytest.EventToApprove))
	e, _, err = w.VerifyEvent(t.Context(), assistant, e.ID)
	assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
	assert.Equal(t, "Su Pago In Rete lo stato è «Da approvare», che non può seguire quello registrato: verificare su Pago In Rete, poi eseguire di nuovo «Verifica stato» o archiviare la discrepanza.", flussi.Explain(err))
	assert.Equal(t, pagoinrete.EventNotified, e.State)
	assert.Len(t, do2(t, assistant, w.Events, pagoinrete.EventFilter{Discrepancy: true}, pagoinrete.Page{}).Events, 1)
	e = must.Get(w.ResolveEventDiscrepancy(t.Context(), assistant, e.ID, e.Version, flussi.NewText("Segnalato all'assistenza.")))(t)
	_, _, err = w.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)

	// Submitted there while notices are not transmitted: that cannot be taken over.
	w = newWorld(t)
	e = w.simulated(t, pagoinrete.Fee)
	w.add(t, e.ID, drafts(1)...)
	require.True(t, w.platform.SetEventState(e.ID, restgatewaytest.EventToApprove))
	e, _, err = w.VerifyEvent(t.Context(), assistant, e.ID)
	assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
	assert.Equal(t, pagoinrete.EventSimulated, e.State)

	// Deleted there: its notices are cancelled.
	require.True(t, w.platform.SetEventState(e.ID, restgatewaytest.EventDeleted))
	e, _, err = w.VerifyEvent(t.Context(), assistant, e.ID)
	require.NoError(t, err)
	assert.Equal(t, pagoinrete.EventDeleted, e.State)
	assert.Equal(t, pagoinrete.NoticeCounts{Cancelled: 2}, e.Counts)
	assert.Zero(t, e.Discrepancy)
}

// A notice that is paid there while its event here is not notified yet brings the event along;
// if the event there is not notified either, it is a discrepancy.
func TestNoticeDoesNotOvertakeItsEvent(t *testing.T) {
	w := newWorld(t)
	e := w.toApprove(t, 1)
	all := w.notices(t, e.ID)
	require.True(t, w.platform.SetNoticeState(all[0].ID, restgatewaytest.NoticePaidOnline))
	n, err := w.VerifyNotice(t.Context(), assistant, all[0].ID)
	assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
	assert.Equal(t, pagoinrete.NoticeNotNotified, n.State)
	require.True(t, w.platform.SetEventState(e.ID, restgatewaytest.EventNotified))
	n = do(t, assistant, w.VerifyNotice, all[0].ID)
	assert.Equal(t, pagoinrete.NoticePaidOnline, n.State)
	e = do(t, assistant, w.Event, e.ID)
	assert.Equal(t, pagoinrete.EventNotified, e.State)
}

// What a file showed is in no other place, so a poll that finds something else leaves it, and
// tells of what it found once somebody looked at it.
func TestVerifyNoticeKeepsTheDiscrepancyOfAFile(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	require.True(t, w.platform.Pay(n.ID, n.Due()))
	require.NoError(t, w.tell(t.Context(), system, n, settlement.PaidSettled, "FR-1", "FR-2"))
	other := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	kind := func() pagoinrete.DiscrepancyKind {
		found, err := w.VerifyNotice(t.Context(), assistant, n.ID)
		require.ErrorIs(t, err, pagoinrete.ErrDiscrepancy)
		return found.Discrepancy.Kind
	}
	require.True(t, w.platform.SetNumber(n.ID, other))
	assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, kind())
	require.True(t, w.platform.SetNumber(n.ID, n.Number))
	assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, kind(), "somebody paid twice all the same")
	require.True(t, w.platform.SetProof(n.ID, restgatewaytest.ReceiptProof, restgatewaytest.Proof{Reference: "RT", Amount: 1, Date: day(11, 1)}))
	assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, kind())
	seen := do(t, assistant, w.Notice, n.ID)
	must.Get(w.ResolveNoticeDiscrepancy(t.Context(), assistant, n.ID, seen.Version, flussi.NewText("Restituito.")))(t)
	assert.Equal(t, pagoinrete.DiscrepancyAmount, kind())
}

func TestEveryAmountOfPagoInReteIsChecked(t *testing.T) {
	for _, kind := range []restgatewaytest.ProofKind{restgatewaytest.ReceiptProof, restgatewaytest.Settlement, restgatewaytest.Movement, restgatewaytest.Manual} {
		w := newWorld(t)
		n := w.notifiedNotice(t)
		require.True(t, w.platform.Pay(n.ID, n.Due()))
		require.True(t, w.platform.SetProof(n.ID, kind, restgatewaytest.Proof{Reference: "R", Amount: 1, Date: day(11, 1)}))
		n, err := w.VerifyNotice(t.Context(), assistant, n.ID)
		assert.ErrorIs(t, err, pagoinrete.ErrDiscrepancy, kind)
		assert.Equal(t, flussi.Cents(1), n.Discrepancy.Amount)
		assert.Equal(t, pagoinrete.NoticePaidOnline, n.State)
	}
}

// What was paid by hand is not reconciled yet, and somebody may pay it online all the same.
func TestVerifyOpenAsksForNoticesPaidManually(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	do2(t, assistant, w.PayNoticeManually, n.ID, pagoinrete.Proof{Reference: "B-1", Amount: n.Due(), Date: day(10, 1)})
	require.True(t, w.platform.SetNoticeState(n.ID, restgatewaytest.NoticePaidOnline))
	assert.Equal(t, pagoinrete.VerifyReport{Asked: 2, Discrepancies: 1}, do(t, assistant, w.VerifyOpen, school))
	n = do(t, assistant, w.Notice, n.ID)
	assert.Equal(t, pagoinrete.DiscrepancyPaidTwice, n.Discrepancy.Kind)
}
