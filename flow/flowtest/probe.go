package flowtest

import (
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
	day      = 24 * long        // one that is long for a store, too
	short    = time.Nanosecond  // one that ends at once
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*suite
	store         flow.Store
	flows         *storetest.Kind[flow.Flow]
	notifications *storetest.Kind[flow.Notification]
}

// newProbe makes a probe for one rule, on a store that is empty.
func newProbe(base *storetest.Probe, store flow.Store) *probe {
	p := &probe{store: store}
	p.flows = &storetest.Kind[flow.Flow]{
		Name: shared.Parent, Changed: p.changedFlow, Bare: p.bareFlow,
		Change:     storetest.Changes(flowChange),
		ByID:       func(ids ...uuid.UUID) storetest.Filter { return flow.FlowFilter{IDs: ids} },
		OtherReads: map[string]func(uuid.UUID) flow.Flow{"Claim with the limit 0": p.claimNone},
	}
	p.notifications = &storetest.Kind[flow.Notification]{
		Name: shared.Child, Changed: p.changedNotification, Bare: p.bareNotification,
		Change: storetest.Changes(notificationChange),
		ByID:   func(ids ...uuid.UUID) storetest.Filter { return flow.NotificationFilter{IDs: ids} },
	}
	p.suite = suite{
		Parents: p.flows, Children: p.notifications, Alone: true,
		NewParent: p.sendingFlow, FullParent: p.fullFlow,
		NewChild:   func(of flow.Flow) flow.Notification { return p.newNotification(of.ID) },
		FullChild:  func(of flow.Flow) flow.Notification { return p.fullNotification(of.ID) },
		ChildrenOf: func(f flow.Flow) storetest.Filter { return flow.NotificationFilter{Flow: f.ID} },
		States: [3]string{
			string(flow.NotificationRegistered), string(flow.NotificationFailed), string(flow.NotificationSent),
		},
		Count: counted,
	}.Start(base, methods(store))
	return p
}

// methods returns the methods of a store as the shared rules call them.
func methods(s flow.Store) storetest.Store[flow.Flow, flow.Notification] {
	return storetest.Store[flow.Flow, flow.Notification]{
		Parents:      storetest.ReadsAs(s.Flow, s.Flows, s.FlowHistory),
		Children:     storetest.ReadsAs(s.Notification, s.Notifications, s.NotificationHistory),
		SaveParent:   storetest.SaveParentAs[flow.Flow, flow.Notification](s.SaveFlow),
		SaveChildren: storetest.SaveChildrenAs[flow.Notification](s.SaveNotifications),
	}
}

// saveFlow stores a flow, and notifications with it, and returns it as it is stored now.
func (p *probe) saveFlow(f flow.Flow, with ...flow.Notification) flow.Flow {
	return p.SetParent(f, with...)
}

// save stores a notification with a long lease, and returns it as it is stored now.
func (p *probe) save(n flow.Notification) flow.Notification { return p.notifications.Set(n) }

func (p *probe) saveAll(all ...flow.Notification) { p.SetChildren(all...) }

// hasFlowRecords checks that these are the records of a flow, but for their versions, which count.
func (p *probe) hasFlowRecords(id uuid.UUID, want ...flow.FlowRecord) {
	p.flows.HasRecords(id, storetest.As[[]storetest.Record](want)...)
}

// hasNotificationRecords checks the same of a notification.
func (p *probe) hasNotificationRecords(id uuid.UUID, want ...flow.NotificationRecord) {
	p.notifications.HasRecords(id, storetest.As[[]storetest.Record](want)...)
}

// claim claims with a lease, and returns what it gets.
func (p *probe) claim(of uuid.UUID, limit int, lease time.Duration) (flow.Flow, []flow.Notification) {
	f, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: of, Limit: limit, Lease: lease, At: p.Now(), By: "dispatcher"})
	p.Must(err, "Claim")
	return f, claimed
}

// claimsExactly claims as somebody, and ends the test unless it gets these, in any order. It returns
// them in this one.
func (p *probe) claimsExactly(
	what string, of uuid.UUID, limit int, lease time.Duration, want ...flow.Notification,
) (flow.Claim, flow.Flow, []flow.Notification) {
	claim := flow.Claim{Flow: of, Limit: limit, Lease: lease, At: p.SomeTime(), By: p.Word()}
	f, claimed, err := p.store.Claim(p.Ctx, claim)
	p.Must(err, "Claim")
	claimed = arranged(claimed, want)
	p.Must(differ(claimed, ids(want)), "Claim "+what)
	return claim, f, claimed
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
	return storetest.SequenceAs(p.Sequence(all...), storetest.As[flow.NotificationChange, storetest.Change[flow.Notification]])
}
