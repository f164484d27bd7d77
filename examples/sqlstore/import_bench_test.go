package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowexcel"
	"github.com/flussi-go/flussi/internal/must"
)

// BenchmarkImport measures how quick an import of a workbook by the service is, with its checks
// and the history, in turns with a bare loop that inserts the same rows into the same table of
// another file in one transaction, ten at a time. How many FLUSSI_ROWS says.
func BenchmarkImport(b *testing.B) {
	n := rowsAsked(b, 200)
	book := workbook(b, n)
	var ratios []float64
	for b.Loop() {
		bare, ours := bareImport(b, n), ourImport(b, book)
		ratios = append(ratios, bare.Seconds()/ours.Seconds())
		b.Logf("ours %v, bare %v", ours, bare)
	}
	reportMedian(b, ratios, "of-bare")
}

// workbook writes a workbook with the rows of drafts.
func workbook(b *testing.B, n int) string {
	book := excelize.NewFile()
	defer book.Close()
	out := must.Get(book.NewStreamWriter(book.GetSheetName(0)))(b)
	require.NoError(b, out.SetRow("A1", []any{"Codice fiscale", "Oggetto", "Contenuto"}))
	for row := range drafts(n) {
		d := row.Draft
		require.NoError(b, out.SetRow(fmt.Sprintf("A%d", row.Number+1), []any{d.Recipient.Reveal(), d.Subject.Reveal(), d.Content.Reveal()}))
	}
	require.NoError(b, out.Flush())
	name := filepath.Join(b.TempDir(), "avvisi.xlsx")
	require.NoError(b, book.SaveAs(name))
	return name
}

func ourImport(b *testing.B, book string) time.Duration {
	s := open(b, newSQLite(b))
	service := newService(b, s, nil)
	template := must.Get(flowexcel.New(flowexcel.Config{}))(b)
	start := time.Now()
	file := must.Get(os.Open(book))(b)
	defer file.Close()
	info := must.Get(file.Stat())(b)
	var report excel.Report
	_, _, err := service.ImportFlow(b.Context(), clerk, taxes, flow.Details{}, template.Rows(b.Context(), file, info.Size(), &report), flow.AddConfig{})
	require.NoError(b, err)
	return time.Since(start)
}

func bareImport(b *testing.B, n int) time.Duration {
	s := open(b, newSQLite(b))
	start := time.Now()
	require.NoError(b, s.Bare(b.Context(), func(yield func(flow.Notification) bool) {
		f := uuid.Must(uuid.NewV7())
		for row := range drafts(n) {
			if !yield(flow.Notification{
				ID: uuid.Must(uuid.NewV7()), FlowID: f, Service: taxes, State: flow.NotificationRegistered, Draft: row.Draft,
				CreatedAt: start, UpdatedAt: start, UpdatedBy: clerk.ID,
			}) {
				return
			}
		}
	}, 10))
	return time.Since(start)
}
