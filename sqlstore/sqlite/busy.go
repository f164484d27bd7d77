package sqlite

import (
	"context"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// isBusy reports whether an error says that others have locked the file, or a table of a database
// in memory.
func isBusy(err error) bool {
	var fault *sqlite.Error
	if !errors.As(err, &fault) {
		return false
	}
	code := fault.Code() & 0xFF
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// pause is how long a call waits before it tries again. Connections of [Open] wait longer within
// SQLite; those of a database of the caller may not wait at all.
const pause = 5 * time.Millisecond

// untilFree makes a call again while others have locked the file, until a time has passed or the
// context ends, which SQLite itself does not heed.
func untilFree(ctx context.Context, busy time.Duration, call func() error) error {
	for end := time.Now().Add(busy); ; {
		err := call()
		if !isBusy(err) || time.Now().After(end) {
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
