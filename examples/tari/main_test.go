package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

func Example() {
	main()
	// Output:
	// Inviato 3 di 3
	// Messaggi consegnati: 3
}

// newTestJob returns a job with so many bills, and the simulator that it sends to.
func newTestJob(t *testing.T, bills int) (*job, *appiotest.Server) {
	t.Helper()
	platform := appiotest.NewServer(appiotest.Config{})
	t.Cleanup(platform.Close)
	platform.AddService(appiotest.Service{ID: service, Key: "a-key"})
	client := must.Get(appio.New(must.Get(flussi.ParseKey("a-key"))(t), appio.Config{BaseURL: platform.URL}))(t)
	j := must.Get(newJob(t.Context(), filepath.Join(t.TempDir(), "comune.db"), bills, func(context.Context, string) (flow.Sender, error) { return client, nil }))(t)
	t.Cleanup(func() { _ = j.db.Close() })
	return j, platform
}

// stored returns the job's flows, the oldest first.
func stored(t *testing.T, j *job) []flow.Flow {
	t.Helper()
	return must.Get(j.store.Flows(t.Context(), flow.FlowFilter{AppContext: flowsOfBills}, flow.Page{OldestFirst: true, Limit: 100}))(t)
}

// The platform refuses all messages: the flow stops with all of them to be sent, and waits for an
// operator. If the job ordered it again, refused messages would become Errore, ten each night.
func TestStoppedFlowWaitsForAnOperator(t *testing.T) {
	j, platform := newTestJob(t, 40)
	refusals := make([]appiotest.Fault, 400)
	for i := range refusals {
		refusals[i].Kind = appiotest.Unprocessable
	}
	platform.Fail(appiotest.SubmitMessage, refusals...)
	err := j.run(t.Context())
	must.As[*flow.StopError](t, err)
	stopped := stored(t, j)
	require.Len(t, stopped, 1)
	assert.Equal(t, flow.FlowIncomplete, stopped[0].State)
	assert.NotEmpty(t, stopped[0].Error)
	assert.Equal(t, flow.Counts{Registered: 40}, stopped[0].Counts)
	for range 3 {
		require.NoError(t, j.run(t.Context()))
		assert.Equal(t, stopped, stored(t, j))
	}
}

// A flow that stops does not keep the job from the next one.
func TestJobGoesOnAfterAFlowThatStops(t *testing.T) {
	j, platform := newTestJob(t, 1)
	require.NoError(t, j.compose(t.Context()))
	_, err := j.db.ExecContext(t.Context(), "INSERT INTO bills (citizen, cents, due, flow) VALUES (?, 500, '2027-06-16', '')", appiotest.SampleCitizen(9).Reveal())
	require.NoError(t, err)
	platform.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Unauthorized})
	must.As[*flow.StopError](t, j.run(t.Context()))
	flows := stored(t, j)
	require.Len(t, flows, 2)
	assert.Equal(t, flow.FlowIncomplete, flows[0].State)
	assert.Equal(t, flow.FlowSent, flows[1].State)
}

// A job that was killed after the last message, and before the flow was Inviato, finishes the flow.
func TestFlowWithNothingLeftToSendIsFinished(t *testing.T) {
	j, _ := newTestJob(t, 1)
	require.NoError(t, j.run(t.Context()))
	_, err := j.db.ExecContext(t.Context(), "UPDATE flussi_flows SET state = 'sending'")
	require.NoError(t, err)
	require.NoError(t, j.run(t.Context()))
	assert.Equal(t, flow.FlowSent, stored(t, j)[0].State)
}
