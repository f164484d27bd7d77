package flowtest

import (
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

var leaseRules = []rule{
	{"a lease that is over is found", endedLeasesAreFound},
	{"a lease that is not over is not found", runningLeasesAreNotFound},
	{"a lease ends with the state In invio", leasesEndWithTheState},
	{"storing In invio again gives a new lease", leasesAreRenewed},
	{"no more expired leases are given than asked for", expiredKeepsTheLimit},
}

// saveSending stores a notification as In invio, with a lease.
func (p *probe) saveSending(n flow.Notification, lease time.Duration) flow.Notification {
	n.State = flow.NotificationSending
	change := notificationChange(n)
	change.Lease = lease
	p.Must(p.store.SaveNotifications(p.Ctx, change), "SaveNotifications")
	n.Version++
	return n
}

// findsExpired waits until a lease is over, and checks what is found.
func (p *probe) findsExpired(what string, want flow.Notification) {
	p.eventually("Expired gives "+what, func() bool { return p.isExpired(want.ID) })
	for _, n := range p.expired(storetest.Everything) {
		if n.ID == want.ID {
			p.Equal("Expired, "+what, n, want)
		}
	}
}

func endedLeasesAreFound(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	p.findsExpired("one that stands alone", p.saveSending(p.fullNotification(uuid.Nil), short))
	p.findsExpired("one of a flow", p.saveSending(p.fullNotification(f.ID), short))
	p.findsExpired("one whose lease was none", p.saveSending(p.newNotification(f.ID), 0))

	stored := p.newNotification(uuid.Nil)
	stored.State = flow.NotificationSending
	change := notificationChange(stored)
	change.Lease = short
	p.Must(p.store.SaveFlow(p.Ctx, flowChange(f), func(yield func(flow.NotificationChange, error) bool) {
		yield(change, nil)
	}), "SaveFlow")
	stored.Version++
	p.findsExpired("one that was stored with a flow", stored)

	p.saveAll(p.newNotification(f.ID))
	_, claimed := p.claim(f.ID, 1, short)
	for _, n := range claimed {
		p.findsExpired("one that was claimed", n)
	}
	f = p.flows.One(f.ID)
	f.State, f.Disabled = flow.FlowIncomplete, true
	p.saveFlow(f)
	for _, n := range claimed {
		p.findsExpired("one whose flow has ended", n)
	}
	for _, n := range claimed { // to be found is no change
		p.notifications.IsRead("whose lease is over", n)
	}
}

// shortIsOver waits until a lease that was given now is over.
func (p *probe) shortIsOver() {
	n := p.saveSending(p.newNotification(uuid.Nil), short)
	p.eventually("Expired gives one with a lease of a nanosecond", func() bool { return p.isExpired(n.ID) })
}

func runningLeasesAreNotFound(p *probe) {
	f := p.sendingFlow()
	p.saveFlow(f, p.newNotification(f.ID))
	_, claimed := p.claim(f.ID, 1, long)
	running := append(claimed, p.saveSending(p.newNotification(f.ID), long), p.saveSending(p.newNotification(uuid.Nil), long))
	p.saveAll(p.newNotification(f.ID))
	_, claimed = p.claim(f.ID, 1, day)
	running = append(append(running, claimed...), p.saveSending(p.newNotification(f.ID), day))
	for _, n := range running { // a refused change gives no lease
		change := notificationChange(withVersion(n, 0))
		change.Lease = short
		p.Wants(flussi.ErrConflict, p.store.SaveNotifications(p.Ctx, change), "SaveNotifications of an old version")
	}
	p.shortIsOver()
	for _, n := range running {
		if p.isExpired(n.ID) {
			p.Fail("Expired gives a notification whose lease is of an hour or a day")
		}
	}
}

func leasesEndWithTheState(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	for _, state := range []flow.NotificationState{
		flow.NotificationRegistered, flow.NotificationSent, flow.NotificationFailed, "sospesa",
	} {
		n := p.saveSending(p.newNotification(f.ID), short)
		p.findsExpired("one before it gets another state", n)
		n.State = state
		change := notificationChange(n)
		change.Lease = short // says nothing in this state
		p.Must(p.store.SaveNotifications(p.Ctx, change), "SaveNotifications")
		p.shortIsOver()
		if p.isExpired(n.ID) {
			p.Fail("Expired gives a notification that is now in the state %q", state)
		}
	}
	// What was given back and claimed again has the new lease only.
	n := p.saveSending(p.newNotification(f.ID), short)
	n.State = flow.NotificationRegistered
	n = p.save(n)
	p.claim(f.ID, 10, long)
	p.shortIsOver()
	if p.isExpired(n.ID) {
		p.Fail("Expired gives a notification that was given back, and claimed again for an hour")
	}
}

func leasesAreRenewed(p *probe) {
	n := p.saveSending(p.newNotification(uuid.Nil), short)
	p.findsExpired("one before its lease is renewed", n)
	n = p.saveSending(n, long)
	p.shortIsOver()
	if p.isExpired(n.ID) {
		p.Fail("Expired gives a notification that was stored again with a lease of an hour")
	}
	p.findsExpired("one whose lease was renewed for a nanosecond", p.saveSending(n, short))
}

func expiredKeepsTheLimit(p *probe) {
	f := p.saveFlow(p.sendingFlow())
	for _, of := range []uuid.UUID{f.ID, f.ID, f.ID, uuid.Nil, uuid.Nil} {
		p.saveSending(p.newNotification(of), short)
	}
	p.eventually("Expired gives all 5", func() bool { return len(p.expired(storetest.Everything)) == 5 })
	for _, limit := range []int{-1, 0, 1, 3, 5, 6} {
		if got := len(p.expired(limit)); got != max(0, min(limit, 5)) {
			p.Fail("Expired with the limit %d, when 5 are: got %d", limit, got)
		}
	}
}
