package engine_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

func TestMain(m *testing.M) {
	if os.Getenv(applierVariable) == "" {
		os.Exit(pgtest.Main(m))
	}
	if err := applyFiles(os.Args[1:]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// rowsFlag is how many rows tests and benchmarks work on; 0: few.
var rowsFlag = flag.Int("rows", 0, "how many notifications and notices to work on")

// rowsOr returns the flag -rows, or another number if it is not set.
func rowsOr(few int) int {
	if *rowsFlag > 0 {
		return *rowsFlag
	}
	return few
}

// database is an empty database with a store.
type database struct {
	*engine.Store
	exec func(testing.TB, string) // executes a statement on the database itself
	isPG bool
}

// runner is a test or a benchmark.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(T)) bool
}

// onBoth runs a test or a benchmark on each database. The function open opens a new one.
func onBoth[T runner[T]](t T, test func(t T, open func(testing.TB) database)) {
	t.Run("SQLite", func(t T) { test(t, openSQLite) })
	t.Run("PostgreSQL", func(t T) { test(t, openPostgres) })
}

func openSQLite(t testing.TB) database {
	t.Helper()
	s := must.Get(sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "flussi.db"), sqlite.Config{}))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return database{Store: engine.Of(s), exec: func(t testing.TB, statement string) {
		t.Helper()
		require.NoError(t, engine.ExecOn(context.Background(), engine.Of(s), statement))
	}}
}

// schemas counts those that openPostgres created.
var schemas atomic.Int64

// openPostgres opens a store in a schema of its own. The server does not analyze its tables: a test
// does.
func openPostgres(t testing.TB) database {
	t.Helper()
	ctx := context.Background()
	pool := must.Get(pgxpool.New(ctx, pgtest.Shared(t).Database(t)))(t)
	t.Cleanup(pool.Close)
	s := must.Get(postgres.New(pool, postgres.Config{Schema: fmt.Sprintf("test%d", schemas.Add(1))}))(t)
	require.NoError(t, s.Migrate(ctx))
	must.Get(pool.Exec(ctx, "ALTER SYSTEM SET autovacuum = off"))(t)
	must.Get(pool.Exec(ctx, "SELECT pg_reload_conf()"))(t)
	return database{Store: engine.Of(s), isPG: true, exec: func(t testing.TB, statement string) {
		t.Helper()
		must.Get(pool.Exec(ctx, statement))(t)
	}}
}
