package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/internal/pgtest"
	"github.com/flussi-go/flussi/examples/sqlstore"
)

// open opens a store, until the end of the test.
func open(t testing.TB, location string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), location, sqlstore.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// runner is a test or a benchmark.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(T)) bool
}

// onBoth runs a test on each database. It may ask for new databases, which are gone at the end.
func onBoth[T runner[T]](t T, test func(t T, location func(testing.TB) string)) {
	t.Run("SQLite", func(t T) { test(t, newSQLite) })
	t.Run("PostgreSQL", func(t T) { test(t, newServer(t).newSchema) })
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
	location, err := url.Parse(given)
	require.NoError(t, err)
	admin, err := sql.Open("pgx", given)
	require.NoError(t, err)
	name := fmt.Sprintf("flussi_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if os.Getenv("FLUSSI_BENCH_DIR") != "" {
		name = "flussi_bench"
		_, _ = admin.Exec("CREATE DATABASE " + name)
	} else {
		_, err = admin.Exec("CREATE DATABASE " + name)
		require.NoError(t, err)
		t.Cleanup(func() {
			_, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
			require.NoError(t, err)
			require.NoError(t, admin.Close())
		})
	}
	location.Path = "/" + name
	s := &server{url: location}
	s.DB, err = sql.Open("pgx", location.String())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Exec("CREATE EXTENSION IF NOT EXISTS pg_trgm")
	require.NoError(t, err)
	return s
}

// newSchema creates a schema in the database, which is quicker than another database, and returns
// a URL with which it is all that there is.
func (s *server) newSchema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.schemas.Add(1))
	_, err := s.Exec("CREATE SCHEMA " + name)
	require.NoError(t, err)
	location := *s.url
	query := location.Query()
	query.Set("search_path", name+",public")
	location.RawQuery = query.Encode()
	return location.String()
}
