package pagoinrete

import (
	"context"
	"iter"

	"github.com/google/uuid"
)

// Store keeps events and notices. Applications implement it on their database; package
// memstore has one in memory, and pagoinretetest.RunStore of package pagoinretetest checks
// whether an implementation keeps what is said here: run it in the tests of yours.
//
// What holds for every method:
//
//   - It is safe for concurrent use by any number of goroutines, and if the database is
//     shared, of processes.
//   - It is all or nothing. A write that returns an error has changed nothing, unless
//     the error says that the database was lost in the middle of it.
//   - A context that ends makes it return an error that is the context's; a write whose
//     context ended before it began changes nothing.
//   - What it returns is the caller's: changing it, the instalments of an event included,
//     changes nothing in the store; and what is changed after it was stored neither.
//   - What it returns is as it was stored, to the last character. Times are kept to the
//     microsecond, cut or rounded, and are returned in UTC; the zero time stays zero.
//     States, kinds and actions that it does not know are kept.
//
// Versions: an entity is stored with the Version that it was read with, and the store
// keeps it with the next one, if it still has that one; otherwise, and if an entity that
// is said to be new exists or one that is not new does not, nothing is written and the
// error is an [flussi.ErrConflict]; so is one entity twice in one write. Writes that meet each
// other at the same moment succeed or are an ErrConflict, never a deadlock that somebody
// else has to untie. With each version, the store keeps the record that came with it, and
// sets the record's Version. The ID, School, EventID and CreatedAt of an entity never
// change, and the event of a notice is there before it: a database may rely on that.
//
// Stores know no rules besides: they never look at what a step means.
type Store interface {
	EventStore
	NoticeStore
}

// EventStore is the part of a [Store] that keeps events.
type EventStore interface {
	// Event returns an event, with the Counts of its notices as they are at the same
	// moment. The error is an [flussi.ErrNotFound] if there is none.
	Event(ctx context.Context, id uuid.UUID) (Event, error)

	// Events returns a page of the events that match the filter, each with its Counts.
	Events(ctx context.Context, filter EventFilter, page Page) ([]Event, error)

	// EventHistory returns the records of an event in the order of their versions; none if
	// there is no such event.
	EventHistory(ctx context.Context, id uuid.UUID) ([]EventRecord, error)

	// SaveEvent stores an event, and with it, in the same transaction, notices, of that
	// event or of others; nil stands for none. The event's Counts are not written. The
	// sequence is pulled once, to its end, after the event was checked; it may be long, and
	// the store does not keep it whole in memory if it can help it. An error in the
	// sequence, or a conflict, undoes everything, and what is left of the sequence need not
	// be pulled; the error is returned, wrapped or as it is. The store does not have to be
	// usable from within the sequence.
	SaveEvent(ctx context.Context, change EventChange, notices iter.Seq2[NoticeChange, error]) error
}

// NoticeStore is the part of a [Store] that keeps notices.
type NoticeStore interface {
	// Notice returns a notice. The error is an [flussi.ErrNotFound] if there is none.
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
