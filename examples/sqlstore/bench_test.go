package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

const taxes = "tributi"

var operator = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// citizen returns the code of some citizen, of whom there are ten million.
func citizen(t testing.TB, i int) flussi.FiscalCode {
	t.Helper()
	day := []string{"01", "05", "12", "18", "23", "28"}[i%6]
	to, err := flussi.ParseFiscalCode(fmt.Sprintf("RSS%c%c%c%02d%c%sH%03dU", 'A'+i/26/26%26, 'A'+i/26%26, 'A'+i%26, i/7%100, "ABCDEHLMPRST"[i/17576%12], day, i/210912%1000))
	require.NoError(t, err)
	return to
}

func rows(t testing.TB, n int) iter.Seq2[flow.Row, error] {
	content := flussi.NewText(strings.Repeat("La prima rata della TARI scade il 16 giugno. ", 10))
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			d := flow.Draft{Recipient: citizen(t, i), Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento della TARI 2026 n. %d", i)), Content: content}
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}

func BenchmarkImport(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "ours.db")
		s, err := Open(b.Context(), path, Config{})
		require.NoError(b, err)
		service, err := flow.NewService(s, flow.Operators{operator.ID: {taxes}}, func(context.Context, string) (flow.Messenger, error) { return nil, nil }, flow.ServiceConfig{})
		require.NoError(b, err)
		f, err := service.CreateFlow(b.Context(), operator, taxes, flow.Details{})
		require.NoError(b, err)
		start := time.Now()
		_, err = service.AddNotifications(b.Context(), operator, f.ID, rows(b, n), flow.AddConfig{})
		require.NoError(b, err)
		ours := time.Since(start)
		require.NoError(b, s.Close())
		for _, k := range []int{1, 2, 4, 10, 50} {
			bare := bareImport(b, n, k)
			b.Logf("rows a statement %d: ours %v bare %v: %.2f", k, ours, bare, bare.Seconds()/ours.Seconds())
		}
	}
}

func bareImport(b *testing.B, n, k int) time.Duration {
	path := filepath.Join(b.TempDir(), "bare.db")
	s, err := Open(b.Context(), path, Config{})
	require.NoError(b, err)
	defer s.Close()
	var values []any
	start := time.Now()
	ph := "(?" + strings.Repeat(", ?", len(storedNotificationColumns)-1) + ")"
	stmt, err := s.db.writes.Conn(b.Context())
	require.NoError(b, err)
	defer stmt.Close()
	err = s.db.write2(stmt, func(tx *sql.Tx) error {
		for row := range rows(b, n) {
			nt := flow.Notification{ID: uuid.Must(uuid.NewV7()), FlowID: uuid.Nil, Service: taxes, State: "registered", Draft: row.Draft, CreatedAt: start, UpdatedAt: start, UpdatedBy: "m.neri"}
			values = append(values, s.db.notificationValues(&nt, 1, nil)...)
			if row.Number%k == 0 {
				if _, err := tx.Exec("INSERT INTO notifications ("+storedNotificationColumns.list("")+") VALUES "+ph+strings.Repeat(","+ph, k-1), values...); err != nil {
					return err
				}
				values = values[:0]
			}
		}
		return nil
	})
	require.NoError(b, err)
	return time.Since(start)
}

func (d *database) write2(c *sql.Conn, do func(*sql.Tx) error) error {
	tx, err := c.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
