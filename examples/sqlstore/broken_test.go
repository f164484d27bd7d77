package sqlstore_test

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/internal/pgtest"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
)

// database opens a database beside the store.
func database(t *testing.T, driver, location string) *sql.DB {
	db, err := sql.Open(driver, location)
	require.NoError(t, err)
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
	claimed, err := claim(t.Context(), s, id, 2)
	require.NoError(t, err)
	require.Len(t, claimed, 2)
	server.Restart(t)
	require.Eventually(t, func() bool {
		f, err := s.Flow(t.Context(), id)
		return err == nil && f.Counts == flow.Counts{Registered: 1, Sending: 2}
	}, 20*time.Second, 10*time.Millisecond)
}

// Who gives up while the server commits cannot know what it does: the error says so.
func TestAWriteThatIsGivenUpWhileItCommitsMayHaveBeenMade(t *testing.T) {
	at := pgtest.Start(t).Database(t)
	s, admin := open(t, at), database(t, "pgx", at+"&synchronous_commit=local")
	execute(t, admin, "ALTER SYSTEM SET synchronous_standby_names = 'nessuno'", "SELECT pg_reload_conf()") // commits wait for a stand-by server
	require.Eventually(t, func() bool {
		var names string
		err := database(t, "pgx", at).QueryRowContext(t.Context(), "SHOW synchronous_standby_names").Scan(&names)
		return err == nil && names == "nessuno"
	}, 20*time.Second, 10*time.Millisecond)
	f, rows := change(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := s.SaveFlow(ctx, f, rows)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, sqlstore.ErrLost)
	require.ErrorIs(t, err, flussi.ErrCommitUnknown)
	require.Eventually(t, func() bool { // it was made
		kept, err := s.Flow(t.Context(), f.Flow.ID)
		return err == nil && kept.Counts.Registered == 3
	}, 20*time.Second, 10*time.Millisecond)
	execute(t, admin, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

	over, end := context.WithCancel(t.Context())
	g, more := change(t, 1)
	err = s.SaveFlow(over, g, func(yield func(flow.NotificationChange, error) bool) {
		for n, err := range more {
			yield(n, err)
		}
		end()
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, sqlstore.ErrLost, "it did not come to that")
	_, err = s.Flow(t.Context(), g.Flow.ID)
	require.ErrorIs(t, err, flussi.ErrNotFound)
}

// A database may be set to transactions that see less of each other than the store needs.
func TestTheIsolationThatADatabaseIsSetToDoesNotMatter(t *testing.T) {
	server := newServer(t)
	for _, level := range []string{"serializable", "repeatable read"} {
		t.Run(level, func(t *testing.T) {
			const each, crowd = 10, 6
			at := server.newSchema(t) + "&default_transaction_isolation=" + strings.ReplaceAll(level, " ", "%20")
			stores := make([]*sqlstore.Store, crowd)
			errs := make([]error, crowd)
			var group sync.WaitGroup
			for i := range stores {
				group.Go(func() { stores[i], errs[i] = sqlstore.Open(t.Context(), at, sqlstore.Config{}) })
			}
			group.Wait()
			for i, err := range errs {
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, stores[i].Close()) })
			}
			id := onItsWay(t, stores[0], each*crowd)
			taken := make([]map[uuid.UUID]bool, crowd)
			for i, s := range stores {
				taken[i] = map[uuid.UUID]bool{}
				group.Go(func() {
					for range each {
						claimed, err := claim(t.Context(), s, id, 1)
						if err != nil {
							errs[i] = err
						}
						for _, n := range claimed {
							taken[i][n.ID] = true
						}
					}
				})
			}
			group.Wait()
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
			f, err := stores[0].Flow(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, flow.Counts{Registered: each*crowd - sum, Sending: sum}, f.Counts)
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
				other, err := admin.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				defer func() { require.NoError(t, other.Rollback()) }()
				_, err = other.ExecContext(t.Context(), "LOCK TABLE notifications")
				require.NoError(t, err)
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
		count := 0
		err := s.SaveFlow(t.Context(), f, func(yield func(flow.NotificationChange, error) bool) {
			for row, err := range rows {
				if count++; count == 600 { // a group is written
					require.Eventually(t, func() bool {
						var n int
						err := admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'").Scan(&n)
						return err == nil && n == 0
					}, 20*time.Second, 10*time.Millisecond)
				}
				if !yield(row, err) {
					return
				}
			}
		})
		refused(t, err, sqlstore.ErrLost)
		_, err = s.Flow(t.Context(), f.Flow.ID)
		require.ErrorIs(t, err, flussi.ErrNotFound)
	})
	f, err := s.Flow(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, flow.Counts{Registered: 3}, f.Counts, "nothing was taken")
	execute(t, admin, "DROP TABLE notification_records")
	_, err = claim(t.Context(), s, id, 3)
	refused(t, err, sqlstore.ErrNoStore)
}

// SQLite goes on with a file that is not there any more, and what it writes is lost with the
// program.
func TestAFileThatWasReplacedIsNotWrittenTo(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, at string){
		"deleted": func(t *testing.T, at string) { require.NoError(t, os.Remove(at)) },
		"moved":   func(t *testing.T, at string) { require.NoError(t, os.Rename(at, at+".bak")) },
		"replaced by an earlier copy": func(t *testing.T, at string) {
			copied, err := os.ReadFile(at)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(at+".bak", copied, 0o600))
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
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Empty(t, files)
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
