package sqlstore_test

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

// school is an event with so many notices, and as many in 49 other events of the school. Of two
// instalments the one is paid, and the other is due later; some notices are rare.
type school struct {
	event uuid.UUID
	due   time.Time
}

func (s *school) events(n int) iter.Seq2[pagoinrete.EventChange, iter.Seq2[pagoinrete.NoticeChange, error]] {
	return func(yield func(pagoinrete.EventChange, iter.Seq2[pagoinrete.NoticeChange, error]) bool) {
		next := 1
		for number := range 50 {
			size := n
			if number > 0 {
				size = n / 49
			}
			created := start.Add(time.Duration(number) * time.Hour)
			e := pagoinrete.Event{
				ID: v7(number), Kind: pagoinrete.Fee, School: "MIIC8AA00A", State: pagoinrete.EventNotified,
				EventData: pagoinrete.EventData{Name: "Gita", Causale: "Gita a Roma", SchoolYear: 2026}, CreatedAt: created, UpdatedAt: created, UpdatedBy: "m.neri",
			}
			if number == 0 {
				s.event, s.due = e.ID, start.AddDate(0, 2, 0)
			}
			rows := func(yield func(pagoinrete.NoticeChange, error) bool) {
				for i := range size {
					if !yield(pagoinrete.NoticeChange{Notice: s.notice(e, next+i, size)}, nil) {
						return
					}
				}
			}
			if !yield(pagoinrete.EventChange{Event: e}, rows) {
				return
			}
			next += size
		}
	}
}

func (s *school) notice(e pagoinrete.Event, i, size int) pagoinrete.Notice {
	n := pagoinrete.Notice{
		ID: v7(1<<28 + i), EventID: e.ID, School: e.School, State: pagoinrete.NoticeReconciled, Instalment: 1 + i%2,
		NoticeData: pagoinrete.NoticeData{
			Debtor: appiotest.SampleCitizen(i / 2), DebtorKind: pagoinrete.DebtorPupil, DebtorName: flussi.NewText("Rossi Maria"),
			Payer: appiotest.SampleCitizen(1_000_000 + i/4), Amount: 5000, DueDate: s.due.AddDate(0, i%2, -1), Reference: "gita",
		},
		Number: appiotest.SampleNotice(i), RemoteID: "A", PayerRegistered: true, PayerLoggedIn: true,
		Evidence:  pagoinrete.Evidence{Receipt: pagoinrete.Proof{Reference: "RT0000000000000001", Amount: 5000, Date: s.due}},
		CreatedAt: e.CreatedAt.Add(time.Duration(i%size) * time.Millisecond), UpdatedAt: e.CreatedAt, UpdatedBy: "m.neri",
	}
	if i%2 == 1 {
		n.State, n.Evidence = pagoinrete.NoticeNotified, pagoinrete.Evidence{}
	}
	if i%size == size/2 {
		n.State, n.Visible, n.Reference = pagoinrete.NoticeAwaitingReceipt, true, "raro"
		n.Discrepancy = pagoinrete.Discrepancy{Kind: pagoinrete.DiscrepancyMissing, At: e.CreatedAt}
	}
	return n
}

// BenchmarkNotices measures pages of an event with many notices, and what is written. How many
// FLUSSI_ROWS says.
func BenchmarkNotices(b *testing.B) {
	n := rowsAsked(b, 500)
	onBoth(b, func(b *testing.B, location databases) {
		store, s, ctx := open(b, location(b)), &school{}, b.Context()
		began := time.Now()
		for e, notices := range s.events(n) {
			require.NoError(b, store.SaveEvent(ctx, e, notices))
			if e.Event.ID == s.event {
				b.Logf("an event with %d notices: %v", n, time.Since(began))
			}
		}
		unpaid := []pagoinrete.NoticeState{pagoinrete.NoticeNotNotified, pagoinrete.NoticeNotified}
		measure := func(name string, do func() int) {
			b.Run(name, func(b *testing.B) {
				found := do()
				for b.Loop() {
					found = do()
				}
				b.ReportMetric(float64(found), "found")
			})
		}
		var ids []uuid.UUID
		var iuvs []flussi.IUV
		for i := range 300 {
			ids, iuvs = append(ids, v7(1<<28+1+i*n/300)), append(iuvs, appiotest.SampleNotice(1+i*n/300).IUV())
		}
		searches := map[string]pagoinrete.NoticeFilter{
			"all": {}, "state common": {States: unpaid}, "state rare": {States: []pagoinrete.NoticeState{pagoinrete.NoticeAwaitingReceipt}},
			"state none": {States: []pagoinrete.NoticeState{pagoinrete.NoticeCancelled}}, "visible": {Visible: true}, "discrepancy": {Discrepancy: true},
			"due common": {DueBefore: s.due}, "due none": {DueBefore: start}, "due, unpaid none": {DueBefore: s.due, States: unpaid},
			"debtor": {Debtor: appiotest.SampleCitizen(n / 4)}, "payer": {Payer: appiotest.SampleCitizen(1_000_000 + n/8)},
			"reference common": {Reference: "gita"}, "reference rare": {Reference: "raro"}, "reference none": {Reference: "altro"},
			"IDs": {IDs: ids}, "IUVs": {IUVs: iuvs}, "behind": {From: start.Add(time.Duration(n/2) * time.Millisecond)},
		}
		for _, name := range sorted(searches) {
			for scope, q := range map[string]pagoinrete.NoticeFilter{"event": {Event: s.event}, "school": {Schools: []string{"MIIC8AA00A"}}} {
				own := searches[name]
				own.Event, own.Schools = q.Event, q.Schools
				measure(scope+"/"+name, func() int {
					found := must.Get(store.Notices(ctx, own, pagoinrete.Page{Limit: 51}))(b)
					return len(found)
				})
			}
		}
		measure("an event", func() int {
			e := must.Get(store.Event(ctx, s.event))(b)
			return e.Counts.Total()
		})
		measure("50 events", func() int {
			found := must.Get(store.Events(ctx, pagoinrete.EventFilter{Schools: []string{"MIIC8AA00A"}}, pagoinrete.Page{Limit: 51}))(b)
			return len(found)
		})
		notices := must.Get(store.Notices(ctx, pagoinrete.NoticeFilter{IDs: ids}, pagoinrete.Page{Limit: 1000}))(b)
		states := []pagoinrete.NoticeState{pagoinrete.NoticePaidOnline, pagoinrete.NoticeConfirmed}
		measure("change 300", func() int {
			changes := make([]pagoinrete.NoticeChange, len(notices))
			for i := range notices {
				notices[i].State = states[0]
				changes[i].Notice = notices[i]
				notices[i].Version++
			}
			slices.Reverse(states)
			require.NoError(b, store.SaveNotices(ctx, changes...))
			return len(changes)
		})
	})
}
