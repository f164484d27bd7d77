package noticeexcel_test

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
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/noticeexcel"
)

const (
	pupil    = "MSCMHL68P18H211K"
	guardian = "RSSMRA80A01H501U"
)

func TestRowsOfAFilledInTemplate(t *testing.T) {
	rows, errs, report := imports(t).Read(t, imports(t).Fill(t, map[string]any{
		"A2": pupil,
		"A4": " rssmra80a01h501u", "B4": "Rossi Mario", "C4": "Personale", "E4": 2, "F4": 30.5, "G4": "1,50", "H4": time.Date(2099, 6, 16, 0, 0, 0, 0, time.UTC), "I4": "GITA-1",
		"A5": pupil, "B5": "Moschini Michele", "C5": "ALUNNO", "D5": guardian,
	}))
	require.Empty(t, errs, report.Italian())
	assert.Equal(t, []pagoinrete.NoticeRow{
		{Number: 2, Draft: pagoinrete.NoticeDraft{Debtor: code(pupil), DebtorKind: pagoinrete.DebtorPupil}},
		{Number: 4, Draft: pagoinrete.NoticeDraft{Debtor: code(guardian), DebtorKind: pagoinrete.DebtorStaff, DebtorName: flussi.NewText("Rossi Mario"), Instalment: 2,
			Amount: 3_050, Discount: 150, DueDate: time.Date(2099, 6, 16, 21, 59, 59, 0, time.UTC), Reference: "GITA-1"}},
		{Number: 5, Draft: pagoinrete.NoticeDraft{Debtor: code(pupil), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Moschini Michele"), Payer: code(guardian)}},
	}, rows)
	assert.True(t, report.OK())
}

func TestTheTemplateOffersTheKinds(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, template(t).Blank(t.Context(), &b))
	f, rows := exceltest.Open(t, b.Bytes())
	assert.Equal(t, importHeaders, rows[0])
	checks := must.Get(f.GetDataValidations("Avvisi"))(t)
	lists := 0
	for _, c := range checks {
		if strings.HasPrefix(c.Sqref, "C") {
			lists++
			assert.Contains(t, c.Formula1, "alunno,personale")
		}
	}
	assert.Equal(t, 1, lists)
	assert.Contains(t, f.GetSheetList(), "Guida Rapida")
}

func TestHeadersThatSchoolsWrite(t *testing.T) {
	imports(t).CheckHeaders(t, importHeaders, map[string][]string{
		"Codice fiscale debitore": {"Codice fiscale", "C.F.", "CF", "CF alunno", "C.F. alunno/a", "Codice fiscale alunno", "CODICE FISCALE\nDELL'ALUNNO", "Cod. Fisc.", "codice_fiscale_studente"},
		"Cognome e nome":          {"Cognome Nome", "COGNOME/NOME", "Nome e Cognome", "Nominativo", "Alunno", "Alunno/a"},
		"Tipo":                    {"Tipo debitore", "Tipologia"},
		"Codice fiscale versante": {"CF tutore", "CF genitore", "Versante", "C.F. del versante", "Codice Fiscale Genitore/Tutore", "Codice fiscale del genitore"},
		"Rata":                    {"N. rata", "N° rata", "Numero rata", "Rata n."},
		"Importo":                 {"Importo (€)", "Somma", "Quota", "Importo dovuto", "Totale da pagare"},
		"Sconto":                  {"Sconto (€)", "Riduzione"},
		"Scadenza":                {"Data scadenza", "Data di scadenza", "Scade il", "Scad."},
		"Riferimento":             {"Rif.", "Riferimento interno"},
	}, []any{pupil, "Moschini Michele", "alunno", guardian, "1", "12,50", "0,50", "16/06/2099", "R-1"}, func(r pagoinrete.NoticeRow) {
		assert.Equal(t, pagoinrete.NoticeDraft{Debtor: code(pupil), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Moschini Michele"), Payer: code(guardian),
			Instalment: 1, Amount: 1_250, Discount: 50, DueDate: endOfDay(t, 2099, 6, 16), Reference: "R-1"}, r.Draft)
	})
}

func TestAFileThatIsNoImportIsRefusedWithAHint(t *testing.T) {
	w := newWorld(t)
	_, err := w.AddNotices(t.Context(), assistant, w.event.ID, pagoinrete.NoticeDraftRows(pagoinrete.NoticeDraft{Debtor: person(1)}), pagoinrete.AddConfig{})
	require.NoError(t, err)
	ours := export(t, w.AllNotices(t.Context(), assistant, pagoinrete.NoticeFilter{Event: w.event.ID}))
	for name, c := range map[string]struct {
		file []byte
		hint string
	}{
		"an export":               {ours, "Il file è un'esportazione, e i suoi avvisi ci sono già: se importati, farebbero pagare due volte."},
		"an export, without UUID": {exceltest.Edit(t, ours, map[string]any{"K1": nil, "K2": nil}), "La colonna O non è ammessa. Il numero avviso è assegnato da Pago In Rete alla trasmissione"},
		"with the notice number":  {exceltest.Sheet(t, exceltest.Cells([]string{"CF", "N.A.V."}), []any{pupil, "301005100001400678"}), "La colonna B non è ammessa. Il numero avviso è assegnato da Pago In Rete"},
		"with the IUV":            {exceltest.Sheet(t, exceltest.Cells([]string{"CF", "I.U.V."}), []any{pupil, "05100001400678"}), "La colonna B non è ammessa. Lo IUV è assegnato da Pago In Rete"},
	} {
		rows, errs, _ := imports(t).Read(t, c.file)
		assert.Empty(t, rows, name)
		require.Len(t, errs, 1, name)
		require.ErrorIs(t, errs[0], excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(errs[0]), c.hint, name)
		before := len(w.notices(t))
		_, _, err = w.add(t, c.file, pagoinrete.AddConfig{SkipInvalid: true})
		require.ErrorIs(t, err, excel.ErrHeader, name)
		assert.Contains(t, flussi.Explain(err), c.hint, name)
		assert.Len(t, w.notices(t), before, name)
	}
}

// Every rule is told at the cell that breaks it.
func TestWrongRowsAreToldAtTheirCells(t *testing.T) {
	imports(t).CheckWrongCells(t, map[string]any{"A2": pupil, "B2": "Moschini Michele", "C2": "alunno", "D2": guardian, "E2": 1, "F2": 12.5, "G2": 0.5, "H2": "16/06/2099", "I2": "R"}, map[string]exceltest.WrongCell{
		"no debtor":               {map[string]any{"A2": nil}, "A", excel.ErrRequired, "obbligatorio"},
		"a company":               {map[string]any{"A2": "80185250588"}, "A", flussi.ErrNotPersonal, ""},
		"name too long":           {map[string]any{"B2": strings.Repeat("x", 101)}, "B", flussi.ErrLength, "100"},
		"name of two lines":       {map[string]any{"B2": "Rossi\nMaria"}, "B", flussi.ErrCharacter, "caratteri non validi"},
		"name written backwards":  {map[string]any{"B2": "Rossi \u202eairaM"}, "B", flussi.ErrCharacter, "U+202E, in posizione 7"},
		"another kind":            {map[string]any{"C2": "esterno"}, "C", excel.ErrChoice, "alunno"},
		"a name for a payer":      {map[string]any{"D2": "Rossi Mario"}, "D", nil, ""},
		"a payer for staff":       {map[string]any{"C2": "personale"}, "D", excel.ErrCheck, "paga per sé"},
		"no instalment":           {map[string]any{"E2": 0}, "E", flussi.ErrRange, ""},
		"no event has so many":    {map[string]any{"E2": 25}, "E", flussi.ErrRange, "24"},
		"instalment in words":     {map[string]any{"E2": "unica"}, "E", nil, ""},
		"amount of zero":          {map[string]any{"F2": 0}, "F", flussi.ErrRange, ""},
		"discount in percent":     {map[string]any{"G2": "10%"}, "G", nil, ""},
		"all of it discounted":    {map[string]any{"G2": 12.5}, "G", flussi.ErrRange, "non resterebbe nulla da pagare"},
		"no such day":             {map[string]any{"H2": "31/04/2099"}, "H", flussi.ErrDate, ""},
		"long ago":                {map[string]any{"H2": "31/12/1999"}, "H", flussi.ErrRange, ""},
		"a time of day":           {map[string]any{"H2": "16/06/2099 12:00"}, "H", excel.ErrTimeOfDay, "sola data"},
		"reference too long":      {map[string]any{"I2": strings.Repeat("x", 256)}, "I", flussi.ErrLength, "255"},
		"reference of two lines":  {map[string]any{"I2": "a\nb"}, "I", flussi.ErrCharacter, ""},
		"amount read in two ways": {map[string]any{"F2": "1.234"}, "F", flussi.ErrAmbiguous, ""},
	})
}

// Who pays for themselves may be named as the payer too.
func TestStaffMayPayForThemselves(t *testing.T) {
	rows, errs, report := imports(t).Read(t, imports(t).Fill(t, map[string]any{"A2": guardian, "C2": "personale", "D2": guardian}))
	require.Empty(t, errs, report.Italian())
	assert.Equal(t, rows[0].Draft.Debtor, rows[0].Draft.Payer)
}

func TestAnImportCreatesAllNoticesOrNone(t *testing.T) {
	w := newWorld(t)
	good := map[string]any{"A2": pupil, "D2": guardian, "A3": guardian, "C3": "personale", "E3": 1}
	file := imports(t).Fill(t, good)
	cut := file[:len(file)-100]
	_, _, err := w.add(t, cut, pagoinrete.AddConfig{SkipInvalid: true})
	require.ErrorIs(t, err, excel.ErrTruncated)
	assert.Empty(t, w.notices(t))

	good["G3"] = "10%"
	added, _, err := w.add(t, imports(t).Fill(t, good), pagoinrete.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Empty(t, w.notices(t))
	require.Len(t, added.Errors, 1)
	assert.True(t, strings.HasPrefix(added.Errors[0].Italian(), "Riga 3, colonna G (Sconto): "), added.Errors[0].Italian())

	added, report, err := w.add(t, file, pagoinrete.AddConfig{})
	require.NoError(t, err, noticeexcel.Italian(report, added, 0))
	assert.Equal(t, 4, added.Notices, "three instalments, and one")
	assert.Equal(t, flussi.Cents(15_000), added.Amount)
	assert.True(t, report.OK())

	// The same file again: everybody has their notices already.
	added, report, err = w.add(t, file, pagoinrete.AddConfig{})
	require.ErrorIs(t, err, flussi.ErrRows)
	assert.Equal(t, 2, added.Invalid)
	assert.Contains(t, noticeexcel.Italian(report, added, 0), "Riga 2: Doppione: un avviso per lo stesso debitore e la rata 1 è già nell'evento. Togliere la riga.")
	assert.Len(t, w.notices(t), 4)
}

func TestACSVFileIsReadToo(t *testing.T) {
	csv := "CF alunno;Alunno;CF genitore;Quota;Scade il\n" +
		pupil + ";Moschini Michele;" + guardian + ";\"1.234,50\";16/06/2099\n" +
		pupil + ";;;1.234;\n"
	rows, errs, report := imports(t).Read(t, []byte(csv))
	require.Len(t, rows, 1, report.Italian())
	assert.Equal(t, flussi.Cents(123450), rows[0].Draft.Amount)
	assert.Equal(t, endOfDay(t, 2099, 6, 16), rows[0].Draft.DueDate)
	require.Len(t, errs, 1)
	assert.Equal(t, excel.CSV, report.Format)
	assert.Contains(t, exceltest.Comment(t, imports(t).Mark(t, []byte(csv), report), "D3"), "Da correggere")
}

// A sum that the office has added below is no notice.
func TestRowWithTheSumIsIgnored(t *testing.T) {
	imports(t).CheckSum(t, map[string]any{"A2": pupil, "F2": 12.5}, "F")
}

func TestPastDueDatesAndDoubtfulCodesAreWarnings(t *testing.T) {
	strict := must.Get(noticeexcel.New(noticeexcel.Config{Codes: flussi.Strict}))(t)
	imports(t).CheckWarnings(t, importsOf(strict), map[string]any{"A2": person(1).Reveal()}, "H")
}

func TestNewListsWhatIsWrongWithTheConfiguration(t *testing.T) {
	_, err := noticeexcel.New(noticeexcel.Config{File: excel.Limits{Rows: -1}})
	var defects *excel.TemplateError
	require.ErrorAs(t, err, &defects)
}

// What only the event can tell is told at its column, and marked.
func TestItalianTellsWhatTheEventFound(t *testing.T) {
	for _, most := range []int{0, 1, 2, 4} {
		w := newWorld(t)
		file := imports(t).Fill(t, map[string]any{
			"A2": person(2).Reveal(), "E2": 1,
			"A3": person(3).Reveal(), "E3": 4, // there are three
			"A4": person(4).Reveal(), "E4": 1, "F4": 12.5, // the event says 50
			"A5": person(5).Reveal(), "H5": "16/06/2099", // of which instalment?
			"A6": person(6).Reveal(), "G6": "10%", // the template refuses it
			"A7": person(2).Reveal(),            // it has the first instalment
			"A8": person(8).Reveal(), "G8": 999, // more than is due
			"A9": person(9).Reveal(),
		})
		added, report, err := w.add(t, file, pagoinrete.AddConfig{MaxErrors: most})
		require.ErrorIs(t, err, flussi.ErrRows)
		assert.Equal(t, 6, added.Invalid)
		told := noticeexcel.Italian(report, added, 0)
		assert.Contains(t, told, "Righe senza errori: 2. Righe con errori: 6.", "at most %d", most)
		if most > 0 {
			assert.Regexp(t, fmt.Sprintf(`… e %d altr(o errore|i errori)\.`, 6-most), told)
			continue
		}
		var b bytes.Buffer
		require.NoError(t, template(t).Annotate(t.Context(), &b, bytes.NewReader(file), int64(len(file)), report, added))
		for ref, text := range map[string]string{
			"E3": "La rata non esiste: l'evento ha 3 rate.", "F4": "L'importo è 12,50 €, quello previsto 50,00 €.",
			"H5": "Con la scadenza va indicata anche la rata.", "A7": "Doppione: un avviso per lo stesso debitore e la rata 1 è già alla riga 2. Togliere una delle due righe.",
			"G8": "non resterebbe nulla da pagare", "G6": "Da correggere",
		} {
			assert.Contains(t, exceltest.Comment(t, b.Bytes(), ref), text, ref)
		}
	}
}

func TestBreakEndsTheReading(t *testing.T) {
	imports(t).CheckLoopLeft(t, imports(t).Fill(t, map[string]any{"A2": pupil, "A3": "x"}))
}

// The first line says what was created, in every case that the reports can tell.
func TestItalianBeginsWithWhatWasCreated(t *testing.T) {
	rows := func(n, invalid int) flussi.ImportReport { return flussi.ImportReport{Rows: n, Invalid: invalid} }
	const counts = "Righe senza errori: "
	for want, c := range map[string]struct {
		read  excel.Report
		added pagoinrete.AddReport
	}{
		"Avvisi creati: 1.044.\n" + counts: {excel.Report{Complete: true}, pagoinrete.AddReport{ImportReport: rows(348, 0), Notices: 1044}},
		"Avvisi creati: 1.\n" + counts:     {excel.Report{Complete: true}, pagoinrete.AddReport{ImportReport: rows(2, 1), Notices: 1}},
		"Nessun avviso è stato creato: correggere le righe con errori e importare di nuovo il file.\n": {excel.Report{Complete: true}, pagoinrete.AddReport{ImportReport: rows(3, 2)}},
		"Nessun avviso è stato creato: correggere la riga con errori e importare di nuovo il file.\n":  {excel.Report{Complete: true}, pagoinrete.AddReport{ImportReport: rows(3, 1)}},
		"Nessun avviso è stato creato.\nIl file è vuoto.\n":                                            {excel.Report{Err: &excel.FileError{Err: excel.ErrFormat, Reason: "Il file è vuoto."}}, pagoinrete.AddReport{ImportReport: rows(3, 1)}},
		counts + "0.":                   {excel.Report{Complete: true}, pagoinrete.AddReport{ImportReport: rows(3, 0)}}, // such as a failure of the store
		"La lettura è stata interrotta": {excel.Report{}, pagoinrete.AddReport{ImportReport: rows(3, 1)}},
	} {
		told := noticeexcel.Italian(&c.read, c.added, 0)
		assert.True(t, strings.HasPrefix(told, want), "%s: %s", want, told)
	}
}
