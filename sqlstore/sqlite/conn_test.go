package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/must"
)

// What was written survives a loss of power, by any connection; and those that read cannot write.
func TestEveryConnectionToAFileHasItsSettings(t *testing.T) {
	s := must.Get(Open(t.Context(), filepath.Join(t.TempDir(), "con spazi, ? e #.db"), Config{MaxReaders: 3}))(t)
	defer func() { require.NoError(t, s.Close()) }()
	for pool, connections := range map[*sql.DB]int{s.database.writes: 1, s.database.reads: 3} {
		for range connections { // all are held until the end
			c := must.Get(pool.Conn(t.Context()))(t)
			defer func() { _ = c.Close() }()
			var synchronous, queryOnly int
			var mode string
			require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&synchronous))
			require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
			require.NoError(t, c.QueryRowContext(t.Context(), "PRAGMA query_only").Scan(&queryOnly))
			assert.Equal(t, 2, synchronous, "FULL")
			assert.Equal(t, "wal", mode)
			assert.Equal(t, pool == s.database.reads, queryOnly == 1)
		}
	}
}

// The list of claims goes round, and items that were not wholly written are left out.
func TestListOfClaimsGoesRound(t *testing.T) {
	s := &sentMark{path: filepath.Join(t.TempDir(), "flussi.db")}
	require.NoError(t, s.create())
	file := must.Get(os.OpenFile(s.file(), os.O_RDWR, 0))(t)
	defer func() { require.NoError(t, file.Close()) }()
	items := make([]sentItem, listSize+10)
	for i := range items {
		items[i].version = uint64(i + 1)
	}
	require.NoError(t, writeItems(file, listSize-5, items[:10]))
	assert.ElementsMatch(t, items[:10], must.Get(readItems(file))(t))
	require.NoError(t, writeItems(file, 3, items))
	assert.ElementsMatch(t, items[10:], must.Get(readItems(file))(t))
	must.Get(file.WriteAt([]byte{1}, listAt+7))(t)
	assert.Len(t, must.Get(readItems(file))(t), listSize-1)

	for count := uint64(1); count < 3*slots; count++ {
		require.NoError(t, s.writeSlot(file, mark{count: count, state: walKnown, wal: walPoint{salts: [2]uint32{1, 2}, frame: 3, checksum: [2]uint32{4, 5}}}))
		m := must.Get(readSlots(file))(t)
		require.Equal(t, mark{count, walKnown, walPoint{[2]uint32{1, 2}, 3, [2]uint32{4, 5}}, s.place()}, m)
	}
	must.Get(file.WriteAt([]byte{255}, (3*slots-1)%slots*slotSize))(t)
	assert.Equal(t, uint64(3*slots-2), must.Get(readSlots(file))(t).count, "a slot that was not wholly written")
}
