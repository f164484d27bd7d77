package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var countRules = []rule{
	{"the counts of a flow are those of its notifications", countsAreOfNotifications},
	{"the counts of a flow are not written", countsAreNotWritten},
	{"the version of a flow does not change with its notifications", notificationsLeaveTheFlow},
}

// counted checks the counts of a flow in every way to read them.
func (p *probe) counted(when string, id uuid.UUID, want flow.Counts) {
	p.Equal(when+": the counts of Flow", p.flow(id).Counts, want)
	for _, f := range p.flows(flow.FlowFilter{}, flow.Page{Limit: storetest.Everything}) {
		if f.ID == id {
			p.Equal(when+": the counts of Flows", f.Counts, want)
		}
	}
	f, _ := p.claim(id, 0, long)
	p.Equal(when+": the counts of Claim with the limit 0", f.Counts, want)
}

func countsAreOfNotifications(p *probe) {
	f, other := p.sendingFlow(), p.saveFlow(p.sendingFlow())
	f = p.saveFlow(f)
	p.counted("without notifications", f.ID, flow.Counts{})

	f = p.saveFlow(f, p.newNotifications(f.ID, 6)...)
	p.counted("after SaveFlow with 6", f.ID, flow.Counts{Registered: 6})
	f = p.saveFlow(f)
	p.counted("after SaveFlow with none", f.ID, flow.Counts{Registered: 6})

	p.saveAll(p.newNotification(f.ID), p.newNotification(other.ID), p.newNotification(uuid.Nil))
	p.counted("after SaveNotifications of 1, of another flow, and of none", f.ID, flow.Counts{Registered: 7})
	p.counted("the other flow", other.ID, flow.Counts{Registered: 1})

	_, claimed := p.claim(f.ID, 5, long)
	if len(claimed) != 5 {
		p.Fail("Claim with the limit 5, of 7: got %d", len(claimed))
		return
	}
	p.counted("after a claim of 5", f.ID, flow.Counts{Registered: 2, Sending: 5})
	for i, state := range []flow.NotificationState{flow.NotificationSent, flow.NotificationSent, flow.NotificationFailed, flow.NotificationRegistered} {
		claimed[i].State = state
	}
	p.saveAll(claimed[:4]...)
	want := flow.Counts{Registered: 3, Sending: 1, Sent: 2, Failed: 1}
	p.counted("after outcomes", f.ID, want)

	for i := range claimed[:4] {
		claimed[i].Version++
		claimed[i].Reference = "edited"
	}
	p.saveAll(claimed[:4]...)
	p.counted("after changes of something else", f.ID, want)
	for i := range claimed {
		if i < 4 {
			claimed[i].Version++
		}
		claimed[i].Disabled = true
	}
	p.saveAll(claimed...)
	p.counted("after disabling in every state", f.ID, flow.Counts{Registered: 2, Disabled: 5})
	for i := range claimed {
		claimed[i].Version++
		claimed[i].Disabled = false
	}
	f = p.saveFlow(f, claimed...)
	p.counted("after enabling in every state, by SaveFlow", f.ID, want)

	conflict := claimed[0]
	conflict.State = flow.NotificationFailed
	p.Wants(flussi.ErrConflict, p.store.SaveNotifications(p.Ctx, notificationChange(conflict)), "SaveNotifications of an old version")
	p.counted("after a conflict", f.ID, want)
	p.counted("the other flow, at the end", other.ID, flow.Counts{Registered: 1})
}

func countsAreNotWritten(p *probe) {
	f := p.newFlow()
	f.Counts = flow.Counts{Registered: 1, Sending: 2, Sent: 3, Failed: 4, Disabled: 5}
	f = p.saveFlow(f)
	p.counted("a new flow that came with counts", f.ID, flow.Counts{})
	f.Counts = flow.Counts{Sent: 7}
	f = p.saveFlow(f, p.newNotification(f.ID))
	p.counted("a flow that came with other counts than its notifications'", f.ID, flow.Counts{Registered: 1})
}

func notificationsLeaveTheFlow(p *probe) {
	created := p.sendingFlow()
	f := p.saveFlow(created)
	p.saveAll(p.newNotifications(f.ID, 3)...)
	_, claimed := p.claim(f.ID, 2, long)
	for i := range claimed {
		claimed[i].State = flow.NotificationSent
	}
	p.saveAll(claimed...)
	got := p.flow(f.ID)
	got.Counts = flow.Counts{}
	p.Equal("a flow whose notifications were stored, claimed and changed", got, f)
	p.hasFlowRecords(f.ID, flowChange(created).Record)
}
