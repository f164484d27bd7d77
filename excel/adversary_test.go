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
	lines, err := excel.Collect(sales().Decode(t.Context(), bytes.NewReader(buf.Bytes()), int64(buf.Len()), &report))
	require.NoError(t, err)
	var got []sale
	for _, line := range lines {
		got = append(got, line.Value)
	}
	assert.Equal(t, rows, got)
	assert.Equal(t, 1, report.Totals)
}

func TestTwoRowsOfHeadersAreRefused(t *testing.T) {
	d := decode(template(), book(t, row(1, headers...)+row(2, good...)+row(5, append(headers, "Scadenza")...)+row(6, good...)))
	require.ErrorIs(t, d.err, excel.ErrHeader)
	assert.Contains(t, flussi.Explain(d.err), "Anche la riga 1 ha le intestazioni")
}

func TestAReaderThatIsShorterThanSaid(t *testing.T) {
	file := []byte(strings.Join(headers, ";") + "\n" + strings.Join(good, ";") + "\n")
	for _, missing := range []int{1, 100, 100_000} {
		var d decoded
		collect(template().DecodeCSV(t.Context(), bytes.NewReader(file), int64(len(file)+missing), &d.report), &d)
		require.ErrorIs(t, d.err, excel.ErrTruncated)
		assert.Empty(t, d.rows)
	}
}

func TestCSVRowsAreJudgedAlike(t *testing.T) {
	t.Run("below an empty header", func(t *testing.T) {
		d := decodeCSV(template(), []byte("CF;;Oggetto;Contenuto\n"+code+";v;Oggetto di prova;"+content+"\n"+code+";v;Oggetto di prova;"+content+"\n"))
		require.NoError(t, d.err)
		assert.Len(t, d.rows, 2)
		require.Len(t, d.report.Unknown, 1)
		assert.Equal(t, "B", d.report.Unknown[0].Column)
	})
	t.Run("beyond the header", func(t *testing.T) {
		line := code + ";Oggetto di prova;" + content + ";v\n"
		d := decodeCSV(template(), []byte("CF;Oggetto;Contenuto\n"+line+line))
		assert.Len(t, d.wrong, 2)
	})
	t.Run("the header alone, cut off", func(t *testing.T) {
		require.ErrorIs(t, decodeCSV(template(), []byte("CF;Oggetto;Contenuto;Imp")).err, excel.ErrTruncated)
		require.NoError(t, decodeCSV(template(), []byte("CF;Oggetto;Contenuto\n")).err)
	})
	t.Run("a bad quote in the middle", func(t *testing.T) {
		d := decodeCSV(template(), []byte("CF;Oggetto;Contenuto\n\"abc\"d;x;y\n"+code+";x;y\n"))
		require.ErrorIs(t, d.err, excel.ErrMalformed)
	})
	t.Run("a separator that is none", func(t *testing.T) {
		d := decodeCSV(template(), []byte("sep=\"\nCF;Oggetto;Contenuto\n"+strings.Join(good, ";")+"\n"))
		require.Error(t, d.err)
		var file *excel.FileError
		require.ErrorAs(t, d.err, &file)
	})
}

func TestSheetsOfTheOperatorAreNotTakenForOurs(t *testing.T) {
	tpl := template()
	file := resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) {
		require.NoError(t, f.SetCellStr("Dati", "B2", "corto"))
		require.NoError(t, f.SetSheetName("Dati", "errori"))
		_, err := f.NewSheet("Dati")
		require.NoError(t, err)
		_, err = f.NewSheet("Errori vecchi")
		require.NoError(t, err)
		require.NoError(t, f.SetCellStr("Errori vecchi", "A1", "appunti"))
	})
	d := decode(tpl, file)
	require.NoError(t, d.err)
	require.Len(t, d.wrong, 1)
	assert.Equal(t, "errori", d.report.Sheet.Reveal())
	assert.Len(t, d.report.Ignored, 1)
	f := annotate(t, tpl, file, d)
	assert.Contains(t, f.GetSheetList(), "Errori 2")
	for ref, want := range map[string]string{"A1": "Codice fiscale", "A2": fiscalCode(0).Reveal(), "B2": "corto"} {
		text, err := f.GetCellValue("errori", ref)
		require.NoError(t, err)
		assert.Equal(t, want, text)
	}
	text, err := f.GetCellValue("Errori vecchi", "A1")
	require.NoError(t, err)
	assert.Equal(t, "appunti", text)
}

func TestMarksKeepTheFormatOfACell(t *testing.T) {
	tpl := template()
	parts := xlsxtest.Unpack(t, resave(t, encode(t, tpl, generate(3)), func(f *excelize.File) {
		require.NoError(t, f.SetCellStr("Dati", "B2", "corto"))
		id, err := f.NewStyle(&excelize.Style{NumFmt: 10, Border: []excelize.Border{{Type: "left", Color: "112233", Style: 1}}})
		require.NoError(t, err)
		require.NoError(t, f.SetCellStyle("Dati", "B2", "B2", id))
	}))
	parts[xlsxtest.Styles] = strings.Replace(parts[xlsxtest.Styles], `numFmtId="10"`, `numFmtId="8" quotePrefix="1"`, 1)
	require.Contains(t, parts[xlsxtest.Styles], "quotePrefix")
	file := xlsxtest.Pack(t, parts)
	d := decode(tpl, file)
	require.NoError(t, d.err)
	require.Len(t, d.wrong, 1)
	var buf bytes.Buffer
	require.NoError(t, tpl.Annotate(t.Context(), &buf, bytes.NewReader(file), int64(len(file)), &d.report, d.refused()))
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
			b.WriteString(row(1, headers...) + row(2, code, "corto", content))
			rows(&b)
			file := book(t, b.String())
			d := decode(tpl, file)
			require.NoError(t, d.err)
			require.ErrorIs(t, tpl.Annotate(t.Context(), io.Discard, bytes.NewReader(file), int64(len(file)), &d.report, d.refused()), excel.ErrLimit)
		})
	}
}

func TestACSVCopyHoldsTheSameTexts(t *testing.T) {
	tpl := template()
	odd := "a_x000D_b\x01 <&> 😀"
	file := []byte("CF;Oggetto;Contenuto\nabc;" + odd + ";x\n")
	d := decodeCSV(tpl, file)
	require.NoError(t, d.err, flussi.Explain(d.err))
	var buf bytes.Buffer
	require.NoError(t, tpl.Annotate(t.Context(), &buf, bytes.NewReader(file), int64(len(file)), &d.report, d.refused()))
	texts := excel.MustNew(excel.Config[string]{Name: "Prova"}, excel.NewColumn("Oggetto", excel.Text(1, 100), func(s *string) *string { return s }, excel.ColumnConfig{}))
	lines, err := excel.Collect(texts.Decode(t.Context(), bytes.NewReader(buf.Bytes()), int64(buf.Len()), nil))
	require.NoError(t, err)
	require.Len(t, lines, 1)
	assert.Equal(t, odd, lines[0].Value)
}

func TestKindsThatAllowNothingAreDefects(t *testing.T) {
	text := func(k excel.Kind[string], example string) error {
		_, err := excel.New(excel.Config[string]{Name: "Prova"}, excel.NewColumn("Valore", k, func(s *string) *string { return s }, excel.ColumnConfig{Example: example}))
		return err
	}
	for name, err := range map[string]error{
		"text backwards":        text(excel.Text(5, 2), ""),
		"text of no characters": text(excel.Text(0, 0), ""),
		"code backwards":        text(excel.Code(5, 2), ""),
		"no options":            text(excel.Choice[string](), ""),
		"option twice":          text(excel.Choice(excel.Option[string]{Label: "A", Value: "x"}, excel.Option[string]{Label: "a.", Value: "y"}), ""),
		"option without a name": text(excel.Choice(excel.Option[string]{Label: "+", Value: "x"}), ""),
		"no functions":          text(excel.FromText[string](excel.Rule{}, nil, nil), ""),
		"example refused":       text(excel.Code(8, 8), "no"),
		"converted defect":      text(excel.Convert(excel.Text(5, 2), func(s string) string { return s }, func(s string) string { return s }), ""),
		"nothing to convert":    text(excel.Convert[string, string](nil, nil, nil), ""),
		"rule backwards":        text(excel.FromText(excel.Rule{Min: 3, Max: 2}, func(s string) (flussi.Reading[string], error) { return flussi.Reading[string]{}, nil }, func(s string) string { return s }), ""),
	} {
		var defects *excel.TemplateError
		require.ErrorAs(t, err, &defects, name)
	}
	for name, kind := range map[string]excel.Kind[int64]{"backwards": excel.Integer(2, 1), "beyond 15 digits": excel.Integer(0, 1<<60)} {
		_, err := excel.New(excel.Config[int64]{Name: "Prova"}, excel.NewColumn("Valore", kind, func(s *int64) *int64 { return s }, excel.ColumnConfig{}))
		require.Error(t, err, name)
	}
	for name, kind := range map[string]excel.Kind[flussi.Cents]{"negative": excel.Money(-1, 1), "backwards": excel.Money(2, 1), "beyond 15 digits": excel.Money(0, 1<<60)} {
		_, err := excel.New(excel.Config[flussi.Cents]{Name: "Prova"}, excel.NewColumn("Valore", kind, func(s *flussi.Cents) *flussi.Cents { return s }, excel.ColumnConfig{}))
		require.Error(t, err, name)
	}
}

func TestKindsOfOtherKinds(t *testing.T) {
	type named string
	kind := excel.Optional(excel.Convert(excel.Text(1, 5), func(s string) named { return named(s) }, func(n named) string { return string(n) }))
	r, err := kind.Read(excel.Cell{Type: excel.TextCell, Text: "abc"})
	require.NoError(t, err)
	assert.Equal(t, named("abc"), *r.Value)
	assert.Equal(t, excel.Cell{}, kind.Write(nil))
	assert.Equal(t, excel.Cell{Type: excel.TextCell, Text: "abc"}, kind.Write(r.Value))
	_, err = kind.Read(excel.Cell{Type: excel.TextCell, Text: "abcdef"})
	require.ErrorIs(t, err, flussi.ErrLength)
}
