package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Dispatcher sends flows: it claims the notifications that can be sent soon, sends them, and stores
// the outcomes. One dispatcher sends all flows of a process, each as fast as its Sender permits. Any
// number of dispatchers, in one process or in many that share a store, may work on one flow. It is
// safe for concurrent use; its goroutines end with the call that started them.
//
// It notifies no citizen twice. What it sends is claimed in the store before. If the process
// dies, the leases of its claims expire, and the next dispatcher makes these notifications
// Errore with [CodeOutcomeUnknown], for an operator to resolve. So a crash leaves, for each flow,
// what is being sent, at most Workers, and what can be begun within ClaimAhead, which is at most as
// much again. With a [PacedSender], at 30 a second, these are a few.
type Dispatcher struct {
	store  Store
	sender sender
	config DispatcherConfig
	pool   *pool
	calls  slots // of the store
}

// DispatcherConfig configures a [Dispatcher].
type DispatcherConfig struct {
	// ID names the dispatcher in histories. Give each process that sends one of its own, such as
	// "massivo@server2": then a history shows which one sent. Only histories use it. Defaults to
	// "dispatcher".
	ID string
	// Workers is how many notifications of a flow are sent at the same time at most. There are as
	// many as are needed: with a pace of 30 a second and answers after 50 ms, 2. A flow begins with
	// up to 16. Defaults to 64, which is enough for 30 a second with 2 seconds each; at most
	// [MaxWorkers]. [Dispatcher.VerifyService] verifies as many at the same time.
	Workers int
	// MaxRequests is how many notifications of all flows are sent at the same time at most, and so
	// how many connections to the platform there may be. Each flow has an equal share, and may use
	// what the others leave of theirs. Defaults to 1,024, or to Workers if that is more; at most
	// 100,000.
	MaxRequests int
	// ClaimAhead is how far ahead notifications are claimed: those whose sending can begin within
	// this time after the claim, by the pace of a [PacedSender] and by how long answers take. With
	// more, a crash leaves more of them for an operator to resolve, and there are fewer and larger
	// writes to the store. Defaults to 50 ms; at most a quarter of the Lease.
	ClaimAhead time.Duration
	// MaxStoreCalls is how many calls the runs of all flows make of the store at the same time, and
	// so how many of its connections they use. Defaults to 8; at most 1,000.
	MaxStoreCalls int
	// Lease is for how long notifications are claimed. Requests begin in the first half of it, also
	// if an [*appio.Client] waits for its turn or repeats them. They are cut off after three
	// quarters, and the last quarter is for storing outcomes. So a quarter must be at least the
	// Timeout of the Sender's HTTP client ([appio.Config].HTTPClient, 30 seconds by default);
	// otherwise slow answers become unknown outcomes. Nothing checks this, since a Sender does not
	// state its timeout. A process that was frozen for longer than the Lease begins no request for
	// what it had claimed. After a crash, a flow has to wait for the end of the leases. Defaults to
	// 2 minutes, four times the 30 seconds; at least 1 second, at most [MaxLease].
	Lease time.Duration
	// CheckProfiles asks, before the first message to a citizen in a run, whether the
	// citizen takes messages of the service; if not, the notification becomes Errore with
	// [CodeUnreachable]. It doubles the calls. Defaults to false: the platform says so
	// after the sending, see [Dispatcher.VerifyService].
	CheckProfiles bool
	// FailureThreshold is after how many consecutive submissions that the platform did not take
	// or did not answer it counts as down, and the flow is stopped. It also stops if unknown outcomes
	// come between answers: each counts as a failure, and ten answers make up for one, so that more
	// than one in ten stops it in the end. Defaults to 20; at most 100,000.
	FailureThreshold int
	// RefusalThreshold is the number of equal refusals that stops the flow. They count if they are
	// of different recipients, with no message accepted in between: the cause is then the service.
	// Refusals are equal if the status, type and title of the platform's problem are, but for words
	// of the title that have a digit; details may differ. The refused notifications become
	// Registrato again, once each: if one is refused again later, it is Errore and does not count. A
	// refused key, or a refusal in the words of the platform's gateway, stops the flow at once. Each
	// dispatcher counts what it sends. Defaults to 10; at most 10,000.
	RefusalThreshold int
	// MaxRetryAfter limits how long a flow waits when the platform received too many calls and says
	// how long to wait (Retry-After). Waits add up until the platform takes or refuses a message
	// again. If it asks for more, the flow stops, and its error says until when. A client waits,
	// too, before it returns such an error: see [appio.Config].MaxWait. Defaults to 15 minutes; at
	// most one day.
	MaxRetryAfter time.Duration
	// ShutdownTimeout is how long requests that are under way may take once the context has
	// ended, and, after that, storing their outcomes. Defaults to 35 seconds, which is a little
	// more than the timeout of the default HTTP client of package appio. At most one day.
	ShutdownTimeout time.Duration
	// MaxFlows is how many flows [Dispatcher.Serve] sends at the same time at most. It has a
	// goroutine for each, and those of its requests. If there are more, flows take turns of 10
	// seconds. Defaults to 2,000; at most 100,000.
	MaxFlows int
	// Services are those whose flows [Dispatcher.Serve] sends and begins, for a process that does
	// not have the keys of the others. Defaults to all of the store.
	Services []string
	// PollInterval is how often Serve looks for flows, how often Run looks at a flow whose other
	// notifications other dispatchers have claimed, and how often both rescue expired notifications.
	// Defaults to 1 second; at most one hour.
	PollInterval time.Duration
	// Observer receives events of the dispatcher. Defaults to none. To follow one flow, see
	// [Service.Watch].
	Observer Observer
	// Logger receives stops, recoveries and store failures; never personal data. Defaults to
	// none.
	Logger *slog.Logger
}

const (
	defaultWorkers     = 64
	defaultMaxRequests = 1024
	defaultClaimAhead  = 50 * time.Millisecond
	defaultStoreCalls  = 8
	defaultMaxFailures = 20
	defaultMaxRefusals = 10
	defaultRetryAfter  = 15 * time.Minute
	defaultGrace       = 35 * time.Second
	defaultFlows       = 2000
	defaultPoll        = time.Second

	maxRequests   = 100_000
	maxStoreCalls = 1000
	maxFlows      = 100_000
	maxFailures   = 100_000
	maxRefusals   = 10_000
	maxRetryAfter = 24 * time.Hour
	maxGrace      = 24 * time.Hour
	maxPoll       = time.Hour
)

const (
	// MaxWorkers is the limit of [DispatcherConfig].Workers and of [ServiceConfig].Workers.
	MaxWorkers = 10_000
	// MaxLease is the longest Lease. A longer one would only make operators wait for longer after a
	// crash.
	MaxLease = 24 * time.Hour
)

// NewDispatcher returns a dispatcher. The error lists everything that is wrong with the
// configuration; it is a [flussi.ErrConfig]. A store that refuses to send is wrong: see
// [SendChecker].
func NewDispatcher(store Store, senders SenderFor, c DispatcherConfig) (*Dispatcher, error) {
	var faults []error
	if store == nil || senders == nil {
		faults = append(faults, errors.New("store and senders are needed"))
	}
	if checker, is := store.(SendChecker); is {
		if err := checker.CheckSend(); err != nil {
			faults = append(faults, err)
		}
	}
	for name, n := range map[string]int64{
		"Workers": int64(c.Workers), "MaxRequests": int64(c.MaxRequests), "ClaimAhead": int64(c.ClaimAhead),
		"MaxStoreCalls": int64(c.MaxStoreCalls), "Lease": int64(c.Lease),
		"FailureThreshold": int64(c.FailureThreshold), "ShutdownTimeout": int64(c.ShutdownTimeout),
		"RefusalThreshold": int64(c.RefusalThreshold), "MaxRetryAfter": int64(c.MaxRetryAfter),
		"MaxFlows": int64(c.MaxFlows), "PollInterval": int64(c.PollInterval),
	} {
		if n < 0 {
			faults = append(faults, fmt.Errorf("%s is negative", name))
		}
	}
	c = c.withDefaults()
	for name, n := range map[string][2]int{
		"Workers": {c.Workers, MaxWorkers}, "MaxRequests": {c.MaxRequests, maxRequests},
		"MaxStoreCalls": {c.MaxStoreCalls, maxStoreCalls}, "MaxFlows": {c.MaxFlows, maxFlows},
		"FailureThreshold": {c.FailureThreshold, maxFailures}, "RefusalThreshold": {c.RefusalThreshold, maxRefusals},
	} {
		if n[0] > n[1] {
			faults = append(faults, fmt.Errorf("the %s is %d, more than %d", name, n[0], n[1]))
		}
	}
	for name, d := range map[string][2]time.Duration{
		"Lease": {c.Lease, MaxLease}, "MaxRetryAfter": {c.MaxRetryAfter, maxRetryAfter},
		"ShutdownTimeout": {c.ShutdownTimeout, maxGrace}, "PollInterval": {c.PollInterval, maxPoll},
	} {
		if d[0] > d[1] {
			faults = append(faults, fmt.Errorf("the %s is %v, more than %v", name, d[0], d[1]))
		}
	}
	if c.ClaimAhead > c.Lease/4 {
		faults = append(faults, errors.New("the ClaimAhead is more than a quarter of the Lease"))
	}
	if c.Lease < minLease {
		faults = append(faults, fmt.Errorf("the Lease is less than %v", minLease))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("flow: new dispatcher: %w: %w", flussi.ErrConfig, errors.Join(faults...))
	}
	d := &Dispatcher{config: c, pool: &pool{size: c.MaxRequests}, calls: make(slots, c.MaxStoreCalls)}
	d.store = observed(store, &d.config.Observer)
	d.sender = sender{senders: senders, checkProfiles: c.CheckProfiles, observer: &d.config.Observer}
	return d, nil
}

func (c DispatcherConfig) withDefaults() DispatcherConfig {
	fill(&c.ID, "dispatcher")
	fill(&c.Workers, defaultWorkers)
	fill(&c.MaxRequests, max(defaultMaxRequests, c.Workers))
	fill(&c.ClaimAhead, defaultClaimAhead)
	fill(&c.MaxStoreCalls, defaultStoreCalls)
	fill(&c.Lease, defaultLease)
	fill(&c.FailureThreshold, defaultMaxFailures)
	fill(&c.RefusalThreshold, defaultMaxRefusals)
	fill(&c.MaxRetryAfter, defaultRetryAfter)
	fill(&c.ShutdownTimeout, defaultGrace)
	fill(&c.MaxFlows, defaultFlows)
	fill(&c.PollInterval, defaultPoll)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// fill sets what is not set.
func fill[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

// StopError says that the sending of a flow was stopped because its service cannot send, the
// platform refuses one message after the other, does not work, or asks to wait. What was not begun
// is Registrato, and the flow Invio incompleto; [Service.SendFlow] goes on from there. Leave that to
// an operator, who removes the cause: a program that orders it again by itself turns refused
// notifications into Errore, and calls a platform that does not answer. Other flows may be sent
// meanwhile.
type StopError struct {
	FlowID uuid.UUID   // the flow that was stopped
	Err    error       // what the Sender returned last
	Reason string      // why, in Italian: the flow's Error
	Answer flussi.Text // what the platform said, which Reason quotes: the flow's Answer; zero if nothing

	class SendingReason // for observers
}

// Error describes the stop for programs and logs.
func (e *StopError) Error() string {
	return fmt.Sprintf("flow: send %s: stopped: %v", e.FlowID, e.Err)
}

// Unwrap returns the cause, such as a [flussi.ErrUnauthorized].
func (e *StopError) Unwrap() error { return e.Err }

// Italian describes the stop for the operator.
func (e *StopError) Italian() string { return e.Reason }

// Run sends a flow that is In invio until its sending is over, and returns it in its last
// state, Inviato or Invio incompleto. That is also so if other dispatchers send part of it, or
// all of it; a flow whose sending is over already is returned as it is. Run waits for what
// another dispatcher has claimed; if that one was killed, until the end of the lease. Meanwhile it
// rescues expired notifications, of all flows. It also waits as long as the platform asks, within
// MaxRetryAfter. It does not begin a flow that is scheduled:
// that is [Dispatcher.Serve]'s task.
//
// The error is a [flussi.ErrNotFound] or a [flussi.ErrState] if there is nothing to do, a
// [*StopError] if this dispatcher stopped the sending, an [ErrOutcomeNotStored] if the store did
// not take outcomes of messages that were sent, the context's error once it ended and everything is
// stored, or another error of the store. A claim that fails is not tried again, since the lease of
// what it may have taken has to end: the flow remains In invio, for another Run. When the context
// ends, nothing more is claimed, requests that are under way are awaited for the ShutdownTimeout,
// and what was not begun is Registrato again: the flow remains In invio, for another Run.
func (d *Dispatcher) Run(ctx context.Context, flowID uuid.UUID) (Flow, error) {
	return d.send(ctx, flowID, nil)
}

// RescueExpired makes every notification whose lease is over, since its sender crashed, Errore
// with [CodeOutcomeUnknown], and returns how many there were. Run and Serve do that by
// themselves; call it now and then where there are neither.
func (d *Dispatcher) RescueExpired(ctx context.Context) (int, error) {
	return rescue(ctx, d.store, &d.config, math.MaxInt)
}
