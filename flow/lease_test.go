package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/must"
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

// A call that waits for its turn, for a further attempt or for a profile is not made once the first
// half of the lease is over, although its context has not ended. The notification is given back, and
// claimed again.
func TestNoRequestBeginsAfterHalfTheLease(t *testing.T) {
	const lease = 8 * time.Second
	for name, test := range map[string]struct {
		calls    int // that the pace permits in a minute
		fault    appiotest.Fault
		op       appiotest.Operation
		profiles bool
	}{
		"a pace that became slow":  {calls: 28},
		"an attempt after a 429":   {calls: 1 << 30, op: appiotest.SubmitMessage, fault: appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 5 * time.Second}},
		"a profile that took long": {calls: 1 << 30, op: appiotest.GetProfile, fault: appiotest.Fault{Kind: appiotest.Slow, Delay: 5 * time.Second}, profiles: true},
	} {
		bubble(t, name, func(t *testing.T) {
			slow := must.Get(appio.NewPace(appio.PaceConfig{Calls: test.calls, Window: time.Minute}))(t)
			w := newWorld(t, worldConfig{platform: appiotest.Config{Unlimited: true}, client: appio.Config{Pace: slow}})
			f := w.sending(t, 6)
			if test.op != "" {
				w.Fail(test.op, test.fault)
			}
			real := w.senders
			w.senders = func(ctx context.Context, service string) (flow.Sender, error) {
				m, err := real(ctx, service)
				return unpaced{m}, err
			}
			got := w.dispatch(t, f.ID, flow.DispatcherConfig{Workers: 3, Lease: lease, CheckProfiles: test.profiles})
			assert.Equal(t, flow.Counts{Sent: 6}, got.Counts)
			released := 0
			for _, n := range w.notifications(t, f.ID) {
				var claimed, sent time.Time
				for _, record := range do(t, w.NotificationHistory, n.ID) {
					switch record.Action {
					case flow.NotificationClaim:
						claimed = record.At
					case flow.NotificationRelease:
						released++
					case flow.NotificationAccept:
						sent = record.At
					}
				}
				assert.LessOrEqual(t, sent.Sub(claimed), lease/2)
			}
			assert.Positive(t, released)
		})
	}
}

// unpaced hides that a sender has a pace.
type unpaced struct{ flow.Sender }
