package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/pacetest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// Several stores on one database, as in several processes, share a pace.
func TestStoresOfADatabaseShareAPace(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		pacetest.RunTurnStore(t, func(t *testing.T) []appio.TurnStore {
			return []appio.TurnStore{open(t, location), open(t, location), open(t, location)}
		})
	})
}

// While all connections of the pool are in use, a call waits, and its context ends the wait. When a
// connection is free, calls continue.
func TestSharedPaceWaitsForAConnection(t *testing.T) {
	pool := newPool(t, with(t, pgtest.Shared(t).Database(t), "", "pool_max_conns", "2"))
	pace := must.Get(appio.NewPace(appio.PaceConfig{Shared: newStore(t, pool), Body: "ente"}))(t)
	require.NoError(t, pace.Wait(t.Context()))
	first, second := must.Get(pool.Acquire(t.Context()))(t), must.Get(pool.Acquire(t.Context()))(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pace.Wait(ctx), context.DeadlineExceeded)
	first.Release()
	second.Release()
	require.NoError(t, pace.Wait(t.Context()))
}

// After a crash of the server the table is empty, and calls go on.
func TestSharedPaceGoesOnAfterACrashOfTheServer(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Database(t))
	pace := must.Get(appio.NewPace(appio.PaceConfig{Shared: s, Body: "ente"}))(t)
	for range 10 {
		require.NoError(t, pace.Wait(t.Context()))
	}
	server.Restart(t)
	for range 10 {
		require.NoError(t, pace.Wait(t.Context()))
	}
	assert.Equal(t, 1, value[int](t, s.Pool(), "SELECT count(*) FROM flussi.paces"))
}

// Requests for turns wait for no write of the store. A store in a transaction of the caller refuses
// them, since other processes would wait for the end of the transaction.
func TestReservingTurnsLocksNothing(t *testing.T) {
	s := open(t, pgtest.Shared(t).Database(t))
	held := must.Get(s.Pool().Begin(t.Context()))(t)
	defer func() { require.NoError(t, held.Rollback(context.Background())) }()
	must.Get(held.Exec(t.Context(), "LOCK flussi.flows, flussi.notifications, flussi.services, flussi.properties"))(t)
	r := appio.TurnRequest{Body: "ente", Rate: 30, Turns: 1}
	must.Get(s.ReserveTurns(t.Context(), r))(t)
	_, err := s.WithTx(held).ReserveTurns(t.Context(), r)
	requireFault(t, err, postgres.ErrInTx)
	_, err = s.WithTx(nil).ReserveTurns(t.Context(), r)
	require.ErrorIs(t, err, flussi.ErrConfig)
}

// Three processes that always have calls to make do not exceed the limit together. They need only their
// own clocks and the clock of the database.
func TestSharedPaceOfSeveralStoresKeepsTheLimit(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	const calls, window = 300, 3 * time.Second // 98 a second
	var mu sync.Mutex
	var starts []time.Time
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var group sync.WaitGroup
	for range 3 {
		pace := must.Get(appio.NewPace(appio.PaceConfig{Calls: calls, Window: window, Shared: open(t, location), Body: "ente"}))(t)
		for range 8 {
			group.Go(func() {
				for pace.Wait(ctx) == nil {
					mu.Lock()
					starts = append(starts, time.Now())
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	rate := float64(len(starts)-1) / starts[len(starts)-1].Sub(starts[0]).Seconds()
	t.Logf("%.1f calls a second", rate)
	assert.Less(t, rate, 1.02*calls/window.Seconds()) // a busy machine only makes it slower
}
