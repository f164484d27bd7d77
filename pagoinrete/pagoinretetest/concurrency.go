package pagoinretetest

import (
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var concurrencyRules = []rule{
	{"of those who change one version, one succeeds", changesHaveOneWinner},
	{"of those who create one entity, one succeeds", creationsHaveOneWinner},
	{"an event and its notices are changed at once without a deadlock", bothWaysMeet},
	{"changes that do not meet all succeed, and are counted", othersDoNotMatter},
	{"counts are of one moment", countsAreOfOneMoment},
	{"an event is read with the counts of the same moment", eventsAreOfOneMoment},
}

func changesHaveOneWinner(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	a, b := p.save(p.newNotice(e)), p.save(p.newNotice(other))
	for version := int64(1); version <= 5; version++ {
		e.Version, a.Version, b.Version = version, version, version
		p.OneWins("SaveEvent of one version", storetest.Together(func(i int) error {
			f := e
			f.RemoteID = fmt.Sprint(i)
			return p.store.SaveEvent(p.Ctx, eventChange(f), nil)
		}), flussi.ErrConflict)
		// Two together, in either order: who locks them, or the counts of their events, one by
		// one would wait for ever.
		states := []pagoinrete.NoticeState{pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotified, pagoinrete.NoticePaidOnline}
		p.OneWins("SaveNotices of one version", storetest.Together(func(i int) error {
			a, b := noticeChange(a), noticeChange(b)
			a.Notice.Reference, b.Notice.Reference = fmt.Sprint(i), fmt.Sprint(i)
			a.Notice.State, b.Notice.State = states[i%3], states[(i+1)%3]
			if i%2 == 0 {
				return p.store.SaveNotices(p.Ctx, a, b)
			}
			return p.store.SaveNotices(p.Ctx, b, a)
		}), flussi.ErrConflict)
		if one, other := p.notice(a.ID), p.notice(b.ID); one.Reference != other.Reference {
			p.Fail("two notices that were stored together are from different changes")
		}
		for what, got := range map[string][2]int64{
			"an event":    {p.event(e.ID).Version, int64(len(p.eventHistory(e.ID)))},
			"a notice":    {p.notice(a.ID).Version, int64(len(p.noticeHistory(a.ID)))},
			"another one": {p.notice(b.ID).Version, int64(len(p.noticeHistory(b.ID)))},
		} {
			if got != [2]int64{version + 1, version + 1} {
				p.Fail("%s that many changed at once has the version %d and %d records, not %d", what, got[0], got[1], version+1)
			}
		}
		p.hasCounts("after many changed a notice at once", e, counted(p.notice(a.ID)))
	}
}

func creationsHaveOneWinner(p *probe) {
	there := p.saveEvent(p.newEvent())
	for range 5 {
		e, n := p.newEvent(), p.newNotice(there)
		inEvent := p.newNotice(e)
		p.OneWins("SaveEvent of one new event", storetest.Together(func(i int) error {
			return p.store.SaveEvent(p.Ctx, eventChange(e), sequence(inEvent))
		}), flussi.ErrConflict)
		p.OneWins("SaveNotices of a new one", storetest.Together(func(i int) error {
			return p.store.SaveNotices(p.Ctx, noticeChange(n))
		}), flussi.ErrConflict)
		e.Version, n.Version, e.Counts = 1, 1, pagoinrete.NoticeCounts{NotLinked: 1}
		p.readsEvent("that many created at once", e)
		p.readsNotice("that many created at once", n)
	}
}

// bothWaysMeet stores the same two notices with their event and by themselves, in either
// order, so that whoever locks one of the three has to wait for the others.
func bothWaysMeet(p *probe) {
	e := p.newEvent()
	all := p.newNotices(e, 2)
	e = p.saveEvent(e, all...)
	for version := int64(1); version <= 5; version++ {
		all[0].Version, all[1].Version = version, version
		p.OneWins("an event with its notices, and its notices, at once", storetest.Together(func(i int) error {
			a, b := all[i/2%2], all[1-i/2%2]
			a.State, b.State = pagoinrete.NoticeNotified, pagoinrete.NoticeNotified
			if i%4 == 0 {
				a.State, b.State = pagoinrete.NoticeCancelled, pagoinrete.NoticeCancelled
			}
			if i%2 == 0 {
				return p.store.SaveEvent(p.Ctx, eventChange(e), sequence(a, b))
			}
			return p.store.SaveNotices(p.Ctx, noticeChange(a), noticeChange(b))
		}), flussi.ErrConflict)
		e.Version = p.event(e.ID).Version
		p.hasCounts("after many changed both at once", e, counted(p.notice(all[0].ID), p.notice(all[1].ID)))
	}
}

func othersDoNotMatter(p *probe) {
	const rounds = 5
	e, other := p.newEvent(), p.newEvent()
	all, others := p.newNotices(e, storetest.Crowd), p.newNotices(other, storetest.Crowd)
	e, other = p.saveEvent(e, all...), p.saveEvent(other, others...)
	fresh := p.newNotices(e, storetest.Crowd)
	for i := range all {
		all[i].Version++
		others[i].Version++
	}
	for _, err := range storetest.Together(func(i int) error {
		if i == 0 { // the event itself, meanwhile
			for range rounds {
				if err := p.store.SaveEvent(p.Ctx, eventChange(e), nil); err != nil {
					return err
				}
				e.Version++
			}
		}
		n, m := all[i], others[i]
		for round := range rounds {
			n.State, m.State = pagoinrete.NoticeNotified, pagoinrete.NoticeCancelled
			if round == rounds-1 {
				n.State, m.State = pagoinrete.NoticePaidOnline, pagoinrete.NoticeRefunded
			}
			changes := noticeChanges(n, m)
			if i%2 == 0 {
				changes = noticeChanges(m, n)
			}
			if err := p.store.SaveNotices(p.Ctx, changes...); err != nil {
				return err
			}
			n.Version++
			m.Version++
		}
		return p.store.SaveNotices(p.Ctx, noticeChange(fresh[i]))
	}) {
		if err != nil {
			p.Fail("one of %d who each change something else at once: %w", storetest.Crowd, err)
		}
	}
	when := fmt.Sprintf("after %d changed notices of two events at once", storetest.Crowd)
	p.hasCounts(when, e, pagoinrete.NoticeCounts{Paid: storetest.Crowd, NotLinked: storetest.Crowd})
	p.hasCounts(when, other, pagoinrete.NoticeCounts{Refunded: storetest.Crowd})
}

// read reads an event in both ways, and checks what it gets.
func (p *probe) read(e pagoinrete.Event, check func(what string, e pagoinrete.Event) error) error {
	read, err := p.store.Event(p.Ctx, e.ID)
	if err != nil {
		return err
	}
	listed, err := p.store.Events(p.Ctx, pagoinrete.EventFilter{}, pagoinrete.Page{Limit: 1})
	if err != nil {
		return err
	}
	errs := []error{check("Event", read)}
	for _, e := range listed {
		errs = append(errs, check("Events", e))
	}
	return errors.Join(errs...)
}

// countsAreOfOneMoment lets half of a crowd read while the other changes states: each
// notice that gets paid has a discrepancy with it.
func countsAreOfOneMoment(p *probe) {
	const each = 8
	e := p.newEvent()
	all := p.newNotices(e, each*storetest.Crowd)
	e = p.saveEvent(e, all...)
	for i := range all {
		all[i].Version++
		all[i].State = pagoinrete.NoticePaidOnline
		p.dispute(&all[i], pagoinrete.DiscrepancyAmount)
	}
	for _, err := range storetest.Together(func(i int) error {
		for round := range each {
			if i%2 == 0 {
				if err := p.read(e, func(what string, e pagoinrete.Event) error {
					if c := e.Counts; c.Total() != len(all) || c.Discrepancies != c.Paid {
						return fmt.Errorf("%s counts %d notices, %d of them paid, and %d discrepancies while those of %d notices that get paid come with that",
							what, c.Total(), c.Paid, c.Discrepancies, len(all))
					}
					return nil
				}); err != nil {
					return err
				}
				continue
			}
			mine := all[i*each+round]
			theirs := all[(i-1)*each+round]
			if err := p.store.SaveNotices(p.Ctx, noticeChange(mine), noticeChange(theirs)); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			p.Fail("%w", err)
		}
	}
	p.hasCounts("after all got paid", e, pagoinrete.NoticeCounts{Paid: len(all), Discrepancies: len(all)})
}

// eventsAreOfOneMoment lets most of a crowd read an event while one changes it, each time
// with one notice more: it always has as many as its version says.
func eventsAreOfOneMoment(p *probe) {
	const rounds = 40
	e := p.newEvent()
	all := p.newNotices(e, rounds)
	e = p.saveEvent(e, p.newNotice(e))
	for _, err := range storetest.Together(func(i int) error {
		for round := range rounds {
			if i == 0 {
				if err := p.store.SaveEvent(p.Ctx, eventChange(e), sequence(all[round])); err != nil {
					return err
				}
				e.Version++
				continue
			}
			if err := p.read(pagoinrete.Event{ID: all[0].EventID}, func(what string, e pagoinrete.Event) error {
				if e.Counts.Total() != int(e.Version) {
					return fmt.Errorf("%s gives version %d, which was stored with notice number %d, and counts %d", what, e.Version, e.Version, e.Counts.Total())
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			p.Fail("%w", err)
		}
	}
}
