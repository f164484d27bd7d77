package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// file is the file of a database, as it was opened.
type file struct {
	path string
	info os.FileInfo // nil if it was not there
	mark sentMark
}

// applicationID marks the files of [Open]: "Flus", in SQLite's application_id.
const applicationID = 0x466c7573

// location returns the file as a URL for SQLite.
func (f *file) location(query url.Values) string {
	location := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(f.path), RawQuery: query.Encode()}
	return location.String()
}

// stillThere refuses to write where nobody will find it: SQLite goes on with a file that was deleted
// or replaced, as when a copy of an earlier day is put in its place.
func (f *file) stillThere() error {
	now, err := os.Stat(f.path)
	if err != nil || !os.SameFile(f.info, now) {
		return &Fault{Err: ErrLost, Detail: "the file was moved, deleted or replaced", Cause: err}
	}
	return nil
}

// claim refuses the file of another program, and marks one that is empty, or of the time before this
// module. It changes nothing in a file that it refuses: a connection of [Open] would begin to use
// WAL. It reads by SQLite, since closing a file ends all locks that the process has on it.
func (f *file) claim(ctx context.Context, busy time.Duration) error {
	// As immutable, SQLite reads neither the -wal file nor a journal, and does not lock. If a process
	// was killed while it moved the -wal file into the database, the database alone is damaged.
	id, err := f.inspect(ctx, url.Values{"immutable": {"1"}}, nil)
	unfinished := isDamaged(err) && f.hasWAL()
	if err != nil && !unfinished || id == applicationID {
		return err
	}
	if err := f.mark.checkWAL(false); err != nil {
		return err
	}
	return untilFree(ctx, busy, func() error {
		_, err := f.inspect(ctx, url.Values{}, func(c *sql.Conn) error {
			_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
			return err
		})
		return err
	})
}

// hasWAL reports whether there is a -wal file that is not empty.
func (f *file) hasWAL() bool {
	info, err := os.Stat(f.path + "-wal")
	return err == nil && info.Size() > 0
}

// inspect reads the ID, and refuses the file of another program. If the file is empty, or older, it calls mark in a
// transaction that writes.
func (f *file) inspect(ctx context.Context, query url.Values, mark func(*sql.Conn) error) (id int64, err error) {
	connector, err := sqlite.NewConnector(f.location(query))
	if err != nil {
		return 0, err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	read := func() error {
		var tables, older int64
		err := c.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), count(*), count(*) FILTER (WHERE name = 'sqlstore_schema') FROM sqlite_master").
			Scan(&id, &tables, &older)
		if err == nil && id != applicationID && (id != 0 || tables > 0 && older == 0) {
			err = &Fault{Err: ErrNotOurs, Detail: "the file of another program"}
		}
		return err
	}
	if err := read(); err != nil || mark == nil || id == applicationID {
		return id, err
	}
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return id, err
	}
	err = read()
	if err == nil {
		err = mark(c)
	}
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return id, err
}
