package memstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/listing"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Notice returns a notice: see [pagoinrete.Store].
func (s *Store) Notice(ctx context.Context, id uuid.UUID) (pagoinrete.Notice, error) {
	const operation = "read notice"
	if err := ended(ctx, operation, id); err != nil {
		return pagoinrete.Notice{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.notices[id]
	if n == nil {
		return pagoinrete.Notice{}, fail(operation, id, flussi.ErrNotFound)
	}
	return n.Notice, nil
}

// Notices returns a page of notices: see [pagoinrete.Store]. A page without a limit is as
// long as [flussi.MaxPage].
func (s *Store) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, page pagoinrete.Page) ([]pagoinrete.Notice, error) {
	const operation = "list notices"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	candidates, rest := s.candidates(filter)
	found, err := candidates.Page(ctx, page, filter.From, filter.To, func(n *storedNotice) bool { return rest.Match(n.Notice) })
	if err != nil {
		return nil, fail(operation, uuid.Nil, err)
	}
	notices := make([]pagoinrete.Notice, len(found))
	for i, n := range found {
		notices[i] = n.Notice
	}
	return notices, nil
}

// candidates returns the shortest list at hand that has all that match, and the filter
// without what all in the list match.
func (s *Store) candidates(filter pagoinrete.NoticeFilter) (listing.List[*storedNotice], pagoinrete.NoticeFilter) {
	switch {
	case len(filter.IDs) > 0:
		ids := filter.IDs
		filter.IDs = nil
		return listing.Pick(s.notices, ids), filter
	case len(filter.IUVs) > 0:
		var found []*storedNotice
		for _, iuv := range filter.IUVs {
			found = append(found, s.iuvs[iuv]...)
		}
		filter.IUVs = nil
		return listing.Of(found), filter
	case filter.Event != uuid.Nil:
		if g := s.groups[filter.Event]; g != nil {
			return g.list, filter
		}
		return nil, filter
	}
	return s.list, filter
}

// NoticeHistory returns the records of a notice: see [pagoinrete.Store].
func (s *Store) NoticeHistory(ctx context.Context, id uuid.UUID) ([]pagoinrete.NoticeRecord, error) {
	if err := ended(ctx, "read history of notice", id); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.notices[id]; n != nil {
		return slices.Clone(n.history), nil
	}
	return nil, nil
}
