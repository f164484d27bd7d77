package engine

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// redigestBatch is how many digests one transaction recomputes.
const redigestBatch = 1000

// oldDigest is the condition that a row has a digest of an earlier version: the condition of the index
// notifications_old_digest. A migration has to replace the index when [flow.DigestVersion] changes.
const oldDigest = "digest_version < 2"

// errOldDigests is the error of a write while digests of another [flow.DigestVersion] are stored:
// it would not find their messages. See [RecomputeDigests].
var errOldDigests = &Fault{Err: ErrNotMigrated, Detail: "digests of an earlier version are stored"}

// RecomputeDigests recomputes the digests of another [flow.DigestVersion]. It uses several
// transactions, so that other writers do not wait long. If the process is killed, the next call
// continues.
func RecomputeDigests(ctx context.Context, s *Store) error {
	for {
		err := s.reader().checkDigests(ctx)
		if !errors.Is(err, ErrNotMigrated) {
			return s.fail(ctx, "read digests", uuid.Nil, err)
		}
		if err := s.write(ctx, func(t *tx) error { return t.recomputeDigests(ctx) }); err != nil {
			return s.fail(ctx, "recompute digests", uuid.Nil, err)
		}
	}
}

// checkDigests returns errOldDigests if digests are to be recomputed. Each claim calls it. Without
// its ORDER BY, PostgreSQL reads the whole table as long as it has no statistics.
func (t *tx) checkDigests(ctx context.Context) error {
	old := false
	err := t.query(ctx, "SELECT digest_version FROM flussi.notifications WHERE "+oldDigest+" ORDER BY digest_version LIMIT 1", nil, []any{new(int64)}, func() { old = true })
	if err == nil && old {
		return errOldDigests
	}
	return err
}

// recomputeDigests recomputes one batch.
func (t *tx) recomputeDigests(ctx context.Context) error {
	var n flow.Notification
	var ids []uuid.UUID
	var rows [][]any
	err := t.query(ctx, "SELECT "+readList(notifications.columns, "")+" FROM flussi.notifications WHERE "+oldDigest+" ORDER BY digest_version, id LIMIT ?"+
		t.driver.ForUpdate(), []any{int64(redigestBatch)}, notifications.fields(&n), func() {
		row := notifications.values(&n, n.Version)
		setDigest(row, n.Digest())
		ids, rows = append(ids, n.ID), append(rows, row[digestAt:digestAt+2])
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return t.driver.Update(ctx, t.full, "notifications", notifications.columns[digestAt:digestAt+2], ids, rows)
}
