package pagoinretetest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var countRules = []rule{
	{"the counts of an event are those of its notices", countsAreOfNotices},
	{"discrepancies are counted until they are settled", discrepanciesAreCounted},
	{"the counts of an event are not written", countsAreNotWritten},
	{"the version of an event does not change with its notices", noticesLeaveTheEvent},
}

// hasCounts checks the counts of an event in every way to read them.
func (p *probe) hasCounts(when string, of pagoinrete.Event, want pagoinrete.NoticeCounts) {
	p.Equal(when+": the counts of Event", p.event(of.ID).Counts, want)
	for _, e := range p.events(pagoinrete.EventFilter{}, pagoinrete.Page{Limit: storetest.Everything}) {
		if e.ID == of.ID {
			p.Equal(when+": the counts of Events", e.Counts, want)
		}
	}
}

func countsAreOfNotices(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	p.hasCounts("without notices", e, pagoinrete.NoticeCounts{})

	all := p.newNotices(e, 6)
	e = p.saveEvent(e, all...)
	p.hasCounts("after SaveEvent with 6", e, counted(all...))
	e = p.saveEvent(e)
	p.hasCounts("after SaveEvent with none", e, counted(all...))

	all = append(all, p.newNotice(e))
	others := p.newNotices(other, 2)
	p.saveAll(all[6], others[0])
	e = p.saveEvent(e, others[1])
	p.hasCounts("after both with one of another event", e, counted(all...))
	p.hasCounts("the other event", other, counted(others...))

	for i := range all {
		all[i].Version++
	}
	states := []pagoinrete.NoticeState{
		pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeAwaitingReceipt,
		pagoinrete.NoticePaidOnline, pagoinrete.NoticePaidManually, pagoinrete.NoticeConfirmed, pagoinrete.NoticeReconciled,
		pagoinrete.NoticeReconciledManually, pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded, "sospeso",
	}
	for i, state := range states {
		one := &all[i%len(all)]
		one.State = state
		if i%2 == 0 {
			p.saveAll(*one)
		} else {
			e = p.saveEvent(e, *one)
		}
		one.Version++
		p.hasCounts(fmt.Sprintf("after one has got the state %q", state), e, counted(all...))
	}

	conflict := all[0]
	conflict.Version--
	conflict.State = pagoinrete.NoticeRefunded
	p.Wants(flussi.ErrConflict, p.store.SaveNotices(p.Ctx, noticeChange(conflict)), "SaveNotices of an old version")
	p.hasCounts("after a conflict", e, counted(all...))
	for i := range all {
		all[i].Reference = "edited"
	}
	p.saveAll(all...)
	p.hasCounts("after changes of something else", e, counted(all...))
	for i := range all {
		all[i].Version++
		all[i].State = pagoinrete.NoticeCancelled
	}
	e = p.saveEvent(e, all...)
	p.hasCounts("after all were cancelled", e, counted(all...))
	p.hasCounts("the other event, at the end", other, counted(others...))
}

func discrepanciesAreCounted(p *probe) {
	e := p.saveEvent(p.newEvent())
	all := p.newNotices(e, 4)
	for i := range all[:3] {
		p.dispute(&all[i], pagoinrete.DiscrepancyAmount)
	}
	all[1].State, all[2].Discrepancy.Resolved = pagoinrete.NoticeConfirmed, true
	p.saveAll(all...)
	p.hasCounts("two discrepancies, and one that is settled", e, counted(all...))

	change := func(when string, i int, change func(*pagoinrete.Notice)) {
		all[i].Version++
		change(&all[i])
		p.saveAll(all[i])
		p.hasCounts(when, e, counted(all...))
	}
	change("after one was settled", 0, func(n *pagoinrete.Notice) { n.Discrepancy.Resolved = true })
	change("after one is gone", 1, func(n *pagoinrete.Notice) { n.Discrepancy = pagoinrete.Notice{}.Discrepancy })
	change("after one came", 3, func(n *pagoinrete.Notice) { p.dispute(n, pagoinrete.DiscrepancyMissing) })
	change("after one became another", 3, func(n *pagoinrete.Notice) { p.dispute(n, "colour") })
	change("after one that was settled came again", 0, func(n *pagoinrete.Notice) { n.Discrepancy.Resolved = false })
	e.Discrepancy.Kind = pagoinrete.DiscrepancyMissing
	e = p.saveEvent(e)
	p.hasCounts("with a discrepancy of the event itself", e, counted(all...))
}

func countsAreNotWritten(p *probe) {
	e := p.newEvent()
	e.Counts = pagoinrete.NoticeCounts{NotLinked: 1, Unpaid: 2, Paid: 3, Cancelled: 4, Refunded: 5, Discrepancies: 6}
	e = p.saveEvent(e)
	p.hasCounts("a new event that came with counts", e, pagoinrete.NoticeCounts{})
	e.Counts = pagoinrete.NoticeCounts{Paid: 7}
	e = p.saveEvent(e, p.newNotice(e))
	p.hasCounts("an event that came with other counts than its notices'", e, pagoinrete.NoticeCounts{NotLinked: 1})
}

func noticesLeaveTheEvent(p *probe) {
	created := p.newEvent()
	e := p.saveEvent(created)
	all := p.newNotices(e, 3)
	p.saveAll(all...)
	for i := range all {
		all[i].Version++
		all[i].State = pagoinrete.NoticeNotified
	}
	p.saveAll(all...)
	other := p.newEvent()
	p.saveEvent(other, p.newNotice(e))
	got := p.event(e.ID)
	got.Counts = pagoinrete.NoticeCounts{}
	p.Equal("an event whose notices were stored and changed", got, e)
	p.hasEventRecords(e.ID, eventChange(created).Record)
}
