package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
)

// What cannot be begun in the first half of its lease is given back, and claimed anew.
func TestClaimedNotificationsAreReleasedAfterHalfTheLease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 20)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Slow, Delay: time.Millisecond}, appiotest.Fault{Kind: appiotest.Slow, Delay: 2500 * time.Millisecond})
		start := time.Now()
		got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 1, Lease: 4 * time.Second})
		assert.Equal(t, flow.Counts{Sent: 20}, got.Counts)
		w.hasDelivered(t, 20)
		assert.Less(t, time.Since(start), 3*time.Second, "the worker is never idle")
		given := 0
		for _, n := range w.notifications(t, f.ID) {
			history := do(t, w.NotificationHistory, n.ID)
			for _, record := range history {
				if record.Action == flow.NotificationRelease {
					given++
				}
			}
		}
		assert.Positive(t, given)
	}, unlimited)
}

// A call that takes longer than its lease allows is cut off in time: what came of it is
// stored before anybody else takes the notification for lost.
func TestNoCallOutlivesItsLease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		f := w.sending(t, 4)
		w.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.Silent, Stored: true}, appiotest.Fault{Kind: appiotest.Silent})
		start := time.Now()
		got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 4, Lease: 4 * time.Second})
		assert.Equal(t, flow.Counts{Sent: 2, Failed: 2}, got.Counts)
		assert.Equal(t, 3*time.Second, time.Since(start), "three quarters")
		for _, n := range w.notifications(t, f.ID) {
			if n.State == flow.NotificationFailed {
				assert.Equal(t, flow.CodeOutcomeUnknown, n.Transmission.ErrorCode)
				assert.Equal(t, 1, n.Transmission.Attempts, "its sender told")
			}
		}
	}, unlimited)
}
