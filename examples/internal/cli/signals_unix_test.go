//go:build unix

package cli_test

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

// A pipe that nobody writes to, and one whose writer has stopped, do not hold a program.
func TestAPipeIsReadUntilTheContextEnds(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := cli.Open(ctx, pipe)
		ended <- err
	}()
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled, "opening")

	ctx, cancel = context.WithCancel(t.Context())
	began := make(chan struct{})
	go func() {
		file, err := cli.Open(ctx, pipe)
		if err == nil {
			defer file.Close()
			close(began)
			_, err = io.ReadAll(file)
		}
		ended <- err
	}()
	writer := must.Get(os.OpenFile(pipe, os.O_WRONLY, 0))(t)
	defer writer.Close()
	<-began
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled, "reading")
}

func TestAPipeIsReadToItsEnd(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	go func() {
		if writer, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = writer.WriteString("contenuto")
			_ = writer.Close()
		}
	}()
	file := must.Get(cli.Open(t.Context(), pipe))(t)
	defer file.Close()
	assert.Equal(t, "contenuto", string(must.Get(io.ReadAll(file))(t)))

	_, err := cli.OpenRegular(t.Context(), pipe)
	assert.ErrorIs(t, err, cli.ErrNotRegular, "and does not wait for a writer")
	_, err = cli.OpenRegular(t.Context(), filepath.Dir(pipe))
	assert.ErrorIs(t, err, cli.ErrNotRegular)
}

func TestASignalEndsTheContextOnce(t *testing.T) {
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP) // it may be ignored since the start of the tests
	ctx, stop := cli.Interruptible(t.Context())
	defer stop()
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the signal did not end the context")
	}
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP), "a second one does not end the program")
}
