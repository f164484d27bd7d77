package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// The classes of a [*Fault], which unwraps to one of them. Nothing was changed, unless the error is
// ErrLost or also a [flussi.ErrCommitUnknown]. ErrBusy, ErrFull, ErrLost, ErrReadOnly and ErrRestored
// are a [flussi.ErrStoreUnavailable].
var (
	// ErrBusy: another write locked what this one needs for longer than it waits, or the server has
	// too many connections. Try again; a transaction of the caller on SQLite has to be repeated whole.
	ErrBusy = sentinel.New("database is busy", "L'archivio è occupato da altre operazioni: riprovare fra poco.", flussi.ErrStoreUnavailable)
	// ErrFull: the disk or a quota is used up.
	ErrFull = sentinel.New("disk is full", "Il disco dell'archivio è pieno: liberare spazio e riprovare. Quanto era già registrato non è andato perso.", flussi.ErrStoreUnavailable)
	// ErrLost: the database cannot be reached, was restarted or replaced, its disk fails, or the
	// context ended while it was committing. A write may have been stored: the error is then a
	// [flussi.ErrCommitUnknown], too.
	ErrLost = sentinel.New("database is lost", "L'archivio non risponde, o la connessione si è interrotta: verificare che l'archivio sia attivo e riprovare. Quanto era già registrato non è andato perso.", flussi.ErrStoreUnavailable)
	// ErrReadOnly: the file, its folder or the server is read-only.
	ErrReadOnly = sentinel.New("database is read-only", "L'archivio è di sola lettura: dare i permessi di scrittura sul file e sulla sua cartella.", flussi.ErrStoreUnavailable)
	// ErrAccess: the address, the user, the password or a right is missing or wrong.
	ErrAccess = sentinel.New("database cannot be opened", "L'archivio non si può aprire: controllare il percorso o l'indirizzo, l'utente, la password e i permessi.", nil)
	// ErrNotOurs: a database, schema or file of another program, or a damaged one.
	ErrNotOurs = sentinel.New("not a database of this package", "L'archivio non è di questo programma, oppure è danneggiato: indicare un altro archivio, o ripristinare una copia.", nil)
	// ErrNewer: a later version of this package migrated the database.
	ErrNewer = sentinel.New("database of a later version", "L'archivio è di una versione più recente del programma: aggiornare il programma.", nil)
	// ErrNotMigrated: the tables do not exist, or are of an earlier version. Call Migrate.
	ErrNotMigrated = sentinel.New("database is not migrated", "L'archivio non è aggiornato a questa versione del programma: eseguire prima l'aggiornamento dell'archivio.", nil)
	// ErrRestored: the database is a copy, or lost its last writes, so messages that it holds as
	// not sent may have been sent. Nothing is sent until AcceptRestored is called.
	ErrRestored = sentinel.New("database was restored or lost its last writes", "L'archivio è stato ripristinato da una copia, oppure ha perso le ultime registrazioni: alcuni messaggi che risultano da inviare possono essere già partiti. Non si invia nulla finché un operatore non dichiara il ripristino.", flussi.ErrStoreUnavailable)
	// ErrInTx: a store in a transaction of the caller refuses to send a message, which would go out
	// before the transaction is committed.
	ErrInTx = sentinel.New("cannot send within a transaction of the caller", "L'invio non è possibile in una transazione non ancora confermata: confermarla, poi inviare.", nil)
	// ErrTxEnded: the transaction of the caller was committed or rolled back, or one of its statements
	// failed, before the store used it.
	ErrTxEnded = sentinel.New("transaction of the caller has ended or failed", "La transazione a cui apparteneva l'operazione è già conclusa, o non è riuscita: ripetere tutto dall'inizio.", nil)
	// ErrFailed: any other error of the database.
	ErrFailed = sentinel.New("database failed", "L'archivio ha un problema tecnico: rivolgersi all'assistenza.", nil)
)

// RestoredInTx is the error of AcceptRestored of a store in a transaction of the caller.
func RestoredInTx() error {
	return &Fault{Err: ErrInTx, Detail: "call AcceptRestored outside of the transaction",
		Reason: "Il ripristino dell'archivio non si può dichiarare in una transazione non ancora confermata: confermarla, poi dichiararlo."}
}

// Closed is the error of a store after Close, or after its caller closed the pool.
func Closed(cause error) *Fault {
	return &Fault{Err: ErrLost, Detail: "the store or its pool is closed", Cause: cause,
		Reason: "Il programma ha già chiuso l'archivio: riavviare il programma."}
}

// Fault is an error of the database. Its texts show no password and no stored value. Its Cause may
// show both; [errors.As] finds it.
type Fault struct {
	Err    error  // its class: one of the Err… values
	Code   string // the database's own, such as "SQLSTATE 53300"; "" if it gave none
	Detail string // the cause in English, such as the name of a parameter; may be ""
	Reason string // the cause in Italian, in whole sentences; "" for the text of Err
	Cause  error  // the driver's error
}

// Error describes the fault for programs and logs.
func (f *Fault) Error() string {
	parts := []string{f.Err.Error()}
	if f.Detail != "" {
		parts = append(parts, f.Detail)
	}
	text := strings.Join(parts, ": ")
	if f.Code == "" {
		return text
	}
	return fmt.Sprintf("%s (%s)", text, f.Code)
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
	if f.Reason != "" {
		return f.Reason
	}
	return flussi.Explain(f.Err)
}

// explainTimeout limits how long the store queries the database about the cause of a fault.
const explainTimeout = 2 * time.Second

// Fail returns the error of an operation of a store on the entity with an ID, which may be zero; nil if
// err is nil.
func Fail(ctx context.Context, s *Store, operation string, id uuid.UUID, err error) error {
	return s.fail(ctx, operation, id, err)
}

func (s *Store) fail(ctx context.Context, operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	return &flussi.Error{Package: s.driver.Package(), Operation: operation, ID: id, Err: s.cause(ctx, err)}
}

// cause returns what an error means.
func (s *Store) cause(ctx context.Context, err error) error {
	var caller callerError
	var fault *Fault
	switch {
	case errors.As(err, &caller):
		err = caller.error
	case errors.As(err, &fault):
		err = fault
	case isOurs(err):
	default:
		known := s.driver.Classify(err)
		if known == nil && !isEnded(err) {
			known = &Fault{Err: ErrFailed, Cause: err} // drivers quote the values that they cannot convert
		}
		if known != nil {
			err = known
		}
	}
	if errors.As(err, &fault) && fault.Detail == "" && fault.Reason == "" {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), explainTimeout)
		s.driver.Explain(limited, fault)
		cancel()
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return err
}

// isOurs reports whether an error is one of this package, whose text quotes no value.
func isOurs(err error) bool {
	var sent *flow.AlreadySentError
	var similar *flow.SimilarServiceError
	return errors.Is(err, flussi.ErrNotFound) || errors.Is(err, flussi.ErrConflict) || errors.Is(err, flussi.ErrConfig) ||
		errors.As(err, &sent) || errors.As(err, &similar)
}

// isEnded reports whether an error is that of a context.
func isEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// callerError is an error that the caller put into a sequence: it says nothing about the database.
type callerError struct{ error }

// Unwrap returns the caller's error.
func (c callerError) Unwrap() error { return c.error }
