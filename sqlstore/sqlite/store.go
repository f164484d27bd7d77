package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Config says how a database is used. The zero Config is valid.
type Config struct {
	// MaxReaders is how many connections [Open] makes for reading at most. Defaults to 8.
	MaxReaders int
	// BusyTimeout is how long a write waits for those of other processes. Defaults to 30 seconds.
	BusyTimeout time.Duration
}

// Store keeps flows and notifications, and payment events and notices, in SQLite. Its methods are
// those of [flow.Store], [flow.SaveAndClaimer] and [pagoinrete.Store], whose comments say what they
// do. It is safe for concurrent use.
type Store struct {
	*engine.Store
	database *database
	own      bool // the connections
	inTx     bool // of the caller
}

var (
	_ flow.Store           = (*Store)(nil)
	_ flow.SaveAndClaimer  = (*Store)(nil)
	_ flow.RestorableStore = (*Store)(nil)
	_ pagoinrete.Store     = (*Store)(nil)
)

const (
	// turn is how long SQLite itself waits to write, before the context is asked again.
	turn = 100 * time.Millisecond

	writerCache = 24 << 10 // KiB
	readerCache = 8 << 10  // KiB, of each connection
)

func (c Config) withDefaults() Config {
	if c.MaxReaders <= 0 {
		c.MaxReaders = 8
	}
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = 30 * time.Second
	}
	return c
}

// Open opens a file, which is created if it is not there, and creates or updates its tables. The
// error is a [*Fault]: [ErrNotOurs] if the file is another program's, [ErrNewer] if a later version
// of this package wrote it, [ErrRestored] if the -wal file beside it is not its own.
func Open(ctx context.Context, path string, c Config) (*Store, error) {
	s, err := open(ctx, path, c.withDefaults())
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
		return nil, &Fault{Err: ErrAccess, Detail: "not the path of a file"}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// For its owner alone: it holds personal data. What SQLite creates beside it has its permissions.
	if created, err := os.OpenFile(absolute, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		_ = created.Close()
	}
	f := &file{path: absolute, mark: sentMark{path: absolute}}
	f.info, _ = os.Stat(absolute) // if it is not there, SQLite says why
	if err := f.claim(ctx, c.BusyTimeout); err != nil {
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
	d := &database{conn: conn{reads, c.BusyTimeout}, reads: reads, writes: writes, file: f, mark: &f.mark}
	return &Store{Store: engine.New(d), database: d, own: true}, nil
}

// connect returns connections to a file. SQLite lets one connection write at a time.
func connect(f *file, c Config, connections int, waits bool, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append(pragmas, fmt.Sprintf("busy_timeout(%d)", turn.Milliseconds()),
		"journal_mode(WAL)", "wal_autocheckpoint(4000)", "synchronous(FULL)", "secure_delete(FAST)")}
	inner, err := sqlite.NewConnector(f.location(query))
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector{inner, c.BusyTimeout, waits, f})
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// New returns a store on a database of the caller's, which stays the caller's. Its tables are called
// flussi_…: call [Store.Migrate] before anything else. Each connection must have synchronous FULL;
// a write on another one is refused with [ErrNotDurable]. The error is a [flussi.ErrConfig].
func New(db *sql.DB, c Config) (*Store, error) {
	if db == nil {
		return nil, fmt.Errorf("sqlite: new store: %w: database is nil", flussi.ErrConfig)
	}
	d := &database{conn: conn{db, c.withDefaults().BusyTimeout}, reads: db, writes: db}
	return &Store{Store: engine.New(d), database: d}, nil
}

// Self returns the store: see [flow.SaveAndClaimer].
func (s *Store) Self() flow.Store { return s }

// Close closes the connections of [Open], after what is under way; it leaves a database of [New]
// open.
func (s *Store) Close() error {
	if !s.own {
		return nil
	}
	err := s.database.writes.Close()
	if closed := s.database.reads.Close(); err == nil {
		err = closed
	}
	s.database.mark.closed()
	return err
}

// WithTx returns a store that works in a transaction of the caller: what it writes is stored when
// the caller commits. A write that it refuses leaves nothing in the transaction. It refuses to
// claim and to send, with [ErrInTx]. Use it as the transaction, by one goroutine at a time.
func (s *Store) WithTx(t *sql.Tx) *Store {
	d := inTx{s.database, conn{t, s.database.busy}}
	return &Store{Store: s.Store.WithDriver(d), database: s.database, inTx: true}
}

// failed is what [engine.Store.Fail] returns before there is a store.
func failed(ctx context.Context, operation string, err error) error {
	return engine.New(&database{}).Fail(ctx, operation, uuid.Nil, err)
}
