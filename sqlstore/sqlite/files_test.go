package sqlite_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// A process that is killed while it moves the -wal file into the database leaves a database that is
// damaged without it.
func TestFileOfAnUnfinishedCheckpointIsOpened(t *testing.T) {
	path, copied := newFile(t), newFile(t)
	s := open(t, path)
	id := save(t, s, 20)
	copyFiles(t, path, copied, allFiles...)
	file := must.Get(os.OpenFile(copied, os.O_WRONLY, 0))(t)
	must.Get(file.WriteAt(bytes.Repeat([]byte{0xFF}, 100), 100))(t) // of the first page, behind the header
	require.NoError(t, file.Close())
	f := must.Get(open(t, copied).Flow(t.Context(), id))(t)
	assert.Equal(t, 20, f.Counts.Total())
}

// A file that is refused stays as it was, and nothing is created beside it.
func TestFileOfAnotherProgramIsRefused(t *testing.T) {
	foreign := func(statements ...string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			db := database(t, path)
			execute(t, db, statements...)
			require.NoError(t, db.Close())
		}
	}
	for name, test := range map[string]struct {
		make  func(t *testing.T, path string)
		class error
	}{
		"with tables":            {foreign("CREATE TABLE altra (x)"), sqlite.ErrNotOurs},
		"with WAL":               {foreign("PRAGMA journal_mode = WAL", "CREATE TABLE altra (x)"), sqlite.ErrNotOurs},
		"with tables of ours":    {foreign("CREATE TABLE flows (x)", "CREATE TABLE settings (name, value)"), sqlite.ErrNotOurs},
		"with an ID, and empty":  {foreign("PRAGMA application_id = 77"), sqlite.ErrNotOurs},
		"with an ID, and tables": {foreign("PRAGMA application_id = 77", "CREATE TABLE altra (x)"), sqlite.ErrNotOurs},
		"text": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("Testo riservato, nessun archivio. ", 100)), 0o600))
		}, sqlite.ErrNotOurs},
		"short text": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("riservato"), 0o600))
		}, sqlite.ErrNotOurs},
		"a folder": {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, sqlite.ErrAccess},
		"of a newer version": {func(t *testing.T, path string) {
			require.NoError(t, must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t).Close())
			foreign("INSERT INTO flussi_migrations (version_id, is_applied) VALUES (999, 1)")(t, path)
		}, sqlite.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t)
			test.make(t, path)
			before := contents(t, filepath.Dir(path))
			_, err := sqlite.Open(t.Context(), path, sqlite.Config{})
			refused(t, err, test.class)
			assert.Equal(t, before, contents(t, filepath.Dir(path)))
		})
	}
}

// The program was killed before SQLite moved its tables into the database. To find them, SQLite needs
// a -shm file, which holds nothing of its own.
func TestWALOfAnotherProgramStaysWhereItIs(t *testing.T) {
	running, path := newFile(t), newFile(t)
	execute(t, database(t, running), "PRAGMA journal_mode = WAL", "CREATE TABLE altra (x)")
	copyFiles(t, running, path, allFiles...)
	before := contents(t, filepath.Dir(path))
	_, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	refused(t, err, sqlite.ErrNotOurs)
	after := contents(t, filepath.Dir(path))
	delete(after, path+"-shm")
	assert.Equal(t, before, after)
}

// What SQLite means by these names is no file, and as a file they would surprise.
func TestNamesThatAreNoPathsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"", ":memory:", "file:flussi.db", "file:flussi.db?mode=memory", "flussi.db\x00.txt"} {
		_, err := sqlite.Open(t.Context(), name, sqlite.Config{})
		refused(t, err, sqlite.ErrAccess)
		assert.Contains(t, flussi.Explain(err), "percorso")
	}
	_, err := sqlite.Open(t.Context(), filepath.Join("manca", "flussi.db"), sqlite.Config{})
	refused(t, err, sqlite.ErrAccess)
	assert.Contains(t, flussi.Explain(err), "cartella")
	assert.Empty(t, must.Get(os.ReadDir("."))(t))
	for _, name := range []string{"con spazi, ? e #.db", "100%.db", "è&_pragma=x.db"} {
		s := open(t, name)
		assert.Len(t, claimAll(t, s, save(t, s, 2)), 2)
		assert.FileExists(t, name+"-sent")
	}
}

// The files are their owner's alone, whatever the umask.
func TestFilesAreTheirOwnersAlone(t *testing.T) {
	path := newFile(t)
	process := start(t, "import step", path) // with the umask of the shell
	must.Get(process.stdin.Write([]byte("+")))(t)
	process.next()
	for _, suffix := range []string{"", "-wal", "-shm", "-sent"} {
		assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(path+suffix))(t).Mode().Perm(), suffix)
	}
	process.killAfter(0, 0)
	s := open(t, path)
	require.NoError(t, s.AcceptRestored(t.Context()))
	assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(path+"-sent"))(t).Mode().Perm())
}

// SQLite goes on with a file that is not there any more: what it writes would be lost.
func TestFileThatWasReplacedIsNotWrittenTo(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"moved":   func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".bak")) },
		"replaced by a copy": func(t *testing.T, path string) {
			copyFiles(t, path, path+".bak", "")
			require.NoError(t, os.Rename(path+".bak", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t)
			s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
			of := save(t, s, 3)
			replace(t, path)
			_, err := claim(s, of, 3)
			refused(t, err, sqlite.ErrLost)
			must.NotContain(t, flussi.Explain(err), "non è andato perso")
			must.Contain(t, flussi.Explain(err), "spostato, eliminato o sostituito")
			f, rows := change(1)
			refused(t, s.SaveFlow(t.Context(), f, rows), sqlite.ErrLost)
			require.NoError(t, s.Close())
		})
	}
}

// If the mark cannot be written, nothing is claimed, and the error says what to do.
func TestMarkThatCannotBeWrittenKeepsFromClaiming(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, mark string)
		class error
	}{
		"a folder": {func(t *testing.T, mark string) {
			require.NoError(t, os.Remove(mark))
			require.NoError(t, os.Mkdir(mark, 0o700))
		}, sqlite.ErrLost},
		"too short": {func(t *testing.T, mark string) { require.NoError(t, os.Truncate(mark, 100)) }, sqlite.ErrLost},
		"no list":   {func(t *testing.T, mark string) { require.NoError(t, os.Truncate(mark, 4096)) }, sqlite.ErrLost},
		"deleted":   {func(t *testing.T, mark string) { require.NoError(t, os.Remove(mark)) }, sqlite.ErrRestored},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t)
			s := open(t, path)
			of := save(t, s, 5)
			test.spoil(t, path+"-sent")
			_, err := claim(s, of, 5)
			refused(t, err, test.class)
			if test.class == sqlite.ErrLost {
				must.Contain(t, flussi.Explain(err), "«-sent»", "non si è inviato nulla")
			}
			assert.NotErrorIs(t, err, flussi.ErrCommitUnknown)
			assert.Equal(t, flow.Counts{Registered: 5}, must.Get(s.Flow(t.Context(), of))(t).Counts)
			_ = os.RemoveAll(path + "-sent")
			require.NoError(t, s.AcceptRestored(t.Context()))
			assert.Len(t, must.Get(claim(s, of, 5))(t), 5)
		})
	}
}

// A file that another program keeps to itself is busy.
func TestContextEndsTheWaitForAFile(t *testing.T) {
	path := newFile(t)
	require.NoError(t, open(t, path).Close())
	other := database(t, path+"?_pragma=locking_mode(EXCLUSIVE)")
	other.SetMaxOpenConns(1)
	execute(t, other, "BEGIN EXCLUSIVE", "CREATE TABLE altra (x)")
	_, err := sqlite.Open(t.Context(), path, sqlite.Config{BusyTimeout: 50 * time.Millisecond})
	refused(t, err, sqlite.ErrBusy)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = sqlite.Open(ctx, path, sqlite.Config{BusyTimeout: time.Hour})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// Several processes may open a new file at once.
func TestProcessesMayCreateAFileAtOnce(t *testing.T) {
	path := newFile(t)
	var group sync.WaitGroup
	var processes []*child
	for range 6 {
		processes = append(processes, begin(t, "open", path))
	}
	for _, p := range processes {
		group.Go(p.end)
	}
	group.Wait()
	for _, p := range processes {
		assert.Empty(t, p.failure)
	}
	s := open(t, path)
	assert.Len(t, claimAll(t, s, save(t, s, 3)), 3)
}

// What another program put into the tables is refused without being shown.
func TestRowThatCannotBeReadIsNotShown(t *testing.T) {
	for _, column := range []string{"amount", "recipient", "notice_number", "payee", "created_at", "version", "is_payment", "flow_id"} {
		t.Run(column, func(t *testing.T) {
			path := newFile(t)
			s := open(t, path)
			of := save(t, s, 1)
			execute(t, database(t, path), "UPDATE flussi_notifications SET "+column+" = 'testo riservato'")
			filter := flow.NotificationFilter{Services: []string{"tributi"}}
			if column == "created_at" {
				filter = flow.NotificationFilter{Flow: of}
			}
			_, err := s.Notifications(t.Context(), filter, flow.Page{Limit: 10})
			refused(t, err, sqlite.ErrNotOurs)
			assert.Contains(t, flussi.Explain(err), "danneggiato")
		})
	}
}
