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
	"github.com/flussi-go/flussi/examples/internal/proctest"
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
			require.NoError(t, proctest.StartCommand(c))
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

// nohup starts a program with SIGHUP ignored, so that it outlives its terminal.
func TestNohupLetsASendingEnd(t *testing.T) {
	h := hold(t)
	r := &trial{store: filepath.Join(t.TempDir(), "massivo.db"), url: h.URL}
	r.imports(t, 5)
	c := exec.Command("/bin/sh", "-c", `trap "" HUP; exec "$0" "$@"`, os.Args[0], "send", r.flow, "--workers", "1", "--store", r.store, "--url", r.url)
	c.Env = append(os.Environ(), beTheProgram+"=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	require.NoError(t, proctest.StartCommand(c))
	<-h.came
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	close(h.release)
	require.NoError(t, c.Wait(), out.String())
	assert.NotContains(t, out.String(), "Interruzione in corso")
	assert.Len(t, h.Deliveries(), 5)
}

// When a terminal is closed, the system sends a SIGHUP, and the shell may send another one. The
// message on its way is waited for all the same.
func TestTwoSIGHUPsLeaveNothingUnknown(t *testing.T) {
	h := hold(t)
	r := &trial{store: filepath.Join(t.TempDir(), "massivo.db"), url: h.URL}
	r.imports(t, 5)
	c := exec.Command(os.Args[0], "send", r.flow, "--workers", "1", "--store", r.store, "--url", r.url)
	c.Env = append(os.Environ(), beTheProgram+"=1")
	errs := must.Get(c.StderrPipe())(t)
	require.NoError(t, proctest.StartCommand(c))
	<-h.came
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	lines := bufio.NewReader(errs)
	for line := ""; !strings.Contains(line, "Interruzione in corso"); {
		line = must.Get(lines.ReadString('\n'))(t)
	}
	require.NoError(t, c.Process.Signal(syscall.SIGHUP))
	close(h.release)
	_, _ = io.Copy(io.Discard, lines)
	_ = c.Wait()
	assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode())
	assert.Contains(t, r.start(t, "show", r.flow).Ran(t, 0), "5 (Registrato: 4, Inviato: 1)")
}

// A pipe has no positions, which a workbook needs. Nobody has to write to it for the program to say so.
func TestImportRefusesAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "avvisi.csv")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	o := newOffice(t)
	for _, args := range [][]string{{"import", pipe}, {"preview", pipe}} {
		code, said := o.run(args...)
		assert.Equal(t, cli.Failure, code)
		assert.Contains(t, said, "avvisi.csv» non è un file: salvare in un file ciò che contiene, e indicare quel file.")
	}
}

// A key and a text may come from a pipe. The first Ctrl-C ends a program that waits for one.
func TestASignalEndsTheWaitForAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "chiave")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	r := &trial{store: filepath.Join(t.TempDir(), "massivo.db"), url: "http://127.0.0.1:1/api/v1"}
	r.imports(t, 1)
	for _, args := range [][]string{
		{"send", r.flow, "--key-file", pipe},
		{"import", "avvisi.csv", "--subject", "Avviso {{.Nome}}", "--content-file", pipe},
	} {
		c := exec.Command(os.Args[0], append(args, "--store", r.store, "--url", r.url)...)
		c.Env = append(os.Environ(), beTheProgram+"=1")
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		require.NoError(t, proctest.StartCommand(c))
		writer := must.Get(os.OpenFile(pipe, os.O_WRONLY, 0))(t) // returns once the program opens it
		require.NoError(t, c.Process.Signal(os.Interrupt))
		_ = c.Wait()
		_ = writer.Close()
		assert.Equal(t, cli.Interrupted, c.ProcessState.ExitCode(), said.String())
	}
}
