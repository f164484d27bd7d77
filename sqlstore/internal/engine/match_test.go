package engine_test

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
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	noticestore "github.com/flussi-go/flussi/pagoinrete/memstore"
)

// maker makes up entities and filters out of few values, so that each value is rare or common.
type maker struct{ *rand.Rand }

func oneOf[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

// someOf returns a few of some values, mostly none.
func someOf[T any](m maker, of ...T) []T {
	var few []T
	for m.IntN(3) == 0 {
		few = append(few, oneOf(m, of...))
	}
	return few
}

// maybe returns one of some values, mostly the zero one.
func maybe[T any](m maker, of ...T) T {
	if m.IntN(5) > 0 {
		var none T
		return none
	}
	return oneOf(m, of...)
}

var (
	services = []string{"tributi", "tributi", "tributi", "scuola", "anagrafe", "mensa\x00", "\xff"}
	users    = []string{"m.neri", "M.Neri", "dispatcher", "dispatcher", "a.verdi"}
	texts    = []string{
		"", "Avviso TARI", "Mensa scolastica: è ora", "MENSA SCOLASTICA: È SCADUTO", "Sconto del 10% sulla TARI", "C:\\mensa_2026",
		"con \x00 dentro", "non \xff valido", "\ufdd0\ufde0 riservati \ufffd", "ẞß ﬁ 👩‍👩‍👧", "''\"--", "[a-z]* ?",
	}
	parts = []string{
		"tari", "TARI", "È s", "scolast", "10% s", "a_2", "\x00 d", "\ufffd v", "\ufdd0\ufde0 r", "👩‍👩", "''\"", "ß ﬁ", "xyz", "\\m", "[a-", "]* ?",
	}
	flowStates   = []flow.FlowState{flow.FlowInactive, flow.FlowSent, flow.FlowSent, flow.FlowSending, "a|b", ""}
	states       = []flow.NotificationState{flow.NotificationRegistered, flow.NotificationSent, flow.NotificationSent, flow.NotificationSent, flow.NotificationFailed, "a|b", "a"}
	codes        = []flow.ErrorCode{"", "", "", flow.CodeRefused, flow.CodeOutcomeUnknown, "b|c"}
	schools      = []string{"MIIC8AA00A", "MIIC8AA00A", "RMIC8AA00B", "x\x00"}
	eventStates  = []pagoinrete.EventState{pagoinrete.EventNotified, pagoinrete.EventNotified, pagoinrete.EventSimulated, "?"}
	noticeStates = []pagoinrete.NoticeState{pagoinrete.NoticeNotified, pagoinrete.NoticeNotified, pagoinrete.NoticePaidOnline, pagoinrete.NoticeCancelled, "?"}
)

func (m maker) time() time.Time {
	return time.Date(2026, time.May, 4, 10, m.IntN(40), 0, m.IntN(2)*1000, time.UTC)
}

// wanted returns a time to look for, which may lie between two microseconds.
func (m maker) wanted() time.Time { return m.time().Add(oneOf(m, 0, 500*time.Nanosecond)) }

func (m maker) id() uuid.UUID {
	id := uuid.UUID{6: 0x70, 8: 0x80}
	id[0], id[1], id[14], id[15] = byte(m.IntN(256)), byte(m.IntN(256)), byte(m.IntN(256)), byte(m.IntN(256))
	return id
}

func (m maker) number() flussi.NoticeNumber {
	return oneOf(m, flussi.NoticeNumber{}, appiotest.SampleNotice(m.IntN(30)))
}

func (m maker) flow() flow.Flow {
	return flow.Flow{
		ID: m.id(), Service: oneOf(m, services...), State: oneOf(m, flowStates...), Error: maybe(m, texts...), Disabled: m.IntN(6) == 0,
		Details:   flow.Details{Note: flussi.NewText(oneOf(m, texts...)), AppContext: oneOf(m, "", "protocollo", "x\x00"), AppKey: maybe(m, "1", "2", "\xfe")},
		CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...),
	}
}

func (m maker) notification(flows []uuid.UUID) flow.Notification {
	n := flow.Notification{
		ID: m.id(), FlowID: oneOf(m, flows...), Service: oneOf(m, services...), State: oneOf(m, states...),
		Draft: flow.Draft{
			Recipient: appiotest.SampleCitizen(m.IntN(60)), Subject: flussi.NewText(oneOf(m, texts...)), Content: flussi.NewText(oneOf(m, "Uno", "Due")),
			DueDate: maybe(m, m.time()), NoticeNumber: m.number(), Reference: maybe(m, "r1", "r1", "r1", "r2", "\x00"),
		},
		Transmission: flow.Transmission{
			MessageID: oneOf[appio.MessageID](m, "", "M1", "M1", "M2", "M3"), SentAt: maybe(m, m.time(), m.time(), m.time()),
			ErrorCode: oneOf(m, codes...), Error: maybe(m, texts...),
		},
		Delivery:  flow.Delivery{Status: oneOf(m, "", appio.StatusProcessed, appio.StatusRejected, appio.StatusAccepted)},
		Disabled:  m.IntN(6) == 0,
		CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...),
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
		Services: someOf(m, services...), States: someOf(m, flowStates...), Text: maybe(m, parts...), User: maybe(m, users...),
		From: maybe(m, m.wanted()), To: maybe(m, m.wanted()), AppContext: maybe(m, "protocollo", "x\x00"), AppKey: maybe(m, "1", "\xfe"),
		Disabled: m.disabled(), ChangedFrom: maybe(m, m.wanted()), ChangedTo: maybe(m, m.wanted()),
	}
	for m.IntN(8) == 0 {
		q.IDs = append(q.IDs, oneOf(m, all...).ID, m.id())
	}
	return q
}

// manyServices are more than branches are merged of.
func manyServices() (many []string) {
	for i := range 60 {
		many = append(many, fmt.Sprint("servizio ", i))
	}
	return append(many, services...)
}

func (m maker) notificationFilter(all []flow.Notification) flow.NotificationFilter {
	like := oneOf(m, all...)
	q := flow.NotificationFilter{
		Flow: maybe(m, like.FlowID), Standalone: m.IntN(10) == 0, Services: someOf(m, services...), States: someOf(m, states...),
		ErrorCodes: someOf(m, codes...), Text: maybe(m, parts...), User: maybe(m, users...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()),
		Disabled: m.disabled(), ChangedFrom: maybe(m, m.wanted()), ChangedTo: maybe(m, m.wanted()),
		DeliveryOpen: m.IntN(8) == 0, ClosedBefore: maybe(m, m.wanted()),
	}
	switch m.IntN(16) {
	case 0:
		q.IDs = []uuid.UUID{like.ID, m.id(), oneOf(m, all...).ID}
	case 1:
		q.Recipient = like.Recipient
	case 2:
		q.NoticeNumber = m.number()
	case 3:
		q.Reference = oneOf(m, "r1", "r2", "\x00")
	case 4:
		q.MessageID = oneOf[appio.MessageID](m, "M1", "M2", "M4")
	case 5:
		q.Digests = []flow.Digest{like.Digest(), oneOf(m, all...).Digest(), {1}}
	case 6:
		q.Services = manyServices()
	}
	return q
}

func (m maker) page(after flow.Cursor) flow.Page {
	p := flow.Page{Limit: oneOf(m, 1, 7, 50, 1000), OldestFirst: m.IntN(2) == 0}
	switch m.IntN(4) {
	case 0:
		p.After = after
	case 1:
		p.After = flow.Cursor{At: m.wanted(), ID: m.id()}
	}
	return p
}

// rounds returns how many filters are tried.
func rounds(t *testing.T) int {
	if testing.Short() {
		return 50
	}
	return 250
}

// TestListsFindWhatMatches compares lists with those of the stores in memory, in which Match says
// what matches.
func TestListsFindWhatMatches(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		m, ctx := maker{rand.New(rand.NewPCG(1, 2))}, t.Context()
		store, reference := open(t), memstore.New()
		var flows []flow.Flow
		ids := []uuid.UUID{{}}
		for range 300 {
			f := m.flow()
			flows, ids = append(flows, f), append(ids, f.ID)
		}
		var all []flow.Notification
		for range 1200 {
			all = append(all, m.notification(ids[:8]))
		}
		for _, s := range []flow.Store{store, reference} {
			for _, f := range flows {
				require.NoError(t, s.SaveFlow(ctx, flow.FlowChange{Flow: f}, nil))
			}
			require.NoError(t, s.SaveNotifications(ctx, changesOf(all)...))
		}
		for i := range all[:300] { // some get other texts, and lose the old ones
			all[i].Version, all[i].Subject = 1, flussi.NewText(oneOf(m, texts...))
		}
		for i := range flows[:100] {
			flows[i].Version, flows[i].Note = 1, flussi.NewText(oneOf(m, texts...))
		}
		for _, s := range []flow.Store{store, reference} {
			require.NoError(t, s.SaveNotifications(ctx, changesOf(all[:300])...))
			for _, f := range flows[:100] {
				require.NoError(t, s.SaveFlow(ctx, flow.FlowChange{Flow: f}, nil))
			}
		}
		for range rounds(t) {
			compare(t, store.Flows, reference.Flows, m.flowFilter(flows), m.page(oneOf(m, flows...).Cursor()))
			compare(t, store.Notifications, reference.Notifications, m.notificationFilter(all), m.page(oneOf(m, all...).Cursor()))
		}
	})
}

func changesOf(all []flow.Notification) []flow.NotificationChange {
	changes := make([]flow.NotificationChange, len(all))
	for i, n := range all {
		changes[i].Notification = n
	}
	return changes
}

// compare lists by a store and by the one in memory, and checks that both find the same.
func compare[Q any, T interface{ Cursor() flow.Cursor }](t *testing.T, store, reference func(context.Context, Q, flow.Page) ([]T, error), q Q, p flow.Page) []T {
	t.Helper()
	got, err := store(t.Context(), q, p)
	require.NoError(t, err, "%+v", q)
	want := must.Get(reference(t.Context(), q, p))(t)
	require.Equal(t, places(want), places(got), "%+v on %+v", q, p)
	require.ElementsMatch(t, want, got)
	return want
}

func places[T interface{ Cursor() flow.Cursor }](of []T) []string {
	places := make([]string, len(of))
	for i, v := range of {
		places[i] = v.Cursor().At.Format(time.StampMicro) + v.Cursor().ID.String()
	}
	return places
}

// TestTextsAreFoundWhereverTheyAre searches for texts that are among the first rows of a list, that
// are rare, and that are common behind the first rows.
func TestTextsAreFoundWhereverTheyAre(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		m, ctx := maker{rand.New(rand.NewPCG(3, 4))}, t.Context()
		store, reference := open(t), memstore.New()
		var all []flow.Notification
		for i := range 4000 {
			subject := fmt.Sprintf("Avviso %d", m.IntN(400))
			if i < 2500 {
				subject += " vecchio"
			}
			at := begin.Add(time.Duration(i/300) * time.Minute) // many at the same time
			all = append(all, flow.Notification{
				ID: m.id(), Service: oneOf(m, "tributi", "scuola"), State: oneOf(m, flow.NotificationSent, flow.NotificationFailed),
				Draft: flow.Draft{Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText(subject)}, CreatedAt: at, UpdatedAt: at,
			})
		}
		for some := range slices.Chunk(all, 700) {
			require.NoError(t, store.SaveNotifications(ctx, changesOf(some)...))
			require.NoError(t, reference.SaveNotifications(ctx, changesOf(some)...))
		}
		for _, text := range []string{"avviso", "vecchio", "avviso 7", "o 123", "399", "o 400"} {
			for _, q := range []flow.NotificationFilter{
				{Text: text},
				{Text: text, Services: []string{"scuola"}},
				{Text: text, Services: []string{"scuola", "tributi"}, States: []flow.NotificationState{flow.NotificationFailed}},
				{Text: text, From: begin.Add(4 * time.Minute), To: begin.Add(11 * time.Minute)},
			} {
				for _, p := range []flow.Page{{Limit: 3}, {Limit: 20}, {Limit: 20, OldestFirst: true}, {Limit: 1000, OldestFirst: true}} {
					for more, pages := true, 0; more && pages < 5; pages++ {
						found := compare(t, store.Notifications, reference.Notifications, q, p)
						if more = len(found) > 0; more {
							p.After = found[len(found)-1].Cursor()
						}
					}
				}
			}
		}
	})
}

func (m maker) event() pagoinrete.Event {
	return pagoinrete.Event{
		ID: m.id(), Kind: oneOf(m, pagoinrete.Fee, pagoinrete.Donation), School: oneOf(m, schools...), State: oneOf(m, eventStates...),
		EventData:   pagoinrete.EventData{Name: oneOf(m, texts...), Causale: oneOf(m, texts...), SchoolYear: oneOf[pagoinrete.SchoolYear](m, 2025, 2026)},
		Discrepancy: m.discrepancy(), CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...),
	}
}

func (m maker) discrepancy() pagoinrete.Discrepancy {
	return maybe(m, pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyMissing, At: m.time(), Resolved: m.IntN(2) == 0})
}

func (m maker) notice(events []pagoinrete.Event) pagoinrete.Notice {
	return pagoinrete.Notice{
		ID: m.id(), EventID: oneOf(m, events...).ID, School: oneOf(m, schools...), State: oneOf(m, noticeStates...), Instalment: 1,
		NoticeData: pagoinrete.NoticeData{
			Debtor: appiotest.SampleCitizen(m.IntN(60)), DebtorKind: pagoinrete.DebtorPupil, Payer: maybe(m, appiotest.SampleCitizen(m.IntN(9))),
			Amount: 100, DueDate: maybe(m, m.time(), m.time(), m.time(), m.time()), Reference: maybe(m, "r1", "r1", "r2", "\x00"),
		},
		Number: m.number(), Visible: m.IntN(2) == 0, Discrepancy: m.discrepancy(), CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...),
	}
}

func (m maker) eventFilter(all []pagoinrete.Event) pagoinrete.EventFilter {
	q := pagoinrete.EventFilter{
		Schools: someOf(m, schools...), States: someOf(m, eventStates...), Kind: maybe(m, pagoinrete.Fee), SchoolYear: maybe[pagoinrete.SchoolYear](m, 2025, 2026),
		Text: maybe(m, parts...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()), Discrepancy: m.IntN(8) == 0,
	}
	for m.IntN(8) == 0 {
		q.IDs = append(q.IDs, oneOf(m, all...).ID, m.id())
	}
	return q
}

func (m maker) noticeFilter(all []pagoinrete.Notice) pagoinrete.NoticeFilter {
	like := oneOf(m, all...)
	q := pagoinrete.NoticeFilter{
		Event: maybe(m, like.EventID), Schools: someOf(m, schools...), States: someOf(m, noticeStates...), From: maybe(m, m.wanted()), To: maybe(m, m.wanted()),
		DueBefore: maybe(m, m.wanted()), Visible: m.IntN(8) == 0, Discrepancy: m.IntN(8) == 0,
	}
	switch m.IntN(12) {
	case 0:
		q.IDs = []uuid.UUID{like.ID, m.id(), oneOf(m, all...).ID}
	case 1:
		q.Debtor = like.Debtor
	case 2:
		q.Payer = like.Payer
	case 3:
		q.Reference = oneOf(m, "r1", "r2", "\x00")
	case 4:
		q.IUVs = []flussi.IUV{appiotest.SampleNotice(1).IUV(), appiotest.SampleNotice(2).IUV()}
	}
	return q
}

func TestListsOfNoticesFindWhatMatches(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		m, ctx := maker{rand.New(rand.NewPCG(5, 6))}, t.Context()
		store, reference := open(t), noticestore.New()
		var events []pagoinrete.Event
		for range 100 {
			events = append(events, m.event())
		}
		var notices []pagoinrete.Notice
		var changes []pagoinrete.NoticeChange
		for range 1000 {
			n := m.notice(events[:8])
			notices, changes = append(notices, n), append(changes, pagoinrete.NoticeChange{Notice: n})
		}
		for _, s := range []pagoinrete.Store{store, reference} {
			for _, e := range events {
				require.NoError(t, s.SaveEvent(ctx, pagoinrete.EventChange{Event: e}, nil))
			}
			require.NoError(t, s.SaveNotices(ctx, changes...))
		}
		for range rounds(t) {
			compare(t, store.Events, reference.Events, m.eventFilter(events), m.page(oneOf(m, events...).Cursor()))
			compare(t, store.Notices, reference.Notices, m.noticeFilter(notices), m.page(oneOf(m, notices...).Cursor()))
		}
	})
}
