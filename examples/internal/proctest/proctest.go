// Package proctest runs programs that are killed. A test runs its own binary in processes of their
// own, which must be the program if a variable of the environment is set, by its TestMain.
package proctest

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flussi-go/flussi/internal/benchtest"
)

// Process is a program that runs or has ended.
type Process struct {
	*exec.Cmd
	Done <-chan struct{} // closed once it ended

	output bytes.Buffer
	peak   float64
}

// Start runs the binary of the test with a variable of the environment set to 1.
func Start(t testing.TB, variable string, args ...string) *Process {
	t.Helper()
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), variable+"=1")
	p, err := Begin(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Begin starts a command. If the command has neither a Stdout nor a Stderr, Process.Output returns
// what it writes.
func Begin(c *exec.Cmd) (*Process, error) {
	done := make(chan struct{})
	p := &Process{Cmd: c, Done: done}
	if c.Stdout == nil && c.Stderr == nil {
		c.Stdout, c.Stderr = &p.output, &p.output
	}
	if err := StartCommand(c); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Cmd.Wait()
	}()
	go func() {
		defer close(done)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			p.peak = max(p.peak, benchtest.PeakMemory(p.Process.Pid))
			select {
			case <-ended:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return p, nil
}

// StartCommand starts a command that ends with Ctrl-C and SIGHUP. This process may ignore them, since
// nohup or a script started it in the background; then c.Start would start a program that ignores
// them, too. A signal that this process handles has its default action in the program.
func StartCommand(c *exec.Cmd) error {
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, os.Interrupt, syscall.SIGHUP)
	defer signal.Stop(handled)
	return c.Start()
}

// Wait waits for the end of the program, which may take up to 20 minutes, and returns its exit
// code: -1 if it was killed.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.Done:
	case <-time.After(20 * time.Minute):
		_ = p.Process.Kill()
		t.Fatalf("the program did not end:\n%s", p.Output())
	}
	return p.ProcessState.ExitCode()
}

// Ran waits for the end of the program, which must be with one of the codes, and returns its
// output.
func (p *Process) Ran(t testing.TB, codes ...int) string {
	t.Helper()
	if code := p.Wait(t); !slices.Contains(codes, code) {
		t.Fatalf("exit code %d, not one of %d:\n%s", code, codes, p.Output())
	}
	return p.Output()
}

// Output waits for the end of the program, and returns all that it printed.
func (p *Process) Output() string {
	<-p.Done
	return p.output.String()
}

// Peak waits for the end of the program, and returns the most memory that it had, in MiB; 0 where
// the system does not say.
func (p *Process) Peak() float64 {
	<-p.Done
	return p.peak
}

// Arrivals passes requests on to a handler, and tells when so many have come.
type Arrivals struct {
	Handler http.Handler

	mu      sync.Mutex
	left    int
	arrived chan struct{}
}

// After returns a channel that is closed when so many requests more have come, at least one.
func (a *Arrivals) After(requests int) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left, a.arrived = requests, make(chan struct{})
	return a.arrived
}

// ServeHTTP counts a request, and lets the handler answer it.
func (a *Arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.left--; a.left <= 0 && a.arrived != nil {
		close(a.arrived)
		a.arrived = nil
	}
	a.mu.Unlock()
	a.Handler.ServeHTTP(w, r)
}
