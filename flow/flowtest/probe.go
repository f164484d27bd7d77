package flowtest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

const (
	patience = 30 * time.Second // for what certainly happens, at a time that is not known
	long     = time.Hour        // a lease that does not end during a test
	short    = time.Nanosecond  // one that ends at once
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*suite
	store flow.Store
}

// newProbe makes a probe for one rule, on a store that is empty.
func newProbe(base *storetest.Probe, store flow.Store) *probe {
	p := &probe{store: store}
	p.suite = &suite{
		Probe: base, Store: methods(store), ParentName: shared.Parent, ChildName: shared.Child,
		NewParent: p.sendingFlow, FullParent: p.fullFlow,
		ChangedParent: p.changedFlow, BareParent: p.bareFlow,
		NewChild:     func(of flow.Flow) flow.Notification { return p.newNotification(of.ID) },
		FullChild:    func(of flow.Flow) flow.Notification { return p.fullNotification(of.ID) },
		ChangedChild: p.changedNotification, BareChild: p.bareNotification, Alone: true,
		States: [3]string{
			string(flow.NotificationRegistered), string(flow.NotificationFailed), string(flow.NotificationSent),
		},
		Count:        counted,
		ParentChange: func(f flow.Flow) storetest.Change[flow.Flow] { return sharedFlow(flowChange(f)) },
		ChildChange: func(n flow.Notification) storetest.Change[flow.Notification] {
			return sharedNotification(notificationChange(n))
		},
		ParentsByID:  func(ids ...uuid.UUID) storetest.Filter { return flow.FlowFilter{IDs: ids} },
		ChildrenByID: func(ids ...uuid.UUID) storetest.Filter { return flow.NotificationFilter{IDs: ids} },
		ChildrenOf:   func(f flow.Flow) storetest.Filter { return flow.NotificationFilter{Flow: f.ID} },
		OtherReads:   map[string]func(uuid.UUID) flow.Flow{"Claim with the limit 0": p.claimNone},
	}
	return p
}

// methods returns the methods of a store as the shared rules call them.
func methods(s flow.Store) storetest.Store[flow.Flow, flow.Notification] {
	return storetest.Store[flow.Flow, flow.Notification]{
		Parents:  storetest.ReadsAs(s.Flow, s.Flows, s.FlowHistory),
		Children: storetest.ReadsAs(s.Notification, s.Notifications, s.NotificationHistory),
		SaveParent: func(
			ctx context.Context, c storetest.Change[flow.Flow],
			children iter.Seq2[storetest.Change[flow.Notification], error],
		) error {
			return s.SaveFlow(ctx, ownFlow(c), storetest.SequenceAs(children, ownNotification))
		},
		SaveChildren: func(ctx context.Context, changes ...storetest.Change[flow.Notification]) error {
			return s.SaveNotifications(ctx, storetest.Map(changes, ownNotification)...)
		},
	}
}

// saveFlow stores a flow, and notifications with it, and returns it as it is stored now.
func (p *probe) saveFlow(f flow.Flow, with ...flow.Notification) flow.Flow {
	return p.SetParent(f, with...)
}

// save stores a notification with a long lease, and returns it as it is stored now.
func (p *probe) save(n flow.Notification) flow.Notification { return p.SetChild(n) }

func (p *probe) saveAll(all ...flow.Notification) { p.SetChildren(all...) }

func (p *probe) flow(id uuid.UUID) flow.Flow { return p.Parent(id) }

func (p *probe) notification(id uuid.UUID) flow.Notification { return p.Child(id) }

func (p *probe) flows(filter flow.FlowFilter, page flow.Page) []flow.Flow {
	return p.ParentPage(filter, page)
}

func (p *probe) notifications(filter flow.NotificationFilter, page flow.Page) []flow.Notification {
	return p.ChildPage(filter, page)
}

func (p *probe) flowHistory(id uuid.UUID) []flow.FlowRecord {
	records, err := p.store.FlowHistory(p.Ctx, id)
	p.Must(err, "FlowHistory")
	return records
}

func (p *probe) notificationHistory(id uuid.UUID) []flow.NotificationRecord {
	records, err := p.store.NotificationHistory(p.Ctx, id)
	p.Must(err, "NotificationHistory")
	return records
}

// hasFlowRecords checks that these are the records of a flow, but for their versions,
// which count.
func (p *probe) hasFlowRecords(id uuid.UUID, want ...flow.FlowRecord) {
	storetest.SameRecords(p.Probe, "FlowHistory", p.flowHistory(id), want)
}

// hasNotificationRecords checks the same of a notification.
func (p *probe) hasNotificationRecords(id uuid.UUID, want ...flow.NotificationRecord) {
	storetest.SameRecords(p.Probe, "NotificationHistory", p.notificationHistory(id), want)
}

// claim claims with a lease, and returns what it gets.
func (p *probe) claim(of uuid.UUID, limit int, lease time.Duration) (flow.Flow, []flow.Notification) {
	f, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: of, Limit: limit, Lease: lease, At: p.Now(), By: "dispatcher"})
	p.Must(err, "Claim")
	return f, claimed
}

// claimNone claims nothing, and returns the flow.
func (p *probe) claimNone(of uuid.UUID) flow.Flow {
	f, none := p.claim(of, 0, long)
	if len(none) != 0 {
		p.Fail("Claim with the limit 0 gives %d notifications", len(none))
	}
	return f
}

func (p *probe) expired(limit int) []flow.Notification {
	all, err := p.store.Expired(p.Ctx, limit)
	p.Must(err, "Expired")
	return all
}

// isExpired reports whether the lease of a notification is found to be over.
func (p *probe) isExpired(id uuid.UUID) bool {
	return slices.ContainsFunc(p.expired(storetest.Everything), func(n flow.Notification) bool { return n.ID == id })
}

// eventually waits for a condition that certainly becomes true.
func (p *probe) eventually(what string, happened func() bool) {
	for end := time.Now().Add(patience); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Must(fmt.Errorf("not within %v", patience), what)
		}
		p.Must(p.Ctx.Err(), what)
	}
}

// sequence yields notifications to be stored with a flow; nil if there are none.
func (p *probe) sequence(all ...flow.Notification) iter.Seq2[flow.NotificationChange, error] {
	return storetest.SequenceAs(p.Sequence(all...), ownNotification)
}
