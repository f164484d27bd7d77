package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// notification returns a notification as it is stored.
func (w *world) notification(t testing.TB, id uuid.UUID) flow.Notification {
	t.Helper()
	n, err := w.store.Notification(context.WithoutCancel(t.Context()), id)
	require.NoError(t, err)
	return n
}

// run sends a flow that is to be sent, one notification after the other, with the faults.
func (w *world) run(t testing.TB, id uuid.UUID, faults ...appiotest.Fault) flow.Flow {
	t.Helper()
	w.Fail(appiotest.SubmitMessage, faults...)
	return must(w.dispatcher(t, flow.DispatcherConfig{Workers: 1, MaxInFlight: 1}).Run(t.Context(), id))(t)
}

// flowSteps and steps return what was done, in order, and check that each version has its
// record.
func (w *world) flowSteps(t testing.TB, id uuid.UUID) []flow.FlowAction {
	t.Helper()
	records := must(w.FlowHistory(t.Context(), operator, id))(t)
	var actions []flow.FlowAction
	for i, r := range records {
		require.EqualValues(t, i+1, r.Version)
		actions = append(actions, r.Action)
	}
	require.EqualValues(t, len(records), w.flow(t, id).Version)
	return actions
}

func (w *world) steps(t testing.TB, id uuid.UUID) []flow.NotificationAction {
	t.Helper()
	records := must(w.NotificationHistory(t.Context(), operator, id))(t)
	var actions []flow.NotificationAction
	for i, r := range records {
		require.EqualValues(t, i+1, r.Version)
		actions = append(actions, r.Action)
	}
	require.EqualValues(t, len(records), w.notification(t, id).Version)
	return actions
}

// refused requires a refusal for a reason, with a text for the operator, that changed
// nothing.
func (w *world) refused(t *testing.T, reason error, call func() error) {
	t.Helper()
	before, calls := everythingIn(t, w.store), w.calls()
	err := call()
	require.ErrorIs(t, err, reason)
	var typed *flussi.Error
	require.ErrorAs(t, err, &typed)
	assert.NotContains(t, []string{"", "Errore imprevisto: rivolgersi all'assistenza."}, flussi.Explain(err))
	assert.Equal(t, before, everythingIn(t, w.store), "something was changed")
	assert.Equal(t, calls, w.calls(), "the platform was called")
}

// only drops the value of a call.
func only(_ any, err error) error { return err }

var (
	refusal  = appiotest.Fault{Kind: appiotest.BadRequest}
	noAnswer = appiotest.Fault{Kind: appiotest.NoID}
)

func TestConfigurationsThatContradictThemselves(t *testing.T) {
	w := newWorld(t, worldConfig{})
	for name, c := range map[string]flow.ServiceConfig{
		"fewer than no workers":   {Workers: -1},
		"a lease too short":       {Lease: time.Second - 1},
		"a negative lease":        {Lease: -time.Minute},
		"beyond the platform's":   {Limits: flow.Limits{MinSubject: 10, MaxSubject: 121, MinContent: 80, MaxContent: 10_000}},
		"below the platform's":    {Limits: flow.Limits{MinSubject: 9, MaxSubject: 120, MinContent: 80, MaxContent: 10_000}},
		"more at least than most": {Limits: flow.Limits{MinSubject: 100, MaxSubject: 99, MinContent: 80, MaxContent: 10_000}},
	} {
		_, err := flow.NewService(w.store, flow.Permissions{}, w.messengers, c)
		assert.ErrorIs(t, err, flussi.ErrConfig, name)
	}
	_, err := flow.NewService(nil, nil, nil, flow.ServiceConfig{Workers: -1, Lease: 1})
	require.ErrorIs(t, err, flussi.ErrConfig)
	assert.Contains(t, err.Error(), "are needed")
	assert.Contains(t, err.Error(), "Workers")
	assert.Contains(t, err.Error(), "Lease")
}
