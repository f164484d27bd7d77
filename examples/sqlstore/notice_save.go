package sqlstore

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/pagoinrete"
)

// SaveEvent stores an event, and notices with it: see [pagoinrete.Store].
func (s *Store) SaveEvent(ctx context.Context, change pagoinrete.EventChange, notices iter.Seq2[pagoinrete.NoticeChange, error]) error {
	e := &change.Event
	err := s.db.write(ctx, func(t *tx) error {
		err := t.saveOne(ctx, &eventTable, &eventRecordTable, e.ID, e.Version,
			t.eventValues(e, e.Version+1), recordValues(t.database, e.ID, e.Version+1, change.Record))
		if err != nil || notices == nil {
			return err
		}
		w := newNoticeWriting(t)
		if err := grouped(ctx, t, notices, w.save); err != nil {
			return err
		}
		return w.counts.write(ctx, t)
	})
	return failNotice(ctx, "save event", e.ID, err)
}

// SaveNotices stores notices: see [pagoinrete.Store].
func (s *Store) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	ordered := make([]*pagoinrete.NoticeChange, len(changes))
	for i := range changes {
		ordered[i] = &changes[i]
	}
	inOrder(ordered, noticeID) // all of them, so that those who write the same ones never wait for each other
	err := s.db.write(ctx, func(t *tx) error {
		w := newNoticeWriting(t)
		for some := range slices.Chunk(ordered, group) {
			if err := w.save(ctx, some); err != nil {
				return err
			}
		}
		return w.counts.write(ctx, t)
	})
	return failNotice(ctx, "save notices", uuid.Nil, err)
}

func noticeID(change *pagoinrete.NoticeChange) uuid.UUID { return change.Notice.ID }

// noticeWriting is notices that are written in one transaction, group by group.
type noticeWriting struct {
	*tx
	counts  noticeCounts
	changed map[uuid.UUID]struct{} // those of earlier groups that were there before
}

func newNoticeWriting(t *tx) *noticeWriting {
	return &noticeWriting{t, noticeCounts{}, map[uuid.UUID]struct{}{}}
}

// save writes a group.
func (w *noticeWriting) save(ctx context.Context, changes []*pagoinrete.NoticeChange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inOrder(changes, noticeID)
	var created, changed, records [][]any
	var ids []uuid.UUID
	var next []*pagoinrete.Notice
	for i, change := range changes {
		n := &change.Notice
		if _, twice := w.changed[n.ID]; twice || i > 0 && n.ID == changes[i-1].Notice.ID {
			return errConflict
		}
		row := w.noticeValues(n, n.Version+1)
		if n.Version == 0 {
			created = append(created, row)
			w.counts.add(n.EventID, n, 1)
		} else {
			w.changed[n.ID] = struct{}{}
			changed, ids, next = append(changed, row), append(ids, n.ID), append(next, n)
		}
		records = append(records, recordValues(w.database, n.ID, n.Version+1, change.Record))
	}
	inserted, err := w.insert(ctx, w.tx, &noticeTable, created)
	if err != nil {
		return err
	}
	if inserted < int64(len(created)) {
		return errConflict
	}
	if err := w.replace(ctx, ids, next, changed); err != nil {
		return err
	}
	_, err = w.insert(ctx, w.tx, &noticeRecordTable, records)
	return err
}

// replace writes the next versions of what is there.
func (w *noticeWriting) replace(ctx context.Context, ids []uuid.UUID, next []*pagoinrete.Notice, rows [][]any) error {
	if len(ids) == 0 {
		return nil
	}
	kindAt := noticeTable.columns.at("kind")
	changed := map[int]*changes{} // by the first column that changes, as of notifications
	var was pagoinrete.Notice
	var kind string
	found, conflict := 0, false
	err := w.lock(ctx, w.tx, &noticeTable, noticeColumns.read().list("")+", kind", ids, append(noticeFields(&was), &kind), func(key any, fresh bool) {
		n, row := next[found], rows[found]
		found++
		if was.ID != n.ID || was.Version != n.Version || fresh {
			conflict = true
			return
		}
		w.counts.add(was.EventID, &was, -1)
		w.counts.add(was.EventID, n, 1)
		from := noticeTable.fixed
		if asksTheSame(&was, n) {
			from = kindAt
			if kind == row[kindAt] {
				from++
			}
		}
		if changed[from] == nil {
			changed[from] = &changes{}
		}
		c := changed[from]
		c.keys, c.rows = append(c.keys, key), append(c.rows, row)
	})
	if err != nil {
		return err
	}
	if conflict || found < len(ids) {
		return errConflict
	}
	for from, c := range changed {
		if err := w.update(ctx, w.tx, &noticeTable, from, c.keys, c.rows); err != nil {
			return err
		}
	}
	return nil
}

// noticeCounts is what changes in the counts of events.
type noticeCounts map[uuid.UUID]pagoinrete.NoticeCounts

// add counts a notice in, or out with -1.
func (c noticeCounts) add(of uuid.UUID, n *pagoinrete.Notice, by int) {
	changed := c[of]
	changed.Add(*n, by)
	c[of] = changed
}

// write writes what changes.
func (c noticeCounts) write(ctx context.Context, t *tx) error {
	changes := map[uuid.UUID][]any{}
	for id, n := range c {
		if n != (pagoinrete.NoticeCounts{}) {
			changes[id] = []any{n.NotLinked, n.Unpaid, n.Paid, n.Cancelled, n.Refunded, n.Discrepancies}
		}
	}
	return t.count(ctx, "event", []string{"not_linked", "unpaid", "paid", "cancelled", "refunded", "discrepancies"}, changes)
}
