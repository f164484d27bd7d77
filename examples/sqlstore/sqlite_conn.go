package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteConnector makes connections that keep their prepared statements, as those to PostgreSQL
// do, and wait for the writes of other processes as long as they should.
type sqliteConnector struct {
	driver.Connector
	patience time.Duration
	waits    bool        // a statement by itself, too: it is no connection that writes
	path     string      // of the file
	file     os.FileInfo // as it was opened
}

// Connect opens a connection.
func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.file != nil {
		if err := c.stillThere(); err != nil {
			return nil, err
		}
	}
	conn, err := c.Connector.Connect(ctx)
	for end := time.Now().Add(c.patience); isBusy(err) && ctx.Err() == nil && time.Now().Before(end); {
		// Another one makes a new file be in WAL mode, for which SQLite does not wait.
		conn, err = c.Connector.Connect(ctx)
	}
	if err != nil {
		return nil, err
	}
	made := &sqliteConn{conn.(fullConn), map[string]fullStmt{}, c}
	if c.waits {
		if _, err := made.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", c.patience.Milliseconds()), nil); err != nil {
			_ = made.Close()
			return nil, err
		}
	}
	return made, nil
}

// fullConn is what a connection of the driver can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// fullStmt is what a statement of the driver can do.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// sqliteConn is a connection.
type sqliteConn struct {
	fullConn
	statements map[string]fullStmt
	made       sqliteConnector
}

// keptStatements is how many prepared statements a connection keeps.
const keptStatements = 100

// prepared returns a statement that is prepared once. The rows of the one must be read before it
// is used again.
func (c *sqliteConn) prepared(ctx context.Context, query string) (fullStmt, error) {
	if s, there := c.statements[query]; there {
		return s, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(c.statements) >= keptStatements {
		for other, s := range c.statements { // any
			delete(c.statements, other)
			_ = s.Close()
			break
		}
	}
	s := made.(fullStmt)
	c.statements[query] = s
	return s, nil
}

// ExecContext executes a statement; without arguments, it may be a script.
func (c *sqliteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args)
}

// QueryContext executes a statement that gives rows.
func (c *sqliteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args)
}

// BeginTx begins a transaction. If it is to write, it waits until other processes have written.
// SQLite can wait by itself, but not until a context ends.
func (c *sqliteConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if !options.ReadOnly {
		if err := c.made.stillThere(); err != nil {
			return nil, err
		}
	}
	for end := time.Now().Add(c.made.patience); ; {
		begun, err := c.fullConn.BeginTx(ctx, options)
		if !isBusy(err) || ctx.Err() != nil || time.Now().After(end) {
			return begun, err
		}
	}
}

// stillThere refuses to write where nobody will find it: SQLite goes on with a file that was deleted
// or replaced, as when a copy of an earlier day is put in its place.
func (c sqliteConnector) stillThere() error {
	now, err := os.Stat(c.path)
	if err != nil || !os.SameFile(c.file, now) {
		return &Fault{ErrLost, "the file was moved, deleted or replaced", err}
	}
	return nil
}

// Close closes the connection and its statements.
func (c *sqliteConn) Close() error {
	for _, s := range c.statements {
		_ = s.Close()
	}
	return c.fullConn.Close()
}

// isBusy reports whether an error says that others have locked the file.
func isBusy(err error) bool {
	var fault *sqlite.Error
	return errors.As(err, &fault) && fault.Code()&0xFF == sqlite3.SQLITE_BUSY
}
