package flow

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"
)

// Store keeps flows and notifications. Applications implement it on their database;
// package memstore has one in memory, and flowtest.RunStore of package flowtest checks
// whether an implementation keeps what is said here: run it in the tests of yours.
//
// What holds for every method:
//
//   - It is safe for concurrent use by any number of goroutines, and if the database is
//     shared, of processes.
//   - It is all or nothing. A write that returns an error has changed nothing, unless
//     the error is an [flussi.ErrCommitUnknown]: the database was lost in the middle of it.
//   - A context that ends makes it return an error that is the context's; a write whose
//     context ended before it began changes nothing.
//   - What it returns is the caller's: changing it changes nothing in the store.
//   - What it returns is as it was stored, to the last character. Times are kept to the
//     microsecond, cut or rounded, and are returned in UTC; the zero time stays zero. States, codes and actions that it does not know are kept.
//
// Versions: an entity is stored with the Version that it was read with, and the store
// keeps it with the next one, if it still has that one; otherwise, and if an entity that
// is said to be new exists or one that is not new does not, nothing is written and the
// error is an [flussi.ErrConflict]; so is one entity twice in one write. Writes that meet each
// other at the same moment succeed or are an ErrConflict, never a deadlock that somebody
// else has to untie. With each version, the store keeps the record that came with it, and
// sets the record's Version. The ID, FlowID, Service and CreatedAt of an entity never
// change, and the flow of a notification is there before it: a database may rely on that.
//
// Leases: a notification that is stored as In invio, by whichever method, gets a lease: from
// now, by the store's clock, for as long as its change says; one of 0 is over at once. Stored in
// any other state it has none.
//
// No message twice: no method makes a notification In invio while another one of the same Service
// with the same [Draft.Digest] may have arrived ([Notification.MayHaveArrived]) once the write is
// stored. Claim makes it Errore instead, by [Notification.AlreadySent]; every other method writes
// nothing, and returns an [*AlreadySentError]. This holds for concurrent writers, in one process or
// in several. If several others may have arrived, any of them is named.
//
//   - A notification without a digest, or with AllowDuplicate, is not refused. Stores never change
//     AllowDuplicate; only the Service does.
//   - Of two with the same digest in one claim, the first is taken.
//   - If one write makes two with the same digest In invio, it is refused, unless one of them has
//     AllowDuplicate.
//   - A notification that is In invio already, or is stored in another state, is not checked.
//
// Services: the first flow or notification of a service is refused with a [*SimilarServiceError],
// and nothing is written, if there is another service with the same [ServiceSkeleton]. This also holds
// for two services of one write.
//
// Stores know no rules besides: they never look at what a step means, and never take one
// by themselves, but for Claim.
type Store interface {
	FlowStore
	NotificationStore
}

// FlowStore is the part of a [Store] that keeps flows.
type FlowStore interface {
	// Flow returns a flow, with the Counts of its notifications as they are at the same
	// moment. The error is an [flussi.ErrNotFound] if there is none.
	Flow(ctx context.Context, id uuid.UUID) (Flow, error)

	// Flows returns a page of the flows that match the filter, each with its Counts.
	Flows(ctx context.Context, filter FlowFilter, page Page) ([]Flow, error)

	// FlowHistory returns the records of a flow in the order of their versions; none if
	// there is no such flow.
	FlowHistory(ctx context.Context, id uuid.UUID) ([]FlowRecord, error)

	// SaveFlow stores a flow, and with it, in the same transaction, notifications, whatever
	// flows they belong to; nil stands for none. The flow's Counts are not written. The
	// sequence is pulled once, to its end, after the flow was checked; it may be long, and
	// the store does not keep it whole in memory if it can help it. An error in the
	// sequence, or a conflict, undoes everything, and what is left of the sequence need not
	// be pulled; the error is returned, wrapped or as it is. The store does not have to be
	// usable from within the sequence.
	SaveFlow(ctx context.Context, change FlowChange, notifications iter.Seq2[NotificationChange, error]) error

	// Import is SaveFlow for the rows of a file, which are stored once: it keeps the import's
	// Key with them, in the same transaction. If an import with the key is stored already, Import
	// stores nothing, and returns the earlier import and true. An import whose flow is Disabled
	// while it is Inattivo or Attivo, or does not exist any more, does not count: the next import
	// replaces it. Of two concurrent imports with one key, one is stored, and the other returns it.
	SaveImport(ctx context.Context, i ImportRequest) (done ImportResult, before bool, err error)

	// Imported returns the import with a key. The error is an [flussi.ErrNotFound] if there is none
	// that counts.
	ImportResult(ctx context.Context, key ImportKey) (ImportResult, error)
}

// Import is the argument of [FlowStore.ImportRequest].
type ImportRequest struct {
	Flow FlowChange                           // as SaveFlow takes it
	Rows iter.Seq2[NotificationChange, error] // new notifications of the flow, as SaveFlow takes them

	// Key returns the key of the import. It is called once, after all rows were pulled.
	Key func() ImportKey
	// Duplicate is called, in the same transaction, for each row whose message the service has
	// already: an older notification of the service with the same [Draft.Digest] may have
	// arrived ([Notification.MayHaveArrived]) or waits to be sent ([Notification.IsPending]).
	// If there are several, earlier is the oldest that may have arrived; if none may have, the
	// oldest that waits. Duplicate returns the change to store in place of the row, or false
	// to store nothing. It is called in the order of the rows, and must not use the store.
	OnDuplicate func(row NotificationChange, earlier Notification) (NotificationChange, bool)
}

// ImportKey identifies an import: it is equal for the same rows in the same order, of the same
// service, occasion and flow. Rows are the same if their messages are ([Draft.Digest]), and their
// payee, reference and payment after the due date.
type ImportKey [16]byte

// Imported is an import that was stored.
type ImportResult struct {
	Key  ImportKey // as [ImportRequest].Key returned it
	Flow uuid.UUID // the ID of the flow with the rows
	At   time.Time // the time of the flow's record; UTC
}

// NotificationStore is the part of a [Store] that keeps notifications.
type NotificationStore interface {
	// Notification returns a notification. The error is an [flussi.ErrNotFound] if there is none.
	Notification(ctx context.Context, id uuid.UUID) (Notification, error)

	// Notifications returns a page of the notifications that match the filter.
	Notifications(ctx context.Context, filter NotificationFilter, page Page) ([]Notification, error)

	// NotificationHistory returns the records of a notification in the order of their
	// versions; none if there is no such notification.
	NotificationHistory(ctx context.Context, id uuid.UUID) ([]NotificationRecord, error)

	// SaveNotifications stores notifications, together or not at all, whatever flows they
	// belong to. The versions of the flows do not change, but their Counts do.
	SaveNotifications(ctx context.Context, changes ...NotificationChange) error

	// Claim takes notifications of a flow that are to be sent, and returns the flow with
	// its Counts afterwards: up to Limit that are Registrato and not Disabled, the oldest
	// first, by time of creation and then ID. Each becomes In invio, with a lease, the next
	// version, UpdatedAt and UpdatedBy of the claim, and a record of NotificationClaim; or,
	// if the citizen may have its message already, Errore with [CodeAlreadySent]: see [Store].
	// Both are returned.
	//
	// It takes none unless the flow is In invio, not Disabled, and has no Error, and it
	// happens wholly before or wholly after any change of the flow: once SaveFlow has
	// returned, no claim takes anything by what the flow was before. It never gives one
	// notification to two claims, of one process or of two. It may give fewer than there are
	// while others claim at the same moment, as a database does that skips what they have
	// locked. The error is an [flussi.ErrNotFound] if there is no such flow.
	Claim(ctx context.Context, claim Claim) (Flow, []Notification, error)

	// Expired returns up to limit notifications, in no order, of any flow or none, disabled
	// or not, that are In invio and whose lease is over by the store's clock; none if the
	// limit is 0 or less.
	Expired(ctx context.Context, limit int) ([]Notification, error)
}

// SaveAndClaimer is what a [Store] may be besides: one that stores outcomes and claims anew in one
// transaction, which spares a [Dispatcher] half of its commits. The dispatcher uses it if it
// is there.
type SaveAndClaimer interface {
	// Exchange is SaveNotifications and then Claim, together or not at all. What was stored can
	// be claimed at once. If the flow is not to be sent, nothing is claimed, and what is to be
	// stored is stored. The errors are those of both.
	SaveAndClaim(ctx context.Context, changes []NotificationChange, claim Claim) (Flow, []Notification, error)
}

// Claim is what [NotificationStore.Claim] is asked for.
type Claim struct {
	Flow  uuid.UUID     // whose notifications
	Limit int           // how many at most; 0 or less: none
	Lease time.Duration // for how long, from now by the store's clock
	At    time.Time     // UpdatedAt, and the time of the records
	By    string        // UpdatedBy, and the actor of the records
}
