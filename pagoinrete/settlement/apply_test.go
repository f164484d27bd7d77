package settlement_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// fixture opens a file of package paymentfile.
func fixture(t *testing.T, name string) paymentfile.File {
	t.Helper()
	text := must.Get(os.ReadFile("../paymentfile/testdata/" + name))(t)
	return must.Get(paymentfile.Open(strings.NewReader(string(text)), paymentfile.Config{}))(t)
}

func TestApplyTakesEveryFileThatDecidesAboutPayments(t *testing.T) {
	o := newOffice(t)
	for range 2 {
		result := must.Get(o.Apply(t.Context(), clerk, fixture(t, "journal-1.8.xml")))(t)
		assert.Positive(t, result.Journal.Entered.Number+result.Journal.Known.Number)
	}
	for i, unchanged := range []bool{false, true} {
		result := must.Get(o.Apply(t.Context(), clerk, fixture(t, "settlement-1.0.xml")))(t)
		assert.Equal(t, unchanged, result.Unchanged, i)
		assert.Equal(t, settlement.SettlementCovered, result.Settlement.State)
	}
	pages := []*paymentfile.SettlementFile{fixture(t, "payments-2.json").(*paymentfile.SettlementFile), fixture(t, "payments-1.json").(*paymentfile.SettlementFile)}
	result := must.Get(o.Apply(t.Context(), clerk, fixture(t, "settlement.json"), pages...))(t)
	assert.False(t, result.Settlement.Inconsistent)
	assert.Positive(t, result.Settlement.Counts.Total().Number)
}

func TestApplyRefusesFilesThatDecideNothing(t *testing.T) {
	o := newOffice(t)
	for name, want := range map[string]string{
		"receipt-v1.xml":  "Il file è una ricevuta telematica: gli abbinamenti si fanno con i flussi di rendicontazione e con il giornale di cassa.",
		"settlement.json": "Il file è solo una parte di un flusso in JSON: applicare insieme l'intestazione e tutte le pagine dei pagamenti.",
		"payments-1.json": "Il file è solo una parte di un flusso in JSON: applicare insieme l'intestazione e tutte le pagine dei pagamenti.",
	} {
		_, err := o.Apply(t.Context(), clerk, fixture(t, name))
		require.ErrorIs(t, err, settlement.ErrNotApplicable, name)
		require.ErrorIs(t, err, flussi.ErrInvalid, name)
		assert.Equal(t, want, flussi.Explain(err), name)
	}
	_, err := o.Apply(t.Context(), clerk, nil)
	require.ErrorIs(t, err, settlement.ErrNotApplicable)
	_, err = o.Apply(t.Context(), flussi.Actor{ID: "a.neri"}, fixture(t, "settlement-1.0.xml"))
	require.ErrorIs(t, err, flussi.ErrForbidden)
}

// A page of another settlement must not be ignored without an error.
func TestApplyRefusesPagesBehindOtherFiles(t *testing.T) {
	o := newOffice(t)
	page := func() *paymentfile.SettlementFile { return fixture(t, "payments-1.json").(*paymentfile.SettlementFile) }
	for _, name := range []string{"settlement-1.0.xml", "journal-1.8.xml", "receipt-v1.xml", "payments-2.json"} {
		_, err := o.Apply(t.Context(), clerk, fixture(t, name), page())
		require.ErrorIs(t, err, settlement.ErrNotApplicable, name)
		assert.Equal(t, "Solo l'intestazione di un flusso in JSON si applica insieme alle pagine dei pagamenti.", flussi.Explain(err), name)
	}
	file := settlement.FileOf(fixture(t, "settlement-1.0.xml").(*paymentfile.SettlementFile), page())
	assert.True(t, must.Get(o.ApplySettlement(t.Context(), clerk, file))(t).Settlement.Inconsistent)
}

// Files are read as they are applied, so a caller that tries again has to open them again.
func TestFileIsAppliedOnce(t *testing.T) {
	o := newOffice(t)
	for _, name := range []string{"settlement-1.0.xml", "journal-1.8.xml"} {
		file := fixture(t, name)
		must.Get(o.Apply(t.Context(), clerk, file))(t)
		before := read(t, o.store)
		_, err := o.Apply(t.Context(), clerk, file)
		require.Error(t, err, name)
		assert.Equal(t, before, read(t, o.store), name)
	}
}

// orders returns a journal with an order (reversale) that regularises parts of sospesi.
func orders(operation paymentfile.Operation, number string, amount flussi.Cents, sospesi ...paymentfile.Suspense) paymentfile.Movement {
	return paymentfile.Movement{Account: "1", Direction: paymentfile.Incoming, Document: paymentfile.DocumentIncomingOrder, Operation: operation,
		DocumentNumber: number, Amount: amount, Date: day(6), Suspense: sospesi, Causale: flussi.NewText("ROSSI MARIA " + uri(flowID))}
}

// Banks write the sospesi that an order regularises into the row of the order, into a row about the
// sospeso, or into both. The amount counts once, in whatever order the rows come.
func TestOrdersRegulariseTheSospesiThatTheyList(t *testing.T) {
	o := newOffice(t)
	apply := func(rows ...paymentfile.Movement) settlement.JournalReport {
		return must.Get(o.ApplyJournal(t.Context(), clerk, paymentfile.Journal{ID: "GDC", BankABI: "01234", Body: school, Year: 2026}, sequence(rows)))(t)
	}
	first := orders(paymentfile.OperationRegularised, "31", 5000, paymentfile.Suspense{Number: "7", Amount: 3000}, paymentfile.Suspense{Number: "8", Amount: 2000})
	report := apply(first)
	assert.Equal(t, settlement.JournalReport{Other: settlement.Tally{Number: 1}}, report)
	m := o.movement("7")
	assert.Equal(t, settlement.MovementReversed, m.State, "its own row is missing")
	assert.EqualValues(t, 3000, m.Regularised)
	o.sospeso("7", uri(flowID), 5000)
	m = o.movement("7")
	assert.Equal(t, settlement.MovementWaiting, m.State)
	assert.Equal(t, []string{flowID}, m.FlowIDs, "not those of an order")
	assert.EqualValues(t, 5000, m.Amount)
	assert.EqualValues(t, 3000, m.Regularised)
	assert.NotContains(t, m.Causale().Reveal(), "ROSSI")

	apply(first, orders(paymentfile.OperationRegularised, "32", 2000, paymentfile.Suspense{Number: "7"}))
	assert.EqualValues(t, 5000, o.movement("7").Regularised, "an order of one sospeso without an amount")
	o.journal("7", "", 5000, paymentfile.OperationRegularised)
	assert.EqualValues(t, 5000, o.movement("7").Regularised, "the same, in a row about the sospeso")
	apply(orders(paymentfile.OperationRegularised, "33", 900, paymentfile.Suspense{Number: "8"}, paymentfile.Suspense{Number: "7"}))
	assert.EqualValues(t, 2000, o.movement("8").Regularised, "no amounts: not known")
	apply(orders(paymentfile.OperationRestored, "31", 5000, paymentfile.Suspense{Number: "8", Amount: 2000}))
	assert.Zero(t, o.movement("8").Regularised)
	outgoing := orders(paymentfile.OperationRegularised, "9", 100, paymentfile.Suspense{Number: "8", Amount: 100})
	outgoing.Direction, outgoing.Document = paymentfile.Outgoing, paymentfile.DocumentOutgoingOrder
	apply(outgoing)
	assert.Zero(t, o.movement("8").Regularised)
}
