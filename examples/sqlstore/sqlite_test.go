package sqlstore

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// What was written survives a loss of power, by whichever connection; and those that read cannot
// write.
func TestEveryConnectionToAFileHasItsSettings(t *testing.T) {
	s := must.Get(Open(t.Context(), filepath.Join(t.TempDir(), "con spazi, ? e #.db"), Config{MaxConns: 3}))(t)
	defer func() { require.NoError(t, s.Close()) }()
	for pool, connections := range map[*sql.DB]int{s.db.writes: 1, s.db.reads: 3} {
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
			assert.Equal(t, pool == s.db.reads, queryOnly == 1)
		}
	}
}

// The driver has no error of its own for a connection that the server has closed meanwhile.
func TestAConnectionThatIsClosedIsLost(t *testing.T) {
	closed := (&pgconn.PgConn{}).ExecParams(t.Context(), "SELECT 1", nil, nil, nil, nil).Read().Err
	for _, err := range []error{closed, fmt.Errorf("claim: %w", closed), pgx.ErrTxClosed, pgx.ErrTxCommitRollback} {
		require.Error(t, err)
		require.ErrorIs(t, fail(t.Context(), "claim", uuid.Nil, err), ErrLost)
	}
}

func TestAKindIsReadAsItWasWritten(t *testing.T) {
	written := map[string]kind{}
	for _, k := range []kind{
		{"sent", "", ""}, {"failed", "refused", "dx"}, {"", "", ""}, {"a|b", "", ""}, {"a", "b", ""}, {"a", "|b", ""}, {"a b", "\x00\xff", "u"}, {"è", "%7C", "a"},
	} {
		assert.Equal(t, k, must.Get(parseKind(k.String()))(t))
		assert.NotContains(t, written, k.String())
		written[k.String()] = k
	}
	sending, registered := flow.Notification{State: flow.NotificationSending}, flow.Notification{State: flow.NotificationRegistered}
	assert.Equal(t, notificationKind(&registered), notificationKind(&sending), "a claim does not change the kind")
}

// Databases hold every text, and give it as it was. What is equal stays equal, and a part of a
// text a part of it.
func FuzzTextsAreHeld(f *testing.F) {
	for _, seed := range []string{"", "è", "\x00", "a\x00b", "\xff", "\xc3", "\ufdd0", "\ufdef\ufdd0\ufde0", "\xef\xb7", "\ufffd", "👩‍👩‍👧"} {
		f.Add(seed, "\x00")
		f.Add(seed+seed, seed)
	}
	f.Fuzz(func(t *testing.T, text, part string) {
		kept := held(text)
		assert.True(t, utf8.ValidString(kept))
		assert.NotContains(t, kept, "\x00")
		assert.Equal(t, text, given(kept))
		if utf8.ValidString(text) && utf8.ValidString(part) {
			assert.Equal(t, strings.Contains(text, part), strings.Contains(kept, held(part)))
		}
		assert.Equal(t, text == part, kept == held(part))
	})
}
