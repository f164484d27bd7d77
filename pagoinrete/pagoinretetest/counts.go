package pagoinretetest

import (
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var countRules = []rule{
	{"the counts of an event are those of its notices", countsAreOfNotices},
	{"discrepancies are counted until they are settled", discrepanciesAreCounted},
}

func countsAreOfNotices(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	p.HasCounts("without notices", e.ID, pagoinrete.NoticeCounts{})

	all := p.NewChildren(e, 6)
	e = p.saveEvent(e, all...)
	p.HasCounts("after SaveEvent with 6", e.ID, counted(all...))
	e = p.saveEvent(e)
	p.HasCounts("after SaveEvent with none", e.ID, counted(all...))

	all = append(all, p.newNotice(e))
	others := p.NewChildren(other, 2)
	p.saveAll(all[6], others[0])
	e = p.saveEvent(e, others[1])
	p.HasCounts("after both with one of another event", e.ID, counted(all...))
	p.HasCounts("the other event", other.ID, counted(others...))

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
		p.HasCounts(fmt.Sprintf("after one has got the state %q", state), e.ID, counted(all...))
	}

	conflict := all[0]
	conflict.Version--
	conflict.State = pagoinrete.NoticeRefunded
	p.Wants(flussi.ErrConflict, p.store.SaveNotices(p.Ctx, noticeChange(conflict)), "SaveNotices of an old version")
	p.HasCounts("after a conflict", e.ID, counted(all...))
	for i := range all {
		all[i].Reference = "edited"
	}
	p.saveAll(all...)
	p.HasCounts("after changes of something else", e.ID, counted(all...))
	for i := range all {
		all[i].Version++
		all[i].State = pagoinrete.NoticeCancelled
	}
	e = p.saveEvent(e, all...)
	p.HasCounts("after all were cancelled", e.ID, counted(all...))
	p.HasCounts("the other event, at the end", other.ID, counted(others...))
}

func discrepanciesAreCounted(p *probe) {
	e := p.saveEvent(p.newEvent())
	all := p.NewChildren(e, 4)
	for i := range all[:3] {
		p.dispute(&all[i], pagoinrete.DiscrepancyAmount)
	}
	all[1].State, all[2].Discrepancy.Resolved = pagoinrete.NoticeConfirmed, true
	p.saveAll(all...)
	p.HasCounts("two discrepancies, and one that is settled", e.ID, counted(all...))

	change := func(when string, i int, change func(*pagoinrete.Notice)) {
		all[i].Version++
		change(&all[i])
		p.saveAll(all[i])
		p.HasCounts(when, e.ID, counted(all...))
	}
	change("after one was settled", 0, func(n *pagoinrete.Notice) { n.Discrepancy.Resolved = true })
	change("after one is gone", 1, func(n *pagoinrete.Notice) { n.Discrepancy = pagoinrete.Notice{}.Discrepancy })
	change("after one came", 3, func(n *pagoinrete.Notice) { p.dispute(n, pagoinrete.DiscrepancyMissing) })
	change("after one became another", 3, func(n *pagoinrete.Notice) { p.dispute(n, "colour") })
	change("after one that was settled came again", 0, func(n *pagoinrete.Notice) { n.Discrepancy.Resolved = false })
	e.Discrepancy.Kind = pagoinrete.DiscrepancyMissing
	e = p.saveEvent(e)
	p.HasCounts("with a discrepancy of the event itself", e.ID, counted(all...))
}
