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

// file is the file of a database of [Open].
type file struct {
	given string      // the path that Open was called with
	path  string      // without symbolic links
	info  os.FileInfo // when it was opened; nil if it did not exist
	mark  sentMark
}

// maxLinks is how many symbolic links resolve follows: as many as Linux.
const maxLinks = 40

// resolve follows the symbolic links of an absolute path, as SQLite does: it writes the -wal file
// beside the file itself. Unlike [filepath.EvalSymlinks], it also follows a link to a file that does
// not exist yet. If a folder does not exist, it returns the path as it is.
func resolve(path string) string {
	for range maxLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return path
		}
		path = filepath.Join(folder, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil { // no link
			return path
		}
		if path = target; !filepath.IsAbs(target) {
			path = filepath.Join(folder, target)
		}
	}
	return path
}

// applicationID is the application_id of files of [Open]: "Flus".
const applicationID = 0x466c7573

// location returns the URL of the file for SQLite.
func (f *file) location(query url.Values) string {
	location := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(f.path), RawQuery: query.Encode()}
	return location.String()
}

// checkPath returns an [ErrLost] if the path has no file or another one than when it was opened,
// such as a restored copy. SQLite would continue to write to the deleted file.
func (f *file) checkPath() error {
	now, err := os.Stat(f.given)
	if err != nil || !os.SameFile(f.info, now) {
		return &Fault{Err: ErrLost, Detail: "the file was moved, deleted or replaced", Cause: err,
			Reason: "Il file dell'archivio è stato spostato, eliminato o sostituito mentre il programma lo usava: controllare il file, poi riavviare il programma."}
	}
	return nil
}

// identify refuses the file of another program, and sets the application_id of a file that is empty
// or has the tables of examples/sqlstore. It changes nothing in a file that it refuses: a
// connection of [Open] would switch it to WAL mode. It reads the file through SQLite, since closing
// it otherwise would end all locks that the process has on it.
func (f *file) identify(ctx context.Context, busy time.Duration) error {
	// With immutable, SQLite reads neither the -wal file nor a journal, and locks nothing. If a
	// process was killed while it moved the -wal file into the database, the database without it is
	// damaged.
	id, err := f.inspect(ctx, url.Values{"immutable": {"1"}}, nil)
	unfinished := isDamaged(err) && f.hasWAL()
	if err != nil && !unfinished || id == applicationID {
		return err
	}
	if err := f.mark.checkWAL(false); err != nil {
		return err
	}
	return retryBusy(ctx, busy, func() error {
		// A connection that may write would move the content of another program's -wal file into
		// its database. Other errors may be those of a connection that only reads: it cannot undo
		// what a killed process left in a journal.
		var fault *Fault
		_, err := f.inspect(ctx, url.Values{"mode": {"ro"}}, nil)
		if errors.As(err, &fault) {
			return err
		}
		_, err = f.inspect(ctx, url.Values{}, func(c *sql.Conn) error {
			_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
			return err
		})
		return err
	})
}

// hasWAL reports whether a -wal file exists and is not empty.
func (f *file) hasWAL() bool {
	info, err := os.Stat(f.path + "-wal")
	return err == nil && info.Size() > 0
}

// inspect reads the application_id, and refuses the file of another program. If the file has none
// yet, it calls set in a transaction that writes; set may be nil.
func (f *file) inspect(ctx context.Context, query url.Values, set func(*sql.Conn) error) (id int64, err error) {
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
	if err := read(); err != nil || set == nil || id == applicationID {
		return id, err
	}
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return id, err
	}
	err = read()
	if err == nil {
		err = set(c)
	}
	if err == nil {
		_, err = c.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return id, err
}
