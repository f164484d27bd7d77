package pagoinrete

import (
	"context"
	"iter"

	"github.com/google/uuid"
)

// Store keeps events and notices. Applications implement it on their database; package memstore has
// one in memory, and pagoinretetest.RunStore of package pagoinretetest checks an implementation
// against this contract: run it in your tests. docs/stores.md says how to write one. IDs are UUIDs
// of github.com/google/uuid.
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
//   - What it returns is the caller's: changing it, the instalments of an event included, changes
//     nothing in the store; nor does changing what was stored.
//   - What it returns is as it was stored, to the last character; text that is not valid UTF-8
//     need not be. Unknown states, kinds and actions are kept. An empty list may be nil.
//     encoding/json keeps the entities, changes and records whole, by the names of their fields.
//   - Times are kept exactly to the microsecond, cut or rounded, never finer, and are returned in
//     UTC; the zero time remains zero.
//
// Lists: a page has what the filter's Match and [flussi.Page.Includes] accept, sorted by the Cursor
// with [flussi.Cursor.Compare], reversed unless OldestFirst, and cut to the Limit.
//
// Versions: a write passes an entity with the Version that was read, 0 for a new entity. If the
// stored entity still has this Version, the store keeps the entity with the next one. Otherwise
// nothing is written, and the error is a [flussi.ErrConflict]; also if a new entity exists
// already, if one that is not new does not exist, or if one write has an entity twice. Concurrent
// writes succeed or are an ErrConflict; they must not deadlock. With each version, the store keeps
// its record, and sets the record's Version. The ID, School, EventID and CreatedAt of an entity
// never change, and an event is stored before its notices: a database may rely on that.
//
// Stores enforce no other rules: they do not check whether a step is allowed.
type Store interface {
	EventStore
	NoticeStore
}

// EventStore is the part of a [Store] that keeps events.
type EventStore interface {
	// Event returns an event, with the Counts of its notices as they are at the same
	// moment. The error is a [flussi.ErrNotFound] if there is none.
	Event(ctx context.Context, id uuid.UUID) (Event, error)

	// Events returns a page of the events that match the filter, each with its Counts.
	Events(ctx context.Context, filter EventFilter, page Page) ([]Event, error)

	// EventHistory returns the records of an event in the order of their versions; none if
	// there is no such event.
	EventHistory(ctx context.Context, id uuid.UUID) ([]EventRecord, error)

	// SaveEvent stores an event, and with it, in the same transaction, notices, of that event or of
	// others; nil: none. The event's Counts are not written. The sequence is pulled once, to its
	// end, after the event was checked; it may be long, and a store should not keep it whole in
	// memory. An error in the sequence, or a conflict, undoes everything, and what is left of the
	// sequence need not be pulled; the error is returned, wrapped or as it is. The store does not
	// have to be usable from within the sequence.
	SaveEvent(ctx context.Context, change EventChange, notices iter.Seq2[NoticeChange, error]) error
}

// NoticeStore is the part of a [Store] that keeps notices.
type NoticeStore interface {
	// Notice returns a notice. The error is a [flussi.ErrNotFound] if there is none.
	Notice(ctx context.Context, id uuid.UUID) (Notice, error)

	// Notices returns a page of the notices that match the filter.
	Notices(ctx context.Context, filter NoticeFilter, page Page) ([]Notice, error)

	// NoticeHistory returns the records of a notice in the order of their versions; none if
	// there is no such notice.
	NoticeHistory(ctx context.Context, id uuid.UUID) ([]NoticeRecord, error)

	// SaveNotices stores notices, together or not at all, whatever events they belong to.
	// The versions of the events do not change, but their Counts do.
	SaveNotices(ctx context.Context, changes ...NoticeChange) error
}
