package main

import (
	"cmp"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
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
type trial struct {
	store, url, flow string
	calls            int // that a program may make in 5 seconds; 0: any number
}

// imports imports a workbook, and returns the program that did it.
func (r *trial) imports(t testing.TB, rows int) *proctest.Process {
	t.Helper()
	workbook := filepath.Join(t.TempDir(), "avvisi.xlsx")
	writeWorkbook(t, workbook, 0, rows)
	p := r.start(t, "import", workbook)
	r.flow = flowIn(t, p.Ran(t, 0))
	return p
}

// start runs the program.
func (r *trial) start(t testing.TB, args ...string) *proctest.Process {
	t.Helper()
	return proctest.Start(t, beTheProgram, append(args, "--store", r.store, "--url", r.url, "--calls", fmt.Sprint(cmp.Or(r.calls, 10_000_000)))...)
}
