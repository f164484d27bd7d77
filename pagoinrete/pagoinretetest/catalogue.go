package pagoinretetest

import (
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

type (
	eventFilter     = pagoinrete.EventFilter
	eventCatalogue  = storetest.Catalogue[pagoinrete.Event, eventFilter]
	noticeFilter    = pagoinrete.NoticeFilter
	noticeCatalogue = storetest.Catalogue[pagoinrete.Notice, noticeFilter]
)

// oneOf picks one.
func oneOf[T any](p *probe, all ...T) T { return storetest.OneOf(p.Probe, all...) }

// someDiscrepancy returns the kind of a discrepancy, and whether it is settled.
func (p *probe) someDiscrepancy() (pagoinrete.DiscrepancyKind, bool) {
	return oneOf(p, "", pagoinrete.DiscrepancyAmount, pagoinrete.DiscrepancyMissing, "colour"), p.Random.IntN(3) == 0
}

// someDispute gives a notice a discrepancy that is open, or settled, or none.
func (p *probe) someDispute(n *pagoinrete.Notice) {
	if kind, settled := p.someDiscrepancy(); kind != "" {
		p.dispute(n, kind)
		n.Discrepancy.Resolved = settled
	} else {
		n.Discrepancy = pagoinrete.Notice{}.Discrepancy
	}
}

// eventCatalogue stores events that are all different, though not in everything. Some were
// others before.
func (p *probe) eventCatalogue() eventCatalogue {
	all := make([]pagoinrete.Event, 60)
	for i := range all {
		e := p.someEvent()
		notices := p.NewChildren(e, p.Random.IntN(3))
		for i := range notices {
			p.someDispute(&notices[i]) // which is not the event's own
		}
		if p.Random.IntN(3) == 0 {
			before := p.someEvent()
			before.ID, before.School, before.CreatedAt = e.ID, e.School, e.CreatedAt
			e.Version = p.saveEvent(before).Version
		}
		all[i] = p.saveEvent(e, notices...)
		all[i].Counts = counted(notices...)
	}
	return eventCatalogue{Kind: p.events, All: all, Match: eventFilter.Match}
}

// someEvent returns an event that is new, and like others in some things.
func (p *probe) someEvent() pagoinrete.Event {
	e := p.fullEvent()
	e.School = oneOf(p, school, "RMIC8GA003", "rmic8ga002")
	e.State = oneOf(p, pagoinrete.EventNotTransmitted, pagoinrete.EventSimulated, pagoinrete.EventToApprove, pagoinrete.EventNotified, "archiviato")
	e.Kind = oneOf(p, pagoinrete.Fee, pagoinrete.Donation, "contributo")
	e.SchoolYear = oneOf[pagoinrete.SchoolYear](p, 2025, 2026, 2027)
	e.Name, e.Causale = oneOf(p, storetest.Texts()...), oneOf(p, storetest.Texts()...)
	if e.Discrepancy.Kind, e.Discrepancy.Resolved = p.someDiscrepancy(); e.Discrepancy.Kind == "" {
		e.Discrepancy = pagoinrete.Event{}.Discrepancy
	}
	e.Instalments = e.Instalments[:p.Random.IntN(1+len(e.Instalments))]
	e.CreatedAt, e.UpdatedAt = p.SomeMinute(), p.SomeMinute()
	return e
}

func eventCriteria(p *storetest.Probe, q *eventFilter, e pagoinrete.Event) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, e), []storetest.Criterion{
		{"Schools", func() { q.Schools = []string{e.School} }},
		{"Schools, several", func() { q.Schools = []string{e.School, "RMIC8GA009", school} }},
		{"States", func() { q.States = []pagoinrete.EventState{e.State} }},
		{"States, several", func() {
			q.States = []pagoinrete.EventState{e.State, pagoinrete.EventDeleted, pagoinrete.EventNotified}
		}},
		{"Kind", func() { q.Kind = e.Kind }},
		{"SchoolYear", func() { q.SchoolYear = e.SchoolYear }},
		{"Text, of the name", func() { q.Text = p.Part(e.Name) }},
		{"Text, of the causale", func() { q.Text = p.Part(e.Causale) }},
		{"Discrepancy", func() { q.Discrepancy = true }},
	}...)
}

// noticeCatalogue stores notices that are all different, though not in everything: of a few
// events, for a few debtors, some of the same number, or of another one with the same IUV.
// Some were others before.
func (p *probe) noticeCatalogue() noticeCatalogue {
	var events []pagoinrete.Event
	for _, school := range []string{school, school, "RMIC8GA003", "RMIC8GA004"} {
		e := p.newEvent()
		e.School = school
		events = append(events, p.saveEvent(e))
	}
	people := []flussi.FiscalCode{p.FiscalCode(), p.FiscalCode(), p.FiscalCode(), p.FiscalCode()}
	numbers := make([]flussi.NoticeNumber, 40)
	for i := range numbers {
		numbers[i] = number(p.Random.IntN(4), p.Random.Int64N(1e17))
		if i > 0 && p.Random.IntN(2) == 0 {
			numbers[i] = twin(numbers[i-1], p.Random.IntN(4))
		}
	}
	all := make([]pagoinrete.Notice, 80)
	for i := range all {
		e := oneOf(p, events...)
		n := p.someNotice(e, people, numbers)
		if p.Random.IntN(3) == 0 {
			before := p.someNotice(e, people, numbers)
			before.ID, before.CreatedAt = n.ID, n.CreatedAt
			n.Version = p.save(before).Version
		}
		all[i] = p.save(n)
	}
	return noticeCatalogue{Kind: p.notices, All: all, Match: noticeFilter.Match}
}

// someNotice returns a notice that is new, and like others in some things.
func (p *probe) someNotice(of pagoinrete.Event, people []flussi.FiscalCode, numbers []flussi.NoticeNumber) pagoinrete.Notice {
	n := p.fullNotice(of)
	n.State = oneOf(p, pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotified,
		pagoinrete.NoticePaidOnline, pagoinrete.NoticeConfirmed, pagoinrete.NoticeCancelled, "sospeso")
	n.Debtor, n.Payer = oneOf(p, people...), oneOf(p, append(people, flussi.FiscalCode{})...)
	if n.Number = oneOf(p, numbers...); p.Random.IntN(4) == 0 {
		n.Number = flussi.NoticeNumber{}
	}
	n.Reference = oneOf(p, "", "riga 1", "riga 12", "Riga 1")
	n.Visible = oneOf(p, true, false)
	p.someDispute(&n)
	n.CreatedAt, n.DueDate = p.SomeMinute(), p.SomeMinute()
	return n
}

// number returns a notice number with an aux digit.
func number(aux int, rest int64) flussi.NoticeNumber {
	return parsed(fmt.Sprintf("%d%017d", aux, rest))
}

// twin returns a number with the same digits behind the aux digit: between 1, 2 and 3, one with
// the same IUV.
func twin(of flussi.NoticeNumber, aux int) flussi.NoticeNumber {
	return parsed(fmt.Sprint(aux) + of.Reveal()[1:])
}

// parsed returns a number that is in order by its making.
func parsed(digits string) flussi.NoticeNumber {
	n, err := flussi.ParseNoticeNumber(digits)
	if err != nil {
		panic(err)
	}
	return n
}

func noticeCriteria(p *storetest.Probe, q *noticeFilter, n pagoinrete.Notice) []storetest.Criterion {
	return append(storetest.CommonCriteria(p, q, n), []storetest.Criterion{
		{"IDs, some hundred", func() { q.IDs = hundreds(p, n.ID, p.ID) }},
		{"Event", func() { q.Event = n.EventID }},
		{"Event, one that is not there", func() { q.Event = p.ID() }},
		{"Schools", func() { q.Schools = []string{n.School} }},
		{"Schools, several", func() { q.Schools = []string{n.School, "RMIC8GA009", school} }},
		{"States", func() { q.States = []pagoinrete.NoticeState{n.State} }},
		{"States, several", func() {
			q.States = []pagoinrete.NoticeState{n.State, pagoinrete.NoticeRefunded, pagoinrete.NoticePaidOnline}
		}},
		{"Debtor", func() { q.Debtor = n.Debtor }},
		{"Payer", func() { q.Payer = n.Payer }},
		{"IUVs", func() { q.IUVs = []flussi.IUV{n.IUV()} }},
		{"IUVs, several", func() {
			q.IUVs = []flussi.IUV{p.NoticeNumber().IUV(), n.IUV(), {}, n.IUV()}
		}},
		{"IUVs, an empty list", func() { q.IUVs = []flussi.IUV{} }},
		{"IUVs, none but that of no number", func() { q.IUVs = []flussi.IUV{{}} }},
		{"IUVs, some hundred", func() {
			q.IUVs = hundreds(p, n.IUV(), func() flussi.IUV { return p.NoticeNumber().IUV() })
		}},
		{"Reference", func() { q.Reference = n.Reference }},
		{"DueBefore", func() {
			q.DueBefore = n.DueDate.Add(storetest.OneOf(p, 0, time.Microsecond))
		}},
		{"DueBefore, in another zone", func() { _, q.DueBefore = p.Around(n.DueDate) }},
		{"Visible", func() { q.Visible = true }},
		{"Discrepancy", func() { q.Discrepancy = true }},
	}...)
}

// hundreds returns one among many others.
func hundreds[T any](p *storetest.Probe, one T, other func() T) []T {
	all := make([]T, 500)
	for i := range all {
		all[i] = other()
	}
	all[p.Random.IntN(len(all))] = one
	return all
}
