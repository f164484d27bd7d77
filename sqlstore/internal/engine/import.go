package engine

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// errImported undoes an import whose key is stored already.
var errImported = errors.New("imported before")

// SaveImport implements [flow.Store].
func (s *Store) SaveImport(ctx context.Context, i flow.ImportRequest) (flow.ImportResult, bool, error) {
	done := flow.ImportResult{Flow: i.Flow.Flow.ID, At: i.Flow.Record.At.UTC()}
	var before flow.ImportResult
	err := s.writeOnce(ctx, Stream, func(t *tx) error {
		if err := t.checkDigests(ctx); err != nil {
			return err
		}
		w := newNotificationWriter(t)
		if err := w.saveFlow(ctx, i.Flow, i.Rows, func(ctx context.Context, rows []flow.NotificationChange) error {
			return w.saveRows(ctx, rows, i.OnDuplicate)
		}); err != nil {
			return err
		}
		if err := w.finish(ctx); err != nil {
			return err
		}
		var err error
		done.Key = i.Key()
		before, err = t.saveKey(ctx, done)
		return err
	})
	if errors.Is(err, errImported) {
		return before, true, nil
	}
	if err != nil {
		return flow.ImportResult{}, false, s.fail(ctx, "import", i.Flow.Flow.ID, err)
	}
	return done, false, nil
}

// saveRows writes a group of rows. If the service has the message of a row already, it writes the
// change that onDuplicate returns instead.
func (w *notificationWriter) saveRows(
	ctx context.Context, rows []flow.NotificationChange,
	onDuplicate func(flow.NotificationChange, flow.Notification) (flow.NotificationChange, bool),
) error {
	messages := make([]Message, len(rows))
	for i := range rows {
		n := &rows[i].Notification
		messages[i] = messageOf(n, n.Digest())
	}
	earlier := map[Message]flow.Notification{}
	if err := w.findMessages(ctx, messages, "", func(m Message, r *messageRow) {
		arrived := r.MayHaveArrived()
		if r.writtenBy == w.id || !arrived && !r.IsPending(r.flowDisabled) {
			return
		}
		if known, there := earlier[m]; !there || arrived && !known.MayHaveArrived() {
			earlier[m] = r.Notification
		}
	}); err != nil {
		return err
	}
	changes := make([]change[flow.Notification], 0, len(rows))
	for i, row := range rows {
		digest := messages[i].Digest
		if n, there := earlier[messages[i]]; there {
			var store bool
			if row, store = onDuplicate(row, n); !store {
				continue
			}
			digest = row.Notification.Digest()
		}
		changes = append(changes, w.newChange(row, digest))
	}
	return w.save(ctx, changes)
}

// saveKey stores the key of an import. If an earlier import with the same key counts, saveKey
// returns it with errImported.
func (t *tx) saveKey(ctx context.Context, i flow.ImportResult) (flow.ImportResult, error) {
	inserted, err := t.exec(ctx, "INSERT INTO flussi.imports (key, flow_id, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
		i.Key[:], i.Flow, i.At.UnixMicro())
	if err != nil || inserted == 1 {
		return flow.ImportResult{}, err
	}
	// The import is locked first and read with its flow by a second statement: a single statement
	// would read the flow as it was before the lock.
	if err := t.query(ctx, "SELECT at FROM flussi.imports WHERE key = ?"+t.driver.ForUpdate(), []any{i.Key[:]},
		[]any{new(int64)}, func() {}); err != nil {
		return flow.ImportResult{}, err
	}
	before, counts, err := t.importWithKey(ctx, i.Key)
	switch {
	case err != nil:
		return flow.ImportResult{}, err
	case counts:
		return before, errImported
	}
	_, err = t.exec(ctx, "UPDATE flussi.imports SET flow_id = ?, at = ? WHERE key = ?", i.Flow, i.At.UnixMicro(), i.Key[:])
	return flow.ImportResult{}, err
}

// importWithKey reads an import, and reports whether it counts. It counts if its flow exists and
// was not disabled before it was sent.
func (t *tx) importWithKey(ctx context.Context, key flow.ImportKey) (flow.ImportResult, bool, error) {
	done := flow.ImportResult{Key: key}
	var f flow.Flow
	there := false
	err := t.query(ctx, "SELECT i.flow_id, i.at, coalesce(f.state, ''), coalesce(f.disabled, FALSE)"+
		" FROM flussi.imports i LEFT JOIN flussi.flows f ON f.id = i.flow_id WHERE i.key = ?",
		[]any{key[:]}, []any{&done.Flow, timeField{&done.At}, stringTo(&f.State), &f.Disabled}, func() { there = true })
	counts := there && f.State != "" && !(f.Disabled && (f.State == flow.FlowInactive || f.State == flow.FlowActive))
	return done, counts, err
}

// ImportResult implements [flow.Store].
func (s *Store) ImportResult(ctx context.Context, key flow.ImportKey) (flow.ImportResult, error) {
	done, counts, err := s.reader().importWithKey(ctx, key)
	if err == nil && !counts {
		err = flussi.ErrNotFound
	}
	if err != nil {
		return flow.ImportResult{}, s.fail(ctx, "find import", uuid.Nil, err)
	}
	return done, nil
}
