package flow_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// The platform allows 150 calls in 5 s. Dispatchers that share a Pace use that up without
// being refused; those that do not, as in processes of their own, find their share by what
// they are refused.
func TestThrottling(t *testing.T) {
	for name, test := range map[string]struct {
		dispatchers int
		shared      bool
		least       float64 // of what the platform allows
		refused     float64 // of the calls at most, after the first window
	}{
		"one dispatcher":                         {1, true, 0.95, 0.01},
		"three dispatchers that share a pace":    {3, true, 0.95, 0.01},
		"three dispatchers with paces they have": {3, false, 0.80, 0.05},
	} {
		bubble(t, name, func(t *testing.T) {
			w := newWorld(t)
			const total = 9000
			f := w.sending(t, total)
			pace := newPace(t)
			start, ends := time.Now(), make(chan error, test.dispatchers)
			for i := range test.dispatchers {
				if !test.shared {
					pace = newPace(t)
				}
				d := must.Get(flow.NewDispatcher(w.store, clients(t, appio.Config{
					BaseURL: "http://localhost" + appiotest.BasePath, Pace: pace,
					HTTPClient: &http.Client{Transport: pipenet.Direct(w.Simulator, 100*time.Millisecond)},
				}), flow.DispatcherConfig{ID: fmt.Sprint("d", i)}))(t)
				go func() {
					_, err := d.Run(t.Context(), f.ID)
					ends <- err
				}()
			}
			time.Sleep(5 * time.Second) // the first window
			limited, received := w.Limited(), w.Received(appiotest.SubmitMessage)
			for range test.dispatchers {
				require.NoError(t, <-ends)
			}
			took := time.Since(start)
			reached := total / took.Seconds() / 30
			refused := float64(w.Limited()-limited) / float64(w.Received(appiotest.SubmitMessage)-received)
			t.Logf("%.1f %% of the limit, %.2f %% refused", 100*reached, 100*refused)
			assert.GreaterOrEqual(t, reached, test.least)
			assert.Less(t, refused, test.refused)
			assert.Equal(t, flow.Counts{Sent: total}, w.flow(t, f.ID).Counts)
			w.hasDelivered(t, total)
		})
	}
}

func newPace(t testing.TB) *appio.Pace {
	t.Helper()
	return must.Get(appio.NewPace(appio.PaceConfig{}))(t)
}
