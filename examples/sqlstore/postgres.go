package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresDialect is PostgreSQL.
type postgresDialect struct {
	trigrams bool // there is an index for texts
}

// openPostgres opens a database.
func openPostgres(location string, c Config) (*database, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"application_name": "flussi",
		// Every query has an index; that the statistics are old is no reason not to use it, nor
		// to compile what takes milliseconds.
		"enable_seqscan":                  "off",
		"enable_sort":                     "off",
		"max_parallel_workers_per_gather": "0",
		"jit":                             "off",
	} {
		if _, set := config.RuntimeParams[name]; !set {
			config.RuntimeParams[name] = value
		}
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(waitForDisk))
	pool.SetMaxOpenConns(c.MaxConns)
	pool.SetMaxIdleConns(c.MaxConns)
	return &database{
		dialect: &postgresDialect{}, reads: pool, writes: pool,
		snapshot: sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		writing:  sql.TxOptions{Isolation: sql.LevelReadCommitted}, // whatever the server's default is: who waited for a lock sees what the other wrote
	}, nil
}

// waitForDisk makes commits wait until they are on the server's disk, also where the server is set
// not to: a claim that is lost in a crash would be sent again.
func waitForDisk(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

func (*postgresDialect) rebind(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

func (*postgresDialect) id(id uuid.UUID) any { return id }

func (*postgresDialect) key() string { return "id" }

func (*postgresDialect) typed(c column) string { return "?::" + c.kind }

func (*postgresDialect) oneOf(c column, values []any) clause {
	return clause{c.name + " = ANY (?::" + c.kind + "[])", []any{values}}
}

func (*postgresDialect) keyed(keys []any) clause {
	return clause{"id = ANY (?::text[]::uuid[])", []any{keys}}
}

// listed asks for the keys: PostgreSQL may find no good way to join what it had to sort.
func (d *postgresDialect) listed(ctx context.Context, t *tx, query clause) (clause, error) {
	keys, err := t.keys(ctx, query)
	return d.keyed(keys), err
}

func (*postgresDialect) contains(column string) string { return "strpos(" + column + ", ?) > 0" }

func (*postgresDialect) using(string) string { return "" }

func (*postgresDialect) part(query, order string) string { return "(" + query + order + ")" }

func (*postgresDialect) locking(how string) string { return " FOR " + how }

func (*postgresDialect) shard() string { return "pg_backend_pid() % 16" }

func (*postgresDialect) now(ctx context.Context, t *tx) (int64, error) {
	var now int64
	err := t.query(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", nil, []any{&now}, func() {})
	return now, err
}

// unnested is rows as a table expression v, with an array for each column.
func unnested(c columns, rows [][]any) clause {
	types := make([]string, len(c))
	arrays := make([]any, len(c))
	for i, column := range c {
		types[i] = "?::" + column.kind + "[]"
		values := make([]any, len(rows))
		for j, row := range rows {
			values[j] = row[i]
		}
		arrays[i] = values
	}
	return clause{"unnest(" + strings.Join(types, ", ") + ") AS v (" + c.list("") + ")", arrays}
}

func (d *postgresDialect) insert(ctx context.Context, t *tx, into *table, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	from := unnested(into.columns, rows)
	return t.exec(ctx, "INSERT INTO "+into.name+" ("+into.columns.list("")+") SELECT * FROM "+from.text+" ON CONFLICT DO NOTHING", from.args...)
}

func (*postgresDialect) update(ctx context.Context, t *tx, in *table, from int, _ []any, rows [][]any) error {
	changed := in.columns[from:]
	given := make([][]any, len(rows))
	for i, row := range rows {
		given[i] = append([]any{row[0]}, row[from:]...)
	}
	values := unnested(append(columns{in.columns[0]}, changed...), given)
	_, err := t.exec(ctx, "UPDATE "+in.name+" o SET ("+changed.list("")+") = ROW ("+changed.list("v.")+") FROM "+values.text+" WHERE o.id = v.id", values.args...)
	return err
}

// lock locks the rows in the order of their IDs.
func (*postgresDialect) lock(ctx context.Context, t *tx, in *table, list string, ids []uuid.UUID, fields []any, each func(any, bool)) error {
	var key any
	var fresh bool
	return t.query(ctx, "SELECT id, xmin = pg_current_xact_id()::xid, "+list+" FROM "+in.name+" WHERE id = ANY (?) ORDER BY id FOR NO KEY UPDATE",
		[]any{ids}, append([]any{&key, &fresh}, fields...), func() { each(key, fresh) })
}

func (*postgresDialect) reindex(context.Context, *tx, *table, []retext) error { return nil } // a trigger does it

// hits asks for the text. The index knows letters and digits, by three, or by two where a word
// begins or ends.
func (d *postgresDialect) hits(_ context.Context, _ *tx, in *table, text string) (clause, error) {
	known := slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), func(word string) bool {
		length := utf8.RuneCountInString(word)
		return length >= trigram || length == trigram-1 && word != text
	})
	if !d.trigrams || !known {
		return clause{}, nil
	}
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	return clause{"SELECT id FROM " + searchTable(in) + " WHERE search LIKE ?", []any{pattern}}, nil
}

func (*postgresDialect) folder() string { return "postgres" }

func (*postgresDialect) exists(ctx context.Context, t *tx, table string) (bool, error) {
	there := false
	err := t.query(ctx, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relname = ? AND pg_catalog.pg_table_is_visible(oid))",
		[]any{table}, []any{&there}, func() {})
	return there, err
}

func (*postgresDialect) alone(ctx context.Context, t *tx) error {
	_, err := t.exec(ctx, "SELECT pg_advisory_xact_lock(?)", migrationLock)
	return err
}

// migrationLock is the number of the lock; it means nothing, but to this store.
const migrationLock = 0x666c75737369

// complete creates the index for texts, if the database lets it.
func (d *postgresDialect) complete(ctx context.Context, db *database, log *slog.Logger) error {
	there, err := d.exists(ctx, db.read(), "notification_search")
	if err != nil || there {
		d.trigrams = there
		return err
	}
	err = db.write(ctx, func(t *tx) error {
		if err := d.alone(ctx, t); err != nil {
			return err
		}
		if there, err := d.exists(ctx, t, "notification_search"); err != nil || there {
			return err
		}
		if _, err := t.exec(ctx, "CREATE EXTENSION IF NOT EXISTS pg_trgm"); err != nil {
			return err
		}
		return t.run(ctx, "migrations/postgres/trigrams.sql")
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && slices.Contains(noExtension, refused.Code) {
		log.Warn("sqlstore: searches for texts are slow: the extension pg_trgm is not there and cannot be created", "sqlstate", refused.Code)
		return nil
	}
	d.trigrams = err == nil
	return err
}

// noExtension is what PostgreSQL says if an extension cannot be created: no rights, or not
// installed.
var noExtension = []string{"42501", "0A000", "58P01"}

// met knows deadlocks and failures to serialise.
func (*postgresDialect) met(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40P01" || refused.Code == "40001")
}
