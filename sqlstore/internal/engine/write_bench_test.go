package engine_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete"
)

var bodyCount = flag.Int("bodies", 5, "how many bodies a dispatcher sends for in BenchmarkBodies")

const taxes = "tributi" // the service that the operator is enabled for

var clerk = flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}

// drafts returns n rows for different citizens, each with a subject of its own.
func drafts(n int) iter.Seq2[flow.Row, error] {
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			d := flow.Draft{
				Recipient: appiotest.SampleCitizen(i), Subject: flussi.NewText(fmt.Sprintf("Avviso di pagamento della TARI 2026 n. %d", i)), Content: content,
			}
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}

// acceptingSender accepts each message at once.
type acceptingSender struct{ messages atomic.Int64 }

func (s *acceptingSender) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	return appio.Receipt{ID: appio.MessageID(fmt.Sprintf("01JN6Q5CZ3VGTA4X%010d", s.messages.Add(1)))}, nil
}

func (s *acceptingSender) Message(context.Context, flussi.FiscalCode, appio.MessageID) (appio.MessageState, error) {
	return appio.MessageState{}, nil
}

func (s *acceptingSender) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{}, nil
}

func newService(b *testing.B, s flow.Store, senders flow.SenderFor) *flow.Service {
	return must.Get(flow.NewService(s, flow.Permissions{clerk.ID: {taxes}}, senders, flow.ServiceConfig{}))(b)
}

// reportMedian reports the median of what was measured.
func reportMedian(b *testing.B, of []float64, unit string) {
	slices.Sort(of)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(of[len(of)/2], unit)
}

// BenchmarkImport measures how quick an import by the service is, with its checks, its search for
// duplicates and the history, in turns with a bare loop that inserts the same rows into the same
// table of another database in one transaction, ten at a time.
func BenchmarkImport(b *testing.B) {
	n := rowsOr(200)
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		var ratios []float64
		for b.Loop() {
			bare := open(b)
			start := time.Now()
			require.NoError(b, bare.InsertBare(b.Context(), bareRows(n), 10))
			bareTook := time.Since(start)
			service := newService(b, open(b), func(context.Context, string) (flow.Sender, error) { return &acceptingSender{}, nil })
			start = time.Now()
			importFlow(b, service, n)
			took := time.Since(start)
			ratios = append(ratios, bareTook.Seconds()/took.Seconds())
			b.Logf("import %v, bare %v", took, bareTook)
		}
		reportMedian(b, ratios, "of_bare")
	})
}

func importFlow(b *testing.B, s *flow.Service, n int) flow.Flow {
	f, _, err := s.ImportFlow(b.Context(), clerk, taxes, flow.Details{}, drafts(n), flow.AddConfig{})
	require.NoError(b, err)
	return f
}

// bareRows returns the notifications of drafts.
func bareRows(n int) iter.Seq[flow.Notification] {
	return func(yield func(flow.Notification) bool) {
		f, now := uuid.Must(uuid.NewV7()), time.Now()
		for row := range drafts(n) {
			if !yield(flow.Notification{
				ID: uuid.Must(uuid.NewV7()), FlowID: f, Service: taxes, State: flow.NotificationRegistered, Draft: row.Draft,
				CreatedAt: now, UpdatedAt: now, UpdatedBy: clerk.ID,
			}) {
				return
			}
		}
	}
}

// itself is a store that saves and claims in one step, as the stores of both databases do.
type itself struct{ database }

// Self returns the store: see [flow.SaveAndClaimer].
func (s *itself) Self() flow.Store { return s }

// BenchmarkSend measures how many notifications a dispatcher with 32 workers sends, in a second and with
// each transaction: claims and outcomes, with a platform that answers at once.
func BenchmarkSend(b *testing.B) {
	n := rowsOr(200)
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		var rates, perWrite []float64
		for b.Loop() {
			s, sender := &itself{open(b)}, &acceptingSender{}
			senders := func(context.Context, string) (flow.Sender, error) { return sender, nil }
			service := newService(b, s, senders)
			f := importFlow(b, service, n)
			must.Get(service.ActivateFlow(b.Context(), clerk, f.ID))(b)
			must.Get(service.SendFlow(b.Context(), clerk, f.ID))(b)
			counted := benchtest.Count(s)
			d := must.Get(flow.NewDispatcher(counted, senders, flow.DispatcherConfig{Workers: 32, PollInterval: 50 * time.Millisecond}))(b)
			start := time.Now()
			sent := must.Get(d.Run(b.Context(), f.ID))(b)
			rates = append(rates, float64(n)/time.Since(start).Seconds())
			perWrite = append(perWrite, float64(n)/float64(counted.Writes()))
			require.Equal(b, flow.Counts{Sent: n}, sent.Counts)
		}
		reportMedian(b, rates, "rows/s")
		reportMedian(b, perWrite, "rows/write")
	})
}

// BenchmarkBodies measures how a dispatcher with the zero configuration sends for 40 bodies at the same
// time, each at 30 a second with answers after 50 ms:
// go test ./sqlstore/internal/engine -run '^$' -bench Bodies -benchtime 1x -bodies 40 -rows 300
func BenchmarkBodies(b *testing.B) {
	c := benchtest.Bodies{Count: *bodyCount, Each: rowsOr(30), Calls: 150, Latency: 50 * time.Millisecond}
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		for b.Loop() {
			c.Run(b, &itself{open(b)})
		}
	})
}

// BenchmarkProcesses measures how four dispatchers share the flows of many bodies, and how many calls of
// the store they make:
// go test ./sqlstore/internal/engine -run '^$' -bench Processes -benchtime 1x -bodies 10 -rows 300
func BenchmarkProcesses(b *testing.B) {
	c := benchtest.Bodies{Processes: 4, Count: *bodyCount, Each: rowsOr(30), Calls: 150, Latency: 50 * time.Millisecond}
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		for b.Loop() {
			c.Run(b, &itself{open(b)})
		}
	})
}

// BenchmarkSaveNotices measures how many notices are stored with their event, and how many changes
// of their states are.
func BenchmarkSaveNotices(b *testing.B) {
	n := rowsOr(500)
	onBoth(b, func(b *testing.B, open func(testing.TB) database) {
		var created, changed []float64
		for b.Loop() {
			a := &archive{database: open(b)}
			start := time.Now()
			a.saveEvent(b, 0, 0, n)
			created = append(created, float64(n)/time.Since(start).Seconds())
			found := must.Get(a.Notices(b.Context(), pagoinrete.NoticeFilter{Event: a.event}, pagoinrete.Page{Limit: 500}))(b)
			changes := make([]pagoinrete.NoticeChange, len(found))
			for i := range found {
				found[i].State = pagoinrete.NoticeConfirmed
				changes[i].Notice = found[i]
			}
			start = time.Now()
			require.NoError(b, a.SaveNotices(b.Context(), changes...))
			changed = append(changed, float64(len(changes))/time.Since(start).Seconds())
		}
		reportMedian(b, created, "created/s")
		reportMedian(b, changed, "changed/s")
	})
}
