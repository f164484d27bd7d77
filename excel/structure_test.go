package excel_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

const (
	code  = "MSCMHL68P18H211K"
	other = "RSSMRA80A01H501U"
)

var content = strings.Repeat("testo ", 19) + "testo."

// row writes a row of text cells; an empty text is no cell.
func row(number int, texts ...string) string {
	return rowWith(number, "", texts...)
}

func rowWith(number int, attributes string, texts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d"%s>`, number, attributes)
	for i, text := range texts {
		if text != "" {
			fmt.Fprintf(&b, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, number, text)
		}
	}
	return b.String() + `</row>`
}

var (
	headers = []string{"Codice fiscale", "Oggetto", "Contenuto"}
	good    = []string{code, "Oggetto di prova", content}

	headRow  = row(1, headers...)
	goodRows = headRow + row(2, good...)

	csvHeaders, csvGood = strings.Join(headers, ";"), strings.Join(good, ";")
)

func book(t *testing.T, rows string, behind ...string) []byte {
	return xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: xlsxtest.Sheet(rows, behind...)})
}

func goodBook(t *testing.T) []byte { return book(t, goodRows) }

// sheets makes a workbook of two sheets, with the state attributes given.
func sheets(t *testing.T, first, second string, states ...string) []byte {
	states = append(states, "", "")
	return xlsxtest.Book(t, xlsxtest.Parts{
		xlsxtest.Sheet1: xlsxtest.Sheet(first), xlsxtest.Sheet2: xlsxtest.Sheet(second),
		xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="Primo" ` + states[0] + ` r:id="rId1"/><sheet name="Secondo" ` + states[1] + ` r:id="rId4"/></sheets></workbook>`,
	})
}

func numbers(d *decoded) []int {
	var n []int
	for _, line := range d.lines {
		n = append(n, line.Number)
	}
	return n
}

func TestTheHeaderIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		row  int
		rows []int
	}{
		"in the first row":             {goodBook(t), 1, []int{2}},
		"in row 4 under merged titles": {book(t, row(1, "Comune di Prova")+row(2, "", "Elenco", "Contenuto")+row(4, headers...)+row(5, good...)+row(6, good...), `<mergeCells><mergeCell ref="A1:C2"/></mergeCells>`), 4, []int{5, 6}},
		"by aliases":                   {book(t, row(1, " C. F.\nDest ", "OGGETTO:", "mèssaggio")+row(2, good...)), 1, []int{2}},
		"in another order":             {book(t, row(1, "Contenuto", "Codice fiscale", "Oggetto")+row(2, content, code, "Oggetto di prova")), 1, []int{2}},
		"in row 20":                    {book(t, row(20, headers...)+row(21, good...)), 20, []int{21}},
		"merged with the row below":    {book(t, headRow+row(3, good...), `<mergeCells><mergeCell ref="A1:A2"/></mergeCells>`), 1, []int{3}},
		"in a second sheet":            {sheets(t, row(1, "Istruzioni", "per", "l'uso"), goodRows), 1, []int{2}},
		"in the sheet with rows":       {sheets(t, headRow, headRow+row(9, good...)), 1, []int{9}},
		"in the visible sheet":         {sheets(t, goodRows, row(3, headers...)+row(4, good...), `state="hidden"`), 3, []int{4}},
		"with blank rows between":      {book(t, goodRows+row(3, " ", "&#160;", "&#8203;")+row(5, good...)), 1, []int{2, 5}},
		"with formatted rows behind":   {book(t, goodRows+`<row r="3" s="1" customFormat="1"/><row r="1048576"><c r="A1048576" s="1"/></row>`), 1, []int{2}},
		"with a filter that is on":     {book(t, goodRows, `<autoFilter ref="A1:C2"><filterColumn colId="0"><filters><filter val="x"/></filters></filterColumn></autoFilter>`), 1, []int{2}},
	} {
		t.Run(name, func(t *testing.T) {
			d := whole(t, decode(template(), c.file))
			assert.Empty(t, d.wrong)
			assert.Equal(t, c.row, d.report.HeaderRow)
			assert.Equal(t, c.rows, numbers(d))
			assert.True(t, d.report.Complete)
			assert.Equal(t, len(c.rows), d.report.Rows)
			for _, got := range d.rows {
				assert.Equal(t, mustCode(code), got.Recipient)
				assert.Equal(t, content, got.Content.Reveal())
			}
		})
	}
}

func TestHeadersThatCannotBeWorkedWith(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		err  error
		says []string
		at   string
	}{
		"required column missing": {book(t, row(1, "Codice fiscale", "Oggetto")), excel.ErrHeader, []string{"Manca la colonna obbligatoria «Contenuto»"}, "row 1"},
		"column doubled":          {book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "C.F.")), excel.ErrHeader, []string{"colonna D ripete la colonna A («Codice fiscale»)"}, "cell D1"},
		"column misspelt":         {book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "Scadneza")), excel.ErrHeader, []string{"colonna D è simile a «Scadenza»"}, "cell D1"},
		"column refused":          {book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "I.U.V.")), excel.ErrHeader, []string{"colonna D non è ammessa", "non lo IUV"}, "cell D1"},
		"everything at once":      {book(t, row(1, "C.F.", "CF", "Oggetto", "IUV", "Imporot")), excel.ErrHeader, []string{"Contenuto", "colonna B ripete la colonna A", "IUV", "simile a «Somma»"}, "cell B1"},
		"no header":               {book(t, row(1, good...)), excel.ErrHeader, []string{"prime 20 righe", "«Codice fiscale», «Oggetto»"}, ""},
		"header too far down":     {book(t, row(21, headers...)), excel.ErrHeader, []string{"prime 20 righe"}, ""},
		"sheet without rows":      {book(t, ``), excel.ErrHeader, []string{"prime 20 righe"}, ""},
		"two sheets with rows":    {sheets(t, goodRows, goodRows), excel.ErrSheet, []string{"2 fogli"}, ""},
		"only hidden sheets":      {sheets(t, goodRows, ``, `state="hidden"`, `state="hidden"`), excel.ErrSheet, []string{"foglio nascosto"}, ""},
		"workbook without sheets": {xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Workbook: `<workbook><sheets/></workbook>`}), excel.ErrSheet, []string{"non contiene fogli"}, ""},
		"merged data":             {book(t, goodRows+row(3, "", "Oggetto di prova", content), `<mergeCells><mergeCell ref="A2:A3"/></mergeCells>`), excel.ErrMerged, []string{"A2:A3"}, "cell A2"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(), c.file)
			require.ErrorIs(t, d.err, c.err)
			must.As[*excel.FileError](t, d.err)
			for _, s := range c.says {
				assert.Contains(t, flussi.Explain(d.err), s)
			}
			assert.Contains(t, d.err.Error(), c.at)
			assert.Equal(t, d.err, d.report.Err)
			assert.False(t, d.report.Complete)
			assert.NotContains(t, fmt.Sprintf("%v %+v %s", d.err, d.report, d.italian()), code)
		})
	}
	t.Run("a merge beside the data is nothing", func(t *testing.T) {
		d := whole(t, decode(template(), book(t, goodRows+row(3, good...), `<mergeCells><mergeCell ref="E2:E3"/><mergeCell ref="A2:A2"/><mergeCell ref="A8:C9"/></mergeCells>`)))
		assert.Len(t, d.rows, 2)
	})
}

// A header that is refused for one decisive reason is told by that alone; the error has all faults.
func TestDecisiveFaultOfTheHeaderIsToldAlone(t *testing.T) {
	for name, c := range map[string]struct {
		headers []string
		says    string
		faults  int
	}{
		"a refused column": {[]string{"C.F.", "CF", "Oggetto", "Note", "IUV", "Imporot"},
			"La colonna E non è ammessa. Serve il numero avviso di 18 cifre, non lo IUV.\n", 4},
		"no required column": {[]string{"Scadenza", "Note", "Altro"},
			"Mancano le colonne obbligatorie «Codice fiscale», «Oggetto» e «Contenuto»: aggiungerle, o usare il modello.\n", 3},
		"two required columns": {[]string{"Codice fiscale", "Note", "Imporot"},
			"L'intestazione della colonna C è simile a «Somma»: scriverla esattamente così. " +
				"Mancano le colonne obbligatorie «Oggetto» e «Contenuto»: aggiungerle, o usare il modello.\n", 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(), book(t, row(1, c.headers...)))
			require.ErrorIs(t, d.err, excel.ErrHeader)
			assert.Equal(t, c.says, d.italian())
			assert.Len(t, must.As[*excel.FileError](t, d.err).Cells, c.faults)
			assert.NotEmpty(t, d.report.Unknown)
		})
	}
}

func TestColumnsThatTheTemplateDoesNotHave(t *testing.T) {
	file := book(t, row(1, "Codice fiscale", "Oggetto", "Contenuto", "Note di "+code, "", "")+row(2, code, "Oggetto di prova", content, "x", "", "senza intestazione"))
	d := whole(t, decode(template(), file))
	require.Len(t, d.report.Unknown, 2)
	assert.Equal(t, "D", d.report.Unknown[0].Column)
	assert.Equal(t, "Note di "+code, d.report.Unknown[0].Header.Reveal())
	assert.Equal(t, "F", d.report.Unknown[1].Column)
	assert.Contains(t, d.italian(), "\nColonne non lette: D, F.\n")
	assert.Contains(t, d.report.Missing, "Scadenza")
	assert.NotContains(t, fmt.Sprintf("%+v %s", d.report, d.italian()), code)

	d = decode(template(func(c *config) { c.Unknown = excel.RefuseUnknown }), file)
	require.ErrorIs(t, d.err, excel.ErrHeader)
	assert.Contains(t, flussi.Explain(d.err), "La colonna D non fa parte del modello")
}

func TestHiddenRows(t *testing.T) {
	file := book(t, goodRows+rowWith(3, ` hidden="1"`, good...)+row(4, good...))
	for policy, want := range map[excel.HiddenPolicy][]int{excel.RefuseHidden: {2, 4}, excel.ReadHidden: {2, 3, 4}, excel.SkipHidden: {2, 4}} {
		d := whole(t, decode(template(func(c *config) { c.HiddenRows = policy }), file))
		assert.Equal(t, want, numbers(d))
		switch policy {
		case excel.RefuseHidden:
			require.Len(t, d.wrong, 1)
			require.ErrorIs(t, d.wrong[0], excel.ErrHidden)
			assert.Equal(t, 3, d.wrong[0].Row)
		case excel.SkipHidden:
			assert.Equal(t, 1, d.report.Hidden)
		}
	}
}

func TestAllFaultsOfARowAreToldAtOnce(t *testing.T) {
	d := decode(template(), book(t, row(1, append(headers, "Scadenza", "Somma", "Numero avviso")...)+
		row(2, "abc", "corto", "", "31/04/2025", "1.234", "12")+
		row(3, code, "Oggetto di prova", content, "", "12,50", "")+
		row(4, good...)))
	require.NoError(t, d.err)
	require.Len(t, d.wrong, 2)
	all := d.errors()
	require.Len(t, all, 7)
	for i, cell := range all[:6] {
		assert.Equal(t, string(rune('A'+i)), cell.Column)
		assert.Equal(t, 2, cell.Row)
		assert.True(t, strings.HasPrefix(cell.Italian(), fmt.Sprintf("Riga 2, colonna %c (%s): ", 'A'+i, cell.Header)), cell.Italian())
	}
	for _, sentinel := range []error{flussi.ErrLength, excel.ErrRequired, flussi.ErrDate, flussi.ErrAmbiguous} {
		assert.ErrorIs(t, d.wrong[0], sentinel)
	}
	t.Run("a check across columns is told at its column", func(t *testing.T) {
		assert.Equal(t, "Riga 3, colonna F (Numero avviso): Con la somma serve il numero avviso.", d.wrong[1].Italian())
	})
	assert.Equal(t, []int{4}, numbers(d))
	assert.Equal(t, 2, d.report.Invalid)
}

func TestAFalseCheckIsToldWholeOrJoined(t *testing.T) {
	d := decode(template(func(c *config) {
		c.Check = func(*notice) error {
			return errors.Join(excel.NewCellError("Oggetto", errors.New("x")), errors.New("y"), excel.NewCellError("Somma", errors.New("z")))
		}
	}), goodBook(t))
	require.Len(t, d.wrong, 1)
	require.Len(t, d.errors(), 3)
	assert.Equal(t, "row 2: excel: B2 (Oggetto): x; row 2: y; row 2 (Somma): no such column: z", d.wrong[0].Error())
}

func TestErrorsAreCollectedUpToALimit(t *testing.T) {
	rows := headRow
	for i := range 30 {
		rows += row(i+2, "abc", "corto", content)
	}
	for i := range 30 {
		rows += row(i+40, strings.ToLower(code), "Oggetto di prova", content)
	}
	d := whole(t, decode(template(func(c *config) { c.Limits.Errors = 7 }), book(t, rows)))
	assert.Len(t, d.wrong, 30)
	assert.Equal(t, 7, strings.Count(d.italian(), "- Riga ")-7, "and as many notes")
	for most, listed := range map[int]int{1: 1, 6: 6, 9: 7} {
		assert.Equal(t, listed, strings.Count(d.report.Italian(d.refused(), most), "- Riga ")-listed, "at most %d", most)
		assert.Regexp(t, fmt.Sprintf(`… e %d altr(o errore|i errori)\.`, 60-listed), d.report.Italian(d.refused(), most))
		assert.Regexp(t, fmt.Sprintf(`… e %d altr(a osservazione|e osservazioni)\.`, 30-listed), d.report.Italian(d.refused(), most))
	}
	assert.Len(t, d.report.Notes, 7)
	assert.Equal(t, 23, d.report.MoreNotes)
	assert.Contains(t, d.italian(), "… e 53 altri errori.")
}

func TestLimitsOfTheTemplate(t *testing.T) {
	file := book(t, goodRows+row(3, good...)+row(4, good...))
	for name, c := range map[string]struct {
		limits excel.Limits
		says   string
	}{
		"file":     {excel.Limits{FileBytes: 100}, "MB"},
		"unpacked": {excel.Limits{UnpackedBytes: 100}, "limiti"},
		"texts":    {excel.Limits{TextBytes: 100}, "limiti"},
		"rows":     {excel.Limits{Rows: 2}, "più delle 2 righe"},
		"columns":  {excel.Limits{Columns: 10, CellLength: 100}, "limiti"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(func(c2 *config) { c2.Limits = c.limits }), file)
			require.ErrorIs(t, d.err, excel.ErrLimit)
			assert.Contains(t, flussi.Explain(d.err), c.says)
		})
	}
	d := whole(t, decode(template(func(c *config) { c.Limits.Rows = 3 }), file))
	assert.Len(t, d.rows, 3)
}

func TestReadingEndsWithTheLoopAndTheContext(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(5000))
	var report excel.Report
	read := 0
	for range tpl.Decode(t.Context(), strings.NewReader(string(file)), int64(len(file)), &report) {
		if read++; read == 3 {
			break
		}
	}
	assert.False(t, report.Complete)
	assert.NoError(t, report.Err)
	assert.Equal(t, 3, report.Rows)

	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	read = 0
	var last error
	for _, err := range tpl.Decode(ctx, strings.NewReader(string(file)), int64(len(file)), &report) {
		if read++; read == 3 {
			cancel(reason)
		}
		last = err
	}
	require.ErrorIs(t, last, reason)
	require.ErrorIs(t, report.Err, reason)
	assert.Equal(t, 4, read, "the third row, and the reason")
	for _, err := range tpl.Decode(ctx, strings.NewReader(string(file)), int64(len(file)), nil) {
		require.ErrorIs(t, err, reason)
	}

	t.Run("and ranging again begins anew", func(t *testing.T) {
		rows := tpl.Decode(t.Context(), strings.NewReader(string(file)), int64(len(file)), &report)
		for range 2 {
			n := 0
			for _, err := range rows {
				require.NoError(t, err)
				n++
			}
			assert.Equal(t, 5000, n)
			assert.Equal(t, 5000, report.Rows)
		}
	})
}

// Whatever way a loop ends, the goroutine that reads ahead ends with it.
func TestNoGoroutineIsLeft(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(5000))
	rows := func(ctx context.Context) func(func(excel.Line[notice], error) bool) {
		return tpl.Decode(ctx, strings.NewReader(string(file)), int64(len(file)), nil)
	}
	// A bubble fails if a goroutine in it does not end.
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			for range rows(t.Context()) {
				break
			}
			ctx, cancel := context.WithCancel(t.Context())
			for range rows(ctx) {
				cancel()
			}
			cancel()
			func() {
				defer func() { assert.Equal(t, "in the loop", recover()) }()
				for range rows(t.Context()) {
					panic("in the loop")
				}
			}()
		}
	})
}

func TestDefectsOfATemplateAreToldAtOnce(t *testing.T) {
	field := func(n *notice) *string { return &n.Subject }
	_, err := excel.New(excel.Config[notice]{Sheet: "a/b", Version: -1, Limits: excel.Limits{Rows: -1}, Refused: []excel.RefusedHeader{{Header: "oggetto"}}},
		excel.NewColumn("Oggetto", excel.Text(1, 2), field, excel.ColumnConfig{Total: true}),
		excel.NewColumn("oggetto.", excel.Text(1, 2), field, excel.ColumnConfig{}),
		excel.NewColumn("...", excel.Text(1, 2), field, excel.ColumnConfig{}),
		excel.NewColumn[notice, string]("Vuota", nil, field, excel.ColumnConfig{}),
		excel.Column[notice]{})
	defects := must.As[*excel.TemplateError](t, err)
	for _, s := range []string{"Name", "Sheet", "Version", "Limits.Rows", "refused header", "total", "share the header", `"..."`, `4 "Vuota"`, `5 ""`} {
		assert.Contains(t, err.Error(), s)
	}
	_, err = excel.New(excel.Config[notice]{Name: "Prova"})
	require.ErrorAs(t, err, &defects)
	for name, test := range map[string]struct {
		hints  []string
		column excel.ColumnConfig
	}{"Hints": {hints: []string{"Da correggere."}}, "ReadOnly": {column: excel.ColumnConfig{ReadOnly: true}}} {
		_, err = excel.New(excel.Config[notice]{Name: "Prova", Hints: test.hints}, excel.NewColumn("Oggetto", excel.Text(1, 2), field, test.column))
		require.ErrorAs(t, err, &defects)
		assert.Contains(t, err.Error(), name+" ", "of an export only")
		must.Get(excel.New(excel.Config[notice]{Name: "Prova", Export: true, Hints: test.hints}, excel.NewColumn("Oggetto", excel.Text(1, 2), field, test.column)))(t)
	}
	assert.Panics(t, func() { excel.MustNew(excel.Config[notice]{}) })
}
