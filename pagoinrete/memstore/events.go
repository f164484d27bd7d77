package memstore

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/listing"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Event returns an event: see [pagoinrete.Store].
func (s *Store) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	const operation = "read event"
	if err := ended(ctx, operation, id); err != nil {
		return pagoinrete.Event{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.events[id]
	if e == nil {
		return pagoinrete.Event{}, fail(operation, id, flussi.ErrNotFound)
	}
	return s.stored(e), nil
}

// Events returns a page of events: see [pagoinrete.Store]. A page without a limit is as
// long as [flussi.MaxPage].
func (s *Store) Events(ctx context.Context, filter pagoinrete.EventFilter, page pagoinrete.Page) ([]pagoinrete.Event, error) {
	const operation = "list events"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	candidates := s.eventList
	if len(filter.IDs) > 0 {
		candidates = listing.Pick(s.events, filter.IDs)
	}
	found, err := candidates.Page(ctx, page, filter.From, filter.To, func(e *storedEvent) bool { return filter.Match(e.Event) })
	if err != nil {
		return nil, fail(operation, uuid.Nil, err)
	}
	events := make([]pagoinrete.Event, len(found))
	for i, e := range found {
		events[i] = s.stored(e)
	}
	return events, nil
}

// EventHistory returns the records of an event: see [pagoinrete.Store].
func (s *Store) EventHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.EventRecord, error) {
	if err := ended(ctx, "read history of event", id); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.events[id]; e != nil {
		return slices.Clone(e.history), nil
	}
	return nil, nil
}

// SaveEvent stores an event, and notices with it: see [pagoinrete.Store]. While it pulls
// the notices, of which it keeps all in memory, the store can be used; if the event is
// changed by then, the error is a [flussi.ErrConflict].
func (s *Store) SaveEvent(ctx context.Context, change pagoinrete.EventChange, notices iter.Seq2[pagoinrete.NoticeChange, error]) error {
	const operation = "save event"
	id := change.Event.ID
	change.Event.Instalments = slices.Clone(change.Event.Instalments) // before the caller can change them
	if err := ended(ctx, operation, id); err != nil {
		return err
	}
	if err := s.checkEvent(operation, change.Event); err != nil {
		return err
	}
	var b batch
	if notices != nil {
		for n, err := range notices {
			if err != nil {
				return err
			}
			if err := ended(ctx, operation, id); err != nil {
				return err
			}
			b.add(n)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx, operation, id); err != nil {
		return err
	}
	if err := s.eventConflict(operation, change.Event); err != nil {
		return err
	}
	if err := s.check(operation, b); err != nil {
		return err
	}
	s.putEvent(change)
	s.put(b)
	return nil
}

func (s *Store) checkEvent(operation string, e pagoinrete.Event) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.eventConflict(operation, e)
}

// eventConflict returns an error unless the event may be stored.
func (s *Store) eventConflict(operation string, e pagoinrete.Event) error {
	var version int64
	if old := s.events[e.ID]; old != nil {
		version = old.Version
	}
	if e.Version != version {
		return fail(operation, e.ID, flussi.ErrConflict)
	}
	return nil
}

// putEvent stores an event that has no conflict, and takes over its instalments.
func (s *Store) putEvent(change pagoinrete.EventChange) {
	e, record := change.Event, change.Record
	e.Counts = pagoinrete.NoticeCounts{}
	e.Version++
	record.Version = e.Version
	utc(&e.Discrepancy.At, &e.CreatedAt, &e.UpdatedAt, &record.At)
	for i := range e.Instalments {
		utc(&e.Instalments[i].DueDate)
	}

	kept := s.events[e.ID]
	switch {
	case kept == nil:
		kept = &storedEvent{Event: e}
		s.events[e.ID] = kept
		s.eventList.Add(kept)
	case kept.CreatedAt != e.CreatedAt:
		s.eventList.Remove(kept)
		kept.Event = e
		s.eventList.Add(kept)
	default:
		kept.Event = e
	}
	kept.history = append(kept.history, record)
}
