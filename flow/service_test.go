package flow_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

// notification returns a notification as it is stored.
func (w *world) notification(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	return must.Get(w.store.Notification(context.WithoutCancel(t.Context()), id))(t)
}

// run sends a flow that is to be sent, one notification after the other, with the faults.
func (w *world) run(t testing.TB, id uuid.UUID, faults ...appiotest.Fault) flow.Flow {
	t.Helper()
	w.Fail(appiotest.SubmitMessage, faults...)
	return w.dispatch(t, id, flow.DispatcherConfig{Workers: 1})
}

// flowSteps and steps name what was done, in order, and check that each version has its record.
func (w *world) flowSteps(t testing.TB, id uuid.UUID) string {
	t.Helper()
	return actions(t, do(t, w.FlowHistory, id), w.flow(t, id).Version)
}

func (w *world) steps(t testing.TB, id uuid.UUID) string {
	t.Helper()
	return actions(t, do(t, w.NotificationHistory, id), w.notification(t, id).Version)
}

func actions[S, A ~string](t testing.TB, records []flussi.Record[S, A], version int64) string {
	t.Helper()
	require.EqualValues(t, len(records), version)
	var names []string
	for i, r := range records {
		require.EqualValues(t, i+1, r.Version)
		names = append(names, string(r.Action))
	}
	return strings.Join(names, " ")
}

// last returns the last record.
func last[S, A ~string](records []flussi.Record[S, A]) flussi.Record[S, A] {
	return records[len(records)-1]
}

// refused requires a refusal for a reason, with a text for the operator, that changed
// nothing.
func (w *world) refused(t *testing.T, reason error, call func() error) {
	t.Helper()
	before, calls := everythingIn(t, w.store), w.calls()
	err := call()
	require.ErrorIs(t, err, reason)
	require.ErrorAs(t, err, new(*flussi.Error))
	assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, flussi.Explain(err))
	assert.Equal(t, before, everythingIn(t, w.store), "something was changed")
	assert.Equal(t, calls, w.calls(), "the platform was called")
}

var (
	refusal  = appiotest.Fault{Kind: appiotest.BadRequest}
	noAnswer = appiotest.Fault{Kind: appiotest.NoID}
)

func TestDispatcherConfigThatContradictsItselfIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]flow.DispatcherConfig{
		"negative Workers":               {Workers: -1},
		"negative ClaimAhead":            {ClaimAhead: -1},
		"a lease too short":              {Lease: time.Second - 1},
		"more Workers than a process":    {Workers: math.MaxInt},
		"more requests than it keeps":    {MaxRequests: math.MaxInt},
		"more calls than a store":        {MaxStoreCalls: math.MaxInt},
		"more flows than it keeps":       {MaxFlows: math.MaxInt},
		"claims for much of their lease": {Lease: 4 * time.Second, ClaimAhead: time.Second + 1},
		"a shutdown that does not come":  {ShutdownTimeout: math.MaxInt64},
		"a lease without an end":         {Lease: math.MaxInt64},
		"a look every century":           {PollInterval: math.MaxInt64},
		"a wait without an end":          {MaxRetryAfter: math.MaxInt64},
		"failures without an end":        {FailureThreshold: math.MaxInt},
		"refusals without an end":        {RefusalThreshold: math.MaxInt},
	} {
		assert.ErrorIs(t, must.Err(flow.NewDispatcher(w.store, w.senders, c)), flussi.ErrConfig, name)
	}
	assert.ErrorIs(t, must.Err(flow.NewDispatcher(nil, nil, flow.DispatcherConfig{})), flussi.ErrConfig)
	must.Get(flow.NewDispatcher(w.store, w.senders, flow.DispatcherConfig{
		Workers: flow.MaxWorkers, MaxRequests: 100_000, MaxStoreCalls: 1000, MaxFlows: 100_000, ShutdownTimeout: 24 * time.Hour, Lease: flow.MaxLease,
		FailureThreshold: 100_000, RefusalThreshold: 10_000, MaxRetryAfter: 24 * time.Hour, PollInterval: time.Hour,
	}))(t)
}

// notSending is a store that may refuse to send.
type notSending struct {
	flow.Store
	refusal error
}

func (n notSending) CheckSend() error { return n.refusal }

func TestDispatcherRefusesStoresThatDoNotSend(t *testing.T) {
	w := newWorld(t)
	refused := &flussi.Error{Package: "x", Operation: "y", Err: errors.New("in a transaction"), Reason: "Prima confermare."}
	_, err := flow.NewDispatcher(notSending{w.store, refused}, w.senders, flow.DispatcherConfig{Workers: -1})
	require.ErrorIs(t, err, flussi.ErrConfig)
	require.ErrorIs(t, err, refused)
	must.Contain(t, err.Error(), "in a transaction", "Workers is negative")
	assert.Equal(t, "Prima confermare.", flussi.Explain(err))
	must.Get(flow.NewDispatcher(notSending{w.store, nil}, w.senders, flow.DispatcherConfig{}))(t)
}

func TestServiceConfigThatContradictsItselfIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]flow.ServiceConfig{
		"fewer than no workers":    {Workers: -1},
		"a lease too short":        {Lease: time.Second - 1},
		"a negative lease":         {Lease: -time.Minute},
		"more workers than memory": {Workers: 1_000_000_000},
		"a lease without an end":   {Lease: math.MaxInt64},
		"beyond the platform's":    {Limits: flow.Limits{MinSubject: 10, MaxSubject: 121, MinContent: 80, MaxContent: 10_000}},
		"below the platform's":     {Limits: flow.Limits{MinSubject: 9, MaxSubject: 120, MinContent: 80, MaxContent: 10_000}},
		"more at least than most":  {Limits: flow.Limits{MinSubject: 100, MaxSubject: 99, MinContent: 80, MaxContent: 10_000}},
	} {
		_, err := flow.NewService(w.store, flow.Permissions{}, w.senders, c)
		assert.ErrorIs(t, err, flussi.ErrConfig, name)
	}
	_, err := flow.NewService(nil, nil, nil, flow.ServiceConfig{Workers: -1, Lease: 1})
	require.ErrorIs(t, err, flussi.ErrConfig)
	assert.Contains(t, err.Error(), "are needed")
	assert.Contains(t, err.Error(), "Workers")
	assert.Contains(t, err.Error(), "Lease")
}
