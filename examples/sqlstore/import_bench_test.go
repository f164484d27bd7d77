package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var clerk = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// citizen returns the code of some citizen, of whom there are ten million.
func citizen(i int) (flussi.FiscalCode, error) {
	return flussi.ParseFiscalCode(fmt.Sprintf("RSS%c%c%c%02d%c%02dH%03dU",
		'A'+i/26/26%26, 'A'+i/26%26, 'A'+i%26, i/7%100, "ABCDEHLMPRST"[i/17576%12], 1+i%28, i/210912%1000))
}

// drafts returns the drafts of n rows for different citizens, each with a subject of its own.
func drafts(n int) iter.Seq2[flow.Row, error] {
	content := flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 10))
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			to, err := citizen(i)
			d := flow.Draft{Recipient: to, Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento della TARI 2026 n. %d", i)), Content: content}
			if !yield(flow.Row{Number: i + 1, Draft: d}, err) {
				return
			}
		}
	}
}

// BenchmarkImport measures how quick an import by the service is, with its checks and the
// history, in turns with a bare loop that inserts the same rows into the same table of another
// database in one transaction. How many rows says FLUSSI_ROWS.
func BenchmarkImport(b *testing.B) {
	n := 1000
	if given := os.Getenv("FLUSSI_ROWS"); given != "" {
		var err error
		n, err = strconv.Atoi(given)
		require.NoError(b, err)
	}
	var ratios []float64
	for b.Loop() {
		bare := bareImport(b, n)
		ours := ourImport(b, n)
		ratios = append(ratios, bare.Seconds()/ours.Seconds())
		b.Logf("ours %v, bare %v", ours, bare)
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "of-bare")
}

func ourImport(b *testing.B, n int) time.Duration {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "ours.db"), Config{})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	messengers := func(context.Context, string) (flow.Messenger, error) { return nil, nil }
	service, err := flow.NewService(s, flow.Operators{clerk.ID: {"tributi"}}, messengers, flow.ServiceConfig{})
	require.NoError(b, err)
	f, err := service.CreateFlow(b.Context(), clerk, "tributi", flow.Details{})
	require.NoError(b, err)
	start := time.Now()
	_, err = service.AddNotifications(b.Context(), clerk, f.ID, drafts(n), flow.AddConfig{})
	require.NoError(b, err)
	return time.Since(start)
}

func bareImport(b *testing.B, n int) time.Duration {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "bare.db"), Config{})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	const together = 10 // rows a statement; with more or fewer it takes longer
	row := "(?" + strings.Repeat(", ?", len(notificationColumns)-1) + ")"
	query := "INSERT INTO notifications (" + notificationColumns.list("") + ") VALUES " + row + strings.Repeat(", "+row, together-1)
	start := time.Now()
	begun, err := s.db.writes.BeginTx(b.Context(), &sql.TxOptions{})
	require.NoError(b, err)
	f, args := uuid.Must(uuid.NewV7()), []any(nil)
	for row, err := range drafts(n) {
		require.NoError(b, err)
		created := flow.Notification{
			ID: uuid.Must(uuid.NewV7()), FlowID: f, Service: "tributi", State: flow.NotificationRegistered, Draft: row.Draft,
			CreatedAt: start, UpdatedAt: start, UpdatedBy: clerk.ID,
		}
		if args = append(args, s.db.notificationValues(&created, 1, nil)...); row.Number%together == 0 {
			_, err := begun.ExecContext(b.Context(), query, args...)
			require.NoError(b, err)
			args = args[:0]
		}
	}
	require.NoError(b, begun.Commit())
	return time.Since(start)
}
