package memstore

import (
	"container/heap"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// SaveNotifications stores notifications: see [flow.Store].
func (s *Store) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	const operation = "save notifications"
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return err
	}
	b := newBatch(changes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx, operation, uuid.Nil); err != nil {
		return err
	}
	if err := s.check(operation, b, firstUses{}); err != nil {
		return err
	}
	s.put(b)
	return nil
}

// batch is what is stored together.
type batch []pending

// pending is a notification that is to be stored. If it is new, its entry is what will
// be kept, so that it is not copied again.
type pending struct {
	entry *storedNotification // with one record; the digest is set only for a new notification
	lease time.Duration
}

func newBatch(changes []flow.NotificationChange) batch {
	b := make(batch, 0, len(changes))
	for _, change := range changes {
		b.add(change)
	}
	return b
}

// add prepares a change. It needs no lock.
func (b *batch) add(change flow.NotificationChange) {
	p := pending{lease: change.Lease, entry: &storedNotification{
		Notification: change.Notification,
		history:      []flow.NotificationRecord{change.Record},
	}}
	n := p.entry
	utc(&n.DueDate, &n.Transmission.SentAt, &n.Delivery.CheckedAt, &n.AnonymisedAt, &n.CreatedAt, &n.UpdatedAt, &n.history[0].At)
	if n.Version == 0 {
		n.digest = n.Digest()
	}
	*b = append(*b, p)
}

// check returns an error unless all of the batch may be stored.
func (s *Store) check(operation string, b batch, first firstUses) error {
	seen := make(map[uuid.UUID]struct{}, len(b))
	var service string // the last one checked: most rows have the same
	for _, p := range b {
		var version int64
		if old := s.notifications[p.entry.ID]; old != nil {
			version = old.Version
		}
		if p.entry.Version != version {
			return fail(operation, p.entry.ID, flussi.ErrConflict)
		}
		if _, twice := seen[p.entry.ID]; twice {
			return fail(operation, p.entry.ID, flussi.ErrConflict)
		}
		seen[p.entry.ID] = struct{}{}
		if version == 0 && (service == "" || p.entry.Service != service) {
			service = p.entry.Service
			if err := s.checkService(service, first); err != nil {
				return fail(operation, p.entry.ID, err)
			}
		}
	}
	if err := s.checkSent(b); err != nil {
		return fail(operation, err.NotificationID, err)
	}
	return nil
}

// put stores a batch that has no conflict.
func (s *Store) put(b batch) {
	now := time.Now()
	var listed []*storedNotification // what comes to a place in the lists
	for _, p := range b {
		end := now.Add(p.lease)
		kept := s.notifications[p.entry.ID]
		if kept == nil {
			n := p.entry
			s.putService(n.Service)
			n.Version, n.history[0].Version = 1, 1
			s.notifications[n.ID] = n
			s.index(n)
			s.enter(n, end)
			listed = append(listed, n)
			continue
		}
		moved := kept.Cursor() != p.entry.Cursor() || kept.FlowID != p.entry.FlowID
		reworded := !sameDigest(kept.Draft, p.entry.Draft)
		if moved {
			s.list.Remove(kept)
			s.groups[kept.FlowID].list.Remove(kept)
			listed = append(listed, kept)
		}
		if moved || reworded {
			s.unindex(kept)
		}
		s.change(kept, p.entry.Notification, p.entry.history[0], end)
		if moved || reworded {
			kept.digest = kept.Digest()
			s.index(kept)
		}
	}
	s.list.Add(listed...)
	for _, n := range listed {
		s.groups[n.FlowID].list.Add(n)
	}
}

// change makes a notification the next version of itself.
func (s *Store) change(kept *storedNotification, n flow.Notification, record flow.NotificationRecord, leaseEnd time.Time) {
	s.leave(kept)
	n.Version = kept.Version + 1
	record.Version = n.Version
	kept.Notification = n
	kept.history = append(kept.history, record)
	s.enter(kept, leaseEnd)
}

// enter counts a notification in, and puts it into the heap that it belongs to.
func (s *Store) enter(n *storedNotification, leaseEnd time.Time) {
	g := s.group(n.FlowID)
	g.counts.Add(n.Notification, 1)
	switch {
	case n.claimable():
		heap.Push(&g.queue, n)
	case n.State == flow.NotificationSending:
		n.leaseEnd = leaseEnd.UnixMicro()
		heap.Push(&s.leases, n)
	}
}

// leave undoes enter.
func (s *Store) leave(n *storedNotification) {
	g := s.groups[n.FlowID]
	g.counts.Add(n.Notification, -1)
	switch {
	case n.claimable():
		heap.Remove(&g.queue, n.position)
	case n.State == flow.NotificationSending:
		heap.Remove(&s.leases, n.position)
	}
}

// sameDigest reports whether two drafts have the same digest, without making it.
func sameDigest(a, b flow.Draft) bool {
	return a.Recipient == b.Recipient && a.Subject == b.Subject && a.Content == b.Content && a.NoticeNumber == b.NoticeNumber &&
		a.Amount == b.Amount && a.DueDate.Equal(b.DueDate) && a.Occasion == b.Occasion
}

// index makes a notification be found by its digest.
func (s *Store) index(n *storedNotification) {
	if n.digest.IsZero() {
		return
	}
	same := s.digests[n.digest]
	same.Add(n)
	s.digests[n.digest] = same
}

// unindex undoes index. Nothing is left of a digest that no notification has any more.
func (s *Store) unindex(n *storedNotification) {
	same := s.digests[n.digest]
	same.Remove(n)
	if len(same) > 0 {
		s.digests[n.digest] = same
	} else {
		delete(s.digests, n.digest)
	}
}
