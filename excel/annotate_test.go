package excel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/exceltest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func annotate(t *testing.T, tpl *excel.Template[notice], file []byte, d *decoded) *excelize.File {
	var buf bytes.Buffer
	require.NoError(t, mark(t, &buf, tpl, file, d))
	return open(t, &buf)
}

// open opens a workbook until the end of the test.
func open(t *testing.T, file *bytes.Buffer) *excelize.File {
	t.Helper()
	f := must.Get(excelize.OpenReader(file))(t)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// saved returns the file of a workbook.
func saved(t *testing.T, f *excelize.File) []byte {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, f.Write(&buf))
	return buf.Bytes()
}

func styleOf(t *testing.T, f *excelize.File, sheet, ref string) *excelize.Style {
	t.Helper()
	return must.Get(f.GetStyle(must.Get(f.GetCellStyle(sheet, ref))(t)))(t)
}

func commentAt(t *testing.T, f *excelize.File, ref string) string {
	t.Helper()
	return exceltest.CommentIn(t, f, "Dati", ref)
}

// fill returns the colour of a cell, "" if it has none.
func fill(t *testing.T, f *excelize.File, ref string) string {
	style := styleOf(t, f, "Dati", ref)
	if len(style.Fill.Color) == 0 {
		return ""
	}
	return style.Fill.Color[0]
}

// withCells is a file of so many right rows, in which cells were changed.
func withCells(t *testing.T, tpl *excel.Template[notice], rows int, cells map[string]string) []byte {
	return resave(t, encode(t, tpl, generate(rows)), func(f *excelize.File) {
		for ref, text := range cells {
			require.NoError(t, f.SetCellStr("Dati", ref, text))
		}
	})
}

// operators is a file as an operator hands it in: with sheets, formulas, formats and
// comments of their own, and some wrong cells.
func operators(t *testing.T, tpl *excel.Template[notice]) []byte {
	return resave(t, encode(t, tpl, generate(12)), func(f *excelize.File) {
		for ref, value := range map[string]any{"A3": "RSSMRA8OA01H501U", "B5": "corto", "E5": "1.234", "F6": 301005100001400678, "D7": "31/04/2025", "D8": "01/01/2020", "L3": "note"} {
			require.NoError(t, f.SetCellValue("Dati", ref, value))
		}
		require.NoError(t, f.SetCellFormula("Dati", "M4", "SUM(E2:E9)"))
		require.NoError(t, f.SetRowVisible("Dati", 9, false))
		require.NoError(t, f.AddComment("Dati", excelize.Comment{Cell: "B5", Author: "Ufficio", Text: "chiedere a Rossi"}))
		require.NoError(t, f.AddComment("Dati", excelize.Comment{Cell: "B4", Author: "Ufficio", Text: "visto"}))
		bold := must.Get(f.NewStyle(&excelize.Style{NumFmt: 10, Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFFF00"}}}))(t)
		require.NoError(t, f.SetCellStyle("Dati", "D7", "D7", bold))
		must.Get(f.NewSheet("Appunti"))(t)
		require.NoError(t, f.SetCellValue("Appunti", "B2", 12.5))
	})
}

func TestWrongCellsAreMarkedAndExplained(t *testing.T) {
	tpl := template()
	file := operators(t, tpl)
	d := whole(t, decode(tpl, file))
	require.Len(t, d.wrong, 5)
	f := annotate(t, tpl, file, d)
	for ref, says := range map[string]string{
		"A3": "c'è la lettera O", "B5": "devono essere da 10 a 120", "E5": "due modi", "F6": "formato Testo", "D7": "non esiste",
	} {
		assert.Equal(t, "FF9FA9", fill(t, f, ref), ref)
		assert.Contains(t, commentAt(t, f, ref), says, ref)
		assert.True(t, strings.HasPrefix(commentAt(t, f, ref), "Da correggere\n"))
	}
	assert.Equal(t, "FFDF7E", fill(t, f, "D8"))
	assert.Contains(t, commentAt(t, f, "D8"), "già passata")
	assert.Contains(t, commentAt(t, f, "B5"), "chiedere a Rossi", "their comment stays")
	assert.Equal(t, "visto", commentAt(t, f, "B4"))
	t.Run("right cells of a wrong row are tinted, those of a doubtful one too", func(t *testing.T) {
		for ref, color := range map[string]string{"B3": "FFE9EC", "J3": "FFE9EC", "A7": "FFE9EC", "A8": "FFF7DE", "A4": "", "L3": ""} {
			assert.Equal(t, color, fill(t, f, ref), ref)
		}
	})
	t.Run("a fault of the whole row is at no cell", func(t *testing.T) {
		for _, ref := range []string{"A9", "B9", "J9"} {
			assert.Equal(t, "FFE9EC", fill(t, f, ref), ref)
		}
		assert.Regexp(t, "^Riga da correggere\nLa riga è nascosta", commentAt(t, f, "A9"))
		rows := must.Get(f.GetRows("Errori"))(t)
		for i, row := range rows {
			if len(row) > 0 && row[0] == "Riga 9" {
				_, target, err := f.GetCellHyperLink("Errori", fmt.Sprintf("A%d", i+1))
				require.NoError(t, err)
				assert.Equal(t, "'Dati'!A9:J9", target)
			}
		}
		assert.Contains(t, fmt.Sprint(rows), "Riga 9")
	})
	style := styleOf(t, f, "Dati", "D7")
	assert.True(t, style.Font.Bold, "the rest of the format stays")
	assert.Equal(t, 10, style.NumFmt)

	t.Run("the list links to the cells", func(t *testing.T) {
		assert.Contains(t, f.GetSheetList(), "Errori")
		rows := must.Get(f.GetRows("Errori"))(t)
		text := fmt.Sprint(rows)
		must.Contain(t, text, "Righe con errori: 5", "Codice fiscale", "La data 31/04/2025 non esiste.", "Riga 9", "Che cosa verificare")
		link, target, err := f.GetCellHyperLink("Errori", "A5")
		require.NoError(t, err)
		assert.True(t, link)
		assert.Equal(t, "'Dati'!A3", target)
	})
	t.Run("their data are untouched", func(t *testing.T) {
		before := open(t, bytes.NewBuffer(file))
		for _, sheet := range []string{"Dati", "Guida Rapida", "Appunti"} {
			raw := excelize.Options{RawCellValue: true}
			want := must.Get(before.GetRows(sheet, raw))(t)
			assert.Equal(t, want, must.Get(f.GetRows(sheet, raw))(t), sheet)
		}
		assert.Equal(t, "SUM(E2:E9)", must.Get(f.GetCellFormula("Dati", "M4"))(t))
		assert.NotEmpty(t, must.Get(f.GetDataValidations("Dati"))(t))
	})
	t.Run("and the copy, corrected in part, is read and marked anew", func(t *testing.T) {
		require.NoError(t, f.SetCellStr("Dati", "A3", code))
		require.NoError(t, f.SetCellStr("Dati", "E5", "12,50"))
		require.NoError(t, f.SetCellStr("Dati", "B5", "Ora è abbastanza lungo"))
		corrected := saved(t, f)
		d := whole(t, decode(tpl, corrected))
		require.Len(t, d.wrong, 3)
		again := annotate(t, tpl, corrected, d)
		for _, ref := range []string{"A3", "B3", "J3"} {
			assert.Empty(t, fill(t, again, ref), ref)
		}
		assert.Empty(t, commentAt(t, again, "A3"))
		assert.Equal(t, "FF9FA9", fill(t, again, "F6"))
		assert.Equal(t, 1, strings.Count(commentAt(t, again, "F6"), "Da correggere"))
		assert.Equal(t, "visto", commentAt(t, again, "B4"))
		assert.Contains(t, commentAt(t, again, "B5"), "chiedere a Rossi", "their comment outlives ours")
		rows := must.Get(again.GetRows("Errori"))(t)
		assert.Contains(t, fmt.Sprint(rows), "Righe con errori: 3")
		assert.NotContains(t, fmt.Sprint(rows), "A3")
	})
}

func TestWrongHeadersAreMarked(t *testing.T) {
	tpl := template()
	file := withCells(t, tpl, 0, map[string]string{"C1": "C.F.", "D1": "Scadneza"})
	d := decode(tpl, file)
	require.ErrorIs(t, d.err, excel.ErrHeader)
	f := annotate(t, tpl, file, d)
	assert.Contains(t, commentAt(t, f, "C1"), "ripete la colonna A")
	assert.Contains(t, commentAt(t, f, "D1"), "simile a «Scadenza»")
	assert.Equal(t, "B4232D", fill(t, f, "D1"), "white text stays legible")
	assert.Equal(t, "1F4E78", fill(t, f, "B1"), "the other headers are not tinted")
	assert.Contains(t, fmt.Sprint(must.Get(f.GetRows("Errori"))(t)), "Manca la colonna obbligatoria «Contenuto»")
}

// The workbook engine panics on styles without fonts, which are allowed.
func TestAFileThatTheWorkbookEngineCannotChange(t *testing.T) {
	tpl := template()
	file := xlsxtest.Book(t, xlsxtest.Parts{
		xlsxtest.Sheet1: xlsxtest.Sheet(headRow + row(2, "abc", "corto", content)),
		xlsxtest.Styles: `<styleSheet ` + xlsxtest.Namespace + `><cellXfs count="1"><xf numFmtId="0"/></cellXfs></styleSheet>`,
	})
	d := whole(t, decode(tpl, file))
	err := mark(t, &bytes.Buffer{}, tpl, file, d)
	require.ErrorIs(t, err, excel.ErrMalformed)
	assert.Contains(t, flussi.Explain(err), "non può essere commentato")
}

func TestAFileWithoutErrorsIsNotMarked(t *testing.T) {
	tpl := template()
	file := encode(t, tpl, generate(3))
	d := decode(tpl, file)
	f := annotate(t, tpl, file, d)
	assert.Equal(t, []string{"Dati", "Guida Rapida"}, f.GetSheetList())
}

// A file that is no text with the template's headers has no columns to lay out.
func TestTheCopyOfACSVFileWithoutHeadersIsAWorkbook(t *testing.T) {
	tpl := template()
	for _, file := range []string{"nessuna;di queste\n1;2\n", "una riga sola", strings.Repeat("riga\n", 100)} {
		d := decodeCSV(tpl, file)
		require.Error(t, d.report.Err)
		require.NotPanics(t, func() { _ = mark(t, &bytes.Buffer{}, tpl, []byte(file), d) })
	}
}

func TestTheCopyOfACSVFileIsAWorkbook(t *testing.T) {
	tpl := template()
	file := []byte("CF;Oggetto;Contenuto\n\n" + code + ";\"Oggetto\ndi prova\";" + content + "\n" + strings.ToLower(other) + ";corto;=1+1\n")
	d := whole(t, decodeCSV(tpl, file))
	require.Len(t, d.wrong, 1)
	f := annotate(t, tpl, file, d)
	assert.Equal(t, "FF9FA9", fill(t, f, "B4"))
	for ref, want := range map[string]string{"A1": "CF", "A3": code, "B3": "Oggetto\ndi prova", "A4": strings.ToLower(other), "C4": "=1+1"} {
		assert.Equal(t, want, must.Get(f.GetCellValue("Dati", ref))(t))
	}
	assert.Empty(t, must.Get(f.GetCellFormula("Dati", "C4"))(t))
	again := whole(t, decode(tpl, saved(t, f)))
	assert.Equal(t, d.rows, again.rows)
}

func TestReportsOfOtherFilesAreRefused(t *testing.T) {
	tpl := template()
	one, two := encode(t, tpl, generate(3)), encode(t, tpl, generate(4))
	d := decode(tpl, one)
	var left excel.Report
	for range tpl.Decode(t.Context(), bytes.NewReader(one), int64(len(one)), &left) {
		break
	}
	for name, c := range map[string]struct {
		file   []byte
		report *excel.Report
	}{"another file": {two, &d.report}, "none": {one, nil}, "empty": {one, &excel.Report{}}, "left": {one, &left}} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			require.ErrorIs(t, tpl.Annotate(t.Context(), &buf, bytes.NewReader(c.file), int64(len(c.file)), c.report, nil), excel.ErrReport)
			assert.Zero(t, buf.Len())
		})
	}
	t.Run("a context that ends", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		cancel(reason)
		require.ErrorIs(t, tpl.Annotate(ctx, &bytes.Buffer{}, bytes.NewReader(one), int64(len(one)), &d.report, d.refused()), reason)
	})
	t.Run("too many rows", func(t *testing.T) {
		tpl := template(func(c *config) { c.Limits.AnnotatedRows = 3 })
		d := whole(t, decode(tpl, one))
		err := mark(t, &bytes.Buffer{}, tpl, one, d)
		require.ErrorIs(t, err, excel.ErrLimit)
		assert.Contains(t, flussi.Explain(err), "più di 3 righe")
	})
}

// No text of a file comes into an error, a report that is printed, or a summary.
func TestNoTextOfTheFileLeaks(t *testing.T) {
	tpl := template()
	secrets := []string{code, "RSSMRA8OA01H501U", "301005100001400678", "segreto", "rossi@example.org"}
	wrong := func(s string) string { return "segreto " + s + " " + code }
	var rows strings.Builder
	rows.WriteString(row(1, append(headers, "Scadenza", "Somma", "Numero avviso", "Paga dopo la scadenza", "Priorità", "Canale", "segreto "+code)...))
	for i := range 10 {
		cells := []string{code, "Oggetto di prova", content, "28/02/2030", "12,50", "301005100001400678", "Sì", "1", "App IO", "segreto"}
		cells[i] = wrong(cells[i])
		rows.WriteString(row(i+2, cells...))
	}
	files := map[string][]byte{
		"wrong cells":    book(t, rows.String()),
		"error value":    book(t, headRow+`<row r="2"><c r="A2" t="e"><v>`+code+`</v></c></row>`),
		"data as header": book(t, row(1, code, "Oggetto", "segreto", "Contenuto", "C.F.", "cf", "rossi@example.org")),
		"broken part":    xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Sheet1: "<worksheet><" + code + "></x>"}),
		"sheet names":    sheets(t, goodRows, goodRows),
		"part names":     xlsxtest.Book(t, xlsxtest.Parts{"../" + code: "segreto"}),
		"missing part":   xlsxtest.Book(t, xlsxtest.Parts{xlsxtest.Links: `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="` + code + `.xml"/></Relationships>`}),
		"CSV":            []byte("CF;Oggetto;Contenuto\n" + code + ";seg\"reto;x\n"),
		"CSV cells":      []byte("CF;Oggetto;Contenuto;" + code + "\n" + wrong("") + ";segreto;x;segreto;segreto\n"),
		"text":           []byte("segreto " + code),
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			var d decoded
			collect(tpl.DecodeAny(t.Context(), bytes.NewReader(file), int64(len(file)), &d.report), &d)
			require.True(t, d.err != nil || len(d.wrong) > 0)
			var printed strings.Builder
			fmt.Fprintf(&printed, "%v %+v %#v %s %s\n", d.err, d.err, d.report, d.italian(), flussi.Explain(d.err))
			for _, w := range d.wrong {
				fmt.Fprintf(&printed, "%v %+v %s\n", w, *w, w.Italian())
				for _, c := range w.Err.(excel.CellErrors) {
					fmt.Fprintf(&printed, "%v %+v %+v\n", c, *c, c.Err)
				}
			}
			for _, line := range d.lines {
				fmt.Fprintf(&printed, "%+v\n", line.Notes)
			}
			for _, secret := range secrets {
				assert.NotContains(t, printed.String(), secret)
			}
		})
	}
}
