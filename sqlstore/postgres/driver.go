package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// querier is a pool, a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// conn executes statements as [engine.Conn] says.
type conn struct {
	querier
	mode pgx.QueryExecMode
}

// Exec implements [engine.Conn].
func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.querier.Exec(ctx, query, c.convert(args)...)
	return tag.RowsAffected(), err
}

// Query implements [engine.Conn].
func (c conn) Query(ctx context.Context, query string, args ...any) (engine.Rows, error) {
	found, err := c.querier.Query(ctx, query, c.convert(args)...)
	if err != nil {
		return nil, err
	}
	return &rows{Rows: found}, nil
}

// rows implements [engine.Rows].
type rows struct {
	pgx.Rows
	fields []any // with *[16]byte in place of *uuid.UUID
}

// Scan implements [engine.Rows]. It scans IDs as [16]byte: pgx would scan a uuid.UUID as text.
func (r *rows) Scan(fields ...any) error {
	if r.fields == nil {
		r.fields = slices.Clone(fields)
		for i, field := range fields {
			if id, is := field.(*uuid.UUID); is {
				r.fields[i] = (*[16]byte)(id)
			}
		}
	}
	return r.Rows.Scan(r.fields...)
}

// convert puts the mode in front of the arguments, and converts IDs and digests: pgx would encode a
// uuid.UUID as text. The mode is the store's and not the pool's, since no statement may be prepared
// by name: PgBouncer may use another connection for each transaction.
func (c conn) convert(args []any) []any {
	converted := make([]any, 1, len(args)+1)
	converted[0] = c.mode
	for _, arg := range args {
		switch v := arg.(type) {
		case flow.Digest:
			arg = v[:]
		case uuid.UUID:
			arg = [16]byte(v)
		}
		converted = append(converted, arg)
	}
	return converted
}

// modeOf returns the mode for statements in a transaction. Outside of a transaction,
// QueryExecModeDescribeExec does not work behind PgBouncer.
func modeOf(config *pgx.ConnConfig) pgx.QueryExecMode {
	if config.DescriptionCacheCapacity > 0 {
		return pgx.QueryExecModeCacheDescribe
	}
	return pgx.QueryExecModeDescribeExec
}

// driver implements [engine.Driver] on a pool.
type driver struct {
	conn
	pool   *pgxpool.Pool
	schema string
	idle   time.Duration // see maxIdle
	wait   time.Duration // see maxWait
	texts  *atomic.Bool  // the indexes for texts exist
}

const (
	// maxIdle is how long a write that has locked rows may do nothing before the server ends it, so
	// that a frozen process does not block others for longer.
	maxIdle = 10 * time.Second
	// maxWait is how long a write waits for a row that another transaction has locked. It is
	// longer than maxIdle, so that the server ends the write of a frozen process before.
	maxWait = 15 * time.Second
)

// beginWrite begins a write. Its settings end with the transaction:
//
//   - READ COMMITTED, whatever the default is: a write that waited for a lock sees what the other
//     write stored. A server that is read-only by default refuses the write.
//   - synchronous_commit: the server flushes the commit to its disk even if it is set not to, since
//     the messages of a claim that a crash loses would be sent again.
//   - enable_sort and jit: see beginRead.
const beginWrite = `BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, true),
	set_config('lock_timeout', '%d', true), set_config('idle_in_transaction_session_timeout', '%d', true),
	set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`

// beginRead begins a transaction that only reads. Lists have indexes in their order. Without
// statistics, as after an import, PostgreSQL expects few rows in each service and flow, and would
// read and sort all of them: enable_sort off prevents that. If it has to sort nevertheless, it
// rates the query as expensive and would compile it, so jit is off, too.
const beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_sort = off; SET LOCAL jit = off"

func newDriver(pool *pgxpool.Pool, schema string) *driver {
	return &driver{
		conn: conn{pool, pgx.QueryExecModeCacheDescribe}, pool: pool, schema: schema,
		idle: maxIdle, wait: maxWait, texts: new(atomic.Bool),
	}
}

// tx is a transaction of our own.
type tx struct {
	conn
	tx pgx.Tx
}

// Begin implements [engine.Driver].
func (d *driver) Begin(ctx context.Context, mode engine.Mode) (engine.Tx, error) {
	var options pgx.TxOptions
	switch mode {
	case engine.Snapshot:
		options = pgx.TxOptions{BeginQuery: beginRead}
	case engine.Write:
		options = pgx.TxOptions{BeginQuery: fmt.Sprintf(beginWrite, d.wait.Milliseconds(), d.idle.Milliseconds())}
	case engine.Stream: // the caller may take long to yield the next row
		options = pgx.TxOptions{BeginQuery: fmt.Sprintf(beginWrite, d.wait.Milliseconds(), 0)}
	}
	begun, err := d.pool.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return tx{conn{begun, d.mode}, begun}, nil
}

// Commit implements [engine.Tx].
func (t tx) Commit(ctx context.Context) error { return t.tx.Commit(ctx) }

// Rollback implements [engine.Tx].
func (t tx) Rollback() {
	ctx, cancel := context.WithTimeout(context.Background(), maxWait)
	defer cancel()
	_ = t.tx.Rollback(ctx)
}

// Single implements [engine.Driver].
func (d *driver) Single(_ context.Context, execute func(engine.Conn) error) error {
	return execute(d.conn)
}

// EndStream implements [engine.Driver].
func (d *driver) EndStream(ctx context.Context, t engine.Tx) error {
	_, err := t.Exec(ctx, "SELECT set_config('idle_in_transaction_session_timeout', $1, true)", strconv.FormatInt(d.idle.Milliseconds(), 10))
	return err
}

// InTx implements [engine.Driver].
func (d *driver) InTx() bool { return false }

// Package implements [engine.Driver].
func (d *driver) Package() string { return "postgres" }

// Conflict implements [engine.Driver].
func (d *driver) Conflict(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40P01" || refused.Code == "40001")
}

// inTx implements [engine.Driver] in a transaction of the caller.
type inTx struct {
	*driver
	conn
	tx pgx.Tx
}

// Begin sets a savepoint, so that a write that is refused leaves nothing in the transaction.
func (d inTx) Begin(ctx context.Context, _ engine.Mode) (engine.Tx, error) {
	savepoint, err := d.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return tx{conn{savepoint, d.conn.mode}, savepoint}, nil
}

// Single returns an error: other processes would wait for the end of the caller's transaction.
func (inTx) Single(context.Context, func(engine.Conn) error) error {
	return &engine.Fault{Err: engine.ErrInTx}
}

// EndStream leaves the settings of the caller's transaction.
func (inTx) EndStream(context.Context, engine.Tx) error { return nil }

// InTx implements [engine.Driver].
func (inTx) InTx() bool { return true }

// CheckSending refuses to send.
func (inTx) CheckSending(context.Context, engine.Tx, []flow.Notification) error {
	return &engine.Fault{Err: engine.ErrInTx}
}

// Render implements [engine.Dialect].
func (d *driver) Render(query string) string {
	query = strings.ReplaceAll(query, "flussi.", d.schema+".")
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
