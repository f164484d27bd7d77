package postgres

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Fault is an error of the database. Its fields:
//
//   - Err, its class: one of the Err… values
//   - Code, the database's own, such as "SQLSTATE 53300"
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
	ErrBusy        = engine.ErrBusy        // another write locked what this one needs, or there are too many connections; try again
	ErrFull        = engine.ErrFull        // the disk or a quota is used up
	ErrLost        = engine.ErrLost        // the server cannot be reached or was restarted; a write may have been stored
	ErrReadOnly    = engine.ErrReadOnly    // a stand-by server
	ErrAccess      = engine.ErrAccess      // the address, the user, the password or a right is wrong
	ErrNotOurs     = engine.ErrNotOurs     // the schema of another program
	ErrNewer       = engine.ErrNewer       // a later version migrated the schema
	ErrNotMigrated = engine.ErrNotMigrated // call [Store.Migrate]
	ErrRestored    = engine.ErrRestored    // the server was restored or failed over: see [Store.AcceptRestored]
	ErrInTx        = engine.ErrInTx        // a store of [Store.WithTx] refuses to send
	ErrTxEnded     = engine.ErrTxEnded     // the transaction of [Store.WithTx] has ended or failed
	ErrFailed      = engine.ErrFailed      // any other error of the database
)

// Classify implements [engine.Driver].
func (d *driver) Classify(err error) error {
	var (
		server  *pgconn.PgError
		connect *pgconn.ConnectError
		network net.Error
	)
	switch {
	case errors.As(err, &connect):
		return connectFault(connect)
	case errors.As(err, &server):
		class := classOf(server.Code)
		if class == nil {
			return flussi.ErrConflict
		}
		return &Fault{Err: class, Code: "SQLSTATE " + server.Code, Cause: err}
	case errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, pgx.ErrTxClosed), errors.Is(err, pgx.ErrTxCommitRollback), pgconn.SafeToRetry(err),
		errors.Is(err, sqldriver.ErrBadConn), errors.Is(err, sql.ErrConnDone): // of migrations, by database/sql
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return &Fault{Err: ErrLost, Cause: err}
	case errors.Is(err, puddle.ErrClosedPool):
		return engine.Closed(err)
	}
	return nil
}

// Classify implements [engine.Driver]. pgx returns ErrTxClosed for a transaction that the caller
// ended.
func (d inTx) Classify(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return &Fault{Err: ErrTxEnded, Cause: err}
	}
	return d.driver.Classify(err)
}

// codeOf returns the SQLSTATE of an error, "" if it has none.
func codeOf(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}

// classOf returns the class of an SQLSTATE, which appendix A of PostgreSQL's manual lists. It
// returns nil for a conflict with another write, which undid this one.
func classOf(code string) error {
	switch {
	case code == "40001", code == "40P01":
		return nil
	case code == "53100":
		return ErrFull
	case strings.HasPrefix(code, "53"), code == "55P03", code == "57014":
		return ErrBusy
	case code == "25006":
		return ErrReadOnly
	case code == "25P02": // a statement of the caller's transaction failed
		return ErrTxEnded
	case strings.HasPrefix(code, "28"), code == "3D000", code == "42501", code == "42704":
		return ErrAccess
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "57P"), strings.HasPrefix(code, "58"), code == "25P03", code == "25P04":
		return ErrLost
	case code == "3F000", code == "42P01", code == "42703":
		return ErrNotMigrated
	case code == "XX001", code == "XX002", code == "42P07", code == "42710":
		return ErrNotOurs
	}
	return engine.ErrFailed
}

// CommitUnknown implements [engine.Driver].
func (*driver) CommitUnknown(ctx context.Context, err error) bool {
	var server *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, pgx.ErrTxClosed) && ctx.Err() == nil:
		return false
	case errors.As(err, &server):
		return classOf(server.Code) == ErrLost
	}
	return true // no answer
}
