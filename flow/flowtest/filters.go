package flowtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

var filterRules = []rule{
	{"flows are found by each field of the filter", flowsAreFoundByEach},
	{"flows are found by fields of the filter together", flowsAreFoundTogether},
	{"notifications are found by each field of the filter", notificationsAreFoundByEach},
	{"notifications are found by fields of the filter together", notificationsAreFoundTogether},
}

// catalogue is what is searched, flows or notifications. What should be found is what
// the filter's own Match says.
type catalogue[T placed, Q any] struct {
	name  string
	all   []T
	match func(Q, T) bool
	find  func(Q, flow.Page) []T
}

// finds checks what a filter finds, in pages and in full.
func (c catalogue[T, Q]) finds(p *probe, what string, filter Q) {
	var want []T
	for _, one := range c.all {
		if c.match(filter, one) {
			want = append(want, one)
		}
	}
	slices.SortFunc(want, func(a, b T) int { return a.Cursor().Compare(b.Cursor()) })
	page := flow.Page{Limit: []int{7, 50, everything}[p.random.IntN(3)], OldestFirst: p.random.IntN(2) == 0}
	what = fmt.Sprintf("%s by %s, the oldest first: %t", c.name, what, page.OldestFirst)
	var found []T
	got := p.walk(what, page, func(page flow.Page) []flow.Cursor {
		some := c.find(filter, page)
		found = append(found, some...)
		return places(some)
	}, func() {})
	failures := len(p.errs)
	p.samePlaces(what, got, places(want), page.OldestFirst)
	if len(p.errs) > failures {
		return
	}
	if !page.OldestFirst {
		slices.Reverse(want)
	}
	for i, one := range want {
		p.equal(what, found[i], one)
	}
}

// criterion sets one field of a filter so that it finds one entity, or others like it.
type criterion[T, Q any] struct {
	field string
	set   func(p *probe, q *Q, like T)
}

// each checks criteria one by one.
func each[T placed, Q any](p *probe, c catalogue[T, Q], criteria []criterion[T, Q]) {
	var none Q
	c.finds(p, "nothing", none)
	for _, criterion := range criteria {
		for range 6 {
			var filter Q
			criterion.set(p, &filter, c.all[p.random.IntN(len(c.all))])
			c.finds(p, criterion.field, filter)
		}
	}
}

// inCompany checks criteria two to four at a time, which are mostly true of one entity.
func inCompany[T placed, Q any](p *probe, c catalogue[T, Q], criteria []criterion[T, Q]) {
	for range 150 {
		var filter Q
		var names []string
		like := c.all[p.random.IntN(len(c.all))]
		for range 2 + p.random.IntN(3) {
			if p.random.IntN(8) == 0 {
				like = c.all[p.random.IntN(len(c.all))]
			}
			criterion := criteria[p.random.IntN(len(criteria))]
			criterion.set(p, &filter, like)
			names = append(names, criterion.field)
		}
		c.finds(p, strings.Join(names, " and "), filter)
	}
}

// oneOf picks one.
func oneOf[T any](p *probe, all ...T) T { return all[p.random.IntN(len(all))] }

// part returns a part of a text that is long enough to be looked for, in some case; ""
// of a shorter text.
func part(p *probe, text string) string {
	runes := []rune(text)
	if len(runes) < flow.MinSearch {
		return ""
	}
	start := p.random.IntN(len(runes) - flow.MinSearch + 1)
	end := start + flow.MinSearch + p.random.IntN(len(runes)-start-flow.MinSearch+1)
	part := string(runes[start:end])
	return oneOf(p, part, strings.ToLower(part), strings.ToUpper(part))
}

func flowsAreFoundByEach(p *probe) { each(p, p.flowCatalogue(), flowCriteria) }

func flowsAreFoundTogether(p *probe) { inCompany(p, p.flowCatalogue(), flowCriteria) }

func notificationsAreFoundByEach(p *probe) {
	each(p, p.notificationCatalogue(), notificationCriteria)
}

func notificationsAreFoundTogether(p *probe) {
	inCompany(p, p.notificationCatalogue(), notificationCriteria)
}

// several returns an ID among others, one of which is twice and one not there.
func several(p *probe, id uuid.UUID, others ...uuid.UUID) []uuid.UUID {
	all := append([]uuid.UUID{id, p.id(), id}, others...)
	p.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
