package memstore_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// That the store keeps the contract is tested by package flowtest.

func ids(notifications []flow.Notification) []uuid.UUID {
	all := make([]uuid.UUID, len(notifications))
	for i, n := range notifications {
		all[i] = n.ID
	}
	return all
}

func sorted(all []uuid.UUID) []uuid.UUID {
	slices.SortFunc(all, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return all
}

func TestTheStoreCanBeUsedFromWithinTheSequenceOfSaveFlow(t *testing.T) {
	ctx := context.Background()
	store, f := filled(t, 2)
	f = must.Get(store.Flow(ctx, f.ID))(t)
	require.NoError(t, store.SaveFlow(ctx, flow.FlowChange{Flow: f}, func(yield func(flow.NotificationChange, error) bool) {
		_, claimed, err := store.Claim(ctx, flow.Claim{Flow: f.ID, Limit: 1, Lease: time.Hour})
		assert.NoError(t, err)
		assert.Len(t, claimed, 1)
		yield(newChange(t, f.ID), nil)
	}))
	f = must.Get(store.Flow(ctx, f.ID))(t)
	assert.Equal(t, flow.Counts{Registered: 2, Sending: 1}, f.Counts)
}

func TestAFlowThatChangesWhileItsSequenceIsPulledIsAConflict(t *testing.T) {
	ctx := context.Background()
	store, f := filled(t, 0)
	f = must.Get(store.Flow(ctx, f.ID))(t)
	n := newChange(t, f.ID)
	require.ErrorIs(t, store.SaveFlow(ctx, flow.FlowChange{Flow: f}, func(yield func(flow.NotificationChange, error) bool) {
		assert.NoError(t, store.SaveFlow(ctx, flow.FlowChange{Flow: f}, nil))
		yield(n, nil)
	}), flussi.ErrConflict)
	assert.ErrorIs(t, must.Err(store.Notification(ctx, n.Notification.ID)), flussi.ErrNotFound)
}

// Another import with the same key may be stored while one pulls its rows.
func TestImportFindsConcurrentImport(t *testing.T) {
	ctx := context.Background()
	store, f := filled(t, 0)
	key := flow.ImportKey{1}
	imported := func(rows iter.Seq2[flow.NotificationChange, error]) flow.ImportRequest {
		other := must.Get(flow.NewFlow(f.Service, system))(t)
		return flow.ImportRequest{
			Flow: flow.FlowChange{Flow: other}, Rows: rows, Key: func() flow.ImportKey { return key },
			OnDuplicate: func(row flow.NotificationChange, _ flow.Notification) (flow.NotificationChange, bool) {
				return row, true
			},
		}
	}
	var inner flow.ImportResult
	outer, before, err := store.SaveImport(ctx, imported(func(yield func(flow.NotificationChange, error) bool) {
		var err error
		inner, _, err = store.SaveImport(ctx, imported(nil))
		assert.NoError(t, err)
		yield(newChange(t, f.ID), nil)
	}))
	require.NoError(t, err)
	assert.True(t, before)
	assert.Equal(t, inner, outer)
	assert.Empty(t, must.Get(store.Notifications(ctx, flow.NotificationFilter{}, flow.Page{}))(t))
}

func TestImportReturnsTheErrorOfAContextThatEndsAfterTheLastRow(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	store, f := filled(t, 0)
	f = must.Get(store.Flow(ctx, f.ID))(t)
	key := flow.ImportKey{1}
	i := flow.ImportRequest{Flow: flow.FlowChange{Flow: f}, Key: func() flow.ImportKey { return key }}
	_, _, err := store.SaveImport(ctx, i)
	require.NoError(t, err)
	i.Flow.Flow.Version++
	i.Key = func() flow.ImportKey { cancel(); return key }
	_, before, err := store.SaveImport(ctx, i)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, before)
}

func TestErrorsSayWhatWasDoneToWhat(t *testing.T) {
	ctx := context.Background()
	store := memstore.New()
	id := uuid.New()
	_, err := store.Notification(ctx, id)
	var failure *flussi.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "read notification", ID: id, Err: flussi.ErrNotFound}, failure)

	n := newChange(t, uuid.Nil)
	err = store.SaveNotifications(ctx, n, n)
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "save notifications", ID: n.Notification.ID, Err: flussi.ErrConflict}, failure)
}

func TestAPageWithoutALimitIsAsLongAsTheLongest(t *testing.T) {
	store, _ := filled(t, flow.MaxPage+1)
	for _, limit := range []int{0, -1} {
		found := must.Get(store.Notifications(context.Background(), flow.NotificationFilter{}, flow.Page{Limit: limit}))(t)
		assert.Len(t, found, flow.MaxPage)
	}
}

// The contract leaves it open whether a notification may go to another flow or get
// another time of creation; here it may, and all that is derived goes along.
func TestNotificationMayMoveToAnotherFlow(t *testing.T) {
	ctx := context.Background()
	store, f := filled(t, 3)
	other := must.Get(flow.NewFlow("servizio-tributi", system))(t)
	other.State = flow.FlowSending
	require.NoError(t, store.SaveFlow(ctx, flow.FlowChange{Flow: other}, nil))

	all := must.Get(store.Notifications(ctx, flow.NotificationFilter{}, flow.Page{OldestFirst: true}))(t)
	n := all[0]
	n.FlowID, n.CreatedAt = other.ID, n.CreatedAt.Add(time.Hour)
	require.NoError(t, store.SaveNotifications(ctx, flow.NotificationChange{Notification: n}))

	all = must.Get(store.Notifications(ctx, flow.NotificationFilter{}, flow.Page{}))(t)
	assert.Equal(t, n.ID, all[0].ID, "the newest now")
	byDigest := must.Get(store.Notifications(ctx, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{}))(t)
	assert.Equal(t, []uuid.UUID{n.ID}, ids(byDigest))
	for id, want := range map[uuid.UUID]int{f.ID: 2, other.ID: 1} {
		inFlow, err := store.Notifications(ctx, flow.NotificationFilter{Flow: id}, flow.Page{})
		require.NoError(t, err)
		assert.Len(t, inFlow, want)
		after, claimed, err := store.Claim(ctx, flow.Claim{Flow: id, Limit: 9, Lease: time.Hour})
		require.NoError(t, err)
		assert.Len(t, claimed, want)
		assert.Equal(t, flow.Counts{Sending: want}, after.Counts)
	}
}

func TestDigestFindsNotificationsThatHaveItNow(t *testing.T) {
	ctx := context.Background()
	store := memstore.New()
	change := newChange(t, uuid.Nil)
	twin := newChange(t, uuid.Nil)
	twin.Notification.Draft = change.Notification.Draft
	require.NoError(t, store.SaveNotifications(ctx, change, twin))
	find := func(digests ...flow.Digest) []uuid.UUID {
		found := must.Get(store.Notifications(ctx, flow.NotificationFilter{Digests: digests}, flow.Page{OldestFirst: true}))(t)
		return ids(found)
	}
	before := change.Notification.Digest()
	assert.Equal(t, []uuid.UUID{change.Notification.ID, twin.Notification.ID}, find(before, before))

	n := must.Get(store.Notification(ctx, change.Notification.ID))(t)
	n.Content = flussi.NewText("corretto")
	require.NoError(t, store.SaveNotifications(ctx, flow.NotificationChange{Notification: n}))
	assert.Equal(t, []uuid.UUID{twin.Notification.ID}, find(before))
	assert.Equal(t, []uuid.UUID{n.ID, twin.Notification.ID}, find(before, n.Digest()))

	n.Version++
	n.Draft = flow.Draft{}
	require.NoError(t, store.SaveNotifications(ctx, flow.NotificationChange{Notification: n}))
	assert.Empty(t, find(flow.Digest{}), "what was erased is not found by its lack of a digest")
}

// Whatever happened to a store, its lists, counts, queues and leases are those that
// its notifications have.
func TestListsCountsAndIndexesFitTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		random := rand.New(rand.NewPCG(1, 2))
		store := memstore.New()
		flows := make([]flow.Flow, 3)
		for i := range flows {
			flows[i], _ = flow.NewFlow("servizio-tributi", system)
			flows[i].State = flow.FlowSending
			require.NoError(t, store.SaveFlow(ctx, flow.FlowChange{Flow: flows[i]}, nil))
		}
		known := map[uuid.UUID]flow.Notification{}
		leases := map[uuid.UUID]time.Time{}
		states := []flow.NotificationState{flow.NotificationRegistered, flow.NotificationSending, flow.NotificationSent, flow.NotificationFailed}
		start := time.Now().UTC()
		for range 300 {
			time.Sleep(time.Second)
			var changes []flow.NotificationChange
			touched := map[uuid.UUID]bool{}
			for range random.IntN(20) {
				change := newChange(t, uuid.Nil)
				if random.IntN(2) == 0 {
					for _, n := range known { // any
						change.Notification = n
						break
					}
				}
				n := &change.Notification
				if touched[n.ID] {
					continue
				}
				touched[n.ID] = true
				n.State, n.Disabled = states[random.IntN(len(states))], random.IntN(4) == 0
				if random.IntN(2) == 0 {
					n.FlowID = flows[random.IntN(len(flows))].ID
				}
				if random.IntN(4) == 0 {
					n.CreatedAt = start.Add(time.Duration(random.IntN(100)) * time.Second)
				}
				if random.IntN(4) == 0 {
					n.Subject = flussi.NewText(string(rune('a' + random.IntN(4))))
				}
				change.Lease = time.Duration(1+random.IntN(20)) * time.Second
				changes = append(changes, change)
			}
			require.NoError(t, store.SaveNotifications(ctx, changes...))
			for _, change := range changes {
				n := change.Notification
				n.Version++
				known[n.ID] = n
				leases[n.ID] = time.Now().Add(change.Lease)
			}
			if random.IntN(3) == 0 {
				id := flows[random.IntN(len(flows))].ID
				var open []flow.Notification
				for _, n := range known {
					if n.FlowID == id && n.State == flow.NotificationRegistered && !n.Disabled {
						open = append(open, n)
					}
				}
				slices.SortFunc(open, func(a, b flow.Notification) int { return a.Cursor().Compare(b.Cursor()) })
				_, claimed, err := store.Claim(ctx, flow.Claim{Flow: id, Limit: 3, Lease: 5 * time.Second})
				require.NoError(t, err)
				require.Equal(t, ids(open[:min(3, len(open))]), ids(claimed))
				for _, n := range claimed {
					known[n.ID] = n
					leases[n.ID] = time.Now().Add(5 * time.Second)
				}
			}
			over := []uuid.UUID{}
			for id, n := range known {
				if n.State == flow.NotificationSending && !time.Now().Before(leases[id]) {
					over = append(over, id)
				}
			}
			expired := must.Get(store.Expired(ctx, 1<<20))(t)
			require.Equal(t, sorted(over), sorted(ids(expired)))
		}
		var all []flow.Notification
		counts := map[uuid.UUID]flow.Counts{}
		for _, n := range known {
			all = append(all, n)
			c := counts[n.FlowID]
			c.Add(n, 1)
			counts[n.FlowID] = c
		}
		slices.SortFunc(all, func(a, b flow.Notification) int { return a.Cursor().Compare(b.Cursor()) })
		listed := must.Get(store.Notifications(ctx, flow.NotificationFilter{}, flow.Page{OldestFirst: true, Limit: len(all) + 1}))(t)
		require.Equal(t, ids(all), ids(listed))
		for _, f := range flows {
			require.Equal(t, counts[f.ID], must.Get(store.Flow(ctx, f.ID))(t).Counts)
		}
		for _, n := range all {
			found := must.Get(store.Notifications(ctx, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}, IDs: []uuid.UUID{n.ID}}, flow.Page{}))(t)
			require.Len(t, found, 1)
			byDigest := must.Get(store.Notifications(ctx, flow.NotificationFilter{Digests: []flow.Digest{n.Digest()}}, flow.Page{}))(t)
			require.Contains(t, ids(byDigest), n.ID)
		}
	})
}

// A list is searched under the lock, so a search that nobody waits for any more ends.
func TestAContextThatEndsEndsASearch(t *testing.T) {
	store, _ := filled(t, 5000)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var once sync.Once
	started := &endsLater{Context: ctx, end: func() { once.Do(func() { cancel(errors.New("enough")) }) }}
	assert.ErrorIs(t, must.Err(store.Notifications(started, flow.NotificationFilter{Text: "raccomandata"}, flow.Page{Limit: 10})), context.Canceled)
}

// endsLater is a context that ends once it was found to be alive.
type endsLater struct {
	context.Context
	end func()
}

func (c *endsLater) Err() error {
	defer c.end()
	return c.Context.Err()
}
