package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pgtest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/postgres"
)

// works checks that a store stores, claims, finds, and reserves turns.
func works(t *testing.T, s *postgres.Store) {
	t.Helper()
	id := sendingFlow(t, s, 3)
	require.Len(t, must.Get(claim(t.Context(), s, id, 2))(t), 2)
	require.Equal(t, flow.Counts{Registered: 1, Sending: 2}, must.Get(s.Flow(t.Context(), id))(t).Counts)
	found := must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id, Text: "riservato"}, flow.Page{Limit: 5}))(t)
	require.Len(t, found, 3)
	require.NotZero(t, must.Get(s.ReserveTurns(t.Context(), appio.TurnRequest{Body: "ente", Rate: 30, Turns: 1}))(t).Count)
}

// The tables of a service's own stay as they are, also those with the names of ours.
func TestStoreLeavesTheTablesOfTheService(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	for _, table := range []string{"settings", "flows", "notifications", "migrations", "services"} {
		execute(t, pool, "CREATE TABLE "+table+" (id int)", "INSERT INTO "+table+" VALUES (7)")
	}
	content := `SELECT string_agg(table_schema || '.' || table_name || '.' || column_name || '.' || data_type, ' ' ORDER BY table_name, column_name)
		FROM information_schema.columns WHERE table_schema = 'public'`
	before := value[string](t, pool, content)
	first := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, first.Migrate(t.Context()))
	second := must.Get(postgres.New(pool, postgres.Config{Schema: "altro"}))(t)
	require.NoError(t, second.Migrate(t.Context()))
	works(t, first)
	works(t, second)
	id := saveFlow(t, second, 1)
	requireNoFlow(t, first, id)
	assert.Equal(t, before, value[string](t, pool, content))
	assert.Equal(t, 5*7, value[int](t, pool, "SELECT settings.id + flows.id + notifications.id + migrations.id + services.id FROM settings, flows, notifications, migrations, services"))
}

// Processes and goroutines may migrate at once; what two of them need is created once.
func TestProcessesMigrateAtOnce(t *testing.T) {
	onServers(t, func(t *testing.T, location string) {
		for round := range 3 {
			schema := fmt.Sprintf("insieme%d", round)
			for _, err := range atOnce(8, func(int) error {
				s, err := postgres.Open(t.Context(), location, postgres.Config{Schema: schema})
				if err == nil {
					err = s.Close()
				}
				return err
			}) {
				require.NoError(t, err)
			}
			works(t, must.Get(postgres.New(newPool(t, location), postgres.Config{Schema: schema}))(t))
		}
	})
}

// A process that was killed before it created the tables leaves its lock, which ends after a while.
func TestMigrateTakesOverFromAProcessThatWasKilled(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	execute(t, pool, "CREATE SCHEMA flussi", `CREATE TABLE flussi.migration_lock (lock_id bigint NOT NULL PRIMARY KEY, locked boolean NOT NULL DEFAULT false,
		locked_at timestamptz, locked_by text, lease_expires_at timestamptz, updated_at timestamptz)`,
		fmt.Sprintf("INSERT INTO flussi.migration_lock VALUES (%d, true, now(), 'altro', now() + interval '2 seconds', now())", lock.DefaultLockID))
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	assert.True(t, value[bool](t, pool, "SELECT updated_at > now() - interval '1 minute' FROM flussi.migration_lock"))
	works(t, s)
}

// A team may migrate by a user of its own, and give the program only what it needs.
func TestRoleWithoutCreateWorksAfterAnotherMigrated(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	admin := newPool(t, location)
	require.NoError(t, must.Get(postgres.New(admin, postgres.Config{}))(t).Migrate(t.Context()))
	user := role(t, admin)
	pool := newPool(t, with(t, location, user))
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)

	require.ErrorIs(t, s.Migrate(t.Context()), postgres.ErrAccess)
	fault := requireFault(t, s.Migrate(t.Context()), postgres.ErrAccess)
	assert.Equal(t, `user "`+user+`" lacks USAGE on schema flussi`, fault.Detail)
	assert.Equal(t, "All'utente «"+user+"» dell'archivio manca il permesso USAGE sullo schema «flussi»: chiederlo a chi gestisce il server.", fault.Italian())

	execute(t, admin, "GRANT USAGE ON SCHEMA flussi TO "+user)
	fault = requireFault(t, s.Migrate(t.Context()), postgres.ErrAccess)
	assert.Equal(t, `user "`+user+`" lacks DELETE, INSERT, SELECT, UPDATE on tables of schema flussi`, fault.Detail)

	execute(t, admin, "GRANT SELECT ON ALL TABLES IN SCHEMA flussi TO "+user)
	require.NoError(t, s.Migrate(t.Context()))
	f, rows := newFlow(t, 1)
	fault = requireFault(t, s.SaveFlow(t.Context(), f, rows), postgres.ErrAccess)
	assert.Equal(t, "All'utente «"+user+"» dell'archivio mancano i permessi DELETE, INSERT, UPDATE sulle tabelle dello schema «flussi»: chiederli a chi gestisce il server.", fault.Italian())

	execute(t, admin, "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA flussi TO "+user)
	require.NoError(t, s.Migrate(t.Context()))
	works(t, s)

	other := must.Get(postgres.New(pool, postgres.Config{Schema: "nuovo"}))(t)
	fault = requireFault(t, other.Migrate(t.Context()), postgres.ErrAccess)
	must.Contain(t, fault.Detail, "lacks CREATE on database")
	execute(t, admin, "CREATE SCHEMA nuovo", "GRANT USAGE ON SCHEMA nuovo TO "+user)
	fault = requireFault(t, other.Migrate(t.Context()), postgres.ErrAccess)
	must.Contain(t, fault.Detail, "lacks CREATE on schema nuovo")
	must.NotContain(t, fault.Cause.Error(), "failed to initialize") // goose tried, which repeats it for 3 seconds
}

func TestSchemaOfAnotherProgramIsRefused(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	for i, table := range []string{
		"settings (x int)", "migrations (id int, migration text, batch int)", "properties (name text)",
		"migrations (version_id bigint, is_applied boolean); INSERT INTO altrui%d.migrations VALUES (1, true)",
	} {
		schema := fmt.Sprintf("altrui%d", i)
		if i == 3 {
			table = fmt.Sprintf(table, i)
		}
		execute(t, pool, "CREATE SCHEMA "+schema, "CREATE TABLE "+schema+"."+table)
		s := must.Get(postgres.New(pool, postgres.Config{Schema: schema}))(t)
		fault := requireFault(t, s.Migrate(t.Context()), postgres.ErrNotOurs)
		assert.Equal(t, "Lo schema «"+schema+"» è di un altro programma: indicarne un altro.", fault.Italian())
		assert.Equal(t, 1, value[int](t, pool, "SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema), "nothing is created")
	}
}

func TestSchemaOfALaterVersionIsRefused(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	execute(t, pool, "INSERT INTO flussi.migrations (version_id, is_applied) VALUES (999, true)")
	fault := requireFault(t, s.Migrate(t.Context()), postgres.ErrNewer)
	must.Contain(t, fault.Detail, "999")
}

func TestStoreWithoutTablesSaysSo(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	f, rows := newFlow(t, 1)
	for _, err := range []error{must.Err(s.Flow(t.Context(), uuid.New())), s.SaveFlow(t.Context(), f, rows), must.Err(claim(t.Context(), s, uuid.New(), 1))} {
		fault := requireFault(t, err, postgres.ErrNotMigrated)
		assert.Equal(t, "schema flussi has no tables of this version: call Store.Migrate", fault.Detail)
		assert.Equal(t, "Lo schema «flussi» dell'archivio non è aggiornato a questa versione del programma: eseguire prima l'aggiornamento dell'archivio.", flussi.Explain(err))
	}
}

// A team may run the files by a tool of its own.
func TestTeamsMigrateByTheirOwnTool(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	db := stdlib.OpenDBFromPool(pool)
	defer func() { require.NoError(t, db.Close()) }()
	execute(t, pool, "CREATE SCHEMA flussi")
	provider := must.Get(goose.NewProvider(goose.DialectPostgres, db, postgres.Migrations(), goose.WithTableName("flussi.migrations")))(t)
	must.Get(provider.Up(t.Context()))(t)
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	works(t, s)
	assert.False(t, value[bool](t, pool, "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE tablename = 'migration_lock')"), "Migrate had nothing to run")
}

// The tables of the first version of the schema get the columns that they lack, and keep their rows.
func TestTablesOfTheFirstVersionAreMigrated(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	pool := newPool(t, location)
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	of := sendingFlow(t, s, 3)
	stored := func(s *postgres.Store) []flow.Notification {
		return must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: of}, flow.Page{Limit: 10}))(t)
	}
	before := stored(s)
	execute(t, pool, "ALTER TABLE flussi.notifications DROP COLUMN answer, DROP COLUMN stopped_flow, DROP COLUMN options",
		"ALTER TABLE flussi.flows DROP COLUMN options, DROP COLUMN not_before, DROP COLUMN scheduled_by, DROP COLUMN answer",
		"ALTER TABLE flussi.flow_records DROP COLUMN answer", "ALTER TABLE flussi.notification_records DROP COLUMN answer",
		"ALTER TABLE flussi.notices DROP COLUMN base_state, DROP COLUMN transfers, DROP COLUMN discrepancy_source",
		"ALTER TABLE flussi.events DROP COLUMN discrepancy_source",
		"ALTER TABLE flussi.event_records DROP COLUMN answer", "ALTER TABLE flussi.notice_records DROP COLUMN answer",
		"DROP TABLE flussi.paces, flussi.ledgers, flussi.settlements, flussi.settlement_counts, flussi.settlement_records, flussi.payments, flussi.payment_records, "+
			"flussi.movements, flussi.movement_records, flussi.movement_names, flussi.movement_settlements", "DELETE FROM flussi.migrations WHERE version_id > 1")
	s = must.Get(postgres.New(newPool(t, location), postgres.Config{}))(t)
	requireFault(t, must.Err(claim(t.Context(), s, of, 1)), postgres.ErrNotMigrated)
	f, rows := newFlow(t, 1)
	requireFault(t, s.SaveFlow(t.Context(), f, rows), postgres.ErrNotMigrated)
	require.NoError(t, s.Migrate(t.Context()))
	assert.Equal(t, before, stored(s))
	n := before[0]
	n.Transmission.Answer, n.Transmission.StoppedFlow = flussi.NewText("Bad Request (HTTP 400)"), true
	require.NoError(t, s.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n}))
	n.Version++
	assert.Equal(t, n, must.Get(s.Notification(t.Context(), n.ID))(t))
	assert.Empty(t, must.Get(s.Settlements(t.Context(), settlement.SettlementFilter{}, settlement.Page{Limit: 1}))(t))
	assert.Len(t, must.Get(claim(t.Context(), s, of, 10))(t), 3)
}

// Tables whose version is not recorded are not taken for those of another program.
func TestTablesWithoutTheirVersionAreNamed(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	s := must.Get(postgres.New(pool, postgres.Config{}))(t)
	require.NoError(t, s.Migrate(t.Context()))
	execute(t, pool, "DROP TABLE flussi.migrations")
	err := s.Migrate(t.Context())
	require.ErrorIs(t, err, postgres.ErrNotMigrated)
	assert.Contains(t, flussi.Explain(err), "manca la tabella «migrations»")
	execute(t, pool, "CREATE TABLE flussi.migrations (id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,"+
		" version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp NOT NULL DEFAULT now())",
		"INSERT INTO flussi.migrations (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (3, true), (4, true), (5, true), (6, true), (7, true), (8, true)")
	require.NoError(t, s.Migrate(t.Context()))
	works(t, s)
}

func TestSchemaNamesAreChecked(t *testing.T) {
	pool := newPool(t, pgtest.Shared(t).Database(t))
	for _, name := range []string{"Flussi", "due parole", "a.b", `a"b`, "pg_altro", "1a", "è", "user", "table", "select", "information_schema", "a;drop"} {
		_, err := postgres.New(pool, postgres.Config{Schema: name})
		assert.ErrorIs(t, err, flussi.ErrConfig, name)
		must.Contain(t, err.Error(), "must begin with a lower-case letter or _, but not with pg_")
	}
	for _, name := range []string{"flussi", "_a1", "users", "public"} {
		assert.NoError(t, must.Err(postgres.New(pool, postgres.Config{Schema: name})), name)
	}
	_, err := postgres.New(nil, postgres.Config{})
	assert.ErrorIs(t, err, flussi.ErrConfig)
	_, err = postgres.New(newPool(t, with(t, pool.Config().ConnString(), "", "description_cache_capacity", "0")), postgres.Config{})
	assert.ErrorIs(t, err, flussi.ErrConfig)
}

// The defaults of a role or of a database do not change what a store does.
func TestStoreWorksWithAnyDefaults(t *testing.T) {
	server := pgtest.Shared(t)
	for _, setting := range []string{
		"default_transaction_isolation = serializable", "default_transaction_isolation = 'repeatable read'",
		"lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '300ms'", "default_transaction_deferrable = on", "search_path = ''",
		"standard_conforming_strings = off", "bytea_output = escape", "DateStyle = 'SQL, DMY'", "enable_indexscan = off",
	} {
		t.Run(setting, func(t *testing.T) {
			location := server.Database(t)
			admin := newPool(t, location)
			user := role(t, admin)
			database := admin.Config().ConnConfig.Database
			execute(t, admin, "GRANT ALL ON DATABASE "+database+" TO "+user, "CREATE EXTENSION pg_trgm")
			admin.Reset()
			execute(t, admin, "ALTER ROLE "+user+" SET "+setting, "ALTER DATABASE "+database+" SET "+setting)
			var stores []*postgres.Store
			for _, err := range atOnce(4, func(int) error {
				s, err := postgres.Open(t.Context(), with(t, location, user), postgres.Config{})
				if err == nil {
					defer func() { require.NoError(t, s.Close()) }()
				}
				return err
			}) {
				require.NoError(t, err)
			}
			for range 4 {
				stores = append(stores, open(t, with(t, location, user)))
			}
			works(t, stores[0])
			const each = 10
			id := sendingFlow(t, stores[0], each*len(stores))
			taken := make([][]flow.Notification, len(stores))
			for _, err := range atOnce(len(stores), func(i int) error {
				for range each {
					claimed, err := claim(t.Context(), stores[i], id, 1)
					if err != nil {
						return err
					}
					taken[i] = append(taken[i], claimed...)
				}
				return nil
			}) {
				require.NoError(t, err)
			}
			all := map[uuid.UUID]bool{}
			sum := 0
			for _, some := range taken {
				for _, n := range some {
					all[n.ID] = true
					sum++
				}
			}
			assert.Len(t, all, sum, "no two processes hold the same notification")
			assert.Equal(t, flow.Counts{Registered: each*len(stores) - sum, Sending: sum}, must.Get(stores[0].Flow(t.Context(), id))(t).Counts)
		})
	}
}

// A role or a database may be set to read only, as a stand-by server is, or to end statements soon.
func TestDefaultsThatForbidWritesSayWhy(t *testing.T) {
	location := pgtest.Shared(t).Database(t)
	admin := newPool(t, location)
	require.NoError(t, open(t, location).Migrate(t.Context()))
	id := sendingFlow(t, open(t, location), 3)
	user := role(t, admin)
	execute(t, admin, "ALTER ROLE "+user+" SUPERUSER", "ALTER ROLE "+user+" SET default_transaction_read_only = on")
	execute(t, admin, "DROP INDEX flussi.notification_texts_trigrams") // as without pg_trgm
	s := open(t, with(t, location, user))                              // there is nothing else to migrate
	_, err := claim(t.Context(), s, id, 3)
	fault := requireFault(t, err, postgres.ErrReadOnly)
	assert.Equal(t, "Il server dell'archivio accetta solo letture: indicare il server principale, oppure chiedere a chi gestisce il server di permettere le scritture.", fault.Italian())
	must.Get(s.Notifications(t.Context(), flow.NotificationFilter{Flow: id}, flow.Page{Limit: 3}))(t)
	_, err = postgres.Open(t.Context(), with(t, location, user), postgres.Config{Schema: "nuovo"})
	requireFault(t, err, postgres.ErrReadOnly)

	slow := role(t, admin)
	execute(t, admin, "ALTER ROLE "+slow+" SUPERUSER", "ALTER ROLE "+slow+" SET statement_timeout = '100ms'")
	s = open(t, with(t, location, slow))
	held := must.Get(admin.Begin(t.Context()))(t)
	must.Get(held.Exec(t.Context(), "LOCK TABLE flussi.notifications"))(t)
	_, err = claim(t.Context(), s, id, 3)
	fault = requireFault(t, err, postgres.ErrBusy)
	must.Contain(t, fault.Detail, "statement_timeout")
	require.NoError(t, held.Rollback(t.Context()))
	require.Len(t, must.Get(claim(t.Context(), s, id, 3))(t), 3)
}
