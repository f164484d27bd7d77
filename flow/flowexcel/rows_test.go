package flowexcel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
)

const (
	code = "MSCMHL68P18H211K"
	text = "Gentile contribuente, la prima rata della TARI scade il 16 giugno e può essere pagata dall'app con l'avviso che è allegato a questo messaggio."
)

func TestRowsOfAFilledInTemplate(t *testing.T) {
	rows, errs, report := imports(t).Read(t, imports(t).Fill(t, map[string]any{
		"A2": code, "B2": "Scadenza della TARI", "C2": text,
		"A4": " rssmra80a01h501u", "B4": "Prima rata della TARI", "C4": text + "\nCordiali saluti.", "D4": time.Date(2099, 6, 16, 0, 0, 0, 0, time.UTC),
		"E4": 123.45, "F4": "301005100001400678", "G4": "80185250588", "H4": "Sì", "I4": "TARI-1", "J4": "sollecito marzo",
	}))
	require.Empty(t, errs, report.Italian())
	to := must.Get(flussi.ParseFiscalCode(code))(t)
	other := must.Get(flussi.ParseFiscalCode("RSSMRA80A01H501U"))(t)
	number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	payee := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	assert.Equal(t, []flow.Row{
		{Number: 2, Draft: flow.Draft{Recipient: to, Subject: flussi.NewText("Scadenza della TARI"), Content: flussi.NewText(text)}},
		{Number: 4, Draft: flow.Draft{
			Recipient: other, Subject: flussi.NewText("Prima rata della TARI"), Content: flussi.NewText(text + "\nCordiali saluti."),
			DueDate: time.Date(2099, 6, 16, 21, 59, 59, 0, time.UTC), Amount: 12345, IsPayment: true, PayableAfterDue: true, NoticeNumber: number, Payee: payee, Reference: "TARI-1", Occasion: "sollecito marzo"}},
	}, rows)
	assert.True(t, report.OK())
}

func TestHeadersThatOfficesWrite(t *testing.T) {
	imports(t).CheckHeaders(t, importHeaders, map[string][]string{
		"Codice fiscale":        {"C.F.", "CF", "cf dest", "Cod. Fisc.", "COD. FISCALE", "Codice fiscale destinatario", "Destinatario", "Codice fiscale / Partita IVA", "CODICE\nFISCALE"},
		"Oggetto":               {"Oggetto messaggio", "OGGETTO:", "Titolo"},
		"Contenuto":             {"Testo", "Messaggio", "Corpo", "Testo del messaggio"},
		"Scadenza":              {"Data scadenza", "Data di scadenza", "Scade il", "Scad."},
		"Somma":                 {"Importo", "Importo (€)", "Importo in euro", "Totale da pagare"},
		"Numero avviso":         {"Codice avviso", "NAV", "N° avviso", "Nº avviso", "N. Avviso", "Numero avviso pagoPA", "numero_avviso"},
		"Ente creditore":        {"C.F. ente creditore", "P.IVA ente", "Partita IVA ente", "Codice fiscale ente", "CF Ente"},
		"Paga dopo la scadenza": {"Pagabile dopo la scadenza"},
		"Riferimento":           {"Rif.", "Riferimento interno"},
	}, []any{code, "Scadenza della TARI", text, "16/06/2099", "12,50", "301005100001400678", "80185250588", "no", "R-1"}, func(r flow.Row) {
		assert.Equal(t, flussi.Cents(1250), r.Draft.Amount)
		assert.Equal(t, "R-1", r.Draft.Reference)
	})
}

func TestAFileThatIsNoImportIsRefusedWithAHint(t *testing.T) {
	w := newWorld(t)
	w.seed(t, 2, sent)
	for name, c := range map[string]struct {
		file []byte
		hint string
	}{
		"an export":               {w.export(t), "Il file è un'esportazione, e le sue notifiche ci sono già. Per correggere le notifiche in «Errore», caricare il file come correzione."},
		"an export, without UUID": {w.edited(t, map[string]any{"K1": nil, "K2": nil}), "La colonna O non è ammessa. È una colonna delle esportazioni: se il file non è un'esportazione, togliere la colonna."},
		"with the IUV":            {exceltest.Sheet(t, exceltest.Cells([]string{"CF", "Oggetto", "Testo", "Importo", "I.U.V."}), []any{code, "Scadenza della TARI", text, "1,00", "05100001400678"}), "La colonna E non è ammessa. Serve il numero avviso di 18 cifre, che si trova sull'avviso di pagamento"},
	} {
		rows, errs, report := imports(t).Read(t, c.file)
		assert.Empty(t, rows, name)
		require.Len(t, errs, 1, name)
		require.ErrorIs(t, errs[0], excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(errs[0]), c.hint, name)
		f := must.Get(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
		_, err := w.add(t, f.ID, rowsOf(t, template(t), c.file, nil), flow.AddConfig{SkipInvalid: true})
		require.ErrorIs(t, err, excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(err), c.hint, name)
		told := flowexcel.Italian(&report.Report, flow.AddReport{}, 0)
		assert.Equal(t, 2, strings.Count(told, "\n"), told)
		assert.Contains(t, told, c.hint, name)
	}
}

// Every rule is told at the cell that breaks it.
func TestWrongRowsAreToldAtTheirCells(t *testing.T) {
	short := text[:110]
	imports(t).CheckWrongCells(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "D2": "16/06/2099", "E2": 12.5, "F2": "301005100001400678", "G2": "80185250588", "H2": "Sì", "I2": "R"}, map[string]exceltest.WrongCell{
		"no recipient":         {map[string]any{"A2": nil}, "A", excel.ErrRequired, "obbligatorio"},
		"a company":            {map[string]any{"A2": "80185250588"}, "A", flussi.ErrNotPersonal, ""},
		"subject too short":    {map[string]any{"B2": "corto"}, "B", flussi.ErrLength, "devono essere da 10 a 120"},
		"subject too long":     {map[string]any{"B2": strings.Repeat("😀", 61)}, "B", flussi.ErrLength, "ogni emoji conta due"},
		"subject backwards":    {map[string]any{"B2": "Scadenza \u202eIRAT"}, "B", flussi.ErrCharacter, "U+202E, in posizione 10"},
		"content with C1":      {map[string]any{"C2": text + "\u009b"}, "C", flussi.ErrCharacter, "U+009B"},
		"content too short":    {map[string]any{"C2": short}, "C", flussi.ErrLength, "devono essere da 120 a 10.000"},
		"no front matter":      {map[string]any{"C2": "---\n" + text}, "C", nil, ""},
		"no such day":          {map[string]any{"D2": "31/04/2099"}, "D", flussi.ErrDate, ""},
		"a time of day":        {map[string]any{"D2": "16/06/2099 12:00"}, "D", excel.ErrTimeOfDay, "sola data"},
		"amount of zero":       {map[string]any{"E2": 0}, "E", flussi.ErrRange, ""},
		"amount alone":         {map[string]any{"F2": nil}, "F", flow.ErrPayment, "C'è la somma ma manca il numero avviso: scriverlo, oppure togliere la somma."},
		"notice number alone":  {map[string]any{"E2": nil}, "E", flow.ErrPayment, "C'è il numero avviso ma manca la somma: scriverla, oppure togliere il numero avviso."},
		"notice as a number":   {map[string]any{"F2": 301005100001400678}, "F", flussi.ErrDigitsLost, ""},
		"payee alone":          {map[string]any{"E2": nil, "F2": nil, "H2": nil}, "G", flow.ErrPayment, "C'è un ente creditore"},
		"late payment of none": {map[string]any{"E2": nil, "F2": nil, "G2": nil}, "H", excel.ErrCheck, "non è una notifica di pagamento"},
		"neither yes nor no":   {map[string]any{"H2": "forse"}, "H", excel.ErrChoice, ""},
		"reference too long":   {map[string]any{"I2": strings.Repeat("x", 256)}, "I", flussi.ErrLength, "255"},
	})
}

// A word about payments that are none says nothing.
func TestNoInAPaymentColumnNeedsNoPayment(t *testing.T) {
	rows, errs, report := imports(t).Read(t, imports(t).Fill(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "H2": "No"}))
	require.Empty(t, errs, report.Italian())
	assert.False(t, rows[0].Draft.IsPayment)
}

// What passes the template passes the flow, whatever the limits are.
func TestWhatTheTemplateTakesTheFlowTakes(t *testing.T) {
	content := text[:90]
	for _, limits := range []flow.Limits{{}, flow.PlatformLimits(), {MinSubject: 15, MaxSubject: 40, MinContent: 80, MaxContent: 200}, {MinSubject: 100, MaxSubject: 110, MinContent: 500, MaxContent: 510}} {
		tpl := must.Get(flowexcel.New(flowexcel.Config{Limits: limits}))(t)
		file := imports(t).Fill(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": content})
		var report excel.Report
		for row, err := range rowsOf(t, tpl, file, &report) {
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
	file := imports(t).Fill(t, good)
	var report excel.Report
	tpl := template(t)
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{}))(t)
	assert.Equal(t, 2, added.Added)

	cut := file[:len(file)-100]
	require.ErrorIs(t, must.Err(w.add(t, w.flow.ID, rowsOf(t, tpl, cut, &report), flow.AddConfig{SkipInvalid: true})), excel.ErrTruncated)

	good["B3"] = "corto"
	file = imports(t).Fill(t, good)
	added, err := w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.Len(t, added.Errors, 1, "what the flow has already is no error")
	assert.Equal(t, "Riga 3, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.", added.Errors[0].Italian())
}

func TestACSVFileIsReadToo(t *testing.T) {
	csv := "C.F.;Oggetto;Testo;Scade il;Importo;NAV\n" +
		code + ";Scadenza della TARI;\"" + text + "\";16/06/2099;\"1.234,50\";301005100001400678\n" +
		code + ";corto;\"" + text + "\";;;\n"
	rows, errs, report := imports(t).Read(t, []byte(csv))
	require.Len(t, rows, 1, report.Italian())
	assert.Equal(t, flussi.Cents(123450), rows[0].Draft.Amount)
	assert.Equal(t, time.Date(2099, 6, 16, 21, 59, 59, 0, time.UTC), rows[0].Draft.DueDate)
	require.Len(t, errs, 1)
	assert.Equal(t, excel.CSV, report.Format)
	assert.Contains(t, exceltest.Comment(t, imports(t).Mark(t, []byte(csv), report), "B3"), "Il testo ha 5 caratteri")
}

// A sum that the operator has added below is no notification.
func TestRowWithTheSumIsIgnored(t *testing.T) {
	imports(t).CheckSum(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "E2": 12.5, "F2": "301005100001400678"}, "E")
}

func TestPastDueDatesAndDoubtfulCodesAreWarnings(t *testing.T) {
	strict := must.Get(flowexcel.New(flowexcel.Config{Codes: flussi.Strict}))(t)
	imports(t).CheckWarnings(t, importsOf(strict), map[string]any{"A2": citizen(1).Reveal(), "B2": "Scadenza della TARI", "C2": text}, "")
}

// What only the flow can tell is told with what the reading found, and marked.
func TestItalianTellsWhatTheFlowFound(t *testing.T) {
	w := newWorld(t)
	earlier := must.Get(w.CreateFlow(t.Context(), operator, taxes, flow.Details{}))(t)
	tpl := template(t)
	fill := filled(6)
	file := imports(t).Fill(t, fill)
	must.Get(w.add(t, earlier.ID, rowsOf(t, tpl, file, nil), flow.AddConfig{}))(t)

	fill["A4"] = fill["A2"]        // the same as row 2
	fill["B5"] = "corto"           // the template refuses it
	fill["A6"] = fill["A2"]        // once more
	fill["C7"] = text + " Saluti." // not the same as in the other flow
	file = imports(t).Fill(t, fill)
	for most, listed := range map[int]int{0: 3, 1: 1, 2: 2} {
		var report excel.Report
		added, err := w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{MaxErrors: most})
		require.ErrorIs(t, err, flussi.ErrRows)
		told := flowexcel.Italian(&report, added, 0)
		assert.Contains(t, told, "Righe senza errori: 3. Righe con errori: 3.")
		assert.Equal(t, listed, strings.Count(told, "\n- Riga ")-len(report.Notes))
		if listed < 3 {
			assert.Regexp(t, fmt.Sprintf(`… e %d altr(o errore|i errori)\.`, 3-listed), told)
		}
		if most > 0 {
			continue
		}
		assert.Contains(t, told, "Riga 4: Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2. Togliere una delle due righe; se il cittadino deve ricevere due messaggi, indicare un'occasione diversa.\n- Riga 5, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120.\n- Riga 6: Doppione")
		var b bytes.Buffer
		require.NoError(t, tpl.Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), &report, added))
		assert.Contains(t, exceltest.Comment(t, b.Bytes(), "A4"), "Doppione: lo stesso messaggio per lo stesso cittadino è già alla riga 2.")
		assert.Contains(t, exceltest.Comment(t, b.Bytes(), "B5"), "Il testo ha 5 caratteri")
	}

	var report excel.Report
	added := must.Get(w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{SkipInvalid: true}))(t)
	told := flowexcel.Italian(&report, added, 0)
	assert.Contains(t, told, "Riga 2: Esiste già una notifica uguale, nello stato «")
	assert.NotContains(t, told, "Riga 7:")
}

// A list of what is doubtful may be shorter than what there is: the rest is counted.
func TestItalianCountsUnlistedDuplicates(t *testing.T) {
	tpl := template(t)
	file := imports(t).Fill(t, filled(5))
	for most, listed := range map[int]int{0: 5, 2: 2, 5: 5} {
		w := newWorld(t)
		var report excel.Report
		_, added, err := w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, rowsOf(t, tpl, file, nil), flow.AddConfig{})
		require.NoError(t, err)
		require.Equal(t, 5, added.Added)
		more := imports(t).Fill(t, filled(6)) // the same file would be known as a whole
		_, added, err = w.ImportFlow(t.Context(), operator, taxes, flow.Details{}, rowsOf(t, tpl, more, &report), flow.AddConfig{MaxErrors: most})
		require.NoError(t, err)
		told := flowexcel.Italian(&report, added, 0)
		assert.Equal(t, listed, strings.Count(told, "\n- Riga ")-len(report.Notes), "at most %d", most) // beside those of the codes
		if listed < 5 {
			assert.Regexp(t, fmt.Sprintf(`… e %d altr(a osservazione|e osservazioni)\.`, 5-listed), told)
		}
		assert.Equal(t, told, flowexcel.Italian(&report, added, 0), "it changes nothing")
	}
}

// A service may have other limits than the template: then its errors are told at their
// columns.
func TestItalianTellsADraftsErrorsAtTheirColumns(t *testing.T) {
	w := newWorld(t)
	tpl, err := flowexcel.New(flowexcel.Config{Limits: flow.PlatformLimits()})
	require.NoError(t, err)
	file := imports(t).Fill(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text[:100]})
	var report excel.Report
	added, err := w.add(t, w.flow.ID, rowsOf(t, tpl, file, &report), flow.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	require.Len(t, added.Errors, 1)
	assert.Equal(t, "Riga 2, colonna C (Contenuto): Il contenuto ha 99 caratteri: devono essere da 120 a 10.000.", report.Locate(added.Errors[0]).Italian())
	assert.Contains(t, flowexcel.Italian(&report, added, 0), "\n- "+report.Locate(added.Errors[0]).Italian()+"\n")
}

func TestBreakEndsTheReading(t *testing.T) {
	imports(t).CheckLoopLeft(t, imports(t).Fill(t, map[string]any{"A2": code, "B2": "Scadenza della TARI", "C2": text, "A3": code, "B3": "corto", "C3": text}))
}

// The first line says what was imported, in every case that the reports can tell.
func TestItalianBeginsWithWhatWasImported(t *testing.T) {
	rows := func(n, invalid int) flussi.ImportReport { return flussi.ImportReport{Rows: n, Invalid: invalid} }
	at := time.Date(2026, 11, 30, 6, 14, 0, 0, time.UTC)
	const counts = "Righe senza errori: "
	for want, c := range map[string]struct {
		read  excel.Report
		added flow.AddReport
	}{
		"Notifiche importate: 1.044.\n" + counts: {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(1044, 0), Added: 1044}},
		"Notifiche importate: 44.\n" + counts:    {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(46, 2), Added: 44}},
		"Notifiche importate: 1.\n" + counts:     {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(1, 0), Added: 1, Disabled: 1, DuplicateCount: 1}},
		"Nessuna notifica è stata importata: correggere le righe con errori e importare di nuovo il file.\n": {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 2)}},
		"Nessuna notifica è stata importata: correggere la riga con errori e importare di nuovo il file.\n":  {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 1)}},
		"Nessuna notifica è stata importata: le righe senza errori sono già nel flusso.\n":                   {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 1), DuplicateCount: 2}},
		"Nessuna notifica è stata importata.\nIl file è vuoto.\n":                                            {excel.Report{Err: &excel.FileError{Err: excel.ErrFormat, Reason: "Il file è vuoto."}}, flow.AddReport{ImportReport: rows(3, 1)}},
		"Queste righe sono già state importate il 30/11/2026 alle 07:14: non è stato aggiunto niente.\n":     {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 0), ImportedAt: at}},
		counts + "0.": {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 0)}}, // such as a failure of the store
		"Le righe senza errori sono già state importate il 30/11/2026 alle 07:14: non è stato aggiunto niente.\n": {excel.Report{Complete: true}, flow.AddReport{ImportReport: rows(3, 1), ImportedAt: at}},
		"La lettura è stata interrotta": {excel.Report{}, flow.AddReport{ImportReport: rows(3, 1)}},
	} {
		told := flowexcel.Italian(&c.read, c.added, 0)
		assert.True(t, strings.HasPrefix(told, want), "%s: %s", want, told)
	}
}
