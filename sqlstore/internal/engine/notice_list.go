package engine

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Events implements [pagoinrete.Store].
func (s *Store) Events(ctx context.Context, filter pagoinrete.EventFilter, p pagoinrete.Page) ([]pagoinrete.Event, error) {
	found, err := page(ctx, s, &events, func(t *tx) *list { return eventList(t, filter, p) })
	return found, s.fail(ctx, "list events", uuid.Nil, err)
}

// Notices implements [pagoinrete.Store].
func (s *Store) Notices(ctx context.Context, filter pagoinrete.NoticeFilter, p pagoinrete.Page) ([]pagoinrete.Notice, error) {
	found, err := page(ctx, s, &notices, func(t *tx) *list { return noticeList(t, filter, p) })
	return found, s.fail(ctx, "list notices", uuid.Nil, err)
}

// everySchool is the condition of the indexes events_listed and notices_listed.
const everySchool = "length(school) >= 0"

func eventList(t *tx, q pagoinrete.EventFilter, p pagoinrete.Page) *list {
	l := &list{table: events.table, page: p, text: q.Text, allOwners: everySchool}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	l.whereOwner(t, Column{Name: "school", Type: "text"}, distinct(q.Schools))
	whereStates(l, q.States)
	l.whereCreated(q.From, q.To)
	l.whereDiscrepancy(q.Discrepancy)
	if q.Kind != "" {
		l.where("kind = ?", encode(q.Kind))
	}
	if q.SchoolYear != 0 {
		l.where("school_year = ?", int64(q.SchoolYear))
	}
	return l
}

func noticeList(t *tx, q pagoinrete.NoticeFilter, p pagoinrete.Page) *list {
	l := &list{table: notices.table, page: p, allOwners: everySchool}
	whereSelective(l, t, Column{Name: "id", Type: "uuid"}, q.IDs, func(id uuid.UUID) any { return id })
	whereSelective(l, t, Column{Name: "iuv", Type: "text"}, q.IUVs, func(v flussi.IUV) any { return v.Reveal() })
	l.whereText(t, "debtor", q.Debtor.Reveal())
	l.whereText(t, "payer", q.Payer.Reveal())
	l.whereLabel(t, "reference", q.Reference)
	if q.Event != uuid.Nil {
		l.whereOwner(t, Column{Name: "event_id", Type: "uuid"}, []any{q.Event})
	}
	l.whereOwner(t, Column{Name: "school", Type: "text"}, distinct(q.Schools))
	whereStates(l, q.States)
	l.whereCreated(q.From, q.To)
	l.whereDiscrepancy(q.Discrepancy)
	if !q.DueBefore.IsZero() {
		l.where("due_date < ?", ceiling(q.DueBefore))
	}
	if q.Visible {
		l.where("visible")
	}
	return l
}

// whereDiscrepancy adds the condition that a discrepancy is not resolved, if it is wanted.
func (l *list) whereDiscrepancy(wanted bool) {
	if wanted {
		l.where("discrepancy_kind <> '' AND NOT discrepancy_resolved")
	}
}
