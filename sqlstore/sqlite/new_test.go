package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// joined returns a store in a database of the caller.
func joined(t testing.TB, db *sql.DB) *sqlite.Store {
	t.Helper()
	s := must.Get(sqlite.New(db, sqlite.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// callers returns databases of callers, by how they are opened.
func callers(t testing.TB) map[string]func() *sql.DB {
	memory := 0
	one := func(db *sql.DB) *sql.DB { db.SetMaxOpenConns(1); return db }
	return map[string]func() *sql.DB{
		"by default": func() *sql.DB { return database(t, newFile(t)) },
		"with WAL, alone": func() *sql.DB {
			return one(database(t, newFile(t)+"?_pragma=journal_mode(WAL)&_pragma=locking_mode(EXCLUSIVE)"))
		},
		"in memory, one connection": func() *sql.DB { return one(database(t, ":memory:")) },
		"in memory": func() *sql.DB {
			memory++
			db := database(t, fmt.Sprintf("file:%s%d?mode=memory&cache=shared", strings.ReplaceAll(t.Name(), "/", "-"), memory))
			db.SetMaxIdleConns(1) // the last connection ends the database
			require.NoError(t, db.Ping())
			return db
		},
	}
}

// It runs on the fastest kind of database, and on all kinds with FLUSSI_ALL=1. Kinds differ in their
// connections and journals, and have the same tables: notices and settlements are stored in one kind.
// Package sqlite opens files with a WAL itself: see TestStoreKeepsTheContract.
func TestStoreInCallersDatabaseKeepsTheContract(t *testing.T) {
	const quickest = "in memory, one connection"
	kinds := callers(t)
	if os.Getenv("FLUSSI_ALL") == "" {
		kinds = map[string]func() *sql.DB{quickest: kinds[quickest]}
	}
	for name, newDatabase := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for the disk most of the time
			flowtest.RunStore(t, func(t *testing.T) flow.Store { return joined(t, newDatabase()) })
		})
		if name != quickest {
			continue
		}
		t.Run(name+", notices", func(t *testing.T) {
			t.Parallel()
			pagoinretetest.RunStore(t, func(t *testing.T) pagoinrete.Store { return joined(t, newDatabase()) })
		})
		t.Run(name+", settlements", func(t *testing.T) {
			t.Parallel()
			settlementtest.RunStore(t, func(t *testing.T) settlement.Store { return joined(t, newDatabase()) })
		})
	}
}

// The tables stand beside those of the service, also if these have names that an earlier release used.
func TestStoreLeavesTheCallersTables(t *testing.T) {
	path := newFile(t)
	db := database(t, path)
	tables := []string{"settings", "flows", "notifications", "services", "imports", "goose_db_version"}
	for _, table := range tables {
		execute(t, db, "CREATE TABLE "+table+" (x)", "INSERT INTO "+table+" VALUES ('"+table+"')")
	}
	execute(t, db, "PRAGMA user_version = 7", "PRAGMA application_id = 9")
	s := joined(t, db)
	claimAll(t, s, save(t, s, 20))
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Close())
	for _, table := range tables {
		var x string
		require.NoError(t, db.QueryRow("SELECT x FROM "+table).Scan(&x), "the database is open")
		assert.Equal(t, table, x)
	}
	var version, id, others int
	require.NoError(t, db.QueryRow("SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"+
		" (SELECT count(*) FROM sqlite_master WHERE tbl_name NOT LIKE 'flussi_%' AND name NOT LIKE 'sqlite_%')").Scan(&version, &id, &others))
	assert.Equal(t, []int{7, 9, len(tables)}, []int{version, id, others})
	assert.FileExists(t, path+"-sent")
	assert.Equal(t, os.FileMode(0o600), must.Get(os.Stat(path+"-sent"))(t).Mode().Perm())
}

// A connection that does not wait for the disk refuses writes, also if it is one of several.
func TestConnectionThatDoesNotWaitForTheDiskIsRefused(t *testing.T) {
	for name, pragmas := range map[string]string{"OFF": "?_pragma=synchronous(OFF)", "NORMAL": "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)",
		"no journal": "?_pragma=journal_mode(OFF)", "a journal in memory": "?_pragma=journal_mode(MEMORY)"} {
		s := must.Get(sqlite.New(database(t, newFile(t)+pragmas), sqlite.Config{}))(t)
		refused(t, s.Migrate(t.Context()), sqlite.ErrNotDurable)
		t.Log(name)
	}
	db := database(t, newFile(t))
	db.SetMaxIdleConns(3)
	s := joined(t, db)
	var all []*sql.Conn
	for i := range 3 {
		c := must.Get(db.Conn(t.Context()))(t)
		all = append(all, c)
		if i == 1 {
			must.Get(c.ExecContext(t.Context(), "PRAGMA synchronous = NORMAL"))(t)
		}
	}
	for i, c := range all {
		for j, other := range all { // the only one that is free is the ith
			if j != i {
				must.Get(other.ExecContext(t.Context(), "SELECT 1"))(t)
			}
		}
		require.NoError(t, c.Close())
		db.SetMaxOpenConns(3)
		f, rows := change(2)
		err := s.SaveFlow(t.Context(), f, rows)
		if i == 1 {
			refused(t, err, sqlite.ErrNotDurable)
			_, err := s.Flow(t.Context(), f.Flow.ID)
			require.ErrorIs(t, err, flussi.ErrNotFound)
		} else {
			require.NoError(t, err)
		}
		all[i] = must.Get(db.Conn(t.Context()))(t)
	}
	for _, c := range all {
		require.NoError(t, c.Close())
	}
}

// Without a journal, SQLite cannot undo a write that is refused.
func TestTransactionThatCannotBeUndoneIsRefused(t *testing.T) {
	db := database(t, newFile(t))
	db.SetMaxOpenConns(1)
	s := joined(t, db)
	execute(t, db, "PRAGMA journal_mode = OFF")
	tx := must.Get(db.BeginTx(t.Context(), nil))(t)
	f, rows := change(2)
	refused(t, s.WithTx(tx).SaveFlow(t.Context(), f, rows), sqlite.ErrNotDurable)
	require.ErrorIs(t, must.Err(s.WithTx(tx).Flow(t.Context(), f.Flow.ID)), flussi.ErrNotFound)
	require.NoError(t, tx.Rollback())
}

// A write that has the only connection of a pool does not wait for a call that waits for it.
func TestMigrateAndClaimsShareOneConnection(t *testing.T) {
	db := database(t, ":memory:")
	db.SetMaxOpenConns(1)
	s := joined(t, db)
	of := save(t, s, 300)
	migrated := make(chan error)
	go func() {
		var err error
		for i := 0; i < 300 && err == nil; i++ {
			err = s.Migrate(t.Context())
		}
		migrated <- err
	}()
	for range 300 {
		require.Len(t, must.Get(claim(s, of, 1))(t), 1)
	}
	require.NoError(t, <-migrated)
}

func TestNewRefusesNoDatabase(t *testing.T) {
	_, err := sqlite.New(nil, sqlite.Config{})
	require.ErrorIs(t, err, flussi.ErrConfig)
}

func TestConfigsBeyondTheirLimitsAreRefused(t *testing.T) {
	for name, c := range map[string]sqlite.Config{
		"MaxReaders is -1": {MaxReaders: -1}, "MaxReaders is 1000000000": {MaxReaders: 1_000_000_000},
		"BusyTimeout is -1s": {BusyTimeout: -time.Second}, "BusyTimeout is 25h": {BusyTimeout: 25 * time.Hour},
	} {
		for _, err := range []error{must.Err(sqlite.New(database(t, newFile(t)), c)), must.Err(sqlite.Open(t.Context(), newFile(t), c))} {
			require.ErrorIs(t, err, flussi.ErrConfig)
			require.ErrorContains(t, err, name)
		}
	}
}

// Before Migrate, every call says what is missing.
func TestStoreThatIsNotMigratedSaysSo(t *testing.T) {
	s := must.Get(sqlite.New(database(t, newFile(t)), sqlite.Config{}))(t)
	f, rows := change(1)
	err := s.SaveFlow(t.Context(), f, rows)
	refused(t, err, sqlite.ErrNotMigrated)
	must.Contain(t, err.Error(), "call Store.Migrate")
	_, err = claim(s, f.Flow.ID, 1)
	refused(t, err, sqlite.ErrNotMigrated)
	_, err = s.Flows(t.Context(), flow.FlowFilter{}, flow.Page{Limit: 1})
	refused(t, err, sqlite.ErrNotMigrated)
	refused(t, s.AcceptRestored(t.Context()), sqlite.ErrNotMigrated)
}

func TestMigrateRefusesAReadOnlyDatabaseAtOnce(t *testing.T) {
	path := newFile(t)
	db := database(t, path)
	execute(t, db, "CREATE TABLE altra (x)")
	s := must.Get(sqlite.New(database(t, path+"?_pragma=query_only(1)"), sqlite.Config{}))(t)
	err := s.Migrate(t.Context())
	refused(t, err, sqlite.ErrReadOnly)
	must.NotContain(t, must.As[*sqlite.Fault](t, err).Cause.Error(), "failed to initialize") // goose tried, which repeats it for 3 seconds
}

// The tables of the first version of the schema get the columns that they lack, and keep their rows.
func TestTablesOfTheFirstVersionAreMigrated(t *testing.T) {
	db := database(t, newFile(t))
	s := joined(t, db)
	of := save(t, s, 3)
	stored := func(s *sqlite.Store) []flow.Notification {
		return must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: of}, flow.Page{Limit: 10}))(t)
	}
	before := stored(s)
	execute(t, db, "ALTER TABLE flussi_notifications DROP COLUMN answer", "ALTER TABLE flussi_notifications DROP COLUMN stopped_flow",
		"ALTER TABLE flussi_notifications DROP COLUMN options", "ALTER TABLE flussi_flows DROP COLUMN options",
		"DROP INDEX flussi_flows_scheduled", "DROP INDEX flussi_flows_of_service_scheduled", "ALTER TABLE flussi_flows DROP COLUMN not_before",
		"ALTER TABLE flussi_flows DROP COLUMN scheduled_by", "ALTER TABLE flussi_flows DROP COLUMN answer",
		"ALTER TABLE flussi_flow_records DROP COLUMN answer", "ALTER TABLE flussi_notification_records DROP COLUMN answer",
		"ALTER TABLE flussi_notices DROP COLUMN base_state", "ALTER TABLE flussi_notices DROP COLUMN transfers",
		"ALTER TABLE flussi_notices DROP COLUMN discrepancy_source", "ALTER TABLE flussi_events DROP COLUMN discrepancy_source",
		"ALTER TABLE flussi_event_records DROP COLUMN answer", "ALTER TABLE flussi_notice_records DROP COLUMN answer",
		"DROP TABLE flussi_paces", "DROP TABLE flussi_ledgers", "DROP TABLE flussi_settlements", "DROP TABLE flussi_settlement_counts",
		"DROP TABLE flussi_settlement_records", "DROP TABLE flussi_payments", "DROP TABLE flussi_payment_records", "DROP TABLE flussi_movements",
		"DROP TABLE flussi_movement_records", "DROP TABLE flussi_movement_names", "DROP TABLE flussi_movement_settlements", "DELETE FROM flussi_migrations WHERE version_id > 1")
	s = must.Get(sqlite.New(db, sqlite.Config{}))(t)
	refused(t, must.Err(claim(s, of, 1)), sqlite.ErrNotMigrated)
	f, rows := change(1)
	refused(t, s.SaveFlow(t.Context(), f, rows), sqlite.ErrNotMigrated)
	require.NoError(t, s.Migrate(t.Context()))
	assert.Equal(t, before, stored(s))
	n := before[0]
	n.Transmission.Answer, n.Transmission.StoppedFlow = flussi.NewText("Bad Request (HTTP 400)"), true
	require.NoError(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n}))
	n.Version++
	assert.Equal(t, n, must.Get(s.Notification(t.Context(), n.ID))(t))
	assert.Empty(t, must.Get(s.Settlements(t.Context(), settlement.SettlementFilter{}, settlement.Page{Limit: 1}))(t))
	assert.Len(t, claimAll(t, s, of), 3)
}

// A team runs Migrations by its own tool, then calls Migrate, which finds the tables.
func TestTablesOfOwnToolAreFound(t *testing.T) {
	path := newFile(t)
	db := database(t, path)
	provider := must.Get(goose.NewProvider(goose.DialectSQLite3, db, sqlite.Migrations(), goose.WithTableName("flussi_migrations"), goose.WithDisableGlobalRegistry(true)))(t)
	must.Get(provider.Up(t.Context()))(t)
	s := joined(t, db)
	assert.Len(t, claimAll(t, s, save(t, s, 3)), 3)

	without := database(t, newFile(t)) // and without a call of Migrate
	for _, file := range must.Get(fs.Glob(sqlite.Migrations(), "*.sql"))(t) {
		script := string(must.Get(fs.ReadFile(sqlite.Migrations(), file))(t))
		execute(t, without, script)
	}
	s = must.Get(sqlite.New(without, sqlite.Config{}))(t)
	assert.Len(t, claimAll(t, s, save(t, s, 3)), 3)
}

// A store notices that a database of the caller lost claims.
func TestCallersDatabaseThatLostClaimsIsNoticed(t *testing.T) {
	path := newFile(t)
	db := database(t, path)
	s := joined(t, db)
	of := save(t, s, 10)
	copyFiles(t, path, path+".before", "")
	assert.Len(t, must.Get(claim(s, of, 5))(t), 5)
	require.NoError(t, db.Close())
	require.NoError(t, os.Rename(path+".before", path))
	for range 2 { // with Migrate, and without
		s = must.Get(sqlite.New(database(t, path), sqlite.Config{}))(t)
		_, err := claim(s, of, 5)
		refused(t, err, sqlite.ErrRestored)
		require.NoError(t, s.Migrate(t.Context()))
	}
	require.NoError(t, s.AcceptRestored(t.Context()))
	assert.Len(t, must.Get(claim(s, of, 5))(t), 5)
}

// Goroutines that read and write at the same time wait for each other, whatever the journal.
func TestCallersReadAndWriteAtOnce(t *testing.T) {
	for name, newDatabase := range callers(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := joined(t, newDatabase())
			of := save(t, s, 60)
			errs := make(chan error)
			for worker := range 6 {
				go func() {
					var err error
					for i := 0; i < 10 && err == nil; i++ {
						switch worker % 3 {
						case 0:
							_, _, err = s.Claim(ctx, flow.Claim{Flow: of, Limit: 2, Lease: time.Hour, At: time.Now(), By: "invio"})
						case 1:
							f, rows := change(5)
							err = s.SaveFlow(ctx, f, rows)
						default:
							_, err = s.Notifications(ctx, flow.NotificationFilter{Flow: of}, flow.Page{Limit: 50})
						}
					}
					errs <- err
				}()
			}
			for range 6 {
				require.NoError(t, <-errs)
			}
			assert.Equal(t, 40, must.Get(s.Flow(ctx, of))(t).Counts.Sending)
		})
	}
}
