package flowexcel_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
)

const (
	code = "MSCMHL68P18H211K"
	text = "Gentile contribuente, la prima rata della TARI scade il 16 giugno e può essere pagata dall'app con l'avviso che è allegato a questo messaggio."
)

// blankFilled is the template as an operator fills it in with other software.
func blankFilled(t testing.TB, cells map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, template(t).Blank(t.Context(), &b))
	return edited(t, b.Bytes(), cells)
}

func TestRowsOfAFilledInTemplate(t *testing.T) {
	rows, errs, report := read(t, blankFilled(t, map[string]any{
		"A2": code, "B2": "Scadenza della TARI", "C2": text,
		"A4": " rssmra80a01h501u", "B4": "Prima rata della TARI", "C4": text + "\nCordiali saluti.", "D4": time.Date(2099, 6, 16, 0, 0, 0, 0, time.UTC),
		"E4": 123.45, "F4": "301005100001400678", "G4": "80185250588", "H4": "Sì", "I4": "TARI-1", "J4": "sollecito marzo",
	}))
	require.Empty(t, errs, report.Italian())
	to, err := flussi.ParseFiscalCode(code)
	require.NoError(t, err)
	other, err := flussi.ParseFiscalCode("RSSMRA80A01H501U")
	require.NoError(t, err)
	number, err := flussi.ParseNoticeNumber("301005100001400678")
	require.NoError(t, err)
	payee, err := flussi.ParseOrganizationCode("80185250588")
	require.NoError(t, err)
	assert.Equal(t, []flow.Row{
		{Number: 2, Draft: flow.Draft{Recipient: to, Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(text)}},
		{Number: 4, Draft: flow.Draft{
			Recipient: other, Subject: flussi.NewText("Prima rata della TARI"), Content: flussi.NewText(text + "\nCordiali saluti."),
			DueDate: time.Date(2099, 6, 16, 21, 59, 59, 0, time.UTC), Amount: 12345, IsPayment: true, PayableAfterDue: true, NoticeNumber: number, Payee: payee, Reference: "TARI-1", Occasion: "sollecito marzo"}},
	}, rows)
	assert.True(t, report.OK())
}

func TestHeadersThatOfficesWrite(t *testing.T) {
	for header, others := range map[string][]string{
		"Codice fiscale":        {"C.F.", "CF", "cf dest", "Cod. Fisc.", "COD. FISCALE", "Codice fiscale destinatario", "Destinatario", "Codice fiscale / Partita IVA", "CODICE\nFISCALE"},
		"Oggetto":               {"Oggetto messaggio", "OGGETTO:", "Titolo"},
		"Contenuto":             {"Testo", "Messaggio", "Corpo", "Testo del messaggio"},
		"Scadenza":              {"Data scadenza", "Data di scadenza", "Scade il", "Scad."},
		"Somma":                 {"Importo", "Importo (€)", "Importo in euro", "Totale da pagare"},
		"Numero avviso":         {"Codice avviso", "NAV", "N° avviso", "Nº avviso", "N. Avviso", "Numero avviso pagoPA", "numero_avviso"},
		"Ente creditore":        {"C.F. ente creditore", "P.IVA ente", "Partita IVA ente", "Codice fiscale ente", "CF Ente"},
		"Paga dopo la scadenza": {"Pagabile dopo la scadenza"},
		"Riferimento":           {"Rif.", "Riferimento interno"},
	} {
		for _, other := range others {
			heads := slices.Clone(importHeaders)
			heads[slices.Index(heads, header)] = other
			rows, errs, report := read(t, sheet(t, cells(heads), []any{code, "Scadenza della TARI", text, "16/06/2099", "12,50", "301005100001400678", "80185250588", "no", "R-1"}))
			require.Empty(t, errs, "%s: %s", other, report.Italian())
			require.Len(t, rows, 1)
			assert.Equal(t, flussi.Cents(1250), rows[0].Draft.Amount)
			assert.Equal(t, "R-1", rows[0].Draft.Reference)
			assert.Empty(t, report.Missing, other)
		}
	}
}

func TestAFileThatIsNoImportIsRefusedWithAHint(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 2, sent)
	for name, c := range map[string]struct {
		file []byte
		hint string
	}{
		"an export":               {w.export(t), "Il file è un'esportazione, e le sue notifiche ci sono già. Per correggere le notifiche in «Errore», caricare il file come correzione."},
		"an export, without UUID": {edited(t, w.export(t), map[string]any{"K1": nil, "K2": nil}), "La colonna N non è ammessa. È una colonna delle esportazioni: se il file non è un'esportazione, togliere la colonna."},
		"with the IUV":            {sheet(t, cells([]string{"CF", "Oggetto", "Testo", "Importo", "I.U.V."}), []any{code, "Scadenza della TARI", text, "1,00", "05100001400678"}), "La colonna E non è ammessa. Serve il numero avviso di 18 cifre, che si trova sull'avviso di pagamento"},
	} {
		rows, errs, report := read(t, c.file)
		assert.Empty(t, rows, name)
		require.Len(t, errs, 1, name)
		require.ErrorIs(t, errs[0], excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(errs[0]), c.hint, name)
		f, err := w.CreateFlow(t.Context(), operator, taxes, flow.Details{})
		require.NoError(t, err)
		_, err = w.AddNotifications(t.Context(), operator, f.ID, template(t).Rows(t.Context(), bytes.NewReader(c.file), int64(len(c.file)), report), flow.AddConfig{SkipInvalid: true})
		require.ErrorIs(t, err, excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(err), c.hint, name)
	}
}

// Every rule is told at the cell that breaks it.
func TestWrongRowsAreToldAtTheirCells(t *testing.T) {
	short := text[:110]
	for name, c := range map[string]struct {
		cells map[string]any
		at    string
		err   error
		says  string
	}{
		"no recipient":         {map[string]any{"A2": nil}, "A", excel.ErrRequired, "obbligatorio"},
		"a company":            {map[string]any{"A2": "80185250588"}, "A", flussi.ErrNotPersonal, ""},
		"subject too short":    {map[string]any{"B2": "corto"}, "B", flussi.ErrLength, "devono essere da 10 a 120"},
		"subject too long":     {map[string]any{"B2": strings.Repeat("😀", 61)}, "B", flussi.ErrLength, "ogni emoji conta due"},
		"content too short":    {map[string]any{"C2": short}, "C", flussi.ErrLength, "devono essere da 120 a 10.000"},
		"no front matter":      {map[string]any{"C2": "---\n" + text}, "C", nil, ""},
		"no such day":          {map[string]any{"D2": "31/04/2099"}, "D", flussi.ErrDate, ""},
		"a time of day":        {map[string]any{"D2": "16/06/2099 12:00"}, "D", excel.ErrTimeOfDay, "sola data"},
		"amount of zero":       {map[string]any{"E2": 0}, "E", flussi.ErrRange, ""},
		"amount alone":         {map[string]any{"F2": nil}, "F", flow.ErrPayment, "manca il numero avviso"},
		"notice number alone":  {map[string]any{"E2": nil}, "E", flow.ErrPayment, "manca l'importo"},
		"notice as a number":   {map[string]any{"F2": 301005100001400678}, "F", flussi.ErrDigitsLost, ""},
		"payee alone":          {map[string]any{"E2": nil, "F2": nil, "H2": nil}, "G", flow.ErrPayment, "C'è un ente creditore"},
		"late payment of none": {map[string]any{"E2": nil, "F2": nil, "G2": nil}, "H", excel.ErrCheck, "non è una notifica di pagamento"},
		"neither yes nor no":   {map[string]any{"H2": "forse"}, "H", excel.ErrChoice, ""},
		"reference too long":   {map[string]any{"I2": strings.Repeat("x", 256)}, "I", flussi.ErrLength, "255"},
	} {
		t.Run(name, func(t *testing.T) {
			all := map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "D2": "16/06/2099", "E2": 12.5, "F2": "301005100001400678", "G2": "80185250588", "H2": "Sì", "I2": "R"}
			for ref, value := range c.cells {
				all[ref] = value
			}
			file := blankFilled(t, all)
			rows, errs, report := read(t, file)
			require.Empty(t, rows)
			require.Len(t, errs, 1)
			var wrong *excel.RowError
			require.ErrorAs(t, errs[0], &wrong)
			require.Len(t, report.Errors, 1, report.Italian())
			assert.Equal(t, c.at, report.Errors[0].Column)
			if c.err != nil {
				require.ErrorIs(t, report.Errors[0], c.err)
			}
			assert.Contains(t, report.Italian(), c.says)
			assert.Equal(t, 2, report.Errors[0].Row)

			var b bytes.Buffer
			require.NoError(t, template(t).Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), report))
			assert.Contains(t, comment(t, b.Bytes(), c.at+"2"), "Da correggere")
		})
	}
}

// comment returns the text of a cell's comment in the first sheet.
func comment(t testing.TB, file []byte, ref string) string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	comments, err := f.GetComments(f.GetSheetName(0))
	require.NoError(t, err)
	text := ""
	for _, c := range comments {
		if c.Cell == ref {
			text += c.Text
			for _, run := range c.Paragraph {
				text += run.Text
			}
		}
	}
	return text
}

// A word about payments that are none says nothing.
func TestNoNeedsNoPayment(t *testing.T) {
	rows, errs, report := read(t, blankFilled(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "H2": "No"}))
	require.Empty(t, errs, report.Italian())
	assert.False(t, rows[0].Draft.IsPayment)
}

// What passes the template passes the flow, whatever the limits are.
func TestWhatTheTemplateTakesTheFlowTakes(t *testing.T) {
	content := text[:90]
	for _, limits := range []flow.Limits{{}, flow.PlatformLimits(), {MinSubject: 15, MaxSubject: 40, MinContent: 80, MaxContent: 200}, {MinSubject: 100, MaxSubject: 110, MinContent: 500, MaxContent: 510}} {
		tpl, err := flowexcel.New(flowexcel.Config{Limits: limits})
		require.NoError(t, err)
		file := blankFilled(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": content})
		var report excel.Report
		for row, err := range tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report) {
			if limits == (flow.Limits{}) {
				limits = flow.GuideLimits()
			}
			assert.Equal(t, row.Draft.Validate(limits) == nil && row.Draft.Subject.Length() > 0, err == nil)
			assert.Equal(t, limits.MinContent == 80, err == nil)
		}
	}
	_, err := flowexcel.New(flowexcel.Config{Limits: flow.Limits{MinSubject: 20, MaxSubject: 10, MinContent: 120, MaxContent: 1000}})
	var defects *excel.TemplateError
	require.ErrorAs(t, err, &defects)
}

func TestAnImportStoresAllRowsOrNone(t *testing.T) {
	w := newWorld(t)
	good := map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "A3": "RSSMRA80A01H501U", "B3": "Scadenza della TARI", "C3": text}
	file := blankFilled(t, good)
	var report excel.Report
	tpl := template(t)
	added, err := w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), flow.AddConfig{})
	require.NoError(t, err)
	assert.Equal(t, 2, added.Added)

	cut := file[:len(file)-100]
	_, err = w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(cut), int64(len(cut)), &report), flow.AddConfig{SkipInvalid: true})
	require.ErrorIs(t, err, excel.ErrTruncated)

	good["B3"] = "corto"
	file = blankFilled(t, good)
	added, err = w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.Len(t, added.Errors, 1, "what the flow has already is no error")
	assert.Equal(t, "Riga 3: Colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.", added.Errors[0].Italian())
}

func TestACSVFileIsReadToo(t *testing.T) {
	csv := "C.F.;Oggetto;Testo;Scade il;Importo;NAV\n" +
		code + ";Scadenza della TARI;\"" + text + "\";16/06/2099;\"1.234,50\";301005100001400678\n" +
		code + ";corto;\"" + text + "\";;;\n"
	rows, errs, report := read(t, []byte(csv))
	require.Len(t, rows, 1, report.Italian())
	assert.Equal(t, flussi.Cents(123450), rows[0].Draft.Amount)
	assert.Equal(t, time.Date(2099, 6, 16, 21, 59, 59, 0, time.UTC), rows[0].Draft.DueDate)
	require.Len(t, errs, 1)
	assert.Equal(t, excel.CSV, report.Format)
	var b bytes.Buffer
	require.NoError(t, template(t).Annotate(t.Context(), &b, strings.NewReader(csv), int64(len(csv)), report))
	assert.Contains(t, comment(t, b.Bytes(), "B3"), "Il testo ha 5 caratteri")
}

// A sum that the operator has added below is no notification.
func TestARowWithTheSumIsPassedOver(t *testing.T) {
	f, err := excelize.OpenReader(bytes.NewReader(blankFilled(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "E2": 12.5, "F2": "301005100001400678", "A3": "Totale"})))
	require.NoError(t, err)
	require.NoError(t, f.SetCellFormula("Notifiche", "E3", "SUM(E2:E2)"))
	require.NoError(t, f.UpdateLinkedValue())
	var b bytes.Buffer
	require.NoError(t, f.Write(&b))
	rows, errs, report := read(t, b.Bytes())
	require.Empty(t, errs, report.Italian())
	assert.Len(t, rows, 1)
	assert.Equal(t, 1, report.Totals)
}

func TestPastDueDatesAndDoubtfulCodesAreWarnings(t *testing.T) {
	file := blankFilled(t, map[string]any{"A2": citizen(1).Reveal(), "B2": "Scadenza della TARI", "C2": text, "D2": "16/06/2020"})
	rows, errs, report := read(t, file)
	require.Empty(t, errs)
	require.Len(t, rows, 1)
	require.Len(t, report.Notes, 2)
	require.ErrorIs(t, report.Notes[0].Warnings[0], flussi.ErrCheckDigits)
	require.ErrorIs(t, report.Notes[1].Warnings[0], excel.ErrPast)

	strict, err := flowexcel.New(flowexcel.Config{Codes: flussi.Strict})
	require.NoError(t, err)
	for _, err := range strict.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		require.ErrorIs(t, err, flussi.ErrCheckDigits)
	}
}

// What only the flow can tell is entered into the report of the file, and marked.
func TestCompleteTellsWhatTheFlowFound(t *testing.T) {
	w := newWorld(t)
	earlier, err := w.CreateFlow(t.Context(), operator, taxes, flow.Details{})
	require.NoError(t, err)
	tpl := template(t)
	fill := map[string]any{}
	for row := 2; row <= 7; row++ {
		fill[cell("A", row)], fill[cell("B", row)], fill[cell("C", row)] = citizen(row).Reveal(), "Scadenza della TARI", text
	}
	file := blankFilled(t, fill)
	_, err = w.AddNotifications(t.Context(), operator, earlier.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil), flow.AddConfig{})
	require.NoError(t, err)

	fill["A4"] = citizen(2).Reveal() // the same as row 2
	fill["B5"] = "corto"             // the template refuses it
	fill["A6"] = citizen(2).Reveal() // once more
	fill["C7"] = text + " Saluti."   // not the same as in the other flow
	file = blankFilled(t, fill)
	for most, listed := range map[int]int{0: 3, 1: 1, 2: 2} {
		var report excel.Report
		added, err := w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), flow.AddConfig{MaxErrors: most})
		require.ErrorIs(t, err, flussi.ErrRows)
		flowexcel.Complete(&report, added)
		assert.Equal(t, 3, report.Rows)
		assert.Equal(t, 3, report.Invalid)
		assert.Equal(t, 3, len(report.Errors)+report.MoreErrors, "%d listed", listed)
		assert.False(t, report.OK())
		if most > 0 {
			continue
		}
		assert.Contains(t, report.Italian(), "Riga 4: Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2.\n- Riga 5, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.\n- Riga 6: Doppione")
		var b bytes.Buffer
		require.NoError(t, tpl.Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), &report))
		assert.Contains(t, comment(t, b.Bytes(), "A4"), "Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2.")
		assert.Contains(t, comment(t, b.Bytes(), "B5"), "Il testo ha 5 caratteri")
	}

	var report excel.Report
	added, err := w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), flow.AddConfig{SkipInvalid: true})
	require.NoError(t, err)
	flowexcel.Complete(&report, added)
	assert.Contains(t, report.Italian(), "Riga 2: Esiste già una notifica uguale, nello stato «")
	assert.NotContains(t, report.Italian(), "Riga 7:")
}

// A list of what is doubtful may be shorter than what there is: the rest is counted.
func TestCompleteCountsUnlistedDuplicates(t *testing.T) {
	tpl := template(t)
	fill := map[string]any{}
	for row := 2; row <= 6; row++ {
		fill[cell("A", row)], fill[cell("B", row)], fill[cell("C", row)] = citizen(row).Reveal(), "Scadenza della TARI", text
	}
	file := blankFilled(t, fill)
	for most, listed := range map[int]int{0: 5, 2: 2, 5: 5} {
		w := newWorld(t)
		var report excel.Report
		_, added, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil), flow.AddConfig{})
		require.NoError(t, err)
		require.Equal(t, 5, added.Added)
		more := edited(t, file, map[string]any{"A7": citizen(7).Reveal(), "B7": "Scadenza della TARI", "C7": text}) // the same file would be known as a whole
		_, added, err = w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, tpl.Rows(t.Context(), bytes.NewReader(more), int64(len(more)), &report), flow.AddConfig{MaxErrors: most})
		require.NoError(t, err)
		before := len(report.Notes) // of the codes
		flowexcel.Complete(&report, added)
		assert.Len(t, report.Notes[before:], listed, "at most %d", most)
		assert.Equal(t, 5-listed, report.MoreNotes, "at most %d", most)
	}
}

// A service may have other limits than the template: then its errors are told at their
// columns.
func TestCompleteTellsADraftsErrorsAtTheirColumns(t *testing.T) {
	w := newWorld(t)
	tpl, err := flowexcel.New(flowexcel.Config{Limits: flow.PlatformLimits()})
	require.NoError(t, err)
	file := blankFilled(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text[:100]})
	var report excel.Report
	added, err := w.AddNotifications(t.Context(), operator, w.flow.ID, tpl.Rows(t.Context(), bytes.NewReader(file), int64(len(file)), &report), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	flowexcel.Complete(&report, added)
	require.Len(t, report.Errors, 1)
	assert.Equal(t, "Riga 2, colonna C (Contenuto): Il contenuto ha 99 caratteri: devono essere da 120 a 10.000.", report.Errors[0].Italian())
}

func TestALoopThatIsLeftEndsTheReading(t *testing.T) {
	file := blankFilled(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "A3": code, "B3": "corto", "C3": text})
	for _, err := range template(t).Rows(t.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		require.NoError(t, err)
		break
	}
	var file2 *excel.FileError
	for row, err := range template(t).Rows(t.Context(), strings.NewReader("%PDF-1.7"), 8, nil) {
		assert.Zero(t, row.Number)
		assert.True(t, errors.As(err, &file2))
	}
}
