package sqlstore

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Config says how a database is used. The zero Config is fine.
type Config struct {
	// MaxConns is how many connections there may be at a time. Defaults to 8.
	MaxConns int
	// BusyTimeout is for how long a write waits for the writes of other processes, on SQLite.
	// Defaults to 30 seconds.
	BusyTimeout time.Duration
	// Logger hears what the store has to do without, such as an index for texts. Defaults to none.
	Logger *slog.Logger
}

// Store keeps flows and notifications, and payment events and notices, in a database, as
// [flow.Store] and [pagoinrete.Store] want it. It is safe for concurrent use.
type Store struct {
	db *database
}

var (
	_ flow.Store       = (*Store)(nil)
	_ pagoinrete.Store = (*Store)(nil)
)

// Open opens the database at a location: the path of a SQLite file, which is made if it is not
// there, or the URL of a database of PostgreSQL, which is. What the store needs in it is created
// or brought up to date.
func Open(ctx context.Context, location string, c Config) (*Store, error) {
	const operation = "open database"
	if c.MaxConns <= 0 {
		c.MaxConns = 8
	}
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := ctx.Err(); err != nil {
		return nil, fail(ctx, operation, uuid.Nil, err)
	}
	open := openSQLite
	if strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://") {
		open = openPostgres
	}
	db, err := open(location, c)
	if err != nil {
		return nil, fail(ctx, operation, uuid.Nil, err)
	}
	db.looks = usual
	s := &Store{db: db}
	if err := db.migrate(ctx); err != nil {
		_ = s.Close()
		return nil, fail(ctx, operation, uuid.Nil, err)
	}
	if err := db.redigestAll(ctx); err != nil {
		_ = s.Close()
		return nil, fail(ctx, operation, uuid.Nil, err)
	}
	if err := db.complete(ctx, db, c.Logger); err != nil {
		_ = s.Close()
		return nil, fail(ctx, operation, uuid.Nil, err)
	}
	return s, nil
}

// Close closes the database. What is under way comes to its end first.
func (s *Store) Close() error {
	err := s.db.reads.Close()
	if s.db.writes != s.db.reads {
		err = errors.Join(s.db.writes.Close(), err)
	}
	return err
}

// Purpose keeps a word with the database the first time it is called, and returns the word that
// is kept: so that a program can tell a database of trials with the simulator from a real one.
func (s *Store) Purpose(ctx context.Context, purpose string) (string, error) {
	const operation = "read purpose of database"
	var kept string
	get := func(t *tx) error {
		return t.query(ctx, "SELECT value FROM settings WHERE name = 'purpose'", nil, []any{wordTo(&kept)}, func() {})
	}
	err := get(s.db.read())
	if err == nil && kept == "" {
		err = s.db.write(ctx, func(t *tx) error {
			if _, err := t.exec(ctx, "INSERT INTO settings (name, value) VALUES ('purpose', ?) ON CONFLICT DO NOTHING", held(purpose)); err != nil {
				return err
			}
			return get(t)
		})
	}
	return kept, fail(ctx, operation, uuid.Nil, err)
}
