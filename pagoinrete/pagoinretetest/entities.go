package pagoinretetest

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

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

// newNotices returns some, each younger than the one before.
func (p *probe) newNotices(of pagoinrete.Event, count int) []pagoinrete.Notice {
	all := make([]pagoinrete.Notice, count)
	for i := range all {
		all[i] = p.newNotice(of)
	}
	return all
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

// eventChange is the storing of an event, with a record. Its instalments are its own.
func eventChange(e pagoinrete.Event) pagoinrete.EventChange {
	record := pagoinrete.EventRecord{At: e.UpdatedAt, By: e.UpdatedBy, Action: pagoinrete.EventEdit, From: e.State, To: e.State}
	if e.Version == 0 {
		record.Action, record.From = pagoinrete.EventSave, pagoinrete.EventBlank
	}
	e.Instalments = slices.Clone(e.Instalments)
	return pagoinrete.EventChange{Event: e, Record: record}
}

// noticeChange is the storing of a notice, with a record.
func noticeChange(n pagoinrete.Notice) pagoinrete.NoticeChange {
	record := pagoinrete.NoticeRecord{At: n.UpdatedAt, By: n.UpdatedBy, Action: pagoinrete.NoticeEdit, From: n.State, To: n.State}
	if n.Version == 0 {
		record.Action, record.From = pagoinrete.NoticeCreate, ""
	}
	return pagoinrete.NoticeChange{Notice: n, Record: record}
}

func noticeChanges(all ...pagoinrete.Notice) []pagoinrete.NoticeChange {
	changes := make([]pagoinrete.NoticeChange, len(all))
	for i, n := range all {
		changes[i] = noticeChange(n)
	}
	return changes
}

// counted is the counts of notices, as they are defined.
func counted(all ...pagoinrete.Notice) pagoinrete.NoticeCounts {
	var counts pagoinrete.NoticeCounts
	for _, n := range all {
		counts.Add(n, 1)
	}
	return counts
}

// dispute gives a notice a discrepancy that nobody settled.
func (p *probe) dispute(n *pagoinrete.Notice, kind pagoinrete.DiscrepancyKind) {
	p.Fill(&n.Discrepancy, false)
	n.Discrepancy.Kind = kind
}

func ids(notices []pagoinrete.Notice) []uuid.UUID {
	ids := make([]uuid.UUID, len(notices))
	for i, n := range notices {
		ids[i] = n.ID
	}
	return ids
}
