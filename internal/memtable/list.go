package memtable

import (
	"context"
	"slices"
	"time"

	"github.com/flussi-go/flussi"
)

// List is rows sorted by place, the oldest first. It is not safe for concurrent use.
type List[E, R any] []*Row[E, R]

func compare[E, R any](a, b *Row[E, R]) int { return a.place().Compare(b.place()) }

// listOf returns a list of the rows, each once. It changes the slice.
func listOf[E, R any](rows []*Row[E, R]) List[E, R] {
	if len(rows) < 2 {
		return rows
	}
	slices.SortFunc(rows, compare)
	return slices.Compact(rows)
}

// merge adds rows, which are sorted. It works from the end, where new rows usually belong,
// so that it moves only the rows behind them.
func (l *List[E, R]) merge(rows []*Row[E, R]) {
	old, added := len(*l)-1, len(rows)-1
	*l = append(*l, rows...)
	for at := len(*l) - 1; added >= 0; at-- {
		if old >= 0 && compare((*l)[old], rows[added]) > 0 {
			(*l)[at] = (*l)[old]
			old--
		} else {
			(*l)[at] = rows[added]
			added--
		}
	}
}

// remove takes a row out of the list, if it is there.
func (l *List[E, R]) remove(row *Row[E, R]) {
	if i, found := l.search(row.place()); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// search returns where in the list a place is or would be, and whether it is there.
func (l List[E, R]) search(place flussi.Cursor) (int, bool) {
	return slices.BinarySearchFunc(l, place, func(row *Row[E, R], place flussi.Cursor) int {
		return row.place().Compare(place)
	})
}

// since returns where in the list those begin that were created at t or later.
func (l List[E, R]) since(t time.Time) int {
	i, _ := l.search(flussi.Cursor{At: t})
	return i
}

// Range is a part of a list.
type Range struct {
	Page flussi.Page // which page of those from From to To; without a limit up to [flussi.MaxPage]
	From time.Time   // only rows created at this time or later; the zero time is no bound
	To   time.Time   // only rows created before this time; the zero time is no bound
}

// page returns the matching rows of a range, in the order of the page. It calls match only
// for rows within the range. The error is that of the context, which may end meanwhile.
func (l List[E, R]) page(
	ctx context.Context, r Range, match func(*E) bool,
) ([]*Row[E, R], error) {
	low, high := l.bounds(r)
	limit := r.Page.Limit
	if limit <= 0 {
		limit = flussi.MaxPage
	}
	var page []*Row[E, R]
	for seen := 1; low < high && len(page) < limit; seen++ {
		if seen%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var row *Row[E, R]
		if r.Page.OldestFirst {
			row = l[low]
			low++
		} else {
			high--
			row = l[high]
		}
		if match(&row.Entity) {
			page = append(page, row)
		}
	}
	return page, nil
}

// bounds returns where in the list a range begins and ends.
func (l List[E, R]) bounds(r Range) (low, high int) {
	high = len(l)
	if !r.From.IsZero() {
		low = l.since(r.From)
	}
	if !r.To.IsZero() {
		high = l.since(r.To)
	}
	if r.Page.After.IsZero() {
		return low, high
	}
	i, found := l.search(r.Page.After)
	switch {
	case !r.Page.OldestFirst:
		high = min(high, i)
	case found:
		low = max(low, i+1)
	default:
		low = max(low, i)
	}
	return low, high
}
