package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/italian"
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
		switch allowed, err := known.allowed(ctx, m, n.Recipient); {
		case errors.Is(err, flussi.ErrInvalid):
			return outcome{
				action: NotificationFail, code: CodeRefused,
				err: err, attempts: attempts(err), signal: decisive,
			}
		case errors.Is(err, flussi.ErrUnauthorized), errors.Is(err, flussi.ErrRemoteForbidden):
			return outcome{action: NotificationRelease, err: err, signal: serviceFailed}
		case err != nil: // nothing was sent, whatever happened
			return outcome{action: NotificationRelease, err: err, signal: platformFailed}
		case !allowed:
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

func newWorkers(s sender, messenger Sender, config *DispatcherConfig, f Flow) *workers {
	return &workers{
		sender: s, messenger: messenger, profiles: &profiles{}, lease: config.Lease,
		breaker: newBreaker(f, config.FailureThreshold),
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
	if w.breaker.mayBegin(ctx) && !tooLate(b.claimedAt, w.lease) {
		o := w.sender.submit(requests, w.messenger, *n, w.profiles)
		cutOff := ctx.Err() != nil || o.action == NotificationRelease && requests.Err() != nil
		c.outcome = w.breaker.decide(n.ID, o, cutOff)
	}
	return c
}

// maxReleases is how often a notification that the platform does not take is released while the
// platform takes others; then it fails.
const maxReleases = 3

// breaker decides from the outcomes of a run whether it goes on. The workers and the goroutine of
// the run share it; it is safe for concurrent use.
type breaker struct {
	flowID    uuid.UUID
	threshold int // FailureThreshold

	mu       sync.Mutex
	paused   bool                   // the flow is not to be sent at the moment; by the run
	closed   bool                   // nothing more is begun; by the run and the workers
	stopErr  *StopError             // why the flow stops; by the run and the workers
	answers  int                    // decisive outcomes, with the flow's earlier ones; by the workers
	failures int                    // of the platform since the last of them; by the workers
	released map[uuid.UUID]releases // by notification; by the workers
}

// releases counts how often a notification was released because the platform did not take it.
type releases struct {
	count   int // each after another answer of the platform
	answers int // the breaker's at the last one
}

func newBreaker(f Flow, threshold int) *breaker {
	return &breaker{
		flowID: f.ID, threshold: threshold,
		answers: f.Counts.Sent, released: map[uuid.UUID]releases{},
	}
}

// mayBegin reports whether another message may be begun.
func (b *breaker) mayBegin(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return ctx.Err() == nil && !b.paused && !b.closed
}

// setPaused sets whether nothing is to be begun until the flow changes.
func (b *breaker) setPaused(paused bool) { b.mu.Lock(); defer b.mu.Unlock(); b.paused = paused }

// close ends the run: nothing more is begun.
func (b *breaker) close() { b.mu.Lock(); defer b.mu.Unlock(); b.closed = true }

// stop closes the breaker, and keeps the first reason why the flow stops. The mutex must be locked,
// unless the workers are not started yet.
func (b *breaker) stop(cause error, reason string) {
	b.closed = true
	if b.stopErr == nil {
		b.stopErr = &StopError{FlowID: b.flowID, Err: cause, Reason: reason}
	}
}

// stopped returns the reason of the stop, or nil.
func (b *breaker) stopped() *StopError { b.mu.Lock(); defer b.mu.Unlock(); return b.stopErr }

// decide counts the outcome of a notification, and stops the run if the service cannot send or
// the platform reached FailureThreshold. It returns the outcome to store, which differs if the
// message is refused because of its payee, or is not taken again and again while others are. A
// failure that may be due to a request that was cut off does not count.
func (b *breaker) decide(id uuid.UUID, o outcome, cutOff bool) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case o.signal == serviceFailed:
		b.stop(o.err, serviceStopReason(o.err))
	case o.signal == decisive:
		b.answers++
		b.failures = 0
	case o.signal == payeeForbidden && b.answers > 0: // the service is enabled
		o.action, o.code = NotificationFail, CodeRefused
		o.text = "Il servizio non può indicare questo ente creditore: il messaggio non è arrivato. " +
			"Correggere l'ente creditore, riportare la notifica a «Registrato» e inviarla di nuovo."
	case o.signal != indecisive && !cutOff:
		if b.failures++; b.failures >= b.threshold {
			b.stop(o.err, platformStopReason(b.threshold, o))
		}
		if o.action == NotificationRelease && b.release(id) {
			o.action, o.code = NotificationFail, CodeNotSent
		}
	}
	if o.action != NotificationRelease {
		delete(b.released, id)
	}
	return o
}

// release counts a release, and reports whether it is one too many.
func (b *breaker) release(id uuid.UUID) bool {
	r, before := b.released[id]
	if !before || r.answers != b.answers {
		r.count++
	}
	r.answers = b.answers
	b.released[id] = r
	return r.count >= maxReleases && b.stopErr == nil
}

// serviceStopReason says in Italian why a service cannot send.
func serviceStopReason(err error) string {
	return "Invio fermato. " + thenResume((&flussi.Error{Package: "flow", Err: err}).Italian())
}

// thenResume adds to a text that ends with what to do how the sending goes on afterwards.
func thenResume(text string) string {
	resume := "con " + italian.Quote(FlowSend.Label()) + "."
	if before, later := strings.CutSuffix(text, "riprovare più tardi."); later {
		return before + "riprendere più tardi " + resume
	}
	return strings.TrimSuffix(text, ".") + ", poi riprendere " + resume
}

// platformStopReason says in Italian that the platform reached FailureThreshold.
func platformStopReason(failures int, last outcome) string {
	if last.code == CodeOutcomeUnknown {
		return fmt.Sprintf("Invio fermato dopo %s senza una risposta certa di App IO. "+
			"Quando App IO funziona di nuovo, riprendere con %s.",
			italian.Count(failures, "invio", "invii consecutivi"), italian.Quote(FlowSend.Label()))
	}
	text := explained(last.err)
	if text == "" {
		text = "App IO non è raggiungibile o non funziona: riprovare più tardi."
	}
	return fmt.Sprintf("Invio fermato dopo %s. %s",
		italian.Count(failures, "invio non riuscito", "invii consecutivi non riusciti"), thenResume(text))
}
