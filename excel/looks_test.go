package excel_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
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

// letter is a row of a template for looks.
type letter struct {
	code, subject, content string
	amount                 flussi.Cents
	count                  int64
	due, at                time.Time
	failed, off, doubtful  bool
}

func letters(change ...func(*excel.Config[letter])) *excel.Template[letter] {
	c := excel.Config[letter]{Name: "Lettere", Export: true, Tones: []excel.Tone[letter]{
		{Color: excel.Grey, Text: "lettere disabilitate", Has: func(l *letter) bool { return l.off }},
		{Color: excel.Red, Text: "lettere in «Errore» & simili", Has: func(l *letter) bool { return l.failed }},
		{Color: excel.Yellow, Text: "lettere dubbie", Has: func(l *letter) bool { return l.doubtful }},
	}}
	for _, f := range change {
		f(&c)
	}
	return excel.MustNew(c,
		excel.NewColumn("Codice", excel.Code(1, 16), func(l *letter) *string { return &l.code }, excel.ColumnConfig{}),
		excel.NewColumn("Oggetto", excel.Text(1, 120), func(l *letter) *string { return &l.subject }, excel.ColumnConfig{Width: 40}),
		excel.NewColumn("Contenuto", excel.Text(1, 10_000), func(l *letter) *string { return &l.content }, excel.ColumnConfig{}),
		excel.NewColumn("Somma", excel.Money(1, 1_000_000), func(l *letter) *flussi.Cents { return &l.amount }, excel.ColumnConfig{}),
		excel.NewColumn("Rata", excel.Integer(1, 99), func(l *letter) *int64 { return &l.count }, excel.ColumnConfig{}),
		excel.NewColumn("Scadenza", excel.Date(excel.DateConfig{}), func(l *letter) *time.Time { return &l.due }, excel.ColumnConfig{}),
		excel.NewColumn("Registrata", excel.DateTime(), func(l *letter) *time.Time { return &l.at }, excel.ColumnConfig{}),
	)
}

func encodeLetters(t *testing.T, tpl *excel.Template[letter], rows ...letter) []byte {
	var b bytes.Buffer
	require.NoError(t, tpl.Encode(t.Context(), &b, excel.Rows(func(yield func(letter) bool) {
		for _, l := range rows {
			if !yield(l) {
				return
			}
		}
	})))
	return b.Bytes()
}

// The styles of the cells of a sheet: a golden table.
func TestStylesOfCells(t *testing.T) {
	f := open(t, bytes.NewBuffer(encodeLetters(t, letters(), letter{code: "A"}, letter{code: "B", failed: true}, letter{code: "C", failed: true, off: true}, letter{code: "D", doubtful: true})))
	describe := func(ref string) string {
		s := styleOf(t, f, "Dati", ref)
		background, line := "-", "-"
		if s.Fill.Type == "pattern" && len(s.Fill.Color) > 0 {
			background = s.Fill.Color[0]
		}
		for _, b := range s.Border {
			line = fmt.Sprint(b.Type, " ", b.Style, " ", b.Color)
		}
		format := fmt.Sprint(s.NumFmt)
		if s.CustomNumFmt != nil {
			format = *s.CustomNumFmt
		}
		return fmt.Sprintf("%s %s wrap=%v bold=%v %s | %s | %s", s.Alignment.Horizontal, s.Alignment.Vertical, s.Alignment.WrapText, s.Font.Bold, background, line, format)
	}
	for ref, want := range map[string]string{
		"A1": "left center wrap=true bold=true 1F4E78 | right 1 FFFFFF | 49",
		"D1": "right center wrap=true bold=true 1F4E78 | right 1 FFFFFF | 49",
		"F1": "center center wrap=true bold=true 1F4E78 | right 1 FFFFFF | 49",
		"A2": "left top wrap=false bold=false - | bottom 1 D0D0D0 | 49",
		"B2": "left top wrap=true bold=false - | bottom 1 D0D0D0 | 49",
		"C2": "left top wrap=true bold=false - | bottom 1 D0D0D0 | 49",
		"D2": "right top wrap=false bold=false - | bottom 1 D0D0D0 | 4",
		"E2": "right top wrap=false bold=false - | bottom 1 D0D0D0 | 1",
		"F2": "center top wrap=false bold=false - | bottom 1 D0D0D0 | dd/mm/yyyy",
		"G2": "center top wrap=false bold=false - | bottom 1 D0D0D0 | dd/mm/yyyy hh:mm:ss",
		"A3": "left top wrap=false bold=false FBDAD7 | bottom 1 D0D0D0 | 49",
		"D3": "right top wrap=false bold=false FBDAD7 | bottom 1 D0D0D0 | 4",
		"A5": "left top wrap=false bold=false FFF2CC | bottom 1 D0D0D0 | 49",
		"B4": "left top wrap=true bold=false E9E9E9 | bottom 1 D0D0D0 | 49",
	} {
		assert.Equal(t, want, describe(ref), ref)
	}
	t.Run("a sum stands below a line", func(t *testing.T) {
		f := open(t, bytes.NewBuffer(encode(t, template(), generate(1))))
		s := styleOf(t, f, "Dati", "E3")
		assert.Equal(t, []any{true, 4, "right"}, []any{s.Font.Bold, s.NumFmt, s.Alignment.Horizontal})
		assert.Equal(t, []excelize.Border{{Type: "top", Color: "1F4E78", Style: 2}}, s.Border)
		assert.False(t, styleOf(t, f, "Dati", "E2").Font.Bold)
	})
	t.Run("an amount that is typed as text stands where amounts stand", func(t *testing.T) {
		id := must.Get(f.GetColStyle("Dati", "D"))(t)
		assert.Equal(t, "right", must.Get(f.GetStyle(id))(t).Alignment.Horizontal)
	})
	t.Run("the legend is in the guide, in the first comment and on paper", func(t *testing.T) {
		rows := must.Get(f.GetRows("Guida Rapida"))(t)
		must.Contain(t, fmt.Sprint(rows), "Righe grigie: lettere disabilitate.", "Righe rosse: lettere in «Errore» & simili.", "Righe gialle: lettere dubbie.")
		for i, row := range rows {
			if len(row) > 0 && strings.HasPrefix(row[0], "Righe rosse") {
				assert.Equal(t, []string{"FBDAD7"}, styleOf(t, f, "Guida Rapida", fmt.Sprintf("A%d", i+1)).Fill.Color)
			}
		}
		assert.Contains(t, commentAt(t, f, "A1"), "Righe grigie: lettere disabilitate.\nRighe rosse: ")
		assert.NotContains(t, commentAt(t, f, "B1"), "Righe")
		footer := must.Get(f.GetHeaderFooter("Dati"))(t).OddFooter
		assert.Contains(t, footer, "Righe rosse: lettere in «Errore» && simili. Righe gialle: lettere dubbie.&R")
		assert.LessOrEqual(t, units(footer), 255)
	})
}

func TestTonesThatCannotBeUsed(t *testing.T) {
	has := func(*letter) bool { return true }
	for name, tones := range map[string][]excel.Tone[letter]{
		"no color": {{Text: "x", Has: has}}, "no such color": {{Color: 9, Text: "x", Has: has}}, "no text": {{Color: excel.Red, Has: has}},
		"no function": {{Color: excel.Red, Text: "x"}}, "color twice": {{Color: excel.Red, Text: "x", Has: has}, {Color: excel.Red, Text: "y", Has: has}},
	} {
		_, err := excel.New(excel.Config[letter]{Name: "x", Tones: tones},
			excel.NewColumn("Codice", excel.Code(1, 16), func(l *letter) *string { return &l.code }, excel.ColumnConfig{}))
		assert.ErrorContains(t, err, "tone ", name)
	}
}

// heights returns the heights of the rows of a sheet, by number; 0 if a row has none.
func heights(t *testing.T, file []byte) map[int]float64 {
	sheet := xlsxtest.Unpack(t, file)[xlsxtest.Sheet1]
	found := map[int]float64{}
	for _, m := range regexp.MustCompile(`<row r="(\d+)"(?: ht="([\d.]+)")?>`).FindAllStringSubmatch(sheet, -1) {
		number := must.Get(strconv.Atoi(m[1]))(t)
		found[number] = 0
		if m[2] != "" {
			found[number] = must.Get(strconv.ParseFloat(m[2], 64))(t)
		}
	}
	return found
}

// Rows are as tall as their longest text, and no height is fixed: a spreadsheet fits it again when
// the text is changed.
func TestRowsAreTallEnoughForTheirTexts(t *testing.T) {
	line := "Gentile contribuente, la prima rata della TARI scade a giugno" // fits into 60
	file := encodeLetters(t, letters(),
		letter{code: "A", content: line},
		letter{content: line + " " + line + " " + line + " " + line},
		letter{content: "1\n2\n\n4"},
		letter{subject: "TARI 2026: avviso di pagamento della prima rata", content: "x"},
		letter{content: strings.Repeat("x", 300)},
		letter{content: strings.Repeat("parola ", 1400)},
		letter{content: strings.Repeat("è", 110) + strings.Repeat("😀", 10)},
		letter{})
	got := heights(t, file)
	assert.Equal(t, map[int]float64{2: 15, 3: 60, 4: 60, 5: 30, 6: 75, 7: 409, 8: 45, 9: 15}, got)
	assert.NotContains(t, xlsxtest.Unpack(t, file)[xlsxtest.Sheet1], `<row r="2" ht="15" customHeight`)
}

// A sheet is printed in landscape with its header on each page, wide ones side by side.
func TestPagesAreReadable(t *testing.T) {
	tpl := letters()
	f := open(t, bytes.NewBuffer(encodeLetters(t, tpl, letter{code: "A"})))
	layout := must.Get(f.GetPageLayout("Dati"))(t)
	assert.Equal(t, []any{"landscape", 9, 1, 0}, []any{*layout.Orientation, *layout.Size, *layout.FitToWidth, *layout.FitToHeight})
	titles := map[string]string{}
	for _, name := range f.GetDefinedName() {
		if name.Name == "_xlnm.Print_Titles" {
			titles[name.Scope] = name.RefersTo
		}
	}
	assert.Equal(t, map[string]string{"Dati": "'Dati'!$1:$1", "Guida Rapida": "'Guida Rapida'!$6:$6"}, titles)
	guide := must.Get(f.GetPageLayout("Guida Rapida"))(t)
	assert.Equal(t, []any{"landscape", 1, 1}, []any{*guide.Orientation, *guide.FitToWidth, *guide.FitToHeight}, "one page")

	wide := func(columns int) *excelize.File {
		var all []excel.Column[letter]
		for i := range columns {
			all = append(all, excel.NewColumn(fmt.Sprintf("Colonna %d", i+1), excel.Text(1, 16), func(l *letter) *string { return &l.code }, excel.ColumnConfig{Width: 16}))
		}
		return blankOf(t, excel.MustNew(excel.Config[letter]{Name: "Largo", Export: true}, all...))
	}
	for columns, want := range map[int]string{22: "M", 30: "L V"} {
		f := wide(columns)
		layout := must.Get(f.GetPageLayout("Dati"))(t)
		assert.GreaterOrEqual(t, *layout.AdjustTo, uint(60), columns)
		var b bytes.Buffer
		require.NoError(t, f.Write(&b))
		var breaks []string
		sheet := xlsxtest.Unpack(t, b.Bytes())[xlsxtest.Sheet1]
		for _, m := range regexp.MustCompile(`<brk id="(\d+)" max="1048575"`).FindAllStringSubmatch(sheet, -1) {
			breaks = append(breaks, must.Get(excelize.ColumnNumberToName(must.Get(strconv.Atoi(m[1]))(t)+1))(t))
		}
		assert.Equal(t, want, strings.Join(breaks, " "), "%d columns", columns)
		for _, name := range f.GetDefinedName() {
			if name.Name == "_xlnm.Print_Titles" && name.Scope == "Dati" {
				assert.Equal(t, "'Dati'!$A:$A,'Dati'!$1:$1", name.RefersTo)
			}
		}
	}
	t.Run("a guide too long for a page repeats its header", func(t *testing.T) {
		layout := must.Get(wide(90).GetPageLayout("Guida Rapida"))(t)
		assert.Equal(t, []int{1, 0}, []int{*layout.FitToWidth, *layout.FitToHeight})
	})
}

// exceljs refuses properties without a prefix, of which excelize writes one.
func TestPropertiesHavePrefixes(t *testing.T) {
	core := xlsxtest.Unpack(t, encodeLetters(t, letters()))["docProps/core.xml"]
	assert.Contains(t, core, "<dc:creator>Flussi</dc:creator>")
	assert.NotContains(t, core, "lastModifiedBy")
}

// Checks end at a named limit, which the guide says: some libraries make an object of every cell of
// a range, also of the filter's name.
func TestChecksEndAtALimit(t *testing.T) {
	assert.NotContains(t, xlsxtest.Unpack(t, encodeLetters(t, letters()))["xl/workbook.xml"], "1048576")
	for limit, last := range map[int]int{0: 10_001, 50: 51} {
		tpl := template(func(c *config) { c.Limits.CheckedRows = limit })
		f := blankOf(t, tpl)
		for _, v := range must.Get(f.GetDataValidations("Dati"))(t) {
			assert.Regexp(t, fmt.Sprintf(`^([A-J])2:([A-J])%d$`, last), v.Sqref)
		}
		text := fmt.Sprint(must.Get(f.GetRows("Guida Rapida"))(t))
		assert.Contains(t, text, map[int]string{0: "fino alla riga 10.001", 50: "fino alla riga 51"}[limit]+"; al caricamento si controllano tutte le righe")
	}
}
