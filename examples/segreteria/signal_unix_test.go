//go:build unix

package main

import (
	"bufio"
	"fmt"
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
	"github.com/flussi-go/flussi/examples/internal/proctest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestASignalEndsTheProgramCleanly(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		c := exec.Command(os.Args[0], "--pause", "1h", "--dir", filepath.Join(t.TempDir(), "prova"))
		c.Env = append(os.Environ(), beTheProgram+"=1")
		out := must.Get(c.StdoutPipe())(t)
		var errs strings.Builder
		c.Stderr = &errs
		require.NoError(t, proctest.StartCommand(c))
		lines := bufio.NewReader(out)
		for line := ""; !strings.Contains(line, "con uno stato nuovo: 10."); {
			line = must.Get(lines.ReadString('\n'))(t)
		}
		require.NoError(t, c.Process.Signal(signal))
		rest, _ := io.ReadAll(lines)
		_ = c.Wait()
		assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode())
		assert.NotContains(t, string(rest), "── 2.")
		assert.Contains(t, errs.String(), "interrott")
		assert.NotContains(t, errs.String(), "Errore imprevisto")
	}
}

// A large file is not read to its end, and the text says what was applied.
func TestASignalEndsTheReadingOfALargeFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "flusso.xml")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	c := exec.Command(os.Args[0], append(append([]string{"riconcilia"}, fixtures("journal-1.8.xml")...), pipe)...)
	c.Env = append(os.Environ(), beTheProgram+"=1")
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, proctest.StartCommand(c))
	to := must.Get(os.OpenFile(pipe, os.O_WRONLY, 0))(t)
	head, _, _ := strings.Cut(settlementText, "%[7]s")
	must.Get(fmt.Fprintf(to, head, flowID(1), today(), schoolBody, schoolName, 1, "1.00"))(t)
	for i := 0; ; i++ {
		if i == 10_000 {
			require.NoError(t, c.Process.Signal(os.Interrupt))
		}
		if _, err := fmt.Fprintf(to, settlementPayment, fmt.Sprintf("%017d", i), fmt.Sprint("IUR", i), "1.00", today()); err != nil {
			require.ErrorIs(t, err, syscall.EPIPE) // nobody reads any more
			break
		}
	}
	_ = c.Wait()
	assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode())
	assert.Contains(t, out.String(), "journal-1.8.xml: È una pagina del giornale di cassa")
	assert.Contains(t, errs.String(), "Riconciliazione interrotta, e niente è stato conservato. Ripetere il comando con tutti i file.\n")
}
