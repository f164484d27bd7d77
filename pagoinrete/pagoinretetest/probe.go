package pagoinretetest

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*suite
	store pagoinrete.Store
}

// newProbe makes a probe for one rule, on a store that is empty.
func newProbe(base *storetest.Probe, store pagoinrete.Store) *probe {
	p := &probe{store: store}
	p.suite = &suite{
		Probe: base, Store: methods(store), ParentName: shared.Parent, ChildName: shared.Child,
		NewParent: p.newEvent, FullParent: p.fullEvent,
		ChangedParent: p.changedEvent, BareParent: p.bareEvent,
		NewChild: p.newNotice, FullChild: p.fullNotice,
		ChangedChild: p.changedNotice, BareChild: p.bareNotice,
		States: [3]string{
			string(pagoinrete.NoticeNotLinked), string(pagoinrete.NoticeNotified), string(pagoinrete.NoticePaidOnline),
		},
		Count: withCounts,
		ParentChange: func(e pagoinrete.Event) storetest.Change[pagoinrete.Event] {
			return sharedEvent(eventChange(e))
		},
		ChildChange: func(n pagoinrete.Notice) storetest.Change[pagoinrete.Notice] {
			return sharedNotice(noticeChange(n))
		},
		ParentsByID:  func(ids ...uuid.UUID) storetest.Filter { return pagoinrete.EventFilter{IDs: ids} },
		ChildrenByID: func(ids ...uuid.UUID) storetest.Filter { return pagoinrete.NoticeFilter{IDs: ids} },
		ChildrenOf:   func(e pagoinrete.Event) storetest.Filter { return pagoinrete.NoticeFilter{Event: e.ID} },
	}
	return p
}

// methods returns the methods of a store as the shared rules call them.
func methods(s pagoinrete.Store) storetest.Store[pagoinrete.Event, pagoinrete.Notice] {
	return storetest.Store[pagoinrete.Event, pagoinrete.Notice]{
		Parents:  storetest.ReadsAs(s.Event, s.Events, s.EventHistory),
		Children: storetest.ReadsAs(s.Notice, s.Notices, s.NoticeHistory),
		SaveParent: func(
			ctx context.Context, c storetest.Change[pagoinrete.Event],
			children iter.Seq2[storetest.Change[pagoinrete.Notice], error],
		) error {
			return s.SaveEvent(ctx, ownEvent(c), storetest.SequenceAs(children, ownNotice))
		},
		SaveChildren: func(ctx context.Context, changes ...storetest.Change[pagoinrete.Notice]) error {
			return s.SaveNotices(ctx, storetest.Map(changes, ownNotice)...)
		},
	}
}

// saveEvent stores an event, and notices with it, and returns it as it is stored now, but
// for its Counts.
func (p *probe) saveEvent(e pagoinrete.Event, with ...pagoinrete.Notice) pagoinrete.Event {
	return p.SetParent(e, with...)
}

// save stores a notice, and returns it as it is stored now.
func (p *probe) save(n pagoinrete.Notice) pagoinrete.Notice { return p.SetChild(n) }

func (p *probe) saveAll(all ...pagoinrete.Notice) { p.SetChildren(all...) }

func (p *probe) event(id uuid.UUID) pagoinrete.Event { return p.Parent(id) }

func (p *probe) notice(id uuid.UUID) pagoinrete.Notice { return p.Child(id) }

func (p *probe) events(filter pagoinrete.EventFilter, page pagoinrete.Page) []pagoinrete.Event {
	return p.ParentPage(filter, page)
}

func (p *probe) notices(filter pagoinrete.NoticeFilter, page pagoinrete.Page) []pagoinrete.Notice {
	return p.ChildPage(filter, page)
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

// sequence yields notices to be stored with an event; nil if there are none.
func (p *probe) sequence(all ...pagoinrete.Notice) iter.Seq2[pagoinrete.NoticeChange, error] {
	return storetest.SequenceAs(p.Sequence(all...), ownNotice)
}
