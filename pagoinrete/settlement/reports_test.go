package settlement_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Cases that schools, towns and their suppliers reported in public about real files. Each test goes
// from the files to what the Due is told.

const (
	iuv      = "31000000000000001"
	otherIUV = "31000000000000002"
)

func TestSeveralTransfersOfOneSettlementAddUp(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 9000)
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "50.00", causale: uri(flowID)}))
	assert.Equal(t, settlement.SettlementPartlyCovered, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(r))
	o.receive(journalXML("G2", transfer{number: "8", amount: "30.00", causale: "/PUR/LGPE-RIVERSAMENTO/TXT/1/URI/" + flowID},
		transfer{number: "9", amount: "10.00", causale: "/PUR/LGPE-RIVERSAMENTO Integrativo 2 pagamenti del 20260301/URI/" + flowID}))
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
	assert.Equal(t, []string{"7", "8", "9"}, o.due.told[r][0].Movements)
}

func TestCausaleWithoutPrefixOrWithCutIDIsMatched(t *testing.T) {
	for name, causale := range map[string]string{
		"a lost prefix": "RIVERSAMENTO/URI/" + flowID + " ALTRO", "a cut identifier": uri(flowID[:len(flowID)-4]),
		"no identifier left": "/PUR/LGPE-RIVERSAMENTO/URI/2",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.expects(iuv, 9000)
			o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}),
				journalXML("G1", transfer{number: "7", amount: "90.00", causale: causale}))
			assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
			o.receive(journalXML("G2", transfer{number: "8", amount: "80.00", causale: uri("2026-03-01BANKIT-0")}))
			assert.Equal(t, settlement.MovementWaiting, o.movement("8").State, "another amount: nothing is guessed")
		})
	}
}

// A causale names the settlement, whose rows have the references and amounts.
func TestPaymentsOfATransferAreFoundByItsCausale(t *testing.T) {
	o := newOffice(t)
	first, second := o.expects(iuv, 9000), o.expects(otherIUV, 100)
	o.receive(journalXML("G1", transfer{number: "7", amount: "91.00", causale: uri(flowID)}),
		settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}, line{iuv: otherIUV, iur: "B", amount: "1.00"}))
	id := o.movement("7").Parts[0].Settlement
	paid := map[paymentfile.Reference]flussi.Cents{}
	for _, p := range must.Get(o.Payments(t.Context(), clerk, settlement.PaymentFilter{Settlement: id}, settlement.Page{}))(t).Payments {
		paid[p.Reference] = p.Amount
	}
	assert.Equal(t, map[paymentfile.Reference]flussi.Cents{first: 9000, second: 100}, paid)
	assert.Equal(t, []string{"7"}, o.due.told[second][0].Movements)
}

func TestEqualIDsAtTwoBodiesAreTwoSettlements(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 9000)
	o.receive(settlementXML(town, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "90.00", causale: uri(flowID)}))
	assert.Equal(t, settlement.MovementWaiting, o.movement("7").State, "the journal is the school's")
	assert.Empty(t, o.told(r))
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}))
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	other := must.Get(o.Settlement(t.Context(), clerk, settlement.SettlementID(town, "BANKITXX", flowID)))(t)
	assert.Equal(t, settlement.SettlementOpen, other.State)
}

func TestCausaleWithProgressNamesItsSettlement(t *testing.T) {
	o := newOffice(t)
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "90.00", causale: "/PUR/LGPE-RIVERSAMENTO/TXT/0/URI/" + flowID}))
	assert.Equal(t, settlement.SettlementCovered, o.stored(flowID).State)
	assert.False(t, o.movement("7").Parts[0].ByAmount)
}

func TestRevisionAfterReconciliationUndoesWhatItDrops(t *testing.T) {
	o := newOffice(t)
	kept, dropped := o.expects(iuv, 9000), o.expects(otherIUV, 100)
	first := settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}, line{iuv: otherIUV, iur: "B", amount: "1.00"})
	second := settlementXML(school, flowID, 2, line{iuv: iuv, iur: "A", amount: "90.00"})
	o.receive(first, journalXML("G1", transfer{number: "7", amount: "91.00", causale: uri(flowID)}))
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(dropped))
	o.receive(second)
	assert.Equal(t, settlement.SettlementExceeded, o.stored(flowID).State)
	assert.Empty(t, o.told(dropped))
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidSettled}, o.told(kept))
	o.receive(first) // again, too late
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 9000}, o.stored(flowID).Counts.Total())
}

func TestJournalBeforeItsSettlementIsMatchedLater(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 9000)
	journal := journalXML("G1", transfer{number: "7", amount: "90.00", causale: uri(flowID)})
	o.receive(journal, journal)
	assert.Equal(t, settlement.MovementWaiting, o.movement("7").State)
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00"}))
	assert.Equal(t, settlement.MovementMatched, o.movement("7").State)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
}

func TestUnknownIUVStopsNothingAndIsNotExpected(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 9000)
	o.receive(settlementXML(school, flowID, 1, line{iuv: otherIUV, iur: "A", amount: "1.00"}, line{iuv: iuv, iur: "B", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "91.00", causale: uri(flowID)}))
	counts := o.stored(flowID).Counts
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 9000}, counts.Expected)
	assert.Equal(t, settlement.Tally{Number: 1, Amount: 100}, counts.Unknown)
	assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r))
	assert.Equal(t, settlement.PaymentUnknown, o.due.told[paymentfile.NewReference(otherIUV)][0].State)
}

func TestOutcomesFourEightAndNineArePaid(t *testing.T) {
	for _, outcome := range []string{"4", "8", "9"} {
		o := newOffice(t)
		r := o.expects(iuv, 9000)
		o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00", outcome: outcome}),
			journalXML("G1", transfer{number: "7", amount: "90.00", causale: uri(flowID)}))
		assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"], outcome)
		assert.Equal(t, []settlement.PaidStatus{settlement.PaidConfirmed}, o.told(r), outcome)
	}
}

func TestTransferOfSeveralBeneficiariesHasItsOwnAmount(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 3000)
	o.due.due[r] = settlement.Expectation{Owner: settlement.OwnerBody, Amount: 3000, Transfers: map[int]flussi.Cents{2: 1000}}
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", index: "2", amount: "10.00"}))
	assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"])
	o.receive(settlementXML(school, flowID, 2, line{iuv: iuv, iur: "A", index: "2", amount: "30.00"}))
	assert.Equal(t, settlement.PaymentAmountDiffers, o.states(flowID)["A"])
}

func TestDateWithOffsetKeepsItsDay(t *testing.T) {
	for text, want := range map[string]paymentfile.Day{"2026-03-01+02:00": day(0), "2026-03-01-11:00": day(0), "2026-02-28T23:00:00Z": day(0)} {
		o := newOffice(t)
		r := o.expects(iuv, 9000)
		o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "90.00", date: text}))
		assert.Equal(t, want.Time(), o.due.told[r][0].Date, text)
	}
}

func TestRFReferenceWithBlanksIsTheOneDue(t *testing.T) {
	o := newOffice(t)
	r := o.expects("RF18539007547034", 9000)
	o.receive(settlementXML(school, flowID, 1, line{iuv: "rf18 5390 0754 7034", iur: "A", amount: "90.00"}),
		journalXML("G1", transfer{number: "7", amount: "90.00", causale: "/RFS/RF18 5390 0754 7034/90.00"}))
	assert.Equal(t, settlement.PaymentExpected, o.states(flowID)["A"])
	assert.Equal(t, r, o.movement("7").Reference)
}

func TestStandInPaymentWithoutRequestOfAnotherAmountDiffers(t *testing.T) {
	o := newOffice(t)
	r := o.expects(iuv, 9000)
	o.receive(settlementXML(school, flowID, 1, line{iuv: iuv, iur: "A", amount: "91.50", outcome: "8"}),
		journalXML("G1", transfer{number: "7", amount: "91.50", causale: uri(flowID)}))
	paid := o.due.told[r]
	assert.Len(t, paid, 1)
	assert.Equal(t, settlement.PaymentAmountDiffers, paid[0].State)
	assert.Equal(t, settlement.PaidConfirmed, paid[0].Status, "the money is there, whatever was expected")
	assert.EqualValues(t, 9150, paid[0].Amount)
	assert.EqualValues(t, 9000, o.payments(flowID)[0].Expected)

	receipt := must.Get(paymentfile.OpenReceipt(strings.NewReader(`<receipt><receiptId>A</receiptId><fiscalCode>80185250588</fiscalCode><outcome>OK</outcome>
<creditorReferenceId>`+iuv+`</creditorReferenceId><paymentAmount>91.50</paymentAmount><transferList><transfer><idTransfer>1</idTransfer>
<transferAmount>91.50</transferAmount><fiscalCodePA>80185250588</fiscalCodePA></transfer></transferList><standIn>true</standIn></receipt>`), paymentfile.Config{Body: school}))(t)
	assert.Empty(t, receipt.Report().Faults)
	assert.True(t, receipt.Receipt().StandIn)
	assert.Equal(t, r, receipt.Receipt().Reference)
	assert.EqualValues(t, 9150, receipt.Receipt().Amount)
}
