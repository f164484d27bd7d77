package memstore

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/listing"
)

// Store keeps flows and notifications in memory, as [flow.Store] wants it. It is safe
// for concurrent use. Errors are [*flussi.Error], but for those of SaveFlow's sequence,
// which are returned as they are.
type Store struct {
	mu            sync.RWMutex
	flows         map[uuid.UUID]*storedFlow
	flowList      listing.List[*storedFlow]
	notifications map[uuid.UUID]*storedNotification
	list          listing.List[*storedNotification]                 // all of them
	groups        map[uuid.UUID]*group                              // by flow, whether it exists or not; under the zero UUID those of none
	digests       map[flow.Digest]listing.List[*storedNotification] // but for those that have none
	leases        heapOf                                            // those In invio, by the end of their lease
	services      map[string]struct{}                               // the names of the services of all flows and notifications
	looks         map[string]string                                 // the same names, by flow.ServiceSkeleton
	imports       map[flow.ImportKey]flow.ImportResult
}

var _ flow.Store = (*Store)(nil)

// storedFlow is a flow as it is kept: without its Counts.
type storedFlow struct {
	flow.Flow
	history []flow.FlowRecord
}

// storedNotification is a notification as it is kept, or is to be.
type storedNotification struct {
	flow.Notification
	history  []flow.NotificationRecord
	digest   flow.Digest
	leaseEnd int64 // in Unix microseconds; of one that is In invio
	position int   // in the heap that holds it: the queue of its group, the leases, or none
}

// group is what belongs to one flow.
type group struct {
	counts flow.Counts
	list   listing.List[*storedNotification]
	queue  heapOf // those that may be claimed, by place
}

// New returns an empty store.
func New() *Store {
	return &Store{
		flows:         map[uuid.UUID]*storedFlow{},
		notifications: map[uuid.UUID]*storedNotification{},
		groups:        map[uuid.UUID]*group{},
		digests:       map[flow.Digest]listing.List[*storedNotification]{},
		services:      map[string]struct{}{},
		looks:         map[string]string{},
		imports:       map[flow.ImportKey]flow.ImportResult{},
		leases:        heapOf{before: func(a, b *storedNotification) bool { return a.leaseEnd < b.leaseEnd }},
	}
}

// Cursor returns the place of the flow in lists, as that of [flow.Flow] does, which would
// copy all of it for that.
func (f *storedFlow) Cursor() flow.Cursor { return flow.Cursor{At: f.CreatedAt, ID: f.ID} }

// Cursor returns the place of the notification in lists, without copying it.
func (n *storedNotification) Cursor() flow.Cursor { return flow.Cursor{At: n.CreatedAt, ID: n.ID} }

// claimable reports whether the notification is to be sent, if its flow is.
func (n *storedNotification) claimable() bool {
	return n.State == flow.NotificationRegistered && !n.Disabled
}

// group returns the group of a flow, which it makes if there is none yet.
func (s *Store) group(id uuid.UUID) *group {
	g := s.groups[id]
	if g == nil {
		g = &group{queue: heapOf{before: func(a, b *storedNotification) bool { return a.Cursor().Compare(b.Cursor()) < 0 }}}
		s.groups[id] = g
	}
	return g
}

// stored returns a flow as the caller gets it.
func (s *Store) stored(f *storedFlow) flow.Flow {
	result := f.Flow
	if g := s.groups[f.ID]; g != nil {
		result.Counts = g.counts
	}
	return result
}

// fail returns what was wrong with an operation.
func fail(operation string, id uuid.UUID, err error) error {
	return &flussi.Error{Package: "memstore", Operation: operation, ID: id, Err: err}
}

// ended returns what is wrong with an operation whose context has ended, or nil.
func ended(ctx context.Context, operation string, id uuid.UUID) error {
	if err := ctx.Err(); err != nil {
		return fail(operation, id, err)
	}
	return nil
}

// utc makes a time what databases keep of it.
func utc(times ...*time.Time) {
	for _, t := range times {
		*t = t.UTC().Truncate(time.Microsecond)
	}
}
