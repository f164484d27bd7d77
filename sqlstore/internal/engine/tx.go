package engine

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/flussi-go/flussi"
)

// view reads the database as it is at one moment.
func (s *Store) view(ctx context.Context, read func(t *tx) error) error {
	begun, err := s.driver.Begin(ctx, Snapshot)
	if err != nil {
		return err
	}
	defer begun.Rollback()
	return read(&tx{Store: s, conn: begun, full: begun})
}

// attempts is how often a write is attempted if another write undoes it.
const attempts = 5

// write makes a change, all of it or nothing. If another write undoes it, it is made again.
func (s *Store) write(ctx context.Context, change func(t *tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.writeOnce(ctx, Write, change)
		if err == nil || attempt == attempts || s.driver.InTx() || !s.driver.Conflict(err) {
			return err
		}
	}
}

// writeOnce makes a change that cannot be made again, since it pulls a sequence of the caller.
func (s *Store) writeOnce(ctx context.Context, mode Mode, change func(t *tx) error) error {
	begun, err := s.driver.Begin(ctx, mode)
	if err != nil {
		return err
	}
	defer begun.Rollback()
	t := &tx{Store: s, conn: begun, full: begun, id: rand.Int64()}
	if err := change(t); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = begun.Commit(ctx)
	if err != nil && s.driver.CommitUnknown(ctx, err) {
		return &Fault{Err: ErrLost, Cause: errors.Join(flussi.ErrCommitUnknown, err)}
	}
	return err
}
