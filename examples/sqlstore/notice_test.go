package sqlstore_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/examples/sqlstore"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
)

var (
	schools = []string{"MIIC8AA00A", "MIIC8AA00A", "MIIC8AA00A", "RMIS00900E", "\xff"}
	estates = []pagoinrete.EventState{pagoinrete.EventSimulated, pagoinrete.EventNotified, pagoinrete.EventNotified, "a|b"}
	pstates = []pagoinrete.NoticeState{
		pagoinrete.NoticeNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeNotified, pagoinrete.NoticeNotLinked,
		pagoinrete.NoticePaidOnline, pagoinrete.NoticeCancelled, pagoinrete.NoticeRefunded, "a|b",
	}
)

func (m maker) discrepancy() pagoinrete.Discrepancy {
	return maybe(m,
		pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyState, State: "cancelled", At: m.time()},
		pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyAmount, Amount: 1<<62 + 1, At: m.time(), Resolved: true},
		pagoinrete.Discrepancy{Kind: "\xff", State: "\x00"},
		pagoinrete.Discrepancy{Resolved: true})
}

func (m maker) event() pagoinrete.Event {
	return pagoinrete.Event{
		ID: m.id(), Kind: one(m, pagoinrete.Fee, pagoinrete.Fee, pagoinrete.Donation, ""), School: one(m, schools...), State: one(m, estates...),
		EventData: pagoinrete.EventData{
			Name: one(m, texts...), Causale: one(m, texts...), Category: maybe(m, texts...), SchoolYear: one[pagoinrete.SchoolYear](m, 2025, 2026, 2026),
			FinancialYear: 2026, Account: "IT60X0542811101000000123456", Amount: one[flussi.Cents](m, 0, 12_345), Flexible: m.IntN(2) == 0,
			Instalments: one(m, nil, []pagoinrete.Instalment{{DueDate: m.time(), Amount: 1<<62 + 1}}, []pagoinrete.Instalment{{Amount: 5}, {DueDate: m.time()}}),
			Binding:     m.IntN(2) == 0, Repeatable: m.IntN(2) == 0,
		},
		Rejection: flussi.NewText(maybe(m, texts...)), RemoteID: maybe(m, "E1", "\x00"), Discrepancy: m.discrepancy(),
		CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: one(m, users...),
	}
}

func (m maker) proof() pagoinrete.Proof {
	return maybe(m,
		pagoinrete.Proof{Reference: one(m, texts...), Amount: 1<<62 + 1, Date: m.time(), By: one(m, users...)},
		pagoinrete.Proof{By: "\xff"}, pagoinrete.Proof{Amount: -1}, pagoinrete.Proof{Date: m.time()})
}

func (m maker) assigned(t testing.TB, events []pagoinrete.Event) pagoinrete.Notice {
	e := one(m, events...)
	return m.again(t, pagoinrete.Notice{ID: m.id(), EventID: e.ID, School: e.School, CreatedAt: m.time()})
}

// again returns a notice with other data, as a later version may have them.
func (m maker) again(t testing.TB, n pagoinrete.Notice) pagoinrete.Notice {
	next := pagoinrete.Notice{
		ID: n.ID, EventID: n.EventID, School: n.School, CreatedAt: n.CreatedAt, Version: n.Version,
		State: one(m, pstates...), Instalment: 1 + m.IntN(3), NoticeData: n.NoticeData, Number: n.Number,
		RemoteID: maybe(m, "A1", "\x00"), PayerRegistered: m.IntN(2) == 0, PayerLoggedIn: m.IntN(2) == 0, Visible: m.IntN(3) == 0,
		Evidence:    pagoinrete.Evidence{Receipt: m.proof(), Settlement: m.proof(), Movement: m.proof(), Manual: m.proof(), Refund: m.proof()},
		Discrepancy: m.discrepancy(), Error: maybe(m, texts...), UpdatedAt: m.time(), UpdatedBy: one(m, users...),
	}
	if m.IntN(2) == 0 {
		next.NoticeData = pagoinrete.NoticeData{
			Debtor: m.code(t), DebtorKind: one(m, pagoinrete.DebtorPupil, pagoinrete.DebtorStaff, "\xff"), DebtorName: flussi.NewText(one(m, texts...)),
			Payer: one(m, flussi.FiscalCode{}, m.code(t)), Amount: 12_345, Discount: one[flussi.Cents](m, 0, 45),
			DueDate: one(m, time.Time{}, m.time(), m.time()), Reference: maybe(m, "r1", "r1", "r1", "r2", "\x00"),
		}
		next.Number = m.notice(t)
	}
	return next
}

func (m maker) eventFilter(all []pagoinrete.Event) pagoinrete.EventFilter {
	q := pagoinrete.EventFilter{
		Schools: some(m, schools...), States: some(m, estates...), Kind: maybe(m, pagoinrete.Fee, pagoinrete.Donation),
		SchoolYear: maybe[pagoinrete.SchoolYear](m, 2025, 2026), Text: maybe(m, wanted...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()),
		Discrepancy: m.IntN(6) == 0,
	}
	for m.IntN(8) == 0 {
		q.IDs = append(q.IDs, one(m, all...).ID, m.id())
	}
	return q
}

func (m maker) noticeFilter(t testing.TB, all []pagoinrete.Notice) pagoinrete.NoticeFilter {
	like := one(m, all...)
	q := pagoinrete.NoticeFilter{
		Event: one(m, uuid.Nil, like.EventID), Schools: some(m, schools...), States: some(m, pstates...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()),
		DueBefore: maybe(m, m.wanted()), Visible: m.IntN(5) == 0, Discrepancy: m.IntN(5) == 0,
	}
	switch m.IntN(12) {
	case 0:
		q.IDs = []uuid.UUID{like.ID, m.id(), one(m, all...).ID}
	case 1:
		q.Debtor = like.Debtor
	case 2:
		q.Payer = like.Payer
	case 3:
		q.Reference = one(m, "r1", "r2", "\x00")
	case 4:
		q.IUVs = []flussi.IUV{like.IUV(), one(m, all...).IUV(), {}, m.notice(t).IUV()}
	}
	return q
}

// What is found is what a store in memory finds, whole, where Match says what matches.
func TestSearchesForNoticesFindWhatMatches(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		m := maker{rand.New(rand.NewPCG(1, 2))}
		ctx := t.Context()
		store, reference := open(t, location(t)), memstore.New()
		both := []pagoinrete.Store{store, reference}
		var events []pagoinrete.Event
		for range 200 {
			events = append(events, m.event())
		}
		var all []pagoinrete.Notice
		for range 1200 {
			all = append(all, m.assigned(t, events[:8]))
		}
		changes := func(of []pagoinrete.Notice) []pagoinrete.NoticeChange {
			changes := make([]pagoinrete.NoticeChange, len(of))
			for i, n := range of {
				changes[i].Notice = n
			}
			return changes
		}
		for _, s := range both {
			for _, e := range events {
				require.NoError(t, s.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, nil))
			}
			require.NoError(t, s.SaveNotices(ctx, changes(all)...))
		}
		// Some change once, some twice.
		for version, some := range [][]pagoinrete.Notice{1: all[:800], 2: all[:300]} {
			for i := range some {
				some[i].Version = int64(version)
				some[i] = m.again(t, some[i])
			}
			for _, s := range both {
				require.NoError(t, s.SaveNotices(ctx, changes(some)...))
			}
		}
		for i := range events[:50] {
			next := m.event()
			next.ID, next.School, next.CreatedAt, next.Version = events[i].ID, events[i].School, events[i].CreatedAt, 1
			events[i] = next
			for _, s := range both {
				require.NoError(t, s.SaveEvent(ctx, pagoinrete.EventChange{Event: next}, nil))
			}
		}
		searches := 300
		if testing.Short() {
			searches = 50
		}
		for range searches {
			// Few rows are many, now and then.
			store.Look(one(m, 0, 10, 500), one(m, 5, 100), one(m, 20, 10_000), one(m, 0, 10, 200, 20_000), one(m, 1, 3, 8))
			find(t, store.Events, reference.Events, m.eventFilter(events), m.page(one(m, events...).Cursor()))
			find(t, store.Notices, reference.Notices, m.noticeFilter(t, all), m.page(one(m, all...).Cursor()))
		}
	})
}

// The name of an event and its causale are searched each by itself.
func TestATextIsFoundInTheNameOrInTheCausale(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		e, _ := fee(t, 0)
		e.Event.Name, e.Event.Causale = "Avviso TARI", "Mensa scolastica"
		require.NoError(t, s.SaveEvent(t.Context(), e, nil))
		for text, want := range map[string]int{"tari": 1, "MENSA": 1, "tarimensa": 0, "i\nm": 0, "i m": 0, "i\ufde0m": 0, "\ufde0": 0} {
			assert.Len(t, must.Get(s.Events(t.Context(), pagoinrete.EventFilter{Text: text}, pagoinrete.Page{Limit: 5}))(t), want, "%q", text)
		}
	})
}

// A field that changes alone is stored, although rows are written from where they changed.
func TestAFieldOfANoticeThatChangesAloneIsStored(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		e, _ := fee(t, 0)
		require.NoError(t, s.SaveEvent(t.Context(), e, nil))
		number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
		at := time.Date(2026, time.May, 4, 10, 0, 0, 0, time.UTC)
		code := maker{rand.New(rand.NewPCG(1, 1))}.code(t)
		n := pagoinrete.Notice{ID: v7(1), EventID: e.Event.ID, School: e.Event.School, CreatedAt: at, UpdatedAt: at}
		for _, change := range []func(){
			func() { n.State = pagoinrete.NoticeNotified }, func() { n.Instalment = 2 }, func() { n.Debtor = code }, func() { n.DebtorKind = pagoinrete.DebtorStaff },
			func() { n.DebtorName = flussi.NewText("Rossi") }, func() { n.Payer = code }, func() { n.Amount = 5 }, func() { n.Discount = 1 },
			func() { n.DueDate = at }, func() { n.Reference = "r" }, func() { n.Number = number }, func() { n.RemoteID = "A" },
			func() { n.PayerRegistered = true }, func() { n.PayerLoggedIn = true }, func() { n.Visible = true },
			func() { n.Evidence.Refund.By = "m.neri" }, func() { n.Discrepancy.Kind = "x" }, func() { n.Discrepancy.Resolved = true },
			func() { n.Discrepancy.State = "y" }, func() { n.Discrepancy.Amount = 7 }, func() { n.Discrepancy.At = at },
			func() { n.Error = "Respinto" }, func() { n.UpdatedAt = at.Add(time.Microsecond) }, func() { n.UpdatedBy = "m.neri" },
		} {
			change()
			require.NoError(t, s.SaveNotices(t.Context(), pagoinrete.NoticeChange{Notice: n}))
			n.Version++
			require.Equal(t, n, must.Get(s.Notice(t.Context(), n.ID))(t))
		}
		// What is looked for is kept along.
		assert.Len(t, must.Get(s.Notices(t.Context(), pagoinrete.NoticeFilter{IUVs: []flussi.IUV{number.IUV()}, Visible: true}, pagoinrete.Page{Limit: 5}))(t), 1)
	})
}

// fee is an event that is to be stored, and notices of it.
func fee(t testing.TB, notices int) (pagoinrete.EventChange, []pagoinrete.NoticeChange) {
	m := maker{rand.New(rand.NewPCG(uint64(notices), 7))}
	e := m.event()
	changes := make([]pagoinrete.NoticeChange, notices)
	for i := range changes {
		n := m.assigned(t, []pagoinrete.Event{e})
		n.ID, n.State, n.Discrepancy = v7(i), pagoinrete.NoticeNotLinked, pagoinrete.Discrepancy{}
		changes[i] = pagoinrete.NoticeChange{Notice: n, Record: pagoinrete.NoticeRecord{At: n.CreatedAt, By: "m.neri", Action: pagoinrete.NoticeVerify, To: n.State}}
	}
	return pagoinrete.EventChange{Event: e, Record: pagoinrete.EventRecord{At: e.CreatedAt, By: "m.neri", Action: pagoinrete.EventSave, To: e.State}}, changes
}

func sequence[C any](changes ...C) iter.Seq2[C, error] {
	return func(yield func(C, error) bool) {
		for _, c := range changes {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// A sequence of several groups is written whole or not at all, whatever is wrong at its end.
func TestLongSequencesOfNoticesAreAllOrNothing(t *testing.T) {
	broken := errors.New("no more rows")
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := t.Context()
		e, changes := fee(t, 1200)
		next := func(at int, version int64) pagoinrete.NoticeChange {
			c := changes[at]
			c.Notice.Version = version
			return c
		}
		for name, last := range map[string]pagoinrete.NoticeChange{
			"new twice":                          next(3, 0),
			"new and then changed":               next(3, 1),
			"changed, and is not there":          {Notice: pagoinrete.Notice{ID: v7(1 << 20), EventID: e.Event.ID, Version: 1}},
			"new twice in the last group":        next(1199, 0),
			"new and changed, in the last group": next(1199, 1),
		} {
			err := s.SaveEvent(ctx, e, sequence(append(changes[:1200:1200], last)...))
			require.ErrorIs(t, err, flussi.ErrConflict, name)
		}
		err := s.SaveEvent(ctx, e, func(yield func(pagoinrete.NoticeChange, error) bool) {
			sequence(changes...)(yield)
			yield(pagoinrete.NoticeChange{}, broken)
		})
		require.ErrorIs(t, err, broken)
		_, err = s.Event(ctx, e.Event.ID)
		require.ErrorIs(t, err, flussi.ErrNotFound)
		own := must.As[*flussi.Error](t, err)
		assert.Equal(t, e.Event.ID, own.ID)

		require.NoError(t, s.SaveEvent(ctx, e, sequence(changes...)))
		assert.Equal(t, pagoinrete.NoticeCounts{NotLinked: 1200}, must.Get(s.Event(ctx, e.Event.ID))(t).Counts)
		history := must.Get(s.NoticeHistory(ctx, changes[1199].Notice.ID))(t)
		want := changes[1199].Record
		want.Version = 1
		assert.Equal(t, []pagoinrete.NoticeRecord{want}, history)

		// Changed once is enough, in one write.
		require.ErrorIs(t, s.SaveNotices(ctx, append(nexts(changes, 1), next(0, 2))...), flussi.ErrConflict)
		require.ErrorIs(t, s.SaveNotices(ctx, append(nexts(changes, 1)[1:], next(0, 2))...), flussi.ErrConflict)
		require.NoError(t, s.SaveNotices(ctx, nexts(changes, 1)...))
		require.ErrorIs(t, s.SaveNotices(ctx, nexts(changes, 1)...), flussi.ErrConflict)
	})
}

func nexts(changes []pagoinrete.NoticeChange, version int64) []pagoinrete.NoticeChange {
	changed := make([]pagoinrete.NoticeChange, len(changes))
	for i, c := range changes {
		c.Notice.Version = version
		changed[i] = c
	}
	return changed
}

// Counts are right when many change the notices of an event at once, some with others' notices.
func TestCountsOfNoticesAreRightWhateverGoesOnAtOnce(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := t.Context()
		e, changes := fee(t, 60)
		require.NoError(t, s.SaveEvent(ctx, e, sequence(changes...)))
		var group sync.WaitGroup
		for worker := range 6 {
			group.Go(func() {
				m := maker{rand.New(rand.NewPCG(uint64(worker), 3))}
				for range 20 {
					var next []pagoinrete.NoticeChange
					for at := m.IntN(10); at < 60; at += 1 + m.IntN(10) {
						n, err := s.Notice(ctx, changes[at].Notice.ID)
						assert.NoError(t, err)
						n.State, n.Discrepancy = one(m, pstates...), m.discrepancy()
						next = append(next, pagoinrete.NoticeChange{Notice: n})
					}
					if err := s.SaveNotices(ctx, next...); err != nil {
						assert.ErrorIs(t, err, flussi.ErrConflict)
					}
				}
			})
		}
		group.Wait()
		kept := must.Get(s.Event(ctx, e.Event.ID))(t)
		all := must.Get(s.Notices(ctx, pagoinrete.NoticeFilter{Event: e.Event.ID}, pagoinrete.Page{Limit: 100}))(t)
		var want pagoinrete.NoticeCounts
		for _, n := range all {
			want.Add(n, 1)
		}
		assert.Equal(t, want, kept.Counts)
		assert.Equal(t, 60, kept.Counts.Total())
	})
}

// A database from before there were notices is brought up to date, and keeps its flows; from then
// on it holds both.
func TestAnOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		at, ctx := location(t), t.Context()
		old := must.Get(sqlstore.OpenOlder(ctx, at, 1))(t)
		made, rows := change(t, 3)
		id := made.Flow.ID
		require.NoError(t, old.WriteFlow(ctx, made.Flow))
		for row := range rows {
			row.Notification.Version = 1
			require.NoError(t, old.Write(ctx, row.Notification, 0))
		}
		require.NoError(t, old.Close())

		s := open(t, at)
		assert.Equal(t, flow.Counts{Registered: 3}, must.Get(s.Flow(ctx, id))(t).Counts)
		e, changes := fee(t, 5)
		require.NoError(t, s.SaveEvent(ctx, e, sequence(changes...)))
		assert.Equal(t, 5, must.Get(s.Event(ctx, e.Event.ID))(t).Counts.NotLinked)
	})
}

// A fault says in Italian what to do, whichever room it is told in.
func TestAFaultIsToldInTheRoomsOwnError(t *testing.T) {
	s := must.Get(sqlstore.Open(t.Context(), newSQLite(t), sqlstore.Config{}))(t)
	require.NoError(t, s.Fill(t.Context()))
	e, changes := fee(t, 3000)
	err := s.SaveEvent(t.Context(), e, sequence(changes...))
	refused(t, err, sqlstore.ErrFull)
	must.As[*flussi.Error](t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.SaveNotices(ctx, changes...), context.Canceled)
	require.NoError(t, s.Close())
}
