package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

// connector opens connections to a file of [Open], which cache their prepared statements.
type connector struct {
	driver.Connector
	busy  time.Duration // how long a reader waits for other processes
	reads bool          // whether it opens readers; the writer waits at BEGIN, in retryBusy
	file  *file
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.file.info != nil {
		if err := c.file.checkPath(); err != nil {
			return nil, err
		}
	}
	if err := c.file.mark.checkWAL(!c.reads); err != nil {
		return nil, err
	}
	if !c.reads {
		c.file.mark.verified.Store(false)
	}
	var opened driver.Conn
	// SQLite does not wait while another process switches a new file to WAL mode.
	err := retryBusy(ctx, c.busy, func() (err error) {
		opened, err = c.Connector.Connect(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	cached := &cachingConn{opened.(fullConn), map[string]fullStmt{}}
	if c.reads {
		if _, err := cached.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", c.busy.Milliseconds()), nil); err != nil {
			_ = cached.Close()
			return nil, err
		}
	}
	return cached, nil
}

// fullConn has the methods of a connection of modernc.org/sqlite.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// fullStmt has the methods of a statement of modernc.org/sqlite.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// cachingConn is a connection that caches prepared statements.
type cachingConn struct {
	fullConn
	statements map[string]fullStmt
}

// maxStatements is how many prepared statements a connection caches.
const maxStatements = 100

// prepared returns a statement, which it prepares the first time. Close the rows of a statement
// before it is executed again.
func (c *cachingConn) prepared(ctx context.Context, query string) (fullStmt, error) {
	if s, there := c.statements[query]; there {
		return s, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(c.statements) >= maxStatements {
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
func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 0 {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args)
}

// QueryContext executes a statement that returns rows.
func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args)
}

// Close closes the connection and its statements.
func (c *cachingConn) Close() error {
	for _, s := range c.statements {
		_ = s.Close()
	}
	return c.fullConn.Close()
}
