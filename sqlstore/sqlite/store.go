package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Config says how a database is used. The zero Config is valid.
type Config struct {
	// MaxReaders is how many connections [Open] opens for reading at most; [New] ignores it.
	// Defaults to 8; at most 1,000.
	MaxReaders int
	// BusyTimeout is how long a write of the store waits for other connections, with [Open] and
	// with [New]. In a transaction of the caller, the busy_timeout of its connection applies.
	// Defaults to 30 seconds; at most one day.
	BusyTimeout time.Duration
}

// Store keeps flows and notifications, payment events and notices, and settlements, payments and
// movements, in SQLite. It is safe for concurrent use.
//
// Besides the methods below it has those of these interfaces, whose comments say what they do:
//
//   - [flow.Store], [flow.SaveAndClaimer], [flow.RestorableStore] and [flow.SendChecker]
//   - [pagoinrete.Store]
//   - [settlement.Store]: BodyVersion, Save, and what reads settlements, payments and movements
//   - [appio.TurnStore]: ReserveTurns, of which each call is a write that waits for the disk
type Store struct {
	*base
	database *database
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

const (
	// writerBusyTimeout is how long SQLite itself waits to write, before retryBusy checks the
	// context.
	writerBusyTimeout = 100 * time.Millisecond

	writerCache = 24 << 10 // KiB
	readerCache = 8 << 10  // KiB, of each connection
)

const (
	maxReaders     = 1000
	maxBusyTimeout = 24 * time.Hour
)

// withDefaults fills in the defaults. The error is a [flussi.ErrConfig] that names the fields that are
// out of their range.
func (c Config) withDefaults() (Config, error) {
	var wrong []error
	if c.MaxReaders < 0 || c.MaxReaders > maxReaders {
		wrong = append(wrong, fmt.Errorf("MaxReaders is %d, not 1 to %d", c.MaxReaders, maxReaders))
	}
	if c.BusyTimeout < 0 || c.BusyTimeout > maxBusyTimeout {
		wrong = append(wrong, fmt.Errorf("BusyTimeout is %v, not up to %v", c.BusyTimeout, maxBusyTimeout))
	}
	if len(wrong) > 0 {
		return c, fmt.Errorf("sqlite: %w: %w", flussi.ErrConfig, errors.Join(wrong...))
	}
	if c.MaxReaders == 0 {
		c.MaxReaders = 8
	}
	if c.BusyTimeout == 0 {
		c.BusyTimeout = 30 * time.Second
	}
	return c, nil
}

// Open opens a file, or creates it, and creates or updates its tables. The error is a [*Fault]:
// [ErrNotOurs] if the file is another program's, [ErrNewer] if a later version of this package
// wrote it, [ErrRestored] if the -wal file belongs to another database or to an earlier moment. For a
// Config out of its limits it is a [flussi.ErrConfig].
func Open(ctx context.Context, path string, c Config) (*Store, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, c)
	if err != nil {
		return nil, failed(ctx, "open database", err)
	}
	if err := s.Migrate(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, path string, c Config) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if path == "" || path == ":memory:" || strings.HasPrefix(path, "file:") || strings.ContainsRune(path, 0) {
		return nil, &Fault{Err: ErrAccess, Detail: "not the path of a file", Reason: noAccess}
	}
	given, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	resolved := resolve(given)
	// Only the owner may read it: it holds personal data. SQLite gives its other files the same
	// permissions.
	if created, err := os.OpenFile(resolved, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = created.Close()
	}
	f := &file{given: given, path: resolved, mark: sentMark{path: resolved}}
	f.info, _ = os.Stat(resolved) // if it does not exist, SQLite says why
	if err := f.identify(ctx, c.BusyTimeout); err != nil {
		return nil, err
	}
	writes, err := connect(f, c, 1, false, fmt.Sprintf("cache_size(-%d)", writerCache), "temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	reads, err := connect(f, c, c.MaxReaders, true, fmt.Sprintf("cache_size(-%d)", readerCache), "query_only(1)")
	if err != nil {
		return nil, err
	}
	outside, err := connect(f, c, 1, true, "query_only(1)")
	if err != nil {
		return nil, err
	}
	d := &database{conn: conn{reads, c.BusyTimeout, newCalls()}, reads: reads, writes: writes, outside: outside, file: f}
	d.close = sync.OnceValue(d.closePools)
	d.mark.Store(&f.mark)
	return &Store{base: engine.New(d), database: d}, nil
}

// connect returns a pool of connections to a file, for reading or for writing.
func connect(f *file, c Config, connections int, reads bool, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append(pragmas, fmt.Sprintf("busy_timeout(%d)", writerBusyTimeout.Milliseconds()),
		"journal_mode(WAL)", "wal_autocheckpoint(4000)", "synchronous(FULL)", "secure_delete(ON)")}
	inner, err := sqlite.NewConnector(f.location(query))
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{inner, c.BusyTimeout, reads, f})
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// New returns a store on a database of the caller, which remains the caller's. Its tables are
// called flussi_…. Call [Store.Migrate] before anything else. Each connection must have synchronous
// FULL, which is SQLite's default, or EXTRA, and a journal on the disk. New opens no connection:
// Migrate, and each write on another one, is refused with [ErrNotDurable]. The error is a
// [flussi.ErrConfig].
//
//	db, err := sql.Open("sqlite", "file:comune.db?_pragma=journal_mode(WAL)&_pragma=busy_timeout(30000)&_txlock=immediate")
//
// Without _pragma=secure_delete(1), what [flow.Service.Anonymise] erases may remain in free pages of
// the file. WAL is not required; without it, readers and the writer wait for each other. busy_timeout
// is how long the caller's own statements wait: the driver's default is 0. See [Store.WithTx] for
// _txlock. Each connection to :memory: opens another database: call SetMaxOpenConns(1).
func New(db *sql.DB, c Config) (*Store, error) {
	if db == nil {
		return nil, fmt.Errorf("sqlite: new store: %w: database is nil", flussi.ErrConfig)
	}
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &database{conn: conn{querier: db, busy: c.BusyTimeout}, reads: db, writes: db}
	return &Store{base: engine.New(d), database: d}, nil
}

// Property stores a value of the program under a name, unless the name has one already, and returns
// the stored value. So a program can tell a trial database from a real one.
func (s *Store) Property(ctx context.Context, name, value string) (string, error) {
	return s.base.Property(ctx, name, value)
}

// Self returns the store: see [flow.SaveAndClaimer].
func (s *Store) Self() flow.Store { return s }

// Close refuses new calls with [ErrLost], waits for those that run, and closes the connections of
// [Open]. When the last store on a file is closed, its -wal file is removed. Do not call Close
// from a sequence of rows that a call reads: it would wait for that call for ever. It leaves a
// database of [New] open.
func (s *Store) Close() error {
	if s.inTx || s.database.close == nil {
		return nil
	}
	return s.database.close()
}

// closePools closes the pools. SQLite closes connections that are in use only when their calls end,
// and moves the -wal file into the database when the last one is closed, so it waits for all calls.
func (d *database) closePools() error {
	d.calls.close()
	err := errors.Join(d.writes.Close(), d.reads.Close(), d.outside.Close())
	d.file.mark.noteClosed()
	return err
}

// WithTx returns a store that works in a transaction of the caller: what it writes is stored when
// the caller commits.
//
// A write that it refuses leaves nothing in the transaction, which goes on: after a
// [flussi.ErrRows], the caller may commit its own rows. A sequence of rows may read in the
// transaction while it is pulled. After a [*Fault], roll back and repeat the transaction. Let it
// begin with BEGIN IMMEDIATE, by _txlock=immediate: one that reads first cannot write any more once
// another connection has written, and is refused with [ErrBusy]. Like the transaction, only one
// goroutine at a time may use the store.
//
// It composes and reads, and does not send. [flow.Service.SendFlow] in the transaction only orders
// the sending: after the commit, a dispatcher on the store itself does it, in this process or in
// another one. Claiming and sending are refused with [ErrInTx], and [flow.NewDispatcher] refuses
// the store. Once the transaction has ended, each call is an [ErrTxEnded]. With a nil transaction,
// each call is a [flussi.ErrConfig].
func (s *Store) WithTx(t *sql.Tx) *Store {
	within := &Store{base: engine.WithoutTx(s.base), database: s.database, inTx: true}
	if t != nil {
		within.base = engine.WithDriver(s.base, inTx{s.database, conn{querier: t, busy: s.database.busy}})
	}
	return within
}

// failed returns the error of an operation before a store exists.
func failed(ctx context.Context, operation string, err error) error {
	return engine.Fail(ctx, engine.New(&database{}), operation, uuid.Nil, err)
}
