package pagoinretetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

var historyRules = []rule{
	{"every version has its record", versionsHaveRecords},
	{"what is not there has no history", missingHasNoHistory},
}

func versionsHaveRecords(p *probe) {
	e := p.newEvent()
	other := p.saveEvent(p.newEvent())
	n, alone := p.newNotice(e), p.save(p.newNotice(other))
	var eventRecords []pagoinrete.EventRecord
	var noticeRecords []pagoinrete.NoticeRecord
	for i := range 12 {
		eventStored, noticeStored := eventChange(e), noticeChange(n)
		// The store gives the version, whatever the record has.
		p.Fill(&eventStored.Record, false)
		p.Fill(&noticeStored.Record, false)
		switch i % 3 {
		case 0: // what says nothing but what was done
			eventStored.Record.From, eventStored.Record.Reason = "", flussi.Text{}
			noticeStored.Record.From, noticeStored.Record.Reason = "", flussi.Text{}
		case 1: // times need not go forwards
			eventStored.Record.At = eventStored.Record.At.AddDate(-20, 0, 0)
			noticeStored.Record.At = noticeStored.Record.At.AddDate(-20, 0, 0)
		}
		if i%2 == 0 {
			p.Must(p.store.SaveEvent(p.Ctx, eventStored, nil), "SaveEvent")
			p.Must(p.store.SaveNotices(p.Ctx, noticeStored), "SaveNotices")
		} else {
			p.Must(p.store.SaveEvent(p.Ctx, eventStored, func(yield func(pagoinrete.NoticeChange, error) bool) {
				yield(noticeStored, nil)
			}), "SaveEvent with a notice")
		}
		e.Version++
		n.Version++
		eventRecords = append(eventRecords, eventStored.Record)
		noticeRecords = append(noticeRecords, noticeStored.Record)
		p.hasEventRecords(e.ID, eventRecords...)
		p.hasNoticeRecords(n.ID, noticeRecords...)
	}
	other.Version, alone.Version = 0, 0
	p.hasEventRecords(other.ID, eventChange(other).Record)
	p.hasNoticeRecords(alone.ID, noticeChange(alone).Record)
}

func missingHasNoHistory(p *probe) {
	e := p.newEvent()
	p.saveEvent(e, p.newNotice(e))
	for _, id := range []uuid.UUID{p.ID(), uuid.Nil} {
		if records, err := p.store.EventHistory(p.Ctx, id); err != nil || len(records) != 0 {
			p.Fail("EventHistory of an event that is not there: want no records and no error, got %d and %w", len(records), storetest.OrNone(err))
		}
		if records, err := p.store.NoticeHistory(p.Ctx, id); err != nil || len(records) != 0 {
			p.Fail("NoticeHistory of a notice that is not there: want no records and no error, got %d and %w", len(records), storetest.OrNone(err))
		}
	}
	refused := p.newEvent()
	good, bad := p.newNotice(refused), p.newNotice(refused)
	bad.Version = 5
	err := p.store.SaveEvent(p.Ctx, eventChange(refused), sequence(good, bad))
	p.Wants(flussi.ErrConflict, err, "SaveEvent with a notice of version 5 that is not there")
	if n := len(p.eventHistory(refused.ID)); n != 0 {
		p.Fail("an event that was refused has %d records", n)
	}
	if n := len(p.noticeHistory(good.ID)); n != 0 {
		p.Fail("a notice that was refused has %d records", n)
	}
}
