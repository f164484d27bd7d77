package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// dialect is what the two databases do in different ways. Statements have ? for their
// arguments.
type dialect interface {
	// rebind makes a statement the database's.
	rebind(query string) string
	// id returns an ID as the database keeps it.
	id(uuid.UUID) any
	// key is the column that rows are found by at once.
	key() string
	// typed returns a placeholder for a value of a column.
	typed(c column) string
	// oneOf is the condition that a column has one of some values.
	oneOf(c column, values []any) clause
	// keyed is the condition that rows have one of some keys, maybe thousands.
	keyed(keys []any) clause
	// listed is the condition that a query gives the key of a row.
	listed(ctx context.Context, t *tx, query clause) (clause, error)
	// contains is the condition that a column has a text in it.
	contains(column string) string
	// using tells which index a SELECT from a table uses, where the database is not trusted to
	// find that out itself.
	using(index string) string
	// fence is what a query ends with so that it is not planned together with the one around it.
	fence() string

	// part is a query as a part of one that merges several in an order.
	part(query, order string) string
	// locking is what a SELECT ends with that locks rows, in the words of PostgreSQL.
	locking(how string) string
	// shard is which of a flow's counts a transaction changes, so that not all change the same.
	shard() string

	// now returns the time by the store's clock, in microseconds.
	now(ctx context.Context, t *tx) (int64, error)
	// insert inserts rows, and returns how many were not there.
	insert(ctx context.Context, t *tx, into *table, rows [][]any) (int64, error)
	// update changes the columns of rows from one on; the keys of the rows are in the same order.
	update(ctx context.Context, t *tx, in *table, from int, keys []any, rows [][]any) error
	// lock reads columns of those rows that are there, in the order of the IDs, as they are until
	// the end of the transaction, and calls a function after each, with the key of the row and
	// whether it was created in the same transaction.
	lock(ctx context.Context, t *tx, in *table, list string, ids []uuid.UUID, fields []any, each func(key any, fresh bool)) error
	// reindex makes rows be found by their new texts.
	reindex(ctx context.Context, t *tx, in *table, changes []retext) error
	// sample returns the texts of some rows, as the index for texts has them.
	sample(ctx context.Context, t *tx, in *table) ([]string, error)
	// indexed reports whether the index has a trigram.
	indexed(part string) bool
	// isFresh returns the condition that a row of withDigests was created in this transaction.
	isFresh(t *tx) clause
	// withDigests returns what follows FROM to read the notifications n with one of the digests, by
	// their index.
	withDigests(list []flow.Digest) clause
	// lockMessages locks messages until the transaction ends. It waits for other transactions
	// that have locked one of them.
	lockMessages(ctx context.Context, t *tx, messages []message) error
	// hits returns the keys of the rows on the page, found by an index for texts; false if none is of
	// use.
	hits(ctx context.Context, t *tx, s *search, arms []arm) ([]any, bool, error)

	// folder is where the migrations are.
	folder() string
	// exists reports whether there is a table.
	exists(ctx context.Context, t *tx, table string) (bool, error)
	// alone waits until nobody else migrates; until the end of the transaction, they wait.
	alone(ctx context.Context, t *tx) error
	// complete creates what is good to have, and says what cannot be had.
	complete(ctx context.Context, db *database, log *slog.Logger) error
	// met reports whether a write was undone because it met another one.
	met(err error) bool
}

// database is an open database.
type database struct {
	dialect
	reads, writes *sql.DB // the same on PostgreSQL
	snapshot      sql.TxOptions
	writing       sql.TxOptions
	looks         looks
	services      services
	explain       func(ctx context.Context, t *tx, query string, args []any) // of each query, for tests
}

// tx is a transaction, or a connection without one.
type tx struct {
	*database
	conn interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	once  bool                // what it does cannot be done again
	noted map[string]struct{} // services that it inserted or found, besides those of the database's cache
	fresh int64               // on SQLite, the key from which on rows of a bulk table were created in it; 0: none were
}

// exec executes a statement.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := t.conn.ExecContext(ctx, t.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query reads all rows that a statement gives, one after the other, into the same fields, and
// calls a function after each.
func (t *tx) query(ctx context.Context, query string, args []any, fields []any, each func()) error {
	if t.explain != nil {
		t.explain(ctx, t, query, args)
	}
	rows, err := t.conn.QueryContext(ctx, t.rebind(query), args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		switch err := rows.Scan(fields...); {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil: // somebody else wrote it; the error may show it
			return &Fault{ErrNoStore, "", err}
		}
		each()
	}
	return rows.Err()
}

// read returns what single statements read by.
func (d *database) read() *tx { return &tx{database: d, conn: d.reads} }

// view does something that reads the database as it is at one moment.
func (d *database) view(ctx context.Context, do func(t *tx) error) error {
	begun, err := d.reads.BeginTx(ctx, &d.snapshot)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	return do(&tx{database: d, conn: begun})
}

// attempts is how often a write is made anew that was undone because it met another one.
const attempts = 5

// write does something that changes the database, together or not at all.
func (d *database) write(ctx context.Context, do func(t *tx) error) error {
	for attempt := 1; ; attempt++ {
		t := &tx{database: d}
		err := t.write(ctx, do)
		again := d.met(err)
		if errors.Is(err, errUndigested) {
			if failed := d.redigestAll(ctx); failed != nil {
				return failed
			}
			again = true
		}
		if !again || t.once || attempt == attempts {
			return err
		}
	}
}

func (t *tx) write(ctx context.Context, do func(t *tx) error) error {
	begun, err := t.writes.BeginTx(ctx, &t.writing)
	if err != nil {
		return err
	}
	defer func() { _ = begun.Rollback() }()
	t.conn = begun
	if err := do(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // nothing is written
	}
	err = begun.Commit()
	if uncertain(ctx, err) {
		return &Fault{ErrLost, "", errors.Join(flussi.ErrCommitUnknown, err)}
	}
	return err
}
