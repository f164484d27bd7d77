package sqlite_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// Nothing is refused when nothing was lost, whatever happens to the file between two processes that
// send.
func TestIntactStoreIsNotRefused(t *testing.T) {
	made := newTemplate(t, 4000)
	admin := func(t *testing.T, path string, statements ...string) {
		db := database(t, path)
		db.SetMaxOpenConns(1)
		execute(t, db, statements...)
		require.NoError(t, db.Close())
	}
	for name, between := range map[string]func(t *testing.T, path string) string{
		"killed": func(_ *testing.T, path string) string { return path },
		"read":   func(t *testing.T, path string) string { start(t, "list", path).end(); return path },
		"read by others": func(t *testing.T, path string) string {
			admin(t, path, "SELECT count(*) FROM flussi_flows")
			return path
		},
		"vacuumed":          func(t *testing.T, path string) string { admin(t, path, "VACUUM"); return path },
		"moved into itself": func(t *testing.T, path string) string { admin(t, path, "PRAGMA wal_checkpoint(TRUNCATE)"); return path },
		"copied": func(t *testing.T, path string) string {
			other := newFile(t)
			copyFiles(t, path, other, allFiles...)
			return other
		},
		"read and copied": func(t *testing.T, path string) string {
			start(t, "list", path).end()
			other := newFile(t)
			copyFiles(t, path, other, allFiles...)
			return other
		},
		"imported": func(t *testing.T, path string) string {
			start(t, "import", path).killAfter(1+rand.IntN(3), 0)
			return path
		},
		"read and imported": func(t *testing.T, path string) string {
			start(t, "list", path).end()
			start(t, "import", path).killAfter(1+rand.IntN(3), 0)
			return path
		},
		"imported, then read, then imported": func(t *testing.T, path string) string {
			start(t, "import", path).killAfter(1, 0)
			start(t, "list", path).end()
			start(t, "import", path).killAfter(1, time.Duration(rand.IntN(2000))*time.Microsecond)
			return path
		},
		"read by others and imported": func(t *testing.T, path string) string {
			admin(t, path, "SELECT count(*) FROM flussi_flows")
			start(t, "import", path).killAfter(1, 0)
			return path
		},
		"begun anew by itself": func(t *testing.T, path string) string { return importWith(t, path, "PRAGMA wal_checkpoint(PASSIVE)") },
		"begun anew by others": func(t *testing.T, path string) string { return importWith(t, path, "PRAGMA wal_checkpoint(TRUNCATE)") },
		"changed by others that have it open": func(t *testing.T, path string) string {
			start(t, "list", path).end()
			execute(t, database(t, path), "PRAGMA user_version = 1")
			return path
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c tally
			for range rounds(t, 1) {
				path := made.copy(t)
				var claimed []string
				for range 2 {
					process := start(t, "claim", path, made.flow.String())
					process.killAfter(moment())
					claimed = append(claimed, process.claimed...)
					path = between(t, path)
				}
				c.check(t, path, made.flow, claimed)
			}
			c.report(t)
			assert.Zero(t, c.refused+c.lost)
		})
	}
}

// importWith imports, executes a statement in another process, and imports more.
func importWith(t *testing.T, path, statement string) string {
	process := start(t, "import step", path)
	db := database(t, path)
	for range 2 {
		must.Get(process.stdin.Write([]byte("+")))(t)
		process.next()
		execute(t, db, statement)
	}
	require.NoError(t, db.Close())
	must.Get(process.stdin.Write([]byte("+")))(t)
	process.killAfter(1, 0)
	return path
}

// While processes send, others move the -wal file into the database, vacuum it, and import; all
// are killed at some moment.
func TestProcessesThatSendAtOnceAreNotRefused(t *testing.T) {
	made := newTemplate(t, 4000)
	var c tally
	for range rounds(t, 1) {
		path := made.copy(t)
		var processes []*child
		for range 3 {
			processes = append(processes, start(t, "claim", path, made.flow.String()))
		}
		importer := start(t, "import", path)
		db := database(t, path+"?_pragma=busy_timeout(10000)")
		db.SetMaxOpenConns(1)
		execute(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
		processes[0].killAfter(1+rand.IntN(20), time.Duration(rand.IntN(5000))*time.Microsecond)
		execute(t, db, "PRAGMA wal_checkpoint(RESTART)")
		processes = append(processes, start(t, "claim", path, made.flow.String()))
		if rand.IntN(2) == 0 {
			execute(t, db, "VACUUM")
		}
		importer.killAfter(1, time.Duration(rand.IntN(5000))*time.Microsecond)
		require.NoError(t, db.Close())
		var claimed []string
		seen := map[string]int{}
		for _, p := range processes {
			p.killAfter(1+rand.IntN(20), time.Duration(rand.IntN(5000))*time.Microsecond)
			assert.Empty(t, p.failure)
			claimed = append(claimed, p.claimed...)
			for _, id := range p.claimed {
				if seen[id]++; seen[id] > 1 {
					c.twice++
				}
			}
		}
		c.check(t, path, made.flow, claimed)
	}
	c.report(t)
	assert.Zero(t, c.refused+c.lost)
}

// A process was killed after it stored a claim, before it wrote the mark: nothing of that claim was
// sent.
func TestClaimWithoutMarkIsNotRefused(t *testing.T) {
	made := newTemplate(t, 1000)
	for _, closed := range []bool{false, true} {
		path := made.copy(t)
		process := start(t, "claim", path, made.flow.String())
		process.next()
		copyFiles(t, path, path+".before", "-sent")
		require.NotEmpty(t, process.next())
		process.killAfter(0, 0)
		copyFiles(t, path+".before", path, "-sent")
		if closed {
			start(t, "list", path).end()
		}
		s := open(t, path)
		assert.Len(t, must.Get(claim(s, made.flow, 5))(t), 5)
	}
}

// A process was killed after it began another -wal file, before it noted the new one.
func TestNewWALWithoutMarkIsNotRefused(t *testing.T) {
	made := newTemplate(t, 1000)
	path := made.copy(t)
	start(t, "claim", path, made.flow.String()).killAfter(2, 0)
	admin := database(t, path) // the last one to close it is not of this package
	execute(t, admin, "SELECT 1 FROM flussi_flows")
	require.NoError(t, admin.Close())
	holding := start(t, "hold", path)
	require.Equal(t, "holding", holding.next())
	copyFiles(t, path, path+".before", "-sent")
	holding.killAfter(0, 0)
	start(t, "import", path).killAfter(1, 0)
	copyFiles(t, path+".before", path, "-sent")
	assert.Len(t, must.Get(claim(open(t, path), made.flow, 5))(t), 5)
}

// One process resets the -wal file. Before it records that, it is killed, or another process opens the
// file. The new salts may be any if another program had emptied the -wal file.
func TestWALThatBeginsAnewIsNotRefused(t *testing.T) {
	made := newTemplate(t, 1000)
	path := made.copy(t)
	s := open(t, path)
	require.Len(t, must.Get(claim(s, made.flow, 5))(t), 5)
	execute(t, database(t, path), "PRAGMA wal_checkpoint(TRUNCATE)")
	f, _ := change(0)
	require.NoError(t, s.SaveFlow(t.Context(), f, func(func(flow.NotificationChange, error) bool) {
		copyFiles(t, path, path+".before", "-sent")
	}))
	copyFiles(t, path+".before", path, "-sent")
	assert.Len(t, must.Get(claim(open(t, path), made.flow, 5))(t), 5)
	assert.Len(t, must.Get(claim(s, made.flow, 5))(t), 5)
}

// A file may be closed and opened again as often as one likes, also before anything is sent.
func TestFileMayBeOpenedAgain(t *testing.T) {
	path := newFile(t)
	var of uuid.UUID
	for i := range 5 {
		s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
		if i == 1 {
			of = save(t, s, 20)
		}
		if i > 2 {
			assert.Len(t, must.Get(claim(s, of, 5))(t), 5)
		}
		require.NoError(t, s.Close())
	}
	s, other := open(t, path), open(t, path)
	assert.Len(t, must.Get(claim(s, of, 5))(t), 5)
	assert.Len(t, must.Get(claim(other, of, 100))(t), 5)
	assert.Equal(t, flow.Counts{Sending: 20}, must.Get(s.Flow(t.Context(), of))(t).Counts)
}

// After AcceptRestored, every process that has the file open sends again.
func TestAcceptRestoredHoldsForOthers(t *testing.T) {
	made := newTemplate(t, 1000)
	path := made.copy(t)
	process := start(t, "claim", path, made.flow.String())
	process.killAfter(3, 0)
	require.NoError(t, removeWAL(path))
	first, second := open(t, path), open(t, path)
	for _, s := range []*sqlite.Store{first, second} {
		_, err := claim(s, made.flow, 5)
		refused(t, err, sqlite.ErrRestored)
	}
	other := begin(t, "claim", path, made.flow.String())
	other.end()
	assert.Contains(t, other.failure, sqlite.ErrRestored.Error())

	require.NoError(t, first.AcceptRestored(t.Context()))
	for _, s := range []*sqlite.Store{second, first} {
		assert.Len(t, must.Get(claim(s, made.flow, 5))(t), 5)
	}
	other = start(t, "claim", path, made.flow.String())
	other.killAfter(2, 0)
	assert.Empty(t, other.failure)
	assert.NotEmpty(t, other.claimed)
}

// The file -sent is replaced before the transaction ends: a claim that another process stored in
// between would be missing in it.
func TestAcceptRestoredReplacesTheMarkInItsTransaction(t *testing.T) {
	path := newFile(t)
	s := open(t, path)
	other := database(t, path)
	execute(t, other, "DELETE FROM flussi_properties WHERE name = 'sent'")
	require.NoError(t, os.Remove(path+"-sent"))
	require.NoError(t, os.Mkdir(path+"-sent", 0o700)) // cannot be replaced by a file
	refused(t, s.AcceptRestored(t.Context()), sqlite.ErrLost)
	stored := 0
	require.NoError(t, other.QueryRowContext(t.Context(), "SELECT count(*) FROM flussi_properties WHERE name = 'sent'").Scan(&stored))
	assert.Zero(t, stored)
}
