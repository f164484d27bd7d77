package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/flussi-go/flussi/internal/sentinel"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Fault is an error of the database. Its fields:
//
//   - Err, its class: one of the Err… values
//   - Code, the database's own, such as "SQLite 5"
//   - Detail, the cause in English; Reason, the cause for operators in Italian. Either may be ""
//   - Cause, the error of the driver
//
// It unwraps to Err and Cause. Its Error and Italian show no password and no stored value; Cause may
// show both.
type Fault = engine.Fault

// The classes of a [*Fault], which unwraps to one of them. Nothing was changed,
// unless the error is ErrLost or also a [flussi.ErrCommitUnknown]. ErrBusy, ErrFull, ErrLost,
// ErrReadOnly and ErrRestored are a [flussi.ErrStoreUnavailable].
var (
	ErrBusy        = engine.ErrBusy        // other connections write for longer than [Config].BusyTimeout: try again; in your transaction, repeat all of it
	ErrFull        = engine.ErrFull        // the disk or a quota is used up
	ErrLost        = engine.ErrLost        // the file was moved, deleted or replaced, or the disk fails
	ErrReadOnly    = engine.ErrReadOnly    // the file or its folder is read-only
	ErrAccess      = engine.ErrAccess      // not the path of a file, a missing folder, or a missing right
	ErrNotOurs     = engine.ErrNotOurs     // the file of another program, or a damaged one
	ErrNewer       = engine.ErrNewer       // a later version migrated the file
	ErrNotMigrated = engine.ErrNotMigrated // call [Store.Migrate]
	ErrRestored    = engine.ErrRestored    // the file is a copy or lost its last writes: see [Store.AcceptRestored]
	ErrInTx        = engine.ErrInTx        // a store of [Store.WithTx] refuses to send
	ErrTxEnded     = engine.ErrTxEnded     // the transaction of [Store.WithTx] has ended or failed
	ErrFailed      = engine.ErrFailed      // any other error of the database

	// ErrNotDurable: commits on a connection of the caller's pool do not wait for the disk, or its
	// journal is not on the disk.
	ErrNotDurable = sentinel.New("commits do not wait for the disk",
		"L'archivio non garantisce le registrazioni in caso di interruzione: chi gestisce il programma deve impostare synchronous FULL.", nil)
)

// Classify implements [engine.Driver].
func (*database) Classify(err error) error {
	var lite *sqlite.Error
	switch {
	case errors.As(err, &lite):
		return &Fault{Err: classOf(lite.Code(), lite.Error()), Code: fmt.Sprintf("SQLite %d", lite.Code()), Cause: err}
	case errors.Is(err, sql.ErrTxDone): // only the caller uses a sql.Tx
		return &Fault{Err: ErrTxEnded, Cause: err}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return &Fault{Err: ErrLost, Cause: err}
	case strings.HasSuffix(err.Error(), "sql: database is closed"): // database/sql has no value for it
		return engine.Closed(err)
	}
	return nil
}

// classOf returns the class of a result code. Without a table, SQLite returns only a general code,
// so the text is checked, too.
func classOf(code int, text string) error {
	switch code & 0xFF { // without the extended code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_READONLY:
		return ErrReadOnly
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return ErrAccess
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT:
		return ErrNotOurs
	case sqlite3.SQLITE_IOERR:
		if code == sqlite3.SQLITE_IOERR_SHMSIZE { // there is no room for the file -shm
			return ErrFull
		}
		return ErrLost
	}
	if notMigrated(text) {
		return ErrNotMigrated
	}
	return engine.ErrFailed
}

// isDamaged reports whether an error says that a file is damaged.
func isDamaged(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xFF == sqlite3.SQLITE_CORRUPT
}

// CommitUnknown implements [engine.Driver].
func (*database) CommitUnknown(ctx context.Context, err error) bool {
	var lite *sqlite.Error
	var fault *Fault
	switch {
	case errors.As(err, &fault):
		return false // a write was refused
	case errors.As(err, &lite):
		return lite.Code()&0xFF == sqlite3.SQLITE_IOERR // what was written may be found when the file is opened again
	case errors.Is(err, sql.ErrTxDone) && ctx.Err() == nil:
		return false
	}
	return true
}

// Explain implements [engine.Driver].
func (d *database) Explain(_ context.Context, fault *Fault) {
	switch fault.Err {
	case ErrBusy:
		fault.Detail = "other connections have been writing for " + d.busy.String()
	case ErrAccess:
		fault.Reason = noAccess
	case ErrNotMigrated:
		fault.Detail = "the tables flussi_… do not exist or are of an earlier version: call Store.Migrate"
	}
}

// Explain implements [engine.Driver]. To repeat the statement does not help: once the transaction
// has read, SQLite does not wait, and once another connection has written, it refuses each write.
func (d inTx) Explain(ctx context.Context, fault *Fault) {
	switch {
	case fault.Err != ErrBusy:
		d.database.Explain(ctx, fault)
	case isStale(fault.Cause):
		fault.Detail = "another connection has written since this transaction began to read: " + repeatTx
		fault.Reason = "L'archivio è cambiato dopo l'inizio della transazione: ripetere la transazione dall'inizio."
	default:
		fault.Detail = "another connection is writing: " + repeatTx
		fault.Reason = "L'archivio è occupato da un'altra operazione: ripetere la transazione dall'inizio."
	}
}

// noAccess says what to do if the file cannot be opened: the text of [ErrAccess] is for servers, too.
const noAccess = "L'archivio non si può aprire: controllare che il percorso sia quello di un file, " +
	"che la sua cartella esista e che il programma possa leggerla e scriverci."

// repeatTx says what to do with a transaction that cannot write.
const repeatTx = "roll back and repeat the transaction, and let it begin with BEGIN IMMEDIATE (_txlock=immediate)"
