package sqlite_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
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
