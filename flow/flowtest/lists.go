package flowtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

var listRules = []rule{
	{"lists are sorted by time of creation and then ID", listsAreSorted},
	{"a page is as long as it may be, and no longer", pagesKeepTheLimit},
	{"page after page gives everything once", pagesGiveAllOnce},
	{"page after page gives everything once while the list changes", pagesGiveAllOnceMeanwhile},
	{"a page begins behind a place, whether something is there or not", pagesBeginAnywhere},
}

// kind lets a test of lists be the same for flows and for notifications.
type kind struct {
	name   string
	create func(at time.Time) flow.Cursor // stores one
	change func(id uuid.UUID)             // stores its next version
	list   func(flow.Page) []flow.Cursor
}

func (p *probe) kinds() []kind {
	return []kind{{
		"Flows",
		func(at time.Time) flow.Cursor {
			f := p.newFlow()
			f.CreatedAt = at
			return p.saveFlow(f).Cursor()
		},
		func(id uuid.UUID) {
			f := p.flow(id)
			f.UpdatedAt = p.now()
			p.saveFlow(f)
		},
		func(page flow.Page) []flow.Cursor { return places(p.flows(flow.FlowFilter{}, page)) },
	}, {
		"Notifications",
		func(at time.Time) flow.Cursor {
			n := p.newNotification(uuid.Nil)
			n.CreatedAt = at
			return p.save(n).Cursor()
		},
		func(id uuid.UUID) {
			n := p.notification(id)
			n.UpdatedAt = p.now()
			p.save(n)
		},
		func(page flow.Page) []flow.Cursor {
			return places(p.notifications(flow.NotificationFilter{}, page))
		},
	}}
}

// placed is what has a place in lists: flows and notifications.
type placed interface{ Cursor() flow.Cursor }

func places[T placed](all []T) []flow.Cursor {
	places := make([]flow.Cursor, len(all))
	for i, one := range all {
		places[i] = one.Cursor()
	}
	return places
}

// create stores some, several of them of the same time, and returns their places, the
// oldest first.
func (p *probe) create(k kind, count int) []flow.Cursor {
	var all []flow.Cursor
	start := p.now()
	for range count {
		at := start.Add(time.Duration(p.random.IntN(count/3)) * time.Microsecond)
		all = append(all, k.create(at))
	}
	slices.SortFunc(all, flow.Cursor.Compare)
	return all
}

// samePlaces checks a list; want is the oldest first.
func (p *probe) samePlaces(what string, got, want []flow.Cursor, oldestFirst bool) {
	want = slices.Clone(want)
	if !oldestFirst {
		slices.Reverse(want)
	}
	same := func(a, b flow.Cursor) bool { return a.Compare(b) == 0 }
	if slices.EqualFunc(got, want, same) {
		return
	}
	for i := range min(len(got), len(want)) {
		if !same(got[i], want[i]) {
			p.fail("%s: want %d, got %d; number %d should be %s of %s, and is %s of %s", what, len(want), len(got), i+1,
				want[i].ID, show(want[i].At), got[i].ID, show(got[i].At))
			return
		}
	}
	p.fail("%s: want %d, got %d", what, len(want), len(got))
}

func listsAreSorted(p *probe) {
	for _, k := range p.kinds() {
		want := p.create(k, 60)
		for _, oldest := range []bool{false, true} {
			got := k.list(flow.Page{Limit: everything, OldestFirst: oldest})
			p.samePlaces(fmt.Sprintf("%s, the oldest first: %t", k.name, oldest), got, want, oldest)
		}
	}
}

func pagesKeepTheLimit(p *probe) {
	for _, k := range p.kinds() {
		all := p.create(k, 12)
		for _, limit := range []int{1, 5, 12, 13, flow.MaxPage} {
			for _, oldest := range []bool{false, true} {
				if got := k.list(flow.Page{Limit: limit, OldestFirst: oldest}); len(got) != min(limit, len(all)) {
					p.fail("%s with the limit %d, when 12 are: got %d", k.name, limit, len(got))
				}
				after := all[8]
				if oldest {
					after = all[3]
				}
				if got := k.list(flow.Page{After: after, Limit: limit, OldestFirst: oldest}); len(got) != min(limit, 8) {
					p.fail("%s with the limit %d, when 8 are behind the cursor: got %d", k.name, limit, len(got))
				}
			}
		}
	}
}

// walk reads page after page. It does something between them.
func (p *probe) walk(what string, page flow.Page, list func(flow.Page) []flow.Cursor, between func()) []flow.Cursor {
	var all []flow.Cursor
	for len(all) < 2*everything {
		got := list(page)
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
		text, err := got[len(got)-1].MarshalText() // as it goes through a URL
		p.must(err, "Cursor.MarshalText")
		p.must(page.After.UnmarshalText(text), "Cursor.UnmarshalText")
		between()
	}
	p.fail("%s: page after page does not come to an end", what)
	return all
}

func pagesGiveAllOnce(p *probe) {
	for _, k := range p.kinds() {
		want := p.create(k, 60)
		for _, limit := range []int{1, 4, 7, 60} {
			for _, oldest := range []bool{false, true} {
				what := fmt.Sprintf("%s by %d, the oldest first: %t", k.name, limit, oldest)
				got := p.walk(what, flow.Page{Limit: limit, OldestFirst: oldest}, k.list, func() {})
				p.samePlaces(what, got, want, oldest)
			}
		}
	}
}

func pagesGiveAllOnceMeanwhile(p *probe) {
	for _, k := range p.kinds() {
		for _, oldest := range []bool{false, true} {
			all := slices.SortedFunc(slices.Values(k.list(flow.Page{Limit: everything})), flow.Cursor.Compare)
			want := append(all, p.create(k, 30)...) // created later than the others
			ours := map[uuid.UUID]bool{}
			for _, place := range want {
				ours[place.ID] = true
			}
			what := fmt.Sprintf("%s by 4 while the list changes, the oldest first: %t", k.name, oldest)
			got := p.walk(what, flow.Page{Limit: 4, OldestFirst: oldest}, k.list, func() {
				k.change(want[p.random.IntN(len(want))].ID)
				// One is added where the walk was already.
				if oldest {
					k.create(want[0].At.Add(-time.Minute))
				} else {
					k.create(p.now())
				}
			})
			seen := map[uuid.UUID]bool{}
			for _, place := range got {
				if seen[place.ID] {
					p.fail("%s: %s came twice", what, place.ID)
				}
				seen[place.ID] = true
			}
			got = slices.DeleteFunc(got, func(place flow.Cursor) bool { return !ours[place.ID] })
			p.samePlaces(what, got, want, oldest)
		}
	}
}

func pagesBeginAnywhere(p *probe) {
	for _, k := range p.kinds() {
		all := p.create(k, 30)
		for i := range 20 {
			after := flow.Cursor{At: all[p.random.IntN(len(all))].At, ID: p.id()}
			if i%4 == 0 { // nothing is of this time
				after.At = after.At.Add(time.Hour - 2*time.Hour*time.Duration(p.random.IntN(2)))
			}
			for _, oldest := range []bool{false, true} {
				page := flow.Page{After: after, Limit: everything, OldestFirst: oldest}
				want := slices.DeleteFunc(slices.Clone(all), func(place flow.Cursor) bool { return !page.Includes(place) })
				p.samePlaces(fmt.Sprintf("%s behind a place where nothing is, the oldest first: %t", k.name, oldest), k.list(page), want, oldest)
			}
		}
	}
}
