package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/flussi-go/flussi/examples/internal/cli"
)

// screen is where a command writes.
type screen struct {
	out   *cli.Output
	width int // of the terminal, in characters; 0: it is none
}

// say writes whole lines.
func (s *screen) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.out, format, args...)
	return err
}

// grid is a table that fits on the terminal.
type grid struct {
	table.Writer
	screen *screen
	widest []int // of each column, in characters
}

func (s *screen) table(header ...any) *grid {
	t := &grid{Writer: table.NewWriter(), screen: s, widest: make([]int, len(header))}
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(header)
	t.measure(header)
	return t
}

func (t *grid) row(cells ...any) {
	t.AppendRow(cells)
	t.measure(cells)
}

func (t *grid) measure(cells []any) {
	for i, cell := range cells {
		t.widest[i] = max(t.widest[i], text.StringWidth(fmt.Sprint(cell)))
	}
}

// render writes the table. On a terminal that is too narrow, the widest columns give way, and
// their texts are broken between words.
func (t *grid) render() error {
	total := 1
	for _, w := range t.widest {
		total += w + 3
	}
	narrow := t.screen.width > 0 && total > t.screen.width
	for ; t.screen.width > 0 && total > t.screen.width; total-- {
		widest := 0
		for i, w := range t.widest {
			if w > t.widest[widest] {
				widest = i
			}
		}
		if t.widest[widest] <= 8 {
			break
		}
		t.widest[widest]--
	}
	if narrow {
		columns := make([]table.ColumnConfig, len(t.widest))
		for i, w := range t.widest {
			columns[i] = table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: text.WrapSoft}
		}
		t.SetColumnConfigs(columns)
		t.Style().Options.SeparateRows = true
	}
	return t.screen.say("%s\n", t.Render())
}

// indent puts the lines of a text below what stands in an operation.
func indent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// date is a day in Italy.
func date(t time.Time) string { return t.In(cli.Italy()).Format("02/01/2006") }
