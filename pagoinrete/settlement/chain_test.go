package settlement_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

const flowID = "2026-03-01BANKIT-000001"

// office is a school with an empty service.
type office struct {
	*settlement.Service
	t        *testing.T
	due      *table
	store    settlement.Store
	revision int
}

func newOffice(t *testing.T) *office {
	due, store := newTable(), memstore.New()
	s := must.Get(settlement.NewService(store, settlement.Permissions{clerk.ID: {school, town}}, due))(t)
	return &office{s, t, due, store, 0}
}

// iuv returns a reference. The school expects the amount for it; 0: it expects nothing.
func (o *office) iuv(n int, amount flussi.Cents) paymentfile.Reference {
	r := paymentfile.NewReference(fmt.Sprintf("%017d", 31000000000000000+n))
	if amount > 0 {
		o.due.due[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: amount}
	}
	return r
}

func row(r paymentfile.Reference, iur string, amount flussi.Cents) paymentfile.Payment {
	return paymentfile.Payment{Number: 1, Reference: r, IUR: iur, Index: 1, Amount: amount, SignedAmount: amount, Date: day(0)}
}

// settle applies the next revision of a settlement.
func (o *office) settle(id string, rows ...paymentfile.Payment) settlement.Settlement {
	var total flussi.Cents
	for _, p := range rows {
		total += p.Net()
	}
	return o.settleTo(school, id, total, rows...)
}

func (o *office) settleTo(body flussi.OrganizationCode, id string, total flussi.Cents, rows ...paymentfile.Payment) settlement.Settlement {
	o.revision++
	head := paymentfile.Settlement{ID: id, Body: body, PSP: paymentfile.Party{Code: "BANKITXX"}, Revision: o.revision, Total: total, Date: day(2)}
	return must.Get(o.ApplySettlement(o.t.Context(), clerk, settlement.File{Header: head, Payments: sequence(rows)}))(o.t).Settlement
}

// sospeso applies a journal with an executed movement.
func (o *office) sospeso(number, causale string, amount flussi.Cents) settlement.Movement {
	return o.journal(number, causale, amount, paymentfile.OperationExecuted)
}

func (o *office) journal(number, causale string, amount flussi.Cents, operation paymentfile.Operation) settlement.Movement {
	rows := []paymentfile.Movement{{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense, Operation: operation,
		DocumentNumber: number, Amount: amount, Date: day(5), Causale: flussi.NewText(causale)}}
	must.Get(o.ApplyJournal(o.t.Context(), clerk, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: school, Year: 2026}, sequence(rows)))(o.t)
	return o.movement(number)
}

func (o *office) movement(number string) settlement.Movement {
	return must.Get(o.Movement(o.t.Context(), clerk, settlement.MovementID(school, "01234", 2026, "1", number)))(o.t)
}

func (o *office) stored(id string) settlement.Settlement {
	return must.Get(o.Settlement(o.t.Context(), clerk, settlement.SettlementID(school, "BANKITXX", id)))(o.t)
}

// states returns the states of the payments of a settlement, by their IUR.
func (o *office) states(id string) map[string]settlement.PaymentState {
	states := map[string]settlement.PaymentState{}
	for _, p := range o.payments(id) {
		states[p.IUR] = p.State
	}
	return states
}

func (o *office) payments(id string) []settlement.Payment {
	filter := settlement.PaymentFilter{Settlement: settlement.SettlementID(school, "BANKITXX", id)}
	return must.Get(o.Payments(o.t.Context(), clerk, filter, settlement.Page{}))(o.t).Payments
}

// told returns the statuses that the Due was told of a reference.
func (o *office) told(r paymentfile.Reference) []settlement.PaidStatus {
	var all []settlement.PaidStatus
	for _, p := range o.due.told[r] {
		all = append(all, p.Status)
	}
	return all
}

func uri(id string) string { return "/PUR/LGPE-RIVERSAMENTO/URI/" + id }

func TestJournalBeforeSettlementMatchesOnArrival(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	assert.Equal(t, settlement.MovementWaiting, o.sospeso("7", uri(flowID), 5000).State)
	assert.Equal(t, settlement.SettlementCovered, o.settle(flowID, row(r, "A", 5000)).State)
	assert.Equal(t, settlement.MovementMatched, o.movement("7").State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
	assert.Equal(t, []string{"7"}, o.due.told[r][0].Movements)
}

func TestSettlementIsPartlyCoveredUntilMovementsAddUp(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle(flowID, row(r, "A", 5000))
	o.sospeso("7", uri(flowID), 3000)
	assert.Equal(t, settlement.SettlementPartlyCovered, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
	o.sospeso("8", "/PUR/LGPE-RIVERSAMENTO/TXT/1/URI/"+flowID, 2000)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
	o.sospeso("9", uri(flowID), 1)
	assert.Equal(t, settlement.SettlementExceeded, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
}

func TestCutCausaleIsTakenBackWhenRivalSettlementArrives(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	m := o.sospeso("7", uri("2026-03-01BANKIT-0000"), 5000)
	require.Equal(t, settlement.MovementMatched, m.State)
	assert.True(t, m.Parts[0].ByAmount)
	o.settle("2026-03-01BANKIT-000002", row(o.iuv(2, 5000), "A", 5000))
	assert.Equal(t, settlement.MovementAmbiguous, o.movement("7").State)
	assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(o.iuv(1, 0)))
}

func TestCutCausaleIsTakenBackWhenRivalMovementArrives(t *testing.T) {
	for name, causale := range map[string]string{"cut": uri("2026-03-01BANKIT-0"), "whole": uri(flowID)} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
			require.Equal(t, settlement.MovementMatched, o.sospeso("7", uri("2026-03-01BANKIT-0000"), 5000).State)
			o.sospeso("8", causale, 5000)
			assert.Equal(t, settlement.MovementAmbiguous, o.movement("7").State)
		})
	}
}

func TestCutCausaleMatchesNoOtherAmount(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	assert.Equal(t, settlement.MovementWaiting, o.sospeso("7", uri("2026-03-01BANKIT-0000"), 4999).State)
	assert.Equal(t, settlement.MovementWaiting, o.sospeso("8", uri("2026-03-02BANKIT-0000"), 5000).State)
}

func TestOneIDAtTwoBodiesIsTwoSettlements(t *testing.T) {
	o := newOffice(t)
	o.settleTo(town, flowID, 5000, row(o.iuv(1, 5000), "A", 5000))
	assert.Equal(t, settlement.MovementWaiting, o.sospeso("7", uri(flowID), 5000).State)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	other := must.Get(o.Settlement(t.Context(), clerk, settlement.SettlementID(town, "BANKITXX", flowID)))(t)
	assert.Equal(t, settlement.SettlementOpen, other.State)
}

func TestReversedMovementLeavesSettlementOpen(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle(flowID, row(r, "A", 5000))
	o.sospeso("7", uri(flowID), 5000)
	m := o.journal("7", "STORNO", 5000, paymentfile.OperationReversed)
	assert.Equal(t, settlement.MovementReversed, m.State)
	assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
}

func TestRegularisedAndRestoredMoveNoMoney(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	o.sospeso("7", uri(flowID), 5000)
	m := o.journal("7", "", 5000, paymentfile.OperationRegularised)
	assert.EqualValues(t, 5000, m.Amount)
	assert.EqualValues(t, 5000, m.Regularised)
	m = o.journal("7", "", 5000, paymentfile.OperationRestored)
	assert.EqualValues(t, 5000, m.Amount)
	assert.Zero(t, m.Regularised)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
}

func TestRevisionUndoesWhatItDropsAndChanges(t *testing.T) {
	o := newOffice(t)
	r, dropped := o.iuv(1, 5000), o.iuv(2, 700)
	o.settle(flowID, row(r, "A", 5000), row(dropped, "B", 700))
	o.sospeso("7", uri(flowID), 5700)
	require.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(dropped))
	s := o.settle(flowID, row(r, "A", 4000))
	assert.Equal(t, settlement.SettlementExceeded, s.State)
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentAmountDiffers, "B": settlement.PaymentDropped}, o.states(flowID))
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 4000}, s.Counts.Total())
	assert.Empty(t, o.told(dropped))
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
}

func TestSecondPaymentOfReferenceIsDuplicate(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle("2026-03-02BANKIT-1", row(r, "B", 5000))
	o.settle("2026-03-01BANKIT-1", row(r, "A", 5000))
	assert.Equal(t, settlement.PaymentExpected, o.states("2026-03-01BANKIT-1")["A"])
	assert.Equal(t, settlement.PaymentDuplicate, o.states("2026-03-02BANKIT-1")["B"])
}

func TestRevokedRowTakesItsPaymentBack(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle("2026-03-01BANKIT-1", row(r, "A", 5000), row(r, "B", 5000))
	revoked := row(r, "B", 5000)
	revoked.Outcome = paymentfile.OutcomeRevoked
	s := o.settle("2026-03-02BANKIT-1", revoked)
	assert.Equal(t, settlement.SettlementNoTransfer, s.State)
	assert.EqualValues(t, -5000, s.Counts.Revoked.Amount)
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentExpected, "B": settlement.PaymentRevoked}, o.states("2026-03-01BANKIT-1"))
	assert.ElementsMatch(t, []settlement.PaidStatus{settlement.PaidRevoked, settlement.PaidRevoked, settlement.PaidSettled}, o.told(r))
}

func TestStandInOutcomesArePaid(t *testing.T) {
	o := newOffice(t)
	for i, outcome := range []paymentfile.Outcome{paymentfile.OutcomeStandIn, paymentfile.OutcomeStandInNoRequest, paymentfile.OutcomeNoRequest} {
		p := row(o.iuv(i, 5000), "A", 5000)
		p.Outcome = outcome
		id := fmt.Sprint("2026-03-01BANKIT-", i)
		o.settle(id, p)
		assert.Equal(t, settlement.PaymentExpected, o.states(id)["A"])
	}
}

func TestStandInPaymentOfOtherAmountDiffers(t *testing.T) {
	o := newOffice(t)
	p := row(o.iuv(1, 5000), "A", 5100)
	p.Outcome = paymentfile.OutcomeStandInNoRequest
	s := o.settle(flowID, p)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 5100}, s.Counts.AmountDiffers)
}

func TestSinglePaymentIsToldAndUndone(t *testing.T) {
	o := newOffice(t)
	r, other := o.iuv(1, 5000), o.iuv(2, 5000)
	rfb := func(r paymentfile.Reference) string { return "/RFB/" + r.Reveal() + "/50.00/TXT/TASSA" }
	assert.Equal(t, settlement.MovementSinglePayment, o.sospeso("7", rfb(r), 5000).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
	assert.Equal(t, settlement.MovementAmbiguous, o.sospeso("8", rfb(r), 4999).State)
	// Another journal has the same row with another reference, and comes first in the order of
	// entries.
	rows := []paymentfile.Movement{{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingSuspense,
		Operation: paymentfile.OperationExecuted, DocumentNumber: "7", Amount: 5000, Date: day(5), Causale: flussi.NewText(rfb(other))}}
	must.Get(o.ApplyJournal(t.Context(), clerk, paymentfile.Journal{ID: "A", BankABI: "01234", Body: school, Year: 2026}, sequence(rows)))(t)
	assert.Empty(t, o.told(r))
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(other))
	o.journal("7", "", 5000, paymentfile.OperationReversed)
	assert.Empty(t, o.told(other))
}

func TestEntitiesPrintNeitherReferencesNorCausali(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	s := o.settle(flowID, row(r, "A", 5000))
	m := o.sospeso("7", uri(flowID)+" ROSSI MARIO", 5000)
	m = must.Get(o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: s.ID}}, "da ROSSI MARIO"))(t)
	history := must.Get(o.MovementHistory(t.Context(), clerk, m.ID))(t)
	_, err := o.MatchMovement(t.Context(), clerk, m.ID, nil, "ROSSI MARIO")
	for _, text := range []string{fmt.Sprintf("%+v", m), fmt.Sprintf("%+v", o.payments(flowID)), fmt.Sprintf("%+v", o.due.told), fmt.Sprintf("%+v", history), fmt.Sprintf("%+v %s", err, flussi.Explain(err))} {
		assert.NotContains(t, text, "ROSSI")
		assert.NotContains(t, text, r.Reveal())
	}
}

func TestTransferIsComparedByItsIndex(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 3000)
	o.due.due[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 3000, Transfers: map[int]flussi.Cents{1: 2000, 2: 1000}}
	first, second := row(r, "A", 2000), row(r, "A", 1000)
	second.Index = 2
	s := o.settle(flowID, first, second)
	assert.Equal(t, settlement.Tally{Number: 2, Amount: 3000}, s.Counts.Expected)
	second.Amount, second.SignedAmount = 1001, 1001
	s = o.settle(flowID, first, second)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 1001}, s.Counts.AmountDiffers)
}

func TestForeignAndUnknownReferencesAreCountedApart(t *testing.T) {
	o := newOffice(t)
	foreign := paymentfile.NewReference("ALTRO-2026-77")
	o.due.due[foreign] = settlement.Expectation{Owner: settlement.OwnerForeign}
	s := o.settle(flowID, row(foreign, "A", 100), row(o.iuv(9, 0), "B", 20))
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 100}, s.Counts.Foreign)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 20}, s.Counts.Unknown)
}

func TestInconsistentSettlementIsNeverCovered(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	s := o.settleTo(school, flowID, 6000, row(r, "A", 5000))
	assert.Equal(t, settlement.SettlementInconsistent, s.State)
	assert.Equal(t, settlement.MovementMatched, o.sospeso("7", uri(flowID), 6000).State)
	assert.Equal(t, settlement.SettlementInconsistent, o.stored(flowID).State)
	assert.Equal(t, settlement.MovementWaiting, o.sospeso("8", uri("2026-03-01BANKIT-00"), 6000).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
}

func TestMovementIsSplitByHandAndTakenBack(t *testing.T) {
	o := newOffice(t)
	s := o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	m := o.sospeso("7", "CONTRIBUTI", 6000)
	require.Equal(t, settlement.MovementUnrelated, m.State)
	_, err := o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: s.ID, Amount: 6001}}, "come da mail")
	require.ErrorIs(t, err, settlement.ErrAmount)
	_, err = o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: uuid.New()}}, "come da mail")
	require.ErrorIs(t, err, flussi.ErrNotFound)
	_, err = o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: s.ID}}, " ")
	require.ErrorIs(t, err, flussi.ErrInvalid)
	m = must.Get(o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: s.ID, Amount: 5000}, {}}, "come da mail"))(t)
	assert.Equal(t, settlement.MovementSplit, m.State)
	assert.Equal(t, []settlement.Part{{Kind: settlement.PartMatched, Settlement: s.ID, Amount: 5000, By: clerk.ID},
		{Kind: settlement.PartSetAside, Amount: 1000, By: clerk.ID}}, m.Parts)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	_, err = o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{}}, "ancora")
	require.ErrorIs(t, err, settlement.ErrAlreadyDecided)
	m = must.Get(o.ReleaseMovement(t.Context(), clerk, m.ID, "errore"))(t)
	assert.Equal(t, settlement.MovementUnrelated, m.State)
	assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
	history := must.Get(o.MovementHistory(t.Context(), clerk, m.ID))(t)
	assert.Equal(t, settlement.ActionRelease, history[len(history)-1].Action)
	assert.Equal(t, "errore", history[len(history)-1].Reason.Reveal())
}

func TestPaymentIsMatchedByHandAndTakenBack(t *testing.T) {
	o := newOffice(t)
	meant := o.iuv(1, 5000)
	o.settle(flowID, row(o.iuv(2, 0), "A", 5000))
	p := o.payments(flowID)[0]
	p = must.Get(o.MatchPayment(t.Context(), clerk, p.ID, meant, "IUV scritto male"))(t)
	assert.Equal(t, settlement.PaymentExpected, p.State)
	assert.True(t, p.PreviousTarget.IsZero())
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(meant))
	assert.Empty(t, o.told(o.iuv(2, 0)))
	_, err := o.SetPaymentAside(t.Context(), clerk, p.ID, "altro")
	require.ErrorIs(t, err, settlement.ErrAlreadyDecided)
	p = must.Get(o.ReleasePayment(t.Context(), clerk, p.ID, "errore"))(t)
	assert.Equal(t, settlement.PaymentUnknown, p.State)
	assert.Empty(t, o.told(meant))
	p = must.Get(o.SetPaymentAside(t.Context(), clerk, p.ID, "da restituire"))(t)
	assert.Equal(t, settlement.PaymentSetAside, p.State)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 5000}, o.stored(flowID).Counts.SetAside)
	_, err = o.ReleasePayment(t.Context(), clerk, p.ID, "errore")
	require.NoError(t, err)
	_, err = o.ReleasePayment(t.Context(), clerk, p.ID, "errore")
	require.ErrorIs(t, err, settlement.ErrNoDecision)
}

func TestFileAppliedTwiceChangesNothing(t *testing.T) {
	o := newOffice(t)
	head := paymentfile.Settlement{ID: flowID, Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, CreatedAt: time.Now(), Total: 5000}
	file := settlement.File{Header: head, Payments: sequence([]paymentfile.Payment{row(o.iuv(1, 5000), "A", 5000)})}
	first := must.Get(o.ApplySettlement(t.Context(), clerk, file))(t)
	again := must.Get(o.ApplySettlement(t.Context(), clerk, file))(t)
	assert.True(t, again.Unchanged)
	assert.Equal(t, first.Settlement, again.Settlement)
	m := o.sospeso("7", uri(flowID), 5000)
	assert.Equal(t, m, o.sospeso("7", uri(flowID), 5000))
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.due.fail = func() error { return errors.New("table is locked") }
	head := paymentfile.Settlement{ID: flowID, Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, Total: 5000}
	file := settlement.File{Header: head, Payments: sequence([]paymentfile.Payment{row(r, "A", 5000)})}
	_, err := o.ApplySettlement(t.Context(), clerk, file)
	require.ErrorContains(t, err, "table is locked")
	assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"])
	o.due.fail = nil
	require.NoError(t, o.UpdateDue(t.Context(), clerk, school))
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
}

func TestReviewFindsWhatBecameDueLater(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 0)
	o.settle(flowID, row(r, "A", 5000))
	require.Equal(t, settlement.PaymentUnknown, o.states(flowID)["A"])
	o.iuv(1, 5000)
	require.NoError(t, o.Review(t.Context(), clerk, school, r))
	assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"])
}

func TestOtherBodiesAreForbiddenAndNotFound(t *testing.T) {
	o := newOffice(t)
	s := o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	stranger := flussi.Actor{ID: "a.neri", Roles: clerk.Roles}
	_, err := o.Settlement(t.Context(), stranger, s.ID)
	require.ErrorIs(t, err, flussi.ErrNotFound)
	head := paymentfile.Settlement{ID: flowID, Body: school}
	_, err = o.ApplySettlement(t.Context(), stranger, settlement.File{Header: head, Payments: sequence[paymentfile.Payment](nil)})
	require.ErrorIs(t, err, flussi.ErrForbidden)
	_, err = o.ApplyJournal(t.Context(), stranger, paymentfile.Journal{Body: school}, sequence[paymentfile.Movement](nil))
	require.ErrorIs(t, err, flussi.ErrForbidden)
}

// No settlement lists a single payment, so the reference was paid twice.
func TestSinglePaymentOfSettledReferenceIsDuplicate(t *testing.T) {
	journal := journalXML("G1", transfer{number: "7", amount: "90.00", causale: "/RFB/" + iuv + "/90.00/TXT/TASSA"})
	file := settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"})
	empty := settlementXML(school, flowID, 2, line{iuv: otherIUV, iur: "A", amount: "90.00"})
	for _, files := range [][]string{{journal, file}, {file, journal}} {
		o := newOffice(t)
		r := o.expects(iuv, 9000)
		o.receive(files...)
		paid := o.due.told[r]
		require.Len(t, paid, 2)
		assert.Equal(t, settlement.PaymentExpected, paid[0].State)
		assert.Equal(t, settlement.PaidSettled, paid[0].Status, "the treasury does not have the settlement")
		assert.Equal(t, settlement.PaymentDuplicate, paid[1].State)
		assert.Equal(t, settlement.PaidConfirmed, paid[1].Status)
		assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
		o.receive(empty)
		require.Len(t, o.due.told[r], 1)
		assert.Equal(t, settlement.PaymentExpected, o.due.told[r][0].State, "a revision has no payment of it")
		// An operator decides that the single payment belongs to the settlement.
		o.receive(settlementXML(school, flowID, 3, line{iuv: iuv, iur: "A", amount: "90.00"}))
		must.Get(o.MatchMovement(t.Context(), clerk, o.movement("7").ID, []settlement.ManualMatch{{Settlement: o.stored(flowID).ID}}, "stesso TRN"))(t)
		assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
		assert.Equal(t, settlement.PaymentExpected, o.due.told[r][0].State)
	}
}

func TestSinglePaymentsAreComparedWithWhatIsExpected(t *testing.T) {
	o := newOffice(t)
	states := func(r paymentfile.Reference) (all []settlement.PaymentState) {
		for _, p := range o.due.told[r] {
			all = append(all, p.State)
		}
		return all
	}
	single := func(number, reference, amount string) string {
		return journalXML("G"+number, transfer{number: number, amount: amount, causale: "/RFB/" + reference + "/" + amount + "/TXT/TASSA"})
	}
	r, unknown := o.expects(iuv, 9000), paymentfile.NewReference(otherIUV)
	o.receive(single("1", iuv, "80.00"), single("2", iuv, "90.00"), single("3", otherIUV, "5.00"))
	assert.Equal(t, []settlement.PaymentState{settlement.PaymentAmountDiffers, settlement.PaymentDuplicate}, states(r))
	assert.Equal(t, []settlement.PaymentState{settlement.PaymentUnknown}, states(unknown))
	o.due.due[unknown] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 1500, Transfers: map[int]flussi.Cents{1: 1000, 2: 500}}
	require.NoError(t, o.Review(t.Context(), clerk, school, unknown))
	assert.Equal(t, []settlement.PaymentState{settlement.PaymentExpected}, states(unknown))
	o.receive(single("4", otherIUV, "10.00"))
	assert.Equal(t, []settlement.PaymentState{settlement.PaymentExpected, settlement.PaymentExpected}, states(unknown), "two transfers of one payment")
}

func TestTransfersWithoutIndexAreToldApartByAmount(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 3000)
	o.due.due[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 3000, Transfers: map[int]flussi.Cents{1: 1000, 2: 1000, 3: 500}}
	rows := []paymentfile.Payment{row(r, "A", 1000), row(r, "B", 500), row(r, "C", 1000), row(r, "D", 1000)}
	for i := range rows {
		rows[i].Index = 0
	}
	o.settle(flowID, rows...)
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentExpected, "B": settlement.PaymentExpected, "C": settlement.PaymentExpected,
		"D": settlement.PaymentDuplicate}, o.states(flowID))
}

// A settlement with a wrong total is not matched by its total, but may be the one that the causale
// names.
func TestInconsistentSettlementIsARival(t *testing.T) {
	o := newOffice(t)
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	o.settleTo(school, "2026-03-01BANKIT-000002", 5000, row(o.iuv(2, 5000), "A", 4000))
	assert.Equal(t, settlement.MovementAmbiguous, o.sospeso("7", uri("2026-03-01BANKIT-00"), 5000).State)
}

func TestRowAtFaultIsSetAsideAndTakenBack(t *testing.T) {
	o := newOffice(t)
	bad := row(paymentfile.Reference{}, "A", 5000)
	bad.Faults = []*paymentfile.Fault{{Kind: paymentfile.FaultMissing, Blocking: true, Row: 1}}
	o.settle(flowID, bad, row(o.iuv(1, 700), "B", 700))
	require.Equal(t, settlement.PaymentUnusable, o.states(flowID)["A"])
	var id uuid.UUID
	for _, p := range o.payments(flowID) {
		if p.IUR == "A" {
			id = p.ID
		}
	}
	must.Get(o.SetPaymentAside(t.Context(), clerk, id, "chiesto al PSP"))(t)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 5000}, o.stored(flowID).Counts.SetAside)
	o.settle(flowID, bad)
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentSetAside, "B": settlement.PaymentDropped}, o.states(flowID))
	must.Get(o.ReleasePayment(t.Context(), clerk, id, "ancora"))(t)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 5000}, o.stored(flowID).Counts.Unusable)
}
