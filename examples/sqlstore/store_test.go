package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	flowtest.Run(t, func(t *testing.T) flow.Store {
		s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "flussi.db"), sqlstore.Config{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	})
}
