package flow_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/benchtest"
	"github.com/flussi-go/flussi/internal/must"
)

// bench is a platform that accepts everything after a time, a client of it that nothing
// slows down, and a service and a dispatcher on a store in memory.
type bench struct {
	client     *appio.Client
	workers    int
	service    *flow.Service
	dispatcher *flow.Dispatcher
}

func newBench(b *testing.B, latency time.Duration, workers int) *bench {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(latency)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"01JN6Q5CZ3VGTA4X4QJEFR95C1"}`)
	}))
	b.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128}
	b.Cleanup(transport.CloseIdleConnections)
	key := must.Get(flussi.ParseKey("0123456789abcdef"))(b)
	client := must.Get(appio.New(key, appio.Config{
		BaseURL: server.URL, HTTPClient: &http.Client{Transport: transport, Timeout: 30 * time.Second}, Pace: freePace(b),
	}))(b)
	x := &bench{client: client, workers: workers}
	x.restart(b)
	return x
}

// restart begins anew with an empty store.
func (x *bench) restart(b *testing.B) {
	b.Helper()
	senders := func(context.Context, string) (flow.Sender, error) { return x.client, nil }
	store := memstore.New()
	service := newService(b, store, senders)
	dispatcher := must.Get(flow.NewDispatcher(store, senders, flow.DispatcherConfig{Workers: x.workers}))(b)
	x.service, x.dispatcher = service, dispatcher
}

// rows returns n rows for different citizens with one text.
func rows(n int) iter.Seq2[flow.Row, error] {
	d := draft(0)
	return func(yield func(flow.Row, error) bool) {
		for i := range n {
			d.Recipient = citizen(i)
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}

// sending returns a flow of n notifications that is to be sent.
func (x *bench) sending(b *testing.B, n int) flow.Flow {
	b.Helper()
	f := must.Get(x.service.CreateFlow(b.Context(), operator, taxes, flow.Details{}))(b)
	must.Get(x.service.AddNotifications(b.Context(), operator, f.ID, rows(n), flow.AddConfig{}))(b)
	must.Get(x.service.ActivateFlow(b.Context(), operator, f.ID))(b)
	f = must.Get(x.service.SendFlow(b.Context(), operator, f.ID))(b)
	return f
}

// run sends n notifications of a new flow, on a new store, and returns the time that took.
func (x *bench) run(b *testing.B, n int) time.Duration {
	x.restart(b)
	f := x.sending(b, n)
	start := time.Now()
	f, err := x.dispatcher.Run(b.Context(), f.ID)
	took := time.Since(start)
	require.NoError(b, err)
	require.Equal(b, flow.Counts{Sent: n}, f.Counts)
	return took
}

// bare submits n messages in a bare loop, and returns the time that took.
func (x *bench) bare(b *testing.B, n, workers int) time.Duration {
	m := draft(0).Message()
	return benchtest.Run(b, n, workers, func() error {
		_, err := x.client.Submit(b.Context(), m)
		return err
	})
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// Sending a flow, in turns with a bare loop of the same requests through the same client,
// by 32 workers: the ratio of their speeds, and for a server that takes 50 ms, the share
// of what the workers can do at most.
func BenchmarkRun(b *testing.B) {
	b.Run("local", func(b *testing.B) {
		x := newBench(b, 0, 32)
		var ratios []float64
		for b.Loop() {
			const n = 5000
			ours := x.run(b, n)
			ratios = append(ratios, x.bare(b, n, 32).Seconds()/ours.Seconds())
		}
		b.ReportMetric(median(ratios), "of-bare")
	})
	b.Run("50ms", func(b *testing.B) {
		x := newBench(b, 50*time.Millisecond, 32)
		var ratios []float64
		for b.Loop() {
			const n = 3200
			ratios = append(ratios, n/32*0.050/x.run(b, n).Seconds())
		}
		b.ReportMetric(median(ratios), "of-workers/latency")
	})
}

// accepting accepts everything at once, without a network.
type accepting struct{ flow.Sender }

func (accepting) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	return appio.Receipt{ID: "01JN6Q5CZ3VGTA4X4QJEFR95C1", Attempts: 1}, nil
}

func (accepting) Profile(context.Context, flussi.FiscalCode) (appio.Profile, error) {
	return appio.Profile{SenderAllowed: true}, nil
}

// The cost of an observer whose functions do nothing, in processor time of a dispatcher. Dispatchers
// with and without it run alternately.
func BenchmarkObserver(b *testing.B) {
	nothing := flow.Observer{
		SubmissionStarted: func(ctx context.Context, _ flow.Submission) context.Context { return ctx },
		SubmissionEnded:   func(context.Context, flow.Submission, flow.SubmissionResult) {},
		Claimed:           func(context.Context, flow.ClaimResult) {},
		LeaseRescued:      func(context.Context, flow.RescuedLease) {},
		StoreCalled:       func(context.Context, flow.StoreCall) {},
		SendingChanged:    func(context.Context, flow.SendingChange) {},
	}
	const n = 200_000
	used := func(o flow.Observer) float64 {
		store := newCounting(1, n)
		d := must.Get(flow.NewDispatcher(store, func(context.Context, string) (flow.Sender, error) { return accepting{}, nil }, flow.DispatcherConfig{Observer: o}))(b)
		start := benchtest.ProcessorTime()
		require.Equal(b, flow.Counts{Sent: n}, must.Get(d.Run(b.Context(), uuid.UUID{2: 1}))(b).Counts)
		return (benchtest.ProcessorTime() - start).Seconds()
	}
	var without, ratios []float64
	for b.Loop() {
		alone := used(flow.Observer{})
		without = append(without, alone*1e9/n)
		ratios = append(ratios, used(nothing)/alone)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(without), "ns/message")
	b.ReportMetric(median(ratios), "of-unobserved")
}

// What the service costs for each change, on a store in memory.
func BenchmarkService(b *testing.B) {
	x := newBench(b, 0, 1)
	ctx := b.Context()
	b.Run("edit_flow", func(b *testing.B) {
		f, err := x.service.CreateFlow(ctx, operator, taxes, flow.Details{})
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			if f, err = x.service.EditFlow(ctx, operator, f.ID, f.Version, flow.Details{AppKey: "chiave"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("disable_and_enable_notification", func(b *testing.B) {
		f := must.Get(x.service.CreateFlow(ctx, operator, taxes, flow.Details{}))(b)
		must.Get(x.service.AddNotifications(ctx, operator, f.ID, rows(10), flow.AddConfig{}))(b)
		page := must.Get(x.service.Notifications(ctx, operator, flow.NotificationFilter{Flow: f.ID}, flow.Page{}))(b)
		id := page.Notifications[0].ID
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x.service.DisableNotification(ctx, operator, id); err != nil {
				b.Fatal(err)
			}
			if _, err := x.service.EnableNotification(ctx, operator, id); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("add_10000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f := must.Get(x.service.CreateFlow(ctx, operator, taxes, flow.Details{}))(b)
			if _, err := x.service.AddNotifications(ctx, operator, f.ID, rows(10_000), flow.AddConfig{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The first page of a search, among 10,000 and 100,000 notifications.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		x := newBench(b, 0, 1)
		f := x.sending(b, n)
		for name, filter := range map[string]flow.NotificationFilter{
			"all":       {},
			"of_a_flow": {Flow: f.ID},
			"text":      {Text: "riservato"},
			"ID":        {IDs: []uuid.UUID{f.ID}},
			"digest":    {Digests: []flow.Digest{draft(1).Digest()}},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := x.service.Notifications(b.Context(), operator, filter, flow.Page{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
