package sqlstore

import (
	"context"

	"github.com/flussi-go/flussi/flow"
)

// digested returns a digest as the column message_digest has it.
func digested(d flow.Digest) any {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// digestedAtOnce is how many digests are made anew in a transaction.
const digestedAtOnce = 1000

// digestAll makes the digests anew of all notifications that a process of an earlier release wrote,
// some in each transaction, so that nothing else waits long; a process that is killed meanwhile
// leaves the rest to the next one.
func (d *database) digestAll(ctx context.Context) error {
	more := false
	t := d.read()
	err := t.query(ctx, "SELECT 1 FROM notifications"+t.using("notifications_to_digest")+" WHERE digest IS NOT NULL LIMIT 1", nil, []any{new(int)}, func() { more = true })
	if err != nil {
		return err
	}
	for more {
		err := d.write(ctx, func(t *tx) (err error) {
			more, err = t.digestSome(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// digestAnew makes the digests anew that a process of an earlier release has written since the store
// was opened.
func (t *tx) digestAnew(ctx context.Context) error {
	for {
		if more, err := t.digestSome(ctx); err != nil || !more {
			return err
		}
	}
}

// digestSome makes some digests anew, and reports whether there may be more to make. Rows that
// another transaction has locked are left: it is about to write them, or does the same.
func (t *tx) digestSome(ctx context.Context) (bool, error) {
	var n flow.Notification
	var key any
	var keys []any
	var digests []flow.Digest
	err := t.query(ctx, "SELECT "+notificationColumns.read().list("")+", "+t.key()+" FROM notifications"+t.using("notifications_to_digest")+
		" WHERE digest IS NOT NULL LIMIT ?"+t.locking("UPDATE SKIP LOCKED"), []any{digestedAtOnce}, append(notificationFields(&n), &key), func() {
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
	return len(keys) == digestedAtOnce, nil
}
