package memstore_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
)

// That the store keeps the contract is tested by package pagoinretetest.

var assistant = flussi.Actor{ID: "l.bianchi", Roles: []flussi.Role{flussi.AdminAssistant}}

// newEvent returns an event to be stored as new.
func newEvent(t testing.TB) pagoinrete.Event {
	e := must.Get(pagoinrete.NewEvent(pagoinrete.Fee, "RMIC8GA002", assistant))(t)
	e.State = pagoinrete.EventSimulated
	return e
}

// newChange returns a notice to be stored as new, with the number that belongs to i.
func newChange(t testing.TB, of pagoinrete.Event, i int) pagoinrete.NoticeChange {
	debtor := must.Get(flussi.ParseFiscalCode("RSSMRA80A01H501U"))(t)
	n := must.Get(pagoinrete.NewNotice(of, 1, pagoinrete.NoticeData{
		Debtor: debtor, DebtorKind: pagoinrete.DebtorPupil, Amount: 4500, DueDate: time.Now().AddDate(0, 1, 0),
	}, assistant))(t)
	n.Number = number(t, 3, i)
	return pagoinrete.NoticeChange{Notice: n, Record: pagoinrete.NoticeRecord{
		At: n.CreatedAt, By: assistant.ID, Action: pagoinrete.NoticeCreate, To: n.State,
	}}
}

func number(t testing.TB, aux, i int) flussi.NoticeNumber {
	return must.Get(flussi.ParseNoticeNumber(fmt.Sprintf("%d%017d", aux, i)))(t)
}

// filled returns a store with an event and its notices, and these.
func filled(t testing.TB, count int) (*memstore.Store, pagoinrete.Event, []pagoinrete.Notice) {
	e, store := newEvent(t), memstore.New()
	var all []pagoinrete.Notice
	var notices iter.Seq2[pagoinrete.NoticeChange, error] = func(yield func(pagoinrete.NoticeChange, error) bool) {
		for i := range count {
			change := newChange(t, e, i)
			if !yield(change, nil) {
				return
			}
			change.Notice.Version = 1
			all = append(all, change.Notice)
		}
	}
	require.NoError(t, store.SaveEvent(context.Background(), pagoinrete.EventChange{Event: e}, notices))
	e.Version = 1
	return store, e, all
}

func ids(notices []pagoinrete.Notice) []uuid.UUID {
	all := make([]uuid.UUID, len(notices))
	for i, n := range notices {
		all[i] = n.ID
	}
	return all
}

func TestTheStoreCanBeUsedFromWithinTheSequenceOfSaveEvent(t *testing.T) {
	ctx := context.Background()
	store, e, all := filled(t, 2)
	require.NoError(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, func(yield func(pagoinrete.NoticeChange, error) bool) {
		n := all[0]
		n.State = pagoinrete.NoticeCancelled
		assert.NoError(t, store.SaveNotices(ctx, pagoinrete.NoticeChange{Notice: n}))
		yield(newChange(t, e, 2), nil)
	}))
	e = must.Get(store.Event(ctx, e.ID))(t)
	assert.Equal(t, pagoinrete.NoticeCounts{NotLinked: 2, Cancelled: 1}, e.Counts)
}

func TestAnEventThatChangesWhileItsSequenceIsPulledIsAConflict(t *testing.T) {
	ctx := context.Background()
	store, e, _ := filled(t, 0)
	change := newChange(t, e, 0)
	require.ErrorIs(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, func(yield func(pagoinrete.NoticeChange, error) bool) {
		assert.NoError(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, nil))
		yield(change, nil)
	}), flussi.ErrConflict)
	assert.ErrorIs(t, must.Err(store.Notice(ctx, change.Notice.ID)), flussi.ErrNotFound)
}

// The instalments are taken as they were when SaveEvent was called.
func TestInstalmentsThatChangeWhileTheSequenceIsPulledAreNotStored(t *testing.T) {
	ctx := context.Background()
	store, e, _ := filled(t, 0)
	due := time.Date(2026, time.December, 1, 22, 59, 59, 0, time.UTC)
	e.Instalments = []pagoinrete.Instalment{{DueDate: due, Amount: 4500}}
	require.NoError(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, func(func(pagoinrete.NoticeChange, error) bool) {
		e.Instalments[0].Amount = 1
	}))
	assert.Equal(t, []pagoinrete.Instalment{{DueDate: due, Amount: 4500}}, must.Get(store.Event(ctx, e.ID))(t).Instalments)
}

func TestErrorsSayWhatWasDoneToWhat(t *testing.T) {
	ctx := context.Background()
	store, e, all := filled(t, 1)
	id := uuid.New()
	_, err := store.Notice(ctx, id)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "read notice", ID: id, Err: flussi.ErrNotFound}, err)
	_, err = store.Event(ctx, id)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "read event", ID: id, Err: flussi.ErrNotFound}, err)
	again := all[0]
	again.Version = 0
	err = store.SaveNotices(ctx, pagoinrete.NoticeChange{Notice: again})
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "save notices", ID: again.ID, Err: flussi.ErrConflict}, err)
	e.Version = 0
	err = store.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, nil)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "save event", ID: e.ID, Err: flussi.ErrConflict}, err)
}

func TestAPageWithoutALimitIsAsLongAsTheLongest(t *testing.T) {
	store, _, _ := filled(t, flussi.MaxPage+1)
	for _, limit := range []int{0, -1} {
		found := must.Get(store.Notices(context.Background(), pagoinrete.NoticeFilter{}, pagoinrete.Page{Limit: limit}))(t)
		assert.Len(t, found, flussi.MaxPage)
	}
}

func TestIUVFindsNoticesThatHaveItNow(t *testing.T) {
	ctx := context.Background()
	store, _, all := filled(t, 3)
	find := func(iuvs ...flussi.IUV) []uuid.UUID {
		found := must.Get(store.Notices(ctx, pagoinrete.NoticeFilter{IUVs: iuvs}, pagoinrete.Page{OldestFirst: true}))(t)
		return ids(found)
	}
	save := func(n *pagoinrete.Notice, number flussi.NoticeNumber) {
		n.Number = number
		require.NoError(t, store.SaveNotices(ctx, pagoinrete.NoticeChange{Notice: *n}))
		n.Version++
	}
	before := all[0].IUV()
	assert.Equal(t, ids(all[:2]), find(before, all[1].IUV(), before))

	save(&all[1], number(t, 2, 0)) // the same IUV, and another number
	assert.Equal(t, ids(all[:2]), find(before))
	save(&all[0], number(t, 3, 9))
	assert.Equal(t, ids(all[1:2]), find(before))
	save(&all[1], flussi.NoticeNumber{})
	assert.Empty(t, find(before))
	assert.Empty(t, find(flussi.IUV{}), "what has no number is not found by its lack of one")
	save(&all[1], number(t, 3, 0))
	assert.Equal(t, ids(all[1:2]), find(before))
}

// Whatever happened to a store, its lists, counts and indexes are those that its notices
// have. The contract leaves it open whether a notice may go to another event or get another
// time of creation; here it may, and all that is derived goes along.
func TestListsCountsAndIndexesFitTheStore(t *testing.T) {
	ctx := context.Background()
	random := rand.New(rand.NewPCG(1, 2))
	store := memstore.New()
	events := make([]pagoinrete.Event, 3)
	for i := range events {
		events[i] = newEvent(t)
		require.NoError(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: events[i]}, nil))
		events[i].Version = 1
	}
	known := map[uuid.UUID]pagoinrete.Notice{}
	order := []uuid.UUID{} // so that a failure happens again
	states := []pagoinrete.NoticeState{pagoinrete.NoticeNotLinked, pagoinrete.NoticeNotified, pagoinrete.NoticePaidOnline, pagoinrete.NoticeCancelled}
	start := time.Date(2026, time.September, 14, 8, 0, 0, 0, time.UTC)
	for range 300 {
		var changes []pagoinrete.NoticeChange
		touched := map[uuid.UUID]bool{}
		for range random.IntN(20) {
			change := newChange(t, events[random.IntN(len(events))], random.IntN(50))
			if random.IntN(2) == 0 && len(order) > 0 {
				change.Notice = known[order[random.IntN(len(order))]]
			}
			n := &change.Notice
			if touched[n.ID] {
				continue
			}
			touched[n.ID] = true
			n.State = states[random.IntN(len(states))]
			n.Discrepancy.Kind = pagoinrete.DiscrepancyAmount
			n.Discrepancy.Resolved = random.IntN(2) == 0
			if random.IntN(2) == 0 {
				n.EventID = events[random.IntN(len(events))].ID
			}
			if n.Version == 0 || random.IntN(4) == 0 {
				n.CreatedAt = start.Add(time.Duration(random.IntN(100)) * time.Second)
			}
			switch random.IntN(4) {
			case 0:
				n.Number = number(t, 1+random.IntN(3), random.IntN(50))
			case 1:
				n.Number = flussi.NoticeNumber{}
			}
			changes = append(changes, change)
		}
		if random.IntN(2) == 0 {
			require.NoError(t, store.SaveNotices(ctx, changes...))
		} else {
			e := &events[random.IntN(len(events))]
			require.NoError(t, store.SaveEvent(ctx, pagoinrete.EventChange{Event: *e}, func(yield func(pagoinrete.NoticeChange, error) bool) {
				for _, change := range changes {
					if !yield(change, nil) {
						return
					}
				}
			}))
			e.Version++
		}
		for _, change := range changes {
			n := change.Notice
			if n.Version == 0 {
				order = append(order, n.ID)
			}
			n.Version++
			known[n.ID] = n
		}
	}

	matching := func(filter pagoinrete.NoticeFilter) []uuid.UUID {
		var all []pagoinrete.Notice
		for _, n := range known {
			if filter.Match(n) {
				all = append(all, n)
			}
		}
		slices.SortFunc(all, func(a, b pagoinrete.Notice) int { return a.Cursor().Compare(b.Cursor()) })
		return ids(all)
	}
	filters := []pagoinrete.NoticeFilter{{}}
	for _, e := range events {
		filters = append(filters, pagoinrete.NoticeFilter{Event: e.ID})
		var counts pagoinrete.NoticeCounts
		for _, n := range known {
			if n.EventID == e.ID {
				counts.Add(n, 1)
			}
		}
		require.Equal(t, counts, must.Get(store.Event(ctx, e.ID))(t).Counts)
	}
	for i := range 50 {
		iuv := number(t, 3, i).IUV()
		filters = append(filters, pagoinrete.NoticeFilter{IUVs: []flussi.IUV{iuv}},
			pagoinrete.NoticeFilter{IUVs: []flussi.IUV{iuv, number(t, 3, 49-i).IUV()}, Event: events[i%len(events)].ID})
	}
	for _, filter := range filters {
		listed := must.Get(store.Notices(ctx, filter, pagoinrete.Page{OldestFirst: true, Limit: len(known) + 1}))(t)
		require.Equal(t, matching(filter), ids(listed))
	}
}
