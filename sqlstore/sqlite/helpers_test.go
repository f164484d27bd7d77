package sqlite_test

import (
	"context"
	"database/sql"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// open opens a store, until the end of the test.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s := must.Get(sqlite.Open(context.Background(), path, sqlite.Config{}))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newFile returns the path of a file that does not exist.
func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "flussi.db") }

// database opens a database without the package, until the end of the test.
func database(t testing.TB, dsn string) *sql.DB {
	db := must.Get(sql.Open("sqlite", dsn))(t)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// execute executes statements.
func execute(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(context.Background(), s)
		require.NoError(t, err, s)
	}
}

// refused checks that an error is a fault of a class, explains itself, and shows nothing that is
// stored.
func refused(t testing.TB, err, class error) {
	t.Helper()
	require.ErrorIs(t, err, class)
	must.As[*sqlite.Fault](t, err)
	must.NotContain(t, flussi.Explain(err), "imprevisto", "problema tecnico")
	for _, text := range []string{err.Error(), flussi.Explain(err)} {
		must.NotContain(t, text, "riservato", appiotest.SampleCitizen(1).Reveal())
	}
}

var by = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// change is a flow that is to be stored, with so many notifications.
func change(notifications int) (flow.FlowChange, iter.Seq2[flow.NotificationChange, error]) {
	f, err := flow.NewFlow("tributi", by)
	if err != nil {
		panic(err) // of constants
	}
	f.State = flow.FlowSending
	return flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: by.ID, Action: flow.FlowCreate, To: f.State}},
		func(yield func(flow.NotificationChange, error) bool) {
			for i := range notifications {
				n, err := flow.NewNotification("tributi", appiotest.SampleCitizen(i+1), by)
				n.FlowID, n.Subject = f.ID, flussi.NewText("Oggetto riservato "+f.ID.String())
				n.Content = flussi.NewText(strings.Repeat("Testo riservato. ", 20))
				record := flow.NotificationRecord{At: n.CreatedAt, By: by.ID, Action: flow.NotificationCreate, To: n.State}
				if !yield(flow.NotificationChange{Notification: n, Record: record}, err) {
					return
				}
			}
		}
}

// save stores a flow with so many notifications that may be sent.
func save(t testing.TB, s *sqlite.Store, notifications int) uuid.UUID {
	t.Helper()
	f, rows := change(notifications)
	require.NoError(t, s.SaveFlow(context.Background(), f, rows))
	return f.Flow.ID
}

// claim claims notifications of a flow.
func claim(s *sqlite.Store, of uuid.UUID, limit int) ([]flow.Notification, error) {
	_, claimed, err := s.Claim(context.Background(), flow.Claim{Flow: of, Limit: limit, Lease: time.Hour, At: time.Now(), By: "invio"})
	return claimed, err
}

// claimAll claims all notifications of a flow, and returns their IDs.
func claimAll(t testing.TB, s *sqlite.Store, of uuid.UUID) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for {
		claimed := must.Get(claim(s, of, 100))(t)
		for _, n := range claimed {
			require.Equal(t, flow.NotificationSending, n.State)
			all[n.ID.String()] = true
		}
		if len(claimed) == 0 {
			return all
		}
	}
}

// copyFiles copies the files of a database, whose names begin with its path, to another path.
func copyFiles(t testing.TB, from, to string, suffixes ...string) {
	t.Helper()
	for _, suffix := range suffixes {
		content, err := os.ReadFile(from + suffix)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to+suffix, content, 0o600))
	}
}

// contents returns the contents of the files in a folder.
func contents(t testing.TB, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path] = string(must.Get(os.ReadFile(path))(t))
		}
		return err
	}))
	return files
}

// allFiles are the ends of the names of a database's files.
var allFiles = []string{"", "-wal", "-sent"}

// rounds returns how often a test kills processes: a few times, or as FLUSSI_ROUNDS says.
func rounds(t testing.TB, few int) int {
	t.Helper()
	given := os.Getenv("FLUSSI_ROUNDS")
	if given == "" || testing.Short() {
		return few
	}
	return must.Get(strconv.Atoi(given))(t)
}

// removeWAL removes the files that SQLite has beside a database.
func removeWAL(path string) error {
	_ = os.Remove(path + "-shm")
	return os.Remove(path + "-wal")
}
