package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var countRules = []rule{{"the counts of a flow are those of its notifications", countsAreOfNotifications}}

func countsAreOfNotifications(p *probe) {
	f, other := p.sendingFlow(), p.saveFlow(p.sendingFlow())
	f = p.saveFlow(f)
	p.HasCounts("without notifications", f.ID, flow.Counts{})

	f = p.saveFlow(f, p.newNotifications(f.ID, 6)...)
	p.HasCounts("after SaveFlow with 6", f.ID, flow.Counts{Registered: 6})
	f = p.saveFlow(f)
	p.HasCounts("after SaveFlow with none", f.ID, flow.Counts{Registered: 6})

	p.saveAll(p.newNotification(f.ID), p.newNotification(other.ID), p.newNotification(uuid.Nil))
	p.HasCounts("after SaveNotifications of 1, of another flow, and of none", f.ID, flow.Counts{Registered: 7})
	p.HasCounts("the other flow", other.ID, flow.Counts{Registered: 1})

	_, claimed := p.claim(f.ID, 5, long)
	if len(claimed) != 5 {
		p.Fail("Claim with the limit 5, of 7: got %d", len(claimed))
		return
	}
	p.HasCounts("after a claim of 5", f.ID, flow.Counts{Registered: 2, Sending: 5})
	for i, state := range []flow.NotificationState{flow.NotificationSent, flow.NotificationSent, flow.NotificationFailed, flow.NotificationRegistered} {
		claimed[i].State = state
	}
	p.saveAll(claimed[:4]...)
	want := flow.Counts{Registered: 3, Sending: 1, Sent: 2, Failed: 1}
	p.HasCounts("after outcomes", f.ID, want)

	for i := range claimed[:4] {
		claimed[i].Version++
		claimed[i].Reference = "edited"
	}
	p.saveAll(claimed[:4]...)
	p.HasCounts("after changes of something else", f.ID, want)
	for i := range claimed {
		if i < 4 {
			claimed[i].Version++
		}
		claimed[i].Disabled = true
	}
	p.saveAll(claimed...)
	p.HasCounts("after disabling in every state", f.ID, flow.Counts{Registered: 2, Disabled: 5})
	for i := range claimed {
		claimed[i].Version++
		claimed[i].Disabled = false
	}
	f = p.saveFlow(f, claimed...)
	p.HasCounts("after enabling in every state, by SaveFlow", f.ID, want)

	conflict := claimed[0]
	conflict.State = flow.NotificationFailed
	p.Wants(flussi.ErrConflict, p.store.SaveNotifications(p.Ctx, notificationChange(conflict)), "SaveNotifications of an old version")
	p.HasCounts("after a conflict", f.ID, want)
	p.HasCounts("the other flow, at the end", other.ID, flow.Counts{Registered: 1})
}

func claimsLeaveTheFlow(p *probe) {
	created := p.sendingFlow()
	f := p.saveFlow(created)
	p.saveAll(p.newNotifications(f.ID, 3)...)
	_, claimed := p.claim(f.ID, 2, long)
	for i := range claimed {
		claimed[i].State = flow.NotificationSent
	}
	p.saveAll(claimed...)
	got := p.flows.One(f.ID)
	got.Counts = flow.Counts{}
	p.Equal("a flow whose notifications were claimed and changed", got, f)
	p.hasFlowRecords(f.ID, flowChange(created).Record)
}
