package sqlstore

import (
	"context"

	"github.com/flussi-go/flussi/flow"
)

// digested returns the value of the column message_digest: NULL for the zero Digest.
func digested(d flow.Digest) any {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// redigestBatch is how many digests one query of redigest recomputes.
const redigestBatch = 1000

// redigestAll recomputes the digests of all notifications that a process of an earlier release
// wrote, in several transactions, so that other writers do not wait long. If the process is
// killed, the next one continues.
func (d *database) redigestAll(ctx context.Context) error {
	more := false
	t := d.read()
	err := t.query(ctx, "SELECT 1 FROM notifications"+t.using("notifications_to_digest")+" WHERE digest IS NOT NULL LIMIT 1", nil, []any{new(int)}, func() { more = true })
	if err != nil {
		return err
	}
	for more {
		err := d.write(ctx, func(t *tx) (err error) {
			more, err = t.redigestSome(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// redigest recomputes the digests that a process of an earlier release wrote after the store was
// opened.
func (t *tx) redigest(ctx context.Context) error {
	for {
		if more, err := t.redigestSome(ctx); err != nil || !more {
			return err
		}
	}
}

// redigestSome recomputes one batch of digests, and reports whether more may remain. It skips rows
// that another transaction has locked: that one is about to write them, or recomputes them, too.
func (t *tx) redigestSome(ctx context.Context) (bool, error) {
	var n flow.Notification
	var key any
	var keys []any
	var digests []flow.Digest
	err := t.query(ctx, "SELECT "+notificationColumns.read().list("")+", "+t.key()+" FROM notifications"+t.using("notifications_to_digest")+
		" WHERE digest IS NOT NULL LIMIT ?"+t.locking("UPDATE SKIP LOCKED"), []any{redigestBatch}, append(notificationFields(&n), &key), func() {
		keys, digests = append(keys, key), append(digests, n.Digest())
	})
	if err != nil || len(keys) == 0 {
		return false, err
	}
	for i, key := range keys {
		if _, err := t.exec(ctx, "UPDATE notifications SET digest = NULL, message_digest = "+t.typed(column{"message_digest", "bytea"})+" WHERE "+t.key()+" = ?", digested(digests[i]), key); err != nil {
			return false, err
		}
	}
	return len(keys) == redigestBatch, nil
}
