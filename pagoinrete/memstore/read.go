package memstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Event returns an event: see [pagoinrete.Store].
func (s *Store) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	return s.events.Get(ctx, "read event", id)
}

// Events returns a page of events: see [pagoinrete.Store]. A page without a limit is as
// long as [flussi.MaxPage].
func (s *Store) Events(
	ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page,
) ([]pagoinrete.Event, error) {
	candidates := s.events.All
	if len(filter.IDs) > 0 {
		candidates = func() eventList { return s.events.Pick(filter.IDs) }
	}
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.events.Page(ctx, "list events", within, candidates,
		func(e *pagoinrete.Event) bool { return filter.Match(*e) })
}

// EventHistory returns the records of an event: see [pagoinrete.Store].
func (s *Store) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	return s.events.History(ctx, "read history of event", id)
}

// Notice returns a notice: see [pagoinrete.Store].
func (s *Store) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	return s.notices.Get(ctx, "read notice", id)
}

// Notices returns a page of notices: see [pagoinrete.Store]. A page without a limit is as
// long as [flussi.MaxPage].
func (s *Store) Notices(
	ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page,
) ([]pagoinrete.Notice, error) {
	rest := filter
	candidates := func() noticeList { return s.candidates(&rest) }
	within := memtable.Range{Page: page, From: filter.From, To: filter.To}
	return s.notices.Page(ctx, "list notices", within, candidates,
		func(n *pagoinrete.Notice) bool { return rest.Match(*n) })
}

// candidates returns the shortest list that has all notices that match. It removes from the filter
// the condition that is true for all notices of the list, if checking it takes long.
func (s *Store) candidates(filter *pagoinrete.NoticeFilter) noticeList {
	switch {
	case len(filter.IDs) > 0:
		ids := filter.IDs
		filter.IDs = nil
		return s.notices.Pick(ids)
	case len(filter.IUVs) > 0:
		iuvs := filter.IUVs
		filter.IUVs = nil
		return s.byIUV.Of(iuvs...)
	case filter.Event != uuid.Nil:
		return s.byEvent.Of(filter.Event)
	}
	return s.notices.All()
}

// NoticeHistory returns the records of a notice: see [pagoinrete.Store].
func (s *Store) NoticeHistory(
	ctx context.Context, id uuid.UUID,
) ([]pagoinrete.NoticeRecord, error) {
	return s.notices.History(ctx, "read history of notice", id)
}
