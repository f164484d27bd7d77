package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/flussi-go/flussi"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the SQL that [Store.Migrate] runs, in the format of goose, for the schema
// flussi. A team that migrates with a tool of its own creates the schema, runs the files in their
// order, and lets the tool record them in flussi.migrations as goose does. Then it calls
// [Store.Migrate] once, which does the rest, such as recomputing digests.
func Migrations() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}

// latest is the version of the schema.
const latest = 1

// Migrate creates the tables, or updates those of any earlier version. It needs no rights to
// create anything if they are up to date. Processes may call it at the same time: one migrates, the
// others wait. The error is a [*Fault]: [ErrNewer] if a later version of this package migrated,
// [ErrNotOurs] if the schema is another program's, [ErrAccess] if a right is missing.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrate(ctx)
	if err == nil {
		return nil
	}
	var explained *flussi.Error
	if errors.As(err, &explained) {
		return err
	}
	return s.Fail(ctx, "migrate", uuid.Nil, err)
}

func (s *Store) migrate(ctx context.Context) error {
	version, err := s.driver.version(ctx)
	if err != nil {
		return err
	}
	if version < latest {
		if err := s.driver.createSchema(ctx); err != nil {
			return err
		}
		if err := s.driver.up(ctx); err != nil {
			return err
		}
	}
	if err := s.AdoptOlder(ctx); err != nil {
		return err
	}
	if err := s.RecomputeDigests(ctx); err != nil {
		return err
	}
	return s.driver.indexTexts(ctx, s)
}

// version returns the version of the schema, 0 if there is none.
func (d *driver) version(ctx context.Context) (int64, error) {
	var tables int64
	var begun, recorded, created bool
	err := d.pool.QueryRow(ctx, `SELECT count(*), coalesce(bool_or(relname = 'migration_lock'), false),
			coalesce(bool_or(relname = 'migrations'), false), coalesce(bool_or(relname = 'properties'), false)
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND relkind IN ('r', 'v', 'm', 'p', 'f')`, d.mode, d.schema).Scan(&tables, &begun, &recorded, &created)
	switch {
	case err != nil || tables == 0:
		return 0, err
	case !recorded && (created || !begun):
		return 0, d.notOurs()
	case !recorded: // another process is creating the tables
		return 0, nil
	}
	var version int64
	err = d.pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM "+d.schema+".migrations WHERE is_applied", d.mode).Scan(&version)
	switch {
	case codeOf(err) == "42703", err == nil && version > 0 && !created:
		return 0, d.notOurs()
	case err == nil && version > latest:
		return 0, &Fault{Err: ErrNewer, Detail: fmt.Sprintf("version %d", version)}
	}
	return version, err
}

func (d *driver) notOurs() error {
	return &Fault{Err: ErrNotOurs, Detail: "schema " + d.schema + " has tables of another program",
		Reason: "Lo schema «" + d.schema + "» è di un altro programma: indicarne un altro."}
}

// createSchema creates the schema, unless it exists.
func (d *driver) createSchema(ctx context.Context) error {
	var there bool
	err := d.pool.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_catalog.pg_namespace WHERE nspname = $1", d.mode, d.schema).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = d.pool.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+d.schema)
	if slices.Contains(createdMeanwhile, codeOf(err)) {
		return nil
	}
	return err
}

// createdMeanwhile are the SQLSTATEs if another process has just created the same object.
var createdMeanwhile = []string{"23505", "42P06", "42P07", "42710"}

const (
	// migrationLease is how long others wait for a process that was killed while it migrated. It is
	// longer than maxIdle, after which the server ends the transaction of a frozen one.
	migrationLease = 15 * time.Second
	// migrationWait is how long processes wait for one that migrates.
	migrationWait = 10 * time.Minute
	// migrationPoll is how often they check whether it has ended.
	migrationPoll = 200 * time.Millisecond
)

// up runs the migrations that are missing. A row of a table is the lock, since a lock of a session
// does not work through PgBouncer.
func (d *driver) up(ctx context.Context) error {
	files, err := d.inSchema()
	if err != nil {
		return err
	}
	db := d.openDB()
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresTableLocker(
		lock.WithTableName(d.schema+".migration_lock"), lock.WithTableLeaseDuration(migrationLease),
		lock.WithTableHeartbeatInterval(migrationLease/5), lock.WithTableLockTimeout(migrationPoll, uint64(migrationWait/migrationPoll)),
		lock.WithTableRetryPolicy(func(err error) bool { return d.Classify(err) == nil || d.Conflict(err) })) // another process has it
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(d.schema+".migrations"), goose.WithLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// openDB opens the pool's database for goose. Its mode prepares no statement by name, and returns
// times in a format that no setting of the server changes.
func (d *driver) openDB() *sql.DB {
	config := d.pool.Config()
	connect := config.ConnConfig.Copy()
	connect.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	var options []stdlib.OptionOpenDB
	if config.BeforeConnect != nil {
		options = append(options, stdlib.OptionBeforeConnect(config.BeforeConnect))
	}
	if config.AfterConnect != nil {
		options = append(options, stdlib.OptionAfterConnect(config.AfterConnect))
	}
	return stdlib.OpenDB(*connect, options...)
}

// beginMigration begins each migration. It replaces the time-outs that the database or the role has
// by default. If the process is frozen, the server ends the migration.
const beginMigration = "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '%d', true), set_config('idle_in_transaction_session_timeout', '%d', true);\n"

// inSchema returns the migrations for the store's schema.
func (d *driver) inSchema() (fs.FS, error) {
	files := fstest.MapFS{}
	begin := fmt.Sprintf(beginMigration, migrationWait.Milliseconds(), maxIdle.Milliseconds())
	entries, err := fs.ReadDir(migrations, "migrations")
	for _, entry := range entries {
		if err == nil {
			var text []byte
			text, err = migrations.ReadFile(path.Join("migrations", entry.Name()))
			written := strings.ReplaceAll(string(text), "flussi.", d.schema+".")
			files[entry.Name()] = &fstest.MapFile{Data: []byte(strings.Replace(written, "-- +goose Up\n", "-- +goose Up\n"+begin, 1))}
		}
	}
	return files, err
}

// noExtension are the SQLSTATEs if pg_trgm or its indexes cannot be created: no right, not
// supported, not installed, a server that is read-only.
var noExtension = []string{"42501", "0A000", "58P01", "25006"}

// attempts is how often indexTexts is attempted while other processes create the same.
const attempts = 5

// indexTexts creates the indexes for texts, unless they exist. If the extension pg_trgm is missing
// and cannot be created, it logs a warning.
func (d *driver) indexTexts(ctx context.Context, s *Store) error {
	there, err := d.hasTextIndexes(ctx)
	if err != nil || there {
		d.texts.Store(there)
		return err
	}
	for attempt := 1; ; attempt++ {
		_, err = d.pool.Exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
		if err == nil {
			err = d.createTextIndexes(ctx)
		}
		if attempt == attempts || !slices.Contains(createdMeanwhile, codeOf(err)) && !d.Conflict(err) {
			break
		}
	}
	if code := codeOf(err); slices.Contains(noExtension, code) {
		s.logger.Warn("postgres: searches by text are slow: pg_trgm is not installed, or this user may not create its indexes", "sqlstate", code)
		return nil
	}
	if err == nil {
		d.texts.Store(true)
	}
	return err
}

func (d *driver) hasTextIndexes(ctx context.Context) (there bool, err error) {
	err = d.pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", d.mode, d.schema+".notification_texts_trigrams").Scan(&there)
	return there, err
}

// createTextIndexes creates the indexes, in whichever schema the extension is. Every search reads
// the pending list of a GIN index, so gin_pending_list_limit keeps the list short.
func (d *driver) createTextIndexes(ctx context.Context) error {
	var extension string
	err := d.pool.QueryRow(ctx, "SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'", d.mode).Scan(&extension)
	for _, entity := range []string{"flow", "notification"} {
		if err == nil {
			_, err = d.pool.Exec(ctx, fmt.Sprintf("CREATE INDEX IF NOT EXISTS %[1]s_texts_trigrams ON %[2]s.%[1]s_texts USING gin (search %[3]s.gin_trgm_ops) WITH (gin_pending_list_limit = 1024)",
				entity, d.schema, extension))
		}
	}
	return err
}
