package flow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// The platform asks to wait: the flow waits, or stops and says until when.
func TestFlowWaitsAsThePlatformAsks(t *testing.T) {
	limited := func(seconds string) *reply {
		a := gateway(429, "Rate limit is exceeded.")
		a.retryAfter = seconds
		return &a
	}
	// The bubble's time begins on 1 January 2000 at 01:00 in Italy.
	bubble(t, "an hour", func(t *testing.T) {
		p := &scripted{script: func(int, flussi.FiscalCode) *reply { return limited("3600") }}
		w := inPipes(t, p)
		f := w.sending(t, 50)
		start := time.Now()
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 2}).Run(t.Context(), f.ID)
		require.ErrorAs(t, err, new(*flow.StopError))
		require.ErrorIs(t, err, flussi.ErrRateLimited)
		assert.LessOrEqual(t, time.Since(start), time.Second)
		assert.LessOrEqual(t, p.calls, 2, "those under way")
		assert.Equal(t, "Invio fermato. App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al 01/01/2000 alle 02:00: "+
			"riprendere dopo quel momento con «Invia Flusso».", strings.Replace(got.Error, "02:01", "02:00", 1))
		assert.Equal(t, flow.Counts{Registered: 50}, got.Counts)

		n := w.notifications(t, f.ID)[0]
		_, err = w.SendNotification(t.Context(), operator, n.ID)
		assert.Regexp(t, `^App IO ha ricevuto troppe richieste dall'ente e chiede di attendere fino al 01/01/2000 alle 0\d:\d\d: riprovare dopo quel momento\.$`, flussi.Explain(err))
	})
	for name, serve := range map[string]bool{"ten minutes, by Run": false, "ten minutes, by Serve": true} {
		bubble(t, name, func(t *testing.T) {
			var start time.Time
			early := 0
			p := &scripted{script: func(int, flussi.FiscalCode) *reply {
				if time.Since(start) < 10*time.Minute {
					early++
					return limited("600")
				}
				return nil
			}}
			w := inPipes(t, p)
			f := w.sending(t, 50)
			start = time.Now()
			if serve {
				stop := w.serve(t, flow.DispatcherConfig{Workers: 2})
				time.Sleep(12 * time.Minute)
				stop()
			} else {
				w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 2})
			}
			got := w.flow(t, f.ID)
			assert.Equal(t, flow.FlowSent, got.State)
			assert.Equal(t, flow.Counts{Sent: 50}, got.Counts)
			assert.LessOrEqual(t, early, 2)
			assert.Equal(t, 50, p.once(t))
		})
		bubble(t, "again and again: "+name, func(t *testing.T) {
			p := &scripted{script: func(int, flussi.FiscalCode) *reply { return limited("240") }}
			w := inPipes(t, p)
			f := w.sending(t, 50)
			start := time.Now()
			if serve {
				stop := w.serve(t, flow.DispatcherConfig{Workers: 2})
				time.Sleep(20 * time.Minute)
				stop()
			} else {
				_, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 2}).Run(t.Context(), f.ID)
				require.ErrorAs(t, err, new(*flow.StopError))
				assert.Less(t, time.Since(start), 15*time.Minute)
			}
			got := w.flow(t, f.ID)
			assert.Equal(t, flow.FlowIncomplete, got.State)
			assert.Contains(t, got.Error, "chiede di attendere fino al 01/01/2000 alle 01:1")
			assert.Equal(t, flow.Counts{Registered: 50}, got.Counts)
		})
	}
	bubble(t, "an operator disables the flow meanwhile", func(t *testing.T) {
		p := &scripted{script: func(int, flussi.FiscalCode) *reply { return limited("600") }}
		w := inPipes(t, p)
		f := w.sending(t, 5)
		go func() {
			time.Sleep(time.Minute)
			do(t, w.DisableFlow, f.ID)
		}()
		start := time.Now()
		assert.Equal(t, flow.FlowIncomplete, w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 1}).State)
		assert.Less(t, time.Since(start), 2*time.Minute)
	})
	bubble(t, "verification", func(t *testing.T) {
		p := &scripted{script: func(int, flussi.FiscalCode) *reply { return nil }, read: func(string) *reply { return limited("3600") }}
		w := inPipes(t, p)
		f := w.sending(t, 50)
		w.dispatch(t, f.ID)
		_, err := w.VerifyFlow(t.Context(), operator, f.ID)
		require.ErrorIs(t, err, flussi.ErrRateLimited)
		assert.Regexp(t, `chiede di attendere fino al 01/01/2000 alle 0\d:\d\d: ripetere la verifica dopo quel momento\.$`, flussi.Explain(err))
	})
}
