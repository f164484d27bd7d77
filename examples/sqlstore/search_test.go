package sqlstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// maker makes up entities and filters out of few values, so that each is rare or common.
type maker struct{ *rand.Rand }

func one[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

// some returns a few of some values, mostly none.
func some[T any](m maker, of ...T) []T {
	var few []T
	for m.IntN(3) == 0 {
		few = append(few, one(m, of...))
	}
	return few
}

// maybe returns one of some values, mostly the zero one.
func maybe[T any](m maker, of ...T) T {
	if m.IntN(5) > 0 {
		var none T
		return none
	}
	return one(m, of...)
}

var (
	services = []string{"tributi", "tributi", "tributi", "scuola", "anagrafe", "mensa\x00", "\xff"}
	users    = []string{"m.neri", "M.Neri", "dispatcher", "dispatcher", "a.verdi"}
	texts    = []string{
		"", "Avviso TARI", "Mensa scolastica: è ora", "MENSA SCOLASTICA: È SCADUTO", "Sconto del 10% sulla TARI", "C:\\mensa_2026",
		"con \x00 dentro", "non \xff valido", "\ufdd0\ufde0 riservati \ufffd", "ẞß ﬁ 👩‍👩‍👧", "''\"--",
	}
	wanted  = []string{"tari", "TARI", "È s", "scolast", "10% s", "a_2", "\x00 d", "\ufffd v", "\ufdd0\ufde0 r", "👩‍👩", "''\"", "ß", "xyz", "\\m"}
	fstates = []flow.FlowState{flow.FlowInactive, flow.FlowSent, flow.FlowSent, flow.FlowSending, "a|b", ""}
	nstates = []flow.NotificationState{flow.NotificationRegistered, flow.NotificationSent, flow.NotificationSent, flow.NotificationSent, flow.NotificationFailed, "a|b", "a"}
	codes   = []flow.ErrorCode{"", "", "", flow.CodeRefused, flow.CodeOutcomeUnknown, "b|c"}
)

func (m maker) time() time.Time {
	return time.Date(2026, time.May, 4, 10, m.IntN(40), 0, m.IntN(2)*1000, time.UTC)
}

// wanted returns a time to look for, which may lie between two microseconds.
func (m maker) wanted() time.Time { return m.time().Add(one(m, 0, 500*time.Nanosecond)) }

func (m maker) id() uuid.UUID {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	id[0], id[15] = byte(m.IntN(256)), byte(m.IntN(256))
	id[1], id[14] = byte(m.IntN(256)), byte(m.IntN(256))
	return id
}

func (m maker) code(t testing.TB) flussi.FiscalCode {
	code := must.Get(flussi.ParseFiscalCode(fmt.Sprintf("RSSMRA%02dA01H501U", m.IntN(60))))(t)
	return code
}

func (m maker) notice(t testing.TB) flussi.NoticeNumber {
	if m.IntN(2) == 0 {
		return flussi.NoticeNumber{}
	}
	number := must.Get(flussi.ParseNoticeNumber(fmt.Sprintf("0%017d", m.IntN(30))))(t)
	return number
}

func (m maker) flow() flow.Flow {
	return flow.Flow{
		ID: m.id(), Service: one(m, services...), State: one(m, fstates...), Error: maybe(m, texts...), Disabled: m.IntN(6) == 0,
		Details:   flow.Details{Note: flussi.NewText(one(m, texts...)), AppContext: one(m, "", "protocollo", "x\x00"), AppKey: maybe(m, "1", "2", "\xfe")},
		CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: one(m, users...),
	}
}

func (m maker) notification(t testing.TB, flows []uuid.UUID) flow.Notification {
	n := flow.Notification{
		ID: m.id(), FlowID: one(m, flows...), Service: one(m, services...), State: one(m, nstates...),
		Draft: flow.Draft{
			Recipient: m.code(t), Subject: flussi.NewText(one(m, texts...)), Content: flussi.NewText(one(m, "Uno", "Due")),
			DueDate: maybe(m, m.time()), NoticeNumber: m.notice(t), Reference: maybe(m, "r1", "r1", "r1", "r2", "\x00"),
		},
		Transmission: flow.Transmission{
			MessageID: one[appio.MessageID](m, "", "M1", "M1", "M2", "M3"), SentAt: maybe(m, m.time(), m.time(), m.time()),
			ErrorCode: one(m, codes...), Error: maybe(m, texts...),
		},
		Delivery:  flow.Delivery{Status: one(m, "", appio.StatusProcessed, appio.StatusRejected, appio.StatusAccepted)},
		Disabled:  m.IntN(6) == 0,
		CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: one(m, users...),
	}
	if m.IntN(6) == 0 {
		n.AnonymisedAt, n.Recipient, n.Subject = m.time(), flussi.FiscalCode{}, flussi.Text{}
	}
	return n
}

func (m maker) disabled() flow.DisabledFilter {
	return maybe(m, flow.OnlyDisabled, flow.OnlyEnabled, flow.OnlyEnabled)
}

func (m maker) flowFilter(all []flow.Flow) flow.FlowFilter {
	q := flow.FlowFilter{
		Services: some(m, services...), States: some(m, fstates...), Text: maybe(m, wanted...), User: maybe(m, users...),
		From: maybe(m, m.wanted()), To: maybe(m, m.wanted()), AppContext: maybe(m, "protocollo", "x\x00"), AppKey: maybe(m, "1", "\xfe"),
		Disabled: m.disabled(), ChangedFrom: maybe(m, m.wanted()), ChangedTo: maybe(m, m.wanted()),
	}
	for m.IntN(8) == 0 {
		q.IDs = append(q.IDs, one(m, all...).ID, m.id())
	}
	return q
}

func (m maker) notificationFilter(t testing.TB, all []flow.Notification) flow.NotificationFilter {
	like := one(m, all...)
	q := flow.NotificationFilter{
		Flow: maybe(m, like.FlowID), Standalone: m.IntN(10) == 0, Services: some(m, services...), States: some(m, nstates...),
		ErrorCodes: some(m, codes...), Text: maybe(m, wanted...), User: maybe(m, users...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()),
		Disabled: m.disabled(), ChangedFrom: maybe(m, m.wanted()), ChangedTo: maybe(m, m.wanted()),
		DeliveryOpen: m.IntN(8) == 0, ClosedBefore: maybe(m, m.wanted()),
	}
	switch m.IntN(16) {
	case 0:
		q.IDs = []uuid.UUID{like.ID, m.id(), one(m, all...).ID}
	case 1:
		q.Recipient = like.Recipient
	case 2:
		q.NoticeNumber = m.notice(t)
	case 3:
		q.Reference = one(m, "r1", "r2", "\x00")
	case 4:
		q.MessageID = one[appio.MessageID](m, "M1", "M2", "M4")
	case 5:
		q.Digests = []flow.Digest{like.Digest(), one(m, all...).Digest(), {1}}
	}
	return q
}

func (m maker) page(after flow.Cursor) flow.Page {
	p := flow.Page{Limit: one(m, 1, 7, 50, 1000), OldestFirst: m.IntN(2) == 0}
	switch m.IntN(4) {
	case 0:
		p.After = after
	case 1:
		p.After = flow.Cursor{At: m.wanted(), ID: m.id()}
	}
	return p
}

// What is found is what a store in memory finds, where Match says what matches.
func TestSearchesFindWhatMatches(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		m := maker{rand.New(rand.NewPCG(1, 2))}
		ctx := t.Context()
		store, reference := open(t, location(t)), memstore.New()
		var flows []flow.Flow
		ids := []uuid.UUID{{}}
		for range 300 {
			f := m.flow()
			flows, ids = append(flows, f), append(ids, f.ID)
		}
		var all []flow.Notification
		for range 1200 {
			all = append(all, m.notification(t, ids[:8]))
		}
		save := func(s flow.Store) {
			for _, f := range flows {
				require.NoError(t, s.SaveFlow(ctx, flow.FlowChange{Flow: f}, nil))
			}
			changes := make([]flow.NotificationChange, len(all))
			for i, n := range all {
				changes[i].Notification = n
			}
			require.NoError(t, s.SaveNotifications(ctx, changes...))
		}
		save(store)
		save(reference)
		// Some get other texts, and lose the old ones.
		for i := range all[:300] {
			all[i].Version, all[i].Subject = 1, flussi.NewText(one(m, texts...))
			for _, s := range []flow.Store{store, reference} {
				require.NoError(t, s.SaveNotifications(ctx, flow.NotificationChange{Notification: all[i]}))
			}
		}
		searches := 250
		if testing.Short() {
			searches = 50
		}
		for range searches {
			// Few rows are many, now and then.
			store.Look(one(m, 0, 10, 500), one(m, 5, 100), one(m, 20, 10_000), one(m, 0, 10, 200, 20_000), one(m, 1, 3, 8))
			find(t, store.Flows, reference.Flows, m.flowFilter(flows), m.page(one(m, flows...).Cursor()))
			find(t, store.Notifications, reference.Notifications, m.notificationFilter(t, all), m.page(one(m, all...).Cursor()))
		}
	})
}

// find searches a store and one in memory, which must find the same in the same order, and returns it.
func find[Q any, T interface{ Cursor() flow.Cursor }](t *testing.T, store, reference func(context.Context, Q, flow.Page) ([]T, error), q Q, page flow.Page) []T {
	t.Helper()
	got, err := store(t.Context(), q, page)
	require.NoError(t, err, "%+v", q)
	want := must.Get(reference(t.Context(), q, page))(t)
	require.Equal(t, places(want), places(got), "%+v on %+v", q, page)
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
	return want
}

// Texts that some rows have are found in the order of the list, although times run backwards now and
// then: on SQLite, rows are read in the order in which they were inserted.
func TestTextsAreFoundInTheOrderOfTheList(t *testing.T) {
	onBoth(t, func(t *testing.T, location databases) {
		m := maker{rand.New(rand.NewPCG(3, 4))}
		ctx := t.Context()
		store, reference := open(t, location(t)), memstore.New()
		began := m.time()
		var changes []flow.NotificationChange
		for i := range 5000 {
			n := flow.Notification{
				ID: m.id(), Service: one(m, "tributi", "scuola"), State: flow.NotificationSent,
				Draft:     flow.Draft{Recipient: m.code(t), Subject: flussi.NewText(fmt.Sprintf("Avviso %d", m.IntN(400)))},
				CreatedAt: began.Add(time.Duration(i/300) * time.Minute), UpdatedBy: "dispatcher", // many at once
			}
			if m.IntN(50) == 0 {
				n.CreatedAt = began.Add(time.Duration(m.IntN(300)-10) * time.Minute / 10)
			}
			n.UpdatedAt = n.CreatedAt
			changes = append(changes, flow.NotificationChange{Notification: n})
		}
		for some := range slices.Chunk(changes, 700) {
			require.NoError(t, store.SaveNotifications(ctx, some...))
			require.NoError(t, reference.SaveNotifications(ctx, some...))
		}
		store.Look(0, 1, 1, 20_000, 8) // or all are found in the list
		for _, text := range []string{"avviso 7", "o 123", "so 31", "399", "o 400"} {
			for _, q := range []flow.NotificationFilter{
				{Text: text}, {Text: text, Services: []string{"scuola"}}, {Text: text, From: began.Add(4 * time.Minute), To: began.Add(11 * time.Minute)},
			} {
				for _, page := range []flow.Page{{Limit: 3}, {Limit: 20}, {Limit: 20, OldestFirst: true}, {Limit: 1000, OldestFirst: true}} {
					for more, pages := true, 0; more && pages < 5; pages++ {
						want := find(t, store.Notifications, reference.Notifications, q, page)
						if more = len(want) > 0; more {
							page.After = want[len(want)-1].Cursor()
						}
					}
				}
			}
		}
	})
}

func places[T interface{ Cursor() flow.Cursor }](of []T) []string {
	places := make([]string, len(of))
	for i, v := range of {
		places[i] = v.Cursor().At.Format(time.StampMicro) + v.Cursor().ID.String()
	}
	return places
}
