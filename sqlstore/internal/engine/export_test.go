package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/flussi-go/flussi/flow"
)

// Of returns the engine of a store of package postgres or sqlite.
func Of(s interface{ engine() *Store }) *Store { return s.engine() }

func (s *Store) engine() *Store { return s }

// Watched returns the same store, which calls a function before each statement that it executes,
// with the connection that executes it. The function may execute others on it.
func (s *Store) Watched(watch func(c Conn, query string, args []any)) *Store {
	return WithDriver(s, watchedDriver{s.driver, watchedConn{s.driver, watch}})
}

// watchedConn is a connection whose statements are watched.
type watchedConn struct {
	Conn
	watch func(c Conn, query string, args []any)
}

func (c watchedConn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.watch(c.Conn, query, args)
	return c.Conn.Exec(ctx, query, args...)
}

func (c watchedConn) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	c.watch(c.Conn, query, args)
	return c.Conn.Query(ctx, query, args...)
}

// watchedTx is a transaction whose statements are watched.
type watchedTx struct {
	Tx
	watched watchedConn
}

func (t watchedTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return t.watched.Exec(ctx, query, args...)
}

func (t watchedTx) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	return t.watched.Query(ctx, query, args...)
}

// watchedDriver is a driver whose statements are watched.
type watchedDriver struct {
	Driver
	watched watchedConn
}

func (d watchedDriver) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return d.watched.Exec(ctx, query, args...)
}

func (d watchedDriver) Query(ctx context.Context, query string, args ...any) (Rows, error) {
	return d.watched.Query(ctx, query, args...)
}

func (d watchedDriver) Begin(ctx context.Context, mode Mode) (Tx, error) {
	t, err := d.Driver.Begin(ctx, mode)
	if err != nil {
		return nil, err
	}
	return watchedTx{t, watchedConn{t, d.watched.watch}}, nil
}

func (d watchedDriver) Single(ctx context.Context, execute func(Conn) error) error {
	return d.Driver.Single(ctx, func(c Conn) error { return execute(watchedConn{c, d.watched.watch}) })
}

// CheckSending passes the transaction of the driver's own, which it needs; what it executes is not
// watched.
func (d watchedDriver) CheckSending(ctx context.Context, t Tx, changed []flow.Notification) error {
	return d.Driver.CheckSending(ctx, t.(watchedTx).Tx, changed)
}

// WithClock returns the same store with another clock, in microseconds.
func (s *Store) WithClock(clock func() int64) *Store {
	return WithDriver(s, clockDriver{s.driver, clock})
}

// clockDriver is a driver with another clock.
type clockDriver struct {
	Driver
	clock func() int64
}

// Clock implements [Dialect].
func (d clockDriver) Clock() string { return fmt.Sprintf("CAST(%d AS bigint)", d.clock()) }

// ExecOn executes a statement in a transaction of a store.
func ExecOn(ctx context.Context, s *Store, statement string) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, statement)
		return err
	})
}

// ToSend returns what a claim would take.
func (s *Store) ToSend(ctx context.Context, claim flow.Claim) (found []flow.Notification, err error) {
	undo := errors.New("undo")
	err = s.write(ctx, func(t *tx) error {
		if found, _, err = t.toSend(ctx, claim); err != nil {
			return err
		}
		return undo
	})
	if errors.Is(err, undo) {
		err = nil
	}
	return found, err
}

// InsertBare inserts rows into the table of notifications, some at a time, in one transaction, and
// does nothing else.
func (s *Store) InsertBare(ctx context.Context, all iter.Seq[flow.Notification], together int) error {
	return s.writeOnce(ctx, Write, func(t *tx) error {
		columns := notifications.columns
		row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = c.Name
		}
		query := "INSERT INTO flussi.notifications (" + strings.Join(names, ", ") + ") VALUES " + row
		var args []any
		insert := func() error {
			if len(args) == 0 {
				return nil
			}
			_, err := t.exec(ctx, query+strings.Repeat(", "+row, len(args)/len(columns)-1), args...)
			args = args[:0]
			return err
		}
		for n := range all {
			values := notifications.values(&n, 1)
			setDigest(values, n.Digest())
			if args = append(args, values...); len(args) == together*len(columns) {
				if err := insert(); err != nil {
					return err
				}
			}
		}
		return insert()
	})
}
