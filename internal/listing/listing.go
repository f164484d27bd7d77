// Package listing has the lists that stores in memory keep: sorted by place, and read
// page by page.
package listing

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// List is sorted by place, the oldest first. It is not safe for concurrent use.
type List[T Placed] []T

// Placed is what has a place in a list, a pointer for instance. Its place must not change
// while it is in one.
type Placed interface {
	comparable
	Cursor() flussi.Cursor // its place
}

func compare[T Placed](a, b T) int { return a.Cursor().Compare(b.Cursor()) }

// Of returns a list of the entries, each once, which it takes over.
func Of[T Placed](entries []T) List[T] {
	slices.SortFunc(entries, compare)
	return slices.Compact(entries)
}

// Pick returns those with one of the IDs, as a list.
func Pick[T Placed](all map[uuid.UUID]T, ids []uuid.UUID) List[T] {
	picked := make([]T, 0, len(ids))
	for _, id := range ids {
		if entry, found := all[id]; found {
			picked = append(picked, entry)
		}
	}
	return Of(picked)
}

// Add merges entries into the list, and sorts them for that. It works from the end,
// where new ones usually belong, so that they cost nothing but their own places.
func (l *List[T]) Add(entries ...T) {
	slices.SortFunc(entries, compare)
	old, added := len(*l)-1, len(entries)-1
	*l = append(*l, entries...)
	for at := len(*l) - 1; added >= 0; at-- {
		if old >= 0 && compare((*l)[old], entries[added]) > 0 {
			(*l)[at] = (*l)[old]
			old--
		} else {
			(*l)[at] = entries[added]
			added--
		}
	}
}

// Remove takes an entry out of the list, if it is there.
func (l *List[T]) Remove(entry T) {
	if i, found := l.search(entry.Cursor()); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// search returns where in the list a place is or would be, and whether it is there.
func (l List[T]) search(place flussi.Cursor) (int, bool) {
	return slices.BinarySearchFunc(l, place, func(entry T, place flussi.Cursor) int {
		return entry.Cursor().Compare(place)
	})
}

// since returns where in the list those begin that were created at t or later.
func (l List[T]) since(t time.Time) int {
	i, _ := l.search(flussi.Cursor{At: t})
	return i
}

// Page returns those of a page that match, of those that were created at from or later
// and before to; the zero time stands for no bound. It looks at nothing that lies
// elsewhere. A page without a limit is as long as [flussi.MaxPage]. The error is that of
// the context, which may end while it searches.
func (l List[T]) Page(ctx context.Context, p flussi.Page, from, to time.Time, match func(T) bool) ([]T, error) {
	low, high := 0, len(l)
	if !from.IsZero() {
		low = l.since(from)
	}
	if !to.IsZero() {
		high = l.since(to)
	}
	if !p.After.IsZero() {
		i, found := l.search(p.After)
		switch {
		case !p.OldestFirst:
			high = min(high, i)
		case found:
			low = max(low, i+1)
		default:
			low = max(low, i)
		}
	}
	if p.Limit <= 0 {
		p.Limit = flussi.MaxPage
	}
	var page []T
	for seen := 1; low < high && len(page) < p.Limit; seen++ {
		if seen%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var entry T
		if p.OldestFirst {
			entry = l[low]
			low++
		} else {
			high--
			entry = l[high]
		}
		if match(entry) {
			page = append(page, entry)
		}
	}
	return page, nil
}
