package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
)

// database opens a database beside the store.
func database(t *testing.T, driver, location string) *sql.DB {
	db := must.Get(sql.Open(driver, location))(t)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// onItsWay stores a flow that is being sent, with so many notifications.
func onItsWay(t *testing.T, s *sqlstore.Store, notifications int) uuid.UUID {
	f, rows := change(t, notifications)
	f.Flow.State = flow.FlowSending
	require.NoError(t, s.SaveFlow(t.Context(), f, rows))
	return f.Flow.ID
}

func claim(ctx context.Context, s *sqlstore.Store, of uuid.UUID, limit int) ([]flow.Notification, error) {
	_, claimed, err := s.Claim(ctx, flow.Claim{Flow: of, Limit: limit, Lease: time.Minute, At: time.Now(), By: "massivo"})
	return claimed, err
}

// A claim that a crash undoes would be sent again, so the store waits for it to be on the disk,
// whatever the server is set to.
func TestAClaimSurvivesACrashOfAServerThatIsSetNotToWait(t *testing.T) {
	server := pgtest.Start(t, "synchronous_commit=off", "wal_writer_delay=10s")
	s := open(t, server.Database(t))
	id := onItsWay(t, s, 3)
	require.Len(t, must.Get(claim(t.Context(), s, id, 2))(t), 2)
	server.Restart(t)
	eventually(t, func() bool {
		f, err := s.Flow(t.Context(), id)
		return err == nil && f.Counts == flow.Counts{Registered: 1, Sending: 2}
	})
}

// Who gives up while the server commits cannot know what it does: the error says so.
func TestAWriteThatIsGivenUpWhileItCommitsMayHaveBeenMade(t *testing.T) {
	at := pgtest.Start(t).Database(t)
	s, admin := open(t, at), database(t, "pgx", at+"&synchronous_commit=local")
	execute(t, admin, "ALTER SYSTEM SET synchronous_standby_names = 'nessuno'", "SELECT pg_reload_conf()") // commits wait for a stand-by server
	eventually(t, func() bool {
		var names string
		err := database(t, "pgx", at).QueryRowContext(t.Context(), "SHOW synchronous_standby_names").Scan(&names)
		return err == nil && names == "nessuno"
	})
	f, rows := change(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := s.SaveFlow(ctx, f, rows)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, sqlstore.ErrLost)
	require.ErrorIs(t, err, flussi.ErrCommitUnknown)
	eventually(t, func() bool { // it was made
		kept, err := s.Flow(t.Context(), f.Flow.ID)
		return err == nil && kept.Counts.Registered == 3
	})
	execute(t, admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

	over, end := context.WithCancel(t.Context())
	g, more := change(t, 1)
	err = s.SaveFlow(over, g, func(yield func(flow.NotificationChange, error) bool) {
		more(yield)
		end()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, sqlstore.ErrLost, "it did not come to that")
	notStored(t, s, g.Flow.ID)
}

// A database may be set to transactions that see less of each other than the store needs.
func TestTheIsolationThatADatabaseIsSetToDoesNotMatter(t *testing.T) {
	server := newServer(t)
	for _, level := range []string{"serializable", "repeatable read"} {
		t.Run(level, func(t *testing.T) {
			const each, crowd = 10, 6
			at := server.newSchema(t) + "&default_transaction_isolation=" + strings.ReplaceAll(level, " ", "%20")
			stores := make([]*sqlstore.Store, crowd)
			for i, err := range atOnce(crowd, func(i int) (err error) {
				stores[i], err = sqlstore.Open(t.Context(), at, sqlstore.Config{})
				return err
			}) {
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, stores[i].Close()) })
			}
			id := onItsWay(t, stores[0], each*crowd)
			taken := make([]map[uuid.UUID]bool, crowd)
			errs := atOnce(crowd, func(i int) (failed error) {
				taken[i] = map[uuid.UUID]bool{}
				for range each {
					claimed, err := claim(t.Context(), stores[i], id, 1)
					failed = errors.Join(failed, err)
					for _, n := range claimed {
						taken[i][n.ID] = true
					}
				}
				return failed
			})
			all := map[uuid.UUID]bool{}
			sum := 0
			for i, err := range errs {
				require.NoError(t, err)
				sum += len(taken[i])
				for n := range taken[i] {
					all[n] = true
				}
			}
			assert.Len(t, all, sum, "nobody is in two hands")
			assert.Equal(t, flow.Counts{Registered: each*crowd - sum, Sending: sum}, must.Get(stores[0].Flow(t.Context(), id))(t).Counts)
		})
	}
}

func TestWhatAServerDoesNotLetOneDoSaysWhy(t *testing.T) {
	at := pgtest.Start(t).Database(t)
	s, admin := open(t, at), database(t, "pgx", at)
	id := onItsWay(t, s, 3)
	execute(t, admin, "CREATE SCHEMA altrui", "CREATE TABLE altrui.settings (x int)", "CREATE ROLE povero LOGIN")
	as := strings.Replace(at, "postgres@", "povero@", 1)
	for name, test := range map[string]struct {
		location string
		class    error
	}{
		"a schema that is not there": {at + "&search_path=manca", sqlstore.ErrAccess},
		"tables of somebody else":    {at + "&search_path=altrui", sqlstore.ErrNoStore},
		"no rights":                  {as, sqlstore.ErrAccess},
		"an unknown setting":         {at + "&inventato=segreta", sqlstore.ErrAccess},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.Open(t.Context(), test.location, sqlstore.Config{})
			refused(t, err, test.class)
		})
	}
	execute(t, admin, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO povero")
	for name, test := range map[string]struct {
		location string
		locked   bool
		class    error
	}{
		"time for a statement":       {at + "&statement_timeout=100", true, sqlstore.ErrBusy},
		"time to wait for others":    {at + "&lock_timeout=100", true, sqlstore.ErrBusy},
		"writing":                    {at + "&default_transaction_read_only=on", false, sqlstore.ErrReadOnly},
		"writing, without the right": {as, false, sqlstore.ErrAccess},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, test.location)
			if test.locked {
				other := must.Get(admin.BeginTx(t.Context(), nil))(t)
				defer func() { require.NoError(t, other.Rollback()) }()
				must.Get(other.ExecContext(t.Context(), "LOCK TABLE notifications"))(t)
			}
			_, err := claim(t.Context(), s, id, 3)
			refused(t, err, test.class)
			if !test.locked {
				_, err := s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 3})
				require.NoError(t, err, "reading is possible")
			}
		})
	}
	t.Run("rest within a transaction", func(t *testing.T) {
		s := open(t, at+"&idle_in_transaction_session_timeout=100")
		f, rows := change(t, 1100)
		err := s.SaveFlow(t.Context(), f, seen(rows, func(at int, _ flow.NotificationChange) {
			if at == 600 { // a group is written
				eventually(t, func() bool {
					var n int
					err := admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'").Scan(&n)
					return err == nil && n == 0
				})
			}
		}))
		refused(t, err, sqlstore.ErrLost)
		notStored(t, s, f.Flow.ID)
	})
	assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(t.Context(), id))(t).Counts, "nothing was taken")
	execute(t, admin, "DROP TABLE notification_records")
	_, err := claim(t.Context(), s, id, 3)
	refused(t, err, sqlstore.ErrNoStore)
}

// SQLite goes on with a file that is not there any more, and what it writes is lost with the
// program.
func TestAFileThatWasReplacedIsNotWrittenTo(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, at string){
		"deleted": func(t *testing.T, at string) { require.NoError(t, os.Remove(at)) },
		"moved":   func(t *testing.T, at string) { require.NoError(t, os.Rename(at, at+".bak")) },
		"replaced by an earlier copy": func(t *testing.T, at string) {
			require.NoError(t, os.WriteFile(at+".bak", must.Get(os.ReadFile(at))(t), 0o600))
			require.NoError(t, os.Rename(at+".bak", at))
		},
	} {
		t.Run(name, func(t *testing.T) {
			at := newSQLite(t)
			s := open(t, at)
			id := onItsWay(t, s, 3)
			replace(t, at)
			_, err := claim(t.Context(), s, id, 3)
			refused(t, err, sqlstore.ErrLost)
			_, err = save(t, s, 1)
			refused(t, err, sqlstore.ErrLost)
		})
	}
}

// What other programs mean by these names is no file, and as a file they would surprise.
func TestNamesThatAreNoPathsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{":memory:", "file:flussi.db", "file:flussi.db?mode=memory", "flussi.db\x00.txt"} {
		_, err := sqlstore.Open(t.Context(), name, sqlstore.Config{})
		refused(t, err, sqlstore.ErrAccess)
	}
	assert.Empty(t, must.Get(os.ReadDir("."))(t))
}

// Another program may keep a file to itself.
func TestAContextEndsTheWaitForAFile(t *testing.T) {
	at := newSQLite(t)
	require.NoError(t, open(t, at).Close())
	other := database(t, "sqlite", at+"?_pragma=locking_mode(EXCLUSIVE)")
	other.SetMaxOpenConns(1)
	execute(t, other, "BEGIN EXCLUSIVE", "CREATE TABLE altra (x)")
	_, err := sqlstore.Open(t.Context(), at, sqlstore.Config{BusyTimeout: 50 * time.Millisecond})
	refused(t, err, sqlstore.ErrBusy)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = sqlstore.Open(ctx, at, sqlstore.Config{BusyTimeout: time.Hour})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// What another program put into the tables is told without being shown.
func TestARowThatCannotBeReadIsNotShown(t *testing.T) {
	for _, column := range []string{"amount", "recipient", "notice_number", "payee", "created_at", "version", "is_payment", "flow_id"} {
		t.Run(column, func(t *testing.T) {
			at := newSQLite(t)
			s := open(t, at)
			f, rows := change(t, 1)
			require.NoError(t, s.SaveFlow(t.Context(), f, rows))
			execute(t, database(t, "sqlite", at), "UPDATE notifications SET "+column+" = 'testo riservato'")
			_, err := s.Notifications(t.Context(), flow.NotificationFilter{Services: []string{"tributi"}}, flow.Page{Limit: 10})
			if column == "created_at" {
				_, err = s.Notifications(t.Context(), flow.NotificationFilter{Flow: f.Flow.ID}, flow.Page{Limit: 10})
			}
			refused(t, err, sqlstore.ErrNoStore)
			assert.Contains(t, flussi.Explain(err), "danneggiato")
		})
	}
}
