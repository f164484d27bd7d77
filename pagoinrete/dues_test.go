package pagoinrete_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/restgateway/restgatewaytest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	settlementstore "github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

const flowID = "2026-11-05BANKIT-000001"

// The fiscal codes of the school and of a town.
var body, town = organization("80185250588"), organization("15376371009")

func organization(code string) flussi.OrganizationCode {
	parsed, err := flussi.ParseOrganizationCode(code)
	if err != nil {
		panic(err)
	}
	return parsed
}

func schoolOf(_ context.Context, of flussi.OrganizationCode) (string, error) {
	if of == body {
		return school, nil
	}
	return "", nil
}

// treasury is a school with a service that applies its settlements and journals.
type treasury struct {
	*world
	files    *settlement.Service
	dues     *pagoinrete.Dues
	t        testing.TB
	revision int
}

func newTreasury(t testing.TB) *treasury {
	w := newWorld(t)
	dues := must.Get(pagoinrete.NewDues(w.Service, pagoinrete.DuesConfig{By: system, School: schoolOf}))(t)
	permissions := settlement.Permissions{assistant.ID: {body, town}}
	return &treasury{w, must.Get(settlement.NewService(settlementstore.New(), permissions, dues))(t), dues, t, 0}
}

func all[T any](items ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// paymentDay is the day of November on which payments are made.
func paymentDay(d int) paymentfile.Day {
	return paymentfile.Day{Year: 2026, Month: time.November, Day: d}
}

// rowOf is the row of a settlement that pays what is due with a notice.
func rowOf(n pagoinrete.Notice, iur string) paymentfile.Payment {
	return paymentfile.Payment{
		Number: 1, Reference: paymentfile.NewReference(n.IUV().Reveal()), IUR: iur, Index: 1,
		Amount: n.Due(), SignedAmount: n.Due(), Date: paymentDay(3),
	}
}

// revoking returns the row that revokes another one.
func revoking(row paymentfile.Payment) paymentfile.Payment {
	row.Outcome, row.SignedAmount = paymentfile.OutcomeRevoked, -row.Amount
	return row
}

// apply applies the next revision of a settlement.
func (y *treasury) apply(id string, rows ...paymentfile.Payment) settlement.Settlement {
	y.t.Helper()
	y.revision++
	head := paymentfile.Settlement{ID: id, Body: body, PSP: paymentfile.Party{Code: "BANKITXX"}, Revision: y.revision, Date: paymentDay(5)}
	for i := range rows {
		rows[i].Number = i + 1
		head.Total += rows[i].Net()
	}
	return must.Get(y.files.ApplySettlement(y.t.Context(), assistant, settlement.File{Header: head, Payments: all(rows...)}))(y.t).Settlement
}

// sospeso applies a journal with a movement.
func (y *treasury) sospeso(number, causale string, amount flussi.Cents, operation paymentfile.Operation) {
	y.t.Helper()
	must.Get(y.files.ApplyJournal(y.t.Context(), assistant, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: body, Year: 2026}, all(paymentfile.Movement{
		Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: operation,
		DocumentNumber: number, Amount: amount, Date: paymentDay(6), Causale: flussi.NewText(causale),
	})))(y.t)
}

// receive applies a journal by which the treasury received a settlement.
func (y *treasury) receive(number, id string, amount flussi.Cents) {
	y.t.Helper()
	y.sospeso(number, "/PUR/LGPE-RIVERSAMENTO/URI/"+id, amount, paymentfile.OperationExecuted)
}

// now returns a notice as it is stored now.
func (y *treasury) now(n pagoinrete.Notice) pagoinrete.Notice {
	y.t.Helper()
	return do(y.t, assistant, y.Notice, n.ID)
}

// is checks the state of a notice, and its open discrepancy.
func (y *treasury) is(n pagoinrete.Notice, state pagoinrete.NoticeState, kind pagoinrete.DiscrepancyKind) pagoinrete.Notice {
	y.t.Helper()
	n = y.now(n)
	assert.Equal(y.t, state, n.State)
	open := n.Discrepancy.Kind
	if n.Discrepancy.Resolved {
		open = ""
	}
	assert.Equal(y.t, kind, open)
	return n
}

// payment returns the only payment of a settlement.
func (y *treasury) payment(id string) settlement.Payment {
	y.t.Helper()
	filter := settlement.PaymentFilter{Settlement: settlement.SettlementID(body, "BANKITXX", id)}
	found := must.Get(y.files.Payments(y.t.Context(), assistant, filter, settlement.Page{}))(y.t).Payments
	require.Len(y.t, found, 1)
	return found[0]
}

func (y *treasury) resolve(n pagoinrete.Notice) {
	y.t.Helper()
	n = y.now(n)
	must.Get(y.ResolveNoticeDiscrepancy(y.t.Context(), assistant, n.ID, n.Version, flussi.NewText("Verificato.")))(y.t)
}

func TestJournalBeforeSettlementReconcilesNotice(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.receive("7", flowID, n.Due())
	y.is(n, pagoinrete.NoticeNotified, "")
	y.apply(flowID, rowOf(n, "A"))
	n = y.is(n, pagoinrete.NoticeReconciled, "")
	assert.Equal(t, pagoinrete.NoticeNotified, n.BaseState)
	assert.Equal(t, pagoinrete.Evidence{
		Settlement: pagoinrete.Proof{Reference: flowID, Amount: n.Due(), Date: paymentDay(3).Time(), ID: y.payment(flowID).ID, IUR: "A", Index: 1},
		Movement:   pagoinrete.Proof{Reference: "7", Amount: n.Due(), Date: paymentDay(6).Time(), ID: settlement.MovementID(body, "01234", 2026, "1", "7")},
	}, n.Evidence)
	record := last(do(t, assistant, y.NoticeHistory, n.ID))
	assert.Equal(t, pagoinrete.NoticeReconcile, record.Action)
	assert.Equal(t, system.ID, record.By)
	assert.Equal(t, "Flusso "+flowID+", sospeso 7, con i passi intermedi «RPT inviata» e «RT ricevuta».", record.Reason.Reveal())
}

func TestFileAppliedTwiceChangesNoNotice(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"), rowOf(n, "B"))
	y.receive("7", flowID, 2*n.Due())
	n = y.now(n)
	y.apply(flowID, rowOf(n, "A"), rowOf(n, "B"))
	y.receive("7", flowID, 2*n.Due())
	require.NoError(t, y.files.Review(t.Context(), assistant, body, rowOf(n, "").Reference))
	assert.Equal(t, n, y.now(n))
}

func TestPartlyCoveredSettlementConfirmsOnly(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	y.receive("7", flowID, n.Due()-1)
	y.is(n, pagoinrete.NoticeConfirmed, "")
	y.receive("8", flowID, 1)
	n = y.is(n, pagoinrete.NoticeReconciled, "")
	assert.Equal(t, "7, 8", n.Evidence.Movement.Reference)
	y.sospeso("8", "STORNO", 1, paymentfile.OperationReversed)
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Zero(t, n.Evidence.Movement)
	assert.Equal(t, pagoinrete.NoticeUnreconcile, last(do(t, assistant, y.NoticeHistory, n.ID)).Action)
}

// If a revision drops a payment, the notice returns to the state that Pago In Rete reported before
// or since.
func TestDroppedPaymentReturnsNoticeToItsBaseState(t *testing.T) {
	for name, test := range map[string]struct {
		before, since func(*treasury, pagoinrete.Notice)
		base          pagoinrete.NoticeState
		action        pagoinrete.NoticeAction
	}{
		"nothing else showed it": {base: pagoinrete.NoticeNotified, action: pagoinrete.NoticeUnpay},
		"its request was sent": {
			before: func(y *treasury, n pagoinrete.Notice) { y.platform.StartPayment(n.ID) },
			base:   pagoinrete.NoticeAwaitingReceipt, action: pagoinrete.NoticeRequest,
		},
		"its receipt came before": {
			before: func(y *treasury, n pagoinrete.Notice) { y.platform.Pay(n.ID, n.Due()) },
			base:   pagoinrete.NoticePaidOnline, action: pagoinrete.NoticeUnconfirm,
		},
		"its receipt came after": {
			since: func(y *treasury, n pagoinrete.Notice) { y.platform.Pay(n.ID, n.Due()) },
			base:  pagoinrete.NoticePaidOnline, action: pagoinrete.NoticeUnconfirm,
		},
	} {
		for _, inTreasury := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", in the treasury: ", inTreasury), func(t *testing.T) {
				y := newTreasury(t)
				n := y.notifiedNotice(t)
				if test.before != nil {
					test.before(y, n)
				}
				n = do(t, assistant, y.VerifyNotice, n.ID)
				y.apply(flowID, rowOf(n, "A"))
				state := pagoinrete.NoticeConfirmed
				if inTreasury {
					y.receive("7", flowID, n.Due())
					state = pagoinrete.NoticeReconciled
				}
				if test.since != nil {
					test.since(y, n)
				}
				do(t, assistant, y.VerifyNotice, n.ID)
				y.is(n, state, "")
				y.apply(flowID)
				after := y.is(n, test.base, "")
				assert.Empty(t, after.BaseState)
				assert.Zero(t, after.Evidence.Settlement)
				assert.Zero(t, after.Evidence.Movement)
				record := last(do(t, assistant, y.NoticeHistory, n.ID))
				assert.Equal(t, test.action, record.Action)
				assert.Contains(t, record.Reason.Reveal(), "Nessun file riporta più il pagamento")
			})
		}
	}
}

// The movements of a settlement may change between two reads of a store; then they are told again.
func TestTreasuryWithoutMovementConfirmsOnly(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	p := settlement.Paid{Status: settlement.PaidConfirmed, State: settlement.PaymentExpected, Payment: uuid.New(), Settlement: flowID, Amount: n.Due(), Date: day(11, 3)}
	require.NoError(t, y.dues.Update(t.Context(), body, []settlement.ReferenceState{{Reference: rowOf(n, "").Reference, Payments: []settlement.Paid{p}}}))
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Zero(t, n.Evidence.Movement)
}

func TestNoticeOfPayerNobodyKnewReturnsToNotNotified(t *testing.T) {
	y := newTreasury(t)
	e := y.toApprove(t, 1)
	do(t, principal, y.ApproveEvent, e.ID)
	do(t, director, y.NotifyEvent, e.ID)
	n := y.notices(t, e.ID)[0]
	require.Equal(t, pagoinrete.NoticeNotNotified, n.State)
	y.apply(flowID, rowOf(n, "A"))
	y.is(n, pagoinrete.NoticeConfirmed, "")
	y.apply(flowID)
	y.is(n, pagoinrete.NoticeNotNotified, "")
}

func TestRevisionWithOtherAmountIsADiscrepancy(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	other := rowOf(n, "A")
	other.Amount--
	y.apply(flowID, other)
	n = y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount)
	assert.Equal(t, other.Amount, n.Discrepancy.Amount)
	assert.Equal(t, flowID+" A", n.Discrepancy.Source)
	y.apply(flowID, rowOf(n, "A"))
	y.is(n, pagoinrete.NoticeConfirmed, "")
}

func TestPaymentOfOtherAmountIsMatchedByHandAndTakenBack(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	row := rowOf(n, "A") // a stand-in receipt without request may have another amount
	row.Amount, row.Outcome = row.Amount+100, paymentfile.OutcomeStandInNoRequest
	y.apply(flowID, row)
	y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount)
	p := must.Get(y.files.MatchPayment(t.Context(), assistant, y.payment(flowID).ID, row.Reference, "Pagata la mora."))(t)
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Equal(t, assistant.ID, n.Evidence.Settlement.By)
	assert.Equal(t, row.Amount, n.Evidence.Settlement.Amount)
	must.Get(y.files.ReleasePayment(t.Context(), assistant, p.ID, "Errore."))(t)
	y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount)
}

func TestPaymentOfWrongIUVIsMatchedByHandAndTakenBack(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	row := rowOf(n, "A")
	row.Reference = paymentfile.NewReference("12345678901234567")
	y.apply(flowID, row)
	require.Equal(t, settlement.PaymentUnknown, y.payment(flowID).State)
	p := must.Get(y.files.MatchPayment(t.Context(), assistant, y.payment(flowID).ID, rowOf(n, "").Reference, "IUV scritto male."))(t)
	y.is(n, pagoinrete.NoticeConfirmed, "")
	must.Get(y.files.ReleasePayment(t.Context(), assistant, p.ID, "Errore."))(t)
	y.is(n, pagoinrete.NoticeNotified, "")
}

func TestStandInOutcomesConfirmNotices(t *testing.T) {
	y := newTreasury(t)
	all := y.notices(t, y.notified(t, 2).ID)
	for i, outcome := range []paymentfile.Outcome{paymentfile.OutcomeStandIn, paymentfile.OutcomeStandInNoRequest, paymentfile.OutcomeNoRequest} {
		row := rowOf(all[i], "A")
		row.Outcome = outcome
		y.apply(fmt.Sprint(i, "-", flowID), row)
		y.is(all[i], pagoinrete.NoticeConfirmed, "")
	}
}

func TestRevokedPaymentIsUndoneAndADiscrepancy(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	y.receive("7", flowID, n.Due())
	y.apply("R-"+flowID, revoking(rowOf(n, "A")))
	n = y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyReversed)
	assert.Equal(t, n.Due(), n.Discrepancy.Amount)
	assert.Zero(t, n.Evidence)
	y.resolve(n)
	y.apply("R-"+flowID, revoking(rowOf(n, "A")))
	y.is(n, pagoinrete.NoticeNotified, "") // the same fact stays resolved
	y.apply("2-"+flowID, rowOf(n, "B"))    // paid again
	y.is(n, pagoinrete.NoticeConfirmed, "")
	y.apply("3-"+flowID, revoking(rowOf(n, "C"))) // nobody knows of this one
	y.is(n, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyReversed)
	y.apply("R-" + flowID)
	y.apply("3-" + flowID)
	y.is(n, pagoinrete.NoticeReconciled, pagoinrete.DiscrepancyPaidTwice)
}

func TestPaymentInPlaceOfRevokedOneIsNoDiscrepancy(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"), rowOf(n, "B"), revoking(rowOf(n, "A")))
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Equal(t, "B", n.Evidence.Settlement.IUR)
}

func TestStateThatPagoInReteReportsIsNotUndone(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	require.True(t, y.platform.Pay(n.ID, n.Due()))
	require.True(t, y.platform.Reconcile(n.ID, n.Due()))
	n = do(t, assistant, y.VerifyNotice, n.ID)
	require.Equal(t, pagoinrete.NoticeReconciled, n.State)
	y.apply(flowID)
	after := y.is(n, pagoinrete.NoticeReconciled, "")
	assert.Equal(t, n.Evidence.Movement, after.Evidence.Movement)
	assert.Zero(t, after.Evidence.Settlement)
}

func TestRevokedPaymentWithReceiptReturnsToPaidOnline(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.platform.Pay(n.ID, n.Due())
	do(t, assistant, y.VerifyNotice, n.ID)
	y.apply(flowID, rowOf(n, "A"), revoking(rowOf(n, "A")))
	y.is(n, pagoinrete.NoticePaidOnline, pagoinrete.DiscrepancyReversed)
}

// What a poll found, such as a payment by hand in Pago In Rete, lasts as long as polls find it. What
// files say stays.
func TestPollTakesBackWhatAPollFound(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	proof := pagoinrete.Proof{Reference: "Bollettino 7", Amount: n.Due(), Date: day(10, 1)}
	must.Get(y.gateway.MoveNotice(t.Context(), assistant, n.ID, pagoinrete.NoticePayManually, proof))(t)
	verify := func() {
		t.Helper()
		_, _, err := y.VerifyEvent(t.Context(), assistant, n.EventID)
		require.NoError(t, err)
	}
	verify()
	y.is(n, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice)
	y.apply(flowID) // by mistake it was another notice's
	verify()
	y.is(n, pagoinrete.NoticePaidManually, "")
	y.apply(flowID, rowOf(n, "A"))
	y.is(n, pagoinrete.NoticePaidManually, pagoinrete.DiscrepancyPaidTwice)
	verify()
	y.is(n, pagoinrete.NoticePaidManually, pagoinrete.DiscrepancyPaidTwice)
	y.resolve(n)
	verify()
	y.apply(flowID, rowOf(n, "A"))
	y.is(n, pagoinrete.NoticePaidManually, "")
}

func TestEachFurtherPaymentIsNews(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"))
	y.apply("B-"+flowID, rowOf(n, "B"))
	n = y.is(n, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice)
	assert.Equal(t, n.Due(), n.Discrepancy.Amount)
	assert.Equal(t, flowID, n.Evidence.Settlement.Reference)
	y.resolve(n)
	require.NoError(t, y.files.Review(t.Context(), assistant, body, rowOf(n, "").Reference))
	y.is(n, pagoinrete.NoticeConfirmed, "")
	y.apply("B-"+flowID, rowOf(n, "C")) // of the same amount
	y.is(n, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice)
	y.apply("B-" + flowID)
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Equal(t, "La discrepanza non risulta più.", last(do(t, assistant, y.NoticeHistory, n.ID)).Reason.Reveal())
}

func TestTransfersAreComparedOneByOne(t *testing.T) {
	y := newTreasury(t)
	y.platform.LogIn(payer(0))
	e := y.simulated(t, pagoinrete.Fee)
	draft := drafts(1)[0]
	draft.Instalment, draft.Transfers = 1, pagoinrete.Transfers{{Amount: 5_000}, {Beneficiary: town, Amount: 2_000}, {Beneficiary: body, Amount: 3_000}}
	y.add(t, e.ID, draft)
	do(t, assistant, y.TransmitNotices, e.ID)
	do(t, assistant, y.SubmitEvent, e.ID)
	do(t, principal, y.ApproveEvent, e.ID)
	do(t, director, y.NotifyEvent, e.ID)
	n := y.notices(t, e.ID)[0]
	first, second, third := rowOf(n, "A"), rowOf(n, "A"), rowOf(n, "A")
	first.Amount, third.Amount, third.Index = 5_000, 3_000, 3
	second.Amount, second.Index = 2_000, 2
	y.apply(flowID, first)
	y.is(n, pagoinrete.NoticeNotified, "") // the other transfer of the school may be in another settlement
	y.apply("3-"+flowID, third)
	n = y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.EqualValues(t, 8_000, n.Evidence.Settlement.Amount)
	assert.Equal(t, flowID+", "+"3-"+flowID, n.Evidence.Settlement.Reference)
	third.Index = 0 // a file need not say which transfer it is
	y.apply("3-"+flowID, third)
	y.is(n, pagoinrete.NoticeConfirmed, "")
	y.apply(flowID, first, second) // which is the town's
	y.is(n, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyAmount)
	first.Amount--
	y.apply(flowID, first)
	y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount)
}

// Pago In Rete may report the whole amount that was paid, or only the transfers to the school.
func TestPollTakesTransfersForWhatIsDue(t *testing.T) {
	for amount, kind := range map[flussi.Cents]pagoinrete.DiscrepancyKind{
		10_000: "", 5_000: "", 8_000: "", 3_000: "", 4_000: pagoinrete.DiscrepancyAmount, 10_001: pagoinrete.DiscrepancyAmount,
	} {
		w := newWorld(t)
		w.platform.LogIn(payer(0))
		e := w.simulated(t, pagoinrete.Fee)
		draft := drafts(1)[0]
		draft.Instalment, draft.Transfers = 1, pagoinrete.Transfers{{Amount: 5_000}, {Beneficiary: town, Amount: 2_000}, {Beneficiary: body, Amount: 3_000}}
		w.add(t, e.ID, draft)
		do(t, assistant, w.TransmitNotices, e.ID)
		do(t, assistant, w.SubmitEvent, e.ID)
		do(t, principal, w.ApproveEvent, e.ID)
		do(t, director, w.NotifyEvent, e.ID)
		n := w.notices(t, e.ID)[0]
		require.True(t, w.platform.Pay(n.ID, amount))
		n, err := w.VerifyNotice(t.Context(), assistant, n.ID)
		assert.Equal(t, kind != "", errors.Is(err, pagoinrete.ErrDiscrepancy), "%d", amount)
		assert.Equal(t, kind, n.Discrepancy.Kind, "%d", amount)
		assert.Equal(t, pagoinrete.NoticePaidOnline, n.State)
	}
}

// A PSP may pay what it collected once in several transfers to one body, by what they are for. What
// it collected twice has two IURs, whatever the indexes are.
func TestRowsOfOneCollectionArePaidOnce(t *testing.T) {
	const expected, differs, doubled = settlement.PaymentExpected, settlement.PaymentAmountDiffers, settlement.PaymentDuplicate
	type row struct {
		iur    string
		index  int
		amount flussi.Cents
	}
	for name, test := range map[string]struct {
		rows   []row
		states []settlement.PaymentState
		state  pagoinrete.NoticeState
		kind   pagoinrete.DiscrepancyKind
		amount flussi.Cents // of the discrepancy
	}{
		"two transfers":                   {[]row{{"A", 1, 6_000}, {"A", 2, 4_000}}, []settlement.PaymentState{expected, expected}, pagoinrete.NoticeConfirmed, "", 0},
		"three, of which one is left out": {[]row{{"A", 1, 6_000}, {"A", 3, 3_000}}, []settlement.PaymentState{differs, differs}, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount, 9_000},
		"more than is due":                {[]row{{"A", 1, 10_000}, {"A", 2, 500}}, []settlement.PaymentState{differs, differs}, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount, 10_500},
		"the transfer of one":             {[]row{{"A", 2, 10_000}}, []settlement.PaymentState{expected}, pagoinrete.NoticeConfirmed, "", 0},
		"another collection":              {[]row{{"A", 1, 10_000}, {"B", 2, 10_000}}, []settlement.PaymentState{expected, doubled}, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice, 10_000},
		"another of two transfers": {[]row{{"A", 0, 6_000}, {"A", 2, 4_000}, {"B", 1, 6_000}, {"B", 3, 4_000}},
			[]settlement.PaymentState{expected, expected, doubled, doubled}, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice, 10_000},
		"a transfer twice": {[]row{{"A", 1, 6_000}, {"A", 2, 4_000}, {"A", 2, 4_000}}, []settlement.PaymentState{expected, expected, doubled}, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice, 4_000},
		"no IUR":           {[]row{{"", 1, 10_000}, {"", 2, 10_000}}, []settlement.PaymentState{expected, doubled}, pagoinrete.NoticeConfirmed, pagoinrete.DiscrepancyPaidTwice, 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			y := newTreasury(t)
			n := y.notices(t, y.notified(t, 1).ID)[0]
			var rows []paymentfile.Payment
			for _, r := range test.rows {
				of := rowOf(n, r.iur)
				of.Index, of.Amount = r.index, r.amount
				rows = append(rows, of)
			}
			y.apply(flowID, rows...)
			filter := settlement.PaymentFilter{Settlement: settlement.SettlementID(body, "BANKITXX", flowID)}
			var states []settlement.PaymentState
			for _, p := range must.Get(y.files.Payments(t.Context(), assistant, filter, settlement.Page{}))(t).Payments {
				states = append(states, p.State)
				if p.State == expected {
					assert.Equal(t, p.Amount, p.Expected)
				}
			}
			assert.ElementsMatch(t, test.states, states)
			assert.Equal(t, test.amount, y.is(n, test.state, test.kind).Discrepancy.Amount)
			first := rows[0]
			y.apply("2-"+flowID, revoking(first)) // a part is not all of it
			if len(test.rows) > 1 && test.rows[0].amount < 10_000 {
				assert.NotEqual(t, pagoinrete.NoticeConfirmed, y.now(n).State)
			}
			y.apply("2-" + flowID)
			y.is(n, test.state, test.kind)
		})
	}
}

func TestTransfersAddUpToWhatIsDue(t *testing.T) {
	data := pagoinrete.NoticeData{Debtor: flussi.TestRecipient(), DebtorKind: pagoinrete.DebtorPupil, Amount: 1_000, Discount: 100, DueDate: day(10, 1)}
	for name, test := range map[string]struct {
		transfers pagoinrete.Transfers
		err       error
		says      string
	}{
		"none":           {},
		"one":            {transfers: pagoinrete.Transfers{{Amount: 900}}},
		"two":            {transfers: pagoinrete.Transfers{{Amount: 600}, {Beneficiary: town, Amount: 300}}},
		"too little":     {pagoinrete.Transfers{{Amount: 600}, {Amount: 299}}, pagoinrete.ErrAmount, "La somma dei versamenti è 8,99 €, l'importo dovuto è 9,00 €."},
		"one is missing": {pagoinrete.Transfers{{Amount: 600}, {}, {Amount: 300}}, flussi.ErrRange, "L'importo del versamento 2 non è valido: deve essere da 0,01 € a 99.999.999,99 €."},
		"nothing for a body": {pagoinrete.Transfers{{Amount: 900}, {Beneficiary: town}}, flussi.ErrRange,
			"L'importo del versamento 2 non è valido: deve essere da 0,01 € a 99.999.999,99 €."},
		"negative": {pagoinrete.Transfers{{Amount: 1_000}, {Amount: -100}}, flussi.ErrRange, "L'importo del versamento 2 non è valido: deve essere da 0,01 € a 99.999.999,99 €."},
	} {
		t.Run(name, func(t *testing.T) {
			data := data
			data.Transfers = test.transfers
			err := data.Validate()
			if test.err == nil {
				assert.NoError(t, err)
				return
			}
			refused(t, err, test.err, test.says)
		})
	}
	y := newTreasury(t)
	e := y.simulated(t, pagoinrete.Fee)
	draft := drafts(1)[0]
	draft.Transfers = pagoinrete.Transfers{{Amount: 15_000}}
	report, err := y.AddNotices(t.Context(), assistant, e.ID, pagoinrete.NoticeDraftRows(draft), pagoinrete.AddConfig{})
	assert.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, "Con i versamenti va indicata anche la rata.", flussi.Explain(report.Errors[0].Err))
}

func TestCancelledNoticeIsNeverLeft(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	do2(t, assistant, y.CancelNotice, n.ID, flussi.NewText("Ritirato."))
	y.apply(flowID, rowOf(n, "A"))
	n = y.is(n, pagoinrete.NoticeCancelled, pagoinrete.DiscrepancyPaid)
	assert.Zero(t, n.Evidence)
	y.apply(flowID)
	y.is(n, pagoinrete.NoticeCancelled, "")
}

func TestNoticePaidByHandIsPaidTwiceByFiles(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	proof := pagoinrete.Proof{Reference: "Bollettino 7", Amount: n.Due(), Date: day(10, 1)}
	do2(t, assistant, y.PayNoticeManually, n.ID, proof)
	y.apply(flowID, rowOf(n, "A"))
	y.is(n, pagoinrete.NoticePaidManually, pagoinrete.DiscrepancyPaidTwice)
	do2(t, assistant, y.ReconcileNoticeManually, n.ID, proof)
	y.receive("7", flowID, n.Due())
	n = y.is(n, pagoinrete.NoticeReconciledManually, pagoinrete.DiscrepancyPaidTwice)
	assert.Equal(t, "Bollettino 7", n.Evidence.Movement.Reference)
	do2(t, assistant, y.RefundNotice, n.ID, pagoinrete.Proof{Reference: "Mandato 3", Amount: n.Due(), Date: day(12, 1)})
	y.apply("B-"+flowID, rowOf(n, "B"))
	n = y.is(n, pagoinrete.NoticeRefunded, pagoinrete.DiscrepancyPaidTwice)
	y.apply(flowID)
	y.apply("B-" + flowID)
	y.is(n, pagoinrete.NoticeRefunded, "")
}

func TestRefundedNoticeIsNeverLeft(t *testing.T) {
	order := pagoinrete.Proof{Reference: "Mandato 3", Amount: 10_000, Date: day(12, 1)}
	t.Run("only a settlement showed that it was paid", func(t *testing.T) {
		y := newTreasury(t)
		n := y.notifiedNotice(t)
		y.apply(flowID, rowOf(n, "A"))
		require.True(t, y.platform.SetNoticeState(n.ID, restgatewaytest.NoticePaidOnline)) // which nobody asks for
		do2(t, assistant, y.RefundNotice, n.ID, order)
		y.receive("7", flowID, n.Due())
		n = y.is(n, pagoinrete.NoticeRefunded, "")
		assert.Equal(t, "7", n.Evidence.Movement.Reference)
		y.apply(flowID)
		n = y.is(n, pagoinrete.NoticeRefunded, pagoinrete.DiscrepancyUnpaid)
		assert.Zero(t, n.Evidence.Settlement)
		assert.Equal(t, "L'avviso è rimborsato, ma il suo pagamento non risulta più: verificare con la banca o con il PSP se il rimborso era dovuto, poi archiviare la discrepanza.", n.Discrepancy.Italian())
		y.resolve(n)
		require.NoError(t, y.files.Review(t.Context(), assistant, body, rowOf(n, "").Reference))
		y.is(n, pagoinrete.NoticeRefunded, "")
		y.apply(flowID, rowOf(n, "A"), revoking(rowOf(n, "A")))
		y.is(n, pagoinrete.NoticeRefunded, pagoinrete.DiscrepancyReversed)
		y.apply(flowID, rowOf(n, "A"))
		y.is(n, pagoinrete.NoticeRefunded, "")
	})
	t.Run("its receipt was there", func(t *testing.T) {
		y := newTreasury(t)
		n := y.notifiedNotice(t)
		y.platform.Pay(n.ID, n.Due())
		do(t, assistant, y.VerifyNotice, n.ID)
		do2(t, assistant, y.RefundNotice, n.ID, order)
		y.apply(flowID, rowOf(n, "A"))
		n = y.is(n, pagoinrete.NoticeRefunded, "")
		assert.Equal(t, flowID, n.Evidence.Settlement.Reference)
		y.apply(flowID)
		y.is(n, pagoinrete.NoticeRefunded, "")
		again := rowOf(n, "B")
		again.Date = paymentfile.Day{Year: 2026, Month: time.December, Day: 3}
		y.apply(flowID, again)
		y.is(n, pagoinrete.NoticeRefunded, pagoinrete.DiscrepancyPaid)
	})
}

func TestSingleTransferReconcilesNotice(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	causale := func(amount string) string { return "/RFB/" + n.IUV().Reveal() + "/" + amount + "/TXT/TASSA" }
	y.sospeso("7", causale("100.00"), n.Due(), paymentfile.OperationExecuted)
	n = y.is(n, pagoinrete.NoticeReconciled, "")
	assert.Zero(t, n.Evidence.Settlement)
	assert.Equal(t, "7", n.Evidence.Movement.Reference)
	y.sospeso("7", "", n.Due(), paymentfile.OperationReversed)
	n = y.is(n, pagoinrete.NoticeNotified, "")
	assert.Zero(t, n.Evidence)
	y.sospeso("8", causale("99.00"), 9_900, paymentfile.OperationExecuted)
	n = y.is(n, pagoinrete.NoticeNotified, pagoinrete.DiscrepancyAmount)
	assert.Equal(t, "8", n.Discrepancy.Source)
}

func TestEventIsReadBeforeItsNoticesAreConfirmed(t *testing.T) {
	y := newTreasury(t)
	e := y.toApprove(t, 1)
	e = do(t, principal, y.ApproveEvent, e.ID)
	n := y.notices(t, e.ID)[0]
	y.apply(flowID, rowOf(n, "A"))
	n = y.is(n, pagoinrete.NoticeNotNotified, pagoinrete.DiscrepancyNotPayable)
	assert.Equal(t, "L'avviso risulta pagato, ma il suo evento non è nello stato «Notificato»: eseguire «Verifica stato» dell'evento.", n.Discrepancy.Italian())
	require.True(t, y.platform.SetEventState(e.ID, restgatewaytest.EventNotified))
	require.NoError(t, y.files.Review(t.Context(), assistant, body, rowOf(n, "").Reference))
	y.is(n, pagoinrete.NoticeConfirmed, "")
	assert.Equal(t, pagoinrete.EventNotified, do(t, assistant, y.Event, e.ID).State)
}

// If a verification finds the event Notificato, its notices get the states that files had shown, and
// the discrepancy ends. That needs no further file.
func TestNoticesArePaidOnceTheirEventIsNotified(t *testing.T) {
	for _, inTreasury := range []bool{false, true} {
		y := newTreasury(t)
		e := y.toApprove(t, 2)
		e = do(t, principal, y.ApproveEvent, e.ID)
		all := y.notices(t, e.ID)[:2] // of an event with instalments
		y.apply(flowID, rowOf(all[0], "A"), rowOf(all[1], "B"))
		want := pagoinrete.NoticeConfirmed
		if inTreasury {
			want = pagoinrete.NoticeReconciled
			y.receive("7", flowID, all[0].Due()+all[1].Due())
		}
		for _, n := range all {
			n = y.is(n, pagoinrete.NoticeNotNotified, pagoinrete.DiscrepancyNotPayable)
			assert.Equal(t, flowID, n.Evidence.Settlement.Reference)
		}
		_, _, err := y.VerifyEvent(t.Context(), assistant, e.ID)
		require.NoError(t, err)
		y.is(all[0], pagoinrete.NoticeNotNotified, pagoinrete.DiscrepancyNotPayable)
		do(t, director, y.NotifyEvent, e.ID)
		for _, n := range all {
			n = y.is(n, want, "")
			records := must.Get(y.NoticeHistory(t.Context(), assistant, n.ID))(t)
			assert.Equal(t, pagoinrete.NoticeNotNotified, last(records).From)
			assert.Equal(t, want, last(records).To)
		}
		require.NoError(t, y.dues.Update(t.Context(), body, []settlement.ReferenceState{{Reference: rowOf(all[0], "").Reference}}))
		n := y.is(all[0], pagoinrete.NoticeNotNotified, "")
		assert.Zero(t, n.Evidence.Settlement)
	}
}

func TestWhatCouldNotBeReadIsToldAgain(t *testing.T) {
	y := newTreasury(t)
	e := y.toApprove(t, 1)
	n := y.notices(t, e.ID)[0]
	require.True(t, y.platform.SetEventState(e.ID, restgatewaytest.EventNotified))
	y.platform.Fail(restgatewaytest.GetEvent, restgatewaytest.Fault{Kind: restgatewaytest.BadRequest})
	head := paymentfile.Settlement{ID: flowID, Body: body, PSP: paymentfile.Party{Code: "BANKITXX"}, Total: n.Due()}
	_, err := y.files.ApplySettlement(t.Context(), assistant, settlement.File{Header: head, Payments: all(rowOf(n, "A"))})
	require.ErrorIs(t, err, flussi.ErrRemoteInvalid)
	y.is(n, pagoinrete.NoticeNotNotified, "")
	require.NoError(t, y.files.UpdateDue(t.Context(), assistant, body))
	y.is(n, pagoinrete.NoticeConfirmed, "")
}

// twins are two notices of one event with the same number.
func (w *world) twins(t *testing.T) []pagoinrete.Notice {
	t.Helper()
	all := w.notices(t, w.notified(t, 1).ID)
	all[1].Number = all[0].Number
	require.NoError(t, w.store.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: all[1]}))
	return w.notices(t, all[0].EventID)
}

func TestIUVOfTwoNoticesConfirmsNeither(t *testing.T) {
	y := newTreasury(t)
	twins := y.twins(t)
	y.apply(flowID, rowOf(twins[0], "A"))
	assert.Equal(t, settlement.PaymentUnknown, y.payment(flowID).State)
	for _, n := range twins {
		y.is(n, n.State, pagoinrete.DiscrepancySharedIUV)
	}
	y.apply(flowID)
	for _, n := range twins {
		y.is(n, n.State, "")
	}
}

func TestReferencesOfOthersAreForeignOrUnknown(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	references := map[paymentfile.Reference]settlement.Owner{}
	for text, owner := range map[string]settlement.Owner{
		n.IUV().Reveal(): settlement.OwnerBody, "12345678901234567": settlement.OwnerUnknown, "RF18539007547034": settlement.OwnerForeign,
		"ALTRO-2026-77": settlement.OwnerForeign, "": settlement.OwnerUnknown,
	} {
		references[paymentfile.NewReference(text)] = owner
	}
	var asked []paymentfile.Reference
	for r := range references {
		asked = append(asked, r)
	}
	found := must.Get(y.dues.Expected(t.Context(), body, asked))(t)
	for r, owner := range references {
		assert.Equal(t, owner, found[r].Owner, r.Reveal())
	}
	found = must.Get(y.dues.Expected(t.Context(), town, asked))(t)
	assert.NotEqual(t, settlement.OwnerBody, found[paymentfile.NewReference(n.IUV().Reveal())].Owner, "the town is no school")

	own := must.Get(pagoinrete.NewDues(y.Service, pagoinrete.DuesConfig{By: system, School: schoolOf,
		Foreign: func(r paymentfile.Reference) bool { return r.Class() == paymentfile.ReferenceIUV }}))(t)
	found = must.Get(own.Expected(t.Context(), body, asked))(t)
	assert.Equal(t, settlement.OwnerForeign, found[paymentfile.NewReference("12345678901234567")].Owner)
	assert.Equal(t, settlement.OwnerBody, found[paymentfile.NewReference(n.IUV().Reveal())].Owner)
}

// Pago In Rete may report the state before files have the payment. The proof comes later, and the
// state remains when files take the payment back.
func TestProofMayComeAfterItsState(t *testing.T) {
	for _, there := range []restgatewaytest.NoticeState{restgatewaytest.NoticeConfirmed, restgatewaytest.NoticeReconciled} {
		y := newTreasury(t)
		n := y.notifiedNotice(t)
		require.True(t, y.platform.SetNoticeState(n.ID, there))
		n = do(t, assistant, y.VerifyNotice, n.ID)
		y.apply(flowID, rowOf(n, "A"))
		after := y.is(n, n.State, "")
		assert.Equal(t, flowID, after.Evidence.Settlement.Reference)
		assert.Equal(t, pagoinrete.NoticeConfirm, last(do(t, assistant, y.NoticeHistory, n.ID)).Action)
		y.apply(flowID)
		after = y.is(n, n.State, "")
		assert.Zero(t, after.Evidence.Settlement)
	}
}

// The school records payments outside Pago In Rete by hand.
func TestPaymentOutsidePagoInReteIsReconciledManually(t *testing.T) {
	w := newWorld(t)
	n := w.notifiedNotice(t)
	proof := pagoinrete.Proof{Reference: "Sospeso 14", Amount: n.Due() + 1, Date: day(11, 5)}
	assert.ErrorIs(t, must.Err(w.PayNoticeManually(t.Context(), assistant, n.ID, proof)), pagoinrete.ErrAmount)
	proof.Amount--
	undated := proof
	undated.Date = undated.Date.AddDate(18_000, 0, 0) // 20026, as somebody types it
	assert.Equal(t, "La data della prova di pagamento non è valida: verificare l'anno.", flussi.Explain(must.Err(w.PayNoticeManually(t.Context(), assistant, n.ID, undated))))
	do2(t, assistant, w.PayNoticeManually, n.ID, proof)
	n = do2(t, assistant, w.ReconcileNoticeManually, n.ID, proof)
	assert.Equal(t, "Pagamento riscontrato manualmente", n.State.Label())
	assert.Equal(t, "a.bianchi", n.Evidence.Movement.By)
	there, _ := w.platform.Notice(n.ID)
	assert.EqualValues(t, "PAGATO_MANUALMENTE", there.State)
	order := pagoinrete.Proof{Reference: "Mandato 3", Amount: 1, Date: day(12, 1)}
	assert.ErrorIs(t, must.Err(w.RefundNotice(t.Context(), assistant, n.ID, order)), pagoinrete.ErrAmount)
	order.Amount = n.Due()
	assert.Equal(t, "Rimborsato", do2(t, assistant, w.RefundNotice, n.ID, order).State.Label())
}

func TestDuesAskWhoTheyActFor(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	states := []settlement.ReferenceState{{Reference: rowOf(n, "").Reference, Payments: []settlement.Paid{
		{Status: settlement.PaidSettled, State: settlement.PaymentExpected, Payment: uuid.New(), Settlement: flowID, Amount: n.Due()},
	}}}
	for _, test := range []struct {
		by   flussi.Actor
		err  error
		says string
	}{
		{flussi.Actor{ID: "estraneo", Roles: system.Roles}, flussi.ErrForbidden, "L'utente non è abilitato alla scuola: rivolgersi a chi assegna le abilitazioni."},
		{principal, fsm.ErrRole, "La riconciliazione è riservata ai ruoli «DSGA» e «A.A.»."},
		{flussi.Actor{ID: assistant.ID, Roles: []flussi.Role{flussi.Operator}}, fsm.ErrRole, "La riconciliazione è riservata ai ruoli «DSGA» e «A.A.»."},
	} {
		dues := must.Get(pagoinrete.NewDues(y.Service, pagoinrete.DuesConfig{By: test.by, School: schoolOf}))(t)
		_, err := dues.Expected(t.Context(), body, []paymentfile.Reference{states[0].Reference})
		assert.ErrorIs(t, err, test.err)
		err = dues.Update(t.Context(), body, states)
		assert.ErrorIs(t, err, test.err)
		assert.Equal(t, test.says, flussi.Explain(err))
	}
	assert.Equal(t, n, y.now(n))
	unknown := errors.New("no such school")
	dues := must.Get(pagoinrete.NewDues(y.Service, pagoinrete.DuesConfig{By: system, School: func(context.Context, flussi.OrganizationCode) (string, error) { return "", unknown }}))(t)
	assert.ErrorIs(t, dues.Update(t.Context(), body, states), unknown)
	for _, c := range []pagoinrete.DuesConfig{{}, {By: system}, {School: schoolOf}} {
		assert.ErrorIs(t, must.Err(pagoinrete.NewDues(y.Service, c)), flussi.ErrConfig)
	}
	assert.ErrorIs(t, must.Err(pagoinrete.NewDues(nil, pagoinrete.DuesConfig{By: system, School: schoolOf})), flussi.ErrConfig)
}

func TestDuesShowNoPersonalData(t *testing.T) {
	y := newTreasury(t)
	n := y.notifiedNotice(t)
	y.apply(flowID, rowOf(n, "A"), rowOf(n, "B"))
	y.sospeso("7", "/PUR/LGPE-RIVERSAMENTO/URI/"+flowID+" ROSSI ADA", 2*n.Due(), paymentfile.OperationExecuted)
	n = y.now(n)
	var reasons []string
	for _, record := range do(t, assistant, y.NoticeHistory, n.ID) {
		reasons = append(reasons, record.Reason.Reveal())
	}
	dues := must.Get(pagoinrete.NewDues(y.Service, pagoinrete.DuesConfig{By: principal, School: schoolOf}))(t)
	err := dues.Update(t.Context(), body, []settlement.ReferenceState{{Reference: rowOf(n, "").Reference}})
	require.Error(t, err)
	leaktest.Check(t, []string{n.IUV().Reveal(), n.Debtor.Reveal(), "ROSSI", "Rossi"}, err, flussi.Explain(err), reasons, n.Evidence, n.Discrepancy, n)
}
