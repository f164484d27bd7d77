package settlement_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Valid but unusual files, and files that are made to deceive.

func TestReversalWrittenInAnotherWayTakesTheMoneyBack(t *testing.T) {
	executed := journalXML("G1", transfer{number: "0000007", amount: "90.00", causale: uri(flowID)})
	reversed := journalXML("G2", transfer{number: "7", amount: "-90.00", causale: "STORNO", operation: "STORNATO"})
	slip := strings.Replace(executed, "<numero_documento>0000007</numero_documento>", "<numero_documento>0</numero_documento><numero_bolletta_quietanza>0007</numero_bolletta_quietanza>", 1)
	bySlip := strings.Replace(reversed, "<numero_documento>7</numero_documento>", "<numero_documento>0</numero_documento><numero_bolletta_quietanza>12</numero_bolletta_quietanza><numero_bolletta_quietanza_storno>7</numero_bolletta_quietanza_storno>", 1)
	for name, files := range map[string][2]string{
		"other zeros": {executed, reversed}, "outgoing": {executed, strings.Replace(reversed, "ENTRATA<", "USCITA<", 1)},
		"by its slip": {slip, bySlip}, "no year": {executed, strings.Replace(reversed, "<esercizio>2026</esercizio>", "", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}), files[0])
			require.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
			o.receive(files[1])
			assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
			assert.Equal(t, settlement.MovementReversed, o.movement("7").State)
		})
	}
}

// A transfer of a stranger with a cut causale and the right amount matches until the real one
// comes.
func TestRealTransferOfAFlowTakesItFromACutOne(t *testing.T) {
	o := newOffice(t)
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "90.00", causale: "/PUR/LGPE-RIVERSAMENTO/URI/2026-03"}))
	require.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	o.receive(journalXML("G2", transfer{number: "8", amount: "90.00", causale: uri(flowID) + "/"}))
	assert.Equal(t, settlement.MovementAmbiguous, o.movement("7").State)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.Equal(t, []settlement.Part{{Kind: settlement.PartMatched, Settlement: o.stored(flowID).ID, Amount: 9000}}, o.movement("8").Parts)
}

func TestOneIDOfTwoPSPsIsAmbiguous(t *testing.T) {
	o := newOffice(t)
	file := settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"})
	o.receive(file, journalXML("G1", transfer{number: "7", amount: "90.00", causale: uri(flowID)}))
	o.receive(strings.Replace(file, ">BANKITXX<", ">OTHRITXX<", 1))
	assert.Equal(t, settlement.MovementAmbiguous, o.movement("7").State)
	assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State)
}

func TestCausaleWithTwoFlowsIsAmbiguous(t *testing.T) {
	o := newOffice(t)
	second := "2026-03-01BANKIT-000002"
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}), settlementXML(school, second, 1, line{iuv: otherIUV, iur: "A", amount: "10.00"}),
		journalXML("G1", transfer{number: "7", amount: "100.00", causale: uri(flowID) + "/ " + uri(second) + "/"}))
	m := o.movement("7")
	require.Equal(t, settlement.MovementAmbiguous, m.State)
	must.Get(o.MatchMovement(t.Context(), clerk, m.ID, []settlement.ManualMatch{{Settlement: o.stored(flowID).ID, Amount: 9000}, {Settlement: o.stored(second).ID}}, "due flussi"))(t)
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.Equal(t, settlement.SettlementCovered, o.stored(second).State)
}

// A file with a sum that overflows is refused as a whole.
func TestAmountsThatNoSumCanHoldAreRefused(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	for _, amount := range []flussi.Cents{100_000_000_000, -100_000_000_000, 1 << 62} {
		p := row(r, "A", amount)
		_, err := o.ApplySettlement(t.Context(), clerk, settlement.File{Header: paymentfile.Settlement{ID: flowID, Body: school}, Payments: sequence([]paymentfile.Payment{p})})
		require.ErrorIs(t, err, flussi.ErrInvalid)
	}
	_, err := o.Settlement(t.Context(), clerk, settlement.SettlementID(school, "", flowID))
	assert.ErrorIs(t, err, flussi.ErrNotFound)
}

// Thousands of rows have the same IUV, or none.
func TestManyRowsOfOneReferenceAreEachSomething(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 100)
	rows := make([]paymentfile.Payment, 3000)
	for i := range rows {
		rows[i] = row(r, "A", 100)
		if i%3 == 0 {
			rows[i] = row(paymentfile.Reference{}, "A", 100)
			rows[i].Faults = []*paymentfile.Fault{{Kind: paymentfile.FaultMissing, Blocking: true}}
		}
	}
	s := o.settle(flowID, rows...)
	want := settlement.PaymentCounts{Expected: settlement.Tally{Number: 1, Amount: 100}, Duplicate: settlement.Tally{Number: 1999, Amount: 199900}, Unusable: settlement.Tally{Number: 1000, Amount: 100000}}
	assert.Equal(t, want, s.Counts)
	s = o.settle(flowID, rows[:3]...)
	want = settlement.PaymentCounts{Expected: want.Expected, Duplicate: want.Expected, Unusable: want.Expected, Dropped: settlement.Tally{Number: 2997, Amount: 299700}}
	assert.Equal(t, want, s.Counts)
}

// References whose payments do not fit into one group are classified and told in smaller groups. The
// payments of one reference are not split: too many are refused, and nothing is stored.
func TestPaymentsOfOneReferenceAreLimited(t *testing.T) {
	o := newOffice(t)
	o.LimitGroup(10)
	rows := make([]paymentfile.Payment, 40)
	for i := range rows {
		rows[i] = row(o.iuv(i/4, 100), fmt.Sprint(i%4), 100)
	}
	s := o.settle(flowID, rows...)
	assert.Equal(t, settlement.Tally{Number: 10, Amount: 1000}, s.Counts.Expected)
	assert.Equal(t, settlement.Tally{Number: 30, Amount: 3000}, s.Counts.Duplicate)
	assert.False(t, s.Unreported)
	for i := range 10 {
		assert.Len(t, o.due.told[o.iuv(i, 100)], 4)
	}
	texts := map[string]string{"one": "Più di 100.000 pagamenti hanno lo stesso IUV", "none": "Più di 100.000 righe del flusso non hanno lo IUV"}
	for name, of := range map[string]paymentfile.Reference{"one": o.iuv(50, 100), "none": {}} {
		for i := range rows[:11] {
			rows[i] = row(of, fmt.Sprint(i), 100)
		}
		head := paymentfile.Settlement{ID: flowID + name, Body: school, PSP: paymentfile.Party{Code: "BANKITXX"}, Total: 4000}
		_, err := o.ApplySettlement(t.Context(), clerk, settlement.File{Header: head, Payments: sequence(rows)})
		require.ErrorIs(t, err, settlement.ErrTooManyPayments, name)
		assert.Contains(t, flussi.Explain(err), texts[name])
		_, err = o.Settlement(t.Context(), clerk, settlement.SettlementID(school, "BANKITXX", head.ID))
		require.ErrorIs(t, err, flussi.ErrNotFound, name)
	}
}

func TestSettlementOfNothingHasNoTransfer(t *testing.T) {
	o := newOffice(t)
	o.receive(settlementXML(school, flowID, 1), journalXML("G1", transfer{number: "7", amount: "90.00", causale: uri(flowID)}))
	assert.Equal(t, settlement.SettlementNoTransfer, o.stored(flowID).State)
	o.receive(settlementXML(school, flowID, 2, line{iuv: iuv, iur: "A", amount: "90.00"}))
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
}

// A single payment with a cut reference is not taken for a settlement.
func TestCutSinglePaymentIsNoSettlement(t *testing.T) {
	for _, causale := range []string{"/RFB/0123456789", "/RFB/", "/RFB/ROSSI MARIO/90.00/TXT", "/RFS/RF18 5390"} {
		o := newOffice(t)
		o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}), journalXML("G1", transfer{number: "7", amount: "90.00", causale: causale}))
		assert.Equal(t, settlement.MovementAmbiguous, o.movement("7").State, causale)
		assert.Equal(t, settlement.SettlementOpen, o.stored(flowID).State, causale)
		assert.Len(t, o.due.told, 1, causale)
	}
}

func TestRevocationInTheFileOfItsPaymentTakesItBack(t *testing.T) {
	paid := line{iuv: iuv, iur: "A", index: "1", amount: "90.00"}
	revoked := paid
	revoked.outcome = "3"
	for _, lines := range [][]line{{paid, revoked}, {revoked, paid}} {
		o := newOffice(t)
		r := o.expects(iuv, 9000)
		o.receive(settlementXML(school, flowID, 1, lines...))
		assert.Equal(t, settlement.Tally{Number: 2}, o.stored(flowID).Counts.Revoked)
		assert.Equal(t, []settlement.PaidStatus{settlement.PaidRevoked, settlement.PaidRevoked}, o.told(r))
		o.receive(settlementXML(school, flowID, 2, paid))
		assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
	}
}

// A row without an IUV that was matched by hand depends on the reference of another row.
func TestRowWithoutIUVMatchedByHandSurvivesRevisions(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	bad := row(paymentfile.Reference{}, "A", 5000)
	bad.Faults = []*paymentfile.Fault{{Kind: paymentfile.FaultMissing, Blocking: true, Row: 1}}
	o.settle(flowID, bad)
	p := must.Get(o.MatchPayment(t.Context(), clerk, o.payments(flowID)[0].ID, r, "manca lo IUV"))(t)
	assert.Equal(t, settlement.PaymentUnusable, p.State)
	o.iuv(1, 6000) // both payments depend on it
	o.settle(flowID, bad, row(r, "B", 6000))
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentUnusable, "B": settlement.PaymentExpected}, o.states(flowID))
	o.settle(flowID, row(r, "B", 6000))
	assert.Equal(t, map[string]settlement.PaymentState{"A": settlement.PaymentDropped, "B": settlement.PaymentExpected}, o.states(flowID))
	assert.Equal(t, r, must.Get(o.Payment(t.Context(), clerk, p.ID))(t).Target)
}

func TestHistoriesTellFilesFromWhatFollowsFromThem(t *testing.T) {
	o := newOffice(t)
	r := o.iuv(1, 5000)
	o.settle("2026-03-02BANKIT-1", row(r, "B", 5000))
	o.settle("2026-03-01BANKIT-1", row(r, "A", 5000))
	actions := func(id string) (all []settlement.Action) {
		for _, record := range must.Get(o.PaymentHistory(t.Context(), clerk, o.payments(id)[0].ID))(t) {
			all = append(all, record.Action)
		}
		return all
	}
	assert.Equal(t, []settlement.Action{settlement.ActionApply, settlement.ActionMatch}, actions("2026-03-02BANKIT-1"), "it is doubled now")
	assert.Equal(t, []settlement.Action{settlement.ActionApply}, actions("2026-03-01BANKIT-1"))
}

// A movement that names two settlements keeps others from matching them by their amount.
func TestAmbiguousMovementClaimsWhatItNames(t *testing.T) {
	o := newOffice(t)
	second := "2026-03-01BANKIT-000002"
	o.settle(flowID, row(o.iuv(1, 5000), "A", 5000))
	o.settle(second, row(o.iuv(2, 700), "A", 700))
	require.Equal(t, settlement.MovementAmbiguous, o.sospeso("7", uri(flowID)+"/ "+uri(second)+"/", 1).State)
	assert.Equal(t, settlement.MovementAmbiguous, o.sospeso("8", uri("2026-03-01BANKIT-0000"), 5000).State)
}

// A payment is found by its earlier reference until the Due was told of the change.
func TestPaymentTakenBackAndNotYetToldDependsOnItsOwnReference(t *testing.T) {
	o := newOffice(t)
	own, other := o.iuv(1, 5000), o.iuv(2, 5000)
	o.settle(flowID, row(own, "A", 5000))
	id := o.payments(flowID)[0].ID
	must.Get(o.MatchPayment(t.Context(), clerk, id, other, "IUV scritto male"))(t)
	o.due.fail = func() error { return errors.New("table is locked") }
	_, err := o.ReleasePayment(t.Context(), clerk, id, "errore")
	require.ErrorContains(t, err, "table is locked")
	o.due.fail = nil
	require.Equal(t, other, must.Get(o.Payment(t.Context(), clerk, id))(t).PreviousTarget)
	o.settle("2026-03-02BANKIT-1", row(other, "B", 5000))
	assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"])
	assert.Equal(t, settlement.PaymentExpected, o.states("2026-03-02BANKIT-1")["B"])
	assert.Len(t, o.told(own), 1)
	assert.Len(t, o.told(other), 1)
}
