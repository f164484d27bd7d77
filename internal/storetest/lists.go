package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Kind lets a test of lists be the same for every kind of entity. Its functions end the
// test when the store fails.
type Kind struct {
	Name   string                                 // of the method that lists, such as "Flows"
	Create func(at time.Time) flussi.Cursor       // stores one
	Change func(id uuid.UUID)                     // stores its next version
	List   func(page flussi.Page) []flussi.Cursor // lists all
}

// Placed is what has a place in lists.
type Placed interface {
	Cursor() flussi.Cursor // its place
}

// Places returns the places of entities.
func Places[T Placed](all []T) []flussi.Cursor {
	places := make([]flussi.Cursor, len(all))
	for i, one := range all {
		places[i] = one.Cursor()
	}
	return places
}

// create stores some, several of them of the same time, and returns their places, the
// oldest first.
func (p *Probe) create(k Kind, count int) []flussi.Cursor {
	var all []flussi.Cursor
	start := p.Now()
	for range count {
		at := start.Add(time.Duration(p.Random.IntN(count/3)) * time.Microsecond)
		all = append(all, k.Create(at))
	}
	slices.SortFunc(all, flussi.Cursor.Compare)
	return all
}

// samePlaces checks a list; want is the oldest first.
func (p *Probe) samePlaces(what string, got, want []flussi.Cursor, oldestFirst bool) {
	want = slices.Clone(want)
	if !oldestFirst {
		slices.Reverse(want)
	}
	same := func(a, b flussi.Cursor) bool { return a.Compare(b) == 0 }
	if slices.EqualFunc(got, want, same) {
		return
	}
	for i := range min(len(got), len(want)) {
		if !same(got[i], want[i]) {
			p.Fail("%s: want %d, got %d; number %d should be %s of %s, and is %s of %s", what, len(want), len(got), i+1,
				want[i].ID, show(want[i].At), got[i].ID, show(got[i].At))
			return
		}
	}
	p.Fail("%s: want %d, got %d", what, len(want), len(got))
}

// ListsAreSorted checks that lists are sorted by time of creation and then ID.
func ListsAreSorted(p *Probe, kinds []Kind) {
	for _, k := range kinds {
		want := p.create(k, 60)
		for _, oldest := range []bool{false, true} {
			got := k.List(flussi.Page{Limit: Everything, OldestFirst: oldest})
			p.samePlaces(fmt.Sprintf("%s, the oldest first: %t", k.Name, oldest), got, want, oldest)
		}
	}
}

// PagesKeepTheLimit checks that a page is as long as it may be, and no longer.
func PagesKeepTheLimit(p *Probe, kinds []Kind) {
	for _, k := range kinds {
		all := p.create(k, 12)
		for _, limit := range []int{1, 5, 12, 13, flussi.MaxPage} {
			for _, oldest := range []bool{false, true} {
				if got := k.List(flussi.Page{Limit: limit, OldestFirst: oldest}); len(got) != min(limit, len(all)) {
					p.Fail("%s with the limit %d, when 12 are: got %d", k.Name, limit, len(got))
				}
				after := all[8]
				if oldest {
					after = all[3]
				}
				if got := k.List(flussi.Page{After: after, Limit: limit, OldestFirst: oldest}); len(got) != min(limit, 8) {
					p.Fail("%s with the limit %d, when 8 are behind the cursor: got %d", k.Name, limit, len(got))
				}
			}
		}
	}
}

// endless is longer than any list that is walked through.
const endless = 500

// walk reads page after page. It does something between them.
func (p *Probe) walk(what string, page flussi.Page, list func(flussi.Page) []flussi.Cursor, between func()) []flussi.Cursor {
	var all []flussi.Cursor
	for len(all) < endless {
		got := list(page)
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
		text, err := got[len(got)-1].MarshalText() // as it goes through a URL
		p.Must(err, "Cursor.MarshalText")
		p.Must(page.After.UnmarshalText(text), "Cursor.UnmarshalText")
		between()
	}
	p.Fail("%s: page after page does not come to an end", what)
	return all
}

// PagesGiveAllOnce checks that page after page gives everything once.
func PagesGiveAllOnce(p *Probe, kinds []Kind) {
	for _, k := range kinds {
		want := p.create(k, 60)
		for _, limit := range []int{1, 4, 7, 60} {
			for _, oldest := range []bool{false, true} {
				what := fmt.Sprintf("%s by %d, the oldest first: %t", k.Name, limit, oldest)
				got := p.walk(what, flussi.Page{Limit: limit, OldestFirst: oldest}, k.List, func() {})
				p.samePlaces(what, got, want, oldest)
			}
		}
	}
}

// PagesGiveAllOnceMeanwhile checks the same while the list changes.
func PagesGiveAllOnceMeanwhile(p *Probe, kinds []Kind) {
	for _, k := range kinds {
		for _, oldest := range []bool{false, true} {
			all := slices.SortedFunc(slices.Values(k.List(flussi.Page{Limit: Everything})), flussi.Cursor.Compare)
			want := append(all, p.create(k, 30)...) // created later than the others
			ours := map[uuid.UUID]bool{}
			for _, place := range want {
				ours[place.ID] = true
			}
			what := fmt.Sprintf("%s by 4 while the list changes, the oldest first: %t", k.Name, oldest)
			got := p.walk(what, flussi.Page{Limit: 4, OldestFirst: oldest}, k.List, func() {
				k.Change(want[p.Random.IntN(len(want))].ID)
				// One is added where the walk was already.
				if oldest {
					k.Create(want[0].At.Add(-time.Minute))
				} else {
					k.Create(p.Now())
				}
			})
			seen := map[uuid.UUID]bool{}
			for _, place := range got {
				if seen[place.ID] {
					p.Fail("%s: %s came twice", what, place.ID)
				}
				seen[place.ID] = true
			}
			got = slices.DeleteFunc(got, func(place flussi.Cursor) bool { return !ours[place.ID] })
			p.samePlaces(what, got, want, oldest)
		}
	}
}

// PagesBeginAnywhere checks that a page begins behind a place, whether something is there or not.
func PagesBeginAnywhere(p *Probe, kinds []Kind) {
	for _, k := range kinds {
		all := p.create(k, 30)
		for i := range 20 {
			after := flussi.Cursor{At: all[p.Random.IntN(len(all))].At, ID: p.ID()}
			if i%4 == 0 { // nothing is of this time
				after.At = after.At.Add(time.Hour - 2*time.Hour*time.Duration(p.Random.IntN(2)))
			}
			for _, oldest := range []bool{false, true} {
				page := flussi.Page{After: after, Limit: Everything, OldestFirst: oldest}
				want := slices.DeleteFunc(slices.Clone(all), func(place flussi.Cursor) bool { return !page.Includes(place) })
				p.samePlaces(fmt.Sprintf("%s behind a place where nothing is, the oldest first: %t", k.Name, oldest), k.List(page), want, oldest)
			}
		}
	}
}
