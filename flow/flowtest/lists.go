package flowtest

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var listRules = []rule{
	{"lists are sorted by time of creation and then ID", ofLists(storetest.ListsAreSorted)},
	{"a page is as long as it may be, and no longer", ofLists(storetest.PagesKeepTheLimit)},
	{"page after page gives everything once", ofLists(storetest.PagesGiveAllOnce)},
	{"page after page gives everything once while the list changes", ofLists(storetest.PagesGiveAllOnceMeanwhile)},
	{"a page begins behind a place, whether something is there or not", ofLists(storetest.PagesBeginAnywhere)},
}

// ofLists is the test of a rule of lists.
func ofLists(test func(*storetest.Probe, []storetest.Kind)) func(*probe) {
	return func(p *probe) { test(p.Probe, p.kinds()) }
}

// kinds are the entities of which there are lists.
func (p *probe) kinds() []storetest.Kind {
	return []storetest.Kind{{
		Name: "Flows",
		Create: func(at time.Time) flow.Cursor {
			f := p.newFlow()
			f.CreatedAt = at
			return p.saveFlow(f).Cursor()
		},
		Change: func(id uuid.UUID) {
			f := p.flow(id)
			f.UpdatedAt = p.Now()
			p.saveFlow(f)
		},
		List: func(page flow.Page) []flow.Cursor { return storetest.Places(p.flows(flow.FlowFilter{}, page)) },
	}, {
		Name: "Notifications",
		Create: func(at time.Time) flow.Cursor {
			n := p.newNotification(uuid.Nil)
			n.CreatedAt = at
			return p.save(n).Cursor()
		},
		Change: func(id uuid.UUID) {
			n := p.notification(id)
			n.UpdatedAt = p.Now()
			p.save(n)
		},
		List: func(page flow.Page) []flow.Cursor {
			return storetest.Places(p.notifications(flow.NotificationFilter{}, page))
		},
	}}
}
