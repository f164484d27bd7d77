package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// sender submits notifications to the platform, through the exported Sender of each service, which
// callers provide. It is safe for concurrent use.
type sender struct {
	senders       SenderFor
	checkProfiles bool
}

// messenger returns the Sender of a service.
func (s sender) messenger(ctx context.Context, service string) (Sender, error) {
	m, err := s.senders(ctx, service)
	if client, ok := m.(*appio.Client); err == nil && (m == nil || ok && client == nil) {
		err = errors.New("no sender")
	}
	if err != nil && explained(err) == "" && ctx.Err() == nil {
		err = &flussi.Error{Package: "flow", Operation: "find sender", Err: err,
			Reason: "Il servizio non può inviare messaggi: verificare la configurazione del servizio."}
	}
	return m, err
}

// submit sends a notification. known may be nil.
func (s sender) submit(ctx context.Context, m Sender, n Notification, known *profiles) outcome {
	if s.checkProfiles {
		if known == nil {
			known = &profiles{}
		}
		found, err := known.of(ctx, m, n.Recipient)
		if err != nil {
			o := notSent(n, err)
			o.attempts = 0 // to send it
			return o
		}
		if found.reachability != ReachabilityYes {
			return outcome{action: NotificationFail, code: CodeUnreachable}
		}
	}
	receipt, err := m.Submit(ctx, n.Message())
	return outcomeOf(n, receipt, err)
}

// workers send notifications of a run at the same time. The goroutine of the run calls start, begin
// and stop. The other fields are not written, and what they point to is safe for concurrent use.
type workers struct {
	sender    sender
	messenger Sender
	breaker   *breaker
	profiles  *profiles
	lease     time.Duration
	jobs      chan func() completion // has room for MaxInFlight, so sending never blocks
	results   chan completion        // has room for MaxInFlight, so sending never blocks
	group     sync.WaitGroup
}

func newWorkers(
	s sender, messenger Sender, config *DispatcherConfig, b *breaker,
) *workers {
	return &workers{
		sender: s, messenger: messenger, profiles: &profiles{}, lease: config.Lease, breaker: b,
		jobs:    make(chan func() completion, config.MaxInFlight),
		results: make(chan completion, config.MaxInFlight),
	}
}

func (w *workers) start(n int) {
	for range n {
		w.group.Go(func() {
			for job := range w.jobs {
				w.results <- job()
			}
		})
	}
}

// stop returns when all workers have ended. Nothing may be begun any more.
func (w *workers) stop() {
	close(w.jobs)
	w.group.Wait()
}

// begin sends a batch. Once ctx ends, what is not begun is released; the end of calls cuts off
// requests. Each notification becomes one of the results.
func (w *workers) begin(ctx, calls context.Context, b *batch) {
	if len(b.notifications) == 0 {
		return
	}
	var requests context.Context
	requests, b.cancel = context.WithDeadline(calls, cutTime(b.claimedAt, w.lease))
	for i := range b.notifications {
		w.jobs <- func() completion { return w.send(ctx, requests, b, &b.notifications[i]) }
	}
}

// send sends one notification, or releases it if ctx has ended or it is too late to begin. The end
// of requests cuts off the request. When send returns, the breaker has the outcome.
func (w *workers) send(ctx, requests context.Context, b *batch, n *Notification) completion {
	c := completion{batch: b, notification: n, outcome: outcome{action: NotificationRelease}}
	if begun, may := w.breaker.begin(ctx); may && !tooLate(b.claimedAt, w.lease) {
		o := w.sender.submit(requests, w.messenger, *n, w.profiles)
		cutOff := ctx.Err() != nil || o.action == NotificationRelease && requests.Err() != nil
		c.outcome = w.breaker.decide(n, o, begun, cutOff)
	}
	return c
}
