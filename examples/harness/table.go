//go:build unix

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// print prints what was found, and reports whether anything was.
func (h *harness) print(out io.Writer, took time.Duration) bool {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = text.FormatDefault, text.FormatDefault
	t.AppendHeader(table.Row{"fault", "database", "trials", "hits", "kills", "twice", "lost", "unknown", "untrue"})
	var columns []table.ColumnConfig
	for i := 3; i <= 9; i++ {
		columns = append(columns, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignFooter: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	var all found
	trials := 0
	untrue := map[string]int{}
	for _, c := range h.cells {
		if c.skipped != "" && c.ended == 0 {
			t.AppendRow(table.Row{c.name, c.database, c.skipped})
			continue
		}
		t.AppendRow(table.Row{c.name, c.database, c.ended, c.hits, c.kills, c.twice, c.lost, c.unknown, len(c.untrue)})
		all.add(c.found)
		trials += c.ended
		for _, u := range c.untrue {
			untrue[c.name+", "+c.database+": "+clip(u, 300)]++
		}
	}
	t.AppendFooter(table.Row{"all", "", trials, all.hits, all.kills, all.twice, all.lost, all.unknown, len(all.untrue)})
	t.Render()
	for _, u := range slices.Sorted(maps.Keys(untrue)) {
		fmt.Fprintf(out, "%d × %s\n", untrue[u], u)
	}
	short := ""
	if h.short {
		short = " -short"
	}
	fmt.Fprintf(out, "%v, %d at once; to repeat: go run ./examples/harness%s -seed %d -count %d -kills %d\n", took.Round(time.Second), h.parallel, short, h.seed, h.count, h.kills)
	if all.bad() {
		fmt.Fprintf(out, "The trials that found something are in %s\n", h.folder)
	}
	return all.bad()
}
