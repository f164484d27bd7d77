package memstore

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/memtable"
)

// Store keeps flows and notifications in memory, as a [flow.Store]. It is safe for
// concurrent use. Errors are [*flussi.Error], except for those of SaveFlow's sequence, which are
// returned as they are.
type Store struct {
	db            memtable.DB
	flows         *memtable.Table[flow.Flow, flow.Flow, flow.FlowRecord]
	notifications *memtable.Table[notification, flow.Notification, flow.NotificationRecord]
	byFlow        *memtable.Index[notification, flow.NotificationRecord, uuid.UUID] // zero: no flow
	byDigest      *memtable.Index[notification, flow.NotificationRecord, flow.Digest]
	counts        *memtable.Counts[notification, flow.NotificationRecord, flow.Counts]
	queues        queues
	services      services
	imports       map[flow.ImportKey]flow.ImportResult
}

var (
	_ flow.Store          = (*Store)(nil)
	_ flow.SaveAndClaimer = (*Store)(nil)
)

// notification is a notification as it is stored.
type notification struct {
	flow.Notification
	digest flow.Digest
	// The end of the lease of one that is In invio, in Unix microseconds. In a row that is to be
	// stored it is the length of the lease, to which Put adds the time: a field of its own would
	// make each row 64 bytes larger.
	leaseEnd int64
	position int // in the heap that has it: the queue of its flow, the leases, or none
}

// place returns the place in lists, as Cursor does, which copies the notification.
func (n *notification) place() flow.Cursor { return flow.Cursor{At: n.CreatedAt, ID: n.ID} }

type (
	flowKind         = memtable.Kind[flow.Flow, flow.Flow, flow.FlowRecord]
	flowRow          = memtable.Row[flow.Flow, flow.FlowRecord]
	flowList         = memtable.List[flow.Flow, flow.FlowRecord]
	notificationKind = memtable.Kind[notification, flow.Notification, flow.NotificationRecord]
	notificationRow  = memtable.Row[notification, flow.NotificationRecord]
	notificationList = memtable.List[notification, flow.NotificationRecord]
)

// New returns an empty store.
func New() *Store {
	s := &Store{
		queues: newQueues(), services: newServices(),
		imports: map[flow.ImportKey]flow.ImportResult{},
	}
	s.flows = memtable.New(&s.db, flowKind{
		Place: func(f *flow.Flow) flow.Cursor {
			return flow.Cursor{At: f.CreatedAt, ID: f.ID} // f.Cursor would copy the flow
		},
		Version:       func(f *flow.Flow) *int64 { return &f.Version },
		RecordVersion: func(r *flow.FlowRecord) *int64 { return &r.Version },
		View:          func(f *flow.Flow) *flow.Flow { return f },
		Complete:      s.addCounts,
		Amend: func(earlier []flow.FlowRecord, next *flow.FlowRecord) {
			if next.Action == flow.FlowAnonymise {
				eraseAnswers(earlier)
			}
		},
	})
	s.notifications = memtable.New(&s.db, notificationKind{
		Place:         (*notification).place,
		Version:       func(n *notification) *int64 { return &n.Version },
		RecordVersion: func(r *flow.NotificationRecord) *int64 { return &r.Version },
		View:          func(n *notification) *flow.Notification { return &n.Notification },
		Carry:         carryDigest,
		Amend: func(earlier []flow.NotificationRecord, next *flow.NotificationRecord) {
			if next.Action == flow.NotificationAnonymise {
				eraseAnswers(earlier)
			}
		},
	})
	s.byFlow = memtable.NewIndex(s.notifications, func(n *notification) (uuid.UUID, bool) {
		return n.FlowID, true
	})
	s.byDigest = memtable.NewIndex(s.notifications, func(n *notification) (flow.Digest, bool) {
		return n.digest, !n.digest.IsZero()
	})
	s.counts = memtable.NewCounts(s.notifications,
		func(n *notification) uuid.UUID { return n.FlowID },
		func(c *flow.Counts, n *notification, by int) { c.Add(n.Notification, by) })
	s.notifications.Follow(&s.queues)
	return s
}

// addCounts returns a flow with the counts of its notifications.
func (s *Store) addCounts(f flow.Flow) flow.Flow {
	f.Counts = s.counts.Of(f.ID)
	return f
}

// eraseAnswers erases what the platform said from records.
func eraseAnswers[S, A ~string](records []flow.Record[S, A]) {
	for i := range records {
		records[i].Answer = flussi.Text{}
	}
}

// carryDigest sets the digest of the next version of a notification.
func carryDigest(stored, next *notification) {
	if sameDigest(&stored.Draft, &next.Draft) {
		next.digest = stored.digest
	} else {
		next.digest = next.Digest()
	}
}

// sameDigest reports whether two drafts have the same digest, without computing it.
func sameDigest(a, b *flow.Draft) bool {
	return a.Recipient == b.Recipient && a.Subject == b.Subject && a.Content == b.Content &&
		a.NoticeNumber == b.NoticeNumber && a.Amount == b.Amount && a.DueDate.Equal(b.DueDate) &&
		a.Occasion == b.Occasion && a.Options == b.Options
}
