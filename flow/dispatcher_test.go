package flow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
)

func TestDispatcherSendsAFlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 500)
		sent := w.dispatch(t, f.ID)
		assert.Equal(t, flow.FlowSent, sent.State)
		assert.Equal(t, flow.Counts{Sent: 500}, sent.Counts)
		assert.Equal(t, w.flow(t, f.ID), sent)
		assert.Len(t, w.delivered(), 500)
		w.hasDelivered(t, 500)
		ids := map[appio.MessageID]bool{}
		for _, n := range w.notifications(t, f.ID) {
			ids[n.Transmission.MessageID] = true
			assert.Equal(t, 1, n.Transmission.Attempts)
			assert.False(t, n.Transmission.SentAt.IsZero())
			assert.Equal(t, "dispatcher", n.UpdatedBy)
		}
		assert.Len(t, ids, 500)
		history := do(t, w.FlowHistory, f.ID)
		var actions []flow.FlowAction
		for _, record := range history {
			actions = append(actions, record.Action)
		}
		assert.Equal(t, []flow.FlowAction{flow.FlowCreate, flow.FlowImport, flow.FlowActivate, flow.FlowSend, flow.FlowComplete}, actions)
	}, unlimited)
}

// The storm: faults of every kind in almost a third of the calls, three dispatchers on
// one flow that stops whenever the service seems to be refused, and is sent on.
func TestDispatchersNotifyNobodyTwiceDespiteFaults(t *testing.T) {
	seeds, total := 20, 10_000
	if testing.Short() || raceEnabled {
		seeds, total = 3, 2_000
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { storm(t, uint64(seed), total) })
		})
	}
}

func storm(t *testing.T, seed uint64, total int) {
	w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true, ProcessAfter: time.Hour}})
	f := w.sending(t, total)
	w.FailAtRandom(appiotest.SubmitMessage, 0.3, seed, append(appiotest.Faults(), appiotest.Fault{Kind: appiotest.Slow, Delay: 20 * time.Second})...)
	random := rand.New(rand.NewPCG(seed, 1))
	var last flow.Flow
	for rounds := 0; ; rounds++ {
		require.Less(t, rounds, total, "the flow does not come to its end")
		ends := make(chan error, 3)
		for i := range cap(ends) {
			d := w.dispatcher(t, flow.DispatcherConfig{ID: fmt.Sprint("d", i), Workers: 1 + random.IntN(16)})
			go func() {
				_, err := d.Run(t.Context(), f.ID)
				ends <- err
			}()
		}
		for range cap(ends) {
			var stopped *flow.StopError
			if err := <-ends; err != nil && !errors.As(err, &stopped) {
				require.NoError(t, err)
			}
		}
		last = w.flow(t, f.ID)
		require.NotEqual(t, flow.FlowSending, last.State)
		if last.Counts.Registered == 0 {
			break
		}
		require.NotEmpty(t, last.Error, "what is left was not begun because the sending was stopped")
		do(t, w.SendFlow, f.ID)
	}
	assert.Zero(t, last.Counts.Sending)
	assert.Equal(t, total, last.Counts.Total())

	delivered := w.delivered()
	known := map[appio.MessageID]bool{}
	for _, d := range w.Deliveries() {
		known[appio.MessageID(d.ID)] = true
	}
	for code, times := range delivered {
		require.Equal(t, 1, times, "a citizen was notified twice: %v", code)
	}
	unknown := 0
	for _, n := range w.notifications(t, f.ID) {
		switch {
		case n.State == flow.NotificationSent:
			require.True(t, known[n.Transmission.MessageID], "Inviato, though the platform did not accept it")
		case n.State == flow.NotificationFailed && n.Transmission.ErrorCode == flow.CodeOutcomeUnknown:
			unknown++
			require.NotEmpty(t, n.Transmission.Error)
		case n.State == flow.NotificationFailed:
			require.Zero(t, delivered[n.Recipient], "said not to have arrived, and it did: %s", n.Transmission.ErrorCode)
			require.Contains(t, []flow.ErrorCode{flow.CodeRefused, flow.CodeNotPermitted, flow.CodeNotSent}, n.Transmission.ErrorCode)
		default:
			require.Fail(t, "lost", "%s", n.State)
		}
	}
	assert.NotZero(t, unknown)
	assert.Less(t, unknown, total/2)
}

// The context ends in the middle: what is on its way comes to its end, what was not begun
// is given back, and another run sends the rest.
func TestCancelledRunReleasesWhatItDidNotSend(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 300)
		w.slow(5 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		start := time.Now()
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 16}).Run(ctx, f.ID)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(start).Truncate(time.Second), "two rounds of calls")
		assert.Equal(t, flow.FlowSending, got.State)
		assert.Equal(t, flow.Counts{Registered: 300 - 32, Sent: 32}, w.flow(t, f.ID).Counts)
		w.FailAtRandom(appiotest.SubmitMessage, 0, 1)
		got = w.dispatch(t, f.ID)
		assert.Equal(t, flow.FlowSent, got.State)
		w.hasDelivered(t, 300)
	}, unlimited)
}

// What does not end within the grace is cut off, and unknown.
func TestShutdownTimeoutMakesOutcomesUnknown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 5)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: 9 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.ErrorIs(t, must.Err(w.dispatcher(t, flow.DispatcherConfig{Workers: 1, ShutdownTimeout: 2 * time.Second}).Run(ctx, f.ID)), context.DeadlineExceeded)
		assert.Equal(t, flow.Counts{Registered: 4, Failed: 1}, w.flow(t, f.ID).Counts)
		w.isIn(t, flow.FlowSending, f.ID)
	})
}

// A failure of the service stops the flow, and burns no recipient.
func TestFailureOfTheServiceStopsTheFlow(t *testing.T) {
	for name, test := range map[string]struct {
		fault   appiotest.Fault
		err     error
		italian string
		failed  int // at most
	}{
		"the key is refused":             {appiotest.Fault{Kind: appiotest.Unauthorized}, flussi.ErrUnauthorized, "Invio fermato. App IO non accetta la chiave del servizio: verificare la chiave, poi riprendere con «Invia Flusso».", 0},
		"the service is not enabled":     {appiotest.Fault{Kind: appiotest.Forbidden}, flussi.ErrRemoteForbidden, "Invio fermato dopo 10 rifiuti uguali consecutivi di App IO, senza messaggi accettati", 0},
		"the service is not known":       {appiotest.Fault{Kind: appiotest.NotFound}, flussi.ErrRemoteNotFound, "Invio fermato dopo 10 rifiuti uguali consecutivi di App IO, senza messaggi accettati", 0},
		"the data are refused":           {appiotest.Fault{Kind: appiotest.BadRequest}, flussi.ErrRemoteInvalid, "Invio fermato dopo 10 rifiuti uguali consecutivi di App IO, senza messaggi accettati", 0},
		"the platform reports errors":    {appiotest.Fault{Kind: appiotest.ServerProblem}, flussi.ErrOutcomeUnknown, "Invio fermato dopo 20 invii consecutivi senza una risposta certa", 20 + 15},
		"the platform lets nobody in":    {appiotest.Fault{Kind: appiotest.TooManyRequests}, flussi.ErrRateLimited, "App IO ha ricevuto troppe richieste dall'ente: riprendere più tardi con «Invia Flusso».", 0},
		"the platform gives no answers":  {appiotest.Fault{Kind: appiotest.BadGateway}, flussi.ErrOutcomeUnknown, "Invio fermato dopo 20 invii consecutivi senza una risposta certa", 20 + 15},
		"the platform breaks the line":   {appiotest.Fault{Kind: appiotest.Reset}, flussi.ErrOutcomeUnknown, "Invio fermato dopo 20 invii consecutivi senza una risposta certa", 20 + 15},
		"the platform says nothing more": {appiotest.Fault{Kind: appiotest.Silent}, flussi.ErrOutcomeUnknown, "Invio fermato dopo 20 invii consecutivi senza una risposta certa", 20 + 15},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t, unlimited)
			f := w.sending(t, 200)
			w.FailAtRandom(appiotest.SubmitMessage, 1, 0, test.fault)
			got, err := w.dispatcher(t).Run(t.Context(), f.ID)
			require.ErrorAs(t, err, new(*flow.StopError))
			assert.ErrorIs(t, err, test.err)
			assert.Equal(t, flow.FlowIncomplete, got.State)
			assert.Contains(t, got.Error, test.italian)
			assert.Equal(t, got.Error, flussi.Explain(err))
			assert.LessOrEqual(t, got.Counts.Failed, test.failed)
			assert.Equal(t, 200, got.Counts.Failed+got.Counts.Registered)
			assert.Empty(t, w.Deliveries())

			// Mended, it goes on from there.
			w.FailAtRandom(appiotest.SubmitMessage, 0, 0)
			failed := got.Counts.Failed
			assert.Empty(t, do(t, w.SendFlow, f.ID).Error)
			got = w.dispatch(t, f.ID)
			assert.Equal(t, flow.Counts{Sent: 200 - failed, Failed: failed}, got.Counts)
		})
	}
}
