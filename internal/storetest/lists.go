package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// listing is a list of entities of any kind, and how what it has is stored. Its functions end
// the test when the store fails.
type listing struct {
	name   string                                 // such as "Flows"
	create func(at time.Time) flussi.Cursor       // stores one
	change func(id uuid.UUID)                     // stores its next version
	list   func(page flussi.Page) []flussi.Cursor // lists all
}

// each is the test of a rule of lists: of all parents, of all children, and, when these are
// there, of those of another parent.
func each[P, C Placed](test func(*Probe, listing)) func(*Suite[P, C]) {
	return func(s *Suite[P, C]) {
		test(s.Probe, s.Parents.listing(s.NewParent, s.Parents.ByID()))
		owner, other := s.newOwner(), s.SetParent(s.NewParent())
		test(s.Probe, s.Children.listing(func() C { return s.NewChild(owner) }, s.Children.ByID()))
		ofOther := s.Children.listing(func() C { return s.NewChild(other) }, s.ChildrenOf(other))
		ofOther.name += " of " + s.Parents.Name.An()
		test(s.Probe, ofOther)
	}
}

// listing is a list that a filter finds, in which those are that are made.
func (k *Kind[E]) listing(newOne func() E, filter Filter) listing {
	return listing{
		name:   k.Name.List(),
		create: func(t time.Time) flussi.Cursor { return k.Set(at(newOne(), "CreatedAt", t)).Cursor() },
		change: func(id uuid.UUID) { k.Set(at(k.One(id), "UpdatedAt", k.Now())) },
		list:   func(page flussi.Page) []flussi.Cursor { return Places(k.Page(filter, page)) },
	}
}

// at returns an entity that was created, or changed last, at another time.
func at[E any](e E, field string, t time.Time) E {
	*FieldOf[time.Time](&e, field) = t
	return e
}

// Placed is what has a place in lists.
type Placed interface {
	Cursor() flussi.Cursor // its place
}

// Places returns the places of entities.
func Places[T Placed](all []T) []flussi.Cursor {
	return Map(all, func(one T) flussi.Cursor { return one.Cursor() })
}

// create stores some, several of them of the same time, and returns their places, the
// oldest first.
func (p *Probe) create(l listing, count int) []flussi.Cursor {
	var all []flussi.Cursor
	start := p.Now()
	for range count {
		at := start.Add(time.Duration(p.Random.IntN(count/3)) * time.Microsecond)
		all = append(all, l.create(at))
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

// listsAreSorted checks that lists are sorted by time of creation and then ID.
func listsAreSorted(p *Probe, l listing) {
	want := p.create(l, 60)
	for _, oldest := range []bool{false, true} {
		got := l.list(flussi.Page{Limit: Everything, OldestFirst: oldest})
		p.samePlaces(fmt.Sprintf("%s, the oldest first: %t", l.name, oldest), got, want, oldest)
	}
}

// pagesKeepTheLimit checks that a page is as long as it may be, and no longer.
func pagesKeepTheLimit(p *Probe, l listing) {
	all := p.create(l, 12)
	for _, limit := range []int{1, 5, 12, 13, flussi.MaxPage} {
		for _, oldest := range []bool{false, true} {
			if got := l.list(flussi.Page{Limit: limit, OldestFirst: oldest}); len(got) != min(limit, len(all)) {
				p.Fail("%s with the limit %d, when 12 are: got %d", l.name, limit, len(got))
			}
			after := all[8]
			if oldest {
				after = all[3]
			}
			if got := l.list(flussi.Page{After: after, Limit: limit, OldestFirst: oldest}); len(got) != min(limit, 8) {
				p.Fail("%s with the limit %d, when 8 are behind the cursor: got %d", l.name, limit, len(got))
			}
		}
	}
}

// longPagesAreWhole checks pages of one more than [flussi.MaxPage], by which services learn whether
// there is more, and shorter ones that are still long.
func (s *Suite[P, C]) longPagesAreWhole() {
	const count = flussi.MaxPage + 1
	var last P
	parents := make([]flussi.Cursor, count)
	for i := range parents {
		last = s.SetParent(s.NewParent())
		parents[i] = last.Cursor()
	}
	s.Parents.givesLongPages(s.Parents.ByID(), parents)
	children := s.NewChildren(last, count)
	s.SetChildren(children...)
	s.Children.givesLongPages(s.Children.ByID(), Places(children))
	s.Children.givesLongPages(s.ChildrenOf(last), Places(children))
}

// givesLongPages checks the pages of a list of more than [flussi.MaxPage] entities. All are the
// oldest first.
func (k *Kind[E]) givesLongPages(filter Filter, all []flussi.Cursor) {
	for _, oldest := range []bool{false, true} {
		rest := slices.Clone(all)
		if !oldest {
			slices.Reverse(rest)
		}
		page := flussi.Page{OldestFirst: oldest}
		for _, limit := range []int{flussi.MaxPage + 1, flussi.MaxPage, 500} {
			what := fmt.Sprintf("%s with the limit %d, when %d are, the oldest first: %t",
				k.Name.List(), limit, len(all), oldest)
			page.After = flussi.Cursor{}
			for at := 0; at < len(rest); at += limit {
				page.Limit = limit
				want := rest[at:min(at+limit, len(rest))]
				k.samePlaces(what, Places(k.Page(filter, page)), want, true)
				page.After = want[len(want)-1]
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

// pagesGiveAllOnce checks that page after page gives everything once.
func pagesGiveAllOnce(p *Probe, l listing) {
	want := p.create(l, 60)
	for _, limit := range []int{1, 4, 7, 60} {
		for _, oldest := range []bool{false, true} {
			what := fmt.Sprintf("%s by %d, the oldest first: %t", l.name, limit, oldest)
			got := p.walk(what, flussi.Page{Limit: limit, OldestFirst: oldest}, l.list, func() {})
			p.samePlaces(what, got, want, oldest)
		}
	}
}

// pagesGiveAllOnceMeanwhile checks the same while the list changes.
func pagesGiveAllOnceMeanwhile(p *Probe, l listing) {
	for _, oldest := range []bool{false, true} {
		all := slices.SortedFunc(slices.Values(l.list(flussi.Page{Limit: Everything})), flussi.Cursor.Compare)
		want := append(all, p.create(l, 30)...) // created later than the others
		ours := map[uuid.UUID]bool{}
		for _, place := range want {
			ours[place.ID] = true
		}
		what := fmt.Sprintf("%s by 4 while the list changes, the oldest first: %t", l.name, oldest)
		got := p.walk(what, flussi.Page{Limit: 4, OldestFirst: oldest}, l.list, func() {
			l.change(want[p.Random.IntN(len(want))].ID)
			// One is added where the walk was already.
			if oldest {
				l.create(want[0].At.Add(-time.Minute))
			} else {
				l.create(p.Now())
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

// pagesBeginAnywhere checks that a page begins behind a place, whether something is there or not.
func pagesBeginAnywhere(p *Probe, l listing) {
	all := p.create(l, 30)
	for i := range 20 {
		after := flussi.Cursor{At: all[p.Random.IntN(len(all))].At, ID: p.ID()}
		if i%4 == 0 { // nothing is of this time
			after.At = after.At.Add(time.Hour - 2*time.Hour*time.Duration(p.Random.IntN(2)))
		}
		for _, oldest := range []bool{false, true} {
			page := flussi.Page{After: after, Limit: Everything, OldestFirst: oldest}
			want := slices.DeleteFunc(slices.Clone(all), func(place flussi.Cursor) bool { return !page.Includes(place) })
			p.samePlaces(fmt.Sprintf("%s behind a place where nothing is, the oldest first: %t", l.name, oldest), l.list(page), want, oldest)
		}
	}
}
