package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// querier is a database, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// conn executes statements as [engine.Conn] says.
type conn struct {
	querier
	busy  time.Duration // how long a query waits for other connections
	calls *calls        // counts each statement as a call; nil in a transaction, which is counted itself
}

// Exec implements [engine.Conn].
func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := c.calls.begin(); err != nil {
		return 0, err
	}
	defer c.calls.end()
	result, err := c.ExecContext(ctx, query, convert(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query implements [engine.Conn].
func (c conn) Query(ctx context.Context, query string, args ...any) (engine.Rows, error) {
	if err := c.calls.begin(); err != nil {
		return nil, err
	}
	found := &rows{calls: c.calls}
	mayPass := func(err error) bool { return isBusy(err) && !isStale(err) }
	err := retryWhile(ctx, mayPass, c.busy, func() (err error) {
		found.Rows, err = c.QueryContext(ctx, query, convert(args)...)
		return err
	})
	if err != nil {
		c.calls.end()
		return nil, err
	}
	return found, nil
}

// convert converts IDs and digests to bytes.
func convert(args []any) []any {
	converted := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case uuid.UUID:
			arg = v[:]
		case flow.Digest:
			arg = v[:]
		}
		converted[i] = arg
	}
	return converted
}

// rows implements [engine.Rows].
type rows struct {
	*sql.Rows
	calls *calls // the call ends when the rows are closed; nil if it has ended
}

// Close closes the rows. Err has returned an error of theirs already.
func (r *rows) Close() {
	_ = r.Rows.Close()
	r.calls.end()
	r.calls = nil
}

// database implements [engine.Driver].
type database struct {
	conn           // for reading
	reads  *sql.DB // the same pool as writes if it is the caller's
	writes *sql.DB
	file   *file // nil if the pool is the caller's

	outside *sql.DB // a connection that is in no transaction; nil if the pool is the caller's

	// close closes the pools. Only the first call does, and others wait for it. It is nil if the
	// pool is the caller's.
	close func() error

	mark atomic.Pointer[sentMark] // see [database.sentMark]
}

// tx is a transaction of our own on one connection.
type tx struct {
	conn
	session  *sql.Conn
	database *database
	sending  *sending // nil if it makes no notification In invio
	ended    bool
}

// EndStream implements [engine.Driver]: a write locks the file when it begins.
func (*database) EndStream(context.Context, engine.Tx) error { return nil }

// Begin implements [engine.Driver]. A write begins with BEGIN IMMEDIATE: a transaction that has
// read cannot write any more once another process has written.
func (d *database) Begin(ctx context.Context, mode engine.Mode) (engine.Tx, error) {
	if err := d.calls.begin(); err != nil {
		return nil, err
	}
	t, err := d.begin(ctx, mode)
	if err != nil {
		d.calls.end()
		return nil, err
	}
	return t, nil
}

func (d *database) begin(ctx context.Context, mode engine.Mode) (*tx, error) {
	from, begin := d.writes, "BEGIN IMMEDIATE"
	if mode == engine.Snapshot {
		from, begin = d.reads, "BEGIN"
	} else if d.file != nil {
		if err := d.file.checkPath(); err != nil {
			return nil, err
		}
	}
	session, err := from.Conn(ctx)
	if err != nil {
		return nil, err
	}
	t := &tx{conn: conn{querier: session, busy: d.busy}, session: session, database: d}
	if err := d.beginOn(ctx, session, begin, mode); err != nil {
		_ = session.Close()
		return nil, err
	}
	return t, nil
}

// beginOn begins a transaction.
func (d *database) beginOn(ctx context.Context, session *sql.Conn, begin string, mode engine.Mode) error {
	err := retryBusy(ctx, d.busy, func() error {
		_, err := session.ExecContext(ctx, begin)
		return err
	})
	if err != nil || mode == engine.Snapshot {
		return err
	}
	err = durable(ctx, conn{querier: session, busy: d.busy})
	if err == nil && d.outside != nil {
		err = d.file.mark.noteBegun(ctx, d.outside)
	}
	if err != nil {
		_, _ = session.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	return nil
}

// durable returns [ErrNotDurable] for a connection whose commits do not wait for the disk: if a
// loss of power undid a claim, its messages would be sent again. It also refuses one without a
// journal on the disk: SQLite could not undo a write that fails.
func durable(ctx context.Context, c engine.Conn) error {
	synchronous, err := integer(ctx, c, "PRAGMA synchronous")
	switch {
	case err != nil:
		return err
	case synchronous < 2:
		return &Fault{Err: ErrNotDurable, Detail: "PRAGMA synchronous must be FULL or EXTRA on every connection"}
	}
	found, err := c.Query(ctx, "PRAGMA journal_mode")
	journals, err := engine.Strings(found, err)
	if err != nil || len(journals) == 0 {
		return err
	}
	lacksJournal := journals[0] == "off"
	if journals[0] == "memory" { // a database in memory has no other
		files, err := integer(ctx, c, "SELECT count(*) FROM pragma_database_list WHERE name = 'main' AND file <> ''")
		if err != nil {
			return err
		}
		lacksJournal = files > 0
	}
	if lacksJournal {
		return &Fault{Err: ErrNotDurable, Detail: "PRAGMA journal_mode must not be OFF or MEMORY",
			Reason: "L'archivio non garantisce le registrazioni in caso di interruzione: chi gestisce il programma deve impostare journal_mode WAL o DELETE."}
	}
	return nil
}

// Single implements [engine.Driver].
func (d *database) Single(ctx context.Context, execute func(engine.Conn) error) error {
	t, err := d.Begin(ctx, engine.Write)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if err := execute(t); err != nil {
		return err
	}
	return t.Commit(ctx)
}

// Commit implements [engine.Tx].
func (t *tx) Commit(ctx context.Context) error {
	err := retryBusy(ctx, t.busy, func() error { // without WAL, it waits for readers
		_, err := t.session.ExecContext(ctx, "COMMIT")
		return err
	})
	if err != nil {
		return err
	}
	t.ended = true
	defer t.release()
	switch {
	case t.sending != nil:
		return t.sending.finish(ctx, t.session)
	case t.database.file != nil:
		t.database.file.mark.noteWAL()
	}
	return nil
}

// Rollback implements [engine.Tx].
func (t *tx) Rollback() {
	if t.ended {
		return
	}
	t.ended = true
	if t.sending != nil {
		_ = t.sending.file.Close()
	}
	_, _ = t.session.ExecContext(context.Background(), "ROLLBACK")
	t.release()
}

// release gives the connection back. The call ends.
func (t *tx) release() {
	_ = t.session.Close()
	t.database.calls.end()
}

// InTx implements [engine.Driver].
func (d *database) InTx() bool { return false }

// Package implements [engine.Driver].
func (d *database) Package() string { return "sqlite" }

// Conflict implements [engine.Driver]: one transaction writes at a time.
func (d *database) Conflict(error) bool { return false }

// renderer translates names of tables, functions and types. IDs are blobs: SQLite would convert them to
// numbers by CAST AS uuid.
var renderer = strings.NewReplacer("flussi.", "flussi_", " AS uuid)", " AS blob)", "GREATEST(", "max(", "LEAST(", "min(")

// Render implements [engine.Dialect].
func (d *database) Render(query string) string { return renderer.Replace(query) }

// inTx implements [engine.Driver] in a transaction of the caller.
type inTx struct {
	*database
	conn
}

// Begin sets a savepoint, so that a write that is refused leaves nothing in the transaction.
func (d inTx) Begin(ctx context.Context, mode engine.Mode) (engine.Tx, error) {
	if mode != engine.Snapshot {
		if err := durable(ctx, d.conn); err != nil {
			return nil, err
		}
	}
	if _, err := d.conn.Exec(ctx, "SAVEPOINT flussi"); err != nil {
		return nil, err
	}
	return &savepoint{conn: d.conn}, nil
}

// Single returns an error: other processes would wait for the end of the caller's transaction.
func (inTx) Single(context.Context, func(engine.Conn) error) error {
	return &Fault{Err: ErrInTx}
}

// InTx implements [engine.Driver].
func (inTx) InTx() bool { return true }

// CheckSending refuses to send.
func (inTx) CheckSending(context.Context, engine.Tx, []flow.Notification) error {
	return &Fault{Err: ErrInTx}
}

// savepoint implements [engine.Tx] in a transaction of the caller.
type savepoint struct {
	conn
	ended bool
}

// Commit implements [engine.Tx].
func (s *savepoint) Commit(ctx context.Context) error {
	_, err := s.Exec(ctx, "RELEASE flussi")
	s.ended = err == nil
	return err
}

// Rollback implements [engine.Tx].
func (s *savepoint) Rollback() {
	if s.ended {
		return
	}
	s.ended = true
	_, _ = s.Exec(context.Background(), "ROLLBACK TO flussi")
	_, _ = s.Exec(context.Background(), "RELEASE flussi")
}
