//go:build unix

// Command harness attacks massivo and segreteria as they are built, and compares what citizens
// received with what the programs said.
//
//	go run ./examples/harness                        # 1,000 SIGKILLs and 60 of each other fault, on all databases
//	go run ./examples/harness -short                 # a part of it, in less than a minute
//	go run ./examples/harness -list                  # the faults
//	go run ./examples/harness -faults "kill send,freeze" -databases sqlite -count 5 -seed 7
//
// It builds the programs, and runs trials, several at the same time (-parallel). Each trial has a
// database, a simulated platform and a folder of its own. A fault strikes at random moments. Then
// the harness finishes the work as an operator who follows the texts that the programs print. It
// decides about unknown outcomes by the platform's record.
//
// At the end of a trial the harness compares the export of massivo with the platform's record. It
// checks the exit code, the numbers and the reasons of every output, and that none shows personal
// data. A table shows, for each fault and database:
//
//	hits     how often the fault struck: programs killed or frozen, connections cut, replies spoiled
//	kills    how many SIGKILLs reached a program that was running
//	twice    messages to citizens who had one already
//	lost     citizens without a message whom the export calls sent, or for whom it gives no reason
//	unknown  outcomes on which an operator had to decide
//	untrue   outputs and exit codes that were wrong
//
// The exit code is 0 only if twice, lost and untrue are 0 everywhere. If one of them is not 0 in a
// trial, its folder is kept (-dir): it has the database, the files, the platform's record and all
// outputs. The same seed makes the same choices, but not the same moments, since these depend on the
// machine.
//
// PostgreSQL and PgBouncer are those of the system (on Debian: apt-get install postgresql
// pgbouncer). If one is not installed, the harness leaves out the trials that need it, and says so.
// A full disk needs the right to mount a tmpfs. For clocks that jump, the harness builds massivo
// once more, with a package time whose clock it can set (see clock.go): a Go program asks the
// kernel for the time, not a library that could be replaced.
//
// Each fault is a function in one of the files kill.go, processes.go, network.go, files.go and
// school.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		os.Exit(work(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the harness at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are what the flags say.
type settings struct {
	faults, databases []string
	count, kills      int
	seconds           int
	parallel          int
	seed              uint64
	short             bool
	dir               string
}

// The exit codes.
const (
	exitFound = 1 // twice, lost or untrue
	exitUsage = 2
)

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var s settings
	set := flag.NewFlagSet("harness", flag.ContinueOnError)
	set.SetOutput(errs)
	names := set.String("faults", "", "the `names` of faults, with commas between them; all if empty")
	databases := set.String("databases", "", "`names` among "+strings.Join(allDatabases(), ",")+"; all if empty")
	set.IntVar(&s.count, "count", 60, "how often each fault without kills strikes at least, on all databases together")
	set.IntVar(&s.kills, "kills", 1000, "how many programs are killed at least, in all")
	set.IntVar(&s.seconds, "seconds", 0, "begin no trial after this many `seconds`; 0: no limit")
	set.IntVar(&s.parallel, "parallel", 2*runtime.NumCPU(), "how many trials run at once; they wait most of the time")
	set.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano())%1_000_000_000, "the seed of the random choices")
	set.BoolVar(&s.short, "short", false, "one trial of each fault on one database, with fewer rows, and without a second build for clocks")
	set.StringVar(&s.dir, "dir", "", "the new `folder` for the trials that found something; if empty, a temporary one")
	list := set.Bool("list", false, "print the faults, and end")
	if err := set.Parse(args); err != nil {
		return exitUsage
	}
	if *list {
		for _, f := range allFaults() {
			fmt.Fprintf(out, "%-20s %s\n", f.name, f.what)
		}
		return 0
	}
	s.faults, s.databases = split(*names), split(*databases)
	for _, name := range s.faults {
		if !slices.ContainsFunc(allFaults(), func(f fault) bool { return f.name == name }) {
			fmt.Fprintf(errs, "no fault %q: see -list\n", name)
			return exitUsage
		}
	}
	for _, name := range s.databases {
		if !slices.Contains(allDatabases(), name) {
			fmt.Fprintf(errs, "no database %q: there are %s\n", name, strings.Join(allDatabases(), ", "))
			return exitUsage
		}
	}
	if set.NArg() > 0 || s.parallel < 1 || s.count < 1 || s.kills < 1 || s.seconds < 0 {
		fmt.Fprintln(errs, "the flags are not valid: see -help")
		return exitUsage
	}
	found, err := attack(ctx, s, out, errs)
	switch {
	case err != nil:
		fmt.Fprintln(errs, err)
		return exitFound
	case found:
		return exitFound
	}
	return 0
}

// split returns the words of a list with commas.
func split(list string) (words []string) {
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}
