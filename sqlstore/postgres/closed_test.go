package postgres_test

import (
	"testing"

	"github.com/google/uuid"
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
