package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/flussi-go/flussi/flow"
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

// fence keeps the planner, as long as it has no statistics, from taking an index that has the order
// of what is asked and reading all of it.
func (*postgresDialect) fence() string { return " OFFSET 0" }

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

// isFresh compares the transaction that wrote the row: no statement of this store writes a row twice
// in one transaction.
func (*postgresDialect) isFresh(*tx) clause {
	return clause{"n.written_by = pg_current_xact_id()::xid", nil}
}

// withDigests looks each digest up. OFFSET 0 keeps the planner from another index, which it takes as
// long as it has no statistics.
func (*postgresDialect) withDigests(list []flow.Digest) clause {
	values := make([][]byte, len(list))
	for i := range list {
		values[i] = list[i][:]
	}
	return clause{"unnest(?::bytea[]) AS d (digest) CROSS JOIN LATERAL (SELECT o.*, o.xmin AS written_by FROM notifications o WHERE o.message_digest = d.digest OFFSET 0) n", []any{values}}
}

// lockMessages inserts the messages into message_locks: another transaction that inserts one of
// them waits until this one ends. They are sorted, so two transactions cannot deadlock. The rows
// are deleted at once; others wait for the end of the transaction all the same.
func (*postgresDialect) lockMessages(ctx context.Context, t *tx, messages []message) error {
	sorted := slices.Clone(messages)
	slices.SortFunc(sorted, func(a, b message) int {
		return cmp.Or(strings.Compare(a.service, b.service), bytes.Compare(a.digest[:], b.digest[:]))
	})
	sorted = slices.DeleteFunc(slices.Compact(sorted), func(m message) bool { return m.digest.IsZero() })
	if len(sorted) == 0 {
		return nil
	}
	services, digests := make([]string, len(sorted)), make([][]byte, len(sorted))
	for i := range sorted {
		services[i], digests[i] = held(sorted[i].service), sorted[i].digest[:]
	}
	if _, err := t.exec(ctx, "INSERT INTO message_locks (service, digest) SELECT * FROM unnest(?::text[], ?::bytea[])", services, digests); err != nil {
		return err
	}
	_, err := t.exec(ctx, "DELETE FROM message_locks m USING unnest(?::text[], ?::bytea[]) AS v (service, digest) WHERE m.service = v.service AND m.digest = v.digest", services, digests)
	return err
}

// hits sorts all rows in the scope that have the text, and takes the first ones that match. What is
// common may be found in the list before that.
func (d *postgresDialect) hits(ctx context.Context, t *tx, s *search, arms []arm) ([]any, bool, error) {
	if !d.trigrams {
		return nil, false, nil
	}
	text := strings.ReplaceAll(searched(s.text), " ", "j") // as the index has it: see trigrams.sql
	parts, isRare, err := t.rarest(ctx, s.table, text)
	if err != nil || len(parts) == 0 {
		return nil, false, err
	}
	if !isRare {
		if keys, err := s.look(ctx, t, arms, t.looks.more, true); err != nil || len(keys) == s.page.Limit {
			return keys, true, err
		}
	}
	found := s.inScope(t)
	for _, part := range parts {
		found.add("search LIKE ?", "%"+part+"%")
	}
	found.add(d.contains("search"), text)
	where := found.where()
	match := append(clauses{{"id = h.id", nil}}, s.all(t)...).where()
	for most := t.looks.list + s.page.Limit; ; most = math.MaxInt64 {
		query := clause{"SELECT h.id, n.found IS NOT NULL FROM (SELECT id, created_at FROM " + searchTable(s.table), nil}.
			with(where.text, where.args...).with(s.order()+first(most)+") h LEFT JOIN LATERAL (SELECT TRUE AS found FROM "+s.table.name).
			with(match.text, match.args...).with(" OFFSET 0) n ON TRUE")
		if most == math.MaxInt64 {
			query = query.with(" WHERE n.found")
		}
		query = query.with(strings.NewReplacer("created_at", "h.created_at", "id", "h.id").Replace(s.order()))
		var keys []any
		var key any
		var matches bool
		seen := 0
		err := t.query(ctx, query.text, query.args, []any{&key, &matches}, func() {
			if seen++; matches && len(keys) < s.page.Limit {
				keys = append(keys, key)
			}
		})
		if err != nil || len(keys) == s.page.Limit || seen < most {
			return keys, true, err
		}
	}
}

// sample reads the first row of some pages.
func (*postgresDialect) sample(ctx context.Context, t *tx, in *table) ([]string, error) {
	index := searchTable(in)
	return t.texts(ctx, clause{"SELECT search FROM " + index + ` WHERE ctid = ANY (ARRAY(
		SELECT ('(' || pg_relation_size(?::text) / current_setting('block_size')::bigint * i / ? || ',1)')::tid FROM generate_series(0, ?::int - 1) i))`,
		[]any{index, samples, samples}})
}

// indexed tells that the index has letters and digits.
func (*postgresDialect) indexed(part string) bool {
	return strings.IndexFunc(part, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) < 0
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
