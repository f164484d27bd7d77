package memtable

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// DB is the lock that the tables of a store share. Its zero value is ready for use.
type DB struct{ mu sync.RWMutex }

// Operation names what a store is asked to do, for its errors.
type Operation struct {
	Name string    // such as "save flow"
	ID   uuid.UUID // of the entity; zero if there are several or none
}

// Fail returns an error of the operation.
func (op Operation) Fail(err error) error {
	return &flussi.Error{Package: "memstore", Operation: op.Name, ID: op.ID, Err: err}
}

// ended returns an error if the context has ended.
func (op Operation) ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return op.Fail(err)
	}
	return nil
}

// View calls read under the lock for reading, unless the context has ended.
func (db *DB) View(ctx context.Context, op Operation, read func() error) error {
	if err := op.ended(ctx); err != nil {
		return err
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	return read()
}

// Update calls write under the lock for writing, unless the context has ended by then.
func (db *DB) Update(ctx context.Context, op Operation, write func() error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := op.ended(ctx); err != nil {
		return err
	}
	return write()
}

// Check checks parts of a write that is not complete yet.
func (db *DB) Check(ctx context.Context, op Operation, parts ...Part) error {
	return db.View(ctx, op, func() error { return check(op, parts) })
}

// Save stores all parts in their order, or nothing if one must not be stored.
func (db *DB) Save(ctx context.Context, op Operation, parts ...Part) error {
	return db.Update(ctx, op, func() error { return Save(op, parts...) })
}

// CutTimes makes times what databases keep of them: in UTC, to the microsecond.
func CutTimes(times ...*time.Time) {
	for _, t := range times {
		*t = t.UTC().Truncate(time.Microsecond)
	}
}
