package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Older is a database that a process of an earlier release has open.
type Older struct{ db *database }

// OpenOlder creates a database with an earlier version of the schema, or opens an existing one.
func OpenOlder(ctx context.Context, location string, version int) (Older, error) {
	s := &Store{}
	var err error
	if strings.HasPrefix(location, "postgres") {
		s.db, err = openPostgres(location, Config{MaxConns: 4})
	} else {
		s.db, err = openSQLite(location, Config{MaxConns: 4, BusyTimeout: time.Minute})
	}
	if err != nil {
		return Older{}, err
	}
	files, err := fs.Glob(migrations, path.Join("migrations", s.db.folder(), "[0-9]*.sql"))
	if err != nil {
		return Older{}, err
	}
	there, err := schemaVersion(ctx, s.db.read())
	if err != nil || there > 0 {
		return Older{s.db}, err
	}
	return Older{s.db}, s.db.migrateBy(ctx, files[:version])
}

// Migrate brings the tables to the present version, and leaves the digests.
func (o Older) Migrate(ctx context.Context) error { return o.db.migrate(ctx) }

// Close closes the database.
func (o Older) Close() error { return (&Store{db: o.db}).Close() }

// later are the columns that version 2 of the schema does not have.
var later = []string{"occasion", "message_digest", "earlier", "allow_repeat", "claimed_version"}

// Write inserts a notification, or replaces it, by the statements of version 2.
func (o Older) Write(ctx context.Context, n flow.Notification, lease time.Duration) error {
	return o.db.write(ctx, func(t *tx) error { return o.insert(ctx, t, n, lease) })
}

func (o Older) insert(ctx context.Context, t *tx, n flow.Notification, lease time.Duration) error {
	var leaseEnd any
	if n.State == flow.NotificationSending {
		leaseEnd = time.Now().Add(lease).UnixMicro()
	}
	all := o.db.notificationValues(&n, n.Version, leaseEnd)
	var names []string
	var values []any
	for i, c := range notificationColumns {
		if !slices.Contains(later, c.name) {
			names, values = append(names, c.name), append(values, all[i])
		}
	}
	names, values = append(names, "digest"), append(values, olderDigest(n.Draft))
	done, err := t.exec(ctx, "UPDATE notifications SET ("+strings.Join(names, ", ")+") = (?"+strings.Repeat(", ?", len(names)-1)+") WHERE id = ?", append(values, t.id(n.ID))...)
	if err != nil || done > 0 {
		return err
	}
	if _, err := t.exec(ctx, "INSERT INTO notifications ("+strings.Join(names, ", ")+") VALUES (?"+strings.Repeat(", ?", len(names)-1)+")", values...); err != nil {
		return err
	}
	counts := counts{}
	counts.add(n.FlowID, n, 1)
	return counts.write(ctx, t)
}

// WriteAll inserts notifications in one transaction.
func (o Older) WriteAll(ctx context.Context, all []flow.Notification) error {
	return o.db.write(ctx, func(t *tx) error {
		for _, n := range all {
			if err := o.insert(ctx, t, n, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// WriteFlow inserts a flow.
func (o Older) WriteFlow(ctx context.Context, f flow.Flow) error {
	return o.db.write(ctx, func(t *tx) error {
		_, err := t.insert(ctx, t, &flowTable, [][]any{t.flowValues(&f, 1)})
		return err
	})
}

// Claim makes the notifications of a flow In invio by the statements of version 2.
func (o Older) Claim(ctx context.Context, of uuid.UUID) error {
	return o.db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, "UPDATE notifications SET state = 'sending', updated_at = ?, updated_by = ?, version = version + 1, lease_end = ? WHERE flow_id = ? AND state = 'registered'",
			time.Now().UnixMicro(), "older", time.Now().Add(time.Minute).UnixMicro(), t.id(of))
		return err
	})
}

// olderDigest is version 1 of the digest.
func olderDigest(d flow.Draft) any {
	if d.Recipient.IsZero() {
		return nil
	}
	h := sha256.New()
	var size [8]byte
	for _, part := range []string{d.Recipient.Reveal(), d.Subject.Reveal(), d.Content.Reveal(), d.NoticeNumber.Reveal()} {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:16]
}
