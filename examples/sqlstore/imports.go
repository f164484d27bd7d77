package sqlstore

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// errImported rolls back an import whose key is stored already.
var errImported = errors.New("imported before")

// SaveImport stores the rows of a file once: see [flow.Store].
func (s *Store) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	done := flow.ImportResult{Flow: i.Flow.Flow.ID, At: i.Flow.Record.At.UTC()}
	var before flow.ImportResult
	err := s.db.write(ctx, func(t *tx) error {
		err := t.checkDigests(ctx)
		if err == nil {
			err = t.saveFlow(ctx, &i.Flow)
		}
		if err != nil {
			return err
		}
		w := newWriting(t)
		if err := grouped(ctx, t, i.Rows, func(ctx context.Context, rows []*flow.NotificationChange) error {
			return w.saveRows(ctx, rows, i.OnDuplicate)
		}); err != nil {
			return err
		}
		if err := w.finish(ctx); err != nil {
			return err
		}
		done.Key = i.Key()
		before, err = t.saveKey(ctx, done)
		return err
	})
	if errors.Is(err, errImported) {
		return before, true, nil
	}
	if err != nil {
		return flow.ImportResult{}, false, fail(ctx, "import", i.Flow.Flow.ID, err)
	}
	return done, false, nil
}

// saveRows writes a group of rows. For each row whose message the service already has, it writes
// what duplicate returns.
func (w *writing) saveRows(ctx context.Context, rows []*flow.NotificationChange, duplicate func(flow.NotificationChange, flow.Notification) (flow.NotificationChange, bool)) error {
	messages := make([]message, len(rows))
	for i, row := range rows {
		messages[i] = messageOf(&row.Notification)
	}
	earlier := map[message]flow.Notification{}
	if err := w.holders(ctx, messages, "", func(m message, h *holder) {
		arrived := h.MayHaveArrived()
		if !arrived && !h.IsPending(h.flowDisabled) || h.fresh {
			return
		}
		if known, there := earlier[m]; !there || arrived && !known.MayHaveArrived() {
			earlier[m] = h.Notification
		}
	}); err != nil {
		return err
	}
	kept := rows[:0]
	for i, row := range rows {
		if n, there := earlier[messages[i]]; there {
			change, store := duplicate(*row, n)
			if !store {
				continue
			}
			row = &change
		}
		kept = append(kept, row)
	}
	return w.save(ctx, kept)
}

// saveKey stores an import. If one with the same key counts, saveKey returns it with errImported.
func (t *tx) saveKey(ctx context.Context, i flow.ImportResult) (flow.ImportResult, error) {
	kept, err := t.exec(ctx, "INSERT INTO imports (key, flow_id, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING", i.Key[:], t.id(i.Flow), i.At.UnixMicro())
	if err != nil || kept == 1 {
		return flow.ImportResult{}, err
	}
	// Locked first: read in one statement with the key, the flow may be that of an earlier moment.
	err = t.query(ctx, "SELECT at FROM imports WHERE key = ?"+t.locking("UPDATE"), []any{i.Key[:]}, []any{new(int64)}, func() {})
	if err != nil {
		return flow.ImportResult{}, err
	}
	before, counts, err := t.imported(ctx, i.Key)
	switch {
	case err != nil:
		return flow.ImportResult{}, err
	case counts:
		return before, errImported
	}
	_, err = t.exec(ctx, "UPDATE imports SET flow_id = ?, at = ? WHERE key = ?", t.id(i.Flow), i.At.UnixMicro(), i.Key[:])
	return flow.ImportResult{}, err
}

// imported reads an import, and reports whether it counts: whether its flow exists, and was not
// disabled before it was sent.
func (t *tx) imported(ctx context.Context, key flow.ImportKey) (flow.ImportResult, bool, error) {
	done := flow.ImportResult{Key: key}
	var f flow.Flow
	there := false
	err := t.query(ctx, "SELECT i.flow_id, i.at, coalesce(f.state, ''), coalesce(f.disabled, FALSE) FROM imports i LEFT JOIN flows f ON f.id = i.flow_id WHERE i.key = ?",
		[]any{key[:]}, []any{&done.Flow, moment{&done.At}, wordTo(&f.State), &f.Disabled}, func() { there = true })
	counts := there && f.State != "" && !(f.Disabled && (f.State == flow.FlowInactive || f.State == flow.FlowActive))
	return done, counts, err
}

// ImportResult returns the import with a key: see [flow.Store].
func (s *Store) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	done, counts, err := s.db.read().imported(ctx, key)
	if err == nil && !counts {
		err = errNotFound
	}
	if err != nil {
		return flow.ImportResult{}, fail(ctx, "find import", uuid.Nil, err)
	}
	return done, nil
}
