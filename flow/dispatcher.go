package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Dispatcher sends flows: it claims notifications in small batches, sends them with a
// fixed number of workers, and stores what came of it. Any number of dispatchers, in one
// process or in many that share a store, may work on one flow. It is safe for concurrent
// use; its goroutines end with the call that started them.
//
// No citizen is notified twice by it. What it sends is claimed in the store before; if
// the process dies, the leases of what it had claimed run out, and whichever dispatcher
// comes next makes that Errore with [CodeOutcomeUnknown], for an operator to resolve. So
// a crash leaves at most one Batch of unknown outcomes for a Serve, or for each Run that is
// under way.
type Dispatcher struct {
	store  Store
	sender sender
	config DispatcherConfig
}

// DispatcherConfig says how a dispatcher works.
type DispatcherConfig struct {
	// ID names the dispatcher in histories. Defaults to "dispatcher".
	ID string
	// Workers is how many notifications of a flow are sent at the same time. Defaults to 16,
	// which is enough for 30 a second with half a second each.
	Workers int
	// Batch is how many notifications are claimed and not yet reported at any time, and so
	// how many may be left with an unknown outcome by a crash. The flows of a Serve share it.
	// Defaults to 4 times the Workers; not fewer than those.
	MaxInFlight int
	// Lease is for how long a batch is claimed. Sending begins in the first half of it and is
	// cut off after three quarters, which must be longer than the timeout of the messenger's
	// HTTP client, or slow answers become unknown outcomes. After a crash, a flow has to wait
	// for the end of the leases. Defaults to 5 minutes; at least 1 second.
	Lease time.Duration
	// CheckProfiles asks, before the first message to a citizen in a run, whether the
	// citizen takes messages of the service; if not, the notification becomes Errore with
	// [CodeUnreachable]. It doubles the calls. Defaults to false: the platform says so
	// after the sending, see [Dispatcher.VerifyService].
	CheckProfiles bool
	// FailureThreshold is after how many submissions in a row that the platform did not take or
	// did not answer it counts as down, and the flow is stopped. Defaults to 20.
	FailureThreshold int
	// Grace is how long messages that are on their way may take to be answered once the
	// context has ended, and, after that, storing what came of them. Defaults to 35 seconds,
	// which is a little more than the timeout of the default HTTP client of package appio.
	ShutdownTimeout time.Duration
	// Flows is how many flows [Dispatcher.Serve] sends at the same time, each with its own
	// Workers. Defaults to 4, or to the Batch if that is less; not more than that.
	MaxFlows int
	// Poll is how often Serve looks for flows, and how often a run whose rest is in the
	// hands of other dispatchers looks at it. Defaults to 1 second.
	PollInterval time.Duration
	// Progress is told how each flow gets on, from the goroutine of its run, of which Serve has
	// several: about once a second, and at the end. It must not block. Defaults to nobody.
	Progress func(Progress)
	// Logger hears of stops, recoveries, and failures of the store. It is told nothing
	// personal. Defaults to none.
	Logger *slog.Logger
}

const (
	defaultWorkers     = 16
	defaultBatches     = 4
	defaultMaxFailures = 20
	defaultGrace       = 35 * time.Second
	defaultFlows       = 4
	defaultPoll        = time.Second
)

// NewDispatcher returns a dispatcher. The error lists everything that is wrong with the
// configuration; it is an [flussi.ErrConfig].
func NewDispatcher(store Store, messengers SenderFor, c DispatcherConfig) (*Dispatcher, error) {
	var faults []error
	if store == nil || messengers == nil {
		faults = append(faults, errors.New("store and messengers are needed"))
	}
	for name, n := range map[string]int64{
		"Workers": int64(c.Workers), "Batch": int64(c.MaxInFlight), "Lease": int64(c.Lease), "MaxFailures": int64(c.FailureThreshold),
		"Grace": int64(c.ShutdownTimeout), "Flows": int64(c.MaxFlows), "Poll": int64(c.PollInterval),
	} {
		if n < 0 {
			faults = append(faults, fmt.Errorf("%s is negative", name))
		}
	}
	c = c.withDefaults()
	if c.MaxInFlight < c.Workers {
		faults = append(faults, errors.New("the Batch is less than the Workers"))
	}
	if c.MaxFlows > c.MaxInFlight {
		faults = append(faults, errors.New("the Flows are more than the Batch"))
	}
	if c.Lease < minLease {
		faults = append(faults, fmt.Errorf("the Lease is less than %v", minLease))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("flow: new dispatcher: %w: %w", flussi.ErrConfig, errors.Join(faults...))
	}
	return &Dispatcher{store: store, sender: sender{messengers: messengers, checkProfiles: c.CheckProfiles}, config: c}, nil
}

func (c DispatcherConfig) withDefaults() DispatcherConfig {
	fill(&c.ID, "dispatcher")
	fill(&c.Workers, defaultWorkers)
	fill(&c.MaxInFlight, defaultBatches*c.Workers)
	fill(&c.Lease, defaultLease)
	fill(&c.FailureThreshold, defaultMaxFailures)
	fill(&c.ShutdownTimeout, defaultGrace)
	fill(&c.MaxFlows, min(defaultFlows, c.MaxInFlight))
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

// StopError says that the sending of a flow was stopped because its service cannot send,
// or the platform does not work. The flow's Error tells the operator. What was not begun
// is Registrato; [Service.SendFlow] goes on from there.
type StopError struct {
	FlowID uuid.UUID // which
	Err    error     // what the messenger returned last
	Reason string    // why, in Italian, as it stands in the flow's Error
}

// Error describes the stop for programs and logs.
func (e *StopError) Error() string { return fmt.Sprintf("flow: send %s: stopped: %v", e.FlowID, e.Err) }

// Unwrap returns the cause, such as an [flussi.ErrUnauthorized].
func (e *StopError) Unwrap() error { return e.Err }

// Italian describes the stop for the operator.
func (e *StopError) Italian() string { return e.Reason }

// Run sends a flow that is In invio until its sending is over, and returns it in its last
// state, Inviato or Invio incompleto. That is also so if other dispatchers do part of the
// work, or all of it; a flow whose sending is over already is returned as it is. What another
// dispatcher has claimed, it waits for: if that one was killed, until the end of the lease.
//
// The error is an [flussi.ErrNotFound] or an [flussi.ErrState] if there is nothing to do, a
// [*StopError] if this dispatcher stopped the sending, an [ErrOutcomeNotStored] if the store did
// not take what came of messages that were sent, the context's error once it ended and
// everything is written down, or what else the store returned. A claim that fails is not
// tried again, since what it may have taken has to wait for the end of its lease: the flow
// stays In invio, for another Run. When the context ends, nothing more is claimed, what is
// on its way is awaited for the Grace, and what was not begun is Registrato again: the
// flow stays In invio, for another Run.
func (d *Dispatcher) Run(ctx context.Context, flowID uuid.UUID) (Flow, error) {
	return d.run(ctx, flowID, &pool{size: d.config.MaxInFlight}, true)
}

// run is Run with a batch that it may share; unless it waits, it ends with errElsewhere when
// what is left is in the hands of others.
func (d *Dispatcher) run(ctx context.Context, flowID uuid.UUID, batch *pool, waits bool) (Flow, error) {
	const op = "run flow"
	if err := ctx.Err(); err != nil {
		return Flow{}, failure(op, flowID, err)
	}
	f, err := d.store.Flow(ctx, flowID)
	if err != nil {
		return Flow{}, failure(op, flowID, err)
	}
	switch f.State {
	case FlowSending:
	case FlowSent, FlowIncomplete:
		return f, nil
	default:
		return f, &flussi.Error{Package: "flow", Operation: op, ID: flowID, Err: flussi.ErrState, Reason: fmt.Sprintf(
			"Il flusso è nello stato «%s»: avviare prima l'invio.", f.State.Label())}
	}
	r := newRun(d, f, batch, waits)
	r.messenger, r.unable = d.sender.messenger(ctx, f.Service)
	if ctx.Err() != nil {
		return f, failure(op, flowID, ctx.Err())
	}
	f, err = r.send(ctx)
	var stopped *StopError
	if errors.As(err, &stopped) {
		return f, err
	}
	return f, failure(op, flowID, err)
}

// errElsewhere: what is left of the flow is in the hands of other senders.
var errElsewhere = errors.New("sent elsewhere")

// Recover makes of every notification whose lease is over, since its sender crashed, one
// in Errore with [CodeOutcomeUnknown], and returns how many there were. Run and Serve do
// that by themselves; call it where there are neither, now and then.
func (d *Dispatcher) RescueExpired(ctx context.Context) (int, error) {
	recovered := 0
	for {
		found, err := d.store.Expired(ctx, d.config.MaxInFlight)
		if err != nil {
			return recovered, failure("recover", uuid.Nil, err)
		}
		var failed error
		before := recovered
		for _, n := range found {
			change, err := neverReported().apply(n, d.config.ID)
			if err == nil {
				err = d.store.SaveNotifications(ctx, change)
			}
			switch {
			case errors.Is(err, flussi.ErrConflict): // somebody else was faster
			case err != nil:
				failed = failure("recover", n.ID, err) // the others are not held up by it
			default:
				recovered++
				d.config.Logger.Warn("flow: outcome unknown: its sender did not report it", "notification", n.ID, "sender", n.UpdatedBy)
			}
		}
		if len(found) < d.config.MaxInFlight || recovered == before {
			return recovered, failed
		}
	}
}
