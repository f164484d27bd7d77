package listing_test

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
	"github.com/flussi-go/flussi/internal/listing"
)

type entry struct{ place flussi.Cursor }

func (e *entry) Cursor() flussi.Cursor { return e.place }

var start = time.Date(2026, time.September, 14, 8, 0, 0, 0, time.UTC)

// random returns an entry of one of a few seconds.
func random(r *rand.Rand) *entry {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.UintN(256))
	}
	return &entry{flussi.Cursor{At: start.Add(time.Duration(r.IntN(20)) * time.Second), ID: id}}
}

func order(a, b *entry) int { return a.place.Compare(b.place) }

func everything(*entry) bool { return true }

func TestAListIsSortedWhateverIsAddedAndRemoved(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list listing.List[*entry]
	var want []*entry
	for range 200 {
		var added []*entry
		for range r.IntN(6) {
			added = append(added, random(r))
		}
		want = append(want, added...)
		list.Add(added...)
		if len(want) > 0 && r.IntN(2) == 0 {
			i := r.IntN(len(want))
			list.Remove(want[i])
			want = slices.Delete(want, i, i+1)
		}
		list.Remove(random(r)) // which is not there
		slices.SortFunc(want, order)
		require.Equal(t, want, []*entry(list))
	}
}

func TestAListOfEntriesHasEachOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b := random(r), random(r)
	want := []*entry{a, b}
	slices.SortFunc(want, order)
	assert.Equal(t, want, []*entry(listing.Of([]*entry{a, b, a})))
	all := map[uuid.UUID]*entry{a.place.ID: a, b.place.ID: b}
	assert.Equal(t, want, []*entry(listing.Pick(all, []uuid.UUID{b.place.ID, uuid.New(), a.place.ID, b.place.ID})))
	assert.Empty(t, listing.Pick(all, []uuid.UUID{uuid.New()}))
}

// A page is what looking at everything one by one would give.
func TestAPageIsWhatMatchesBehindItsCursor(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list listing.List[*entry]
	for range 100 {
		list.Add(random(r))
	}
	for range 2000 {
		var from, to time.Time
		if r.IntN(2) == 0 {
			from = random(r).place.At
		}
		if r.IntN(2) == 0 {
			to = random(r).place.At
		}
		page := flussi.Page{Limit: 1 + r.IntN(40), OldestFirst: r.IntN(2) == 0}
		switch r.IntN(3) {
		case 0:
			page.After = list[r.IntN(len(list))].place
		case 1:
			page.After = random(r).place
		}
		match := func(e *entry) bool { return e.place.ID[0]%3 > 0 }
		var want []*entry
		for _, e := range list {
			if match(e) && page.Includes(e.place) && (from.IsZero() || !e.place.At.Before(from)) && (to.IsZero() || e.place.At.Before(to)) {
				want = append(want, e)
			}
		}
		if !page.OldestFirst {
			slices.Reverse(want)
		}
		got, err := list.Page(context.Background(), page, from, to, match)
		require.NoError(t, err)
		require.Equal(t, want[:min(page.Limit, len(want))], got)
	}
}

func TestAPageWithoutALimitIsAsLongAsTheLongest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list listing.List[*entry]
	for range flussi.MaxPage + 1 {
		list.Add(random(r))
	}
	for _, limit := range []int{0, -1} {
		page, err := list.Page(context.Background(), flussi.Page{Limit: limit}, time.Time{}, time.Time{}, everything)
		require.NoError(t, err)
		assert.Len(t, page, flussi.MaxPage)
	}
}

func TestAPageLooksAtNothingThatLiesElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list listing.List[*entry]
	for range 1000 {
		list.Add(random(r))
	}
	at := list[500].place.At
	_, err := list.Page(context.Background(), flussi.Page{Limit: 1000}, at, at.Add(time.Second), func(e *entry) bool {
		assert.Equal(t, at, e.place.At)
		return true
	})
	require.NoError(t, err)
}

func TestAContextThatEndsEndsASearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var list listing.List[*entry]
	for range 5000 {
		list.Add(random(r))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	seen := 0
	_, err := list.Page(ctx, flussi.Page{Limit: 1}, time.Time{}, time.Time{}, func(*entry) bool {
		seen++
		cancel(errors.New("enough"))
		return false
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, seen, 1100)
}
