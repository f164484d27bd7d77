package sqlite

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// isBusy reports whether an error says that another connection has locked the file, or a table of a
// database in memory.
func isBusy(err error) bool {
	var fault *sqlite.Error
	if !errors.As(err, &fault) {
		return false
	}
	code := fault.Code() & 0xFF
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// isStale reports whether an error says that another connection has written since the transaction
// began to read. The transaction cannot write any more.
func isStale(err error) bool {
	var fault *sqlite.Error
	return errors.As(err, &fault) && fault.Code() == sqlite3.SQLITE_BUSY_SNAPSHOT
}

// pause is the time between attempts. Connections of [Open] wait longer within SQLite; those of the
// caller's pool may not wait at all.
const pause = 5 * time.Millisecond

// retryBusy repeats a call while other connections have locked the file, until the timeout has
// passed or the context ends. SQLite itself ignores the context.
func retryBusy(ctx context.Context, timeout time.Duration, call func() error) error {
	return retryWhile(ctx, isBusy, timeout, call)
}

// retryWhile repeats a call as long as its error is one that may pass, until the timeout has passed
// or the context ends.
func retryWhile(ctx context.Context, mayPass func(error) bool, timeout time.Duration, call func() error) error {
	for end := time.Now().Add(timeout); ; {
		err := call()
		if !mayPass(err) || time.Now().After(end) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}
