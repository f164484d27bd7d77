package memstore

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/listing"
)

// Flow returns a flow: see [flow.Store].
func (s *Store) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	const operation = "read flow"
	if err := ended(ctx, operation, id); err != nil {
		return flow.Flow{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.flows[id]
	if f == nil {
		return flow.Flow{}, fail(operation, id, flussi.ErrNotFound)
	}
	return s.stored(f), nil
}

// Flows returns a page of flows: see [flow.Store]. A page without a limit is as long as
// [flow.MaxPage].
func (s *Store) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	const operation = "list flows"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	candidates := s.flowList
	if len(filter.IDs) > 0 {
		candidates = listing.Pick(s.flows, filter.IDs)
	}
	found, err := candidates.Page(ctx, page, filter.From, filter.To, func(f *storedFlow) bool { return filter.Match(f.Flow) })
	if err != nil {
		return nil, fail(operation, uuid.Nil, err)
	}
	flows := make([]flow.Flow, len(found))
	for i, f := range found {
		flows[i] = s.stored(f)
	}
	return flows, nil
}

// FlowHistory returns the records of a flow: see [flow.Store].
func (s *Store) FlowHistory(ctx context.Context, id uuid.UUID) ([]flow.FlowRecord, error) {
	if err := ended(ctx, "read history of flow", id); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f := s.flows[id]; f != nil {
		return slices.Clone(f.history), nil
	}
	return nil, nil
}

// SaveFlow stores a flow, and notifications with it: see [flow.Store]. While it pulls
// the notifications, of which it keeps all in memory, the store can be used; if the
// flow is changed by then, the error is a [flussi.ErrConflict].
func (s *Store) SaveFlow(ctx context.Context, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) error {
	const operation = "save flow"
	b, err := s.pull(ctx, operation, change, notifications)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save(ctx, operation, change, b)
}

// pull collects the notifications of a flow's change.
func (s *Store) pull(ctx context.Context, operation string, change flow.FlowChange, notifications iter.Seq2[flow.NotificationChange, error]) (batch, error) {
	id := change.Flow.ID
	if err := ended(ctx, operation, id); err != nil {
		return nil, err
	}
	if err := s.checkFlow(operation, change.Flow); err != nil {
		return nil, err
	}
	var b batch
	if notifications != nil {
		for n, err := range notifications {
			if err != nil {
				return nil, err
			}
			if err := ended(ctx, operation, id); err != nil {
				return nil, err
			}
			b.add(n)
		}
	}
	return b, nil
}

// save stores a flow and a batch. The caller holds the lock.
func (s *Store) save(ctx context.Context, operation string, change flow.FlowChange, b batch) error {
	if err := ended(ctx, operation, change.Flow.ID); err != nil {
		return err
	}
	first := firstUses{}
	if err := s.flowConflict(operation, change.Flow, first); err != nil {
		return err
	}
	if err := s.check(operation, b, first); err != nil {
		return err
	}
	s.putFlow(change)
	s.put(b)
	return nil
}

func (s *Store) checkFlow(operation string, f flow.Flow) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.flowConflict(operation, f, firstUses{})
}

// flowConflict returns an error unless the flow may be stored.
func (s *Store) flowConflict(operation string, f flow.Flow, first firstUses) error {
	var version int64
	if old := s.flows[f.ID]; old != nil {
		version = old.Version
	}
	if f.Version != version {
		return fail(operation, f.ID, flussi.ErrConflict)
	}
	if version == 0 {
		if err := s.checkService(f.Service, first); err != nil {
			return fail(operation, f.ID, err)
		}
	}
	return nil
}

// putFlow stores a flow that has no conflict.
func (s *Store) putFlow(change flow.FlowChange) {
	f, record := change.Flow, change.Record
	f.Counts = flow.Counts{}
	f.Version++
	record.Version = f.Version
	utc(&f.CreatedAt, &f.UpdatedAt, &record.At)

	kept := s.flows[f.ID]
	switch {
	case kept == nil:
		kept = &storedFlow{Flow: f}
		s.putService(f.Service)
		s.flows[f.ID] = kept
		s.flowList.Add(kept)
	case kept.CreatedAt != f.CreatedAt:
		s.flowList.Remove(kept)
		kept.Flow = f
		s.flowList.Add(kept)
	default:
		kept.Flow = f
	}
	kept.history = append(kept.history, record)
}
