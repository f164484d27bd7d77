package pagoinretetest

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// school is the school of most events.
const school = "RMIC8GA002"

// newEvent returns an event with what every event has.
func (p *probe) newEvent() pagoinrete.Event {
	now := p.Now()
	return pagoinrete.Event{
		ID: p.ID(), Kind: pagoinrete.Fee, School: school, State: pagoinrete.EventSimulated,
		EventData: pagoinrete.EventData{
			Name: "Visita a Firenze", Causale: fmt.Sprintf("Visita %d", p.Made()), SchoolYear: 2026, FinancialYear: 2026,
			Account: "IT60X0542811101000000123456", Amount: 4500,
			Instalments: []pagoinrete.Instalment{{DueDate: now.AddDate(0, 1, 0), Amount: 4500}},
		},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: "l.bianchi",
	}
}

// newNotice returns a notice with what every one has.
func (p *probe) newNotice(of pagoinrete.Event) pagoinrete.Notice {
	now := p.Now()
	return pagoinrete.Notice{
		ID: p.ID(), EventID: of.ID, School: of.School, State: pagoinrete.NoticeNotLinked, Instalment: 1,
		NoticeData: pagoinrete.NoticeData{
			Debtor: p.FiscalCode(), DebtorKind: pagoinrete.DebtorPupil, Amount: 4500, DueDate: now.AddDate(0, 1, 0),
			Reference: fmt.Sprint("riga ", p.Made()),
		},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: "l.bianchi",
	}
}

// fullEvent returns an event that is new, and of which no other field is zero.
func (p *probe) fullEvent() pagoinrete.Event {
	var e pagoinrete.Event
	p.Fill(&e, true)
	e.Kind, e.State, e.Discrepancy.Kind = pagoinrete.Donation, pagoinrete.EventRejected, pagoinrete.DiscrepancyState
	e.Version, e.Counts = 0, pagoinrete.NoticeCounts{}
	return e
}

// fullNotice returns a notice that is new, and of which no other field is zero.
func (p *probe) fullNotice(of pagoinrete.Event) pagoinrete.Notice {
	var n pagoinrete.Notice
	p.Fill(&n, true)
	n.EventID, n.School = of.ID, of.School
	n.State, n.DebtorKind, n.Discrepancy.Kind, n.Version = pagoinrete.NoticePaidOnline, pagoinrete.DebtorStaff, pagoinrete.DiscrepancyAmount, 0
	return n
}

// changedEvent returns an event of which everything is changed that may be.
func (p *probe) changedEvent(e pagoinrete.Event) pagoinrete.Event {
	var changed pagoinrete.Event
	p.Fill(&changed, false)
	changed.ID, changed.School, changed.CreatedAt, changed.Version = e.ID, e.School, e.CreatedAt, e.Version
	changed.Kind, changed.State, changed.Discrepancy.Kind = pagoinrete.Fee, pagoinrete.EventNotified, pagoinrete.DiscrepancyMissing
	changed.Counts = pagoinrete.NoticeCounts{}
	return changed
}

// bareEvent returns an event of which everything is zero that may be.
func (p *probe) bareEvent(e pagoinrete.Event) pagoinrete.Event {
	bare := p.newEvent()
	bare.ID, bare.School, bare.CreatedAt, bare.Version = e.ID, e.School, e.CreatedAt, e.Version
	bare.EventData = pagoinrete.EventData{}
	return bare
}

// changedNotice returns a notice of which everything is changed that may be.
func (p *probe) changedNotice(n pagoinrete.Notice) pagoinrete.Notice {
	var changed pagoinrete.Notice
	p.Fill(&changed, false)
	changed.ID, changed.EventID, changed.School, changed.CreatedAt, changed.Version = n.ID, n.EventID, n.School, n.CreatedAt, n.Version
	changed.State, changed.DebtorKind, changed.Discrepancy.Kind = pagoinrete.NoticeCancelled, pagoinrete.DebtorPupil, pagoinrete.DiscrepancyPaidTwice
	return changed
}

// bareNotice returns a notice of which everything is zero that may be.
func (p *probe) bareNotice(n pagoinrete.Notice) pagoinrete.Notice {
	bare := p.newNotice(pagoinrete.Event{ID: n.EventID, School: n.School})
	bare.ID, bare.CreatedAt, bare.Version = n.ID, n.CreatedAt, n.Version
	bare.NoticeData, bare.Instalment = pagoinrete.NoticeData{}, 0
	return bare
}

// eventChange is the storing of an event, with a record. Its instalments are its own.
func eventChange(e pagoinrete.Event) pagoinrete.EventChange {
	e.Instalments = slices.Clone(e.Instalments)
	record := storetest.RecordOf(e, pagoinrete.EventEdit, pagoinrete.EventSave, pagoinrete.EventBlank)
	return pagoinrete.EventChange{Event: e, Record: record}
}

// noticeChange is the storing of a notice, with a record.
func noticeChange(n pagoinrete.Notice) pagoinrete.NoticeChange {
	record := storetest.RecordOf[pagoinrete.Notice, pagoinrete.NoticeState](
		n, pagoinrete.NoticeEdit, pagoinrete.NoticeCreate, "",
	)
	return pagoinrete.NoticeChange{Notice: n, Record: record}
}

// counted is the counts of notices, as they are defined.
func counted(all ...pagoinrete.Notice) pagoinrete.NoticeCounts {
	var counts pagoinrete.NoticeCounts
	for _, n := range all {
		counts.Add(n, 1)
	}
	return counts
}

// withCounts returns an event with the counts of its notices, and no others.
func withCounts(e pagoinrete.Event, all ...pagoinrete.Notice) pagoinrete.Event {
	e.Counts = pagoinrete.NoticeCounts{}
	for _, n := range all {
		if n.EventID == e.ID {
			e.Counts.Add(n, 1)
		}
	}
	return e
}

// dispute gives a notice a discrepancy that nobody settled.
func (p *probe) dispute(n *pagoinrete.Notice, kind pagoinrete.DiscrepancyKind) {
	p.Fill(&n.Discrepancy, false)
	n.Discrepancy.Kind = kind
}

func ids(all []pagoinrete.Notice) []uuid.UUID {
	return storetest.Map(all, func(n pagoinrete.Notice) uuid.UUID { return n.ID })
}
