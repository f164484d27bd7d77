package paymentfile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestTheIdentityOfASettlementIsReadFromJSON(t *testing.T) {
	got := whole(t, fixture(t, "settlement.json"))
	assert.Equal(t, paymentfile.Settlement{
		ID: "2030-03-04PSPXITR1XXX-F000123458", Revision: 2, Status: "PUBLISHED", CreatedAt: time.Date(2030, 3, 5, 5, 30, 15, 0, time.UTC),
		TransferID: "TRN0123456789JSON", Date: day(2030, 3, 5), PSP: paymentfile.Party{Type: "B", Code: "PSPXITR1XXX", Name: "Banca Demo S.p.A."}, PSPID: "60000000001",
		BankBIC: "DEMOITMMXXX", Body: body(t), BodyName: "Istituto Comprensivo Dimostrativo", Count: 3, Total: 15561,
	}, got.file.(*paymentfile.SettlementFile).Settlement())
	assert.Empty(t, got.payments)
	assert.True(t, got.report.Complete)

	for name, c := range map[string]struct {
		pairs []string
		kind  paymentfile.FaultKind
		text  string
	}{
		"another sum":   {[]string{`"computedSumPayments": 155.61`, `"computedSumPayments": 155.6`}, paymentfile.FaultTotal, "Il totale dichiarato è 155,61 €, la somma dei pagamenti è 155,60 €."},
		"another count": {[]string{`"computedTotPayments": 3`, `"computedTotPayments": 2`}, paymentfile.FaultCount, "Il file dichiara 3 pagamenti e ne contiene 2."},
		"another body":  {[]string{`"organizationId": "80185250588"`, `"organizationId": "00000000034"`}, paymentfile.FaultReceiver, "Il file è destinato a un altro ente."},
		"no revision":   {[]string{`"revision": 2,`, ""}, paymentfile.FaultMissing, "Manca il campo «revision»."},
		"no sum":        {[]string{`"sumPayments": 155.61`, `"sumPayments": null`}, paymentfile.FaultMissing, "Manca il campo «sumPayments»."},
		"a wrong time":  {[]string{"2030-03-05T05:30:15Z", "ieri"}, paymentfile.FaultDate, "Riga 7 del file: Il valore del campo «fdrDate» non è una data scritta come 2026-11-30T10:30:00."},
	} {
		got := whole(t, edited(t, "settlement.json", c.pairs...))
		require.NotEmpty(t, got.report.Faults, name)
		assert.Equal(t, c.kind, got.report.Faults[0].Kind, name)
		assert.Equal(t, c.text, got.report.Faults[0].Italian(), name)
	}
}

// UTC instants are days in Italy, and amounts are the decimals that the file has.
func TestPaymentsAreReadFromJSON(t *testing.T) {
	first, second := whole(t, fixture(t, "payments-1.json")), whole(t, fixture(t, "payments-2.json"))
	row := func(number, line int, reference, iur string, index int, amount flussi.Cents, outcome paymentfile.Outcome, on paymentfile.Day) paymentfile.Payment {
		return paymentfile.Payment{Number: number, Position: paymentfile.Position{Line: line, Column: 5}, Reference: paymentfile.NewReference(reference), IUR: iur, Index: index,
			Amount: amount, SignedAmount: amount, Outcome: outcome, Date: on}
	}
	assert.Equal(t, []paymentfile.Payment{
		row(1, 5, "01000000000000105", "IUR0008", 1, 12010, paymentfile.OutcomePaid, day(2030, 3, 4)),
		row(2, 6, "01000000000000106", "IUR0009", 1, 3550, paymentfile.OutcomeNoRequest, day(2030, 3, 4)),
	}, first.payments)
	assert.Equal(t, []paymentfile.Payment{row(3, 3, "RF18539007547034", "IUR0010", 2, 1, paymentfile.OutcomeStandIn, day(2030, 8, 1))}, second.payments)
	assert.Equal(t, paymentfile.Page{Number: 1, Total: 2}, first.file.(*paymentfile.SettlementFile).Page())
	assert.Equal(t, paymentfile.Page{Number: 2, Total: 2}, second.file.(*paymentfile.SettlementFile).Page())
	assert.Zero(t, first.file.(*paymentfile.SettlementFile).Settlement())

	for name, c := range map[string]struct {
		pairs []string
		kind  paymentfile.FaultKind
	}{
		"another count":     {[]string{`"count": 2`, `"count": 3`}, paymentfile.FaultCount},
		"an unknown status": {[]string{"EXECUTED", "DONE"}, paymentfile.FaultOutcome},
		"no index":          {[]string{`"idTransfer": 1`, `"idTransfer": 0`}, paymentfile.FaultIndex},
		"page 3 of 2":       {[]string{`"pageNumber": 1`, `"pageNumber": 3`}, paymentfile.FaultPages},
		"page 0":            {[]string{`"pageNumber": 1`, `"pageNumber": 0`}, paymentfile.FaultPages},
		"a part of a cent":  {[]string{"120.1", "120.105"}, paymentfile.FaultAmount},
	} {
		kinds, _ := told(whole(t, edited(t, "payments-1.json", c.pairs...)).report.Faults)
		assert.Equal(t, []paymentfile.FaultKind{c.kind}, kinds, name)
	}
	revoked := whole(t, edited(t, "payments-1.json", "EXECUTED", "REVOKED", "120.1", "-120.1")).payments[0]
	assert.Equal(t, flussi.Cents(12010), revoked.Amount)
	assert.True(t, revoked.Usable())
	assert.Equal(t, flussi.Cents(0), whole(t, `{"data": [], "metadata": {}, "a": {"b": [1, {"c": null}]}}`).report.Amount)
}

func TestPagesOfASettlementAreJoined(t *testing.T) {
	file := func(text string) *paymentfile.SettlementFile {
		return whole(t, text).file.(*paymentfile.SettlementFile)
	}
	identity, first, second := fixture(t, "settlement.json"), fixture(t, "payments-1.json"), fixture(t, "payments-2.json")
	for _, order := range [][]string{{identity, first, second}, {second, identity, first}, {first, second, identity}} {
		var pages paymentfile.SettlementPages
		for i, text := range order {
			assert.False(t, pages.Complete())
			pages.Add(file(text))
			if i < 2 {
				assert.Empty(t, pages.Faults())
			}
		}
		assert.True(t, pages.Complete())
		assert.Empty(t, pages.Missing())
		assert.Empty(t, pages.Italian())
	}
	var pages paymentfile.SettlementPages
	pages.Add(file(second))
	assert.Equal(t, []int{1}, pages.Missing())
	assert.Equal(t, "Manca la pagina 1.", pages.Italian())
	pages.Add(file(second))
	kinds, _ := told(pages.Faults())
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultPages}, kinds, "a page twice")

	pages = paymentfile.SettlementPages{}
	pages.Add(file(identity))
	pages.Add(file(identity))
	pages.Add(file(strings.Replace(first, `"totPage": 2`, `"totPage": 3`, 1)))
	pages.Add(file(second))
	kinds, _ = told(pages.Faults())
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultPages, paymentfile.FaultPages}, kinds, "two identities, and pages of two documents")

	pages = paymentfile.SettlementPages{}
	for _, text := range []string{strings.Replace(identity, "155.61", "155.60", 2), strings.Replace(first, "35.50", "35.48", 1), second} {
		pages.Add(file(text))
	}
	assert.Equal(t, "Il totale dichiarato è 155,60 €, la somma dei pagamenti è 155,59 €.", pages.Italian())
	kinds, _ = told(pages.Faults())
	assert.Equal(t, []paymentfile.FaultKind{paymentfile.FaultTotal}, kinds)

	// A page that was not read to its end is no page.
	pages = paymentfile.SettlementPages{}
	pages.Add(must.Get(paymentfile.OpenSettlement(strings.NewReader(first), paymentfile.Config{}))(t))
	assert.Len(t, pages.Faults(), 1)
	assert.False(t, pages.Complete())
}
