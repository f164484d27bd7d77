package engine_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/internal/sampletest"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// earlier is a database whose schema has an earlier version.
type earlier struct {
	db        *sql.DB
	of, to    string   // what the names of tables begin with: of the database to copy, and of this one
	tables    []string // of this one, without of and to
	columnsOf string   // a query for the columns of a table of this one
	migrate   func(t *testing.T) *engine.Store
}

// earlierSQLite returns a file with the first migrations, to which another file is attached.
func earlierSQLite(t *testing.T, current string, version int64) earlier {
	path := filepath.Join(t.TempDir(), "earlier.db")
	db := must.Get(sql.Open("sqlite", "file:"+path))(t)
	db.SetMaxOpenConns(1)
	provider := must.Get(goose.NewProvider(goose.DialectSQLite3, db, sqlite.Migrations(), goose.WithTableName("flussi_migrations"), goose.WithDisableGlobalRegistry(true)))(t)
	must.Get(provider.UpTo(t.Context(), version))(t)
	must.Get(db.Exec("ATTACH ? AS current", current))(t)
	var mark int64
	require.NoError(t, db.QueryRow("PRAGMA current.application_id").Scan(&mark))
	must.Get(db.Exec(fmt.Sprintf("PRAGMA main.application_id = %d", mark)))(t)
	e := earlier{db: db, of: "current.flussi_", to: "main.flussi_", columnsOf: "SELECT name FROM pragma_table_info('flussi_' || ?)"}
	rows := must.Get(db.Query("SELECT substr(name, 8) FROM sqlite_master WHERE type = 'table' AND name LIKE 'flussi\\_%' ESCAPE '\\' AND name NOT LIKE '%texts%' AND name <> 'flussi_migrations'"))(t)
	e.tables = textsOf(t, rows)
	e.migrate = func(t *testing.T) *engine.Store {
		require.NoError(t, db.Close())
		s := must.Get(sqlite.Open(context.Background(), path, sqlite.Config{}))(t)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return engine.Of(s)
	}
	return e
}

// earlierPostgres returns a schema with the first migrations, beside another one.
func earlierPostgres(t *testing.T, pool *pgxpool.Pool, current string, version int64) earlier {
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	db := stdlib.OpenDBFromPool(pool)
	must.Get(db.Exec("CREATE SCHEMA " + schema))(t)
	files := fstest.MapFS{}
	for _, entry := range must.Get(fs.ReadDir(postgres.Migrations(), "."))(t) {
		text := must.Get(fs.ReadFile(postgres.Migrations(), entry.Name()))(t)
		files[entry.Name()] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(text), "flussi.", schema+"."))}
	}
	provider := must.Get(goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(schema+".migrations"), goose.WithDisableGlobalRegistry(true)))(t)
	must.Get(provider.UpTo(t.Context(), version))(t)
	e := earlier{db: db, of: current + ".", to: schema + ".", columnsOf: "SELECT column_name FROM information_schema.columns WHERE is_generated = 'NEVER' AND table_schema = '" + schema + "' AND table_name = $1"}
	rows := must.Get(db.Query("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_name <> 'migrations' AND table_name NOT LIKE '%texts' AND table_schema = $1", schema))(t)
	e.tables = textsOf(t, rows)
	e.migrate = func(t *testing.T) *engine.Store {
		require.NoError(t, db.Close())
		s := must.Get(postgres.New(pool, postgres.Config{Schema: schema}))(t)
		require.NoError(t, s.Migrate(t.Context()))
		return engine.Of(s)
	}
	return e
}

func textsOf(t *testing.T, rows *sql.Rows) []string {
	var all []string
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		all = append(all, one)
	}
	require.NoError(t, rows.Err())
	return all
}

// copy copies what the tables had at the time.
func (e earlier) copy(t *testing.T) {
	for _, table := range e.tables {
		columns := strings.Join(textsOf(t, must.Get(e.db.Query(e.columnsOf, table))(t)), ", ")
		must.Get(e.db.Exec("INSERT INTO " + e.to + table + " (" + columns + ") SELECT " + columns + " FROM " + e.of + table))(t)
	}
}

// fillEarlier stores some of each entity that the earlier versions had.
func fillEarlier(t *testing.T, s *engine.Store) {
	ctx, by := t.Context(), flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	f := must.Get(flow.NewFlow("tributi", by))(t)
	var rows []flow.NotificationChange
	for i := range 3 {
		n := must.Get(flow.NewNotification("tributi", sampletest.FiscalCode(i), by))(t)
		n.FlowID, n.Subject, n.Content = f.ID, flussi.NewText("Oggetto"), flussi.NewText(strings.Repeat("Contenuto ", 10))
		rows = append(rows, flow.NotificationChange{Notification: n, Record: flow.NotificationRecord{At: n.CreatedAt, By: by.ID, To: n.State}})
	}
	require.NoError(t, s.SaveFlow(ctx, flow.FlowChange{Flow: f, Record: flow.FlowRecord{At: f.CreatedAt, By: by.ID, To: f.State}}, rowsOf(rows)))
	event := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, earlierSchool, clerk))(t)
	event.EventData, event.State = sampletest.Fee(), pagoinrete.EventNotified
	require.NoError(t, s.SaveEvent(ctx, pagoinrete.EventChange{Event: event, Record: pagoinrete.EventRecord{At: event.CreatedAt, By: clerk.ID, To: event.State}}, nil))
	var notices []pagoinrete.NoticeChange
	for i := range 4 {
		n := pagoinrete.Notice{ID: uuid.New(), EventID: event.ID, School: earlierSchool, State: pagoinrete.NoticeNotified, Instalment: 1, CreatedAt: event.CreatedAt, UpdatedAt: event.CreatedAt, UpdatedBy: clerk.ID}
		n.NoticeData = pagoinrete.NoticeData{Debtor: sampletest.FiscalCode(i), DebtorKind: pagoinrete.DebtorPupil, Amount: 5000, DueDate: begin}
		n.Number = must.Get(flussi.ParseNoticeNumber("3" + treasuryReference(i).Reveal()))(t)
		notices = append(notices, pagoinrete.NoticeChange{Notice: n, Record: pagoinrete.NoticeRecord{At: n.CreatedAt, By: clerk.ID, To: n.State}})
	}
	require.NoError(t, s.SaveNotices(ctx, notices...))
	o := must.Get(newOffice(s, bills{func(string, string) {}}, bodyNumber(0), 30, 12))(t)
	require.NoError(t, o.applyJournal(ctx))
	require.NoError(t, o.applySettlement(ctx))
}

const earlierSchool = "RMIC8GA002"

// contentOf returns all that a store has, with its histories.
func contentOf(t *testing.T, s *engine.Store) (notifications, settlements []any) {
	ctx, page := t.Context(), flussi.Page{Limit: 500, OldestFirst: true}
	for _, f := range must.Get(s.Flows(ctx, flow.FlowFilter{}, page))(t) {
		notifications = append(notifications, f, must.Get(s.FlowHistory(ctx, f.ID))(t))
	}
	for _, n := range must.Get(s.Notifications(ctx, flow.NotificationFilter{}, page))(t) {
		notifications = append(notifications, n, must.Get(s.NotificationHistory(ctx, n.ID))(t))
	}
	for _, e := range must.Get(s.Events(ctx, pagoinrete.EventFilter{}, page))(t) {
		notifications = append(notifications, e, must.Get(s.EventHistory(ctx, e.ID))(t))
	}
	for _, n := range must.Get(s.Notices(ctx, pagoinrete.NoticeFilter{}, page))(t) {
		notifications = append(notifications, n, must.Get(s.NoticeHistory(ctx, n.ID))(t))
	}
	for _, one := range must.Get(s.Settlements(ctx, settlement.SettlementFilter{}, page))(t) {
		settlements = append(settlements, one, must.Get(s.SettlementHistory(ctx, one.ID))(t))
	}
	for _, p := range must.Get(s.Payments(ctx, settlement.PaymentFilter{}, page))(t) {
		settlements = append(settlements, p, must.Get(s.PaymentHistory(ctx, p.ID))(t))
	}
	for _, m := range must.Get(s.Movements(ctx, settlement.MovementFilter{}, page))(t) {
		settlements = append(settlements, m, must.Get(s.MovementHistory(ctx, m.ID))(t))
	}
	return notifications, settlements
}

// A database of any earlier version has the same content after its migration. Files can then be applied
// to it, and change its notices to paid.
func TestEarlierSchemasKeepTheirContent(t *testing.T) {
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			var current *engine.Store
			var earlierOf func(t *testing.T, version int64) earlier
			migrations := sqlite.Migrations()
			if name == "SQLite" {
				path := filepath.Join(t.TempDir(), "current.db")
				s := must.Get(sqlite.Open(t.Context(), path, sqlite.Config{}))(t)
				t.Cleanup(func() { require.NoError(t, s.Close()) })
				current = engine.Of(s)
				earlierOf = func(t *testing.T, version int64) earlier { return earlierSQLite(t, path, version) }
			} else {
				pool := must.Get(pgxpool.New(t.Context(), pgtest.Shared(t).Database(t)))(t)
				t.Cleanup(pool.Close)
				schema := fmt.Sprintf("test%d", schemas.Add(1))
				s := must.Get(postgres.New(pool, postgres.Config{Schema: schema}))(t)
				require.NoError(t, s.Migrate(t.Context()))
				current, migrations = engine.Of(s), postgres.Migrations()
				earlierOf = func(t *testing.T, version int64) earlier { return earlierPostgres(t, pool, schema, version) }
			}
			fillEarlier(t, current)
			notifications, settlements := contentOf(t, current)
			require.Len(t, notifications, 2*(1+3+1+4))
			require.Len(t, settlements, 2*(1+30+12))
			latest := int64(len(must.Get(fs.ReadDir(migrations, "."))(t)))
			for version := int64(1); version <= latest; version++ {
				t.Run(fmt.Sprint(version), func(t *testing.T) {
					e := earlierOf(t, version)
					require.Equal(t, version >= 6, slices.Contains(e.tables, "settlements"))
					e.copy(t)
					s := e.migrate(t)
					gotNotifications, gotSettlements := contentOf(t, s)
					require.Equal(t, notifications, gotNotifications)
					if version >= 6 {
						require.Equal(t, settlements, gotSettlements)
					} else {
						require.Empty(t, gotSettlements)
					}
					payEarlier(t, s)
				})
			}
		})
	}
}

// payEarlier applies the files to a database again, for the notices that it has.
func payEarlier(t *testing.T, s *engine.Store) {
	system := flussi.Actor{ID: "programma", Roles: []flussi.Role{flussi.System}}
	nobody := func(context.Context, string) (pagoinrete.Gateway, error) { return nil, fmt.Errorf("nobody is asked") }
	service := must.Get(pagoinrete.NewService(s, pagoinrete.Permissions{system.ID: {earlierSchool}}, nobody, pagoinrete.ServiceConfig{}))(t)
	dues := must.Get(pagoinrete.NewDues(service, pagoinrete.DuesConfig{By: system, School: func(context.Context, flussi.OrganizationCode) (string, error) { return earlierSchool, nil }}))(t)
	o := must.Get(newOffice(s, dues, bodyNumber(0), 30, 12))(t)
	require.NoError(t, o.applySettlement(t.Context()))
	require.NoError(t, o.applyJournal(t.Context()))
	for i := range 4 {
		require.NoError(t, o.Review(t.Context(), clerk, bodyNumber(0), treasuryReference(i)))
	}
	for _, n := range must.Get(s.Notices(t.Context(), pagoinrete.NoticeFilter{}, flussi.Page{Limit: 10}))(t) {
		assert.Equal(t, pagoinrete.NoticeReconciled, n.State)
		assert.Equal(t, pagoinrete.NoticeNotified, n.BaseState)
	}
}
