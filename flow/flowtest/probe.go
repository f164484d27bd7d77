package flowtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

const (
	patience   = 30 * time.Second // for what surely happens, though not when
	long       = time.Hour        // a lease that does not end during a test
	short      = time.Nanosecond  // one that ends at once
	everything = flow.MaxPage     // a page with all that a test stores, but for the one of a long sequence
	enough     = 12               // faults of a rule that are told
	crowd      = 16               // goroutines that do something at the same time
)

// probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type probe struct {
	ctx    context.Context
	store  flow.Store
	random *rand.Rand
	made   int // entities, each a second younger than the one before
	errs   []error
}

// halt ends a test.
type halt struct{}

// fail notes that the rule is not kept, and goes on; after a few times that is enough.
func (p *probe) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
	if len(p.errs) >= enough {
		p.errs = append(p.errs, errors.New("there may be more"))
		panic(halt{})
	}
}

// must ends the test if there is an error.
func (p *probe) must(err error, doing string) {
	if err != nil {
		p.fail("%s: %w", doing, err)
		panic(halt{})
	}
}

// wants notes an error that is not the one that is wanted.
func (p *probe) wants(want, err error, doing string) {
	if !errors.Is(err, want) {
		p.fail("%s: want an error in which errors.Is finds %q, got %w", doing, want, orNone(err))
	}
}

// errNone stands in a message for nil.
var errNone = errors.New("none")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// equal notes what is different in an entity, a record, or counts.
func (p *probe) equal(what string, got, want any) {
	for _, d := range differences(want, got) {
		p.fail("%s: %s", what, d)
	}
}

// saveFlow stores a flow, and notifications with it, and returns it as it is stored now.
func (p *probe) saveFlow(f flow.Flow, with ...flow.Notification) flow.Flow {
	p.must(p.store.SaveFlow(p.ctx, flowChange(f), sequence(with...)), "SaveFlow")
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
	p.must(p.store.SaveNotifications(p.ctx, notificationChanges(all...)...), "SaveNotifications")
}

func (p *probe) flow(id uuid.UUID) flow.Flow {
	f, err := p.store.Flow(p.ctx, id)
	p.must(err, "Flow")
	return f
}

func (p *probe) notification(id uuid.UUID) flow.Notification {
	n, err := p.store.Notification(p.ctx, id)
	p.must(err, "Notification")
	return n
}

func (p *probe) flows(filter flow.FlowFilter, page flow.Page) []flow.Flow {
	all, err := p.store.Flows(p.ctx, filter, page)
	p.must(err, "Flows")
	return all
}

func (p *probe) notifications(filter flow.NotificationFilter, page flow.Page) []flow.Notification {
	all, err := p.store.Notifications(p.ctx, filter, page)
	p.must(err, "Notifications")
	return all
}

func (p *probe) flowHistory(id uuid.UUID) []flow.FlowRecord {
	records, err := p.store.FlowHistory(p.ctx, id)
	p.must(err, "FlowHistory")
	return records
}

func (p *probe) notificationHistory(id uuid.UUID) []flow.NotificationRecord {
	records, err := p.store.NotificationHistory(p.ctx, id)
	p.must(err, "NotificationHistory")
	return records
}

// claim claims with a lease, and returns what it gets.
func (p *probe) claim(of uuid.UUID, limit int, lease time.Duration) (flow.Flow, []flow.Notification) {
	f, claimed, err := p.store.Claim(p.ctx, flow.Claim{Flow: of, Limit: limit, Lease: lease, At: p.now(), By: "dispatcher"})
	p.must(err, "Claim")
	return f, claimed
}

func (p *probe) expired(limit int) []flow.Notification {
	all, err := p.store.Expired(p.ctx, limit)
	p.must(err, "Expired")
	return all
}

// isExpired reports whether the lease of a notification is found to be over.
func (p *probe) isExpired(id uuid.UUID) bool {
	return slices.ContainsFunc(p.expired(everything), func(n flow.Notification) bool { return n.ID == id })
}

// eventually waits for what surely happens.
func (p *probe) eventually(what string, happened func() bool) {
	for end := time.Now().Add(patience); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.fail("%s: not within %v", what, patience)
			panic(halt{})
		}
		p.must(p.ctx.Err(), what)
	}
}

// together does something a crowd of times at once, and returns the errors.
func together(do func(i int) error) []error {
	errs := make([]error, crowd)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					errs[i] = fmt.Errorf("panic: %v", v)
				}
			}()
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return errs
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
	for _, f := range p.flows(flow.FlowFilter{}, flow.Page{Limit: everything}) {
		s.flows[f.ID] = f
		s.records[f.ID] = len(p.flowHistory(f.ID))
	}
	for _, n := range p.notifications(flow.NotificationFilter{}, flow.Page{Limit: everything}) {
		s.notifications[n.ID] = n
		s.records[n.ID] = len(p.notificationHistory(n.ID))
	}
	return s
}

// unchanged notes what is not as it was before something happened.
func (p *probe) unchanged(before state, happened string) {
	after := p.state()
	compareAll(p, happened+": the flow", after.flows, before.flows)
	compareAll(p, happened+": the notification", after.notifications, before.notifications)
	for id, n := range before.records {
		if _, there := after.records[id]; there && after.records[id] != n {
			p.fail("%s: %s had %d records and has %d", happened, id, n, after.records[id])
		}
	}
}

func compareAll[T any](p *probe, what string, got, want map[uuid.UUID]T) {
	for id, w := range want {
		if g, there := got[id]; there {
			p.equal(fmt.Sprintf("%s %s", what, id), g, w)
		} else {
			p.fail("%s %s is gone", what, id)
		}
	}
	for id := range got {
		if _, there := want[id]; !there {
			p.fail("%s %s has appeared", what, id)
		}
	}
}
