//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// cell is a fault on a database, and what its trials found.
type cell struct {
	fault
	database string
	target   int // how many hits are wanted
	trials   int // begun
	ended    int
	found
	skipped string // why it cannot be tried here
}

// found is what trials find.
type found struct {
	hits, kills, twice, lost, unknown int
	untrue                            []string
}

func (f *found) add(g found) {
	f.hits, f.kills, f.twice, f.lost, f.unknown = f.hits+g.hits, f.kills+g.kills, f.twice+g.twice, f.lost+g.lost, f.unknown+g.unknown
	f.untrue = append(f.untrue, g.untrue...)
}

func (f *found) bad() bool { return f.twice+f.lost+len(f.untrue) > 0 }

// done reports whether a cell needs no more trials.
func (c *cell) done() bool {
	return c.skipped != "" || c.hits >= c.target && c.ended >= c.least
}

// progress returns which part of a cell is done. It counts running trials as done.
func (c *cell) progress() float64 {
	perTrial := 1.0
	if c.ended > 0 {
		perTrial = max(1, float64(c.hits)/float64(c.ended))
	}
	return min((float64(c.hits)+float64(c.trials-c.ended)*perTrial)/float64(max(1, c.target)), float64(c.trials)/float64(max(1, c.least)))
}

// cells returns the faults to try, each on its databases.
func cells(s settings) []*cell {
	var all []*cell
	killing := 0
	chosen := slices.DeleteFunc(allFaults(), func(f fault) bool {
		return len(s.faults) > 0 && !slices.Contains(s.faults, f.name) || len(s.faults) == 0 && s.short && f.slow
	})
	for i, f := range chosen {
		databases := f.databases
		if databases == nil {
			databases = allDatabases()
		}
		databases = slices.DeleteFunc(slices.Clone(databases), func(d string) bool {
			return len(s.databases) > 0 && !slices.Contains(s.databases, d)
		})
		if s.short && len(databases) > 1 {
			databases = databases[(uint64(i)+s.seed)%uint64(len(databases)):][:1]
		}
		for _, database := range databases {
			c := &cell{fault: f, database: database, target: (s.count + len(databases) - 1) / len(databases)}
			if s.short {
				c.target, c.least = 1, 1
			}
			if f.killing {
				killing++
			}
			all = append(all, c)
		}
	}
	for _, c := range all {
		if c.killing && !s.short {
			c.target = (s.kills + killing - 1) / killing
		}
	}
	return all
}

// harness is what the trials share.
type harness struct {
	settings
	folder   string // 0700
	programs programs
	servers  *servers
	errs     io.Writer

	mu    sync.Mutex
	cells []*cell
	took  map[string]time.Duration // by a command, on a database
}

// attack runs the trials, prints the table, and reports whether they found anything.
func attack(ctx context.Context, s settings, out, errs io.Writer) (bad bool, err error) {
	h := &harness{settings: s, errs: errs, cells: cells(s), took: map[string]time.Duration{}}
	if h.folder, err = newFolder(s.dir); err != nil {
		return false, err
	}
	defer func() {
		if !bad && err == nil {
			err = os.RemoveAll(h.folder)
		}
	}()
	start := time.Now()
	clocks := slices.ContainsFunc(h.cells, func(c *cell) bool { return c.name == "clock" })
	if h.programs, err = build(ctx, filepath.Join(h.folder, "bin"), clocks); err != nil {
		return false, err
	}
	fmt.Fprintf(errs, "built in %v; seed %d; trials in %s\n", time.Since(start).Round(time.Second), s.seed, h.folder)
	h.servers = newServers()
	defer h.servers.end()
	for _, c := range h.cells {
		if c.skipped = h.servers.missing(c.database); c.skipped != "" {
			fmt.Fprintf(errs, "%s, %s: left out: %s\n", c.name, c.database, c.skipped)
		}
	}
	start = time.Now()
	var workers sync.WaitGroup
	for range s.parallel {
		workers.Go(func() {
			for ctx.Err() == nil && (s.seconds == 0 || time.Since(start) < time.Duration(s.seconds)*time.Second) {
				c, number := h.next()
				if c == nil {
					return
				}
				h.try(ctx, c, number)
			}
		})
	}
	workers.Wait()
	return h.print(out, time.Since(start)), ctx.Err()
}

// newFolder makes the folder of a run.
func newFolder(name string) (string, error) {
	if name == "" {
		return os.MkdirTemp("", "harness-")
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return name, os.Mkdir(name, 0o700)
}

// next returns the cell that is farthest from its end, and the number of its next trial; nil if all
// are done or will be by the trials that run.
func (h *harness) next() (*cell, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(h.cells), func(c *cell) bool { return c.done() || c.progress() >= 1 && c.trials > c.ended })
	if len(open) == 0 {
		return nil, 0
	}
	c := slices.MinFunc(open, func(a, b *cell) int { return cmp.Compare(a.progress(), b.progress()) })
	c.trials++
	return c, c.trials - 1
}

// try runs one trial.
func (h *harness) try(ctx context.Context, c *cell, number int) {
	start := time.Now()
	seed := h.seed + uint64(number)
	name := strings.ReplaceAll(fmt.Sprintf("%s-%s-%d", c.name, c.database, seed), " ", "-")
	f, err := h.playTrial(ctx, c, seed, filepath.Join(h.folder, name))
	var left *leftOut
	if errors.As(err, &left) {
		h.mu.Lock()
		defer h.mu.Unlock()
		c.skipped = left.reason
		fmt.Fprintf(h.errs, "%s, %s: left out: %s\n", c.name, c.database, left.reason)
		return
	}
	if err != nil {
		f.untrue = append(f.untrue, "the trial ended early: "+err.Error())
	}
	if ctx.Err() != nil {
		return // a trial that was interrupted shows nothing
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.ended++; f.hits == 0 && c.ended-c.hits > 20 {
		c.skipped = "it never struck"
	}
	c.add(f)
	verdict := ""
	if f.bad() {
		verdict = fmt.Sprintf(" TWICE %d LOST %d UNTRUE %d: see %s", f.twice, f.lost, len(f.untrue), filepath.Join(h.folder, name))
		for _, u := range f.untrue {
			verdict += "\n  " + strings.ReplaceAll(clip(u, 2000), "\n", "\n    ")
		}
		verdict += fmt.Sprintf("\n  again: go run ./examples/harness -faults %q -databases %s -seed %d -count 1 -kills 1", c.name, c.database, seed)
	}
	fmt.Fprintf(h.errs, "%s, %s: %d hits of %d, %d unknown, %v%s\n", c.name, c.database, c.hits, c.target, f.unknown, time.Since(start).Round(100*time.Millisecond), verdict)
}

// clip shortens a text.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
