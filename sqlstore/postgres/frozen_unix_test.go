//go:build unix

package postgres_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// startHolder starts a process that holds locks on a flow with 600 notifications.
func startHolder(t *testing.T, location string, id uuid.UUID) *os.Process {
	t.Helper()
	command := exec.Command(os.Args[0], id.String())
	command.Env = append(os.Environ(), holderVariable+"="+location)
	command.Stderr = os.Stderr
	output := must.Get(command.StdoutPipe())(t)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	require.True(t, lines.Scan(), "the process ended")
	require.Equal(t, "locked", lines.Text())
	return command.Process
}

// The server ends the write of a frozen process before the writes that wait for it give up.
func TestWritesGoOnAfterAnotherProcessFroze(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		for name, write := range map[string]func(ctx context.Context, s *postgres.Store, id uuid.UUID) error{
			"Claim": func(ctx context.Context, s *postgres.Store, id uuid.UUID) error {
				return must.Err(claim(ctx, s, id, 10))
			},
			"Disable": func(ctx context.Context, s *postgres.Store, id uuid.UUID) error {
				return s.SaveFlow(ctx, disable(t, s, id), nil)
			},
		} {
			t.Run(name, func(t *testing.T) {
				s := open(t, location)
				s.SetTimes(shortIdle, time.Minute)
				id := sendingFlow(t, s, 600)
				frozen := startHolder(t, location, id)
				require.NoError(t, frozen.Signal(syscall.SIGSTOP))
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				require.NoError(t, write(ctx, s, id))
			})
		}
	})
}
