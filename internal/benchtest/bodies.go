package benchtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/flow"
)

// Bodies are bodies whose flows are sent at the same time, each to a platform of its own.
type Bodies struct {
	Processes int           // dispatchers that share the store, and the pace of each body; 0 is 1
	Count     int           // of bodies
	Each      int           // messages of each body
	Calls     int           // that each may make in 5 seconds
	Latency   time.Duration // of an answer
	Down      int           // how many bodies, the first ones, have a platform that is down
}

// Run sends the flows of the bodies with a store and the zero configuration. It reports, for the
// bodies whose platform works: the time until the last flow ends, as a multiple of the least time that
// the pace permits; the time until the first flow ends, as a share of that; the share of the machine's
// processors that was used; and the most goroutines.
//
// With several dispatchers it also reports the least that one of them sent, as a multiple of an equal
// share, and for each message the reads, the writes, the claims that found nothing and the conflicts.
// The store must then be a [flow.SaveAndClaimer]. The dispatchers share the pace of each body through
// the store if it is an [appio.TurnStore], otherwise in memory.
func (c Bodies) Run(b *testing.B, store flow.Store) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	services, platforms := make([]string, c.Count), map[string]*platform{}
	for i := range services {
		services[i] = fmt.Sprintf("ente-%05d", i)
		platforms[services[i]] = &platform{latency: c.Latency, down: i < c.Down, kind: i % downKinds}
	}
	senders := make([]flow.SenderFor, max(1, c.Processes))
	var turns appio.TurnStore // nil: one process makes all calls
	if len(senders) > 1 {
		turns = &appio.MemoryTurns{}
		if shared, is := store.(appio.TurnStore); is {
			turns = shared
		}
	}
	for i := range senders {
		senders[i] = clientsOf(b, platforms, c.Calls, turns)
	}
	operator := flussi.Actor{ID: "m.neri", Roles: []flussi.Role{flussi.Operator}}
	service, err := flow.NewService(store, flow.Permissions{operator.ID: services}, senders[0], flow.ServiceConfig{})
	check(b, err)
	works := map[uuid.UUID]bool{}
	for i, name := range services {
		f, _, err := service.ImportFlow(ctx, operator, name, flow.Details{}, c.rows(), flow.AddConfig{})
		check(b, err)
		_, err = service.ActivateFlow(ctx, operator, f.ID)
		check(b, err)
		_, err = service.SendFlow(ctx, operator, f.ID)
		check(b, err)
		if i >= c.Down {
			works[f.ID] = true
		}
	}

	var mu sync.Mutex
	var start time.Time
	var first, last time.Duration
	allEnded := make(chan struct{})
	config := flow.DispatcherConfig{Observer: flow.Observer{SendingChanged: func(_ context.Context, c flow.SendingChange) {
		mu.Lock()
		defer mu.Unlock()
		if c.To != flow.SendingStopped && c.To != flow.SendingEnded || !works[c.FlowID] {
			return
		}
		if c.Reason != flow.ReasonSent {
			b.Errorf("a flow is %s: %s", c.To, c.Reason)
		}
		delete(works, c.FlowID)
		last = time.Since(start)
		if first == 0 {
			first = last
		}
		if len(works) == 0 {
			close(allEnded)
		}
	}}}
	stores := make([]*CountingStore, len(senders))
	dispatchers := make([]*flow.Dispatcher, len(stores))
	for i := range stores {
		stores[i] = Count(store)
		used := store
		if len(stores) > 1 {
			used = stores[i]
		}
		dispatchers[i], err = flow.NewDispatcher(used, senders[i], config)
		check(b, err)
	}
	runtime.GC()
	served := make(chan error, len(stores))
	cpu, goroutines := ProcessorTime(), 0
	start = time.Now()
	for _, d := range dispatchers {
		go func() { served <- d.Serve(ctx) }()
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for ended := false; !ended; {
		select {
		case <-allEnded:
			ended = true
		case <-ticker.C:
			goroutines = max(goroutines, runtime.NumGoroutine())
		}
	}
	used := (ProcessorTime() - cpu).Seconds() / last.Seconds() / float64(runtime.NumCPU())
	cancel()
	for range dispatchers {
		check(b, <-served)
	}
	ideal := float64(c.Each) / (float64(c.Calls) / 5)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(last.Seconds()/ideal, "of-ideal")
	b.ReportMetric(first.Seconds()/last.Seconds(), "first/last")
	b.ReportMetric(used, "processors")
	b.ReportMetric(float64(goroutines), "goroutines")
	if len(stores) > 1 {
		c.reportCalls(b, stores)
	}
}

// clientsOf returns the clients of a process. The processes that share turns may make so many calls to
// each platform in 5 seconds together.
func clientsOf(b *testing.B, platforms map[string]*platform, calls int, turns appio.TurnStore) flow.SenderFor {
	key, err := flussi.ParseKey("0123456789abcdef")
	check(b, err)
	clients := map[string]*appio.Client{}
	for service, p := range platforms {
		limit := appio.PaceConfig{Calls: calls}
		if turns != nil {
			limit.Shared, limit.Body = turns, service
		}
		pace, err := appio.NewPace(limit)
		check(b, err)
		clients[service], err = appio.New(key, appio.Config{
			BaseURL: "http://localhost", Pace: pace, HTTPClient: &http.Client{Transport: p, Timeout: 30 * time.Second},
		})
		check(b, err)
	}
	return func(_ context.Context, service string) (flow.Sender, error) { return clients[service], nil }
}

// reportCalls reports how the dispatchers shared the messages, and their calls of the store for each
// message.
func (c Bodies) reportCalls(b *testing.B, stores []*CountingStore) {
	var reads, writes, empty, conflicts int64
	least := stores[0].claimed.Load()
	for _, s := range stores {
		least = min(least, s.claimed.Load())
		reads, writes = reads+s.reads.Load(), writes+s.writes.Load()
		empty, conflicts = empty+s.empty.Load(), conflicts+s.conflicts.Load()
	}
	messages := float64(c.Count * c.Each)
	b.ReportMetric(float64(least)*float64(len(stores))/messages, "least-share")
	b.ReportMetric(float64(reads)/messages, "reads/message")
	b.ReportMetric(float64(writes)/messages, "writes/message")
	b.ReportMetric(float64(empty)/messages, "empty-claims/message")
	b.ReportMetric(float64(conflicts)/messages, "conflicts/message")
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// rows returns the messages of a body.
func (c Bodies) rows() func(yield func(flow.Row, error) bool) {
	d := flow.Draft{Subject: flussi.NewText("Avviso di pagamento della TARI"), Content: flussi.NewText(strings.Repeat("Testo dell'avviso. ", 10))}
	return func(yield func(flow.Row, error) bool) {
		for i := range c.Each {
			code := fmt.Sprintf("RSSMRA80A%02dH%03d", 1+i%28, i/28%1000)
			for control := 'A'; control <= 'Z'; control++ {
				parsed, err := flussi.ParseFiscalCode(code + string(control))
				if err == nil {
					d.Recipient = parsed
					break
				}
			}
			if !yield(flow.Row{Number: i + 1, Draft: d}, nil) {
				return
			}
		}
	}
}

// platform is a transport that answers as App IO, without a network.
type platform struct {
	latency time.Duration
	down    bool
	kind    int // of being down
	ids     atomic.Int64
}

const downKinds = 4

// RoundTrip implements [http.RoundTripper].
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.down && p.kind == 0 {
		return nil, errors.New("connection refused")
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	switch {
	case p.down && p.kind == 1:
		return answer(http.StatusUnauthorized, `{"statusCode":401,"message":"Access denied"}`), nil
	case p.down && p.kind == 2:
		a := answer(http.StatusTooManyRequests, `{"statusCode":429,"message":"Rate limit is exceeded"}`)
		a.Header.Set("Retry-After", "5")
		return a, nil
	case p.down:
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	time.Sleep(p.latency)
	return answer(http.StatusCreated, fmt.Sprintf(`{"id":"01JN6Q5CZ3VGTA4X%010d"}`, p.ids.Add(1))), nil
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
