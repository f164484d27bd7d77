package sqlstore

import (
	"context"
	"errors"
	"fmt"

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

// errUndigested rolls back a transaction that would miss messages, because a process of an earlier
// release wrote notifications whose digests are still to be recomputed. It is a conflict: after
// redigestAll, the transaction can be made again.
var errUndigested = fmt.Errorf("%w: digests are to be recomputed", errConflict)

// redigestAll recomputes the digests of all notifications that a process of an earlier release
// wrote, in several transactions, so that other writers do not wait long. It waits for others that
// do the same, so once it returns, all are done. If the process is killed, the next one continues.
func (d *database) redigestAll(ctx context.Context) error {
	for {
		err := d.read().checkDigests(ctx)
		if !errors.Is(err, errUndigested) {
			return err
		}
		if err := d.write(ctx, func(t *tx) error { return t.redigest(ctx) }); err != nil {
			return err
		}
	}
}

// checkDigests returns errUndigested if digests are to be recomputed.
func (t *tx) checkDigests(ctx context.Context) error {
	more := false
	err := t.query(ctx, "SELECT 1 FROM notifications"+t.using("notifications_to_digest")+" WHERE digest IS NOT NULL LIMIT 1", nil, []any{new(int)}, func() { more = true })
	if err == nil && more {
		err = errUndigested
	}
	return err
}

// redigest recomputes one batch of digests. It locks the rows in one order.
func (t *tx) redigest(ctx context.Context) error {
	var n flow.Notification
	var key any
	var keys []any
	var digests []flow.Digest
	err := t.query(ctx, "SELECT "+notificationColumns.read().list("")+", "+t.key()+" FROM notifications"+t.using("notifications_to_digest")+
		" WHERE digest IS NOT NULL ORDER BY "+t.key()+" LIMIT ?"+t.locking("UPDATE"), []any{redigestBatch}, append(notificationFields(&n), &key), func() {
		keys, digests = append(keys, key), append(digests, n.Digest())
	})
	if err != nil {
		return err
	}
	for i, key := range keys {
		if _, err := t.exec(ctx, "UPDATE notifications SET digest = NULL, message_digest = "+t.typed(column{"message_digest", "bytea"})+" WHERE "+t.key()+" = ?", digested(digests[i]), key); err != nil {
			return err
		}
	}
	return nil
}
