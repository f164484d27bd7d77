package sqlite_test

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// A process may not write more than it is allowed, as on a full disk: the write is undone, and what
// was stored stays.
func TestFullDiskLosesNothing(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	of := save(t, s, 5)
	process := begin(t, "fill", path)
	process.end()
	assert.Contains(t, process.failure, sqlite.ErrLost.Error(), "SQLite does not say that the limit is reached")
	assert.Len(t, must.Get(s.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 10}))(t), 1)
	assert.Len(t, claimAll(t, s, of), 5)

	s = must.Get(sqlite.Open(t.Context(), filepath.Join(smallDisk(t), "flussi.db"), sqlite.Config{}))(t)
	of = save(t, s, 5)
	f, rows := change(6000)
	refused(t, s.SaveFlow(t.Context(), f, rows), sqlite.ErrFull)
	_, err := s.Flow(t.Context(), f.Flow.ID)
	require.ErrorIs(t, err, flussi.ErrNotFound)
	assert.Equal(t, flow.Counts{Registered: 5}, must.Get(s.Flow(t.Context(), of))(t).Counts)
	require.NoError(t, s.Close())
}

// On a disk that is full there is not even room for the files that SQLite makes when it opens a
// database.
func TestOpenOnAFullDiskSaysSo(t *testing.T) {
	folder := smallDisk(t)
	path := filepath.Join(folder, "flussi.db")
	require.NoError(t, must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t).Close())
	require.ErrorIs(t, os.WriteFile(filepath.Join(folder, "ballast"), make([]byte, 2<<20), 0o600), syscall.ENOSPC)
	_, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	refused(t, err, sqlite.ErrFull)
}

// smallDisk returns the folder of a disk of 2 MiB.
func smallDisk(t *testing.T) string {
	folder := filepath.Join(t.TempDir(), "disco")
	require.NoError(t, os.Mkdir(folder, 0o700))
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("no right to mount a small disk: ", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	return folder
}

// A program that holds the file and does not go on, as after Ctrl-Z, keeps others waiting until
// BusyTimeout or the end of their context.
func TestFrozenProcessMakesOthersBusy(t *testing.T) {
	path := newFile(t)
	s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{BusyTimeout: 300 * time.Millisecond}))(t)
	defer func() { require.NoError(t, s.Close()) }()
	of := save(t, s, 3)
	process := start(t, "hold", path)
	require.Equal(t, "holding", process.next())
	require.NoError(t, process.Process.Signal(syscall.SIGSTOP))

	_, err := claim(s, of, 3)
	refused(t, err, sqlite.ErrBusy)
	must.Contain(t, flussi.Explain(err), "occupato", "operazion")
	must.Contain(t, err.Error(), "300ms")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	patient := open(t, path)
	f, _ := change(0)
	require.ErrorIs(t, patient.SaveFlow(ctx, f, nil), context.DeadlineExceeded)
	assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(t.Context(), of))(t).Counts, "reading is possible")

	require.NoError(t, process.Process.Signal(syscall.SIGKILL))
	process.end()
	assert.Len(t, must.Get(claim(s, of, 3))(t), 3)
}

// A file or a folder that is read-only is refused as such.
func TestReadOnlyFileIsRefused(t *testing.T) {
	for readOnly, class := range map[string]error{"file": sqlite.ErrReadOnly, "folder": sqlite.ErrAccess} {
		t.Run(readOnly, func(t *testing.T) {
			path := newFile(t)
			require.NoError(t, open(t, path).Close())
			mount := filepath.Dir(path)
			if readOnly == "file" {
				mount = path
			}
			if err := syscall.Mount(mount, mount, "", syscall.MS_BIND, ""); err != nil {
				t.Skip("no right to make a read-only mount: ", err)
			}
			defer func() { require.NoError(t, syscall.Unmount(mount, syscall.MNT_DETACH)) }()
			require.NoError(t, syscall.Mount(mount, mount, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
			s, err := sqlite.Open(t.Context(), path, sqlite.Config{})
			if err == nil {
				f, rows := change(1)
				err = s.SaveFlow(t.Context(), f, rows)
				require.NoError(t, s.Close())
			}
			refused(t, err, class)
		})
	}
}

// limitFiles sets how large the files of this process may become.
func limitFiles(size uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
}
