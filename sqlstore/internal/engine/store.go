package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// Store keeps flows and notifications, payment events and notices, and settlements, payments and
// movements, as [flow.Store], [flow.SaveAndClaimer], [pagoinrete.Store] and [settlement.Store] say. It
// is safe for concurrent use, unless it works in a transaction of the caller.
//
// The stores of packages postgres and sqlite embed it. So its methods are part of their API: what only
// these packages need is a function.
type Store struct {
	driver   Driver
	rendered *sync.Map // statement -> its translation by Dialect.Render
}

var (
	_ flow.Store       = (*Store)(nil)
	_ flow.SendChecker = (*Store)(nil)
	_ pagoinrete.Store = (*Store)(nil)
	_ settlement.Store = (*Store)(nil)
	_ appio.TurnStore  = (*Store)(nil)
)

// New returns a store on a driver.
func New(d Driver) *Store { return &Store{driver: d, rendered: new(sync.Map)} }

// WithDriver returns the same store on another driver of the same database, such as one in a
// transaction of the caller.
func WithDriver(s *Store, d Driver) *Store { return &Store{driver: d, rendered: s.rendered} }

// WithoutTx returns the store for a caller whose transaction is nil. Its methods return a
// [flussi.ErrConfig].
func WithoutTx(s *Store) *Store { return WithDriver(s, noTx{s.driver}) }

// noTx is the driver of [WithoutTx].
type noTx struct{ Driver }

var errNoTx = fmt.Errorf("%w: WithTx was called with a nil transaction", flussi.ErrConfig)

// Exec implements [Conn].
func (noTx) Exec(context.Context, string, ...any) (int64, error) { return 0, errNoTx }

// Query implements [Conn].
func (noTx) Query(context.Context, string, ...any) (Rows, error) { return nil, errNoTx }

// Begin implements [Driver].
func (noTx) Begin(context.Context, Mode) (Tx, error) { return nil, errNoTx }

// Single implements [Driver].
func (noTx) Single(context.Context, func(Conn) error) error { return errNoTx }

// InTx implements [Driver].
func (noTx) InTx() bool { return true }

// CheckSend implements [flow.SendChecker].
func (s *Store) CheckSend() error {
	if !s.driver.InTx() {
		return nil
	}
	return &Fault{Err: ErrInTx, Detail: "create the dispatcher on the store that WithTx was called on"}
}

// render translates a statement into the SQL of the database.
func (s *Store) render(query string) string {
	if known, there := s.rendered.Load(query); there {
		return known.(string)
	}
	text := s.driver.Render(query)
	s.rendered.Store(query, text)
	return text
}

// tx is a transaction, or the driver itself for single statements that read.
type tx struct {
	*Store
	conn Conn
	full Tx    // nil for single statements
	id   int64 // the write_id of the rows that a write inserts; 0 if it only reads
}

// reader returns a tx for single statements that read.
func (s *Store) reader() *tx { return &tx{Store: s, conn: s.driver} }

// exec executes a statement and returns how many rows it changed.
func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	return t.conn.Exec(ctx, t.render(query), args...)
}

// query reads all rows of a query into the same fields, and calls a function after each.
func (t *tx) query(ctx context.Context, query string, args, fields []any, each func()) error {
	rows, err := t.conn.Query(ctx, t.render(query), args...)
	if err != nil {
		return err
	}
	return scanAll(ctx, rows, fields, each)
}

// scanAll reads rows to their end, and closes them.
func scanAll(ctx context.Context, rows Rows, fields []any, each func()) error {
	defer rows.Close()
	for rows.Next() {
		switch err := rows.Scan(fields...); {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil: // another program wrote it; the error may show the value
			return &Fault{Err: ErrNotOurs, Cause: err}
		}
		each()
	}
	return rows.Err()
}
