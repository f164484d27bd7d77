//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/cli"
	"github.com/flussi-go/flussi/internal/must"
)

func TestASignalEndsTheProgramCleanly(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		c := exec.Command(os.Args[0], "--pause", "1h", "--dir", filepath.Join(t.TempDir(), "prova"))
		c.Env = append(os.Environ(), beTheProgram+"=1")
		out := must.Get(c.StdoutPipe())(t)
		var errs strings.Builder
		c.Stderr = &errs
		require.NoError(t, c.Start())
		lines := bufio.NewReader(out)
		for line := ""; !strings.Contains(line, "con uno stato nuovo: 10."); {
			line = must.Get(lines.ReadString('\n'))(t)
		}
		require.NoError(t, c.Process.Signal(signal))
		rest, _ := io.ReadAll(lines)
		_ = c.Wait()
		assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode())
		assert.NotContains(t, string(rest), "── 2.")
		assert.Contains(t, strings.ToLower(errs.String()), "interr")
	}
}
