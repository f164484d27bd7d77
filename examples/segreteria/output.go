package main

import (
	"fmt"
	"strings"
	"time"

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

// writeTable writes a table.
func (s *screen) writeTable(t *cli.Table) error { return s.say("%s", t) }

// table returns a table that fits on the terminal.
func (s *screen) table(header ...string) *cli.Table { return cli.NewTable(s.width, header...) }

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
