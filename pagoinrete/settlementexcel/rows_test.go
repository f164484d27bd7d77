package settlementexcel_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlementexcel"
)

const flowID = "2030-03-04PSPXITR1XXX-F000123456"

const (
	settlementHeaders = "ID flusso;PSP;Data regolamento;TRN;Totale del flusso;Revisione;IUV;IUR;Indice;Importo;Esito;Data pagamento\r\n"
	movementHeaders   = "Numero sospeso;Data;Importo;Causale;Operazione;Conto;Esercizio;Banca (ABI)\r\n"
)

// filled is an empty workbook that an office filled in.
func filled(t *testing.T, blank func(context.Context, io.Writer) error, cells map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, blank(t.Context(), &b))
	return exceltest.Edit(t, b.Bytes(), cells)
}

func settlements(t *testing.T, file []byte) ([]settlement.File, string, error) {
	t.Helper()
	var report excel.Report
	files, err := template(t).Settlements(t.Context(), bytes.NewReader(file), int64(len(file)), school(t), &report)
	return files, settlementexcel.Italian(&report, err), err
}

func movements(t *testing.T, file []byte) ([]settlementexcel.Journal, string, error) {
	t.Helper()
	var report excel.Report
	journals, err := template(t).Movements(t.Context(), bytes.NewReader(file), int64(len(file)), school(t), &report)
	return journals, settlementexcel.Italian(&report, err), err
}

// An office enters a settlement and its movement, which match like those of files.
func TestEnteredRowsMatchAsFilesDo(t *testing.T) {
	due := someDues()
	s := newService(t, due)
	payments := filled(t, template(t).BlankSettlements, map[string]any{
		"A2": flowID, "B2": "PSPXITR1XXX", "C2": "05/03/2030", "D2": "TRN1", "G2": "01000000000000101", "H2": "IUR1", "I2": 1, "J2": 120, "L2": "04/03/2030",
		"A3": flowID, "B3": "PSPXITR1XXX", "C3": "05/03/2030", "D3": "TRN1", "G3": "RF18 5390 0754 7034", "J3": "12,34", "K3": "Eseguito",
		"A4": flowID, "B4": "PSPXITR1XXX", "C4": "05/03/2030", "D4": "TRN1", "G4": "010000000000102", "J4": 30, "K4": "revocato",
	})
	files, _, err := settlements(t, payments)
	require.NoError(t, err)
	require.Len(t, files, 1)
	applied := must.Get(s.ApplySettlement(t.Context(), clerk, files[0]))(t)
	assert.Equal(t, flussi.Cents(10234), applied.Settlement.Total)
	assert.Equal(t, settlement.SettlementOpen, applied.Settlement.State)
	assert.Equal(t, paymentfile.Day{Year: 2030, Month: 3, Day: 5}.Time(), applied.Settlement.Date)

	moved := filled(t, template(t).BlankMovements, map[string]any{
		"A2": "101", "B2": "05/03/2030", "C2": "102,34", "D2": "/PUR/LGPE-RIVERSAMENTO/URI/" + flowID, "H2": "01234",
		"A3": "102", "B3": "05/03/2030", "C3": 50, "D3": "Saldo", "A4": "102", "B4": "06/03/2030", "C4": 50, "E4": "stornato",
	})
	journals, _, err := movements(t, moved)
	require.NoError(t, err)
	require.Len(t, journals, 2, "of a bank, and of none")
	for range 2 {
		for _, journal := range journals {
			must.Get(s.ApplyJournal(t.Context(), clerk, journal.Header, journal.Movements))(t)
		}
	}
	assert.Equal(t, settlement.SettlementCovered, must.Get(s.Settlement(t.Context(), clerk, applied.Settlement.ID))(t).State)
	reversed := must.Get(s.Movement(t.Context(), clerk, settlement.MovementID(school(t), "", 2030, "", "102")))(t)
	assert.Zero(t, reversed.Amount)
	assert.Equal(t, settlement.MovementReversed, reversed.State)
}

func TestEnteredRowsAreReadFromCSV(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, template(t).BlankSettlementsCSV(&b))
	assert.Equal(t, "\uFEFF"+settlementHeaders, b.String())
	files, _, err := settlements(t, append(b.Bytes(), flowID+";PSP1;;;;2;01000000000000101;;;120,00;;\r\n"...))
	require.NoError(t, err)
	assert.Equal(t, paymentfile.Settlement{ID: flowID, PSP: paymentfile.Party{Code: "PSP1"}, Revision: 2, Body: school(t), Count: 1, Total: 12000}, files[0].Header)
	for p, err := range files[0].Payments {
		require.NoError(t, err)
		assert.Equal(t, paymentfile.Payment{Number: 2, Reference: paymentfile.NewReference("01000000000000101"), Amount: 12000, SignedAmount: 12000}, p)
	}
	b.Reset()
	require.NoError(t, template(t).BlankMovementsCSV(&b))
	assert.Equal(t, "\uFEFF"+movementHeaders, b.String())
	journals, _, err := movements(t, append(b.Bytes(), "101;31/12/2029;120,00;\"A;B\";;;2030;\r\n"...))
	require.NoError(t, err)
	assert.Equal(t, 2030, journals[0].Header.Year)
	for m, err := range journals[0].Movements {
		require.NoError(t, err)
		assert.Equal(t, "A;B", m.Causale.Reveal())
		assert.Equal(t, "101", m.SuspenseNumber())
		assert.True(t, m.IsIncomingSuspense())
		assert.Equal(t, flussi.Cents(12000), m.Net())
	}
}

// The error has the number of a row that is not valid, and the other rows are returned.
func TestWrongRowsAreToldAndTheOthersReturned(t *testing.T) {
	good := flowID + ";PSP1;05/03/2030;T;;;01000000000000101;A;;10,00;;\r\n"
	for name, c := range map[string]struct{ row, want string }{
		"no IUV":         {flowID + ";PSP1;05/03/2030;T;;;;A;;10,00;;\r\n", "Riga 3, colonna G (IUV): La cella è vuota"},
		"long IUV":       {flowID + ";PSP1;05/03/2030;T;;;" + strings.Repeat("9", 36) + ";A;;10,00;;\r\n", "Riga 3, colonna G (IUV): Il codice del versamento (IUV) ha più di 35 caratteri."},
		"amount":         {flowID + ";PSP1;05/03/2030;T;;;1;A;;dieci;;\r\n", "Riga 3, colonna J (Importo)"},
		"zero":           {flowID + ";PSP1;05/03/2030;T;;;1;A;;0,00;;\r\n", "Riga 3, colonna J (Importo)"},
		"index":          {flowID + ";PSP1;05/03/2030;T;;;1;A;6;10,00;;\r\n", "Riga 3, colonna I (Indice)"},
		"outcome":        {flowID + ";PSP1;05/03/2030;T;;;1;A;;10,00;boh;\r\n", "Riga 3, colonna K (Esito)"},
		"long ID":        {strings.Repeat("X", 36) + ";PSP1;05/03/2030;T;;;1;A;;10,00;;\r\n", "Riga 3, colonna A (ID flusso): Il codice ha 36 caratteri: possono essere al massimo 35."},
		"another date":   {flowID + ";PSP1;06/03/2030;T;;;1;A;;10,00;;\r\n", "Riga 3, colonna C (Data regolamento): Il valore non è quello della riga 2, dello stesso flusso: correggerlo."},
		"another TRN":    {flowID + ";PSP1;05/03/2030;U;;;1;A;;10,00;;\r\n", "Riga 3, colonna D (TRN): Il valore non è quello della riga 2"},
		"another total":  {flowID + ";PSP1;05/03/2030;T;20,00;;1;A;;10,00;;\r\n", "Riga 3, colonna E (Totale del flusso): Il valore non è quello della riga 2"},
		"other revision": {flowID + ";PSP1;05/03/2030;T;;1;1;A;;10,00;;\r\n", "Riga 3, colonna F (Revisione): Il valore non è quello della riga 2"},
		"repeated":       {flowID + ";PSP1;05/03/2030;T;;;01000000000000101;A;1;20,00;;\r\n", "Riga 3, colonna G (IUV): La riga ripete il pagamento della riga 2"},
	} {
		t.Run(name, func(t *testing.T) {
			other := "ALTRO;PSP1;;;30,00;;01000000000000101;A;;30,00;;\r\n"
			files, told, err := settlements(t, []byte(settlementHeaders+good+c.row+other))
			require.ErrorIs(t, err, flussi.ErrRows)
			assert.Contains(t, told, c.want)
			require.Len(t, files, 2)
			s := newService(t, someDues())
			first, second := must.Get(s.ApplySettlement(t.Context(), clerk, files[0]))(t), must.Get(s.ApplySettlement(t.Context(), clerk, files[1]))(t)
			assert.Equal(t, settlement.SettlementInconsistent, first.Settlement.State, "a row may be missing")
			assert.Equal(t, settlement.SettlementOpen, second.Settlement.State, "its total is stated")

			files, _, err = settlements(t, []byte(settlementHeaders+good)) // corrected
			require.NoError(t, err)
			assert.Equal(t, settlement.SettlementOpen, must.Get(s.ApplySettlement(t.Context(), clerk, files[0]))(t).Settlement.State)
		})
	}
	for name, c := range map[string]struct{ row, want string }{
		"no number": {";05/03/2030;10,00;;;;;\r\n", "Riga 3, colonna A (Numero sospeso): La cella è vuota"},
		"no date":   {"7;;10,00;;;;;\r\n", "Riga 3, colonna B (Data): La cella è vuota"},
		"negative":  {"7;05/03/2030;-10,00;;;;;\r\n", "Riga 3, colonna C (Importo)"},
		"operation": {"7;05/03/2030;10,00;;boh;;;\r\n", "Riga 3, colonna E (Operazione)"},
		"year":      {"7;05/03/2030;10,00;;;;30;\r\n", "Riga 3, colonna G (Esercizio)"},
		"repeated":  {"101;05/03/2030;10,00;altra;;;2030;\r\n", "Riga 3, colonna A (Numero sospeso): La riga ripete il movimento della riga 2"},
	} {
		t.Run(name, func(t *testing.T) {
			journals, told, err := movements(t, []byte(movementHeaders+"101;05/03/2030;10,00;;;;;\r\n"+c.row))
			require.ErrorIs(t, err, flussi.ErrRows)
			assert.Contains(t, told, c.want)
			require.Len(t, journals, 1)
		})
	}
}

// A file that cannot be read to its end has no rows at all.
func TestFilesThatCannotBeReadGiveNothing(t *testing.T) {
	for name, file := range map[string]string{"empty": "", "other columns": "A;B\r\n1;2\r\n", "cut off": settlementHeaders + "\"" + flowID} {
		files, told, err := settlements(t, []byte(file))
		assert.Empty(t, files, name)
		assert.ErrorAs(t, err, new(*excel.FileError), name)
		assert.NotEmpty(t, told, name)
		journals, _, err := movements(t, []byte(file))
		assert.Empty(t, journals, name)
		assert.Error(t, err, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := template(t).Settlements(ctx, strings.NewReader(settlementHeaders), int64(len(settlementHeaders)), school(t), nil)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, flussi.Explain(err), settlementexcel.Italian(&excel.Report{}, err))
}

// The errors are marked in a copy of the office's file.
func TestErrorsAreMarkedInTheOfficesFile(t *testing.T) {
	file := filled(t, template(t).BlankMovements, map[string]any{
		"A2": "101", "B2": "05/03/2030", "C2": 10, "A3": "101", "B3": "05/03/2030", "C3": 10, "A4": "102", "B4": "31/02/2030", "C4": 10})
	var report excel.Report
	_, err := template(t).Movements(t.Context(), bytes.NewReader(file), int64(len(file)), school(t), &report)
	var b bytes.Buffer
	require.NoError(t, template(t).Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), settlementexcel.ContentMovements, &report, err))
	assert.Contains(t, exceltest.Comment(t, b.Bytes(), "A3"), "La riga ripete il movimento della riga 2")
	assert.Contains(t, exceltest.Comment(t, b.Bytes(), "B4"), "non esiste")
	file = filled(t, template(t).BlankSettlements, map[string]any{"A2": flowID})
	_, err = template(t).Settlements(t.Context(), bytes.NewReader(file), int64(len(file)), school(t), &report)
	b.Reset()
	require.NoError(t, template(t).Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), settlementexcel.ContentSettlements, &report, err))
	assert.Contains(t, exceltest.Comment(t, b.Bytes(), "G2"), "La cella è vuota")
}

func TestTemplatesAreRecognisedByTheirColumns(t *testing.T) {
	payments, moved := filled(t, template(t).BlankSettlements, nil), filled(t, template(t).BlankMovements, nil)
	for content, files := range map[settlementexcel.Content][]string{
		settlementexcel.ContentSettlements: {string(payments), settlementHeaders, "Identificativo FdR,BIC,Codice IUV,Importo pagato\n"},
		settlementexcel.ContentMovements:   {string(moved), movementHeaders, "Provvisorio\tData contabile\tImporto\n"},
		settlementexcel.ContentUnknown:     {"A;B\n", "IUV;Importo\n"},
	} {
		for i, file := range files {
			got, err := template(t).Recognise(t.Context(), strings.NewReader(file), int64(len(file)))
			assert.NoError(t, err)
			assert.Equal(t, content, got, "%d", i)
		}
	}
	_, err := template(t).Recognise(t.Context(), strings.NewReader("%PDF-1.4"), 8)
	assert.ErrorAs(t, err, new(*excel.FileError))
}

// A bank's own headers are read as a mapping says.
func TestOtherHeadersAreReadByAMapping(t *testing.T) {
	mapped := must.Get(template(t).WithMapping(nil, excel.Mapping{"Nr. bolletta": "Numero sospeso", "Giorno": "Data"}))(t)
	file := "Nr. bolletta;Giorno;Importo\r\n101;05/03/2030;10,00\r\n"
	assert.Equal(t, settlementexcel.ContentMovements, must.Get(mapped.Recognise(t.Context(), strings.NewReader(file), int64(len(file))))(t))
	journals := must.Get(mapped.Movements(t.Context(), strings.NewReader(file), int64(len(file)), school(t), nil))(t)
	assert.Len(t, journals, 1)
	_, err := template(t).WithMapping(excel.Mapping{"A": "B"}, nil)
	assert.ErrorIs(t, err, flussi.ErrInvalid)
}

// The guides name every column, and say what to write.
func TestTemplatesExplainTheirColumns(t *testing.T) {
	for want, blank := range map[string]func(context.Context, io.Writer) error{settlementHeaders: template(t).BlankSettlements, movementHeaders: template(t).BlankMovements} {
		f, rows := exceltest.Open(t, filled(t, blank, nil))
		assert.Equal(t, strings.Split(strings.TrimSpace(want), ";"), rows[0])
		guide, _ := exceltest.Guide(t, f)
		for _, header := range rows[0] {
			require.Contains(t, guide, header)
			assert.Greater(t, len(guide[header][2]), 10, header)
		}
	}
}

func TestEnteredRowsOfSeveralYearsAreJournalsOfTheirOwn(t *testing.T) {
	var b strings.Builder
	b.WriteString(movementHeaders)
	for i := range 6 {
		fmt.Fprintf(&b, "%d;05/03/%d;10,00;;;;;0123%d\r\n", i, 2029+i%2, i%3)
	}
	journals, _, err := movements(t, []byte(b.String()))
	require.NoError(t, err)
	assert.Len(t, journals, 6)
}
