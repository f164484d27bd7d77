package pagoinretetest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var concurrencyRules = []rule{
	{"an event and its notices are changed at once without a deadlock", bothWaysMeet},
	{"counts are of one moment", countsAreOfOneMoment},
	{"an event is read with the counts of the same moment", eventsAreOfOneMoment},
}

// bothWaysMeet stores the same two notices with their event and by themselves, in either
// order, so that a lock on one of the three waits for the others.
func bothWaysMeet(p *probe) {
	e := p.newEvent()
	all := p.NewChildren(e, 2)
	e = p.saveEvent(e, all...)
	for version := int64(1); version <= 5; version++ {
		all[0].Version, all[1].Version = version, version
		p.OneWins("an event with its notices, and its notices, at once", p.Together(func(i int) error {
			a, b := all[i/2%2], all[1-i/2%2]
			a.State, b.State = pagoinrete.NoticeNotified, pagoinrete.NoticeNotified
			if i%4 == 0 {
				a.State, b.State = pagoinrete.NoticeCancelled, pagoinrete.NoticeCancelled
			}
			if i%2 == 0 {
				return p.store.SaveEvent(p.Ctx, eventChange(e), p.sequence(a, b))
			}
			return p.store.SaveNotices(p.Ctx, noticeChange(a), noticeChange(b))
		}), flussi.ErrConflict)
		e.Version = p.events.One(e.ID).Version
		p.HasCounts("after many changed both at once", e.ID, counted(p.notices.One(all[0].ID), p.notices.One(all[1].ID)))
	}
}

// countsAreOfOneMoment lets half of a crowd read while the other changes states: each
// notice that gets paid has a discrepancy with it.
func countsAreOfOneMoment(p *probe) {
	const each = 8
	e := p.newEvent()
	all := p.NewChildren(e, each*storetest.Crowd)
	e = p.saveEvent(e, all...)
	for i := range all {
		all[i].Version++
		all[i].State = pagoinrete.NoticePaidOnline
		p.dispute(&all[i], pagoinrete.DiscrepancyAmount)
	}
	for _, err := range p.Together(func(i int) error {
		for round := range each {
			if i%2 == 0 {
				if err := p.events.Meanwhile(e.ID, func(what string, e pagoinrete.Event) error {
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
	p.HasCounts("after all got paid", e.ID, pagoinrete.NoticeCounts{Paid: len(all), Discrepancies: len(all)})
}

// eventsAreOfOneMoment lets most of a crowd read an event while one changes it, each time
// with one notice more: it always has as many as its version says.
func eventsAreOfOneMoment(p *probe) {
	const rounds = 40
	e := p.newEvent()
	all := p.NewChildren(e, rounds)
	e = p.saveEvent(e, p.newNotice(e))
	for _, err := range p.Together(func(i int) error {
		for round := range rounds {
			if i == 0 {
				if err := p.store.SaveEvent(p.Ctx, eventChange(e), p.sequence(all[round])); err != nil {
					return err
				}
				e.Version++
				continue
			}
			if err := p.events.Meanwhile(all[0].EventID, func(what string, e pagoinrete.Event) error {
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
