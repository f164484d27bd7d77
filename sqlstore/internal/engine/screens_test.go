package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// page51 is how many rows a service reads for a page of 50.
const page51 = 51

// screen is a query of a screen, or of the dispatcher.
type screen struct {
	name string
	sql  string // how it is found
	// read returns the IDs of what it finds.
	read func(t testing.TB, a *archive, p flow.Page) []uuid.UUID
	// paged says that the screen has pages; others have a limit.
	paged bool
	byKey func(a *archive, ids []uuid.UUID) error // reads as many by their IDs
}

// screens are the queries that have to be fast among a million rows: they read about as many rows as
// they find.
var screens = []screen{
	flowScreen("Ricerca Flussi: a service's", "service = ?, in the order of flows_of_service",
		func(*archive) flow.FlowFilter { return flow.FlowFilter{Services: []string{serviceName(1)}} }),
	flowScreen("Ricerca Flussi: an operator's three services by Stato", "service = ? AND state = ?, three branches of flows_of_service_in_state",
		func(*archive) flow.FlowFilter {
			return flow.FlowFilter{Services: threeServices(), States: []flow.FlowState{flow.FlowIncomplete}}
		}),
	flowScreen("Ricerca Flussi: Note with a rare text", "the first 200 flows, then flow_texts",
		func(*archive) flow.FlowFilter { return flow.FlowFilter{Services: threeServices(), Text: rareText} }),
	notificationScreen("Flusso: its Notifiche", "flow_id = ?, in the order of notifications_of_flow",
		func(a *archive) flow.NotificationFilter {
			return flow.NotificationFilter{Flow: a.big.ID, Services: []string{a.big.Service}}
		}),
	notificationScreen("Flusso: its Notifiche in Errore", "flow_id = ? AND state = ?, in the order of notifications_of_flow_in_state",
		func(a *archive) flow.NotificationFilter {
			return flow.NotificationFilter{Flow: a.big.ID, Services: []string{a.big.Service}, States: []flow.NotificationState{flow.NotificationFailed}}
		}),
	notificationScreen("Notifiche: C.F. Dest.", "recipient = ? by notifications_by_recipient, sorted",
		func(a *archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), Recipient: a.like.Recipient}
		}),
	notificationScreen("Notifiche: codice avviso", "notice_number = ? by notifications_by_notice_number, sorted",
		func(a *archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), NoticeNumber: a.like.NoticeNumber}
		}),
	notificationScreen("Notifiche: Oggetto with a rare text", "the first 200 notifications, then notification_texts",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), Text: rareText}
		}),
	notificationScreen("Notifiche: Oggetto with a common text", "the first 200 notifications",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), Text: "di pagamento"}
		}),
	notificationScreen("Verifica Stato: open deliveries of a service", "service = ? AND delivery_open, in the order of notifications_delivery_open",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: []string{serviceName(0)}, DeliveryOpen: true}
		}),
	noticeScreen("Evento: its avvisi by stato", "event_id = ? AND state = ?, in the order of notices_of_event_in_state",
		func(a *archive) pagoinrete.NoticeFilter {
			return pagoinrete.NoticeFilter{Event: a.event, Schools: []string{school}, States: []pagoinrete.NoticeState{pagoinrete.NoticeNotified}}
		}),
	noticeScreen("Avvisi: those of a debtor", "debtor = ? by notices_by_debtor, sorted",
		func(a *archive) pagoinrete.NoticeFilter {
			return pagoinrete.NoticeFilter{Schools: []string{school}, Debtor: a.notice1.Debtor}
		}),
	flowScreen("dispatcher: flows In invio of any service", "state = ?, in the order of flows_in_state",
		func(*archive) flow.FlowFilter { return flow.FlowFilter{States: []flow.FlowState{flow.FlowSending}} }),
	flowScreen("Ricerca Flussi: an operator's three services, those that are scheduled", "service = ?, three branches of flows_of_service_scheduled",
		func(*archive) flow.FlowFilter {
			return flow.FlowFilter{Services: threeServices(), ScheduledBefore: begin.AddDate(1, 0, 0)}
		}),
	flowScreen("dispatcher: scheduled flows whose time has come", "in the order of flows_scheduled",
		func(*archive) flow.FlowFilter {
			return flow.FlowFilter{Disabled: flow.OnlyEnabled, ScheduledBefore: begin.AddDate(1, 0, 0)}
		}),
	notificationScreen("Notifiche: those of all services", "in the order of notifications_listed",
		func(*archive) flow.NotificationFilter { return flow.NotificationFilter{} }),
	noticeScreen("Avvisi: a riferimento that all have", "reference = ?, in the order of notices_by_reference",
		func(*archive) pagoinrete.NoticeFilter {
			return pagoinrete.NoticeFilter{Schools: []string{school}, Reference: "gita"}
		}),
	flowScreen("Ricerca Flussi: a Contesto Applicativo that all have", "app_context = ?, in the order of flows_by_context",
		func(*archive) flow.FlowFilter {
			return flow.FlowFilter{Services: allServices(), AppContext: "comune"}
		}),
	{
		name: "Invia Flusso: what is to be claimed", sql: "flow_id = ?, in the order of notifications_to_send",
		read: func(t testing.TB, a *archive, _ flow.Page) []uuid.UUID {
			return idsOf(must.Get(a.ToSend(context.Background(), flow.Claim{Flow: a.big.ID, Limit: page51}))(t))
		},
		byKey: notificationsByKey,
	},
	{
		name: "dispatcher: leases that are over", sql: "lease_end <= ? by notifications_sending",
		read: func(t testing.TB, a *archive, _ flow.Page) []uuid.UUID {
			return idsOf(must.Get(a.Expired(context.Background(), page51))(t))
		},
		byKey: notificationsByKey,
	},
}

// otherFilters are searches that read more rows than they find: as many rows of the list as it takes
// to fill the page.
var otherFilters = []screen{
	notificationScreen("a text in one of 100 subjects", "the first 200 notifications, 2001 by notification_texts, then the list",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), Text: " n. 77"}
		}),
	notificationScreen("a user who changed none", "all of four services",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), User: "nessuno"}
		}),
	notificationScreen("an error code that none has, in Errore", "all in Errore of four services",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: allServices(), States: []flow.NotificationState{flow.NotificationFailed}, ErrorCodes: []flow.ErrorCode{"nessuno"}}
		}),
	notificationScreen("none that changed since, with an open delivery", "all of a service with an open delivery",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: []string{serviceName(0)}, DeliveryOpen: true, ChangedFrom: begin.AddDate(9, 0, 0)}
		}),
	notificationScreen("closed before a time, before all", "all of a service",
		func(*archive) flow.NotificationFilter {
			return flow.NotificationFilter{Services: []string{serviceName(0)}, ClosedBefore: begin}
		}),
	noticeScreen("due before a day, one of four", "the first 200 of an event in a state",
		func(a *archive) pagoinrete.NoticeFilter {
			return pagoinrete.NoticeFilter{Event: a.event, States: []pagoinrete.NoticeState{pagoinrete.NoticeNotified}, DueBefore: begin.AddDate(0, 3, 0)}
		}),
	noticeScreen("due before a day, none", "all of an event in a state",
		func(a *archive) pagoinrete.NoticeFilter {
			return pagoinrete.NoticeFilter{Event: a.event, States: []pagoinrete.NoticeState{pagoinrete.NoticeNotified}, DueBefore: begin}
		}),
}

func allServices() []string {
	return []string{serviceName(0), serviceName(1), serviceName(2), serviceName(3)}
}
func threeServices() []string { return allServices()[1:] }

func idsOf(found []flow.Notification) (ids []uuid.UUID) {
	for i := range found {
		ids = append(ids, found[i].ID)
	}
	return ids
}

func flowScreen(name, sql string, filter func(*archive) flow.FlowFilter) screen {
	return screen{
		name: name, sql: sql, paged: true,
		read: func(t testing.TB, a *archive, p flow.Page) (ids []uuid.UUID) {
			for _, f := range must.Get(a.Flows(context.Background(), filter(a), p))(t) {
				ids = append(ids, f.ID)
			}
			return ids
		},
		byKey: func(a *archive, ids []uuid.UUID) error {
			_, err := a.Flows(context.Background(), flow.FlowFilter{IDs: ids}, flow.Page{Limit: page51})
			return err
		},
	}
}

func notificationScreen(name, sql string, filter func(*archive) flow.NotificationFilter) screen {
	return screen{
		name: name, sql: sql, paged: true,
		read: func(t testing.TB, a *archive, p flow.Page) []uuid.UUID {
			return idsOf(must.Get(a.Notifications(context.Background(), filter(a), p))(t))
		},
		byKey: notificationsByKey,
	}
}

func notificationsByKey(a *archive, ids []uuid.UUID) error {
	_, err := a.Notifications(context.Background(), flow.NotificationFilter{IDs: ids}, flow.Page{Limit: page51})
	return err
}

func noticeScreen(name, sql string, filter func(*archive) pagoinrete.NoticeFilter) screen {
	return screen{
		name: name, sql: sql, paged: true,
		read: func(t testing.TB, a *archive, p flow.Page) (ids []uuid.UUID) {
			for _, n := range must.Get(a.Notices(context.Background(), filter(a), p))(t) {
				ids = append(ids, n.ID)
			}
			return ids
		},
		byKey: func(a *archive, ids []uuid.UUID) error {
			_, err := a.Notices(context.Background(), pagoinrete.NoticeFilter{IDs: ids}, pagoinrete.Page{Limit: page51})
			return err
		},
	}
}

// pages returns the pages that are looked at: the first one, one in the middle, and both in the
// other order.
func (s *screen) pages() map[string]flow.Page {
	all := map[string]flow.Page{"first page": {Limit: page51}}
	if s.paged {
		middle := flow.Cursor{At: begin.Add(30 * time.Minute), ID: orderedID(30)}
		all["oldest first"] = flow.Page{Limit: page51, OldestFirst: true}
		all["page in the middle"] = flow.Page{Limit: page51, After: middle}
		all["page in the middle, oldest first"] = flow.Page{Limit: page51, After: middle, OldestFirst: true}
	}
	return all
}

// TestScreensReadAFewRows checks the plans of all screens, and of sending: freshly imported, and with
// statistics.
// With -rows 1000000 it checks them among a million rows.
func TestScreensReadAFewRows(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		a := &archive{database: open(t)}
		a.fill(t, rowsOr(20_000))
		for _, statistics := range []string{"freshly imported", "analyzed"} {
			t.Run(statistics, func(t *testing.T) {
				if statistics == "analyzed" {
					a.exec(t, "ANALYZE")
				}
				checkScreens(t, a)
				t.Run("claims and outcomes", func(t *testing.T) { checkSending(t, a) })
			})
		}
	})
}

func checkScreens(t *testing.T, a *archive) {
	for _, s := range screens {
		for name, p := range s.pages() {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				checked := *a
				checked.database = a.checked(t)
				found := s.read(t, &checked, p)
				if name == "first page" {
					require.NotEmpty(t, found)
				}
			})
		}
	}
}

// checked returns the same database, of which the plan of each query is checked.
func (a database) checked(t *testing.T) database {
	checked := a
	checked.Store = a.Watched(func(c engine.Conn, query string, args []any) {
		switch {
		case !strings.HasPrefix(query, "SELECT") && !strings.HasPrefix(query, "WITH") || strings.Contains(query, "clock_timestamp"):
		case a.isPG:
			checkPostgresPlan(t, c, query, args)
		default:
			checkSQLitePlan(t, c, query, args)
		}
	})
	return checked
}

// checkSending claims and stores outcomes, and checks the plans of what that reads.
func checkSending(t *testing.T, a *archive) {
	var changes []flow.NotificationChange
	for range 3 {
		_, claimed, err := a.checked(t).SaveAndClaim(context.Background(), changes,
			flow.Claim{Flow: a.big.ID, Limit: 32, Lease: time.Minute, At: begin, By: "dispatcher"})
		require.NoError(t, err)
		require.Len(t, claimed, 32)
		changes = nil
		for _, n := range claimed {
			n.State = flow.NotificationSent
			changes = append(changes, flow.NotificationChange{Notification: n})
		}
	}
}

// BenchmarkScreens measures each screen, in turns with reading the same entities by their IDs. With
// -rows 1000000 it measures them among a million rows.
func BenchmarkScreens(b *testing.B) {
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		a := &archive{database: open(b)}
		start := time.Now()
		n := rowsOr(2000)
		a.fill(b, n)
		b.Logf("%d notifications and %d notices in %v", n, n, time.Since(start))
		for _, statistics := range []string{"freshly imported", "analyzed"} {
			if statistics == "analyzed" {
				a.exec(b, "ANALYZE")
			}
			for _, s := range screens {
				b.Run(statistics+"/"+s.name, func(b *testing.B) { s.measure(b, a) })
			}
			for _, s := range otherFilters {
				b.Run(statistics+"/other filters/"+s.name, func(b *testing.B) { s.measure(b, a) })
			}
		}
	})
}

func (s *screen) measure(b *testing.B, a *archive) {
	ids := s.read(b, a, flow.Page{Limit: page51})
	require.NoError(b, s.byKey(a, ids))
	var screen, byKey []time.Duration
	for b.Loop() {
		start := time.Now()
		s.read(b, a, flow.Page{Limit: page51})
		read := time.Now()
		require.NoError(b, s.byKey(a, ids))
		screen, byKey = append(screen, read.Sub(start)), append(byKey, time.Since(read))
	}
	slices.Sort(screen)
	slices.Sort(byKey)
	middle := len(screen) / 2
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(ids)), "rows")
	b.ReportMetric(float64(screen[middle].Microseconds()), "µs")
	b.ReportMetric(screen[middle].Seconds()/byKey[middle].Seconds(), "of_by_key")
}
