package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

func TestMain(m *testing.M) {
	if location := os.Getenv(holderVariable); location != "" {
		fmt.Fprintln(os.Stderr, hold(location, os.Args[1]))
		os.Exit(1)
	}
	if location := os.Getenv(senderVariable); location != "" {
		if err := sendForBodies(location, os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

// newPool returns a pool on a new database, which is closed when the test ends.
func newPool(t testing.TB, location string) *pgxpool.Pool {
	t.Helper()
	pool := must.Get(pgxpool.New(context.Background(), location))(t)
	t.Cleanup(pool.Close)
	return pool
}

// schemas counts those that newStore created.
var schemas atomic.Int64

// newStore returns a store in a new schema, which is quicker than a new database.
func newStore(t testing.TB, pool *pgxpool.Pool) *postgres.Store {
	t.Helper()
	s := must.Get(postgres.New(pool, postgres.Config{Schema: fmt.Sprintf("test%d", schemas.Add(1))}))(t)
	require.NoError(t, s.Migrate(context.Background()))
	return s
}

// onServers runs a test on a new database, directly and through PgBouncer.
func onServers(t *testing.T, test func(t *testing.T, location string)) {
	t.Run("Direct", func(t *testing.T) { test(t, pgtest.Shared(t).Database(t)) })
	t.Run("PgBouncer", func(t *testing.T) { throughBouncer(t, test) })
}

// throughBouncer runs a test on a new database through PgBouncer.
func throughBouncer(t *testing.T, test func(t *testing.T, location string)) {
	server := pgtest.Shared(t)
	test(t, pgtest.Bouncer(t, server, server.Database(t)))
}

// Suites wait for the server most of the time, so several run at once.
func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pgtest.Shared(t).Database(t))
	flowtest.RunStore(t, func(t *testing.T) flow.Store { return newStore(t, pool) })
}

// This runs with FLUSSI_ALL=1 only: the other suites use other tables, and connections in the same way.
func TestStoreKeepsTheContractThroughPgBouncer(t *testing.T) {
	if os.Getenv("FLUSSI_ALL") == "" {
		return // it takes a minute
	}
	t.Parallel()
	throughBouncer(t, func(t *testing.T, location string) {
		pool := newPool(t, location)
		flowtest.RunStore(t, func(t *testing.T) flow.Store { return newStore(t, pool) })
	})
}

func TestStoreKeepsTheContractOfNotices(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pgtest.Shared(t).Database(t))
	pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store { return newStore(t, pool) })
}

func TestStoreKeepsTheContractOfSettlements(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pgtest.Shared(t).Database(t))
	settlementtest.RunStore(t, func(t *testing.T) settlement.Store { return newStore(t, pool) })
}
