package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/cli"
)

// table returns a table that fits on the terminal.
func (p *program) table(header ...string) *cli.Table { return cli.NewTable(p.width, header...) }

// date and moment are days and times in Italy, as the guide's screens show them; "" for
// the zero time.
func date(t time.Time) string { return formatted(t, "02/01/2006") }

func moment(t time.Time) string { return formatted(t, "02/01/2006 15:04:05") }

func formatted(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(cli.Italy()).Format(layout)
}

// plain returns a text of several lines without what must not reach a terminal. Tables measure it.
func plain(s string) string { return cli.Text(s) }

// indented is a text of several lines whose first stands at a column, and whose others are
// put below it; so are those that do not fit into a terminal of this width, if there is one.
func indented(s string, column, width int) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if width > column+20 {
			line = strings.ReplaceAll(cli.Wrap(line, width-column, 0), "\n", "\n"+strings.Repeat(" ", column))
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", column))
}

// clip shortens a text to a number of characters, and to one line.
func clip(s string, most int) string {
	runes := []rune(strings.Join(strings.Fields(plain(s)), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
}

func yes(b bool) string {
	if b {
		return "Sì"
	}
	return "No"
}

// euro is "" where there is no amount.
func euro(c flussi.Cents) string {
	if c == 0 {
		return ""
	}
	return c.Euro()
}

// lasting says how long something takes.
func lasting(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
