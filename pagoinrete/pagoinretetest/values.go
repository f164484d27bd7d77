package pagoinretetest

import (
	"fmt"
	"math"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var valueRules = []rule{
	{"texts are kept to the last character", textsAreKept},
	{"each flag is kept for itself", flagsAreKept},
	{"amounts are kept to the cent, however large", amountsAreKept},
	{"times are kept to the microsecond, and given in UTC", timesAreKept},
	{"a time that is zero stays zero", zeroTimesAreKept},
	{"states, kinds and actions that are unknown are kept", unknownWordsAreKept},
}

func textsAreKept(p *probe) {
	for _, text := range []string{storetest.TooLong(), storetest.Awkward, "   ", "0", "è"} {
		e := p.fullEvent()
		storetest.SetTexts(&e, text, text)
		n := p.fullNotice(e)
		storetest.SetTexts(&n, text, text)
		e = p.saveEvent(e, n)
		n.Version++
		e.Counts = counted(n)
		p.readsEvent("with odd texts", e)
		p.readsNotice("with odd texts", n)

		e = p.newEvent()
		n = p.newNotice(e)
		eventStored, noticeStored := eventChange(e), noticeChange(n)
		storetest.SetTexts(&eventStored.Record, text, text)
		storetest.SetTexts(&noticeStored.Record, text, text)
		p.Must(p.store.SaveEvent(p.Ctx, eventStored, nil), "SaveEvent")
		p.Must(p.store.SaveNotices(p.Ctx, noticeStored), "SaveNotices")
		p.hasEventRecords(e.ID, eventStored.Record)
		p.hasNoticeRecords(n.ID, noticeStored.Record)
	}
}

func flagsAreKept(p *probe) {
	e := p.saveEvent(p.fullEvent())
	eachFlag(&e, func(what string) {
		e = p.saveEvent(e)
		p.readsEvent(what, e)
	})
	n := p.save(p.fullNotice(e))
	eachFlag(&n, func(what string) {
		n = p.save(n)
		p.readsNotice(what, n)
	})
}

// eachFlag sets each flag of a struct without the others, and all others without it.
func eachFlag(pointer any, check func(what string)) {
	fields := storetest.Fields(pointer)
	for _, to := range []bool{true, false} {
		for i, one := range fields {
			if _, ok := one.Pointer.(*bool); !ok {
				continue
			}
			for j, f := range fields {
				if flag, ok := f.Pointer.(*bool); ok {
					*flag = to == (i == j)
				}
			}
			check(fmt.Sprintf("whose %s is %t, and each other flag is not", one.Name, to))
		}
	}
}

func amountsAreKept(p *probe) {
	e := p.fullEvent()
	n := p.fullNotice(e)
	for _, amount := range []flussi.Cents{flussi.MaxPayable, math.MaxInt64, 1<<53 + 1, -1, math.MinInt64, flussi.MinPayable} {
		for _, pointer := range []any{&e, &n} {
			for _, f := range storetest.Fields(pointer) {
				if field, ok := f.Pointer.(*flussi.Cents); ok {
					*field = amount
				}
			}
		}
		e = p.saveEvent(e, n)
		n.Version++
		want := e
		want.Counts = counted(n)
		p.readsEvent("with the amount "+amount.String(), want)
		p.readsNotice("with the amount "+amount.String(), n)
	}
}

func timesAreKept(p *probe) {
	for _, given := range storetest.Moments() {
		e := p.fullEvent()
		n := p.fullNotice(e)
		storetest.SetTimes(&e, given)
		storetest.SetTimes(&n, given)
		p.saveEvent(e, n)
		e, n = p.event(e.ID), p.notice(n.ID)
		p.HasTimes("Event", &e, given)
		p.HasTimes("Notice", &n, given)
		for _, r := range p.eventHistory(e.ID) {
			p.HasTimes("a record of EventHistory", &r, given)
		}
		for _, r := range p.noticeHistory(n.ID) {
			p.HasTimes("a record of NoticeHistory", &r, given)
		}
	}
}

func zeroTimesAreKept(p *probe) {
	e := p.fullEvent()
	n := p.fullNotice(e)
	e = p.saveEvent(e, n)
	n.Version++
	counts := counted(n)
	for _, pointer := range []any{&e, &n} {
		for _, field := range storetest.Fields(pointer) {
			if t, ok := field.Pointer.(*time.Time); ok && field.Name != "CreatedAt" && field.Name != "UpdatedAt" {
				*t = time.Time{}
			}
		}
	}
	e = p.saveEvent(e, n)
	n.Version++
	e.Counts = counts
	p.readsEvent("with times that were set, and are zero", e)
	p.readsNotice("with times that were set, and are zero", n)
	e.ID, e.Version, e.Counts = p.ID(), 0, pagoinrete.NoticeCounts{}
	n.ID, n.EventID, n.Version = p.ID(), e.ID, 0
	e = p.saveEvent(e, n)
	n.Version++
	e.Counts = counts
	p.readsEvent("with times that were always zero", e)
	p.readsNotice("with times that were always zero", n)
}

func unknownWordsAreKept(p *probe) {
	e := p.fullEvent()
	e.Kind, e.State = "contributo", "archiviato"
	e.Discrepancy.Kind, e.Discrepancy.State = "colour", "sospesa"
	n := p.fullNotice(e)
	n.State, n.DebtorKind, n.Discrepancy.Kind, n.Discrepancy.State = "sospeso", "genitore", "colour", "archiviato"
	n.Discrepancy.Resolved = false
	eventStored, noticeStored := eventChange(e), noticeChange(n)
	eventStored.Record.Action, eventStored.Record.From, eventStored.Record.To = "archive", "parked", e.State
	noticeStored.Record.Action, noticeStored.Record.From, noticeStored.Record.To = "suspend", "parked", n.State

	p.Must(p.store.SaveEvent(p.Ctx, eventStored, nil), "SaveEvent")
	p.Must(p.store.SaveNotices(p.Ctx, noticeStored), "SaveNotices")
	e.Version, n.Version = 1, 1
	e.Counts = pagoinrete.NoticeCounts{Unpaid: 1, Discrepancies: 1}
	p.readsEvent("with unknown words", e)
	p.readsNotice("with unknown words", n)
	p.hasEventRecords(e.ID, eventStored.Record)
	p.hasNoticeRecords(n.ID, noticeStored.Record)
	for state, want := range map[pagoinrete.NoticeState]int{n.State: 1, "altro": 0} {
		if got := p.notices(pagoinrete.NoticeFilter{States: []pagoinrete.NoticeState{state}}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Notices in the state %q: want %d, got %d", state, want, len(got))
		}
	}
	for kind, want := range map[pagoinrete.EventKind]int{e.Kind: 1, "altro": 0} {
		if got := p.events(pagoinrete.EventFilter{Kind: kind}, pagoinrete.Page{Limit: 2}); len(got) != want {
			p.Fail("Events of the kind %q: want %d, got %d", kind, want, len(got))
		}
	}
}
