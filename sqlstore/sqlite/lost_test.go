package sqlite_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// template is a closed database with a flow that is to be sent.
type template struct {
	path string
	flow uuid.UUID
}

func newTemplate(t testing.TB, notifications int) template {
	path := newFile(t)
	s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
	made := template{path, save(t, s, notifications)}
	require.NoError(t, s.Close())
	return made
}

// copy returns the path of a copy.
func (m template) copy(t testing.TB) string {
	path := newFile(t)
	copyFiles(t, m.path, path, allFiles...)
	return path
}

// tally is what happened in several rounds.
type tally struct{ rounds, refused, claimed, twice, lost, falseAlarms int }

// check opens a database whose process was killed, and claims. It counts what is claimed that
// the process claimed before.
func (c *tally) check(t *testing.T, path string, of uuid.UUID, before []string) {
	t.Helper()
	c.rounds++
	c.claimed += len(before)
	s, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	lost := 0
	for _, id := range before {
		n, err := s.Notification(t.Context(), uuid.MustParse(id))
		if err != nil || n.State == "registered" {
			lost++
		}
	}
	c.lost += lost
	claimed, err := claim(s, of, 10_000)
	if err != nil {
		refused(t, err, sqlite.ErrRestored)
		c.refused++
		if lost == 0 {
			c.falseAlarms++
		}
		return
	}
	known := map[string]bool{}
	for _, id := range before {
		known[id] = true
	}
	for _, n := range claimed {
		if known[n.ID.String()] {
			c.twice++
		}
	}
}

func (c *tally) report(t *testing.T) {
	t.Helper()
	t.Logf("%+v", *c)
	assert.Zero(t, c.twice, "claimed a second time")
	assert.Zero(t, c.falseAlarms, "refused although nothing was lost")
}

// moment returns at what moment a process is killed: mostly after a few claims, sometimes after as
// many as fill the -wal file.
func moment() (lines int, pause time.Duration) {
	lines = 1 + rand.IntN(20)
	if rand.IntN(3) == 0 {
		lines = 1 + rand.IntN(300)
	}
	return lines, time.Duration(rand.IntN(5000)) * time.Microsecond
}

// A claim that was lost with the -wal file keeps everything from being claimed.
func TestLostWALIsNoticed(t *testing.T) {
	made := newTemplate(t, 4000)
	var c tally
	for range rounds(t, 3) {
		path := made.copy(t)
		process := start(t, "claim", path, made.flow.String())
		process.killAfter(moment())
		require.NoError(t, os.Remove(path+"-wal"))
		if rand.IntN(2) == 0 {
			_ = os.Remove(path + "-shm")
		}
		c.check(t, path, made.flow, process.claimed)
	}
	c.report(t)
	assert.Positive(t, c.refused)
}

// A copy of the main file alone, or with -sent, is refused; taken while it is sent, or after a kill.
func TestCopyWithoutWALIsNoticed(t *testing.T) {
	made := newTemplate(t, 4000)
	for name, files := range map[string][]string{"alone": {""}, "with -sent": {"", "-sent"}} {
		for _, sending := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				var c tally
				for range rounds(t, 3) {
					path, other := made.copy(t), newFile(t)
					process := start(t, "claim", path, made.flow.String())
					lines, pause := moment()
					if sending {
						for range lines {
							process.next()
						}
						copyFiles(t, path, other, files...)
						process.killAfter(1, pause)
					} else {
						process.killAfter(lines, pause)
						copyFiles(t, path, other, files...)
					}
					c.check(t, other, made.flow, process.claimed)
				}
				c.report(t)
				assert.Equal(t, c.rounds, c.refused)
			})
		}
	}
}

// Another -wal file is noticed before SQLite reads it: the database stays as it was.
func TestForeignWALIsNoticed(t *testing.T) {
	made, foreign := newTemplate(t, 4000), newTemplate(t, 100)
	start(t, "claim", foreign.path, foreign.flow.String()).killAfter(3, 0)
	for name, test := range map[string]struct {
		closed bool // the database, when the file is put beside it
		from   func(path string) string
	}{
		"of another store":                           {false, func(string) string { return foreign.path }},
		"of another store, beside a closed one":      {true, func(string) string { return foreign.path }},
		"of an earlier session":                      {false, func(path string) string { return path + ".session" }},
		"of an earlier session, beside a closed one": {true, func(path string) string { return path + ".session" }},
		"of an earlier moment":                       {false, func(path string) string { return path + ".moment" }},
	} {
		t.Run(name, func(t *testing.T) {
			var c tally
			for range rounds(t, 1) {
				path := made.copy(t)
				first := start(t, "claim", path, made.flow.String())
				first.killAfter(2, 0)
				copyFiles(t, path, path+".session", "-wal")
				start(t, "list", path).end() // the last one to close it
				require.NoFileExists(t, path+"-wal")
				process := start(t, "claim", path, made.flow.String())
				process.next()
				copyFiles(t, path, path+".moment", "-wal")
				process.next()
				process.killAfter(moment())
				if test.closed {
					start(t, "list", path).end()
					require.NoFileExists(t, path+"-wal")
				} else {
					require.NoError(t, os.Rename(path+"-wal", path+".right"))
				}
				copyFiles(t, test.from(path), path, "-wal")

				before := contents(t, filepath.Dir(path))
				for _, command := range []string{"list", "claim", "import"} {
					second := begin(t, command, path, made.flow.String())
					second.end()
					require.Contains(t, second.failure, "belongs to another database or to an earlier moment")
				}
				_, err := sqlite.Open(t.Context(), path, sqlite.Config{})
				refused(t, err, sqlite.ErrRestored)
				require.Equal(t, before, contents(t, filepath.Dir(path)), "SQLite has not read it")

				require.NoError(t, os.Remove(path+"-wal"))
				if !test.closed {
					require.NoError(t, os.Rename(path+".right", path+"-wal"))
				}
				c.check(t, path, made.flow, append(first.claimed, process.claimed...))
			}
			c.report(t)
			assert.Zero(t, c.refused, "with the right file again")
		})
	}
}

// A flow that was imported and sent is lost as a whole: what is imported in its place is not sent.
func TestLostImportIsNoticed(t *testing.T) {
	path := newFile(t)
	require.NoError(t, must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t).Close())
	before := must.Get(os.ReadFile(path))(t)
	s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
	claimAll(t, s, save(t, s, 5))
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, before, 0o600))

	s = open(t, path)
	_, err := claim(s, save(t, s, 5), 5)
	refused(t, err, sqlite.ErrRestored)
}

// SQLite was killed while it moved the -wal file into the database, when only the page with the
// count of claims was written, and then the -wal file was lost.
func TestPagesLostAfterTheCountWasMovedAreNoticed(t *testing.T) {
	path := newFile(t)
	s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
	of := save(t, s, 50)
	require.NoError(t, s.Close())
	before := must.Get(os.ReadFile(path))(t)
	s = must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
	claimed := must.Get(claim(s, of, 7))(t)
	require.NoError(t, s.Close())
	after := must.Get(os.ReadFile(path))(t)

	var pageSize, page int
	db := database(t, path)
	require.NoError(t, db.QueryRow("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'flussi_properties'").Scan(&page, &pageSize))
	require.NoError(t, db.Close())
	torn := append(before[:0:0], before...)
	copy(torn[(page-1)*pageSize:page*pageSize], after[(page-1)*pageSize:])
	require.NoError(t, os.WriteFile(path, torn, 0o600))

	s = open(t, path)
	require.Equal(t, "registered", string(must.Get(s.Notification(t.Context(), claimed[0].ID))(t).State))
	_, err := claim(s, of, 7)
	refused(t, err, sqlite.ErrRestored)
	require.NoError(t, s.AcceptRestored(t.Context()))
	must.Get(claim(s, of, 7))(t)
}
