//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// trial is one scenario: a fault that strikes while programs work in a folder, on a database and a
// platform of their own.
type trial struct {
	*harness
	found
	name, database string // the name of the fault; the kind of the database
	killing        bool   // kills count as hits
	ctx            context.Context
	random         *rand.Rand
	scope          scope
	folder         string
	store, direct  string // where programs find the database; where it is without PgBouncer and proxy
	server         *pgtest.Server
	platform       *platform
	rows           int
	wanted         map[string]bool // citizens who must be notified, or accounted for
	reasons        []string        // that a program may name for exit code 1, as regular expressions
	disables       bool            // the operator leaves notifications disabled
	stays          bool            // a flow stays disabled, since it was sent after the copy that was restored
	left           string          // why the fault cannot be tried here
	imports        int

	logging sync.Mutex
	log     bytes.Buffer
}

// playTrial plays a trial, and compares what the programs say with the platform's record. It removes
// the folder if nothing was found.
func (h *harness) playTrial(ctx context.Context, c *cell, seed uint64, folder string) (found, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	t := &trial{
		harness: h, ctx: ctx, name: c.name, database: c.database, killing: c.killing, folder: folder, random: rand.New(rand.NewPCG(seed, 0)),
		rows: 60, wanted: map[string]bool{},
		// The leases are so short that a call of the database may have too little time, if the machine has
		// much else to do.
		reasons: []string{"occupato", "interrotta prima della fine", "L'archivio non risponde, o la connessione si è interrotta"},
	}
	if !h.short {
		t.rows += t.random.IntN(100)
	}
	var failure error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failure = errors.New("the trial did not come to its end")
		defer func() {
			if p := recover(); p != nil {
				failure = fmt.Errorf("the harness failed: %v", p)
			}
		}()
		t.prepare()
		c.play(t)
		if t.platform != nil {
			t.compare()
			t.checkLeftovers()
		}
		failure = nil
	}()
	<-ended
	t.scope.end()
	if t.left != "" {
		return found{}, errors.Join(&leftOut{t.left}, os.RemoveAll(folder))
	}
	if failure != nil && t.log.Len() > 0 {
		failure = fmt.Errorf("%w: %s", failure, lastLine(t.log.String()))
	}
	if t.bad() || failure != nil {
		var record strings.Builder
		if t.platform != nil {
			for _, d := range t.platform.Deliveries() {
				fmt.Fprintf(&record, "%s %s %s %s\n", d.At.Format("15:04:05.000"), d.ID, d.Recipient.Reveal(), d.State.Status)
			}
		}
		return t.found, errors.Join(failure, os.WriteFile(t.path("record.txt"), []byte(record.String()), 0o600), os.WriteFile(t.path("log.txt"), t.log.Bytes(), 0o600))
	}
	return t.found, os.RemoveAll(folder)
}

// leftOut says why a fault cannot be tried on this machine.
type leftOut struct{ reason string }

// Error is the reason.
func (l *leftOut) Error() string { return l.reason }

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// prepare makes the folder, the database and the platform.
func (t *trial) prepare() {
	t.must(os.Mkdir(t.folder, 0o700))
	t.must(os.Mkdir(t.path("tmp"), 0o700))
	t.location()
	t.platform = newPlatform(t.random.Uint64())
	t.scope.Cleanup(t.platform.server.Close)
}

func (t *trial) path(name string) string { return filepath.Join(t.folder, name) }

// must ends the trial if the harness cannot go on.
func (t *trial) must(err error) {
	if err != nil {
		t.note("the harness cannot go on: %v", err)
		runtime.Goexit()
	}
}

// note writes a line into the log of the trial.
func (t *trial) note(format string, args ...any) {
	t.logging.Lock()
	defer t.logging.Unlock()
	fmt.Fprintf(&t.log, "%s %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}

// lie records that an output or an exit code was wrong.
func (t *trial) lie(c *command, format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	if c != nil {
		said = fmt.Sprintf("%s: %s (exit code %d)\n%s", strings.Join(c.args, " "), said, c.code(), c.all())
	}
	t.note("UNTRUE %s", said)
	t.untrue = append(t.untrue, strings.ReplaceAll(said, t.folder, ""))
}

// command is a program that runs or has ended.
type command struct {
	*proctest.Process
	args      []string
	out, errs bytes.Buffer
	killed    bool // by the harness
	stopped   bool // by Ctrl-C
	judged    bool
}

// ended reports whether the program has ended.
func (c *command) ended() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// code returns the exit code; -1 if the program was killed.
func (c *command) code() int { return c.ProcessState.ExitCode() }

// all returns both outputs.
func (c *command) all() string { return c.out.String() + c.errs.String() }

// begin starts a program with more variables of the environment.
func (t *trial) begin(program string, env []string, args ...string) *command {
	c := &command{args: args}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &c.out, &c.errs
	cmd.Dir = t.folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.folder, "TMPDIR=" + t.path("tmp"),
		"MASSIVO_STORE=" + t.store, "MASSIVO_OPERATOR=m.neri"}, env...)
	if t.platform != nil {
		cmd.Env = append(cmd.Env, "MASSIVO_URL="+t.platform.URL, "MASSIVO_KEY="+serviceKey)
	}
	process, err := proctest.Begin(cmd)
	t.must(err)
	c.Process = process
	t.scope.Cleanup(func() { _ = c.Cmd.Process.Kill(); <-c.Done })
	return c
}

// start starts massivo. Its calls are not limited.
func (t *trial) start(args ...string) *command {
	return t.begin(t.programs.massivo, nil, append(args, "--calls", "1000000")...)
}

// leaseTime is short, since what a killed program had claimed waits for its end.
const leaseTime = 2 * time.Second

// send starts a program that sends a flow.
func (t *trial) send(id string, args ...string) *command {
	return t.sendBy(t.programs.massivo, nil, id, args...)
}

func (t *trial) sendBy(program string, env []string, id string, args ...string) *command {
	return t.begin(program, env, append([]string{"send", id, "--lease", leaseTime.String(), "--workers", "8", "--calls", "1000000"}, args...)...)
}

// run runs massivo to its end, and checks what it said.
func (t *trial) run(args ...string) *command { return t.judge(t.start(args...)) }

// wait waits for the end of a program. One that does not come to it is killed, and shows where it is.
func (t *trial) wait(c *command) {
	select {
	case <-c.Done:
		return
	case <-time.After(time.Minute):
	case <-t.ctx.Done():
	}
	_ = c.Cmd.Process.Signal(syscall.SIGCONT)
	_ = c.Cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-c.Done:
	case <-time.After(5 * time.Second):
		_ = c.Cmd.Process.Kill()
		<-c.Done
	}
	if t.ctx.Err() == nil {
		t.lie(c, "it did not end within a minute")
	}
	runtime.Goexit()
}

// kill kills a program by SIGKILL, and counts a kill if the program was still running.
func (t *trial) kill(c *command) {
	_ = c.Cmd.Process.Kill()
	<-c.Done
	if status, is := c.ProcessState.Sys().(syscall.WaitStatus); is && status.Signaled() && !c.killed {
		c.killed = true
		t.found.kills++
		if t.killing {
			t.hits++
		}
	}
	t.judge(c)
}

// killWithin kills a program at a random moment within a time, unless it ends before.
func (t *trial) killWithin(c *command, most time.Duration) {
	select {
	case <-time.After(t.moment(most)):
		t.kill(c)
	case <-c.Done:
		t.judge(c)
	}
}

// moment is a random time.
func (t *trial) moment(most time.Duration) time.Duration {
	return time.Duration(t.random.Int64N(int64(max(most, 1))))
}

// interrupt ends a program as Ctrl-C does.
func (t *trial) interrupt(c *command) *command {
	c.stopped = true
	_ = c.Cmd.Process.Signal(os.Interrupt)
	return t.judge(c)
}

// is reports whether a command is one of massivo's.
func (c *command) is(names ...string) bool {
	return len(c.args) > 0 && slices.Contains(names, c.args[0])
}
