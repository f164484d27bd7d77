package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
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
	fields []any // as pgx knows them
}

// Scan implements [engine.Rows]. An ID would be read as a text, and parsed.
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

// convert puts the mode in front of arguments, and makes pgx know their types: it would write an ID as
// a text. The mode is the
// store's, whatever that of the pool is, since it must work behind PgBouncer, which may give each
// transaction another connection: nothing is prepared by name.
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

// modeOf returns how statements are executed on a connection.
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
	begin  string       // the statements that begin a write
	texts  *atomic.Bool // there are indexes for texts
}

const (
	// maxIdle is how long a write of ours may do nothing before the server ends it, so that a
	// process that is frozen in it blocks others for no longer.
	maxIdle = 20 * time.Second
	// maxWait is how long a write waits for a row that another transaction has locked.
	maxWait = 15 * time.Second
)

// beginWrite is the statements that begin a write of ours. Their settings end with it. A commit
// waits for the server's disk, also where the server is set not to wait: a claim that a crash
// loses would be sent again. Who waited for a lock sees what the other one wrote, whatever
// isolation is the default. It reads in the order of indexes: see beginRead.
const beginWrite = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, true),
	set_config('lock_timeout', '%d', true), set_config('idle_in_transaction_session_timeout', '%d', true),
	set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`

// beginRead is the statements that begin a transaction that reads. Lists have indexes in their order.
// Without statistics, as after an import, PostgreSQL expects few rows in each service and flow, and
// would rather read and sort all of them. Where it has to sort, it would compile the query, since that
// seems expensive then.
const beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_sort = off; SET LOCAL jit = off"

func newDriver(pool *pgxpool.Pool, schema string) *driver {
	return &driver{
		conn: conn{pool, modeOf(pool.Config().ConnConfig)}, pool: pool, schema: schema,
		begin: fmt.Sprintf(beginWrite, maxWait.Milliseconds(), maxIdle.Milliseconds()), texts: new(atomic.Bool),
	}
}

// tx is a transaction of our own.
type tx struct {
	conn
	tx pgx.Tx
}

// Begin implements [engine.Driver].
func (d *driver) Begin(ctx context.Context, mode engine.Mode) (engine.Tx, error) {
	options := pgx.TxOptions{BeginQuery: d.begin}
	switch mode {
	case engine.Snapshot:
		options.BeginQuery = beginRead
	case engine.Stream: // the caller may take longer to yield the next row
		options.BeginQuery = fmt.Sprintf(beginWrite, maxWait.Milliseconds(), 0)
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

// InTx implements [engine.Driver].
func (inTx) InTx() bool { return true }

// CheckSending refuses to send.
func (inTx) CheckSending(context.Context, engine.Tx) error { return &engine.Fault{Err: engine.ErrInTx} }

// schemaName is what a schema may be called: it stands in statements without quotes.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

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
