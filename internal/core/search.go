package core

import (
	"context"
	"iter"

	"github.com/flussi-go/flussi"
)

// Listed is an entity that has a place in lists.
type Listed interface {
	// Cursor returns the place.
	Cursor() flussi.Cursor
}

// Search is a list that an actor asks for. Its functions take and return filters by value, so that
// a search allocates none.
type Search[F interface{ Check() error }, T Listed] struct {
	Access Access                                             // of the service
	By     flussi.Actor                                       // who asks
	Filter F                                                  // as the actor gave it
	Scopes []string                                           // of the filter; none: all that the actor has
	With   func(filter F, scopes []string) F                  // returns the filter with other scopes
	List   func(context.Context, F, flussi.Page) ([]T, error) // of the store
	Fail   func(error) error                                  // wraps the errors of Page and All; nil stays nil
}

// Narrow returns the scopes to look in, and the page with its limit. There are none if the actor
// has none. It returns a [flussi.ErrForbidden] if the filter names a scope that the actor does not
// have, and an [*flussi.InvalidError] for a filter or a page that is not valid.
func (s *Search[F, T]) Narrow(ctx context.Context, page flussi.Page) ([]string, flussi.Page, error) {
	scopes, err := s.Access.Scopes(ctx, s.By)
	if err != nil {
		return nil, page, err
	}
	for _, scope := range s.Scopes {
		if !has(scopes, scope) {
			return nil, page, flussi.ErrForbidden
		}
	}
	page, err = page.Check()
	if invalid := s.Filter.Check(); invalid != nil || err != nil {
		var wrong Invalid
		wrong.Include(invalid)
		wrong.Include(err)
		return nil, page, wrong.OrNil()
	}
	if len(s.Scopes) > 0 {
		return s.Scopes, page, nil
	}
	return scopes, page, nil
}

// Page returns a page of the list, and the place of the next page: zero if this is the last one.
func (s *Search[F, T]) Page(ctx context.Context, page flussi.Page) ([]T, flussi.Cursor, error) {
	scopes, page, err := s.Narrow(ctx, page)
	if err != nil || len(scopes) == 0 {
		return nil, flussi.Cursor{}, s.Fail(err)
	}
	more := page
	more.Limit++ // to know whether there is more
	found, err := s.List(ctx, s.With(s.Filter, scopes), more)
	switch {
	case err != nil:
		return nil, flussi.Cursor{}, s.Fail(err)
	case len(found) <= page.Limit:
		return found, flussi.Cursor{}, nil
	}
	found = found[:page.Limit]
	return found, found[page.Limit-1].Cursor(), nil
}

// All returns the whole list, the oldest first. An error ends the sequence. The actor is
// authorised each time the sequence is pulled, at its beginning.
func (s *Search[F, T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		scopes, _, err := s.Narrow(ctx, flussi.Page{})
		if err != nil {
			yield(none, s.Fail(err))
			return
		}
		if len(scopes) == 0 {
			return
		}
		filter := s.With(s.Filter, scopes)
		list := func(ctx context.Context, page flussi.Page) ([]T, error) { return s.List(ctx, filter, page) }
		for entity, err := range Each(Pages(ctx, flussi.MaxPage, list)) {
			if !yield(entity, s.Fail(err)) {
				return
			}
		}
	}
}

// Pages returns a whole list of the store, the oldest first, in groups of at most limit. An error
// ends the sequence.
func Pages[T Listed](ctx context.Context, limit int, list func(context.Context, flussi.Page) ([]T, error)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		page := flussi.Page{Limit: limit, OldestFirst: true}
		for {
			found, err := list(ctx, page)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(found) > 0 && !yield(found, nil) || len(found) < page.Limit {
				return
			}
			page.After = found[len(found)-1].Cursor()
		}
	}
}

// Each returns the entities of pages one by one. An error ends the sequence.
func Each[T any](pages iter.Seq2[[]T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range pages {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, entity := range page {
				if !yield(entity, nil) {
					return
				}
			}
		}
	}
}
