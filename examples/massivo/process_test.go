package main

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// writeWorkbook writes a workbook with notifications to be imported, to the sample citizens
// from the first on.
func writeWorkbook(t testing.TB, name string, first, rows int) {
	writeRows(t, name, func(yield func(int) bool) {
		for i := first; i < first+rows && yield(i); i++ {
		}
	})
}

// writeBackwards writes the rows of writeWorkbook, the last one first.
func writeBackwards(t testing.TB, name string, first, rows int) {
	writeRows(t, name, func(yield func(int) bool) {
		for i := first + rows - 1; i >= first && yield(i); i-- {
		}
	})
}

func writeRows(t testing.TB, name string, citizens iter.Seq[int]) {
	book := excelize.NewFile()
	defer book.Close()
	out := must.Get(book.NewStreamWriter(book.GetSheetName(0)))(t)
	require.NoError(t, out.SetRow("A1", []any{"Codice fiscale", "Oggetto", "Contenuto", "Scadenza", "Somma", "Numero avviso", "Riferimento"}))
	row := 1
	for i := range citizens {
		row++
		require.NoError(t, out.SetRow(fmt.Sprintf("A%d", row), []any{
			appiotest.SampleCitizen(i).Reveal(), "TARI: avviso di pagamento",
			fmt.Sprintf("Avviso %d. %s", i, strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 3)),
			"16/06/2099", fmt.Sprintf("%d,%02d", 10+i%1000, i%100), appiotest.SampleNotice(i).Reveal(), fmt.Sprintf("TARI-%d", i),
		}))
	}
	require.NoError(t, out.Flush())
	require.NoError(t, book.SaveAs(name))
}

// trial is a database and a platform for programs in processes of their own, and a flow.
type trial struct{ store, url, flow string }

// imports imports a workbook, and returns the program that did it.
func (r *trial) imports(t testing.TB, rows int) *process {
	t.Helper()
	workbook := filepath.Join(t.TempDir(), "avvisi.xlsx")
	writeWorkbook(t, workbook, 0, rows)
	p := r.start(t, "import", workbook)
	r.flow = flowIn(t, p.ran(t, 0))
	return p
}

// process is the program in a process of its own.
type process struct {
	*exec.Cmd
	output bytes.Buffer
	done   chan struct{} // closed once it ended
	peak   float64       // the most memory that it had, in MiB, as Linux says it now and then; 0 elsewhere
}

// start runs the program.
func (r *trial) start(t testing.TB, args ...string) *process {
	t.Helper()
	args = append(args, "--store", r.store, "--url", r.url, "--calls", "10000000")
	p := &process{Cmd: exec.Command(os.Args[0], args...), done: make(chan struct{})}
	p.Env = append(os.Environ(), beTheProgram+"=1")
	p.Stdout, p.Stderr = &p.output, &p.output
	require.NoError(t, p.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.Wait()
	}()
	go func() {
		defer close(p.done)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			p.peak = max(p.peak, p.memory())
			select {
			case <-ended:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	return p
}

// memory is the most memory that the program had until now, in MiB. What the system says once it
// ended begins with what its parent had.
func (p *process) memory() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib := 0.0
	_, _ = fmt.Sscan(after, &kib)
	return kib / 1024
}

// wait waits for the end of the program, which may take its time with many notifications.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(20 * time.Minute):
		_ = p.Process.Kill()
		<-p.done
		t.Fatalf("the program did not end:\n%s", p.said())
	}
	return p.ProcessState.ExitCode()
}

// ran waits for the end of the program, which must be with the code, and returns its output.
func (p *process) ran(t testing.TB, code int) string {
	t.Helper()
	require.Equal(t, code, p.wait(t), p.said())
	return p.said()
}

// said is what a program that ended has said.
func (p *process) said() string {
	<-p.done
	return p.output.String()
}
