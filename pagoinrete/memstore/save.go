package memstore

import (
	"context"
	"iter"
	"slices"

	"github.com/flussi-go/flussi/internal/memtable"
	"github.com/flussi-go/flussi/pagoinrete"
)

// SaveEvent stores an event, and notices with it: see [pagoinrete.Store]. While it pulls
// the notices, of which it keeps all in memory, the store can be used; if the event is
// changed by then, the error is a [flussi.ErrConflict].
func (s *Store) SaveEvent(
	ctx context.Context, change pagoinrete.EventChange,
	notices iter.Seq2[pagoinrete.NoticeChange, error],
) error {
	op := memtable.Operation{Name: "save event", ID: change.Event.ID}
	event := s.events.Write(newEventRow(change))
	if err := s.db.Check(ctx, op, event); err != nil {
		return err
	}
	rows, err := memtable.Pull(ctx, op, notices, newNoticeRow)
	if err != nil {
		return err
	}
	return s.db.Save(ctx, op, event, s.notices.Write(rows...))
}

// SaveNotices stores notices: see [pagoinrete.Store].
func (s *Store) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	rows := memtable.Rows(changes, newNoticeRow)
	return s.db.Save(ctx, memtable.Operation{Name: "save notices"}, s.notices.Write(rows...))
}

// newEventRow returns the row of a change. It copies the instalments, which the caller may
// change. Counts are not stored: completeEvent sets them.
func newEventRow(change pagoinrete.EventChange) *eventRow {
	row := &eventRow{Entity: change.Event, History: []pagoinrete.EventRecord{change.Record}}
	e := &row.Entity
	e.Instalments = slices.Clone(e.Instalments)
	for i := range e.Instalments {
		memtable.CutTimes(&e.Instalments[i].DueDate)
	}
	memtable.CutTimes(&e.Discrepancy.At, &e.CreatedAt, &e.UpdatedAt, &row.History[0].At)
	return row
}

// newNoticeRow returns the row of a change.
func newNoticeRow(change pagoinrete.NoticeChange) *noticeRow {
	row := &noticeRow{Entity: change.Notice, History: []pagoinrete.NoticeRecord{change.Record}}
	n := &row.Entity
	memtable.CutTimes(&n.DueDate, &n.Evidence.Receipt.Date, &n.Evidence.Settlement.Date,
		&n.Evidence.Movement.Date, &n.Evidence.Manual.Date, &n.Evidence.Refund.Date,
		&n.Discrepancy.At, &n.CreatedAt, &n.UpdatedAt, &row.History[0].At)
	return row
}
