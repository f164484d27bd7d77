package pagoinretetest

import (
	"reflect"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

var noticeRules = []rule{
	{"a notice is read as it was stored", noticesAreKept},
	{"each proof of a payment is kept for itself", proofsAreKept},
	{"a notice that is not there is not found", missingNoticesAreNotFound},
}

func noticesAreKept(p *probe) {
	e := p.saveEvent(p.newEvent())
	for _, with := range []string{"stored by SaveNotices", "stored by SaveEvent"} {
		store := func(n pagoinrete.Notice) pagoinrete.Notice {
			if with == "stored by SaveNotices" {
				return p.save(n)
			}
			e = p.saveEvent(e, n)
			n.Version++
			return n
		}
		other := store(p.fullNotice(e))
		full := store(p.fullNotice(e))
		p.readsNotice("with all fields, "+with, full)

		changed := pagoinrete.Notice{}
		p.Fill(&changed, false)
		changed.ID, changed.EventID, changed.School, changed.CreatedAt, changed.Version = full.ID, full.EventID, full.School, full.CreatedAt, full.Version
		changed.State, changed.DebtorKind, changed.Discrepancy.Kind = pagoinrete.NoticeCancelled, pagoinrete.DebtorPupil, pagoinrete.DiscrepancyPaidTwice
		changed = store(changed)
		p.readsNotice("with all fields changed, "+with, changed)

		bare := p.newNotice(e)
		bare.ID, bare.CreatedAt, bare.Version = full.ID, full.CreatedAt, changed.Version
		bare.NoticeData, bare.Instalment = pagoinrete.NoticeData{}, 0
		p.readsNotice("with as little as may be, "+with, store(bare))
		p.readsNotice("that nobody changed, "+with, other)
	}
}

// readsNotice checks that a notice is read as it should be, in every way.
func (p *probe) readsNotice(what string, want pagoinrete.Notice) {
	p.Equal("Notice "+what, p.notice(want.ID), want)
	listed := p.notices(pagoinrete.NoticeFilter{IDs: []uuid.UUID{want.ID}}, pagoinrete.Page{Limit: 2})
	if len(listed) != 1 {
		p.Fail("Notices gives %d with the ID of the one %s, not 1", len(listed), what)
		return
	}
	p.Equal("Notices, the one "+what, listed[0], want)
}

// proofsAreKept stores each proof without the others, and takes each away again.
func proofsAreKept(p *probe) {
	e := p.saveEvent(p.newEvent())
	n := p.save(p.newNotice(e))
	var full pagoinrete.Evidence
	p.Fill(&full, true)
	kinds := reflect.TypeFor[pagoinrete.Evidence]()
	for i := range kinds.NumField() {
		n.Evidence = pagoinrete.Evidence{}
		reflect.ValueOf(&n.Evidence).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
		n = p.save(n)
		p.readsNotice("with no proof but "+kinds.Field(i).Name, n)

		n.Evidence = full
		reflect.ValueOf(&n.Evidence).Elem().Field(i).SetZero()
		n = p.save(n)
		p.readsNotice("with all proofs but "+kinds.Field(i).Name, n)
	}
}

func missingNoticesAreNotFound(p *probe) {
	e := p.saveEvent(p.newEvent())
	for _, stored := range []bool{false, true} {
		if stored {
			p.saveAll(p.newNotice(e))
		}
		for _, id := range []uuid.UUID{p.ID(), uuid.Nil, e.ID} {
			_, err := p.store.Notice(p.Ctx, id)
			p.Wants(flussi.ErrNotFound, err, "Notice of an ID that no notice was stored with")
		}
	}
	if listed := p.notices(pagoinrete.NoticeFilter{IDs: []uuid.UUID{p.ID()}}, pagoinrete.Page{Limit: 1}); len(listed) != 0 {
		p.Fail("Notices gives %d with an ID that was never stored", len(listed))
	}
}
