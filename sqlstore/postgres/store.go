package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Config says where the tables are. The zero Config is valid.
type Config struct {
	// Schema is the schema of the tables. Its name begins with a lower-case letter or _, but not
	// with pg_, has only lower-case letters, digits and _, at most 63 characters, and is no word
	// that PostgreSQL reserves. Defaults to "flussi".
	Schema string
	// Logger receives a warning if [Store.Migrate] cannot create the indexes for searches by text.
	// It never receives personal data. Defaults to none.
	Logger *slog.Logger
}

// Store keeps flows and notifications, payment events and notices, and settlements, payments and
// movements, in PostgreSQL. It is safe for concurrent use.
//
// Besides the methods below it has those of these interfaces, whose comments say what they do:
//
//   - [flow.Store], [flow.SaveAndClaimer], [flow.RestorableStore] and [flow.SendChecker]
//   - [pagoinrete.Store]
//   - [settlement.Store]: BodyVersion, Save, and what reads settlements, payments and movements
//   - [appio.TurnStore]: ReserveTurns
type Store struct {
	*base
	driver   *driver
	logger   *slog.Logger
	ownsPool bool // Close closes it
	inTx     bool // WithTx made the store
}

// base is embedded under a name of its own, so that only its methods are exported.
type base = engine.Store

var (
	_ flow.Store           = (*Store)(nil)
	_ flow.SaveAndClaimer  = (*Store)(nil)
	_ flow.RestorableStore = (*Store)(nil)
	_ flow.SendChecker     = (*Store)(nil)
	_ pagoinrete.Store     = (*Store)(nil)
	_ settlement.Store     = (*Store)(nil)
	_ appio.TurnStore      = (*Store)(nil)
)

// New returns a store on a pool, which stays the caller's. It does not use the pool: call
// [Store.Migrate] before anything else. The error is a [flussi.ErrConfig].
func New(pool *pgxpool.Pool, c Config) (*Store, error) {
	if c.Schema == "" {
		c.Schema = "flussi"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case pool == nil:
		return nil, fmt.Errorf("postgres: new store: %w: pool is nil", flussi.ErrConfig)
	case pool.Config().ConnConfig.DescriptionCacheCapacity <= 0:
		return nil, fmt.Errorf("postgres: new store: %w: the pool has description_cache_capacity 0", flussi.ErrConfig)
	case !validSchema(c.Schema):
		return nil, fmt.Errorf("postgres: new store: %w: Schema %.80q must begin with a lower-case letter or _, but not with pg_, "+
			"have only lower-case letters, digits and _, at most 63, and be no reserved word", flussi.ErrConfig, c.Schema)
	}
	d := newDriver(pool, c.Schema)
	return &Store{base: engine.New(d), driver: d, logger: c.Logger}, nil
}

// Open connects to a database, and creates or updates the tables: [New] and [Store.Migrate] on a
// pool of its own, which [Store.Close] closes. The location is a URL,
// postgres://user@host/database, or keywords with values, host=… dbname=…. Both may have the
// parameters of pgx and of its pool, such as pool_max_conns, which defaults to 8. The error is a
// [*Fault], which names a parameter that is not valid, or a [flussi.ErrConfig].
func Open(ctx context.Context, location string, c Config) (*Store, error) {
	config, err := parse(location)
	if err != nil {
		return nil, &flussi.Error{Package: "postgres", Operation: "open database", Err: err}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, &flussi.Error{Package: "postgres", Operation: "open database", Err: &Fault{Err: ErrAccess, Cause: err}}
	}
	s, err := New(pool, c)
	if err == nil {
		s.ownsPool = true
		err = s.Migrate(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// Property stores a value of the program under a name, unless the name has one already, and returns
// the stored value. So a program can tell a trial database from a real one.
func (s *Store) Property(ctx context.Context, name, value string) (string, error) {
	return s.base.Property(ctx, name, value)
}

// Self returns the store: see [flow.SaveAndClaimer].
func (s *Store) Self() flow.Store { return s }

// Close refuses new calls with [ErrLost], waits for those that run, and closes the pool of [Open]. Do
// not call it from a sequence of rows that a call reads: it would wait for that call for ever. It
// leaves a pool of [New] open.
func (s *Store) Close() error {
	if s.ownsPool {
		s.driver.pool.Close()
	}
	return nil
}

// WithTx returns a store that works in a transaction of the caller: what it writes is stored when
// the caller commits.
//
// A write that it refuses leaves nothing in the transaction, which goes on: after a
// [flussi.ErrRows], the caller may commit its own rows. A sequence of rows must not use the
// transaction while it is pulled: its connection executes one statement at a time. After a [*Fault]
// or a [flussi.ErrConflict], roll back and repeat the transaction. Like the transaction, only one
// goroutine at a time may use the store.
//
// It composes and reads, and does not send. [flow.Service.SendFlow] in the transaction only orders
// the sending: after the commit, a dispatcher on the store itself does it, in this process or in
// another one. Claiming and sending are refused with [ErrInTx], and [flow.NewDispatcher] refuses
// the store. Once the transaction has ended, each call is an [ErrTxEnded]. With a nil transaction,
// each call is a [flussi.ErrConfig].
func (s *Store) WithTx(t pgx.Tx) *Store {
	within := &Store{driver: s.driver, logger: s.logger, inTx: true}
	if pooled, is := t.(*pgxpool.Tx); t == nil || is && pooled == nil {
		within.base = engine.WithoutTx(s.base)
	} else {
		within.base = engine.WithDriver(s.base, inTx{driver: s.driver, conn: conn{t, modeOf(t.Conn().Config())}, tx: t})
	}
	return within
}
