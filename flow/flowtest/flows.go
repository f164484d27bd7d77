package flowtest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var flowRules = []rule{
	{"a flow is read as it was stored", flowsAreKept},
	{"a flow that is not there is not found", missingFlowsAreNotFound},
}

func flowsAreKept(p *probe) {
	other := p.saveFlow(p.fullFlow())
	full := p.saveFlow(p.fullFlow())
	p.readsFlow("with all fields", full)

	changed := flow.Flow{}
	p.Fill(&changed, false)
	changed.ID, changed.Service, changed.CreatedAt, changed.Version = full.ID, full.Service, full.CreatedAt, full.Version
	changed.State, changed.Counts = flow.FlowSent, flow.Counts{}
	changed = p.saveFlow(changed)
	p.readsFlow("with all fields changed", changed)

	bare := p.newFlow()
	bare.ID, bare.Service, bare.CreatedAt, bare.Version = full.ID, full.Service, full.CreatedAt, changed.Version
	p.readsFlow("with as little as may be", p.saveFlow(bare))
	p.readsFlow("that nobody changed", other)
}

// readsFlow checks that a flow is read as it should be, in every way.
func (p *probe) readsFlow(what string, want flow.Flow) {
	p.Equal("Flow "+what, p.flow(want.ID), want)
	listed := p.flows(flow.FlowFilter{IDs: []uuid.UUID{want.ID}}, flow.Page{Limit: 2})
	if len(listed) != 1 {
		p.Fail("Flows gives %d flows with the ID of the one %s, not 1", len(listed), what)
		return
	}
	p.Equal("Flows, the one "+what, listed[0], want)
	claimed, none := p.claim(want.ID, 0, long)
	if len(none) != 0 {
		p.Fail("Claim with the limit 0 gives %d notifications", len(none))
	}
	p.Equal("Claim, the flow "+what, claimed, want)
}

func missingFlowsAreNotFound(p *probe) {
	for _, stored := range []bool{false, true} {
		if stored {
			p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
		}
		for _, id := range []uuid.UUID{p.ID(), uuid.Nil} {
			_, err := p.store.Flow(p.Ctx, id)
			p.Wants(flussi.ErrNotFound, err, "Flow of an ID that was never stored")
		}
	}
	n := p.save(p.newNotification(uuid.Nil))
	_, err := p.store.Flow(p.Ctx, n.ID)
	p.Wants(flussi.ErrNotFound, err, "Flow of the ID of a notification")
	if listed := p.flows(flow.FlowFilter{IDs: []uuid.UUID{p.ID()}}, flow.Page{Limit: 1}); len(listed) != 0 {
		p.Fail("Flows gives %d flows with an ID that was never stored", len(listed))
	}
}
