package excel

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// guideColumn is a column of the table in the guide.
type guideColumn struct {
	header string
	width  float64
}

// guideColumns are those of a template that is filled in, and of an export.
func guideColumns(export bool) []guideColumn {
	if export {
		return []guideColumn{{"Colonna", 24}, {"Si può correggere", 20}, {"Cosa contiene", 92}, {"Esempio", 44}}
	}
	return []guideColumn{{"Colonna", 24}, {"Obbligatoria", 13}, {"Cosa scrivere", 54}, {"Esempio", 28}, {"Altri nomi accettati", 72}}
}

// guideHints are what operators have to know about every template that they fill in.
var guideHints = []string{
	"Si compila il foglio «%s»: una riga per ogni voce, sotto le intestazioni, che non vanno cambiate.",
	"Le intestazioni scure indicano le colonne obbligatorie, quelle chiare le facoltative.",
	"I codici restano testo: non cambiare il formato delle celle, altrimenti il foglio di calcolo perde cifre e zeri iniziali.",
	"Per incollare da altri file usare «Incolla speciale» e «Valori», che conservano formati e controlli.",
	"Non unire celle e non nascondere righe fra i dati. Le righe vuote vengono saltate.",
	"Mentre si scrive, il foglio di calcolo controlla i valori fino alla riga %s; al caricamento si controllano tutte le righe.",
	"Gli importi si scrivono con la virgola prima dei centesimi, ad esempio 1.234,56; le date nella forma gg/mm/aaaa.",
}

// checkedHint is the one that names the rows that are checked.
const checkedHint = 5

// guide is the guide sheet that is being made.
type guide struct {
	*builder
	pageStyles
	columns []guideColumn
	row     int     // that was written last
	depth   float64 // of the rows so far, in points
}

// widths returns those of the columns.
func (g *guide) widths() []float64 {
	widths := make([]float64, len(g.columns))
	for i, c := range g.columns {
		widths[i] = c.width
	}
	return widths
}

// paragraph writes a text across all columns.
func (g *guide) paragraph(text string, style int) {
	g.row++
	first, last := xlsx.Reference(1, g.row), xlsx.Reference(len(g.columns), g.row)
	g.do(g.f.SetCellStr(guideSheet, first, text))
	g.do(g.f.MergeCell(guideSheet, first, last))
	g.do(g.f.SetCellStyle(guideSheet, first, last, style))
	total := 0.0
	for _, c := range g.columns {
		total += c.width
	}
	g.high(float64(height(lines(text, total))))
}

// high sets the height of the last row.
func (g *guide) high(points float64) {
	g.do(g.f.SetRowHeight(guideSheet, g.row, points))
	g.depth += points
}

// cells writes a row of texts.
func (g *guide) cells(texts []string, style func(int) int) {
	g.row++
	most := 1
	for i, text := range texts {
		ref := xlsx.Reference(i+1, g.row)
		g.do(g.f.SetCellStr(guideSheet, ref, text))
		g.do(g.f.SetCellStyle(guideSheet, ref, ref, style(i)))
		most = max(most, lines(text, g.columns[i].width))
	}
	g.high(float64(height(most)))
}

// space leaves an empty row.
func (g *guide) space() {
	g.row++
	g.depth += lineHeight
}

// headed returns the style of the cells of a row.
func headed(style int) func(int) int { return func(int) int { return style } }

// newGuide makes the guide's sheet, with its title, its first paragraph and its rules.
func (b *builder) newGuide(export bool, name, intro string, hints []string, colors []Color) *guide {
	_, err := b.f.NewSheet(guideSheet)
	b.do(err)
	g := &guide{builder: b, pageStyles: b.pageStyles(colors...), columns: guideColumns(export)}
	for i, c := range g.columns {
		name := xlsx.ColumnName(i + 1)
		b.do(b.f.SetColWidth(guideSheet, name, name, c.width))
	}
	g.paragraph(guideTitle+name, g.title)
	g.high(26)
	g.rules(intro, hints)
	return g
}

// rules writes a paragraph, unless it is empty, and rules below it.
func (g *guide) rules(intro string, hints []string) {
	if intro != "" {
		g.paragraph(intro, g.plain)
	}
	for _, hint := range hints {
		g.paragraph("• "+hint, g.plain)
	}
}

// buildGuide makes the sheet that explains the columns.
func (t *Template[Row]) buildGuide(b *builder) {
	g := b.newGuide(t.config.Export, t.config.Name, t.config.Intro, t.hints(), t.colors())
	head := t.explain(g, 0)
	b.printText(guideSheet, g.widths(), g.depth, head)
}

// explain writes what the colours of the rows mean and the table of the columns, and returns the
// row of the table's header. The first of the template's colours has a place among those of the
// guide.
func (t *Template[Row]) explain(g *guide, first int) (head int) {
	for i, text := range t.legend() {
		g.paragraph(text, g.tones[first+i])
	}
	g.space()
	var headers []string
	for _, c := range g.columns {
		headers = append(headers, c.header)
	}
	g.cells(headers, headed(g.head))
	head = g.row
	for i := range t.columns {
		c := &t.columns[i]
		texts := c.explain()
		if t.config.Export {
			texts = c.explainExport()
		}
		g.cells(texts, func(i int) int {
			if i == 0 {
				return g.strong
			}
			return g.cell
		})
	}
	return head
}

// colors returns those of the tones.
func (t *Template[Row]) colors() []Color {
	var colors []Color
	for _, tone := range t.config.Tones {
		colors = append(colors, tone.Color)
	}
	return colors
}

// hints are the rules of the guide.
func (t *Template[Row]) hints() []string {
	if t.config.Export {
		return t.config.Hints
	}
	hints := slices.Clone(guideHints)
	hints[0] = fmt.Sprintf(hints[0], t.config.Sheet)
	hints[checkedHint] = fmt.Sprintf(hints[checkedHint], italian.Number(1+t.config.Limits.CheckedRows))
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

// capital makes the first letter a capital.
func capital(s string) string {
	r, width := utf8.DecodeRuneInString(s)
	if width == 0 {
		return s
	}
	return strings.ToUpper(string(r)) + s[width:]
}
