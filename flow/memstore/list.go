package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/flussi-go/flussi/flow"
)

// list is sorted by place, the oldest first.
type list[T placed] []T

// placed is what has a place in a list. It must not change while it is in one.
type placed interface {
	comparable
	place() flow.Cursor
}

func compare[T placed](a, b T) int { return a.place().Compare(b.place()) }

// add merges entries into the list, and sorts them for that. It works from the end,
// where new ones usually belong, so that they cost nothing but their own places.
func (l *list[T]) add(entries ...T) {
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

// remove takes an entry out of the list.
func (l *list[T]) remove(entry T) {
	if i, found := l.search(entry.place()); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// search returns where in the list a place is or would be, and whether it is there.
func (l list[T]) search(place flow.Cursor) (int, bool) {
	return slices.BinarySearchFunc(l, place, func(entry T, place flow.Cursor) int {
		return entry.place().Compare(place)
	})
}

// since returns where in the list those begin that were created at t or later.
func (l list[T]) since(t time.Time) int {
	i, _ := l.search(flow.Cursor{At: t})
	return i
}

// page returns those of a page that match, of those that were created at from or later
// and before to. It looks at nothing that lies elsewhere.
func (l list[T]) page(ctx context.Context, p flow.Page, from, to time.Time, match func(T) bool) ([]T, error) {
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
		p.Limit = flow.MaxPage
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
