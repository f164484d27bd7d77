package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// childVariable makes the binary of the test another process, which tests can kill.
const childVariable = "FLUSSI_SQLITE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	if err := runChild(os.Args[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// runChild executes a command on the file of the first argument.
func runChild(args []string) error {
	ctx := context.Background()
	command, path := args[0], args[1]
	s, err := sqlite.Open(ctx, path, sqlite.Config{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	switch command {
	case "open":
	case "list":
		if _, err := s.Notifications(ctx, flow.NotificationFilter{Services: []string{"tributi"}}, flow.Page{Limit: 10}); err != nil {
			return err
		}
	case "claim": // until nothing is left
		if err := claimInChild(s, uuid.MustParse(args[2])); err != nil {
			return err
		}
	case "import", "import step": // without end; or once for each byte of the input
		for {
			if command == "import step" {
				if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
					return err
				}
			}
			f, rows := change(50)
			if err := s.SaveFlow(ctx, f, rows); err != nil {
				return err
			}
			fmt.Println("imported")
		}
	case "fill": // may not write much more
		if err := limitFiles(1 << 20); err != nil {
			return err
		}
		f, rows := change(6000)
		return s.SaveFlow(ctx, f, rows)
	case "hold": // writes, and never ends
		f, _ := change(0)
		return s.SaveFlow(ctx, f, func(yield func(flow.NotificationChange, error) bool) {
			fmt.Println("holding")
			_, _ = io.Copy(io.Discard, os.Stdin)
		})
	}
	return s.Close()
}

// claimInChild claims a few notifications at a time, writes their IDs, and stores their outcomes.
func claimInChild(s *sqlite.Store, of uuid.UUID) error {
	var changes []flow.NotificationChange
	for {
		_, claimed, err := s.SaveAndClaim(context.Background(), changes, flow.Claim{Flow: of, Limit: 7, Lease: time.Hour, At: time.Now(), By: "invio"})
		if err != nil || len(claimed) == 0 {
			return err
		}
		line := "claimed"
		changes = changes[:0]
		for i, n := range claimed {
			if n.State != flow.NotificationSending {
				return fmt.Errorf("claimed as %q", n.State)
			}
			line += " " + n.ID.String()
			if i%2 == 0 {
				n.State, n.UpdatedAt = flow.NotificationSent, time.Now().UTC().Truncate(time.Microsecond)
				changes = append(changes, flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{
					At: n.UpdatedAt, By: "invio", Action: flow.NotificationAccept, From: flow.NotificationSending, To: n.State,
				}})
			}
		}
		fmt.Println(line)
	}
}

// child is a process that runs a command of runChild.
type child struct {
	*exec.Cmd
	lines   *bufio.Scanner
	stdin   io.WriteCloser
	claimed []string // IDs that it wrote
	failure string   // its error
}

// start starts a process, and waits until it has opened the file.
func start(t testing.TB, args ...string) *child {
	t.Helper()
	c := begin(t, args...)
	require.Equal(t, "open", c.next(), c.failure)
	return c
}

// begin starts a process.
func begin(t testing.TB, args ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.Command(os.Args[0], args...)}
	c.Env = append(os.Environ(), childVariable+"=1")
	c.Stderr = os.Stderr
	c.lines = bufio.NewScanner(must.Get(c.StdoutPipe())(t))
	c.stdin = must.Get(c.StdinPipe())(t)
	require.NoError(t, c.Cmd.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// next reads a line, and returns "" after the last one.
func (c *child) next() string {
	if !c.lines.Scan() {
		return ""
	}
	line := c.lines.Text()
	if ids, is := strings.CutPrefix(line, "claimed "); is {
		c.claimed = append(c.claimed, strings.Fields(ids)...)
	}
	if failure, is := strings.CutPrefix(line, "error: "); is {
		c.failure = failure
	}
	return line
}

// end reads all lines, and waits for the end of the process.
func (c *child) end() {
	for c.next() != "" {
	}
	_ = c.Wait()
}

// killAfter kills the process with SIGKILL after so many lines and a time, and waits for its end.
func (c *child) killAfter(lines int, pause time.Duration) {
	for range lines {
		if c.next() == "" {
			break
		}
	}
	timer := time.NewTimer(pause)
	<-timer.C
	_ = c.Process.Signal(syscall.SIGKILL)
	c.end()
}
