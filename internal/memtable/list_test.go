package memtable

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

// entry is a row of which only the place matters.
type entry = Row[flussi.Cursor, struct{}]

var start = time.Date(2026, time.September, 14, 8, 0, 0, 0, time.UTC)

func entryAt(place flussi.Cursor) *entry {
	return &entry{Entity: place, placeOf: func(place *flussi.Cursor) flussi.Cursor { return *place }}
}

// randomEntry returns an entry of one of a few seconds.
func randomEntry(r *rand.Rand) *entry {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.UintN(256))
	}
	place := flussi.Cursor{At: start.Add(time.Duration(r.IntN(20)) * time.Second), ID: id}
	return entryAt(place)
}

func order(a, b *entry) int { return a.Entity.Compare(b.Entity) }

func everything(*flussi.Cursor) bool { return true }

// add adds entries in any order.
func add(list *List[flussi.Cursor, struct{}], entries ...*entry) {
	list.merge(slices.SortedFunc(slices.Values(entries), order))
}

func TestListStaysSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[flussi.Cursor, struct{}]
	var want []*entry
	for range 200 {
		var added []*entry
		for range r.IntN(6) {
			added = append(added, randomEntry(r))
		}
		want = append(want, added...)
		add(&list, added...)
		if len(want) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(want))
			list.remove(want[i])
			want = slices.Delete(want, i, i+1)
		}
		list.remove(randomEntry(r)) // which is not there
		slices.SortFunc(want, order)
		require.Equal(t, want, []*entry(list))
	}
}

func TestListHasEachRowOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b := randomEntry(r), randomEntry(r)
	want := []*entry{a, b}
	slices.SortFunc(want, order)
	assert.Equal(t, want, []*entry(listOf([]*entry{a, b, a})))
}

// A page has what a search through all rows finds.
func TestPageHasMatchesBehindCursor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[flussi.Cursor, struct{}]
	for range 100 {
		add(&list, randomEntry(r))
	}
	for range 2000 {
		var from, to time.Time
		if r.IntN(2) == 0 {
			from = randomEntry(r).Entity.At
		}
		if r.IntN(2) == 0 {
			to = randomEntry(r).Entity.At
		}
		page := flussi.Page{Limit: 1 + r.IntN(40), OldestFirst: r.IntN(2) == 0}
		switch r.IntN(3) {
		case 0:
			page.After = list[r.IntN(len(list))].Entity
		case 1:
			page.After = randomEntry(r).Entity
		}
		match := func(place *flussi.Cursor) bool { return place.ID[0]%3 > 0 }
		var want []*entry
		for _, e := range list {
			if match(&e.Entity) && page.Includes(e.Entity) && (from.IsZero() || !e.Entity.At.Before(from)) && (to.IsZero() || e.Entity.At.Before(to)) {
				want = append(want, e)
			}
		}
		if !page.OldestFirst {
			slices.Reverse(want)
		}
		require.Equal(t, want[:min(page.Limit, len(want))], must.Get(list.page(context.Background(), Range{page, from, to}, match))(t))
	}
}

func TestPageWithoutLimitHasMaxPage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[flussi.Cursor, struct{}]
	for range flussi.MaxPage + 1 {
		add(&list, randomEntry(r))
	}
	for _, limit := range []int{0, -1} {
		assert.Len(t, must.Get(list.page(context.Background(), Range{Page: flussi.Page{Limit: limit}}, everything))(t), flussi.MaxPage)
	}
}

func TestPageMatchesOnlyWithinRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[flussi.Cursor, struct{}]
	for range 1000 {
		add(&list, randomEntry(r))
	}
	at := list[500].Entity.At
	_, err := list.page(context.Background(), Range{flussi.Page{Limit: 1000}, at, at.Add(time.Second)}, func(place *flussi.Cursor) bool {
		assert.Equal(t, at, place.At)
		return true
	})
	require.NoError(t, err)
}

func TestSearchEndsWithContext(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list List[flussi.Cursor, struct{}]
	for range 5000 {
		add(&list, randomEntry(r))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	seen := 0
	_, err := list.page(ctx, Range{Page: flussi.Page{Limit: 1}}, func(*flussi.Cursor) bool {
		seen++
		cancel(errors.New("enough"))
		return false
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, seen, 1100)
}
