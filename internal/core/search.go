package core

import (
	"context"
	"iter"
	"slices"

	"github.com/flussi-go/flussi"
)

// Listed is an entity that has a place in lists.
type Listed interface {
	// Cursor returns the place.
	Cursor() flussi.Cursor
}

// Narrow returns the scopes that an actor's search looks in, and the page with its limit. Wanted
// are the scopes of the filter; none: all that the actor has. There are none if the actor has none.
// Invalid is the error of the filter's Check. Narrow returns a [flussi.ErrForbidden] if the filter
// names a scope that the actor does not have, and a [*flussi.InvalidError] for a filter or a page
// that is not valid.
func Narrow(ctx context.Context, a Access, by flussi.Actor, wanted []string, invalid error, page flussi.Page) ([]string, flussi.Page, error) {
	scopes, err := a.Scopes(ctx, by)
	if err != nil {
		return nil, page, err
	}
	for _, scope := range wanted {
		if _, found := slices.BinarySearch(scopes, scope); !found {
			return nil, page, flussi.ErrForbidden
		}
	}
	page, err = page.Check()
	if invalid != nil || err != nil {
		var wrong Invalid
		wrong.Include(invalid)
		wrong.Include(err)
		return nil, page, wrong.OrNil()
	}
	if len(wanted) > 0 {
		return slices.Clone(wanted), page, nil // the search may go on after the caller changed its filter
	}
	return scopes, page, nil
}

// List returns a page of the entities that an actor's search finds, and the place of the next page:
// zero if this is the last one. List calls the function, which reads them from the store, unless
// the actor has no scope. See [Narrow] for the other arguments and for errors.
func List[T Listed](
	ctx context.Context, a Access, by flussi.Actor, wanted []string, invalid error, page flussi.Page,
	list func(scopes []string, page flussi.Page) ([]T, error),
) ([]T, flussi.Cursor, error) {
	scopes, page, err := Narrow(ctx, a, by, wanted, invalid, page)
	if err != nil || len(scopes) == 0 {
		return nil, flussi.Cursor{}, err
	}
	limit := page.Limit
	page.Limit++ // to know whether there is more
	found, err := list(scopes, page)
	if err != nil || len(found) <= limit {
		return found, flussi.Cursor{}, err
	}
	found = found[:limit]
	return found, found[limit-1].Cursor(), nil
}

// All returns all entities that an actor's search finds. It authorises the actor and calls the
// function, which reads them from the store, each time the sequence is pulled, at its beginning. An
// error ends the sequence; fail wraps it. See [Narrow] for the other arguments and for errors.
func All[T any](
	ctx context.Context, a Access, by flussi.Actor, wanted []string, invalid error,
	all func(scopes []string) iter.Seq2[T, error], fail func(error) error,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		scopes, _, err := Narrow(ctx, a, by, wanted, invalid, flussi.Page{})
		if err != nil {
			var none T
			yield(none, fail(err))
			return
		}
		if len(scopes) == 0 {
			return
		}
		for entity, err := range all(scopes) {
			if !yield(entity, fail(err)) || err != nil {
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
