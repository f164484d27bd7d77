package pagoinretetest

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var eventRules = []rule{
	{"an event is read as it was stored", eventsAreKept},
	{"an event has its instalments, in their order", instalmentsAreKept},
	{"an event that is not there is not found", missingEventsAreNotFound},
}

func eventsAreKept(p *probe) {
	other := p.saveEvent(p.fullEvent())
	full := p.saveEvent(p.fullEvent())
	p.readsEvent("with all fields", full)

	changed := pagoinrete.Event{}
	p.Fill(&changed, false)
	changed.ID, changed.School, changed.CreatedAt, changed.Version = full.ID, full.School, full.CreatedAt, full.Version
	changed.Kind, changed.State, changed.Discrepancy.Kind = pagoinrete.Fee, pagoinrete.EventNotified, pagoinrete.DiscrepancyMissing
	changed.Counts = pagoinrete.NoticeCounts{}
	changed = p.saveEvent(changed)
	p.readsEvent("with all fields changed", changed)

	bare := p.newEvent()
	bare.ID, bare.School, bare.CreatedAt, bare.Version = full.ID, full.School, full.CreatedAt, changed.Version
	bare.EventData = pagoinrete.EventData{}
	p.readsEvent("with as little as may be", p.saveEvent(bare))
	p.readsEvent("that nobody changed", other)
}

// readsEvent checks that an event is read as it should be, in every way.
func (p *probe) readsEvent(what string, want pagoinrete.Event) {
	p.Equal("Event "+what, p.event(want.ID), want)
	listed := p.events(pagoinrete.EventFilter{IDs: []uuid.UUID{want.ID}}, pagoinrete.Page{Limit: 2})
	if len(listed) != 1 {
		p.Fail("Events gives %d events with the ID of the one %s, not 1", len(listed), what)
		return
	}
	p.Equal("Events, the one "+what, listed[0], want)
}

func instalmentsAreKept(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	all := make([]pagoinrete.Instalment, pagoinrete.MaxInstalments)
	p.Fill(&all, true)
	all[3] = all[2]   // the same twice
	all[5].Amount = 0 // each part may be missing
	all[7] = all[0]   // and one that is not next to it
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, parts := range [][]pagoinrete.Instalment{all[:1], all, reversed, all[:3], nil, all[1:2], {}} {
		e.Instalments = parts
		e = p.saveEvent(e)
		p.readsEvent("with other instalments", e)
	}
	p.readsEvent("whose instalments nobody changed", other)
}

func missingEventsAreNotFound(p *probe) {
	var e pagoinrete.Event
	for _, stored := range []bool{false, true} {
		if stored {
			e = p.newEvent()
			e = p.saveEvent(e, p.newNotice(e))
		}
		for _, id := range []uuid.UUID{p.ID(), uuid.Nil} {
			_, err := p.store.Event(p.Ctx, id)
			p.Wants(flussi.ErrNotFound, err, "Event of an ID that was never stored")
		}
	}
	n := p.save(p.newNotice(e))
	_, err := p.store.Event(p.Ctx, n.ID)
	p.Wants(flussi.ErrNotFound, err, "Event of the ID of a notice")
	if listed := p.events(pagoinrete.EventFilter{IDs: []uuid.UUID{p.ID()}}, pagoinrete.Page{Limit: 1}); len(listed) != 0 {
		p.Fail("Events gives %d events with an ID that was never stored", len(listed))
	}
}
