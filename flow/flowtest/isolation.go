package flowtest

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var isolationRules = []rule{
	{"what is returned is the caller's", returnedIsTheCallers},
	{"what is given stays the caller's", givenIsTheCallers},
}

func returnedIsTheCallers(p *probe) {
	f := p.sendingFlow()
	created := p.newNotifications(f.ID, 4)
	p.saveFlow(f, created...)
	p.saveSending(p.newNotification(f.ID), short)
	p.shortIsOver()
	_, claimed := p.claim(f.ID, 1, long)
	before := p.Snapshot()
	page := flow.Page{Limit: 3}
	storetest.Spoil(p.Probe, claimed)
	storetest.Spoil(p.Probe, p.flows.Page(flow.FlowFilter{}, page))
	storetest.Spoil(p.Probe, p.notifications.Page(flow.NotificationFilter{Flow: f.ID}, page))
	storetest.Spoil(p.Probe, p.notifications.Page(flow.NotificationFilter{}, page))
	storetest.Spoil(p.Probe, p.expired(10))
	storetest.SpoilHistory(p.Probe, p.store.FlowHistory, f.ID)
	storetest.SpoilHistory(p.Probe, p.store.NotificationHistory, created[0].ID)
	p.Unchanged(before, "after a change of what was returned")
}

func givenIsTheCallers(p *probe) {
	all := p.newNotifications(uuid.Nil, 3)
	storetest.LeavesChanges(p.suite, all, notificationChange, func(changes []flow.NotificationChange) error {
		return p.store.SaveNotifications(p.Ctx, changes...)
	})
	given := ids(all)
	slices.Reverse(given)
	filter := flow.NotificationFilter{IDs: slices.Clone(given), Services: []string{"tributi", "anagrafe"}}
	p.notifications.Page(filter, flow.Page{Limit: 2})
	if !slices.Equal(filter.IDs, given) || !slices.Equal(filter.Services, []string{"tributi", "anagrafe"}) {
		p.Fail("Notifications has changed the filter it was given")
	}
}
