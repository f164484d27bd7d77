package flowtest_test

import (
	"context"
	"encoding/hex"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/brokenstore"
)

// model is a store that decides itself which notifications may become In invio, which imports were
// stored and which services look alike, so that each of these decisions can be broken. The store
// below it refuses none: in it, every notification has AllowDuplicate, and names of services are
// hexadecimal.
type model struct {
	flow.Store
	mu      sync.Mutex // of writes, and of reads of what they write
	maps    sync.Mutex // of the fields below
	repeats map[uuid.UUID]bool
	names   map[string]string // by their look
	imports map[flow.ImportKey]flow.ImportResult

	faults
}

// faults are the decisions of a model. Each may be replaced by a wrong one.
type faults struct {
	// What may have arrived.
	find      func(n flow.Notification) []flow.Notification // those that may have the message of n, the oldest first
	same      func(earlier, n flow.Notification) bool       // they have one message
	arrived   func(earlier flow.Notification) bool
	mayRepeat func(n flow.Notification) bool
	begins    func(old, n flow.Notification) bool // it becomes In invio
	refusal   func(n, earlier flow.Notification) error

	// Claims.
	claimsBlindly bool
	claimsAtOnce  bool // what a claim takes does not count for the rest of it
	skip          func(n, earlier flow.Notification, claim flow.Claim) flow.NotificationChange
	give          func(claimed []flow.Notification) []flow.Notification
	count         func(before, after flow.Flow) flow.Flow

	// Saves.
	savesBlindly, savesFlowsBlindly bool
	looksBefore                     bool // at what there was before the write
	ignoresOwn                      bool // what a write makes In invio does not count for the rest of it
	storesFlowFirst, storesPart     bool // before it refuses

	// Races: nothing is locked, and others write between a decision and its write.
	unlocked       bool
	claimsUnlocked bool

	// Imports.
	keyFirst, noKey, keyAnyway, keyBeforeStoring bool
	foundStoresFlow, foundIsError                bool
	loses                                        func(f flow.Flow) bool // the keys of its imports
	losesForGood                                 bool                   // also once it is enabled again
	ignoresVersion, leavesRowsOut                bool
	done                                         func(flow.ImportResult) flow.ImportResult
	repeated                                     func(earlier flow.Notification, disabled bool) bool
	earliest                                     func(all []flow.Notification) flow.Notification
	duplicates                                   func(rows []flow.NotificationChange, duplicate func(flow.NotificationChange) (flow.NotificationChange, bool)) []flow.NotificationChange
	told                                         func(row, told flow.NotificationChange, store bool) (flow.NotificationChange, bool)
	own                                          func(row flow.Notification) bool // which rows of the import are earlier ones, too

	// Services.
	look                                 func(name string) string
	checksNoFlow, checksNoNotification   bool
	checksNoImport, namesAnyway, noPairs bool
	similar                              func(name, existing string) error
}

// newModel returns a model that decides as it should.
func newModel(s flow.Store) *model {
	m := &model{Store: s, repeats: map[uuid.UUID]bool{}, names: map[string]string{}, imports: map[flow.ImportKey]flow.ImportResult{}}
	m.faults = faults{
		find: m.withDigest,
		same: func(earlier, n flow.Notification) bool {
			return earlier.ID != n.ID && earlier.Service == n.Service && earlier.Digest() == n.Digest() && !n.Digest().IsZero()
		},
		arrived:   func(n flow.Notification) bool { return n.MayHaveArrived() },
		mayRepeat: func(n flow.Notification) bool { return n.AllowDuplicate },
		begins: func(old, n flow.Notification) bool {
			return n.State == flow.NotificationSending && old.State != flow.NotificationSending
		},
		refusal: func(n, earlier flow.Notification) error {
			return &flow.AlreadySentError{NotificationID: n.ID, Earlier: earlier}
		},
		skip: func(n, earlier flow.Notification, claim flow.Claim) flow.NotificationChange {
			return n.SkipAlreadySent(earlier, claim.At, claim.By)
		},
		give:  func(claimed []flow.Notification) []flow.Notification { return claimed },
		count: func(_, after flow.Flow) flow.Flow { return after },
		loses: isSetAside,
		done:  func(i flow.ImportResult) flow.ImportResult { return i },
		repeated: func(n flow.Notification, disabled bool) bool {
			return n.MayHaveArrived() || n.IsPending(disabled)
		},
		earliest: earliest,
		own:      func(flow.Notification) bool { return false },
		duplicates: func(rows []flow.NotificationChange, duplicate func(flow.NotificationChange) (flow.NotificationChange, bool)) []flow.NotificationChange {
			var kept []flow.NotificationChange
			for _, row := range rows {
				if row, store := duplicate(row); store {
					kept = append(kept, row)
				}
			}
			return kept
		},
		told: func(_, told flow.NotificationChange, store bool) (flow.NotificationChange, bool) {
			return told, store
		},
		look:    flow.ServiceSkeleton,
		similar: func(name, existing string) error { return &flow.SimilarServiceError{Service: name, Existing: existing} },
	}
	return m
}

// broken makes a model of which something is broken.
func broken(spoil func(m *model)) func(flow.Store) flow.Store {
	return func(s flow.Store) flow.Store {
		m := newModel(s)
		spoil(m)
		return m
	}
}

// Each broken model breaks what its fault says, and nothing else.
func TestModelKeepsTheContract(t *testing.T) {
	flowtest.RunStore(t, func(*testing.T) flow.Store { return newModel(memstore.New()) })
}

// isSetAside reports whether a flow was disabled before it was sent.
func isSetAside(f flow.Flow) bool {
	return f.Disabled && (f.State == flow.FlowInactive || f.State == flow.FlowActive)
}

// earliest is the earlier one that a duplicate repeats, of several, the oldest first.
func earliest(all []flow.Notification) flow.Notification {
	for _, n := range all {
		if n.MayHaveArrived() {
			return n
		}
	}
	return all[0]
}

func (m *model) lock() {
	if !m.unlocked {
		m.mu.Lock()
	}
}

func (m *model) unlock() {
	if !m.unlocked {
		m.mu.Unlock()
	}
}

// pause is called between a decision and its write.
func (m *model) pause() {
	if m.unlocked || m.claimsUnlocked {
		time.Sleep(brokenstore.Moment)
	}
}

// encode returns a change as the store below gets it.
func encode(c flow.NotificationChange) flow.NotificationChange {
	c.Notification.AllowDuplicate = true
	c.Notification.Service = hex.EncodeToString([]byte(c.Notification.Service))
	return c
}

func (m *model) decode(n flow.Notification) flow.Notification {
	m.maps.Lock()
	defer m.maps.Unlock()
	n.AllowDuplicate = m.repeats[n.ID]
	n.Service = decodeName(n.Service)
	return n
}

func decodeName(name string) string {
	plain, err := hex.DecodeString(name)
	if err != nil {
		panic(err)
	}
	return string(plain)
}

func decodeFlow(f flow.Flow) flow.Flow {
	f.Service = decodeName(f.Service)
	return f
}

func encodeFlow(c flow.FlowChange) flow.FlowChange {
	c.Flow.Service = hex.EncodeToString([]byte(c.Flow.Service))
	return c
}

func encodeNames(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, hex.EncodeToString([]byte(name)))
	}
	return all
}

func (m *model) decodeAll(all []flow.Notification) []flow.Notification {
	for i := range all {
		all[i] = m.decode(all[i])
	}
	return all
}

// withDigest returns those with the digest of a notification, the oldest first.
func (m *model) withDigest(n flow.Notification) []flow.Notification {
	if n.Digest().IsZero() {
		return nil
	}
	all, _ := m.Store.Notifications(context.Background(), flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{OldestFirst: true})
	return m.decodeAll(all)
}

// everything returns all notifications that there are, the oldest first.
func (m *model) everything(flow.Notification) []flow.Notification {
	all, _ := m.Store.Notifications(context.Background(), flow.NotificationFilter{}, flow.Page{OldestFirst: true})
	return m.decodeAll(all)
}

func (m *model) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	f, err := m.Store.Flow(ctx, id)
	return decodeFlow(f), err
}

func (m *model) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	filter.Services = encodeNames(filter.Services)
	all, err := m.Store.Flows(ctx, filter, page)
	for i := range all {
		all[i] = decodeFlow(all[i])
	}
	return all, err
}

func (m *model) Notification(ctx context.Context, id uuid.UUID) (flow.Notification, error) {
	m.lock()
	defer m.unlock()
	n, err := m.Store.Notification(ctx, id)
	return m.decode(n), err
}

func (m *model) Notifications(ctx context.Context, filter flow.NotificationFilter, page flow.Page) ([]flow.Notification, error) {
	m.lock()
	defer m.unlock()
	filter.Services = encodeNames(filter.Services)
	all, err := m.Store.Notifications(ctx, filter, page)
	return m.decodeAll(all), err
}

func (m *model) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	m.lock()
	defer m.unlock()
	all, err := m.Store.Expired(ctx, limit)
	return m.decodeAll(all), err
}
