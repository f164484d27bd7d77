package settlementexcel_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

var sheets = []string{"Riepilogo", "Flussi", "Pagamenti", "Movimenti", "Dati per reversali", "Guida Rapida"}

// some are the columns with the headers, in each row of a sheet.
func some(t *testing.T, f *excelize.File, sheet string, headers ...string) [][]string {
	t.Helper()
	rows := must.Get(f.GetRows(sheet))(t)
	var all [][]string
	for _, row := range rows[1:] {
		var cells []string
		for _, header := range headers {
			ref := exceltest.Column(t, rows[0], header)
			column := must.Get(excelize.ColumnNameToNumber(ref))(t)
			cell := ""
			if column <= len(row) {
				cell = row[column-1]
			}
			cells = append(cells, cell)
		}
		all = append(all, cells)
	}
	return all
}

func TestReportTellsWhatFilesSay(t *testing.T) {
	due := someDues()
	s := newService(t, due)
	apply(t, s, "journal-1.8.xml", "settlement-1.0.xml")
	file := exported(t, settlementexcel.SourcesOf(t.Context(), s, clerk, settlement.ReportFilter{}, due))
	f, _ := exceltest.Open(t, file)
	assert.Equal(t, sheets, f.GetSheetList())
	assert.Equal(t, [][]string{
		{"Flussi", "Riscontrato", "1", "175.00"},
		{"Flussi", "Totale dei flussi", "1", "175.00"},
		{"Flussi", "Riscontrato in tesoreria", "", "175.00"},
		{"Flussi", "Da riscontrare in tesoreria", "", "0.00"},
		{"Pagamenti", "Ricevuta, flusso e tesoreria", "1", "120.00"},
		{"Pagamenti", "Flusso e tesoreria", "1", "12.34"},
		{"Pagamenti", "Importo diverso da quello atteso", "1", "35.50"},
		{"Pagamenti", "IUV sconosciuto", "1", "7.16"},
		{"Pagamenti", "Totale dei pagamenti", "4", "175.00"},
		{"Movimenti", "Abbinato a un flusso", "1", "175.00"},
		{"Movimenti", "Stornato o senza importo", "1", "0.00"},
		{"Movimenti", "Totale dei movimenti", "2", "175.00"},
	}, some(t, f, "Riepilogo", "Foglio", "Voce", "Numero", "Importo"))
	assert.Equal(t, [][]string{{"2030-03-04PSPXITR1XXX-F000123456", "PSPXITR1XXX", "05/03/2030", "175.00", "175.00", "0.00", "Riscontrato", "4", "2", "1", "1", "80185250588"}},
		some(t, f, "Flussi", "ID flusso", "PSP", "Data regolamento", "Totale", "Riscontrato", "Da riscontrare", "Stato", "Pagamenti", "Attesi", "Importo diverso", "IUV sconosciuti", "Codice fiscale ente"))
	assert.ElementsMatch(t, [][]string{
		{"01000000000000101", "IUR0001", "04/03/2030", "0 eseguito", "120.00", "120.00", "Ricevuta, flusso e tesoreria", "Sì", "Viaggio a Firenze", "06/04"},
		{"010000000000102", "IUR0002", "04/03/2030", "9 eseguito senza RPT", "35.50", "30.00", "Importo diverso da quello atteso", "", "Mensa", "06/03"},
		{"RF18539007547034", "IUR0003", "04/03/2030", "4 eseguito (stand-in)", "12.34", "12.34", "Flusso e tesoreria", "", "Mensa", "06/03"},
		{"9876543210123456", "IUR0004", "04/03/2030", "8 eseguito (stand-in) senza RPT", "7.16", "", "IUV sconosciuto", "", "", ""},
	}, some(t, f, "Pagamenti", "IUV", "IUR", "Data pagamento", "Esito", "Importo", "Importo atteso", "Riscontro", "Ricevuta", "Evento", "Capitolo"))
	assert.ElementsMatch(t, [][]string{
		{"101", "2030", "05/03/2030", "175.00", "175.00", "Abbinato a un flusso", "2030-03-04PSPXITR1XXX-F000123456", "/PUR/LGPE-RIVERSAMENTO/URI/2030-03-04PSPXITR1XXX-F000123456"},
		{"102", "2030", "05/03/2030", "0.00", "0.00", "Stornato o senza importo", "", "Saldo gita ALUNNO BIANCHI LUCA"},
	}, some(t, f, "Movimenti", "Sospeso", "Esercizio", "Data", "Importo del sospeso", "Importo", "Abbinamento", "ID flusso", "Causale"))
	assert.Equal(t, [][]string{
		{"101", "175.00", "Mensa", "06/03", "2", "47.84", ""},
		{"101", "175.00", "Viaggio a Firenze", "06/04", "1", "120.00", ""},
		{"101", "175.00", "Da attribuire", "", "1", "7.16", "IUV sconosciuto"},
	}, some(t, f, "Dati per reversali", "Sospeso", "Importo del sospeso", "Evento", "Capitolo", "Pagamenti", "Importo", "Motivo"))

	if exceltest.HasLibreOffice() {
		saved, _ := exceltest.Open(t, exceltest.LibreOffice(t, "xlsx", "riconciliazione.xlsx", file))
		assert.Equal(t, sheets, saved.GetSheetList())
		for _, sheet := range sheets[:5] {
			assert.Equal(t, must.Get(f.GetRows(sheet))(t), must.Get(saved.GetRows(sheet))(t), sheet)
		}
	}
}

// The sums of the first sheet are those of the rows of the others.
func TestSummarySheetAddsUpTheOthers(t *testing.T) {
	s := newService(t, someDues())
	apply(t, s, "settlement-1.0.xml", "settlement-1.1.xml", "settlement-soap.xml", "journal-1.8.xml", "journal-1.4.xml", "journal-1.7.1-1.xml", "journal-1.7.1-2.xml")
	f, _ := exceltest.Open(t, exported(t, settlementexcel.SourcesOf(t.Context(), s, clerk, settlement.ReportFilter{}, nil)))
	total := func(sheet, header string) flussi.Cents {
		var sum flussi.Cents
		for _, row := range some(t, f, sheet, header) {
			sum += cents(t, row[0])
		}
		return sum
	}
	sums := map[string]flussi.Cents{}
	for _, row := range some(t, f, "Riepilogo", "Voce", "Importo") {
		sums[row[0]] = cents(t, row[1])
	}
	assert.NotZero(t, sums["Totale dei flussi"])
	assert.Equal(t, total("Flussi", "Totale"), sums["Totale dei flussi"])
	assert.Equal(t, total("Pagamenti", "Importo"), sums["Totale dei pagamenti"])
	assert.Equal(t, total("Movimenti", "Importo"), sums["Totale dei movimenti"])
	assert.Equal(t, total("Dati per reversali", "Importo"), sums["Totale dei movimenti"]-sums["Stornato o senza importo"])
}

// cents reads an amount as a sheet shows it.
func cents(t *testing.T, s string) flussi.Cents {
	t.Helper()
	return flussi.Cents(must.Get(strconv.ParseInt(strings.NewReplacer(".", "", ",", "").Replace(s), 10, 64))(t))
}

// A movement that an operator split is a row for each part, with the reason.
func TestSplitMovementIsARowForEachPart(t *testing.T) {
	s := newService(t, someDues())
	apply(t, s, "journal-1.8.xml", "settlement-1.0.xml")
	page := must.Get(s.Movements(t.Context(), clerk, settlement.MovementFilter{States: []settlement.MovementState{settlement.MovementMatched}}, settlement.Page{}))(t)
	id := page.Movements[0].ID
	must.Get(s.MatchMovement(t.Context(), clerk, id, []settlement.ManualMatch{{Settlement: page.Movements[0].Parts[0].Settlement, Amount: 10000}, {Amount: 5000}}, "Errore della banca."))(t)
	f, _ := exceltest.Open(t, exported(t, settlementexcel.SourcesOf(t.Context(), s, clerk, settlement.ReportFilter{Movements: settlement.MovementFilter{IDs: []uuid.UUID{id}}}, nil)))
	assert.Equal(t, [][]string{
		{"175.00", "100.00", "Abbinato a un flusso", "m.verdi", "Errore della banca."},
		{"175.00", "50.00", "Accantonato", "m.verdi", "Errore della banca."},
		{"175.00", "25.00", "Tesoreria senza flusso", "", ""},
	}, some(t, f, "Movimenti", "Importo del sospeso", "Importo", "Abbinamento", "Deciso da", "Motivo"))
}

// Every value of a store can be exported.
func TestAnyRowCanBeExported(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	p := settlement.Payment{Reference: paymentfile.NewReference(long), IUR: long, State: "melted", Outcome: 77, Amount: -5, Expected: -1, Index: -1}
	e := settlement.Settlement{FlowID: long, PSP: "=cmd|' /C calc'!A0\x01\xff", State: "frozen", Total: -1 << 60, Revision: -3}
	m := settlement.Movement{Number: long, State: "thawed", Amount: -500, Year: -1, Parts: []settlement.Part{{Kind: "new", Amount: -7}},
		Entries: []settlement.Entry{{Causale: flussi.NewText(long)}}}
	file := exported(t, settlementexcel.Sources{
		Settlements: exceltest.Given(e, settlement.Settlement{}),
		Payments:    exceltest.Given(settlement.PaymentLine{Payment: p, Settlement: e}, settlement.PaymentLine{}),
		Movements:   exceltest.Given(settlement.MovementLine{Movement: m, Settlements: []settlement.Settlement{{}}}, settlement.MovementLine{}),
		Allocations: exceltest.Given(settlement.Allocation{Movement: m, Reason: "odd", Amount: -9}, settlement.Allocation{}),
	})
	f, _ := exceltest.Open(t, file)
	assert.Equal(t, "melted", some(t, f, "Pagamenti", "Riscontro")[0][0])
	assert.Equal(t, "new", some(t, f, "Movimenti", "Abbinamento")[0][0])
	assert.Equal(t, "odd", some(t, f, "Dati per reversali", "Motivo")[0][0])
	assert.Equal(t, "frozen", some(t, f, "Flussi", "Stato")[0][0])
	assert.True(t, strings.HasPrefix(some(t, f, "Flussi", "PSP")[0][0], "=cmd|"), "a text, no formula")
}

func TestReportWithoutRowsHasItsSheets(t *testing.T) {
	f, _ := exceltest.Open(t, exported(t, settlementexcel.Sources{}))
	assert.Equal(t, sheets, f.GetSheetList())
	assert.Empty(t, some(t, f, "Flussi", "ID flusso"))
}

func TestReportEndsWithTheSequencesError(t *testing.T) {
	down := errors.New("database down")
	err := template(t).Export(t.Context(), io.Discard, settlementexcel.Sources{Payments: func(yield func(settlement.PaymentLine, error) bool) {
		yield(settlement.PaymentLine{}, down)
	}})
	assert.Equal(t, down, err)
}

// Codes are texts, and amounts and days are numbers.
func TestReportIsTyped(t *testing.T) {
	s := newService(t, someDues())
	apply(t, s, "journal-1.8.xml", "settlement-1.0.xml")
	f, _ := exceltest.Open(t, exported(t, settlementexcel.SourcesOf(t.Context(), s, clerk, settlement.ReportFilter{}, nil)))
	for sheet, refs := range map[string][2][]string{"Flussi": {{"A2", "B2"}, {"D2", "H2"}}, "Pagamenti": {{"A2", "B2"}, {"D2", "F2"}}, "Movimenti": {{"A2", "C2"}, {"D2", "E2"}}} {
		for _, ref := range refs[0] {
			kind := must.Get(f.GetCellType(sheet, ref))(t)
			assert.Contains(t, []excelize.CellType{excelize.CellTypeInlineString, excelize.CellTypeSharedString}, kind, sheet+ref)
		}
		for _, ref := range refs[1] {
			kind := must.Get(f.GetCellType(sheet, ref))(t)
			assert.Contains(t, []excelize.CellType{excelize.CellTypeNumber, excelize.CellTypeUnset}, kind, sheet+ref)
		}
	}
	require.NoError(t, f.Close())
}
