package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/flussi-go/flussi"
)

// What can be wrong with a database. A [*Fault] unwraps to one of these. With all of them but
// ErrLost, nothing was changed.
var (
	ErrBusy     = errors.New("database is busy")                        // others write, it takes longer than the server lets it, or there are too many connections; try again
	ErrFull     = errors.New("disk is full")                            // or a quota is used up
	ErrLost     = errors.New("database is lost")                        // not there, restarted, replaced, its disk fails, or the context ended while it was committing; if in the middle of a write, it may have been made
	ErrReadOnly = errors.New("database is read-only")                   // the file, its folder, or a stand-by server
	ErrAccess   = errors.New("database cannot be opened")               // a wrong address or password, a missing folder, or no rights
	ErrNoStore  = errors.New("not a database of this package")          // another file, or a damaged one
	ErrNewer    = errors.New("database of a newer version of this one") // see [Open]
)

// Fault says what is wrong with the database itself. It never shows a password, nor a value that
// is stored; the cause, which may, is found by errors.As.
type Fault struct {
	Err   error  // one of the Err… values
	Code  string // the database's own, such as SQLSTATE 53300; "" if it gave none
	Cause error  // what the driver said
}

// Error describes the fault for programs and logs.
func (f *Fault) Error() string {
	if f.Code == "" {
		return f.Err.Error()
	}
	return fmt.Sprintf("%v (%s)", f.Err, f.Code)
}

// Unwrap returns the class of the fault and its cause.
func (f *Fault) Unwrap() []error {
	if f.Cause == nil {
		return []error{f.Err}
	}
	return []error{f.Err, f.Cause}
}

// Italian describes the fault for the operator.
func (f *Fault) Italian() string {
	switch f.Err {
	case ErrBusy:
		return "L'archivio è occupato da altri programmi: riprovare fra poco."
	case ErrFull:
		return "Il disco dell'archivio è pieno: liberare spazio e riprovare. Quanto era già registrato non è andato perso."
	case ErrLost:
		return "L'archivio non risponde, o la connessione si è interrotta: verificare che l'archivio sia attivo e riprovare. Quanto era già registrato non è andato perso."
	case ErrReadOnly:
		return "L'archivio è di sola lettura: dare i permessi di scrittura sul file e sulla sua cartella."
	case ErrAccess:
		return "L'archivio non si può aprire: controllare il percorso o l'indirizzo, l'utente, la password e i permessi."
	case ErrNoStore:
		return "L'archivio non è di questo programma, oppure è danneggiato: indicare un altro archivio, o ripristinare una copia."
	case ErrNewer:
		return "L'archivio è di una versione più recente del programma: aggiornare il programma."
	}
	return "L'archivio ha un problema tecnico: rivolgersi all'assistenza."
}

// What the rooms have their own errors for.
var (
	errNotFound = errors.New("not found")
	errConflict = errors.New("changed in the meantime")
)

// fail returns what was wrong with an operation on flows or notifications.
func fail(ctx context.Context, operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	return &flussi.Error{Package: "sqlstore", Operation: operation, ID: id, Err: cause(ctx, err, flussi.ErrNotFound, flussi.ErrConflict)}
}

// failNotice returns what was wrong with an operation on events or notices.
func failNotice(ctx context.Context, operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	return &flussi.Error{Package: "sqlstore", Operation: operation, ID: id, Err: cause(ctx, err, flussi.ErrNotFound, flussi.ErrConflict)}
}

// cause returns what an error means, with a room's own errors.
func cause(ctx context.Context, err, notFound, conflict error) error {
	var caller callers
	if errors.As(err, &caller) {
		err = caller.error
	} else if known := classify(err); known != nil {
		err = known
	}
	switch {
	case errors.Is(err, errNotFound):
		err = notFound
	case errors.Is(err, errConflict):
		err = conflict
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// callers is an error that the caller put into a sequence: it says nothing about the database.
type callers struct{ error }

// Unwrap returns the error.
func (c callers) Unwrap() error { return c.error }

// classify returns what an error of a driver means: a [*Fault], or a conflict with another
// write; nil if it is none.
func classify(err error) error {
	var (
		lite    *sqlite.Error
		server  *pgconn.PgError
		connect *pgconn.ConnectError
		parse   *pgconn.ParseConfigError
		network net.Error
	)
	switch {
	case errors.As(err, &lite):
		return &Fault{classOfSQLite(lite.Code()), fmt.Sprintf("SQLite %d", lite.Code()), err}
	case errors.As(err, &server):
		class := classOfSQLState(server.Code)
		if class == errConflict {
			return class
		}
		return &Fault{class, "SQLSTATE " + server.Code, err}
	case errors.As(err, &parse):
		return &Fault{ErrAccess, "", err}
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, pgx.ErrTxClosed), errors.Is(err, pgx.ErrTxCommitRollback), pgconn.SafeToRetry(err): // the last: it is closed already
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return &Fault{ErrLost, "", err}
	}
	return nil
}

// uncertain reports whether a transaction may be committed although its COMMIT returned an error.
func uncertain(ctx context.Context, err error) bool {
	var (
		lite   *sqlite.Error
		server *pgconn.PgError
	)
	switch {
	case err == nil, errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, sql.ErrTxDone) && ctx.Err() == nil:
		return false
	case errors.As(err, &lite):
		return classOfSQLite(lite.Code()) == ErrLost
	case errors.As(err, &server):
		return classOfSQLState(server.Code) == ErrLost
	}
	return true // no answer
}

// classOfSQLite returns the class of a result code.
func classOfSQLite(code int) error {
	switch code & 0xFF { // the rest says more
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_READONLY:
		return ErrReadOnly
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return ErrAccess
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT:
		return ErrNoStore
	case sqlite3.SQLITE_IOERR:
		return ErrLost
	}
	return errUnknown
}

// classOfSQLState returns the class of a condition of PostgreSQL: appendix A of its manual.
func classOfSQLState(code string) error {
	switch {
	case code == "40001", code == "40P01": // another write met this one, which was undone
		return errConflict
	case code == "53100":
		return ErrFull
	case strings.HasPrefix(code, "53"), code == "55P03", code == "57014":
		return ErrBusy
	case code == "25006":
		return ErrReadOnly
	case strings.HasPrefix(code, "28"), code == "3D000", code == "3F000", code == "42501", code == "42704":
		return ErrAccess
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "58"), code == "25P03", code == "25P04":
		return ErrLost
	case code == "XX001", code == "XX002", code == "42P01", code == "42703", code == "42P07", code == "42710": // damaged, or other tables
		return ErrNoStore
	}
	return errUnknown
}

var errUnknown = errors.New("database failed")
