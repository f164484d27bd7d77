package excel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

func blankOf[Row any](t *testing.T, tpl *excel.Template[Row]) *excelize.File {
	var buf bytes.Buffer
	require.NoError(t, tpl.Blank(t.Context(), &buf))
	return open(t, &buf)
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func TestTheBlankWorkbookIsHardToFillInWrongly(t *testing.T) {
	tpl := template()
	f := blankOf(t, tpl)
	assert.Equal(t, []string{"Dati", "Guida Rapida"}, f.GetSheetList())
	rows := must.Get(f.GetRows("Dati"))(t)
	assert.Equal(t, [][]string{tpl.Headers()}, rows)

	t.Run("the header stays in sight and filters", func(t *testing.T) {
		panes := must.Get(f.GetPanes("Dati"))(t)
		assert.True(t, panes.Freeze)
		assert.Equal(t, 1, panes.YSplit)
		parts := xlsxtest.Unpack(t, encode(t, tpl, generate(0)))
		assert.Contains(t, parts[xlsxtest.Sheet1], `<autoFilter ref="$A$1:$J$1048576"`)
		assert.NotContains(t, parts[xlsxtest.Sheet1], "filterMode", "no filter is on")
		assert.NotContains(t, parts[xlsxtest.Sheet1], "<dimension")
	})
	t.Run("codes are text down the sheet", func(t *testing.T) {
		for column, want := range map[string]int{"A": 49, "B": 49, "C": 49, "F": 49, "E": 4, "H": 1} {
			id := must.Get(f.GetColStyle("Dati", column))(t)
			assert.Equal(t, want, must.Get(f.GetStyle(id))(t).NumFmt, column)
		}
		id := must.Get(f.GetColStyle("Dati", "D"))(t)
		assert.Equal(t, "dd/mm/yyyy", *must.Get(f.GetStyle(id))(t).CustomNumFmt)
	})
	t.Run("checks speak Italian within Excel's limits", func(t *testing.T) {
		validations := must.Get(f.GetDataValidations("Dati"))(t)
		byRange := map[string]*excelize.DataValidation{}
		for _, v := range validations {
			byRange[v.Sqref] = v
			require.NotNil(t, v.ErrorTitle)
			assert.LessOrEqual(t, units(*v.ErrorTitle), 32)
			assert.LessOrEqual(t, units(*v.Error), 255)
			assert.True(t, strings.HasPrefix(*v.Error, "Valore non valido. Scrivere: "), *v.Error)
			assert.Equal(t, "stop", *v.ErrorStyle)
		}
		for sqref, want := range map[string][3]string{
			"A2:A10001": {"textLength", "16", "16"}, "B2:B10001": {"textLength", "10", "120"}, "C2:C10001": {"textLength", "120", "10000"},
			"D2:D10001": {"date", "61", "2958465"}, "E2:E10001": {"decimal", "0.01", "99999999.99"}, "H2:H10001": {"whole", "0", "9"},
			"G2:G10001": {"list", `"Sì,No"`, ""}, "I2:I10001": {"list", `"App IO,Sportello"`, ""},
		} {
			v := byRange[sqref]
			require.NotNil(t, v, sqref)
			assert.Equal(t, want, [3]string{v.Type, v.Formula1, v.Formula2}, sqref)
		}
	})
	t.Run("every header has a comment", func(t *testing.T) {
		for i, header := range tpl.Headers() {
			ref := fmt.Sprintf("%c1", 'A'+i)
			text := commentAt(t, f, ref)
			assert.True(t, strings.HasPrefix(text, header+"\n"), ref)
			assert.Regexp(t, "Obbligatoria|Facoltativa", text)
		}
	})
	t.Run("the guide says the same", func(t *testing.T) {
		rows := must.Get(f.GetRows("Guida Rapida"))(t)
		text := fmt.Sprint(rows)
		must.Contain(t, text, "Guida Rapida – Notifiche", "Con questo modello", "foglio «Dati»", "16 caratteri, di una persona fisica. Il codice fiscale del cittadino che riceve il messaggio.", "C.F., C.F. Dest., Cod. Fisc.", "Mensa scolastica: retta di marzo")
		for _, header := range tpl.Headers() {
			assert.Contains(t, text, header)
		}
	})
	t.Run("the version is marked", func(t *testing.T) {
		assert.Equal(t, []excelize.CustomProperty{{Name: "Modello", Value: "Notifiche, versione 1"}}, must.Get(f.GetCustomProps())(t))
		next := template(func(c *config) { c.Version = 2 })
		d := whole(t, decode(next, encode(t, tpl, generate(1))))
		assert.True(t, d.report.Outdated)
		assert.Contains(t, d.italian(), "altra versione")
	})
	t.Run("and it reads as a workbook without rows", func(t *testing.T) {
		d := whole(t, decode(tpl, encode(t, tpl, generate(0))))
		assert.Empty(t, d.rows)
		assert.True(t, d.report.OK())
	})
}

// An export is not filled in: its guide says what may be corrected.
func TestAnExportSaysWhatMayBeCorrected(t *testing.T) {
	type row struct{ subject, id string }
	tpl := excel.MustNew(excel.Config[row]{Name: "Esportazione", Intro: "Com'era.", Export: true, Hints: []string{"Si corregge l'oggetto.", "Poi si carica."}},
		excel.NewColumn("Oggetto", excel.Text(1, 20), func(r *row) *string { return &r.subject }, excel.ColumnConfig{Aliases: []string{"Titolo"}, Example: "Avviso"}),
		excel.NewColumn("ID", excel.Text(1, 9), func(r *row) *string { return &r.id }, excel.ColumnConfig{Required: true, ReadOnly: true, Help: "Dice quale riga è."}))
	f := blankOf(t, tpl)
	rows := must.Get(f.GetRows("Guida Rapida"))(t)
	assert.Equal(t, [][]string{
		{"Guida Rapida – Esportazione"}, {"Com'era."}, {"• Si corregge l'oggetto."}, {"• Poi si carica."}, nil,
		{"Colonna", "Si può correggere", "Cosa contiene", "Esempio"},
		{"Oggetto", "Sì", "Al massimo 20 caratteri.", "Avviso"},
		{"ID", "No, sola lettura", "Dice quale riga è."},
	}, rows)
	assert.Equal(t, "Oggetto\nSi può correggere. Scrivere: al massimo 20 caratteri.\nEsempio: Avviso", commentAt(t, f, "A1"))
	assert.Equal(t, "ID\nSola lettura.\nDice quale riga è.", commentAt(t, f, "B1"))
	colors := map[string]string{}
	for _, ref := range []string{"A1", "B1"} {
		style := styleOf(t, f, "Dati", ref)
		colors[ref] = style.Fill.Color[0]
	}
	assert.NotEqual(t, colors["A1"], colors["B1"])
}

func TestLongListsStandInAHiddenSheet(t *testing.T) {
	var options []excel.Option[int]
	for i := range 100 {
		options = append(options, excel.Option[int]{Label: fmt.Sprintf("Categoria numero %d, con virgola", i), Value: i})
	}
	tpl := must.Get(valueTemplate("Categoria", excel.Choice(options...), excel.ColumnConfig{}))(t)
	f := blankOf(t, tpl)
	assert.False(t, must.Get(f.GetSheetVisible("Elenchi"))(t))
	assert.Equal(t, "Categoria numero 99, con virgola", must.Get(f.GetCellValue("Elenchi", "A100"))(t))
	validations := must.Get(f.GetDataValidations("Dati"))(t)
	require.Len(t, validations, 1)
	assert.Equal(t, "'Elenchi'!$A$1:$A$100", validations[0].Formula1)

	var buf bytes.Buffer
	require.NoError(t, tpl.Encode(t.Context(), &buf, excel.Rows(func(yield func(int) bool) { yield(42) })))
	var report excel.Report
	assert.Equal(t, 42, linesOf(t, tpl.Decode, buf.Bytes(), &report)[0].Value)
	assert.Empty(t, report.Ignored)
}

// Texts that are too long for Excel's messages are cut, not refused.
func TestLongTextsFitIntoMessages(t *testing.T) {
	rule := excel.Rule{Text: strings.Repeat("molto lungo, ", 50), Min: 1, Max: 9}
	kind := excel.FromText(rule, func(s string) (flussi.Reading[string], error) { return flussi.Reading[string]{Value: s}, nil }, func(s string) string { return s })
	tpl := must.Get(valueTemplate("Una colonna con un nome molto lungo 😀😀😀😀", kind, excel.ColumnConfig{Help: strings.Repeat("aiuto ", 200)}))(t)
	f := blankOf(t, tpl)
	validations := must.Get(f.GetDataValidations("Dati"))(t)
	require.Len(t, validations, 1)
	assert.LessOrEqual(t, units(*validations[0].ErrorTitle), 32)
	assert.LessOrEqual(t, units(*validations[0].Error), 255)
	assert.True(t, strings.HasSuffix(*validations[0].Error, "…"))
}
