package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/flussi-go/flussi/flow"
)

// sqliteDialect is SQLite, in a file.
type sqliteDialect struct{}

const (
	// turn is how long SQLite itself waits to write, before the context is asked again.
	turn = 100 * time.Millisecond

	writerCache = 24 << 10 // KiB
	readerCache = 8 << 10  // KiB, of each connection
)

// openSQLite opens a file: with one connection that writes, since SQLite lets one write at a
// time, and others that read.
func openSQLite(path string, c Config) (*database, error) {
	if path == ":memory:" || strings.HasPrefix(path, "file:") || strings.ContainsRune(path, 0) {
		return nil, &Fault{ErrAccess, "not the path of a file", nil} // but of one that nobody means
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// For its owner alone: it holds personal data. What SQLite keeps beside it has its permissions.
	if file, err := os.OpenFile(absolute, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = file.Close()
	}
	opened, _ := os.Stat(absolute) // if it is not there, SQLite says why
	location := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(absolute)}
	open := func(connections int, waits bool, pragmas ...string) (*sql.DB, error) {
		// Every connection has these; with synchronous FULL, what is written survives a loss of power.
		query := url.Values{"_txlock": {"immediate"}, "_pragma": append(pragmas, fmt.Sprintf("busy_timeout(%d)", turn.Milliseconds()), "journal_mode(WAL)", "wal_autocheckpoint(4000)", "synchronous(FULL)", "secure_delete(FAST)")}
		connector, err := sqlite.NewConnector(location.String() + "?" + query.Encode())
		if err != nil {
			return nil, err
		}
		pool := sql.OpenDB(sqliteConnector{connector, c.BusyTimeout, waits, absolute, opened})
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		return pool, nil
	}
	// With temp_store MEMORY, what undoes a single statement that fails is written to no file.
	writes, err := open(1, false, fmt.Sprintf("cache_size(-%d)", writerCache), "temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	reads, err := open(c.MaxConns, true, fmt.Sprintf("cache_size(-%d)", readerCache), "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &database{dialect: sqliteDialect{}, reads: reads, writes: writes, snapshot: sql.TxOptions{ReadOnly: true}}, nil
}

func (sqliteDialect) rebind(query string) string { return query }

func (sqliteDialect) id(id uuid.UUID) any { return id[:] }

func (sqliteDialect) key() string { return "seq" }

func (sqliteDialect) typed(column) string { return "?" }

func (sqliteDialect) oneOf(c column, values []any) clause {
	return clause{c.name + " IN (?" + strings.Repeat(", ?", len(values)-1) + ")", values}
}

func (sqliteDialect) keyed(keys []any) clause {
	list, err := json.Marshal(keys)
	if err != nil {
		panic(err) // they are numbers
	}
	return clause{"seq IN (SELECT value FROM json_each(?))", []any{string(list)}}
}

func (sqliteDialect) listed(_ context.Context, _ *tx, query clause) (clause, error) {
	return clause{"seq IN (" + query.text + ")", query.args}, nil
}

func (sqliteDialect) contains(column string) string { return "instr(" + column + ", ?) > 0" }

func (sqliteDialect) using(index string) string {
	if index == "" {
		return " NOT INDEXED" // but by key
	}
	return " INDEXED BY " + index
}

func (sqliteDialect) fence() string { return "" } // it is told the index

func (sqliteDialect) part(query, order string) string { return query } // it is given the order of the whole

func (sqliteDialect) locking(string) string { return "" } // one transaction writes at a time

func (sqliteDialect) shard() string { return "0" }

func (sqliteDialect) now(context.Context, *tx) (int64, error) { return time.Now().UnixMicro(), nil }

// fewArgs is how many arguments a statement may have: it takes the driver longer than many
// statements to bind many more.
const fewArgs = 64

func (d sqliteDialect) insert(ctx context.Context, t *tx, into *table, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	var last int64
	if into.searched || into.bulk {
		if err := t.query(ctx, "SELECT coalesce(max(seq), 0) FROM "+into.name, nil, []any{&last}, func() {}); err != nil {
			return 0, err
		}
		if into.bulk && t.fresh == 0 {
			t.fresh = last + 1
		}
	}
	row := "(?" + strings.Repeat(", ?", len(into.columns)-1) + ")"
	query := "INSERT INTO " + into.name + " (" + into.columns.list("") + ") VALUES " + row
	together := max(1, fewArgs/len(into.columns))
	var inserted int64
	quick := context.WithoutCancel(ctx) // some rows take less than to watch the context
	for some := range slices.Chunk(rows, together) {
		n, err := t.exec(quick, query+strings.Repeat(", "+row, len(some)-1)+" ON CONFLICT DO NOTHING", slices.Concat(some...)...)
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	if !into.searched {
		return inserted, nil
	}
	index := searchTable(into)
	if _, err := t.exec(ctx, "INSERT INTO "+index+" (rowid, search) SELECT seq, search FROM "+into.name+" WHERE seq > ?", last); err != nil {
		return inserted, err
	}
	return inserted, d.block(ctx, t, into, rows, last, inserted)
}

func (sqliteDialect) update(ctx context.Context, t *tx, in *table, from int, keys []any, rows [][]any) error {
	changed := in.columns[from:]
	query := "UPDATE " + in.name + " SET (" + changed.list("") + ") = (?" + strings.Repeat(", ?", len(changed)-1) + ") WHERE seq = ?"
	quick := context.WithoutCancel(ctx)
	for i, row := range rows {
		if _, err := t.exec(quick, query, append(row[from:len(row):len(row)], keys[i])...); err != nil {
			return err
		}
	}
	return nil
}

// lock reads the rows. Nobody else writes until the end of the transaction.
func (d sqliteDialect) lock(ctx context.Context, t *tx, in *table, list string, ids []uuid.UUID, fields []any, each func(any, bool)) error {
	var key int64
	fields = append([]any{&key}, fields...)
	for some := range slices.Chunk(ids, lockedAtOnce) {
		args := make([]any, lockedAtOnce) // always as many, so that the statement is prepared once
		for i := range args {
			args[i] = d.id(some[min(i, len(some)-1)])
		}
		err := t.query(ctx, "SELECT seq, "+list+" FROM "+in.name+" WHERE id IN (?"+strings.Repeat(", ?", lockedAtOnce-1)+") ORDER BY id",
			args, fields, func() { each(key, t.fresh > 0 && key >= t.fresh) })
		if err != nil {
			return err
		}
	}
	return nil
}

// lockedAtOnce is how many rows are locked by a statement.
const lockedAtOnce = 16

func (sqliteDialect) reindex(ctx context.Context, t *tx, in *table, changes []retext) error {
	index := searchTable(in)
	for _, c := range changes {
		if _, err := t.exec(ctx, "INSERT INTO "+index+" ("+index+", rowid, search) VALUES ('delete', ?, ?)", c.key, c.old); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "INSERT INTO "+index+" (rowid, search) VALUES (?, ?)", c.key, c.new); err != nil {
			return err
		}
	}
	return nil
}

func (sqliteDialect) isFresh(t *tx) clause {
	return clause{"n.seq >= ?", []any{cmp.Or(t.fresh, math.MaxInt64)}}
}

func (sqliteDialect) withDigests(list []flow.Digest) clause {
	texts := make([]string, len(list))
	for i, d := range list {
		texts[i] = d.String()
	}
	encoded, err := json.Marshal(texts)
	if err != nil {
		panic(err) // they are hexadecimal digits
	}
	return clause{"json_each(?) d CROSS JOIN notifications n INDEXED BY notifications_by_message_digest ON n.message_digest = unhex(d.value)", []any{string(encoded)}}
}

func (sqliteDialect) lockMessages(context.Context, *tx, []message) error { return nil } // one transaction writes at a time

func (sqliteDialect) folder() string { return "sqlite" }

func (sqliteDialect) exists(ctx context.Context, t *tx, table string) (bool, error) {
	there := false
	err := t.query(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = ?", []any{table}, []any{&there}, func() {})
	return there, err
}

func (sqliteDialect) alone(context.Context, *tx) error { return nil } // who writes always is

func (sqliteDialect) complete(context.Context, *database, *slog.Logger) error { return nil }

func (sqliteDialect) met(error) bool { return false } // one waits for the other
