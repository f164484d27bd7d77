//go:build unix

package main

import (
	"bufio"
	"bytes"
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

// Whoever ends the program, or closes its window, leaves nothing unknown: what is on its way
// is waited for, and nothing else is begun.
func TestASignalEndsASendingCleanly(t *testing.T) {
	for name, signal := range map[string]os.Signal{"Ctrl-C": os.Interrupt, "the end of the machine": syscall.SIGTERM, "a window that is closed": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			h := hold(t)
			r := &trial{store: filepath.Join(t.TempDir(), "massivo.db"), url: h.URL}
			r.imports(t, 5)
			c := exec.Command(os.Args[0], "send", r.flow, "--workers", "1", "--store", r.store, "--url", r.url)
			c.Env = append(os.Environ(), beTheProgram+"=1")
			var out bytes.Buffer
			c.Stdout = &out
			errs := must.Get(c.StderrPipe())(t)
			require.NoError(t, c.Start())
			<-h.came
			require.NoError(t, c.Process.Signal(signal))
			lines := bufio.NewReader(errs)
			for line := ""; !strings.Contains(line, "Interruzione in corso"); {
				var err error
				if line, err = lines.ReadString('\n'); err != nil {
					break // it ended at once, as the code below shows
				}
			}
			close(h.release)
			_, _ = io.Copy(io.Discard, lines)
			_ = c.Wait()
			assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode())
			assert.Contains(t, out.String(), "Invio interrotto. Notifiche inviate: 1. Notifiche da inviare: 4. Niente è andato perso.")
			assert.Len(t, h.Deliveries(), 1)
			assert.Contains(t, r.start(t, "show", r.flow).Ran(t, 0), "5 (Registrato: 4, Inviato: 1)")
		})
	}
}
