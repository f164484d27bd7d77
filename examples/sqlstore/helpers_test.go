package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// open opens a store, until the end of the test.
func open(t testing.TB, location string) *sqlstore.Store {
	t.Helper()
	s := must.Get(sqlstore.Open(context.Background(), location, sqlstore.Config{}))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// runner is a test or a benchmark.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(T)) bool
}

// databases returns the location of a new database, which is gone at the end of the test.
type databases func(testing.TB) string

// onBoth runs a test on each kind of database.
func onBoth[T runner[T]](t T, test func(t T, location databases)) {
	t.Run("SQLite", func(t T) { test(t, newSQLite) })
	t.Run("PostgreSQL", func(t T) { test(t, newServer(t).newSchema) })
}

// onBothStores runs a test on a new store of each kind.
func onBothStores(t *testing.T, test func(*testing.T, *sqlstore.Store)) {
	onBoth(t, func(t *testing.T, location databases) { test(t, open(t, location(t))) })
}

// atOnce makes n calls at the same time, and returns their errors.
func atOnce(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = call(i) })
	}
	group.Wait()
	return errs
}

// eventually waits until a condition holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 20*time.Second, 10*time.Millisecond)
}

// seen returns a sequence that tells each row, and its number from 1 on, before it yields it.
func seen[C any](rows iter.Seq2[C, error], tell func(n int, row C)) iter.Seq2[C, error] {
	return func(yield func(C, error) bool) {
		n := 0
		for row, err := range rows {
			n++
			tell(n, row)
			if !yield(row, err) {
				return
			}
		}
	}
}

// newSQLite returns the path of a file that is yet to be.
func newSQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "flussi.db") }

// server is a database of PostgreSQL that is there for a test.
type server struct {
	*sql.DB
	url     *url.URL
	schemas atomic.Int64
}

// newServer creates a database: on the server of which FLUSSI_POSTGRES has the URL, or on one of its own.
func newServer(t testing.TB) *server {
	t.Helper()
	given := os.Getenv("FLUSSI_POSTGRES")
	if given == "" {
		given = pgtest.Shared(t).Database(t)
	}
	location := must.Get(url.Parse(given))(t)
	admin := must.Get(sql.Open("pgx", given))(t)
	name := fmt.Sprintf("flussi_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if os.Getenv("FLUSSI_BENCH_DIR") != "" {
		name = "flussi_bench"
		_, _ = admin.Exec("CREATE DATABASE " + name)
	} else {
		must.Get(admin.Exec("CREATE DATABASE " + name))(t)
		t.Cleanup(func() {
			must.Get(admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"))(t)
			require.NoError(t, admin.Close())
		})
	}
	location.Path = "/" + name
	s := &server{url: location}
	s.DB = must.Get(sql.Open("pgx", location.String()))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	must.Get(s.Exec("CREATE EXTENSION IF NOT EXISTS pg_trgm"))(t)
	return s
}

// newSchema creates a schema in the database, which is quicker than another database, and returns
// a URL with which it is all that there is.
func (s *server) newSchema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.schemas.Add(1))
	must.Get(s.Exec("CREATE SCHEMA " + name))(t)
	return s.in(name)
}

// in returns a URL with which a schema is all that there is.
func (s *server) in(schema string) string {
	location := *s.url
	query := location.Query()
	query.Set("search_path", schema+",public")
	location.RawQuery = query.Encode()
	return location.String()
}
