package sqlite_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

func TestClosedStoreSaysSo(t *testing.T) {
	s := must.Get(sqlite.Open(t.Context(), newFile(t), sqlite.Config{}))(t)
	require.NoError(t, s.Close())
	_, claimed := claim(s, uuid.New(), 1)
	for _, err := range []error{must.Err(s.Flow(t.Context(), uuid.New())), claimed, s.Migrate(t.Context()), s.AcceptRestored(t.Context())} {
		refused(t, err, sqlite.ErrLost)
		require.ErrorIs(t, err, flussi.ErrStoreUnavailable)
		must.Contain(t, flussi.Explain(err), "ha già chiuso l'archivio")
	}
}

// Close waits for the calls that run and refuses new ones, also those that a running call makes. After
// it, there is no -wal file.
func TestCloseWaitsForRunningCalls(t *testing.T) {
	path := newFile(t)
	var saved flow.FlowChange
	synctest.Test(t, func(t *testing.T) {
		s := must.Get(sqlite.Open(context.Background(), path, sqlite.Config{}))(t)
		change, rows := change(2)
		saved = change
		begun, proceed := make(chan struct{}), make(chan struct{})
		var closed atomic.Bool
		var group sync.WaitGroup
		group.Go(func() {
			assert.NoError(t, s.SaveFlow(context.Background(), change, func(yield func(flow.NotificationChange, error) bool) {
				close(begun)
				<-proceed
				refused(t, must.Err(s.Flow(context.Background(), uuid.New())), sqlite.ErrLost)
				rows(yield)
			}))
		})
		<-begun
		group.Go(func() {
			assert.NoError(t, s.Close())
			assert.NoFileExists(t, path+"-wal")
			closed.Store(true)
		})
		synctest.Wait()
		assert.False(t, closed.Load(), "Close waits")
		refused(t, must.Err(s.Flow(context.Background(), uuid.New())), sqlite.ErrLost)
		close(proceed)
		group.Wait()
		assert.NoError(t, s.Close(), "again")
	})
	again := open(t, path)
	assert.Equal(t, 2, must.Get(again.Flow(t.Context(), saved.Flow.ID))(t).Counts.Total())
}

// Calls of any kind may run while the store is closed: each succeeds or says that the store is closed,
// and nothing remains beside the file.
func TestCloseAmongManyCalls(t *testing.T) {
	path := newFile(t)
	s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{MaxReaders: 2}))(t)
	id := save(t, s, 100)
	calls := []func() error{
		func() error { return must.Err(s.Flow(t.Context(), id)) },
		func() error {
			return must.Err(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 50}))
		},
		func() error { return must.Err(claim(s, id, 1)) },
		func() error {
			return must.Err(s.ReserveTurns(t.Context(), appio.TurnRequest{Body: "ente", Rate: 30, Turns: 1}))
		},
		func() error { return s.Migrate(t.Context()) },
	}
	var group, begun sync.WaitGroup
	for _, call := range calls {
		begun.Add(1)
		group.Go(func() {
			err := call()
			begun.Done()
			for err == nil {
				err = call()
			}
			refused(t, err, sqlite.ErrLost)
			assert.Contains(t, flussi.Explain(err), "ha già chiuso l'archivio")
		})
	}
	begun.Wait()
	require.NoError(t, s.Close())
	_, err := os.Stat(path + "-wal")
	assert.ErrorIs(t, err, os.ErrNotExist)
	group.Wait()
}

// A store in a transaction of the caller does not close the store that it was made from.
func TestCloseInATransactionClosesNothing(t *testing.T) {
	s := open(t, newFile(t))
	require.NoError(t, s.WithTx(nil).Close())
	save(t, s, 1)
}
