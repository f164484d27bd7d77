package engine

import (
	"context"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// SaveFlow implements [flow.Store].
func (s *Store) SaveFlow(ctx context.Context, c flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error]) error {
	store := func(t *tx) error {
		w := newNotificationWriter(t)
		if err := w.saveFlow(ctx, c, rows, w.saveGroup); err != nil {
			return err
		}
		return w.finish(ctx)
	}
	err := error(nil)
	if rows == nil {
		err = s.write(ctx, store)
	} else {
		err = s.writeOnce(ctx, Stream, store)
	}
	return s.fail(ctx, "save flow", c.Flow.ID, err)
}

// saveFlow writes a flow, and calls save for each group of rows.
func (w *notificationWriter) saveFlow(
	ctx context.Context, c flow.FlowChange, rows iter.Seq2[flow.NotificationChange, error],
	save func(context.Context, []flow.NotificationChange) error,
) error {
	if c.Flow.Version == 0 {
		if err := w.needService(ctx, c.Flow.Service); err != nil {
			return err
		}
	}
	f, flowWriter := newChange(&flows, c.Flow, c.Record), newWriter(w.tx, &flows)
	if rows == nil {
		return flowWriter.save(ctx, []change[flow.Flow]{f})
	}
	isNew := func(c flow.NotificationChange) bool { return c.Notification.Version == 0 }
	return saveWithRows(ctx, flowWriter, f, rows, isNew, save)
}

// SaveNotifications implements [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	err := s.write(ctx, func(t *tx) error {
		w := newNotificationWriter(t)
		if err := w.saveAll(ctx, w.newChanges(changes)); err != nil {
			return err
		}
		return w.finish(ctx)
	})
	return s.fail(ctx, "save notifications", uuid.Nil, err)
}

// notificationWriter writes notifications, with their leases and digests, the counts of their
// flows, and new services.
type notificationWriter struct {
	*writer[flow.Notification]
	leases   map[uuid.UUID]int64 // in microseconds, of the notifications that are to be In invio
	counts   map[uuid.UUID]flow.Counts
	services map[string]bool     // services of the rows -> whether they are stored
	sending  []flow.Notification // notifications that become In invio
	now      int64               // by the database's clock; 0: not read yet
}

func newNotificationWriter(t *tx) *notificationWriter {
	w := &notificationWriter{
		writer: newWriter(t, &notifications), leases: map[uuid.UUID]int64{},
		counts: map[uuid.UUID]flow.Counts{}, services: map[string]bool{},
	}
	w.before = w.complete
	return w
}

// newChange returns a change. It uses the digest only if the notification is new.
func (w *notificationWriter) newChange(c flow.NotificationChange, digest flow.Digest) change[flow.Notification] {
	if c.Notification.State == flow.NotificationSending {
		w.leases[c.Notification.ID] = c.Lease.Microseconds()
	}
	converted := newChange(&notifications, c.Notification, c.Record)
	if c.Notification.Version == 0 {
		setDigest(converted.row, digest)
	}
	return converted
}

func (w *notificationWriter) newChanges(changes []flow.NotificationChange) []change[flow.Notification] {
	converted := make([]change[flow.Notification], len(changes))
	for i, c := range changes {
		var digest flow.Digest
		if c.Notification.Version == 0 {
			digest = c.Notification.Digest()
		}
		converted[i] = w.newChange(c, digest)
	}
	return converted
}

func (w *notificationWriter) saveGroup(ctx context.Context, changes []flow.NotificationChange) error {
	return w.save(ctx, w.newChanges(changes))
}

// complete sets the lease and the digest of a row, and records what finish needs: services, counts,
// and notifications that become In invio.
func (w *notificationWriter) complete(ctx context.Context, c *change[flow.Notification], was *flow.Notification) error {
	n := &c.entity
	becomesSending := n.State == flow.NotificationSending
	switch {
	case was == nil:
		if err := w.needService(ctx, n.Service); err != nil {
			return err
		}
	default:
		w.addCount(was, -1)
		becomesSending = becomesSending && was.State != flow.NotificationSending
		if messageChanged(c) {
			setDigest(c.row, n.Digest())
		}
	}
	w.addCount(n, 1)
	if becomesSending {
		w.sending = append(w.sending, *n)
	}
	return w.setLease(ctx, c)
}

// setLease sets the lease of a notification that is to be In invio.
func (w *notificationWriter) setLease(ctx context.Context, c *change[flow.Notification]) error {
	if c.entity.State != flow.NotificationSending {
		return nil
	}
	if w.now == 0 {
		now, err := w.driver.Now(ctx, w.full)
		if err != nil {
			return err
		}
		w.now = now
	}
	c.row[leaseStartAt], c.row[leaseStartAt+1] = w.now, w.now+w.leases[c.id]
	return nil
}

// messageChanged reports whether a column before state changed: the digest depends only on these.
func messageChanged(c *change[flow.Notification]) bool {
	return !slices.Equal(c.wasRow[:stateAt], c.row[:stateAt])
}

// setDigest sets the columns of the digest: NULL for the zero Digest.
func setDigest(row []any, d flow.Digest) {
	row[digestAt], row[digestAt+1] = nil, int64(flow.DigestVersion)
	if !d.IsZero() {
		row[digestAt] = d
	}
}

func (w *notificationWriter) addCount(n *flow.Notification, by int) {
	if n.FlowID != uuid.Nil {
		c := w.counts[n.FlowID]
		c.Add(*n, by)
		w.counts[n.FlowID] = c
	}
}

// finish stores new services, checks the notifications that became In invio, and writes the counts.
// It is called last in a transaction.
func (w *notificationWriter) finish(ctx context.Context) error {
	if err := w.addServices(ctx); err != nil {
		return err
	}
	if err := w.checkSending(ctx); err != nil {
		return err
	}
	return w.writeCounts(ctx)
}

func (w *notificationWriter) writeCounts(ctx context.Context) error {
	changes := map[uuid.UUID][]int64{}
	for id, c := range w.counts {
		changes[id] = int64s(c.Registered, c.Sending, c.Sent, c.Failed, c.Disabled)
	}
	return count(ctx, w.tx, &flows, changes)
}
