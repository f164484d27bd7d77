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
	patience = 30 * time.Second // for what surely happens, though not when
	long     = time.Hour        // a lease that does not end during a test
	short    = time.Nanosecond  // one that ends at once
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	*storetest.Probe
	store flow.Store
}

// saveFlow stores a flow, and notifications with it, and returns it as it is stored now.
func (p *probe) saveFlow(f flow.Flow, with ...flow.Notification) flow.Flow {
	p.Must(p.store.SaveFlow(p.Ctx, flowChange(f), sequence(with...)), "SaveFlow")
	f.Version++
	return f
}

// save stores a notification with a long lease, and returns it as it is stored now.
func (p *probe) save(n flow.Notification) flow.Notification {
	p.saveAll(n)
	n.Version++
	return n
}

func (p *probe) saveAll(all ...flow.Notification) {
	p.Must(p.store.SaveNotifications(p.Ctx, notificationChanges(all...)...), "SaveNotifications")
}

func (p *probe) flow(id uuid.UUID) flow.Flow {
	f, err := p.store.Flow(p.Ctx, id)
	p.Must(err, "Flow")
	return f
}

func (p *probe) notification(id uuid.UUID) flow.Notification {
	n, err := p.store.Notification(p.Ctx, id)
	p.Must(err, "Notification")
	return n
}

func (p *probe) flows(filter flow.FlowFilter, page flow.Page) []flow.Flow {
	all, err := p.store.Flows(p.Ctx, filter, page)
	p.Must(err, "Flows")
	return all
}

func (p *probe) notifications(filter flow.NotificationFilter, page flow.Page) []flow.Notification {
	all, err := p.store.Notifications(p.Ctx, filter, page)
	p.Must(err, "Notifications")
	return all
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

// claim claims with a lease, and returns what it gets.
func (p *probe) claim(of uuid.UUID, limit int, lease time.Duration) (flow.Flow, []flow.Notification) {
	f, claimed, err := p.store.Claim(p.Ctx, flow.Claim{Flow: of, Limit: limit, Lease: lease, At: p.Now(), By: "dispatcher"})
	p.Must(err, "Claim")
	return f, claimed
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

// eventually waits for what surely happens.
func (p *probe) eventually(what string, happened func() bool) {
	for end := time.Now().Add(patience); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Must(fmt.Errorf("not within %v", patience), what)
		}
		p.Must(p.Ctx.Err(), what)
	}
}

// sequence yields notifications to be stored with a flow; nil if there are none.
func sequence(all ...flow.Notification) iter.Seq2[flow.NotificationChange, error] {
	if len(all) == 0 {
		return nil
	}
	return func(yield func(flow.NotificationChange, error) bool) {
		for _, n := range all {
			if !yield(notificationChange(n), nil) {
				return
			}
		}
	}
}

// state is all that a store tells.
type state struct {
	flows         map[uuid.UUID]flow.Flow
	notifications map[uuid.UUID]flow.Notification
	records       map[uuid.UUID]int
}

// state reads everything.
func (p *probe) state() state {
	s := state{map[uuid.UUID]flow.Flow{}, map[uuid.UUID]flow.Notification{}, map[uuid.UUID]int{}}
	for _, f := range p.flows(flow.FlowFilter{}, flow.Page{Limit: storetest.Everything}) {
		s.flows[f.ID] = f
		s.records[f.ID] = len(p.flowHistory(f.ID))
	}
	for _, n := range p.notifications(flow.NotificationFilter{}, flow.Page{Limit: storetest.Everything}) {
		s.notifications[n.ID] = n
		s.records[n.ID] = len(p.notificationHistory(n.ID))
	}
	return s
}

// unchanged notes what is not as it was before something happened.
func (p *probe) unchanged(before state, happened string) {
	after := p.state()
	storetest.EqualAll(p.Probe, happened+": the flow", after.flows, before.flows)
	storetest.EqualAll(p.Probe, happened+": the notification", after.notifications, before.notifications)
	for id, n := range before.records {
		if _, there := after.records[id]; there && after.records[id] != n {
			p.Fail("%s: %s had %d records and has %d", happened, id, n, after.records[id])
		}
	}
}
