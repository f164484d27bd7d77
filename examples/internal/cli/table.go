package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table is a table that fits on a terminal. Where columns do not fit side by side, each row is
// written as lines, one for each of its cells.
type Table struct {
	Optional []string       // headers of columns that are left out of a narrow table, the first ones first
	Most     map[string]int // how wide a column is at most, by its header
	Right    []string       // headers of columns of numbers

	width  int // of the terminal, in characters; 0: it is none
	header []string
	rows   [][]string
	footer []string
}

// NewTable returns a table for a terminal of so many characters; 0: for no terminal.
func NewTable(width int, header ...string) *Table { return &Table{width: width, header: header} }

// Row adds a row.
func (t *Table) Row(cells ...any) { t.rows = append(t.rows, printed(cells)) }

// Footer sets the last row, below a line.
func (t *Table) Footer(cells ...any) { t.footer = printed(cells) }

func printed(cells []any) []string {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	return texts
}

// String returns the table, which ends with a line break.
func (t *Table) String() string {
	shown, widths := t.header, t.widths(widest)
	for _, header := range t.Optional {
		if t.fits(shown, widths) {
			break
		}
		shown = slices.DeleteFunc(slices.Clone(shown), func(h string) bool { return h == header })
	}
	least, narrowed := t.widths(longestWord), false
	for !t.fits(shown, widths) {
		column := ""
		for _, h := range shown { // the widest that may be narrower
			if widths[h] > max(least[h], minColumn) && (column == "" || widths[h] > widths[column]) {
				column = h
			}
		}
		if column == "" {
			return t.records()
		}
		widths[column]--
		narrowed = true
	}
	return t.side(shown, widths, narrowed)
}

// minColumn is how narrow columns get at least, in characters. In narrower ones, texts are hard to
// read.
const minColumn = 16

// widths returns the width of each column, by a measure of its cells.
func (t *Table) widths(of func(string) int) map[string]int {
	widths := map[string]int{}
	for _, row := range slices.Concat([][]string{t.header, t.footer}, t.rows) {
		for i, cell := range row {
			widths[t.header[i]] = max(widths[t.header[i]], of(cell))
		}
	}
	for header, most := range t.Most {
		widths[header] = min(widths[header], most)
	}
	return widths
}

// widest returns the width of the longest line of a cell.
func widest(cell string) int { return text.LongestLineLen(cell) }

func longestWord(cell string) int {
	longest := 0
	for word := range strings.FieldsSeq(cell) {
		longest = max(longest, text.StringWidth(word))
	}
	return longest
}

// fits reports whether columns fit on the terminal, if there is one.
func (t *Table) fits(columns []string, widths map[string]int) bool {
	const frame = 3 // characters beside each cell: two blanks and a line
	total := 1
	for _, header := range columns {
		total += widths[header] + frame
	}
	return t.width == 0 || total <= t.width
}

// side returns the table with its columns side by side. Narrowed columns have several lines in a row.
func (t *Table) side(columns []string, widths map[string]int, narrowed bool) string {
	w := table.NewWriter()
	w.SetStyle(table.StyleRounded)
	w.Style().Format.Header = text.FormatDefault
	w.Style().Format.Footer = text.FormatDefault
	w.Style().Options.SeparateRows = narrowed
	configs := make([]table.ColumnConfig, len(t.header))
	for i, header := range t.header {
		configs[i] = table.ColumnConfig{
			Number: i + 1, Hidden: !slices.Contains(columns, header), WidthMax: widths[header], WidthMaxEnforcer: text.WrapSoft,
		}
		if slices.Contains(t.Right, header) {
			configs[i].Align, configs[i].AlignFooter = text.AlignRight, text.AlignRight
		}
	}
	w.SetColumnConfigs(configs)
	w.AppendHeader(cellsOf(t.header))
	for _, row := range t.rows {
		w.AppendRow(cellsOf(row))
	}
	if t.footer != nil {
		w.AppendFooter(cellsOf(t.footer))
	}
	return w.Render() + "\n"
}

func cellsOf(texts []string) table.Row {
	cells := make(table.Row, len(texts))
	for i, s := range texts {
		cells[i] = s
	}
	return cells
}

// records returns the rows one below the other, with a line or more for each cell that is not empty.
func (t *Table) records() string {
	label := 0
	for _, header := range t.header {
		label = max(label, text.StringWidth(header))
	}
	rows := t.rows
	if t.footer != nil {
		rows = append(slices.Clone(rows), t.footer)
	}
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for j, cell := range row {
			for k, line := range strings.Split(cell, "\n") {
				name := ""
				if k == 0 {
					name = t.header[j] + ":"
				}
				if cell != "" {
					fmt.Fprintln(&b, Wrap(name+strings.Repeat(" ", label+2-text.StringWidth(name))+line, t.width, label+2))
				}
			}
		}
	}
	return b.String()
}
