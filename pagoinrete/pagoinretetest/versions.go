package pagoinretetest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var versionRules = []rule{
	{"each change gives the next version", versionsCount},
	{"what is new must not be there", newIsNew},
	{"what is not new must be there", oldIsThere},
	{"what was changed in the meantime is not stored", lateChangesAreRefused},
	{"one entity twice in a change is a conflict", twiceIsAConflict},
}

func versionsCount(p *probe) {
	e := p.newEvent()
	n := p.newNotice(e)
	for version := int64(1); version <= 4; version++ {
		e = p.saveEvent(e)
		n = p.save(n)
		if got := p.event(e.ID).Version; got != version {
			p.Fail("an event that was stored %d times has the version %d", version, got)
		}
		if got := p.notice(n.ID).Version; got != version {
			p.Fail("a notice that was stored %d times has the version %d", version, got)
		}
	}
	e = p.saveEvent(e, n)
	if got := p.notice(n.ID).Version; got != n.Version+1 {
		p.Fail("a notice of version %d that was stored with an event has the version %d", n.Version, got)
	}
	p.saveEvent(e)
	if got := p.notice(n.ID).Version; got != n.Version+1 {
		p.Fail("a notice has got the version %d from a change of an event without it", got)
	}
}

// conflicts checks that notices are refused, in every way to store them, and that nothing
// changes.
func (p *probe) conflicts(what string, all ...pagoinrete.Notice) {
	before := p.state()
	p.Wants(flussi.ErrConflict, p.store.SaveNotices(p.Ctx, noticeChanges(all...)...), "SaveNotices of "+what)
	p.unchanged(before, "SaveNotices of "+what)
	p.Wants(flussi.ErrConflict, p.store.SaveEvent(p.Ctx, eventChange(p.newEvent()), sequence(all...)), "SaveEvent with "+what)
	p.unchanged(before, "SaveEvent with "+what)
}

// eventConflicts checks that an event is refused, and that nothing changes.
func (p *probe) eventConflicts(what string, e pagoinrete.Event) {
	before := p.state()
	p.Wants(flussi.ErrConflict, p.store.SaveEvent(p.Ctx, eventChange(e), nil), "SaveEvent of "+what)
	p.unchanged(before, "SaveEvent of "+what)
	p.Wants(flussi.ErrConflict, p.store.SaveEvent(p.Ctx, eventChange(e), sequence(p.newNotice(e))), "SaveEvent of "+what+", with a notice")
	p.unchanged(before, "SaveEvent of "+what+", with a notice")
}

func newIsNew(p *probe) {
	e := p.fullEvent()
	n := p.fullNotice(e)
	p.saveEvent(e)
	p.saveAll(n)
	e.Name, n.Reference = "another", "another"
	p.eventConflicts("a new event with an ID that is there", e)
	p.conflicts("a new notice with an ID that is there", n)
}

func oldIsThere(p *probe) {
	there := p.newEvent()
	p.saveEvent(there, p.newNotice(there))
	for _, version := range []int64{1, 7, -1} {
		e, n := p.newEvent(), p.newNotice(there)
		e.Version, n.Version = version, version
		p.eventConflicts(fmt.Sprintf("an event with the version %d that is not there", version), e)
		p.conflicts(fmt.Sprintf("a notice with the version %d that is not there", version), n)
	}
}

func lateChangesAreRefused(p *probe) {
	e := p.saveEvent(p.newEvent())
	n := p.save(p.newNotice(e))
	e = p.saveEvent(p.saveEvent(e))
	n = p.save(p.save(n))
	for _, version := range []int64{0, 1, 2, 4, 99} {
		f, m := e, n
		f.Version, m.Version = version, version
		f.State, m.State = pagoinrete.EventToApprove, pagoinrete.NoticeNotified
		p.eventConflicts(fmt.Sprintf("an event with the version %d instead of 3", version), f)
		p.conflicts(fmt.Sprintf("a notice with the version %d instead of 3", version), m)
	}
	p.saveEvent(e, n)
	n.State = pagoinrete.NoticePaidOnline
	p.conflicts("a notice that was stored with its event in the meantime", n)
}

func twiceIsAConflict(p *probe) {
	e := p.saveEvent(p.newEvent())
	n := p.newNotice(e)
	p.conflicts("a new notice twice", n, p.newNotice(e), n)
	n = p.save(n)
	p.conflicts("a notice twice", n, n)
	next := n
	next.Version++
	p.conflicts("a notice twice, with the version that the first one makes", n, next)
}
