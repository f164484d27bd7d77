package flow

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// maxReleases is how many releases of a notification make it fail. Only releases with an answer of
// the platform to another message in between count.
const maxReleases = 3

// breaker decides from the outcomes of a run whether it goes on. The workers and the goroutine of
// the run share it; it is safe for concurrent use. If a run ends since it has to wait, the next one
// goes on with its breaker.
type breaker struct {
	flowID uuid.UUID
	config *DispatcherConfig

	mu       sync.Mutex
	paused   bool                   // begin nothing until the flow changes; by the run
	closed   bool                   // begin nothing more; by the run and the workers
	stopErr  *StopError             // why the flow stops; by the run and the workers
	outcomes int                    // number of outcomes in the run; by the workers
	answers  int                    // number of messages that the platform took or refused; by the workers
	failures int                    // number of failures since the last answer; by the workers
	unknown  unknown                // by the workers
	released map[uuid.UUID]releases // by notification; by the workers
	refusals refusals               // by the workers
	limit    limit                  // by the workers
}

// unknown counts unknown outcomes that come between answers.
type unknown struct {
	count int // in the run
	score int // unknownWeight for each, less one for each answer
}

// unknownWeight is how many answers make up for an unknown outcome. So a flow stops if for long more
// than one of so many outcomes is unknown.
const unknownWeight = 10

// releases counts how often a notification was released because the platform did not take it.
type releases struct {
	count   int // of releases with an answer in between
	answers int // breaker.answers at the last release
}

// limit is what the platform asks for when it received too many calls.
type limit struct {
	since time.Time // when it first asked since the last answer; zero: it did not ask
	until time.Time // begin nothing before
}

func newBreaker(flowID uuid.UUID, config *DispatcherConfig) *breaker {
	return &breaker{
		flowID: flowID, config: config,
		released: map[uuid.UUID]releases{}, refusals: refusals{threshold: config.RefusalThreshold},
	}
}

// mayBegin reports whether another message may be begun.
func (b *breaker) mayBegin(ctx context.Context) bool {
	_, may := b.begin(ctx)
	return may
}

// begin reports whether another message may be begun, and returns the number of outcomes so far.
func (b *breaker) begin(ctx context.Context) (begun int, may bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outcomes, ctx.Err() == nil && !b.paused && !b.closed && !time.Now().Before(b.limit.until)
}

// setPaused sets paused.
func (b *breaker) setPaused(paused bool) { b.mu.Lock(); defer b.mu.Unlock(); b.paused = paused }

// close ends the run: nothing more is begun.
func (b *breaker) close() { b.mu.Lock(); defer b.mu.Unlock(); b.closed = true }

// stop closes the breaker, and keeps the first reason why the flow stops, with its class and the
// answer of the platform that it quotes. The mutex must be locked, unless the workers are not
// started yet.
func (b *breaker) stop(class SendingReason, cause error, reason string, answer flussi.Text) {
	b.closed = true
	if b.stopErr == nil {
		b.stopErr = &StopError{FlowID: b.flowID, Err: cause, Reason: reason, Answer: answer, class: class}
	}
}

// stopped returns the reason of the stop, or nil.
func (b *breaker) stopped() *StopError { b.mu.Lock(); defer b.mu.Unlock(); return b.stopErr }

// limited returns until when the platform asked to wait; zero if it did not.
func (b *breaker) limited() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.limit.until }

// takeBack returns the notifications that become Registrato again, because their equal refusals
// stopped the flow, in this run or elsewhere. A second call does not return them again.
func (b *breaker) takeBack(elsewhere bool) []refused {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusals.takeBack(elsewhere)
}

// hasRefusals reports whether there are refusals that count.
func (b *breaker) hasRefusals() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.refusals.pending() }

// decide counts the outcome of a notification. It stops the run if the service cannot send, if
// FailureThreshold or RefusalThreshold is reached, if unknown outcomes are frequent, or if the platform
// asks to wait too long. It returns the outcome to store: after maxReleases releases, a failure in
// place of a release. begun is what begin returned for the message. cutOff says that the request may
// have been cut off by this program; such a failure does not count.
func (b *breaker) decide(n *Notification, o outcome, begun int, cutOff bool) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes++
	switch {
	case o.signal == serviceFailed:
		b.stop(ReasonService, o.err, serviceStopReason(o.err, o.answer), o.answer)
	case o.signal == accepted, o.signal == refusedMessage:
		b.answers++
		b.failures = 0
		b.unknown.score = max(0, b.unknown.score-1)
		b.limit = limit{}
		if o.signal == accepted {
			b.refusals.accept(begun)
		} else if b.refusals.add(n, o.refusal, b.outcomes) && b.stopErr == nil {
			b.refusals.stop(o.refusal)
			b.stop(ReasonRefusals, o.err, refusalStopReason(b.config.RefusalThreshold, o), o.answer)
		}
	case o.signal == platformFailed && !cutOff && b.counts(o):
		if b.failures++; b.failures >= b.config.FailureThreshold {
			b.stop(ReasonPlatform, o.err, platformStopReason(b.config.FailureThreshold, o), flussi.Text{})
		}
		if o.code == CodeOutcomeUnknown {
			b.unknown.count++
			if b.unknown.score += unknownWeight; b.unknown.score >= unknownWeight*b.config.FailureThreshold {
				b.stop(ReasonPlatform, o.err, unknownStopReason(b.unknown.count, b.outcomes), flussi.Text{})
			}
		}
		if o.action == NotificationRelease && b.release(n.ID) {
			o.action, o.code = NotificationFail, CodeNotSent
		}
	}
	if o.action != NotificationRelease {
		delete(b.released, n.ID)
	}
	return o
}

// counts reports whether a failure of the platform counts. If the platform asks to wait, counts
// makes the run wait, or stops it if the wait is too long. Calls that the platform then refuses
// were under way before the wait, and do not count.
func (b *breaker) counts(o outcome) bool {
	if o.waitUntil.IsZero() {
		return true
	}
	at := time.Now()
	first := !at.Before(b.limit.until)
	if b.limit.since.IsZero() {
		b.limit.since = at
	}
	if o.waitUntil.After(b.limit.until) {
		b.limit.until = o.waitUntil
	}
	if first {
		b.config.Logger.Warn("flow: the platform asks to wait", "flow", b.flowID, "until", b.limit.until)
	}
	if b.limit.until.Sub(b.limit.since) > b.config.MaxRetryAfter {
		b.stop(ReasonThrottled, o.err, limitStopReason(b.limit.until), flussi.Text{})
	}
	return first
}

// release counts a release, and reports whether maxReleases is reached.
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
func serviceStopReason(err error, answer flussi.Text) string {
	return withAnswer("Invio fermato. "+thenResume(causeOf(err)), answer)
}

// thenResume adds to a text that ends with an instruction how to resume the sending afterwards.
func thenResume(text string) string {
	resume := "con " + italian.Quote(FlowSend.Label()) + "."
	if before, later := strings.CutSuffix(text, "riprovare più tardi."); later {
		return before + "riprendere più tardi " + resume
	}
	return strings.TrimSuffix(text, ".") + ", poi riprendere " + resume
}

// refusalStopReason says in Italian that the platform reached RefusalThreshold.
func refusalStopReason(refusals int, last outcome) string {
	text := fmt.Sprintf("Invio fermato dopo %s di App IO, senza messaggi accettati: "+
		"la causa può essere nel servizio.", italian.Count(refusals, "rifiuto", "rifiuti uguali consecutivi"))
	return withAnswer(text, last.answer) + fmt.Sprintf(
		" Le notifiche rifiutate tornano nello stato %s. Verificare le abilitazioni e i limiti del servizio,"+
			" poi riprendere con %s: le stesse notifiche, se rifiutate di nuovo, passano a %s.",
		italian.Quote(NotificationRegistered.Label()), italian.Quote(FlowSend.Label()), italian.Quote(NotificationFailed.Label()))
}

// limitStopReason says in Italian until when the platform asks to wait.
func limitStopReason(until time.Time) string {
	return fmt.Sprintf("Invio fermato. %s: riprendere dopo quel momento con %s.", waitText(until), italian.Quote(FlowSend.Label()))
}

// waitText says in Italian until when the platform asks to wait, to the next minute.
func waitText(until time.Time) string {
	return "App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al " +
		italian.Moment(until.Add(time.Minute-1).Truncate(time.Minute))
}

// unknownStopReason says in Italian that unknown outcomes are too frequent.
func unknownStopReason(unknown, outcomes int) string {
	return fmt.Sprintf("Invio fermato: App IO non ha dato una risposta certa per %s su %s. La causa può essere nella rete, "+
		"o in un proxy che chiude le connessioni: verificarla, poi riprendere con %s.",
		italian.Message.Count(unknown), italian.Number(outcomes), italian.Quote(FlowSend.Label()))
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
