package memstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Store keeps events and notices in memory, as a [pagoinrete.Store]. It is safe for
// concurrent use. Errors are [*flussi.Error], except for those of SaveEvent's sequence, which are
// returned as they are.
type Store struct {
	db      memtable.DB
	events  *memtable.Table[pagoinrete.Event, pagoinrete.Event, pagoinrete.EventRecord]
	notices *memtable.Table[pagoinrete.Notice, pagoinrete.Notice, pagoinrete.NoticeRecord]
	byEvent *memtable.Index[pagoinrete.Notice, pagoinrete.NoticeRecord, uuid.UUID]
	byIUV   *memtable.Index[pagoinrete.Notice, pagoinrete.NoticeRecord, flussi.IUV]
	counts  *memtable.Counts[pagoinrete.Notice, pagoinrete.NoticeRecord, pagoinrete.NoticeCounts]
}

var _ pagoinrete.Store = (*Store)(nil)

type (
	eventKind  = memtable.Kind[pagoinrete.Event, pagoinrete.Event, pagoinrete.EventRecord]
	eventRow   = memtable.Row[pagoinrete.Event, pagoinrete.EventRecord]
	eventList  = memtable.List[pagoinrete.Event, pagoinrete.EventRecord]
	noticeKind = memtable.Kind[pagoinrete.Notice, pagoinrete.Notice, pagoinrete.NoticeRecord]
	noticeRow  = memtable.Row[pagoinrete.Notice, pagoinrete.NoticeRecord]
	noticeList = memtable.List[pagoinrete.Notice, pagoinrete.NoticeRecord]
)

// New returns an empty store.
func New() *Store {
	s := &Store{}
	s.events = memtable.New(&s.db, eventKind{
		Place: func(e *pagoinrete.Event) flussi.Cursor {
			return flussi.Cursor{At: e.CreatedAt, ID: e.ID} // e.Cursor would copy the event
		},
		Version:       func(e *pagoinrete.Event) *int64 { return &e.Version },
		RecordVersion: func(r *pagoinrete.EventRecord) *int64 { return &r.Version },
		View:          func(e *pagoinrete.Event) *pagoinrete.Event { return e },
		Complete:      s.completeEvent,
	})
	s.notices = memtable.New(&s.db, noticeKind{
		Place: func(n *pagoinrete.Notice) flussi.Cursor {
			return flussi.Cursor{At: n.CreatedAt, ID: n.ID} // n.Cursor would copy the notice
		},
		Version:       func(n *pagoinrete.Notice) *int64 { return &n.Version },
		RecordVersion: func(r *pagoinrete.NoticeRecord) *int64 { return &r.Version },
		View:          func(n *pagoinrete.Notice) *pagoinrete.Notice { return n },
	})
	s.byEvent = memtable.NewIndex(s.notices, func(n *pagoinrete.Notice) (uuid.UUID, bool) {
		return n.EventID, true
	})
	s.byIUV = memtable.NewIndex(s.notices, func(n *pagoinrete.Notice) (flussi.IUV, bool) {
		if n.Number.IsZero() {
			return flussi.IUV{}, false
		}
		return n.Number.IUV(), true
	})
	s.byIUV.SameKey = func(a, b *pagoinrete.Notice) bool { return a.Number == b.Number }
	s.counts = memtable.NewCounts(s.notices,
		func(n *pagoinrete.Notice) uuid.UUID { return n.EventID },
		func(c *pagoinrete.NoticeCounts, n *pagoinrete.Notice, by int) { c.Add(*n, by) })
	return s
}

// completeEvent returns an event with instalments of its own and the counts of its notices.
func (s *Store) completeEvent(e pagoinrete.Event) pagoinrete.Event {
	e.Instalments = slices.Clone(e.Instalments)
	e.Counts = s.counts.Of(e.ID)
	return e
}
