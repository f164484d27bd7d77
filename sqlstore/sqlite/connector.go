package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"
)

// connector makes connections to a file of ours, which keep their prepared statements.
type connector struct {
	driver.Connector
	busy  time.Duration // how long a statement by itself waits for other processes
	waits bool          // whether it does: the connection that writes waits at BEGIN
	file  *file
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.file.info != nil {
		if err := c.file.stillThere(); err != nil {
			return nil, err
		}
	}
	if err := c.file.mark.checkWAL(!c.waits); err != nil {
		return nil, err
	}
	if !c.waits {
		c.file.mark.verified.Store(false)
	}
	var opened driver.Conn
	// While another process switches a new file to WAL mode, SQLite does not wait.
	err := untilFree(ctx, c.busy, func() (err error) {
		opened, err = c.Connector.Connect(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	kept := &keepingConn{opened.(fullConn), map[string]fullStmt{}}
	if c.waits {
		if _, err := kept.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", c.busy.Milliseconds()), nil); err != nil {
			_ = kept.Close()
			return nil, err
		}
	}
	return kept, nil
}

// fullConn is the methods of a connection of the driver.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// fullStmt is the methods of a statement of the driver.
type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// keepingConn is a connection that keeps prepared statements.
type keepingConn struct {
	fullConn
	statements map[string]fullStmt
}

// keptStatements is how many prepared statements a connection keeps.
const keptStatements = 100

// prepared returns a statement that is prepared once. The rows of the one must be read before it
// is used again.
func (c *keepingConn) prepared(ctx context.Context, query string) (fullStmt, error) {
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
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
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
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args)
}

// Close closes the connection and its statements.
func (c *keepingConn) Close() error {
	for _, s := range c.statements {
		_ = s.Close()
	}
	return c.fullConn.Close()
}
