package excel

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// guideColumn is a column of the table in the guide.
type guideColumn struct {
	header string
	width  float64
}

// guideColumns are those of a template that is filled in, and of an export. They are as
// wide together, so that paragraphs are.
func guideColumns(export bool) []guideColumn {
	if export {
		return []guideColumn{{"Colonna", 24}, {"Si può correggere", 20}, {"Cosa contiene", 76}, {"Esempio", 40}}
	}
	return []guideColumn{{"Colonna", 24}, {"Obbligatoria", 16}, {"Cosa scrivere", 56}, {"Esempio", 34}, {"Altri nomi accettati", 30}}
}

// guideHints are what operators have to know about every template that they fill in.
var guideHints = []string{
	"Si compila il foglio «%s»: una riga per ogni voce, sotto le intestazioni, che non vanno cambiate.",
	"Le intestazioni scure indicano le colonne obbligatorie, quelle chiare le facoltative.",
	"I codici restano testo: non cambiare il formato delle celle, altrimenti il foglio di calcolo perde cifre e zeri iniziali.",
	"Per incollare da altri file usare «Incolla speciale» e «Valori», che conservano formati e controlli.",
	"Non unire celle e non nascondere righe fra i dati. Le righe vuote vengono saltate.",
	"Gli importi si scrivono con la virgola prima dei centesimi, ad esempio 1.234,56; le date nella forma gg/mm/aaaa.",
}

// buildGuide makes the sheet that explains the columns.
func (t *Template[Row]) buildGuide(b *builder) {
	_, err := b.f.NewSheet(guideSheet)
	b.do(err)
	title := b.style(&excelize.Style{Font: boldFont(16, headerColor)})
	plain := b.style(&excelize.Style{Font: font(11, textColor), Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	head := b.style(&excelize.Style{
		Font:      boldFont(11, headText),
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{headerColor}},
		Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "center", WrapText: true},
	})
	border := []excelize.Border{{Type: "bottom", Color: borderColor, Style: 1}}
	cell := b.style(&excelize.Style{NumFmt: 49, Font: font(11, textColor), Border: border, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "top", WrapText: true}})
	bold := b.style(&excelize.Style{NumFmt: 49, Font: boldFont(11, textColor), Border: border, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "top", WrapText: true}})
	columns := guideColumns(t.config.Export)
	last := xlsx.ColumnName(len(columns))
	total := 0.0
	for i, c := range columns {
		name := xlsx.ColumnName(i + 1)
		b.do(b.f.SetColWidth(guideSheet, name, name, c.width))
		total += c.width
	}
	row := 0
	paragraph := func(text string, style int) {
		row++
		b.do(b.f.SetCellStr(guideSheet, xlsx.Reference(1, row), text))
		b.do(b.f.MergeCell(guideSheet, xlsx.Reference(1, row), fmt.Sprintf("%s%d", last, row)))
		b.do(b.f.SetCellStyle(guideSheet, xlsx.Reference(1, row), fmt.Sprintf("%s%d", last, row), style))
		if style == plain {
			b.do(b.f.SetRowHeight(guideSheet, row, height(text, total)))
		}
	}
	paragraph(guideTitle+t.config.Name, title)
	b.do(b.f.SetRowHeight(guideSheet, row, 26))
	if t.config.Intro != "" {
		paragraph(t.config.Intro, plain)
	}
	for _, hint := range t.hints() {
		paragraph("• "+hint, plain)
	}
	row += 2
	write := func(texts []string, styles func(int) int) {
		tallest := 15.0
		for i, text := range texts {
			ref := xlsx.Reference(i+1, row)
			b.do(b.f.SetCellStr(guideSheet, ref, text))
			b.do(b.f.SetCellStyle(guideSheet, ref, ref, styles(i)))
			tallest = max(tallest, height(text, columns[i].width))
		}
		b.do(b.f.SetRowHeight(guideSheet, row, tallest))
		row++
	}
	var headers []string
	for _, c := range columns {
		headers = append(headers, c.header)
	}
	write(headers, func(int) int { return head })
	for i := range t.columns {
		c := &t.columns[i]
		texts := c.explain()
		if t.config.Export {
			texts = c.explainExport()
		}
		write(texts, func(i int) int {
			if i == 0 {
				return bold
			}
			return cell
		})
	}
	if !t.config.Export {
		t.buildExample(b, &row, columns, head, cell)
	}
	b.do(b.f.SetSheetView(guideSheet, 0, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	b.do(b.f.SetPageLayout(guideSheet, &excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), FitToWidth: ptr(1), FitToHeight: ptr(0)}))
	b.do(b.f.SetSheetProps(guideSheet, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
}

// hints are the rules of the guide.
func (t *Template[Row]) hints() []string {
	if t.config.Export {
		return t.config.Hints
	}
	hints := slices.Clone(guideHints)
	hints[0] = fmt.Sprintf(hints[0], t.config.Sheet)
	return hints
}

// what describes the values of a column.
func (c *Column[Row]) what() string {
	return strings.TrimPrefix(strings.TrimSpace(capital(c.rule.Text)+". "+c.config.Help), ". ")
}

// explain is the line of a column in the guide of a template that is filled in.
func (c *Column[Row]) explain() []string {
	required := "No"
	if c.config.Required {
		required = "Sì"
	}
	return []string{c.header, required, c.what(), c.example(), strings.Join(c.config.Aliases, ", ")}
}

// explainExport is its line in the guide of an export.
func (c *Column[Row]) explainExport() []string {
	if c.config.ReadOnly {
		return []string{c.header, "No, sola lettura", c.config.Help, c.example()}
	}
	return []string{c.header, "Sì", c.what(), c.example()}
}

// buildExample writes a row as it looks when it is filled in, a few columns below the
// others so that it can be printed.
func (t *Template[Row]) buildExample(b *builder, row *int, columns []guideColumn, head, cell int) {
	*row++
	title := b.style(&excelize.Style{Font: boldFont(12, headerColor)})
	ref := xlsx.Reference(1, *row)
	b.do(b.f.SetCellStr(guideSheet, ref, "Esempio di riga compilata"))
	b.do(b.f.SetCellStyle(guideSheet, ref, ref, title))
	*row++
	for from := 0; from < len(t.columns); from += len(columns) {
		heads, values := 15.0, 15.0
		for n := range min(len(columns), len(t.columns)-from) {
			c := &t.columns[from+n]
			for line, text := range []string{c.header, c.example()} {
				ref := xlsx.Reference(n+1, *row+line)
				b.do(b.f.SetCellStr(guideSheet, ref, text))
				b.do(b.f.SetCellStyle(guideSheet, ref, ref, []int{head, cell}[line]))
			}
			heads = max(heads, height(c.header, columns[n].width))
			values = max(values, height(c.example(), columns[n].width))
		}
		b.do(b.f.SetRowHeight(guideSheet, *row, heads))
		b.do(b.f.SetRowHeight(guideSheet, *row+1, values))
		*row += 3
	}
}

// height estimates how high a row has to be for a text that wraps.
func height(text string, width float64) float64 {
	lines := 0
	for _, line := range strings.Split(text, "\n") {
		lines += 1 + int(float64(utf8.RuneCountInString(line))*0.95/width)
	}
	return min(float64(lines)*15, 400)
}

// capital makes the first letter a capital.
func capital(s string) string {
	r, width := utf8.DecodeRuneInString(s)
	if width == 0 {
		return s
	}
	return strings.ToUpper(string(r)) + s[width:]
}
