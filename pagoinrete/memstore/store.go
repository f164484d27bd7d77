package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/listing"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Store keeps events and notices in memory, as [pagoinrete.Store] wants it. It is safe
// for concurrent use. Errors are [*flussi.Error], but for those of SaveEvent's
// sequence, which are returned as they are.
type Store struct {
	mu        sync.RWMutex
	events    map[uuid.UUID]*storedEvent
	eventList listing.List[*storedEvent]
	notices   map[uuid.UUID]*storedNotice
	list      listing.List[*storedNotice]                // all of them
	groups    map[uuid.UUID]*group                       // by event, whether it exists or not
	iuvs      map[flussi.IUV]listing.List[*storedNotice] // but for those that have none
}

var _ pagoinrete.Store = (*Store)(nil)

// storedEvent is an event as it is kept: without its Counts, and with instalments that
// nobody else has.
type storedEvent struct {
	pagoinrete.Event
	history []pagoinrete.EventRecord
}

// storedNotice is a notice as it is kept, or is to be.
type storedNotice struct {
	pagoinrete.Notice
	history []pagoinrete.NoticeRecord
}

// group is what belongs to one event.
type group struct {
	counts pagoinrete.NoticeCounts
	list   listing.List[*storedNotice]
}

// New returns an empty store.
func New() *Store {
	return &Store{
		events:  map[uuid.UUID]*storedEvent{},
		notices: map[uuid.UUID]*storedNotice{},
		groups:  map[uuid.UUID]*group{},
		iuvs:    map[flussi.IUV]listing.List[*storedNotice]{},
	}
}

// Cursor returns the place of the event in lists, as that of [pagoinrete.Event] does, which
// would copy all of it for that.
func (e *storedEvent) Cursor() pagoinrete.Cursor { return pagoinrete.Cursor{At: e.CreatedAt, ID: e.ID} }

// Cursor returns the place of the notice in lists, without copying it.
func (n *storedNotice) Cursor() pagoinrete.Cursor {
	return pagoinrete.Cursor{At: n.CreatedAt, ID: n.ID}
}

// group returns the group of an event, which it makes if there is none yet.
func (s *Store) group(id uuid.UUID) *group {
	g := s.groups[id]
	if g == nil {
		g = &group{}
		s.groups[id] = g
	}
	return g
}

// stored returns an event as the caller gets it.
func (s *Store) stored(e *storedEvent) pagoinrete.Event {
	result := e.Event
	result.Instalments = slices.Clone(result.Instalments)
	if g := s.groups[e.ID]; g != nil {
		result.Counts = g.counts
	}
	return result
}

// fail returns what was wrong with an operation.
func fail(operation string, id uuid.UUID, err error) error {
	return &flussi.Error{Package: "memstore", Operation: operation, ID: id, Err: err}
}

// ended returns what is wrong with an operation whose context has ended, or nil.
func ended(ctx context.Context, operation string, id uuid.UUID) error {
	if err := ctx.Err(); err != nil {
		return fail(operation, id, err)
	}
	return nil
}

// utc makes a time what databases keep of it.
func utc(times ...*time.Time) {
	for _, t := range times {
		*t = t.UTC().Truncate(time.Microsecond)
	}
}
