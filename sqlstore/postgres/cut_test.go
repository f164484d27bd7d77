package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// Whenever the connection breaks while the tables are created, in a statement of the store or of the
// library that migrates, the error says so, and the next call goes on.
func TestMigrateSaysThatTheConnectionIsLost(t *testing.T) {
	proxy := pgtest.NewProxy(t, pgtest.Shared(t).Database(t))
	for message := 14; message < 17; message++ {
		config := postgres.Config{Schema: fmt.Sprintf("tagliato%d", message)}
		proxy.CutAt(message)
		_, err := postgres.Open(t.Context(), proxy.URL, config)
		require.ErrorIs(t, err, postgres.ErrLost, "cut at message %d", message)
	}
	require.NoError(t, must.Get(postgres.Open(t.Context(), proxy.URL, postgres.Config{Schema: "tagliato15"}))(t).Close())
}
