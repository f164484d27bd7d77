package flow

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"
)

// Store keeps flows and notifications. Applications implement it on their database; package
// memstore has one in memory, and flowtest.RunStore of package flowtest checks an implementation
// against this contract: run it in your tests. docs/stores.md says how to write one. A store may
// also be a [SaveAndClaimer], a [RestorableStore] and a [SendChecker]. One that keeps digests keeps
// their [DigestVersion], too. IDs are UUIDs of github.com/google/uuid.
//
// What holds for every method:
//
//   - It is safe for concurrent use by any number of goroutines, and if the database is
//     shared, of processes.
//   - It is all or nothing. A write that returns an error has changed nothing, unless the error is
//     a [flussi.ErrCommitUnknown]. If there are several reasons to refuse a write, any of them is
//     returned.
//   - If the context has ended when it is called, or ends while it pulls a sequence, it returns the
//     context's error, and changes nothing. A write that waits for another one may go on waiting
//     after the end of its context; when its turn comes, it changes nothing.
//   - What it returns is the caller's: changing it changes nothing in the store. What it is given
//     it does not change.
//   - What it returns is as it was stored, to the last character; text that is not valid UTF-8
//     need not be. Unknown states, codes and actions are kept. An empty list may be nil.
//     encoding/json keeps the entities, changes and records whole, by the names of their fields.
//   - Times are kept exactly to the microsecond, cut or rounded, never finer, and are returned in
//     UTC; the zero time remains zero. Better cut them: [Draft.Digest] has the due date to the
//     second, and a due date that is rounded up may get another one. The digest that counts is that
//     of the notification as it is returned.
//
// Lists: a page has what the filter's Match and [flussi.Page.Includes] accept, sorted by the Cursor
// with [flussi.Cursor.Compare], reversed unless OldestFirst, and cut to the Limit.
//
// Versions: a write passes an entity with the Version that was read, 0 for a new entity. If the
// stored entity still has this Version, the store keeps the entity with the next one. Otherwise
// nothing is written, and the error is a [flussi.ErrConflict]; also if a new entity exists
// already, if one that is not new does not exist, or if one write has an entity twice. Concurrent
// writes succeed or are an ErrConflict; they must not deadlock. With each version, the store keeps
// its record, and sets the record's Version. The ID, FlowID, Service and CreatedAt of an entity
// never change, and a flow is stored before its notifications: a database may rely on that.
//
// Records: what is stored of a record never changes, with one exception. A change whose record has
// the Action [NotificationAnonymise] or [FlowAnonymise] erases, in the same transaction, the Answer
// of every earlier record of its entity; the other fields remain, and so does the Answer of the
// record itself. Nothing of an erased Answer is to be left where the database keeps its rows and
// indexes.
//
// Leases: a notification that any method stores as In invio gets a lease, from now by the store's
// clock, of the length in its change; a lease of 0 is over at once. In any other state a
// notification has none.
//
// No message twice: no method makes a notification In invio while another one of the same Service
// with the same [Draft.Digest] may have arrived ([Notification.MayHaveArrived]). Claim makes it
// Errore instead, by [Notification.SkipAlreadySent]; every other method writes nothing, and returns
// an [*AlreadySentError]. This holds for concurrent writers, in one process or in several. If
// several others may have arrived, any of them is named.
//
//   - A write is checked once all of it is written. Checked is each notification that becomes In
//     invio: that is new, or was stored in another state. One without a digest, or with
//     AllowDuplicate, is not refused.
//   - The others count as they are after the write, with AllowDuplicate or without. Only those that
//     become In invio in the same write do not count if they have AllowDuplicate. So two that
//     become In invio together with one digest are refused, unless one of them has AllowDuplicate.
//   - A claim goes one by one, in its order. What it takes counts for those behind it, with
//     AllowDuplicate or without. So of two with one digest, the first is taken.
//   - Stores never change AllowDuplicate; only the Service does.
//
// Services: the first flow or notification of a service is refused with a [*SimilarServiceError],
// and nothing is written, if there is another service with the same [ServiceSkeleton]. This also
// holds for two services of one write.
//
// Stores enforce no other rules: they do not check whether a step is allowed, and only Claim takes
// one by itself.
type Store interface {
	FlowStore
	NotificationStore
}

// FlowStore is the part of a [Store] that keeps flows.
type FlowStore interface {
	// Flow returns a flow, with the Counts of its notifications as they are at the same
	// moment. The error is a [flussi.ErrNotFound] if there is none.
	Flow(ctx context.Context, id uuid.UUID) (Flow, error)

	// Flows returns a page of the flows that match the filter, each with its Counts.
	Flows(ctx context.Context, filter FlowFilter, page Page) ([]Flow, error)

	// FlowHistory returns the records of a flow in the order of their versions; none if
	// there is no such flow.
	FlowHistory(ctx context.Context, id uuid.UUID) ([]FlowRecord, error)

	// SaveFlow stores a flow, and with it, in the same transaction, notifications, whatever flows
	// they belong to; nil: none. The flow's Counts are not written. The sequence is pulled once, to
	// its end, after the flow was checked; it may be long, and a store should not keep it whole in
	// memory. An error in the sequence, or a conflict, undoes everything, and what is left of the
	// sequence need not be pulled; the error is returned, wrapped or as it is. The store does not
	// have to be usable from within the sequence.
	SaveFlow(ctx context.Context, change FlowChange, notifications iter.Seq2[NotificationChange, error]) error

	// SaveImport is SaveFlow for the rows of a file, which are stored once: it keeps the import's
	// Key with them, in the same transaction. If an import with the key is stored already,
	// SaveImport stores nothing, and returns the earlier import and true; if OnDuplicate was
	// called, what it returned is dropped. A conflict of the flow comes first: it is an error,
	// whether there is an earlier import or not. An import whose flow is Disabled while it is
	// Inattivo or Attivo, or does not exist any more, does not count: the next import replaces it.
	// Of two concurrent imports with one key, one is stored, and the other returns it, or is in
	// conflict over the flow.
	//
	// No import of the Service changes the State or Disabled of a flow that is there, so a store
	// may read them as they are before the write or after it.
	SaveImport(ctx context.Context, i ImportRequest) (done ImportResult, before bool, err error)

	// ImportResult returns the import with a key. The error is a [flussi.ErrNotFound] if there is
	// none that counts.
	ImportResult(ctx context.Context, key ImportKey) (ImportResult, error)
}

// ImportRequest is the argument of [FlowStore.SaveImport].
type ImportRequest struct {
	Flow FlowChange                           // as SaveFlow takes it
	Rows iter.Seq2[NotificationChange, error] // new notifications of the flow, as SaveFlow takes them

	// Key returns the key of the import. It is called once, after all rows were pulled.
	Key func() ImportKey
	// OnDuplicate is called, in the same transaction, for each row whose message the service has
	// already, also if the row has AllowDuplicate: a notification of the service with the same
	// [Draft.Digest] was stored before this call of SaveImport, whatever its CreatedAt, and may
	// have arrived ([Notification.MayHaveArrived]) or waits to be sent ([Notification.IsPending],
	// by its own flow). Rows of the same import are never compared with each other, whatever their
	// states. If there are several, earlier is the oldest, by [Notification.Cursor], that may have
	// arrived; if none may have, the oldest that waits. OnDuplicate returns the change to store in
	// place of the row, or false to store nothing. It is called once for each row, in the order of
	// the rows, and must not use the store.
	OnDuplicate func(row NotificationChange, earlier Notification) (NotificationChange, bool)
}

// ImportKey identifies an import: it is equal for the same rows in the same order, of the same
// service, occasion and flow. Rows are the same if their messages are ([Draft.Digest]), and their
// payee, reference and payment after the due date.
type ImportKey [16]byte

// ImportResult is an import that was stored.
type ImportResult struct {
	Key  ImportKey // as [ImportRequest].Key returned it
	Flow uuid.UUID // the ID of the flow with the rows
	At   time.Time // the time of the flow's record, as the store keeps times
}

// NotificationStore is the part of a [Store] that keeps notifications.
type NotificationStore interface {
	// Notification returns a notification. The error is a [flussi.ErrNotFound] if there is none.
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
	// Both count toward Limit, and are returned, mixed, in the order in which they were taken.
	//
	// It takes none unless the flow is In invio, not Disabled, and has no Error, and it happens
	// wholly before or wholly after any change of the flow: once SaveFlow has returned, every claim
	// goes by the flow that it stored. It never returns one notification to two claims, of one
	// process or of two. It may return fewer than there are while others claim at the same moment,
	// as with a database that skips the rows that they have locked. The error is a
	// [flussi.ErrNotFound] if there is no such flow.
	Claim(ctx context.Context, claim Claim) (Flow, []Notification, error)

	// Expired returns up to limit notifications, in no order, of any flow or none, disabled
	// or not, that are In invio and whose lease is over by the store's clock; none if the
	// limit is 0 or less.
	Expired(ctx context.Context, limit int) ([]Notification, error)
}

// SaveAndClaimer is an optional interface of a [Store]: it stores outcomes and claims again in one
// transaction, which spares a [Dispatcher] half of its commits. The dispatcher uses it if Self
// returns the dispatcher's store.
type SaveAndClaimer interface {
	// Self returns the store itself. A wrapper that embeds a store inherits a Self that returns the
	// inner one: then SaveAndClaim, which would not call the methods that the wrapper overrides, is
	// not used. A wrapper that defines Self, and overrides SaveNotifications or Claim, must define
	// SaveAndClaim, too, or outcomes and claims go past its methods. Self must be comparable, as a
	// pointer is.
	Self() Store
	// SaveAndClaim is SaveNotifications and then Claim, together or not at all. What was stored can
	// be claimed at once; what was claimed is returned in the order of Claim. If the flow is not to
	// be sent, nothing is claimed, but the changes are stored. The errors are those of both.
	SaveAndClaim(ctx context.Context, changes []NotificationChange, claim Claim) (Flow, []Notification, error)
}

// RestorableStore is an optional interface of a [Store] that refuses to send after its database was
// restored from a copy or lost its last writes. [Service.DeclareRestored] uses it if Self returns
// the service's store.
type RestorableStore interface {
	// Self returns the store itself: see [SaveAndClaimer].
	Self() Store
	// AcceptRestored lets the store send again. It does nothing if the store does not refuse to.
	AcceptRestored(ctx context.Context) error
}

// SendChecker is an optional interface of a [Store] that cannot send, such as a store in a
// transaction of the caller, in which nothing may be sent before the commit. [NewDispatcher]
// returns the error of CheckSend. A wrapper that embeds such a store inherits the method, and is
// refused, too.
type SendChecker interface {
	// CheckSend returns why no notification of the store can be sent, or nil. It does not use the
	// database.
	CheckSend() error
}

// Claim says what [NotificationStore.Claim] is to take.
type Claim struct {
	Flow  uuid.UUID     // whose notifications
	Limit int           // how many at most; 0 or less: none
	Lease time.Duration // for how long, from now by the store's clock
	At    time.Time     // UpdatedAt, and the time of the records
	By    string        // UpdatedBy, and the actor of the records
}
