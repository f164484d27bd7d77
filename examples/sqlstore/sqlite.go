package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// sqliteDialect is SQLite, in a file.
type sqliteDialect struct{}

// openSQLite opens a file: with one connection that writes, since SQLite lets one write at a
// time, and others that read.
func openSQLite(path string, c Config) (*database, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	location := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(absolute)}
	open := func(connections int, options ...string) (*sql.DB, error) {
		query := url.Values{"_pragma": append(options,
			"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-65536)", "secure_delete(FAST)",
		), "_txlock": {"immediate"}}
		connector, err := sqlite.NewConnector(location.String() + "?" + query.Encode())
		if err != nil {
			return nil, err
		}
		pool := sql.OpenDB(sqliteConnector{connector, c.BusyTimeout})
		pool.SetMaxOpenConns(connections)
		pool.SetMaxIdleConns(connections)
		return pool, nil
	}
	writes, err := open(1, fmt.Sprintf("busy_timeout(%d)", turn.Milliseconds()))
	if err != nil {
		return nil, err
	}
	reads, err := open(c.MaxConns, fmt.Sprintf("busy_timeout(%d)", c.BusyTimeout.Milliseconds()), "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &database{dialect: sqliteDialect{}, reads: reads, writes: writes}, nil
}

// turn is how long SQLite itself waits to write, before the context is asked again.
const turn = 100 * time.Millisecond

func (sqliteDialect) id(id uuid.UUID) any { return id[:] }

func (sqliteDialect) rebind(query string) string { return query }

func (sqliteDialect) now(context.Context, *tx) (int64, error) { return time.Now().UnixMicro(), nil }

// insert inserts row by row: SQLite is as quick with one as with many at a time.
func (sqliteDialect) insert(ctx context.Context, t *tx, table string, c columns, rows [][]any) (int64, error) {
	query := "INSERT INTO " + table + " (" + c.list("") + ") VALUES (?" + strings.Repeat(", ?", len(c)-1) + ") ON CONFLICT DO NOTHING"
	var inserted int64
	for _, row := range rows {
		result, err := t.exec(ctx, query, row...)
		if err != nil {
			return inserted, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return inserted, err
		}
		inserted += n
	}
	return inserted, nil
}

func (sqliteDialect) update(ctx context.Context, t *tx, table string, c columns, fixed int, rows [][]any) error {
	changed := c[fixed:]
	query := "UPDATE " + table + " SET (" + changed.list("") + ") = (?" + strings.Repeat(", ?", len(changed)-1) + ") WHERE id = ?"
	for _, row := range rows {
		args := append(row[fixed:len(row):len(row)], row[0])
		if _, err := t.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}
