package pagoinretetest

import (
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*storetest.Probe
	store pagoinrete.Store
}

// saveEvent stores an event, and notices with it, and returns it as it is stored now, but
// for its Counts.
func (p *probe) saveEvent(e pagoinrete.Event, with ...pagoinrete.Notice) pagoinrete.Event {
	p.Must(p.store.SaveEvent(p.Ctx, eventChange(e), sequence(with...)), "SaveEvent")
	e.Version++
	return e
}

// save stores a notice, and returns it as it is stored now.
func (p *probe) save(n pagoinrete.Notice) pagoinrete.Notice {
	p.saveAll(n)
	n.Version++
	return n
}

func (p *probe) saveAll(all ...pagoinrete.Notice) {
	p.Must(p.store.SaveNotices(p.Ctx, noticeChanges(all...)...), "SaveNotices")
}

func (p *probe) event(id uuid.UUID) pagoinrete.Event {
	e, err := p.store.Event(p.Ctx, id)
	p.Must(err, "Event")
	return e
}

func (p *probe) notice(id uuid.UUID) pagoinrete.Notice {
	n, err := p.store.Notice(p.Ctx, id)
	p.Must(err, "Notice")
	return n
}

func (p *probe) events(filter pagoinrete.EventFilter, page pagoinrete.Page) []pagoinrete.Event {
	all, err := p.store.Events(p.Ctx, filter, page)
	p.Must(err, "Events")
	return all
}

func (p *probe) notices(filter pagoinrete.NoticeFilter, page pagoinrete.Page) []pagoinrete.Notice {
	all, err := p.store.Notices(p.Ctx, filter, page)
	p.Must(err, "Notices")
	return all
}

func (p *probe) eventHistory(id uuid.UUID) []pagoinrete.EventRecord {
	records, err := p.store.EventHistory(p.Ctx, id)
	p.Must(err, "EventHistory")
	return records
}

func (p *probe) noticeHistory(id uuid.UUID) []pagoinrete.NoticeRecord {
	records, err := p.store.NoticeHistory(p.Ctx, id)
	p.Must(err, "NoticeHistory")
	return records
}

// hasEventRecords checks that these are the records of an event, but for their versions,
// which count.
func (p *probe) hasEventRecords(id uuid.UUID, want ...pagoinrete.EventRecord) {
	storetest.SameRecords(p.Probe, "EventHistory", p.eventHistory(id), want)
}

// hasNoticeRecords checks the same of a notice.
func (p *probe) hasNoticeRecords(id uuid.UUID, want ...pagoinrete.NoticeRecord) {
	storetest.SameRecords(p.Probe, "NoticeHistory", p.noticeHistory(id), want)
}

// sequence yields notices to be stored with an event; nil if there are none.
func sequence(all ...pagoinrete.Notice) iter.Seq2[pagoinrete.NoticeChange, error] {
	if len(all) == 0 {
		return nil
	}
	return func(yield func(pagoinrete.NoticeChange, error) bool) {
		for _, n := range all {
			if !yield(noticeChange(n), nil) {
				return
			}
		}
	}
}

// state is all that a store tells.
type state struct {
	events  map[uuid.UUID]pagoinrete.Event
	notices map[uuid.UUID]pagoinrete.Notice
	records map[uuid.UUID]int
}

// state reads everything, and shares nothing with the store.
func (p *probe) state() state {
	s := state{map[uuid.UUID]pagoinrete.Event{}, map[uuid.UUID]pagoinrete.Notice{}, map[uuid.UUID]int{}}
	for _, e := range p.events(pagoinrete.EventFilter{}, pagoinrete.Page{Limit: storetest.Everything}) {
		e.Instalments = slices.Clone(e.Instalments)
		s.events[e.ID] = e
		s.records[e.ID] = len(p.eventHistory(e.ID))
	}
	for _, n := range p.notices(pagoinrete.NoticeFilter{}, pagoinrete.Page{Limit: storetest.Everything}) {
		s.notices[n.ID] = n
		s.records[n.ID] = len(p.noticeHistory(n.ID))
	}
	return s
}

// unchanged notes what is not as it was before something happened.
func (p *probe) unchanged(before state, happened string) {
	after := p.state()
	storetest.EqualAll(p.Probe, happened+": the event", after.events, before.events)
	storetest.EqualAll(p.Probe, happened+": the notice", after.notices, before.notices)
	for id, n := range before.records {
		if _, there := after.records[id]; there && after.records[id] != n {
			p.Fail("%s: %s had %d records and has %d", happened, id, n, after.records[id])
		}
	}
}
