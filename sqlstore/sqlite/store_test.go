package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// open opens a store, until the end of the test.
func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s := must.Get(sqlite.Open(context.Background(), path, sqlite.Config{}))(t)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// newFile returns the path of a file that does not exist.
func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "flussi.db") }

func TestStoreKeepsTheContract(t *testing.T) {
	flowtest.RunStore(t, func(t *testing.T) flow.Store { return open(t, newFile(t)) })
}

func TestStoreKeepsTheContractOfNotices(t *testing.T) {
	pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store { return open(t, newFile(t)) })
}
