package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// link makes a symbolic link.
func link(t *testing.T, target, path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a right")
	}
	require.NoError(t, os.Symlink(target, path))
}

// Processes may open a file by different links: the other files are beside the file itself.
func TestSymbolicLinksAreFollowed(t *testing.T) {
	folder := t.TempDir()
	real := filepath.Join(folder, "archivio", "flussi.db")
	require.NoError(t, os.Mkdir(filepath.Dir(real), 0o700))
	link(t, "archivio", filepath.Join(folder, "corrente"))
	link(t, filepath.Join("corrente", "flussi.db"), filepath.Join(folder, "link.db"))
	paths := []string{filepath.Join(folder, "link.db"), filepath.Join(folder, "corrente", "flussi.db"), real}
	for range 2 {
		for i, path := range paths {
			first := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
			last := must.Get(sqlite.Open(t.Context(), paths[(i+1)%len(paths)], sqlite.Config{}))(t)
			id := save(t, first, 3)
			require.Len(t, must.Get(claim(first, id, 1))(t), 1)
			require.Len(t, must.Get(claim(last, id, 1))(t), 1)
			require.NoError(t, first.Close())
			require.NoError(t, last.Close()) // removes the -wal file
		}
	}
	assert.Len(t, must.Get(os.ReadDir(folder))(t), 3)
	for _, suffix := range []string{"", "-sent"} { // Open created the file through the link
		assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(real+suffix))(t).Mode().Perm(), suffix)
	}
}

func TestLinkToAnotherFileIsNoticed(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "link.db")
	link(t, "prima.db", path)
	s := open(t, path)
	of := save(t, s, 3)
	open(t, filepath.Join(folder, "dopo.db"))
	require.NoError(t, os.Remove(path))
	link(t, "dopo.db", path)
	_, err := claim(s, of, 3)
	refused(t, err, sqlite.ErrLost)
}
