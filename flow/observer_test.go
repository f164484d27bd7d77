package flow_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
)

// events records what an observer receives. It is safe for concurrent use.
type events struct {
	mu          sync.Mutex
	started     map[uuid.UUID]flow.Submission // that have not ended
	submissions []flow.SubmissionResult
	claims      []flow.ClaimResult
	rescued     []flow.RescuedLease
	calls       []flow.StoreCall
	changes     []flow.SendingChange
}

// submissionKey is the key of a context's value.
type submissionKey struct{}

// observer returns an observer that records all events, and checks that each submission that ends
// was started, and has the context of its start.
func (e *events) observer(t testing.TB) flow.Observer {
	e.started = map[uuid.UUID]flow.Submission{}
	record := func(add func()) {
		e.mu.Lock()
		defer e.mu.Unlock()
		add()
	}
	return flow.Observer{
		SubmissionStarted: func(ctx context.Context, s flow.Submission) context.Context {
			record(func() { e.started[s.NotificationID] = s })
			return context.WithValue(ctx, submissionKey{}, s.NotificationID)
		},
		SubmissionEnded: func(ctx context.Context, s flow.Submission, r flow.SubmissionResult) {
			record(func() {
				assert.Equal(t, s, e.started[s.NotificationID])
				assert.Equal(t, s.NotificationID, ctx.Value(submissionKey{}))
				delete(e.started, s.NotificationID)
				e.submissions = append(e.submissions, r)
			})
		},
		Claimed:        func(_ context.Context, c flow.ClaimResult) { record(func() { e.claims = append(e.claims, c) }) },
		LeaseRescued:   func(_ context.Context, l flow.RescuedLease) { record(func() { e.rescued = append(e.rescued, l) }) },
		StoreCalled:    func(_ context.Context, c flow.StoreCall) { record(func() { e.calls = append(e.calls, c) }) },
		SendingChanged: func(_ context.Context, c flow.SendingChange) { record(func() { e.changes = append(e.changes, c) }) },
	}
}

// outcomes counts the submissions by outcome.
func (e *events) outcomes() map[flow.SubmissionOutcome]int {
	counts := map[flow.SubmissionOutcome]int{}
	for _, s := range e.submissions {
		counts[s.Outcome]++
	}
	return counts
}

// change is the new state and the new reason of a SendingChange.
type change struct {
	To     flow.SendingState
	Reason flow.SendingReason
}

// steps returns the changes of a flow, and checks that each begins with the state of the one before.
func (e *events) steps(t testing.TB, id uuid.UUID) []change {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []change
	var last change
	for _, c := range e.changes {
		if c.FlowID == id {
			assert.Equal(t, last, change{c.From, c.FromReason})
			assert.Equal(t, taxes, c.Service)
			last = change{c.To, c.Reason}
			all = append(all, last)
			if c.To == flow.SendingStopped || c.To == flow.SendingEnded {
				last = change{}
			}
		}
	}
	return all
}

func TestObserverReceivesTheOutcomeOfASubmission(t *testing.T) {
	for name, test := range map[string]struct {
		fault    appiotest.Fault
		profiles bool
		want     flow.SubmissionOutcome
		attempts int
	}{
		"accepted":          {want: flow.SubmissionAccepted, attempts: 1},
		"refused":           {fault: appiotest.Fault{Kind: appiotest.Unprocessable}, want: flow.SubmissionRefused, attempts: 1},
		"a refused key":     {fault: appiotest.Fault{Kind: appiotest.Unauthorized}, want: flow.SubmissionServiceRefused, attempts: 1},
		"too many calls":    {fault: appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour}, want: flow.SubmissionThrottled, attempts: 1},
		"no certain answer": {fault: appiotest.Fault{Kind: appiotest.ServerError}, want: flow.SubmissionUnknown, attempts: 1},
		"no answer":         {fault: appiotest.Fault{Kind: appiotest.Silent}, want: flow.SubmissionUnknown, attempts: 1},
		"unreachable":       {profiles: true, want: flow.SubmissionUnreachable},
	} {
		bubble(t, name, func(t *testing.T) {
			var sent, alone events
			w := newWorld(t, worldConfig{service: flow.ServiceConfig{CheckProfiles: test.profiles, Observer: alone.observer(t)}})
			for i := range 3 {
				w.AddCitizen(appiotest.Citizen{Code: citizen(i), Absent: test.profiles})
			}
			if test.fault.Kind != "" {
				w.FailAtRandom(appiotest.SubmitMessage, 1, 1, test.fault)
			}
			f := w.sending(t, 1)
			_, _ = w.dispatcher(t, flow.DispatcherConfig{CheckProfiles: test.profiles, Observer: sent.observer(t)}).Run(t.Context(), f.ID)
			n, _ := w.SendNewNotification(t.Context(), operator, taxes, draft(2), flow.SendNewConfig{})
			require.NotEqual(t, uuid.Nil, n.ID)
			assert.Empty(t, sent.started)
			assert.Empty(t, alone.started)
			require.NotEmpty(t, sent.submissions)
			require.NotEmpty(t, alone.submissions)
			assert.Equal(t, test.want, sent.submissions[0].Outcome)
			assert.Equal(t, test.attempts, sent.submissions[0].Attempts)
			assert.Positive(t, alone.submissions[0].Took+1)
			if test.want != flow.SubmissionThrottled { // the pace ends the second call without a request
				assert.Equal(t, test.want, alone.submissions[0].Outcome)
			}
		})
	}
	bubble(t, "not sent, and not valid", func(t *testing.T) {
		var e events
		w := newWorld(t)
		refuses := func(context.Context, string) (flow.Sender, error) {
			return failing{err: &flussi.RemoteError{Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone}}, nil
		}
		service := must.Get(flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}}, refuses, flow.ServiceConfig{Observer: e.observer(t)}))(t)
		_, err := service.SendNewNotification(t.Context(), operator, taxes, draft(1), flow.SendNewConfig{})
		require.Error(t, err)
		refuses = func(context.Context, string) (flow.Sender, error) { return failing{err: &flussi.InvalidError{}}, nil }
		service = must.Get(flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}}, refuses, flow.ServiceConfig{Observer: e.observer(t)}))(t)
		_, err = service.SendNewNotification(t.Context(), operator, taxes, draft(2), flow.SendNewConfig{})
		require.Error(t, err)
		assert.Equal(t, map[flow.SubmissionOutcome]int{flow.SubmissionFailed: 1, flow.SubmissionInvalid: 1}, e.outcomes())
	})
}

// failing is a Sender whose submissions end with an error.
type failing struct {
	flow.Sender
	err error
}

func (f failing) Submit(context.Context, appio.Message) (appio.Receipt, error) {
	return appio.Receipt{}, f.err
}

// asking is a Sender that checks the context of its calls.
type asking struct {
	flow.Sender
	look func(context.Context)
}

func (a asking) Submit(ctx context.Context, m appio.Message) (appio.Receipt, error) {
	a.look(ctx)
	return a.Sender.Submit(ctx, m)
}

func (a asking) Profile(ctx context.Context, citizen flussi.FiscalCode) (appio.Profile, error) {
	a.look(ctx)
	return a.Sender.Profile(ctx, citizen)
}

func TestCallsHaveTheContextOfTheirSubmission(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var e events
		var mu sync.Mutex
		asked := map[uuid.UUID]int{}
		senders := w.senders
		w.senders = func(ctx context.Context, service string) (flow.Sender, error) {
			sender, err := senders(ctx, service)
			return asking{sender, func(ctx context.Context) {
				mu.Lock()
				defer mu.Unlock()
				asked[ctx.Value(submissionKey{}).(uuid.UUID)]++
			}}, err
		}
		f := w.sending(t, 20)
		w.dispatch(t, f.ID, flow.DispatcherConfig{CheckProfiles: true, Observer: e.observer(t)})
		want := map[uuid.UUID]int{}
		for _, n := range w.notifications(t, f.ID) {
			want[n.ID] = 2
		}
		assert.Equal(t, want, asked)
		assert.Equal(t, map[flow.SubmissionOutcome]int{flow.SubmissionAccepted: 20}, e.outcomes())
	}, unlimited)
}

func TestObserverReceivesClaims(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(100 * time.Millisecond)
		w.dispatch(t, w.sending(t, 20).ID)
		second := w.created(t)
		w.add(t, second.ID, drafts(50)...) // 20 of them have been sent: disabled
		for _, n := range w.notifications(t, second.ID) {
			if n.Disabled {
				do(t, w.EnableNotification, n.ID)
			}
		}
		w.ordered(t, second.ID)
		var e events
		w.dispatch(t, second.ID, flow.DispatcherConfig{Observer: e.observer(t)})
		var claimed, before int
		for _, c := range e.claims {
			assert.Equal(t, second.ID, c.FlowID)
			assert.Equal(t, taxes, c.Service)
			assert.GreaterOrEqual(t, c.Requested, c.Claimed+c.AlreadySent)
			assert.GreaterOrEqual(t, c.Waited, time.Duration(0))
			claimed, before = claimed+c.Claimed, before+c.AlreadySent
		}
		assert.Equal(t, 30, claimed)
		assert.Equal(t, 20, before)
		assert.Len(t, e.submissions, 30)
	}, unlimited)
}

func TestObserverReceivesRescuedLeases(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 5)
		crashed := w.claimed(t, f.ID, 3, time.Minute)
		var e events
		w.dispatch(t, f.ID, flow.DispatcherConfig{Observer: e.observer(t)})
		require.Len(t, e.rescued, 3)
		for _, l := range e.rescued {
			assert.Equal(t, f.ID, l.FlowID)
			assert.Equal(t, taxes, l.Service)
			assert.True(t, slices.ContainsFunc(crashed, func(n flow.Notification) bool { return n.ID == l.NotificationID }))
		}
		assert.Equal(t, []change{
			{flow.SendingRunning, ""}, {flow.SendingWaiting, flow.ReasonClaimedByOthers}, {flow.SendingEnded, flow.ReasonIncomplete},
		}, e.steps(t, f.ID))
	}, unlimited)
}

// The wrapper around an observed store keeps the contract of stores, and reports each method.
func TestObservedStoreKeepsTheContract(t *testing.T) {
	var mu sync.Mutex
	called, results := map[string]int{}, map[flow.StoreResult]int{}
	observer := flow.Observer{StoreCalled: func(_ context.Context, c flow.StoreCall) {
		mu.Lock()
		defer mu.Unlock()
		called[c.Method]++
		results[c.Result]++
	}}
	flowtest.RunStore(t, func(*testing.T) flow.Store { return flow.Observed(memstore.New(), &observer) })
	var want []string
	for _, kind := range []reflect.Type{reflect.TypeFor[flow.Store](), reflect.TypeFor[flow.SaveAndClaimer]()} {
		for i := range kind.NumMethod() {
			if name := kind.Method(i).Name; name != "Self" {
				want = append(want, name)
			}
		}
	}
	assert.ElementsMatch(t, want, slices.Collect(maps.Keys(called)))
	for _, result := range []flow.StoreResult{flow.StoreOK, flow.StoreNotFound, flow.StoreConflict, flow.StoreAlreadySent, flow.StoreCanceled} {
		assert.NotZero(t, results[result], result)
	}
	plain := readings(memstore.New(), func(int) error { return flussi.ErrStoreUnavailable })
	_, can := flow.Observed(plain, &observer).(flow.SaveAndClaimer)
	assert.False(t, can, "a store without SaveAndClaim remains one")
	assert.Equal(t, reflect.ValueOf(plain).Pointer(), reflect.ValueOf(flow.Observed(plain, &flow.Observer{})).Pointer(), "a store that is not observed is used as it is")
	_, err := flow.Observed(plain, &observer).Flow(t.Context(), uuid.New())
	assert.ErrorIs(t, err, flussi.ErrStoreUnavailable)
	assert.Equal(t, 1, results[flow.StoreUnavailable])
	for err, want := range map[error]flow.StoreResult{flussi.ErrCommitUnknown: flow.StoreCommitUnknown, errors.New("disk"): flow.StoreFailed} {
		before := results[want]
		broken := readings(memstore.New(), func(int) error { return err })
		_, got := flow.Observed(broken, &observer).Flow(t.Context(), uuid.New())
		assert.Equal(t, err, got)
		assert.Equal(t, before+1, results[want])
	}
}

func TestObserverReceivesHowFlowsAreSent(t *testing.T) {
	running, sent := change{flow.SendingRunning, ""}, change{flow.SendingEnded, flow.ReasonSent}
	hour := appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour}
	minutes := appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 5 * time.Minute}
	many := func(f appiotest.Fault) []appiotest.Fault { return slices.Repeat([]appiotest.Fault{f}, 100) }
	for name, test := range map[string]struct {
		faults  []appiotest.Fault
		prepare func(t *testing.T, w *world, f flow.Flow)
		run     []change // by Run
		serve   []change // by Serve, if they differ
	}{
		"sent":          {run: []change{running, sent}},
		"with an error": {faults: many(appiotest.Fault{Kind: appiotest.Unprocessable})[:1], run: []change{running, {flow.SendingEnded, flow.ReasonIncomplete}}},
		"refused key":   {faults: many(appiotest.Fault{Kind: appiotest.Unauthorized}), run: []change{running, {flow.SendingStopped, flow.ReasonService}}},
		"equal refusals": {
			faults: many(appiotest.Fault{Kind: appiotest.Unprocessable}), run: []change{running, {flow.SendingStopped, flow.ReasonRefusals}},
		},
		"the platform is down": {faults: many(appiotest.Fault{Kind: appiotest.ServerError}), run: []change{running, {flow.SendingStopped, flow.ReasonPlatform}}},
		"asked to wait":        {faults: []appiotest.Fault{minutes}, run: []change{running, {flow.SendingWaiting, flow.ReasonThrottled}, running, sent}},
		"asked to wait long":   {faults: []appiotest.Fault{hour}, run: []change{running, {flow.SendingStopped, flow.ReasonThrottled}}},
		"another claimed some": {
			prepare: func(t *testing.T, w *world, f flow.Flow) { w.claimed(t, f.ID, 5, time.Minute) },
			run:     []change{running, {flow.SendingWaiting, flow.ReasonClaimedByOthers}, {flow.SendingEnded, flow.ReasonIncomplete}},
			serve:   []change{running, {flow.SendingWaiting, flow.ReasonClaimedByOthers}, running, {flow.SendingEnded, flow.ReasonIncomplete}},
		},
		"disabled meanwhile": {
			prepare: func(t *testing.T, w *world, f flow.Flow) {
				w.slow(time.Second)
				time.AfterFunc(2500*time.Millisecond, func() { do(t, w.DisableFlow, f.ID) })
			},
			run: []change{running, {flow.SendingStopped, flow.ReasonEndedByOthers}},
		},
	} {
		for _, serve := range []bool{false, true} {
			how, want := "Run", test.run
			if serve {
				how = "Serve"
				if test.serve != nil {
					want = test.serve
				}
			}
			bubble(t, name+", by "+how, func(t *testing.T) {
				w := newWorld(t, unlimited)
				f := w.sending(t, 60)
				w.Fail(appiotest.SubmitMessage, test.faults...)
				if test.prepare != nil {
					test.prepare(t, w, f)
				}
				var e events
				config := flow.DispatcherConfig{Workers: 2, Observer: e.observer(t)}
				if serve {
					stop := w.serve(t, config)
					time.Sleep(20 * time.Minute)
					stop()
				} else {
					_, _ = w.dispatcher(t, config).Run(t.Context(), f.ID)
				}
				got := slices.Compact(e.steps(t, f.ID))
				if name == "another claimed some" && serve { // Serve reads the flow each second
					got = append(got[:3:3], got[len(got)-1])
				}
				assert.Equal(t, want, got)
			})
		}
	}
}

// When a dispatcher ends, the flows that are running or waiting become interrupted, so that the sums
// of changes are 0.
func TestNothingIsRunningWhenServeHasEnded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(100 * time.Millisecond)
		running, waiting := w.sending(t, 3000), w.sending(t, 10)
		w.claimed(t, waiting.ID, 5, time.Hour)
		var e events
		stop := w.serve(t, flow.DispatcherConfig{Workers: 2, Observer: e.observer(t)})
		time.Sleep(10 * time.Second)
		stop()
		counts := map[change]int{}
		for _, c := range e.changes {
			counts[change{c.From, c.FromReason}]--
			counts[change{c.To, c.Reason}]++
		}
		maps.DeleteFunc(counts, func(c change, n int) bool { return n == 0 })
		assert.Equal(t, map[change]int{{}: -2, {flow.SendingEnded, flow.ReasonInterrupted}: 2}, counts)
		assert.Len(t, e.steps(t, running.ID), 2)
		e.mu.Lock()
		defer e.mu.Unlock()
		assert.Empty(t, e.started)
	}, unlimited)
}

// If another dispatcher ends a flow that this one waits for, this one stops waiting some minutes later.
func TestFlowThatEndsElsewhereDoesNotWaitForever(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 10)
		claimed := w.claimed(t, f.ID, 5, time.Hour)
		var e events
		stop := w.serve(t, flow.DispatcherConfig{Observer: e.observer(t)})
		time.Sleep(time.Minute + 100*time.Millisecond) // between two reads of the flow
		for _, n := range claimed {
			n.State, n.Transmission.MessageID = flow.NotificationSent, "01JN6Q5CZ3VGTA4X4QJEFR95C1"
			record := flow.NotificationRecord{At: time.Now().UTC(), By: "other", Action: flow.NotificationAccept, From: flow.NotificationSending, To: n.State}
			require.NoError(t, w.store.SaveNotifications(t.Context(), flow.NotificationChange{Notification: n, Record: record}))
		}
		w.dispatch(t, f.ID, flow.DispatcherConfig{ID: "other"})
		time.Sleep(3 * time.Minute)
		w.isIn(t, flow.FlowSent, f.ID)
		steps := e.steps(t, f.ID)
		require.Greater(t, len(steps), 2)
		assert.Equal(t, []change{{flow.SendingWaiting, flow.ReasonClaimedByOthers}, {flow.SendingEnded, flow.ReasonEndedByOthers}}, steps[len(steps)-2:])
		stop()
	}, unlimited)
}

// With more flows than MaxFlows, those whose turn is over wait. A store that fails makes them wait,
// too.
func TestObserverReceivesWhyFlowsWait(t *testing.T) {
	inAltered(t, func(t *testing.T, w *world, store *altered) {
		w.slow(time.Second)
		first := w.sending(t, 30)
		time.Sleep(time.Second)
		second := w.sending(t, 5)
		var e events
		stop := w.serve(t, flow.DispatcherConfig{MaxFlows: 1, Workers: 1, Observer: e.observer(t)})
		time.Sleep(2 * time.Minute)
		running, sent := change{flow.SendingRunning, ""}, change{flow.SendingEnded, flow.ReasonSent}
		assert.Equal(t, []change{running, {flow.SendingWaiting, flow.ReasonMaxFlows}, running, sent}, e.steps(t, first.ID))
		assert.Equal(t, []change{{flow.SendingWaiting, flow.ReasonMaxFlows}, running, sent}, e.steps(t, second.ID))

		failures := 1
		store.saveNotifications = nil
		store.claim = func(context.Context, flow.Claim) error {
			if failures--; failures >= 0 {
				return errStore
			}
			return nil
		}
		third := w.sending(t, 5)
		time.Sleep(20 * time.Minute) // the failed claim may have leased notifications
		stop()
		got := e.steps(t, third.ID)
		require.Greater(t, len(got), 2)
		assert.Equal(t, []change{running, {flow.SendingWaiting, flow.ReasonStore}}, got[:2])
		assert.Equal(t, change{flow.SendingEnded, flow.ReasonIncomplete}, got[len(got)-1], "its claims became unknown")
	})
}

// Flows beyond MaxFlows wait for their turn, however long that takes, also before their first one.
func TestObserverReceivesFlowsBeyondMaxFlows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.slow(time.Second)
		var all []uuid.UUID
		for range 8 { // a turn is 10 seconds, so a round takes longer than a minute
			all = append(all, w.sending(t, 15).ID)
			time.Sleep(time.Second)
		}
		var e events
		config := flow.DispatcherConfig{MaxFlows: 1, Workers: 1, Observer: e.observer(t)}
		stop := w.serve(t, config)
		time.Sleep(5 * time.Minute)
		stop()
		running, sent := change{flow.SendingRunning, ""}, change{flow.SendingEnded, flow.ReasonSent}
		waiting := change{flow.SendingWaiting, flow.ReasonMaxFlows}
		for i, id := range all {
			want := []change{waiting, running, waiting, running, sent}
			if i == 0 {
				want = want[1:]
			}
			assert.Equal(t, want, e.steps(t, id), i)
		}

		first, second := w.sending(t, 15), w.sending(t, 15)
		stop = w.serve(t, config)
		time.Sleep(5 * time.Second)
		stop()
		interrupted := change{flow.SendingEnded, flow.ReasonInterrupted}
		assert.Equal(t, []change{running, interrupted}, e.steps(t, first.ID))
		assert.Equal(t, []change{waiting, interrupted}, e.steps(t, second.ID))
		for _, c := range e.changes {
			assert.NotEqual(t, uuid.Nil, c.FlowID)
		}
	}, unlimited)
}

// A flow whose run fails before it begins to send was not reported, so its end is not either.
func TestObserverReceivesNoEndWithoutABeginning(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.sending(t, 2)
		var e events
		broken := &world{senders: w.senders, store: readings(w.store, func(int) error { return errStore })}
		stop := broken.serve(t, flow.DispatcherConfig{Observer: e.observer(t)})
		time.Sleep(time.Minute)
		stop()
		assert.Empty(t, e.changes)
	})
}

// An observer may read from the service, and receives nothing after Run or Serve has returned, also if
// their context ends while the platform does not answer.
func TestObserverReceivesNothingAfterTheEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var e events
		observer := e.observer(t)
		record := observer.SendingChanged
		observer.SendingChanged = func(ctx context.Context, c flow.SendingChange) {
			assert.Equal(t, c.FlowID, must.Get(w.Flow(context.WithoutCancel(ctx), operator, c.FlowID))(t).ID)
			record(ctx, c)
		}
		received := func() int {
			e.mu.Lock()
			defer e.mu.Unlock()
			return len(e.submissions) + len(e.claims) + len(e.rescued) + len(e.calls) + len(e.changes)
		}
		first, _ := w.sending(t, 30), w.sending(t, 30)
		w.FailAtRandom(appiotest.SubmitMessage, 0.5, 1, appiotest.Fault{Kind: appiotest.Silent})
		d := w.dispatcher(t, flow.DispatcherConfig{MaxFlows: 1, Observer: observer, ShutdownTimeout: 5 * time.Second})
		for _, run := range []func(context.Context){
			func(ctx context.Context) { _, _ = d.Run(ctx, first.ID) },
			func(ctx context.Context) { _ = d.Serve(ctx) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			run(ctx)
			cancel()
			assert.Empty(t, e.started, "each submission has ended")
			before := received()
			time.Sleep(time.Hour)
			assert.Equal(t, before, received())
		}
		assert.NotEmpty(t, e.submissions)
	}, unlimited)
}

// Who watches learns until when the platform asks to wait, and that it asks for more.
func TestObserversLearnUntilWhenThePlatformAsksToWait(t *testing.T) {
	for _, serve := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			f := w.sending(t, 3)
			minutes := appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 5 * time.Minute}
			w.Fail(appiotest.SubmitMessage, minutes, minutes)
			begun := time.Now()
			var mu sync.Mutex
			var waits []time.Duration
			config := flow.DispatcherConfig{Workers: 1, Observer: flow.Observer{SendingChanged: func(_ context.Context, c flow.SendingChange) {
				mu.Lock()
				defer mu.Unlock()
				assert.Equal(t, c.Reason == flow.ReasonThrottled, !c.Until.IsZero())
				if c.To == flow.SendingWaiting {
					waits = append(waits, c.Until.Sub(begun).Round(time.Minute))
				}
			}}}
			if serve {
				stop := w.serve(t, config)
				time.Sleep(time.Hour)
				stop()
			} else {
				must.Get(w.dispatcher(t, config).Run(t.Context(), f.ID))(t)
			}
			assert.Equal(t, []time.Duration{5 * time.Minute, 10 * time.Minute}, waits)
			w.hasDelivered(t, 3)
		}, unlimited)
	}
}
