package pagoinretetest

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var listRules = []rule{
	{"lists are sorted by time of creation and then ID", ofLists(storetest.ListsAreSorted)},
	{"a page is as long as it may be, and no longer", ofLists(storetest.PagesKeepTheLimit)},
	{"page after page gives everything once", ofLists(storetest.PagesGiveAllOnce)},
	{"page after page gives everything once while the list changes", ofLists(storetest.PagesGiveAllOnceMeanwhile)},
	{"a page begins behind a place, whether something is there or not", ofLists(storetest.PagesBeginAnywhere)},
}

// ofLists is the test of a rule of lists: of all events, of all notices, and, when these are
// there, of those of another event.
func ofLists(test func(*storetest.Probe, []storetest.Kind)) func(*probe) {
	return func(p *probe) {
		test(p.Probe, []storetest.Kind{p.eventLists()})
		e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
		test(p.Probe, []storetest.Kind{p.noticeLists("Notices", e, pagoinrete.NoticeFilter{})})
		test(p.Probe, []storetest.Kind{p.noticeLists("Notices of an event", other, pagoinrete.NoticeFilter{Event: other.ID})})
	}
}

func (p *probe) eventLists() storetest.Kind {
	return storetest.Kind{
		Name: "Events",
		Create: func(at time.Time) pagoinrete.Cursor {
			e := p.newEvent()
			e.CreatedAt = at
			return p.saveEvent(e).Cursor()
		},
		Change: func(id uuid.UUID) {
			e := p.event(id)
			e.UpdatedAt = p.Now()
			p.saveEvent(e)
		},
		List: func(page pagoinrete.Page) []pagoinrete.Cursor {
			return storetest.Places(p.events(pagoinrete.EventFilter{}, page))
		},
	}
}

func (p *probe) noticeLists(name string, of pagoinrete.Event, filter pagoinrete.NoticeFilter) storetest.Kind {
	return storetest.Kind{
		Name: name,
		Create: func(at time.Time) pagoinrete.Cursor {
			n := p.newNotice(of)
			n.CreatedAt = at
			return p.save(n).Cursor()
		},
		Change: func(id uuid.UUID) {
			n := p.notice(id)
			n.UpdatedAt = p.Now()
			p.save(n)
		},
		List: func(page pagoinrete.Page) []pagoinrete.Cursor {
			return storetest.Places(p.notices(filter, page))
		},
	}
}
