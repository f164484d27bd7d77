package sqlstore

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// eventSearch translates a filter.
func eventSearch(t *tx, q pagoinrete.EventFilter, page pagoinrete.Page) *search {
	s := &search{
		table: &eventTable, page: page, realms: q.Schools, from: q.From, to: q.To, text: q.Text,
		kinds: func(k kind) bool { return among(q.States, k.state) && (!q.Discrepancy || k.has(isDiscrepant)) },
	}
	s.oneOf(t, column{"id", "uuid"}, values(q.IDs, t.id))
	s.states(t, words(q.States))
	s.discrepancy(q.Discrepancy)
	if q.Kind != "" {
		s.where.add("event_kind = ?", held(string(q.Kind)))
	}
	if q.SchoolYear != 0 {
		s.where.add("school_year = ?", int64(q.SchoolYear))
	}
	return s
}

// noticeSearch translates a filter.
func noticeSearch(t *tx, q pagoinrete.NoticeFilter, page pagoinrete.Page) *search {
	s := &search{
		table: &noticeTable, page: page, realms: q.Schools, from: q.From, to: q.To, dueBefore: q.DueBefore,
		kinds: func(k kind) bool {
			return among(q.States, k.state) && (!q.Visible || k.has(isVisible)) && (!q.Discrepancy || k.has(isDiscrepant))
		},
	}
	if q.Event != uuid.Nil {
		s.parent = &q.Event
	}
	s.oneOf(t, column{"id", "uuid"}, values(q.IDs, t.id))
	s.oneOf(t, column{"iuv", "text"}, values(q.IUVs, func(v flussi.IUV) any { return v.Reveal() }))
	if len(q.IUVs) > 0 {
		s.few[len(s.few)-1].text += " AND iuv <> ''" // as the index has it
	}
	s.is("debtor", q.Debtor.Reveal(), "notices_by_debtor")
	s.is("payer", q.Payer.Reveal(), "notices_by_payer")
	s.is("reference", q.Reference, "notices_by_reference")
	s.states(t, words(q.States))
	s.discrepancy(q.Discrepancy)
	if q.Visible {
		s.where.add("visible")
	}
	return s
}

// states adds the condition that the state is one of some, if there are any.
func (s *search) states(t *tx, states []any) {
	if len(states) > 0 {
		s.where = append(s.where, t.oneOf(column{"state", "text"}, states))
	}
}

// discrepancy adds the condition that there is a discrepancy that nobody settled, if that is wanted.
func (s *search) discrepancy(wanted bool) {
	if wanted {
		s.where.add("discrepancy_kind <> '' AND NOT discrepancy_settled")
	}
}
