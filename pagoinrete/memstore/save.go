package memstore

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// SaveNotices stores notices: see [pagoinrete.Store].
func (s *Store) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	const operation = "save notices"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return err
	}
	b := make(batch, 0, len(changes))
	for _, change := range changes {
		b.add(change)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return err
	}
	if err := s.check(operation, b); err != nil {
		return err
	}
	s.put(b)
	return nil
}

// batch is the notices that are stored together, each with one record. If one is new, its
// entry is what will be kept, so that it is not copied again.
type batch []*storedNotice

// add prepares a change. It needs no lock.
func (b *batch) add(change pagoinrete.NoticeChange) {
	n := &storedNotice{Notice: change.Notice, history: []pagoinrete.NoticeRecord{change.Record}}
	utc(&n.DueDate, &n.Evidence.Receipt.Date, &n.Evidence.Settlement.Date, &n.Evidence.Movement.Date, &n.Evidence.Manual.Date,
		&n.Evidence.Refund.Date, &n.Discrepancy.At, &n.CreatedAt, &n.UpdatedAt, &n.history[0].At)
	*b = append(*b, n)
}

// check returns an error unless all of the batch may be stored.
func (s *Store) check(operation string, b batch) error {
	seen := make(map[uuid.UUID]struct{}, len(b))
	for _, n := range b {
		var version int64
		if old := s.notices[n.ID]; old != nil {
			version = old.Version
		}
		if n.Version != version {
			return fail(operation, n.ID, flussi.ErrConflict)
		}
		if _, twice := seen[n.ID]; twice {
			return fail(operation, n.ID, flussi.ErrConflict)
		}
		seen[n.ID] = struct{}{}
	}
	return nil
}

// put stores a batch that has no conflict.
func (s *Store) put(b batch) {
	var listed []*storedNotice // what comes to a place in the lists
	for _, n := range b {
		n.Version++
		n.history[0].Version = n.Version
		s.group(n.EventID).counts.Add(n.Notice, 1)
		kept := s.notices[n.ID]
		if kept == nil {
			s.notices[n.ID] = n
			s.index(n)
			listed = append(listed, n)
			continue
		}
		old := s.groups[kept.EventID]
		old.counts.Add(kept.Notice, -1)
		moved := kept.Cursor() != n.Cursor() || kept.EventID != n.EventID
		renumbered := kept.Number != n.Number
		if moved {
			s.list.Remove(kept)
			old.list.Remove(kept)
			listed = append(listed, kept)
		}
		if moved || renumbered {
			s.unindex(kept)
		}
		kept.Notice, kept.history = n.Notice, append(kept.history, n.history[0])
		if moved || renumbered {
			s.index(kept)
		}
	}
	s.list.Add(listed...)
	for _, n := range listed { // sorted now
		s.groups[n.EventID].list.Add(n)
	}
}

// index makes a notice be found by its IUV.
func (s *Store) index(n *storedNotice) {
	if n.Number.IsZero() {
		return
	}
	same := s.iuvs[n.IUV()]
	same.Add(n)
	s.iuvs[n.IUV()] = same
}

// unindex undoes index. Nothing is left of an IUV that no notice has any more.
func (s *Store) unindex(n *storedNotice) {
	if n.Number.IsZero() {
		return
	}
	same := s.iuvs[n.IUV()]
	same.Remove(n)
	if len(same) > 0 {
		s.iuvs[n.IUV()] = same
	} else {
		delete(s.iuvs, n.IUV())
	}
}
