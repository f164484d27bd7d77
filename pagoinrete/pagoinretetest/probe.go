package pagoinretetest

import (
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*suite
	store   pagoinrete.Store
	events  *storetest.Kind[pagoinrete.Event]
	notices *storetest.Kind[pagoinrete.Notice]
}

// newProbe makes a probe for one rule, on a store that is empty.
func newProbe(base *storetest.Probe, store pagoinrete.Store) *probe {
	p := &probe{store: store}
	p.events = &storetest.Kind[pagoinrete.Event]{
		Name: shared.Parent, Changed: p.changedEvent, Bare: p.bareEvent, Change: storetest.Changes(eventChange),
		ByID: func(ids ...uuid.UUID) storetest.Filter { return pagoinrete.EventFilter{IDs: ids} },
	}
	p.notices = &storetest.Kind[pagoinrete.Notice]{
		Name: shared.Child, Changed: p.changedNotice, Bare: p.bareNotice, Change: storetest.Changes(noticeChange),
		ByID: func(ids ...uuid.UUID) storetest.Filter { return pagoinrete.NoticeFilter{IDs: ids} },
	}
	p.suite = suite{
		Parents: p.events, Children: p.notices,
		NewParent: p.newEvent, FullParent: p.fullEvent, NewChild: p.newNotice, FullChild: p.fullNotice,
		ChildrenOf: func(e pagoinrete.Event) storetest.Filter { return pagoinrete.NoticeFilter{Event: e.ID} },
		States: [3]string{
			string(pagoinrete.NoticeNotLinked), string(pagoinrete.NoticeNotified), string(pagoinrete.NoticePaidOnline),
		},
		Count: withCounts,
	}.Start(base, methods(store))
	return p
}

// methods returns the methods of a store as the shared rules call them.
func methods(s pagoinrete.Store) storetest.Store[pagoinrete.Event, pagoinrete.Notice] {
	return storetest.Store[pagoinrete.Event, pagoinrete.Notice]{
		Parents:      storetest.ReadsAs(s.Event, s.Events, s.EventHistory),
		Children:     storetest.ReadsAs(s.Notice, s.Notices, s.NoticeHistory),
		SaveParent:   storetest.SaveParentAs[pagoinrete.Event, pagoinrete.Notice](s.SaveEvent),
		SaveChildren: storetest.SaveChildrenAs[pagoinrete.Notice](s.SaveNotices),
	}
}

// saveEvent stores an event, and notices with it, and returns it as it is stored now, but
// for its Counts.
func (p *probe) saveEvent(e pagoinrete.Event, with ...pagoinrete.Notice) pagoinrete.Event {
	return p.SetParent(e, with...)
}

// save stores a notice, and returns it as it is stored now.
func (p *probe) save(n pagoinrete.Notice) pagoinrete.Notice { return p.notices.Set(n) }

func (p *probe) saveAll(all ...pagoinrete.Notice) { p.SetChildren(all...) }

// sequence yields notices to be stored with an event; nil if there are none.
func (p *probe) sequence(all ...pagoinrete.Notice) iter.Seq2[pagoinrete.NoticeChange, error] {
	return storetest.SequenceAs(p.Sequence(all...), storetest.As[pagoinrete.NoticeChange, storetest.Change[pagoinrete.Notice]])
}
