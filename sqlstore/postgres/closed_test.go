package postgres_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

func TestClosedStoreSaysSo(t *testing.T) {
	s := must.Get(postgres.Open(t.Context(), pgtest.Shared(t).Database(t), postgres.Config{}))(t)
	require.NoError(t, s.Close())
	_, claimed := claim(t.Context(), s, uuid.New(), 1)
	for _, err := range []error{must.Err(s.Flow(t.Context(), uuid.New())), claimed, s.Migrate(t.Context()), s.AcceptRestored(t.Context())} {
		requireFault(t, err, postgres.ErrLost)
		require.ErrorIs(t, err, flussi.ErrStoreUnavailable)
		must.Contain(t, flussi.Explain(err), "ha già chiuso l'archivio")
	}
}

// Close waits for the calls that run, and refuses new ones.
func TestCloseWaitsForRunningCalls(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	s := must.Get(postgres.Open(t.Context(), location, postgres.Config{}))(t)
	change, rows := newFlow(t, 2)
	begun, proceed := make(chan struct{}), make(chan struct{})
	var proceeds atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		assert.NoError(t, s.SaveFlow(context.Background(), change, seen(rows, func(at int) {
			if at == 0 {
				close(begun)
				<-proceed
			}
		})))
	})
	<-begun
	for range 2 {
		group.Go(func() {
			assert.NoError(t, s.Close())
			assert.True(t, proceeds.Load(), "Close waits")
		})
	}
	for !errors.Is(must.Err(s.Flow(t.Context(), change.Flow.ID)), postgres.ErrLost) {
		runtime.Gosched()
	}
	proceeds.Store(true)
	close(proceed)
	group.Wait()
	assert.Equal(t, 2, must.Get(open(t, location).Flow(t.Context(), change.Flow.ID))(t).Counts.Total())
}

// Neither a store on a pool of the caller nor one in a transaction closes the pool.
func TestCloseLeavesThePoolOfTheCaller(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	s := newStore(t, pool)
	require.NoError(t, s.WithTx(nil).Close())
	require.NoError(t, s.Close())
	saveFlow(t, s, 1)
}
