package excel_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/xlsxtest"
)

// sale is the row of a template whose first column may well hold the word "Totale".
type sale struct {
	What   string
	Amount flussi.Cents
}

func sales() *excel.Template[sale] {
	return excel.MustNew(excel.Config[sale]{Name: "Vendite"},
		excel.NewColumn("Descrizione", excel.Text(1, 50), func(s *sale) *string { return &s.What }, excel.ColumnConfig{}),
		excel.NewColumn("Importo", excel.Money(0, 1_000_000), func(s *sale) *flussi.Cents { return &s.Amount }, excel.ColumnConfig{Total: true}))
}

func TestARowThatSaysTotaleIsARow(t *testing.T) {
	rows := []sale{{"Totale", 1250}, {"altro", 100}, {"TOTALE", 5}}
	var buf bytes.Buffer
	require.NoError(t, sales().Encode(t.Context(), &buf, excel.Rows(slices.Values(rows))))
	var report excel.Report
	lines := linesOf(t, sales().Decode, buf.Bytes(), &report)
	assert.Equal(t, rows, values(lines))
	assert.Equal(t, 1, report.Totals)
}

func TestTwoRowsOfHeadersAreRefused(t *testing.T) {
	d := decode(template(), book(t, goodRows+row(5, append(headers, "Scadenza")...)+row(6, good...)))
	require.ErrorIs(t, d.err, excel.ErrHeader)
	assert.Contains(t, flussi.Explain(d.err), "Anche la riga 1 ha le intestazioni")
}

func TestAReaderThatIsShorterThanSaid(t *testing.T) {
	file := []byte(csvHeaders + "\n" + csvGood + "\n")
	for _, missing := range []int{1, 100, 100_000} {
		var d decoded
		collect(template().DecodeCSV(t.Context(), bytes.NewReader(file), int64(len(file)+missing), &d.report), &d)
		require.ErrorIs(t, d.err, excel.ErrTruncated)
		assert.Empty(t, d.rows)
	}
}

func TestCSVRowsAreJudgedAlike(t *testing.T) {
	t.Run("below an empty header", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), "CF;;Oggetto;Contenuto\n"+code+";v;Oggetto di prova;"+content+"\n"+code+";v;Oggetto di prova;"+content+"\n"))
		assert.Len(t, d.rows, 2)
		require.Len(t, d.report.Unknown, 1)
		assert.Equal(t, "B", d.report.Unknown[0].Column)
	})
	t.Run("beyond the header", func(t *testing.T) {
		line := code + ";Oggetto di prova;" + content + ";v\n"
		d := decodeCSV(template(), "CF;Oggetto;Contenuto\n"+line+line)
		assert.Len(t, d.wrong, 2)
	})
	t.Run("the header alone, cut off", func(t *testing.T) {
		require.ErrorIs(t, decodeCSV(template(), "CF;Oggetto;Contenuto;Imp").err, excel.ErrTruncated)
		require.NoError(t, decodeCSV(template(), "CF;Oggetto;Contenuto\n").err)
	})
	t.Run("a bad quote in the middle", func(t *testing.T) {
		d := decodeCSV(template(), "CF;Oggetto;Contenuto\n\"abc\"d;x;y\n"+code+";x;y\n")
		require.ErrorIs(t, d.err, excel.ErrMalformed)
	})
	t.Run("a separator that is none", func(t *testing.T) {
		d := whole(t, decodeCSV(template(), "sep=\"\nCF;Oggetto;Contenuto\n"+csvGood+"\n"))
		assert.Equal(t, 2, d.report.HeaderRow, "the line is a title")
		assert.Len(t, d.rows, 1)
	})
}

func TestSheetsOfTheOperatorAreNotTakenForOurs(t *testing.T) {
	tpl := template()
	file := resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) {
		require.NoError(t, f.SetCellStr("Dati", "B2", "corto"))
		require.NoError(t, f.SetSheetName("Dati", "errori"))
		must.Get(f.NewSheet("Dati"))(t)
		must.Get(f.NewSheet("Errori vecchi"))(t)
		require.NoError(t, f.SetCellStr("Errori vecchi", "A1", "appunti"))
	})
	d := whole(t, decode(tpl, file))
	require.Len(t, d.wrong, 1)
	assert.Equal(t, "errori", d.report.Sheet.Reveal())
	assert.Len(t, d.report.Ignored, 1)
	f := annotate(t, tpl, file, d)
	assert.Contains(t, f.GetSheetList(), "Errori 2")
	for ref, want := range map[string]string{"A1": "Codice fiscale", "A2": fiscalCode(0).Reveal(), "B2": "corto"} {
		assert.Equal(t, want, must.Get(f.GetCellValue("errori", ref))(t))
	}
	assert.Equal(t, "appunti", must.Get(f.GetCellValue("Errori vecchi", "A1"))(t))
}

func TestMarksKeepTheFormatOfACell(t *testing.T) {
	tpl := template()
	parts := xlsxtest.Unpack(t, resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) {
		require.NoError(t, f.SetCellStr("Dati", "B2", "corto"))
		id := must.Get(f.NewStyle(&excelize.Style{NumFmt: 10, Border: []excelize.Border{{Type: "left", Color: "112233", Style: 1}}}))(t)
		require.NoError(t, f.SetCellStyle("Dati", "B2", "B2", id))
	}))
	parts[xlsxtest.Styles] = strings.Replace(parts[xlsxtest.Styles], `numFmtId="10"`, `numFmtId="8" quotePrefix="1"`, 1)
	require.Contains(t, parts[xlsxtest.Styles], "quotePrefix")
	file := xlsxtest.Pack(t, parts)
	d := whole(t, decode(tpl, file))
	require.Len(t, d.wrong, 1)
	var buf bytes.Buffer
	require.NoError(t, mark(t, &buf, tpl, file, d))
	styles := xlsxtest.Unpack(t, buf.Bytes())[xlsxtest.Styles]
	assert.Equal(t, 2, strings.Count(styles, `numFmtId="8"`), "the style, and its red twin")
	assert.Equal(t, 2, strings.Count(styles, `quotePrefix="true"`))
}

func TestAFileThatWouldFillTheMemoryIsNotMarked(t *testing.T) {
	tpl := template()
	for name, rows := range map[string]func(*strings.Builder){
		"wide rows": func(b *strings.Builder) {
			for i := 3; i < 500; i++ {
				fmt.Fprintf(b, `<row r="%d"><c r="XFD%d"/></row>`, i, i)
			}
		},
		"a last row": func(b *strings.Builder) { b.WriteString(`<row r="1048576"/>`) },
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString(headRow + row(2, code, "corto", content))
			rows(&b)
			file := book(t, b.String())
			d := whole(t, decode(tpl, file))
			require.ErrorIs(t, mark(t, io.Discard, tpl, file, d), excel.ErrLimit)
		})
	}
}

func TestACSVCopyHoldsTheSameTexts(t *testing.T) {
	tpl := template()
	odd := "a_x000D_b _x0001_ <&> 😀"
	file := []byte("CF;Oggetto;Contenuto\nabc;" + odd + ";x\n")
	d := whole(t, decodeCSV(tpl, file))
	var buf bytes.Buffer
	require.NoError(t, mark(t, &buf, tpl, file, d))
	texts := must.Get(valueTemplate("Oggetto", excel.Text(1, 100), excel.ColumnConfig{}))(t)
	lines := linesOf(t, texts.Decode, buf.Bytes(), nil)
	require.Len(t, lines, 1)
	assert.Equal(t, odd, lines[0].Value)
}

func TestKindsThatAllowNothingAreDefects(t *testing.T) {
	same := func(s string) string { return s }
	none := func(string) (flussi.Reading[string], error) { return flussi.Reading[string]{}, nil }
	for name, err := range map[string]error{
		"text backwards":          defect(excel.Text(5, 2), ""),
		"text of no characters":   defect(excel.Text(0, 0), ""),
		"code backwards":          defect(excel.Code(5, 2), ""),
		"no options":              defect(excel.Choice[string](), ""),
		"option twice":            defect(excel.Choice(excel.Option[string]{Label: "A", Value: "x"}, excel.Option[string]{Label: "a.", Value: "y"}), ""),
		"option without a name":   defect(excel.Choice(excel.Option[string]{Label: "+", Value: "x"}), ""),
		"no functions":            defect(excel.FromText[string](excel.Rule{}, nil, nil), ""),
		"example refused":         defect(excel.Code(8, 8), "no"),
		"converted defect":        defect(excel.Convert(excel.Text(5, 2), same, same), ""),
		"nothing to convert":      defect(excel.Convert[string, string](nil, nil, nil), ""),
		"rule backwards":          defect(excel.FromText(excel.Rule{Min: 3, Max: 2}, none, same), ""),
		"numbers backwards":       defect(excel.Integer(2, 1), ""),
		"number of 16 digits":     defect(excel.Integer(0, 1<<60), ""),
		"negative amount":         defect(excel.Money(-1, 1), ""),
		"amounts backwards":       defect(excel.Money(2, 1), ""),
		"amount beyond 15 digits": defect(excel.Money(0, 1<<60), ""),
	} {
		var defects *excel.TemplateError
		require.ErrorAs(t, err, &defects, name)
	}
}

// defect returns the error of a template with a column of a kind.
func defect[V any](kind excel.Kind[V], example string) error {
	_, err := valueTemplate("Valore", kind, excel.ColumnConfig{Example: example})
	return err
}

func TestKindsOfOtherKinds(t *testing.T) {
	type named string
	kind := excel.Optional(excel.Convert(excel.Text(1, 5), func(s string) named { return named(s) }, func(n named) string { return string(n) }))
	r := must.Get(kind.Read(excel.Cell{Type: excel.TextCell, Text: "abc"}))(t)
	assert.Equal(t, named("abc"), *r.Value)
	assert.Equal(t, excel.Cell{}, kind.Write(nil))
	assert.Equal(t, excel.Cell{Type: excel.TextCell, Text: "abc"}, kind.Write(r.Value))
	_, err := kind.Read(excel.Cell{Type: excel.TextCell, Text: "abcdef"})
	require.ErrorIs(t, err, flussi.ErrLength)
}
