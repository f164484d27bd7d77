package flow

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Observer receives what a [Dispatcher] or a [Service] does, for metrics, traces and alarms. Each
// function is optional; the zero Observer observes nothing and costs nothing. Later versions may add
// functions, and fields of their arguments.
//
// The goroutines that do the work call the functions, several at the same time, and wait for them:
// the functions must not block. Nothing recovers from a panic of theirs. None is called after the
// method of the Dispatcher or the Service has returned. They may read from the Service, except
// StoreCalled, which the read would call again. They must not call the Dispatcher.
//
// Their arguments have the IDs of flows and notifications, and the names of services. They never have
// a fiscal code, a text, a key, or the text of an error. The client reports the attempts of calls,
// with their wait for the pace: see [appio.Config].Attempted.
type Observer struct {
	// SubmissionStarted is called before the citizen's profile is asked for and the notification is
	// submitted. It returns the context of these calls. If this context has a span, the spans of
	// the HTTP client become its children.
	SubmissionStarted func(ctx context.Context, s Submission) context.Context
	// SubmissionEnded is called when the outcome is known and not yet stored, with the context that
	// SubmissionStarted returned.
	SubmissionEnded func(ctx context.Context, s Submission, r SubmissionResult)
	// Claimed is called after a claim of a Dispatcher, also if it found no notifications; not after
	// an error.
	Claimed func(ctx context.Context, c ClaimResult)
	// LeaseRescued is called when a Dispatcher has given a notification an unknown outcome, because
	// its sender did not report one within the lease.
	LeaseRescued func(ctx context.Context, l RescuedLease)
	// StoreCalled is called after a call of a method of the [Store].
	StoreCalled func(ctx context.Context, c StoreCall)
	// SendingChanged is called when a Dispatcher begins to send a flow, waits, or ends. Serve also
	// reports flows that wait for their first turn, since there are more than MaxFlows. The number of
	// flows in a state is the number of changes To it less that of changes From it. Two calls for
	// the same flow are never made at the same time.
	SendingChanged func(ctx context.Context, c SendingChange)
}

// Submission is a notification that is submitted to the platform.
type Submission struct {
	NotificationID uuid.UUID // of the notification
	FlowID         uuid.UUID // of its flow; [uuid.Nil] if it has none
	Service        string    // the service that sends the message
}

// SubmissionResult is the result of a [Submission].
type SubmissionResult struct {
	Outcome  SubmissionOutcome // what the platform did with the message
	Attempts int               // requests to submit it
	Took     time.Duration     // includes the waits for the pace and for a profile
}

// SubmissionOutcome is a kind of outcome of a submission, such as for an attribute of a metric.
type SubmissionOutcome string

// The outcomes of submissions.
const (
	SubmissionAccepted       SubmissionOutcome = "accepted"        // the platform took the message
	SubmissionRefused        SubmissionOutcome = "refused"         // the platform refused the message
	SubmissionServiceRefused SubmissionOutcome = "service_refused" // the platform refused the service: its key, or its calls
	SubmissionUnreachable    SubmissionOutcome = "unreachable"     // CheckProfiles found that the citizen takes no messages
	SubmissionInvalid        SubmissionOutcome = "invalid"         // the message is not valid, and no request was made
	SubmissionThrottled      SubmissionOutcome = "throttled"       // not sent: too many calls
	SubmissionFailed         SubmissionOutcome = "failed"          // not sent: there was no connection, or the context ended
	SubmissionUnknown        SubmissionOutcome = "unknown"         // the message may have arrived
)

// ClaimResult is the result of a claim of notifications of a flow.
type ClaimResult struct {
	FlowID      uuid.UUID     // of the flow
	Service     string        // of the flow
	Requested   int           // how many notifications were asked for
	Claimed     int           // how many were claimed, and are to be sent
	AlreadySent int           // how many became Errore with [CodeAlreadySent] instead
	Waited      time.Duration // the wait for one of the MaxStoreCalls
	Took        time.Duration // the call of the store, which may also have stored outcomes
}

// RescuedLease is a notification whose outcome is unknown because its lease ended.
type RescuedLease struct {
	NotificationID uuid.UUID // of the notification
	FlowID         uuid.UUID // of its flow; [uuid.Nil] if it has none
	Service        string    // of the notification
}

// StoreCall is a call of a [Store].
type StoreCall struct {
	Method string        // of [Store] or [SaveAndClaimer], such as "SaveNotifications"
	Result StoreResult   // the class of its error
	Took   time.Duration // includes the waits inside the store
}

// StoreResult is a kind of result of a call of a [Store].
type StoreResult string

// The results of calls of a store.
const (
	StoreOK            StoreResult = "ok"             // no error
	StoreNotFound      StoreResult = "not_found"      // a [flussi.ErrNotFound]
	StoreConflict      StoreResult = "conflict"       // a [flussi.ErrConflict]: another writer was faster
	StoreAlreadySent   StoreResult = "already_sent"   // an [*AlreadySentError]
	StoreCanceled      StoreResult = "canceled"       // the context ended
	StoreUnavailable   StoreResult = "unavailable"    // a [flussi.ErrStoreUnavailable]
	StoreCommitUnknown StoreResult = "commit_unknown" // a [flussi.ErrCommitUnknown]
	StoreFailed        StoreResult = "failed"         // any other error
)

// SendingChange is a change of the state or the reason of the sending of a flow by one dispatcher.
type SendingChange struct {
	FlowID   uuid.UUID     // of the flow
	Service  string        // of the flow
	From, To SendingState  // From is "" in the first change, also in the first one after [SendingStopped] or [SendingEnded]
	Reason   SendingReason // of To; "" for [SendingRunning]
	// FromReason is the Reason of the previous change. The reason may change while the state stays.
	FromReason SendingReason
	// Until is when the dispatcher goes on, if it waits because the platform asked for it
	// ([ReasonThrottled]); otherwise the zero time. If the platform then asks for more, another change
	// says so, From and To the same state.
	Until time.Time
}

// SendingState is what a dispatcher does with a flow that is In invio.
type SendingState string

// The states of sending.
const (
	SendingRunning SendingState = "running" // its notifications are sent
	SendingWaiting SendingState = "waiting" // the dispatcher goes on with it later, by itself
	SendingStopped SendingState = "stopped" // an operator has to remove the cause, and to order the sending again
	SendingEnded   SendingState = "ended"   // nothing is left for the dispatcher to do
)

// SendingReason says why a flow is in a [SendingState].
type SendingReason string

// The reasons of states of sending.
const (
	ReasonThrottled       SendingReason = "throttled"         // waiting: the platform asked to wait; stopped: for longer than MaxRetryAfter
	ReasonClaimedByOthers SendingReason = "claimed_by_others" // waiting: other dispatchers have claimed the rest
	ReasonEndedByOthers   SendingReason = "ended_by_others"   // stopped, ended: by another dispatcher or an operator
	ReasonMaxFlows        SendingReason = "max_flows"         // waiting: for its turn, since there are more than MaxFlows flows
	ReasonStore           SendingReason = "store"             // waiting, ended: the store failed
	ReasonService         SendingReason = "service"           // stopped: the service cannot send, such as with a refused key
	ReasonRefusals        SendingReason = "refusals"          // stopped: RefusalThreshold was reached
	ReasonPlatform        SendingReason = "platform"          // stopped: FailureThreshold was reached
	ReasonSent            SendingReason = "sent"              // ended: the flow is Inviato
	ReasonIncomplete      SendingReason = "incomplete"        // ended: the flow is Invio incompleto
	ReasonInterrupted     SendingReason = "interrupted"       // ended: the context ended
)

// kind returns the class of an outcome for an observer. Call it before the breaker changes the
// outcome.
func (o outcome) kind() SubmissionOutcome {
	switch {
	case o.action == NotificationAccept:
		return SubmissionAccepted
	case o.code == CodeUnreachable:
		return SubmissionUnreachable
	case o.code == CodeInvalid:
		return SubmissionInvalid
	case o.code == CodeOutcomeUnknown:
		return SubmissionUnknown
	case o.signal == refusedMessage:
		return SubmissionRefused
	case o.signal == serviceFailed:
		return SubmissionServiceRefused
	case errors.Is(o.err, flussi.ErrRateLimited):
		return SubmissionThrottled
	}
	return SubmissionFailed
}

// receivesSubmissions reports whether a function for submissions is set. The observer may be nil.
func (o *Observer) receivesSubmissions() bool {
	return o != nil && (o.SubmissionStarted != nil || o.SubmissionEnded != nil)
}

// submission reports the start of a submission. It returns the context of its calls, and a function
// that reports its end.
func (o *Observer) submission(ctx context.Context, s Submission) (context.Context, func(outcome)) {
	if o.SubmissionStarted != nil {
		ctx = o.SubmissionStarted(ctx, s)
	}
	start := time.Now()
	return ctx, func(result outcome) {
		if o.SubmissionEnded != nil {
			o.SubmissionEnded(ctx, s, SubmissionResult{Outcome: result.kind(), Attempts: result.attempts, Took: time.Since(start)})
		}
	}
}

func (o *Observer) claimed(ctx context.Context, c ClaimResult) {
	if o.Claimed != nil {
		o.Claimed(ctx, c)
	}
}

func (o *Observer) rescued(ctx context.Context, n Notification) {
	if o.LeaseRescued != nil {
		o.LeaseRescued(ctx, RescuedLease{NotificationID: n.ID, FlowID: n.FlowID, Service: n.Service})
	}
}

// sending is the state of one flow that the observer was told last. It is not safe for concurrent
// use.
type sending struct {
	state  SendingState
	reason SendingReason
	until  time.Time
	flow   uuid.UUID
	name   string // of the service
}

// change reports a state and a reason, unless they are the same as before.
func (s *sending) change(ctx context.Context, o *Observer, to SendingState, reason SendingReason) {
	s.changeUntil(ctx, o, to, reason, time.Time{})
}

// throttled reports that the dispatcher waits until a time, because the platform asked for it.
func (s *sending) throttled(ctx context.Context, o *Observer, until time.Time) {
	s.changeUntil(ctx, o, SendingWaiting, ReasonThrottled, until)
}

func (s *sending) changeUntil(ctx context.Context, o *Observer, to SendingState, reason SendingReason, until time.Time) {
	from, why := s.state, s.reason
	if from == to && why == reason && s.until.Equal(until) || from == "" && to == SendingEnded { // it never began
		return
	}
	s.state, s.reason, s.until = to, reason, until
	if o.SendingChanged != nil {
		o.SendingChanged(ctx, SendingChange{
			FlowID: s.flow, Service: s.name, From: from, FromReason: why, To: to, Reason: reason, Until: until,
		})
	}
}

// end reports the end of a run that returned a flow and an error. served says that Serve made the
// run, and may begin another one. The platform asked to wait until limited, if it did.
func (s *sending) end(ctx context.Context, o *Observer, f Flow, err error, served bool, limited time.Time) {
	var stopped *StopError
	switch {
	case s.state == "": // the run failed before it began to send
	case errors.Is(err, errLimited):
		s.throttled(ctx, o, limited)
	case errors.Is(err, errElsewhere):
		s.change(ctx, o, SendingWaiting, ReasonClaimedByOthers)
	case errors.Is(err, errTurnOver):
		s.change(ctx, o, SendingWaiting, ReasonMaxFlows)
	case errors.As(err, &stopped):
		s.change(ctx, o, SendingStopped, stopped.class)
	case err != nil && ctx.Err() != nil:
		s.change(ctx, o, SendingEnded, ReasonInterrupted)
	case err != nil && served:
		s.change(ctx, o, SendingWaiting, ReasonStore)
	case err != nil:
		s.change(ctx, o, SendingEnded, ReasonStore)
	case f.State == FlowSent:
		s.change(ctx, o, SendingEnded, ReasonSent)
	case f.stopping():
		s.change(ctx, o, SendingStopped, ReasonEndedByOthers)
	default:
		s.change(ctx, o, SendingEnded, ReasonIncomplete)
	}
}
