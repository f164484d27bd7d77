package pagoinretetest

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var isolationRules = []rule{
	{"what is returned is the caller's", returnedIsTheCallers},
	{"what is given stays the caller's", givenIsTheCallers},
}

func returnedIsTheCallers(p *probe) {
	e := p.fullEvent()
	created := p.NewChildren(e, 4)
	p.saveEvent(e, created...)
	p.saveEvent(p.fullEvent())
	before := p.Snapshot()

	page := pagoinrete.Page{Limit: 3}
	first, second := p.events.One(e.ID), p.events.One(e.ID)
	want := first
	want.Instalments = slices.Clone(first.Instalments)
	storetest.Spoil(p.Probe, []pagoinrete.Event{second})
	storetest.Spoil(p.Probe, p.events.Page(pagoinrete.EventFilter{}, page))
	storetest.Spoil(p.Probe, p.events.Page(pagoinrete.EventFilter{IDs: []uuid.UUID{e.ID}}, page))
	p.Equal("what was returned, after a change of what was returned another time", first, want)
	storetest.Spoil(p.Probe, p.notices.Page(pagoinrete.NoticeFilter{Event: e.ID}, page))
	storetest.Spoil(p.Probe, p.notices.Page(pagoinrete.NoticeFilter{}, page))
	storetest.SpoilHistory(p.Probe, p.store.EventHistory, e.ID)
	storetest.SpoilHistory(p.Probe, p.store.NoticeHistory, created[0].ID)
	p.Unchanged(before, "after a change of what was returned")
}

func givenIsTheCallers(p *probe) {
	e := p.fullEvent()
	e.Instalments[0].DueDate = e.Instalments[0].DueDate.In(time.FixedZone("CEST", 2*60*60)).Add(time.Nanosecond)
	change := eventChange(e)
	p.Must(p.store.SaveEvent(p.Ctx, change, nil), "SaveEvent")
	if !slices.Equal(change.Event.Instalments, e.Instalments) {
		p.Fail("SaveEvent has changed the instalments it was given")
	}
	before := p.Snapshot()
	storetest.Spoil(p.Probe, []pagoinrete.EventChange{change})
	p.Unchanged(before, "after a change of the event that was stored")

	all := p.NewChildren(e, 3)
	storetest.LeavesChanges(p.suite, all, noticeChange, func(changes []pagoinrete.NoticeChange) error {
		return p.store.SaveNotices(p.Ctx, changes...)
	})
	given := ids(all)
	slices.Reverse(given)
	schools := []string{school, e.School, "RMIC8GA003"}
	filter := pagoinrete.NoticeFilter{IDs: slices.Clone(given), Schools: slices.Clone(schools)}
	p.notices.Page(filter, pagoinrete.Page{Limit: 2})
	if !slices.Equal(filter.IDs, given) || !slices.Equal(filter.Schools, schools) {
		p.Fail("Notices has changed the filter it was given")
	}
}
