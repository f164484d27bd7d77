package sqlstore

import (
	"context"
	"database/sql"

	"github.com/google/uuid"
)

// dialect is what is done in different ways by the two databases.
type dialect interface {
	// id returns an ID as the database keeps it.
	id(uuid.UUID) any
	// rebind makes a statement that has ? for its arguments the database's.
	rebind(query string) string
	// now returns the time by the store's clock, in microseconds.
	now(ctx context.Context, t *tx) (int64, error)
	// insert inserts rows, and returns how many were not there.
	insert(ctx context.Context, t *tx, table string, c columns, rows [][]any) (int64, error)
	// update changes all columns but the fixed ones at the beginning of rows, by their ID.
	update(ctx context.Context, t *tx, table string, c columns, fixed int, rows [][]any) error
}

// database is an open database.
type database struct {
	dialect
	reads, writes *sql.DB // the same on PostgreSQL
}

// tx is a transaction.
type tx struct {
	*sql.Tx
	*database
}

// exec executes a statement.
func (t *tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.ExecContext(ctx, t.rebind(query), args...)
}

// query executes a statement that gives rows.
func (t *tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(ctx, t.rebind(query), args...)
}

// write does something that changes the database, together or not at all.
func (d *database) write(ctx context.Context, do func(t *tx) error) error {
	begun, err := d.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	if err := do(&tx{begun, d}); err != nil {
		return err
	}
	return begun.Commit()
}

// view does something that reads the database as it is at one moment.
func (d *database) view(ctx context.Context, do func(t *tx) error) error {
	begun, err := d.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	return do(&tx{begun, d})
}

// read reads all rows into a value, one after the other, and hands each to a function.
func read(rows *sql.Rows, err error, fields []any, each func()) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(fields...); err != nil {
			return err
		}
		each()
	}
	return rows.Err()
}
