package engine

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/pagoinrete"
)

// SaveEvent implements [pagoinrete.Store].
func (s *Store) SaveEvent(ctx context.Context, c pagoinrete.EventChange, rows iter.Seq2[pagoinrete.NoticeChange, error]) error {
	store := func(t *tx) error {
		event, eventWriter := newChange(&events, c.Event, c.Record), newWriter(t, &events)
		if rows == nil {
			return eventWriter.save(ctx, []change[pagoinrete.Event]{event})
		}
		w := newNoticeWriter(t)
		isNew := func(c pagoinrete.NoticeChange) bool { return c.Notice.Version == 0 }
		if err := saveWithRows(ctx, eventWriter, event, rows, isNew, w.saveGroup); err != nil {
			return err
		}
		return w.writeCounts(ctx)
	}
	var err error
	if rows == nil {
		err = s.write(ctx, store)
	} else {
		err = s.writeOnce(ctx, Stream, store)
	}
	return s.fail(ctx, "save event", c.Event.ID, err)
}

// SaveNotices implements [pagoinrete.Store].
func (s *Store) SaveNotices(ctx context.Context, changes ...pagoinrete.NoticeChange) error {
	err := s.write(ctx, func(t *tx) error {
		w := newNoticeWriter(t)
		if err := w.saveAll(ctx, newNoticeChanges(changes)); err != nil {
			return err
		}
		return w.writeCounts(ctx)
	})
	return s.fail(ctx, "save notices", uuid.Nil, err)
}

// noticeWriter writes notices, and the counts of their events.
type noticeWriter struct {
	*writer[pagoinrete.Notice]
	counts map[uuid.UUID]pagoinrete.NoticeCounts
}

func newNoticeWriter(t *tx) *noticeWriter {
	w := &noticeWriter{writer: newWriter(t, &notices), counts: map[uuid.UUID]pagoinrete.NoticeCounts{}}
	w.before = func(_ context.Context, c *change[pagoinrete.Notice], was *pagoinrete.Notice) error {
		if was != nil {
			w.addCount(was, -1)
		}
		w.addCount(&c.entity, 1)
		return nil
	}
	return w
}

func (w *noticeWriter) addCount(n *pagoinrete.Notice, by int) {
	c := w.counts[n.EventID]
	c.Add(*n, by)
	w.counts[n.EventID] = c
}

func (w *noticeWriter) saveGroup(ctx context.Context, changes []pagoinrete.NoticeChange) error {
	return w.save(ctx, newNoticeChanges(changes))
}

func newNoticeChanges(changes []pagoinrete.NoticeChange) []change[pagoinrete.Notice] {
	converted := make([]change[pagoinrete.Notice], len(changes))
	for i, c := range changes {
		converted[i] = newChange(&notices, c.Notice, c.Record)
	}
	return converted
}

func (w *noticeWriter) writeCounts(ctx context.Context) error {
	changes := map[uuid.UUID][]int64{}
	for id, c := range w.counts {
		changes[id] = int64s(c.NotLinked, c.Unpaid, c.Paid, c.Cancelled, c.Refunded, c.Discrepancies)
	}
	return count(ctx, w.tx, &events, changes)
}
