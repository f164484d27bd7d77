package excel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func TestATotalNeedsASum(t *testing.T) {
	rows := []sale{{"a", 5}, {"Totale", 0}, {"b", 7}}
	file := []byte("Descrizione;Importo\na;0,05\nTotale;\nb;0,07\n")
	lines := linesOf(t, sales().DecodeCSV, file, nil)
	assert.Equal(t, rows, values(lines))
	only := excel.MustNew(excel.Config[sale]{Name: "Vendite"},
		excel.NewColumn("Descrizione", excel.Text(1, 50), func(s *sale) *string { return &s.What }, excel.ColumnConfig{}),
		excel.NewColumn("Nota", excel.Text(1, 50), func(*sale) *string { return new(string) }, excel.ColumnConfig{}),
		excel.NewColumn("Importo", excel.Money(0, 1000), func(s *sale) *flussi.Cents { return &s.Amount }, excel.ColumnConfig{Total: true}))
	book := book(t, row(1, "Descrizione", "Nota", "Importo")+`<row r="2"><c r="A2" t="inlineStr"><is><t>Totale</t></is></c><c r="B2" t="inlineStr"><is><t>Totale</t></is></c><c r="C2"><f>1</f><v>1</v></c></row>`)
	lines = linesOf(t, only.Decode, book, nil)
	assert.Len(t, lines, 1, "with more than the label it is a row")
}

func TestAReportIsLoggedWithoutTexts(t *testing.T) {
	file := sheets(t, row(1, append(headers, "segreto "+code)...)+row(2, good...), row(1, "segreto"))
	d := whole(t, decode(template(), file))
	require.NotEmpty(t, d.report.Unknown)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("read", "report", d.report, "pointer", &d.report, "column", d.report.Unknown[0])
	must.NotContain(t, out.String(), code, "Primo")
	assert.Contains(t, out.String(), `"rows":1`)
}

func TestMemoryOfCopiesIsBoundedOverall(t *testing.T) {
	t.Run("wide CSV rows", func(t *testing.T) {
		tpl := template(func(c *config) { c.Limits.AnnotatedRows = 1000 })
		file := []byte(csvHeaders + "\n" + strings.Repeat("abc;corto;x"+strings.Repeat(";", 250)+" \n", 900))
		d := whole(t, decodeCSV(tpl, file))
		require.ErrorIs(t, mark(t, io.Discard, tpl, file, d), excel.ErrLimit)
	})
	t.Run("many CSV rows", func(t *testing.T) {
		tpl := template(func(c *config) { c.Limits.AnnotatedRows = 3 })
		for rows, ok := range map[int]bool{2: true, 3: false} {
			file := []byte(csvHeaders + "\n" + strings.Repeat("abc;corto;x\n", rows))
			d := decodeCSV(tpl, file)
			err := mark(t, io.Discard, tpl, file, d)
			assert.Equal(t, ok, err == nil, "%d rows: %v", rows, err)
		}
	})
	t.Run("all sheets together", func(t *testing.T) {
		tpl := template(func(c *config) { c.Limits.AnnotatedRows = 3 })
		file := sheets(t, headRow+row(2, "abc", "corto", content), row(2, "x"))
		d := whole(t, decode(tpl, file))
		require.ErrorIs(t, mark(t, io.Discard, tpl, file, d), excel.ErrLimit)
	})
}

func TestAFileChangedAnywhereIsAnotherOne(t *testing.T) {
	tpl := template()
	line := "abc;corto;" + content + "\n"
	file := []byte(csvHeaders + "\n" + strings.Repeat(line, 2500))
	require.Greater(t, len(file), 300_000)
	d := whole(t, decodeCSV(tpl, file))
	for _, at := range []int{30, len(file) / 2, len(file) - 5} {
		changed := slices.Clone(file)
		changed[at] ^= 1
		require.ErrorIs(t, mark(t, io.Discard, tpl, changed, d), excel.ErrReport, "byte %d", at)
	}
	book := encode(t, tpl, generate(3000))
	require.Greater(t, len(book), 100_000)
	d = decode(tpl, book)
	for _, at := range []int{100, len(book) - 30} {
		changed := slices.Clone(book)
		changed[at] ^= 1
		require.ErrorIs(t, mark(t, io.Discard, tpl, changed, d), excel.ErrReport, "byte %d", at)
	}
}

// watched is a reader that knows when it must not be used any more.
type watched struct {
	*bytes.Reader
	ended, late atomic.Bool
	panics      bool
	reads       atomic.Int64
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	if w.ended.Load() {
		w.late.Store(true)
	}
	if w.panics && w.reads.Add(1) > 40 {
		panic("in the reader")
	}
	return w.Reader.ReadAt(p, off)
}

func TestTheReaderIsNotUsedAfterTheLoop(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(5000))
	for range 50 {
		r := &watched{Reader: bytes.NewReader(file)}
		for range tpl.Decode(t.Context(), r, int64(len(file)), nil) {
			break
		}
		r.ended.Store(true)
		runtime.Gosched()
		require.False(t, r.late.Load())
	}
}

func TestAPanicOfTheReaderReachesTheLoop(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(20_000))
	defer func() { assert.Equal(t, "in the reader", recover()) }()
	for range tpl.Decode(t.Context(), &watched{Reader: bytes.NewReader(file), panics: true}, int64(len(file)), nil) {
	}
	t.Error("the panic is lost")
}

type silent struct{}

func (silent) Error() string   { return "no" }
func (silent) Unwrap() []error { return nil }

func TestWhateverCheckSaysIsARefusal(t *testing.T) {
	file := goodBook(t)
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"an error that holds none": {silent{}, "Riga 2: "},
		"a wrapped refusal":        {fmt.Errorf("context: %w", excel.NewCheckError("Oggetto", "No.")), "Riga 2, colonna B (Oggetto): No."},
		"two in one":               {fmt.Errorf("%w and %w", excel.NewCheckError("Oggetto", "No."), excel.NewCheckError("Contenuto", "Neanche.")), "Riga 2, colonna B (Oggetto): No. Colonna C (Contenuto): Neanche."},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(template(func(cfg *config) { cfg.Check = func(*notice) error { return c.err } }), file)
			require.Len(t, d.wrong, 1)
			assert.Contains(t, d.wrong[0].Italian(), c.says)
			assert.False(t, d.report.OK())
		})
	}
	d := decode(template(func(cfg *config) {
		cfg.Check = func(*notice) error { return excel.NewCheckError("Oggetto", "No.") }
	}), file)
	assert.ErrorIs(t, d.wrong[0], excel.ErrCheck)
}

func TestAReportIsOKOnlyIfAllIs(t *testing.T) {
	assert.True(t, decode(template(), goodBook(t)).report.OK())
	assert.False(t, decode(template(), book(t, headRow+row(2, "abc"))).report.OK())
	cut := encode(t, template(), generate(10))
	d := decode(template(), cut[:len(cut)/2])
	assert.False(t, d.report.OK())
	assert.NotContains(t, d.italian(), "Righe senza errori", "nothing was read")
	assert.False(t, d.report.Outdated)
	plain := decode(template(), goodBook(t))
	assert.False(t, plain.report.Outdated, "a file without a mark is of no template")
}

func TestEngineErrorsAreConcealed(t *testing.T) {
	parts := xlsxtest.Unpack(t, encode(t, template(), generate(0)))
	parts[xlsxtest.Sheet1] = strings.Replace(parts[xlsxtest.Sheet1], "</sheetData>", `<row r="2" outlineLevel="`+code+`"><c r="A2" t="inlineStr"><is><t>x</t></is></c></row></sheetData>`, 1)
	file := xlsxtest.Pack(t, parts)
	d := whole(t, decode(template(), file))
	err := mark(t, io.Discard, template(), file, d)
	require.ErrorIs(t, err, excel.ErrMalformed)
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), code)
		walk(errors.Unwrap(err))
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
		}
	}
	walk(err)
}

func TestUnknownColumnsAreAllRefusedIfAskedTo(t *testing.T) {
	refuse := template(func(c *config) { c.Unknown = excel.RefuseUnknown })
	numeric := book(t, `<row r="1">`+strings.TrimSuffix(strings.TrimPrefix(headRow, `<row r="1">`), "</row>")+`<c r="D1"><v>2024</v></c></row>`+row(2, good...))
	require.ErrorIs(t, decode(refuse, numeric).err, excel.ErrHeader)
	require.Len(t, decode(template(), numeric).report.Unknown, 1)
	stray := book(t, headRow+row(2, append(good, "", "x")...)+row(3, good...))
	d := decode(refuse, stray)
	require.Len(t, d.wrong, 1)
	require.ErrorIs(t, d.wrong[0], excel.ErrHeader)
	assert.Contains(t, d.wrong[0].Italian(), "Riga 2, colonna E")
	assert.Len(t, d.rows, 1)
}

func TestCornersOfCSVFiles(t *testing.T) {
	t.Run("the only row has too many fields", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+csvGood+";x"))
		require.Len(t, d.wrong, 1)
		require.ErrorIs(t, d.wrong[0], excel.ErrFields)
	})
	t.Run("many blank lines", func(t *testing.T) {
		line := csvGood + "\n"
		d := whole(t, decodeCSV(template(), csvHeaders+"\n"+line+strings.Repeat("\n", 2_000_000)+line))
		assert.Equal(t, []int{2, 2_000_003}, numbers(d))
	})
	t.Run("a byte order mark and bytes that are not UTF-8", func(t *testing.T) {
		d := decodeCSV(template(), "\uFEFF"+csvHeaders+"\nx;perch\xE8;y\n")
		require.ErrorIs(t, d.err, excel.ErrMalformed)
	})
	t.Run("columns and cells up to the limit", func(t *testing.T) {
		tpl := template(func(c *config) { c.Limits.Columns, c.Limits.CellLength = 10, 200 })
		line := func(n int) string { return code + ";Oggetto di prova;" + strings.Repeat("a", n) }
		require.NoError(t, decodeCSV(tpl, csvHeaders+"\n"+line(200)+strings.Repeat(";", 7)+" \n").err)
		require.ErrorIs(t, decodeCSV(tpl, csvHeaders+"\n"+line(201)+"\n").err, excel.ErrLimit)
		require.ErrorIs(t, decodeCSV(tpl, csvHeaders+"\n"+line(200)+strings.Repeat(";", 8)+"x\n").err, excel.ErrLimit)
	})
	t.Run("cut off before an unknown column", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), csvHeaders+";Note\n"+csvGood))
		require.Len(t, d.wrong, 1)
		require.ErrorIs(t, d.wrong[0], excel.ErrTruncated)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		file := []byte(csvHeaders + "\n" + strings.Repeat(csvGood+"\n\n", 20_000))
		n := 0
		for range template().DecodeCSV(ctx, bytes.NewReader(file), int64(len(file)), nil) {
			if n++; n == 2 {
				cancel()
			}
		}
		cancel()
		assert.Equal(t, 3, n)
	})
}

func TestCornersOfHeaders(t *testing.T) {
	t.Run("the first of equal rows is the header", func(t *testing.T) {
		d := decode(template(), book(t, goodRows+row(3, headers...)+row(4, good...)))
		assert.Equal(t, 1, d.report.HeaderRow)
		assert.Equal(t, []int{2, 4}, numbers(d))
		assert.Len(t, d.wrong, 1, "the other one is a wrong row")
	})
	t.Run("a sheet of the operator's with the name of the guide", func(t *testing.T) {
		file := xlsxtest.Book(t, xlsxtest.Parts{
			xlsxtest.Sheet1:   xlsxtest.Sheet(goodRows),
			xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="Guida Rapida" r:id="rId1"/></sheets></workbook>`,
		})
		assert.Len(t, decode(template(), file).rows, 1)
	})
	t.Run("a hidden list of the operator's is told", func(t *testing.T) {
		file := xlsxtest.Book(t, xlsxtest.Parts{
			xlsxtest.Sheet1: xlsxtest.Sheet(goodRows), xlsxtest.Sheet2: xlsxtest.Sheet(row(1, "a")),
			xlsxtest.Workbook: `<workbook xmlns:r="r"><sheets><sheet name="Dati" r:id="rId1"/><sheet name="Elenchi" state="hidden" r:id="rId4"/></sheets></workbook>`,
		})
		assert.Len(t, decode(template(), file).report.Ignored, 1)
	})
	t.Run("a hidden copy does not hide what is wrong with the sheet", func(t *testing.T) {
		d := decode(template(), sheets(t, row(1, "Codice fiscale", "Oggetto"), goodRows, "", `state="hidden"`))
		require.ErrorIs(t, d.err, excel.ErrHeader)
		assert.Contains(t, flussi.Explain(d.err), "Manca la colonna obbligatoria «Contenuto»")
	})
	t.Run("rows of blanks are no rows", func(t *testing.T) {
		d := whole(t, decode(template(), sheets(t, headRow+row(2, " "), goodRows)))
		assert.Equal(t, "Secondo", d.report.Sheet.Reveal())
	})
	t.Run("merges that touch the data anywhere", func(t *testing.T) {
		rows := row(2, append(headers, "x")...) + row(3, good...) + row(4, good...)
		for _, ref := range []string{"C4:C9", "A1:A3", "C3:F3"} {
			d := decode(template(), book(t, rows, `<mergeCells><mergeCell ref="`+ref+`"/></mergeCells>`))
			require.ErrorIs(t, d.err, excel.ErrMerged, ref)
		}
	})
}

func TestMarksComeAndGo(t *testing.T) {
	tpl := template()
	file := resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) {
		require.NoError(t, f.SetCellStr("Dati", "B2", "corto"))
		require.NoError(t, f.SetCellStr("Dati", "D3", "01/01/2020"))
		require.NoError(t, f.AddComment("Dati", excelize.Comment{Cell: "C2", Author: "Flussi", Text: "Da correggere il prezzo"}))
		require.NoError(t, f.AddComment("Dati", excelize.Comment{Cell: "B2", Author: "Ufficio", Paragraph: []excelize.RichTextRun{{Text: "grassetto", Font: &excelize.Font{Bold: true}}, {Text: " e non"}}}))
		must.Get(f.NewSheet("Errori di marzo"))(t)
		require.NoError(t, f.SetCellStr("Errori di marzo", "A1", "Errori da correggere"))
		must.Get(f.NewSheet("Prima"))(t)
		require.NoError(t, f.MoveSheet("Prima", "Dati"))
	})
	d := whole(t, decode(tpl, file))
	require.Len(t, d.wrong, 1)
	assert.Len(t, d.report.Ignored, 1)
	f := annotate(t, tpl, file, d)
	assert.Contains(t, f.GetSheetList(), "Errori di marzo")
	assert.Equal(t, "FF9FA9", fill(t, f, "B2"), "in the sheet that was read, not the first")
	assert.Equal(t, "FFDF7E", fill(t, f, "D3"))
	assert.Equal(t, "Da correggere il prezzo", commentAt(t, f, "C2"))

	require.NoError(t, f.DeleteComment("Dati", "D3"))
	require.NoError(t, f.SetCellStr("Dati", "D3", ""))
	require.NoError(t, f.SetCellStr("Dati", "B2", "Ora è abbastanza lungo"))
	corrected := saved(t, f)
	d = decode(tpl, corrected)
	require.True(t, d.report.OK(), d.italian())
	again := annotate(t, tpl, corrected, d)
	assert.Empty(t, fill(t, again, "D3"), "also without its comment")
	assert.Empty(t, fill(t, again, "B2"))
	assert.Equal(t, "Da correggere il prezzo", commentAt(t, again, "C2"))
	comments := must.Get(again.GetComments("Dati"))(t)
	for _, c := range comments {
		if c.Cell == "B2" {
			assert.Equal(t, "Ufficio", c.Author)
			require.Len(t, c.Paragraph, 2)
			assert.True(t, c.Paragraph[0].Font.Bold)
		}
	}
	assert.Equal(t, "grassetto e non", commentAt(t, again, "B2"))
	assert.NotContains(t, again.GetSheetList(), "Errori")
}

func TestTheListTellsWhatItDoesNotHold(t *testing.T) {
	rows := func(n int) string {
		text := headRow
		for i := range n {
			text += row(i+2, "abc", "Oggetto di prova", content)
		}
		return text
	}
	tpl := template(func(c *config) { c.Limits.Errors = 2 })
	styled := func(sheet string) []byte {
		parts := xlsxtest.Unpack(t, encode(t, tpl, generate(0)))
		parts[xlsxtest.Sheet1] = sheet
		return xlsxtest.Pack(t, parts)
	}
	list := func(file []byte) string {
		d := decode(tpl, file)
		f := annotate(t, tpl, file, d)
		rows := must.Get(f.GetRows("Errori"))(t)
		return fmt.Sprint(rows)
	}
	assert.Contains(t, list(styled(xlsxtest.Sheet(rows(5)))), "ce ne sono altri 3")
	merged := list(styled(xlsxtest.Sheet(rows(2), `<mergeCells><mergeCell ref="B2:B3"/></mergeCells>`)))
	must.Contain(t, merged, "Il file non è stato accettato", "celle unite (B2:B3)")
	assert.NotContains(t, merged, "Righe senza errori")
	none := list(styled(xlsxtest.Sheet(row(1, "a", "b"))))
	assert.Contains(t, none, "[File")
	assert.NotContains(t, none, "Riga 0")
}

func TestACustomKindCannotBreakTheSheet(t *testing.T) {
	for _, text := range []string{"1</v></c><c>", "", "NaN", "1,5", "0x10", "Inf"} {
		kind := custom{excel.Cell{Type: excel.NumberCell, Text: text}}
		tpl := must.Get(valueTemplate("Valore", excel.Kind[string](kind), excel.ColumnConfig{}))(t)
		err := tpl.Encode(t.Context(), io.Discard, excel.Rows(slices.Values([]string{"x"})))
		require.ErrorIs(t, err, excel.ErrCellType, text)
	}
	sum := func(texts ...string) error {
		i := -1
		next := func() excel.Cell { i++; return excel.Cell{Type: excel.NumberCell, Text: texts[i]} }
		tpl := excel.MustNew(excel.Config[string]{Name: "Prova"},
			valueColumn("Voce", excel.Text(1, 9), excel.ColumnConfig{}),
			valueColumn("Valore", excel.Kind[string](computed{next}), excel.ColumnConfig{Total: true}))
		return tpl.Encode(t.Context(), io.Discard, excel.Rows(slices.Values(texts)))
	}
	require.NoError(t, sum("1", "2.5", "-3.25"))
	require.ErrorIs(t, sum("1.234"), flussi.ErrRange)
	require.ErrorIs(t, sum("9999999999999", "9"), flussi.ErrRange)
	require.ErrorIs(t, sum("-9999999999999", "-9"), flussi.ErrRange)
	require.ErrorIs(t, sum("1E3"), flussi.ErrRange)
}

// custom is a kind of a careless caller.
type custom struct{ cell excel.Cell }

func (k custom) Read(excel.Cell) (flussi.Reading[string], error) {
	return flussi.Reading[string]{}, nil
}
func (k custom) Write(string) excel.Cell { return k.cell }
func (k custom) Rule() excel.Rule        { return excel.Rule{Layout: excel.MoneyLayout} }

type computed struct{ next func() excel.Cell }

func (k computed) Read(excel.Cell) (flussi.Reading[string], error) {
	return flussi.Reading[string]{}, nil
}
func (k computed) Write(string) excel.Cell { return k.next() }
func (k computed) Rule() excel.Rule        { return excel.Rule{Layout: excel.MoneyLayout} }

func TestNumbersBeyondWhatASheetKeeps(t *testing.T) {
	check(t, excel.Money(0, 999_999_999_999_999), map[string]outcome[flussi.Cents]{
		"15 digits": {cell: number("9999999999999.99"), value: 999_999_999_999_999},
		"16 digits": {cell: number("1000000000000000"), err: flussi.ErrRange, says: "troppo grande"},
	})
	check(t, excel.Date(excel.DateConfig{}), map[string]outcome[time.Time]{
		"the day after the last": {cell: dateNumber("2958466"), err: flussi.ErrRange, says: "non corrisponde"},
	})
}
