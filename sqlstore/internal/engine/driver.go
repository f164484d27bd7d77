package engine

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Conn executes statements, as [Dialect.Render] returns them. Arguments are strings, integers,
// booleans, nil, [uuid.UUID], [flow.Digest], []byte, and what [Dialect.In] returns.
type Conn interface {
	// Exec executes a statement and returns how many rows it changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Query executes a statement that returns rows. Close them before the next statement.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Rows is the result of a query.
type Rows interface {
	// Next advances to the next row, and reports whether there is one.
	Next() bool
	// Scan reads the columns of a row into fields, which are the same for each row.
	Scan(fields ...any) error
	// Err returns the error that ended the rows, if one did.
	Err() error
	// Close ends reading.
	Close()
}

// Tx is a transaction.
type Tx interface {
	Conn
	// Commit ends the transaction. After an error for which [Driver.CommitUnknown] is false,
	// nothing is stored.
	Commit(ctx context.Context) error
	// Rollback undoes the transaction; after Commit it does nothing. It works after the end of
	// the context that the transaction began with.
	Rollback()
}

// Mode says what a transaction is for.
type Mode int

const (
	// Snapshot reads the database as it is at one moment.
	Snapshot Mode = iota
	// Write is a write that waits only for the database.
	Write
	// Stream is a write that pulls a sequence of the caller, which may take long to yield a row.
	// Until [Driver.EndStream], it locks nothing that others need.
	Stream
)

// Driver is one of the two databases. It is safe for concurrent use, unless it works in a
// transaction of the caller.
type Driver interface {
	Conn // for single statements that read

	// Begin begins a transaction. Within a transaction of the caller it sets a savepoint.
	Begin(ctx context.Context, mode Mode) (Tx, error)
	// Single executes one statement that writes, in its own transaction: on PostgreSQL in one round
	// trip. Within a transaction of the caller, it returns an error.
	Single(ctx context.Context, execute func(Conn) error) error
	// EndStream is called in a transaction of mode Stream before it locks what others need.
	EndStream(ctx context.Context, t Tx) error
	// InTx reports whether the driver works in a transaction of the caller.
	InTx() bool
	// Package is the package's name, for errors: "postgres" or "sqlite".
	Package() string

	// Classify returns what an error of the database means: a [*Fault], or [flussi.ErrConflict] for
	// a write that the database undid because of another one. It returns nil if the error is not
	// the database's.
	Classify(err error) error
	// Conflict reports whether the database undid a write because of another one, so that it can
	// be made again.
	Conflict(err error) bool
	// CommitUnknown reports whether a transaction may be stored although Commit returned an error.
	CommitUnknown(ctx context.Context, err error) bool
	// Explain sets Detail and Reason of a [*Fault] that has none, if the database knows more about
	// its cause, such as which program holds a lock.
	Explain(ctx context.Context, fault *Fault)

	// CheckSending is called in each transaction that makes notifications In invio, before it
	// commits, with all of them. Their Version is the one before the change. Some of them may
	// become Errore instead. If it returns an error, the transaction is undone and nothing is sent.
	CheckSending(ctx context.Context, t Tx, changed []flow.Notification) error

	// OlderTables reports whether tables of examples/sqlstore exist, which this module replaced,
	// and returns the prefix of their names, such as "public.". See [AdoptOlder].
	OlderTables(ctx context.Context, t Tx) (prefix string, found bool, err error)
	// OlderColumns returns the columns of one of those tables; none if it does not exist.
	OlderColumns(ctx context.Context, t Tx, prefix, table string) ([]string, error)
	// LockOlder waits for transactions that use some of those tables, and locks them for reading
	// and writing until the transaction ends. The error is [flussi.ErrConflict] if one of them was
	// dropped meanwhile.
	LockOlder(ctx context.Context, t Tx, prefix string, tables ...string) error
	// RebuildTexts rebuilds the index for texts of a table, for rows that [Dialect.Insert] did not
	// insert.
	RebuildTexts(ctx context.Context, t Tx, table string) error
	// DropOlder drops some of those tables, with their triggers and functions.
	DropOlder(ctx context.Context, t Tx, prefix string, tables ...string) error

	Dialect
}

// Dialect returns the parts of statements that differ between the databases, and executes the
// statements that differ wholly.
type Dialect interface {
	// Render translates a statement into the SQL of the database.
	Render(query string) string
	// Key is the column by which the index for texts refers to a row.
	Key() string
	// In returns the condition that a column has one of some values, and its only argument. There
	// may be thousands of values.
	In(column Column, values []any) (condition string, arg any)
	// Contains returns the condition that a column contains the text of an argument.
	Contains(column string) string
	// TextMatches returns a query of the index for texts, and its argument: it finds the keys of
	// the rows of a table whose text contains another one. It returns "" without such an index.
	TextMatches(table, text string) (query string, arg any)
	// ForUpdate ends a SELECT that locks the rows that it reads.
	ForUpdate() string
	// ForShare ends a SELECT that keeps others from changing the rows that it reads.
	ForShare() string
	// SkipLocked is ForUpdate that skips rows that others have locked.
	SkipLocked() string
	// Shard is an expression for the shard of a flow's counts that a transaction changes.
	Shard() string

	// Clock is an expression for the time by the database's clock, in microseconds since 1970. If a
	// statement waits for a lock, it is the time after the wait.
	Clock() string
	// Now returns the time by the database's clock, in microseconds since 1970.
	Now(ctx context.Context, t Tx) (int64, error)
	// Insert inserts rows, except those that exist already, and returns how many it inserted.
	Insert(ctx context.Context, t Tx, table string, columns []Column, rows [][]any) (int64, error)
	// Update sets columns of the rows with the given IDs.
	Update(ctx context.Context, t Tx, table string, columns []Column, ids []uuid.UUID, rows [][]any) error
	// Lock reads columns of the rows with the given IDs, in the order of the IDs, and keeps
	// them unchanged until the end of the transaction.
	Lock(ctx context.Context, t Tx, table, columns string, ids []uuid.UUID) (Rows, error)
	// Values returns a table expression with some values of a type of PostgreSQL, the expression for
	// one of them, and the only argument.
	Values(alias, kind string, values []any) (from, value string, arg any)
	// Join joins the rows of a table that fulfil a condition, and finds them by an index, whatever
	// the database expects of other indexes; "" for the primary key.
	Join(table, alias, index, condition string) string
	// LockMessages keeps other transactions from making the same messages In invio until this one
	// ends, and waits for those that do.
	LockMessages(ctx context.Context, t Tx, messages []Message) error
}

// Column is a column of a table.
type Column struct {
	Name string // without the table
	Type string // on PostgreSQL
	// WriteOnly columns are not read into the entity: they serve searches and rules.
	WriteOnly bool
}

// Message identifies a message of a service to a citizen.
type Message struct {
	Service string      // encoded, as it is stored
	Digest  flow.Digest // zero: no message
}

// Strings reads rows of one text.
func Strings(rows Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	var texts []string
	var text string
	err = scanAll(context.Background(), rows, []any{&text}, func() { texts = append(texts, text) })
	return texts, err
}
