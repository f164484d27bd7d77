package flowtest

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

var versionRules = []rule{
	{"each change gives the next version", versionsCount},
	{"what is new must not be there", newIsNew},
	{"what is not new must be there", oldIsThere},
	{"what was changed in the meantime is not stored", lateChangesAreRefused},
	{"one entity twice in a change is a conflict", twiceIsAConflict},
}

func versionsCount(p *probe) {
	f, n := p.newFlow(), p.newNotification(uuid.Nil)
	for version := int64(1); version <= 4; version++ {
		f, n = p.saveFlow(f), p.save(n)
		if got := p.flow(f.ID).Version; got != version {
			p.Fail("a flow that was stored %d times has the version %d", version, got)
		}
		if got := p.notification(n.ID).Version; got != version {
			p.Fail("a notification that was stored %d times has the version %d", version, got)
		}
	}
	f = p.saveFlow(f, n)
	if got := p.notification(n.ID).Version; got != n.Version+1 {
		p.Fail("a notification of version %d that was stored with a flow has the version %d", n.Version, got)
	}
	p.saveFlow(f)
	if got := p.notification(n.ID).Version; got != n.Version+1 {
		p.Fail("a notification has got the version %d from a change of a flow without it", got)
	}
}

// conflicts checks that notifications are refused, in every way to store them, and that
// nothing changes.
func (p *probe) conflicts(what string, all ...flow.Notification) {
	before := p.state()
	p.Wants(flussi.ErrConflict, p.store.SaveNotifications(p.Ctx, notificationChanges(all...)...), "SaveNotifications of "+what)
	p.unchanged(before, "SaveNotifications of "+what)
	f := p.newFlow()
	p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(f), sequence(all...)), "SaveFlow with "+what)
	p.unchanged(before, "SaveFlow with "+what)
}

// flowConflicts checks that a flow is refused, and that nothing changes.
func (p *probe) flowConflicts(what string, f flow.Flow) {
	before := p.state()
	p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(f), nil), "SaveFlow of "+what)
	p.unchanged(before, "SaveFlow of "+what)
	p.Wants(flussi.ErrConflict, p.store.SaveFlow(p.Ctx, flowChange(f), sequence(p.newNotification(f.ID))), "SaveFlow of "+what+", with a notification")
	p.unchanged(before, "SaveFlow of "+what+", with a notification")
}

func newIsNew(p *probe) {
	f, n := p.fullFlow(), p.fullNotification(uuid.Nil)
	p.saveFlow(f)
	p.saveAll(n)
	f.Note, n.Reference = n.Subject, "another"
	p.flowConflicts("a new flow with an ID that is there", f)
	p.conflicts("a new notification with an ID that is there", n)
}

func oldIsThere(p *probe) {
	p.saveFlow(p.newFlow(), p.newNotification(uuid.Nil))
	for _, version := range []int64{1, 7, -1} {
		f, n := p.newFlow(), p.newNotification(uuid.Nil)
		f.Version, n.Version = version, version
		p.flowConflicts(fmt.Sprintf("a flow with the version %d that is not there", version), f)
		p.conflicts(fmt.Sprintf("a notification with the version %d that is not there", version), n)
	}
}

func lateChangesAreRefused(p *probe) {
	f, n := p.saveFlow(p.sendingFlow()), p.newNotification(uuid.Nil)
	n.FlowID = f.ID
	n = p.save(n)
	f = p.saveFlow(p.saveFlow(f))
	n = p.save(p.save(n))
	for _, version := range []int64{0, 1, 2, 4, 99} {
		g, m := f, n
		g.Version, m.Version = version, version
		g.State, m.State = flow.FlowSent, flow.NotificationSent
		p.flowConflicts(fmt.Sprintf("a flow with the version %d instead of 3", version), g)
		p.conflicts(fmt.Sprintf("a notification with the version %d instead of 3", version), m)
	}
	p.claim(f.ID, 1, long)
	n.State = flow.NotificationSent
	p.conflicts("a notification that was claimed in the meantime", n)
}

func twiceIsAConflict(p *probe) {
	n := p.newNotification(uuid.Nil)
	p.conflicts("a new notification twice", n, p.newNotification(uuid.Nil), n)
	n = p.save(n)
	p.conflicts("a notification twice", n, n)
	next := n
	next.Version++
	p.conflicts("a notification twice, with the version that the first one makes", n, next)
}
