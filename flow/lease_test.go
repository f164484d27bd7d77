package flow_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// What cannot be begun in the first half of its lease is given back, and claimed anew.
func TestWhatIsLateIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 20)
		w.FailAtRandom(appiotest.SubmitMessage, 1, 1, appiotest.Fault{Kind: appiotest.Slow, Delay: 900 * time.Millisecond})
		start := time.Now()
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 1, MaxInFlight: 10, Lease: 4 * time.Second}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 20}, got.Counts)
		assert.Len(t, w.Deliveries(), 20)
		assert.Less(t, time.Since(start), 20*time.Second, "the worker is never idle")
		given := 0
		for _, n := range w.notifications(t, f.ID) {
			history, err := w.NotificationHistory(t.Context(), operator, n.ID)
			require.NoError(t, err)
			for _, record := range history {
				if record.Action == flow.NotificationRelease {
					given++
				}
			}
		}
		assert.Positive(t, given)
	})
}

// A call that takes longer than its lease allows is cut off in time: what came of it is
// stored before anybody else takes the notification for lost.
func TestNoCallOutlivesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}})
		f := w.sending(t, 4)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Silent, Stored: true}, appiotest.Fault{Kind: appiotest.Silent})
		start := time.Now()
		got, err := w.dispatcher(t, flow.DispatcherConfig{Workers: 4, Lease: 4 * time.Second}).Run(t.Context(), f.ID)
		require.NoError(t, err)
		assert.Equal(t, flow.Counts{Sent: 2, Failed: 2}, got.Counts)
		assert.Equal(t, 3*time.Second, time.Since(start), "three quarters")
		for _, n := range w.notifications(t, f.ID) {
			if n.State == flow.NotificationFailed {
				assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
				assert.Equal(t, 1, n.Transmission.Attempts, "its sender told")
			}
		}
	})
}
