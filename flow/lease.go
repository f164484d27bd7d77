package flow

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// What is claimed is sent within its lease, measured by the sender's own clock from before the
// claim, so that it ends here before it ends in the store, however the clocks differ: the sending
// begins in the first half or not at all, and is cut off after three quarters, which leaves a
// quarter to store the outcome.

// tooLate reports whether the first half of the lease is over, by either of the machine's clocks:
// the monotonic one stops while the machine sleeps.
func tooLate(claimed time.Time, lease time.Duration) bool {
	now := time.Now()
	return now.Sub(claimed) > lease/2 || now.Round(0).Sub(claimed.Round(0)) > lease/2
}

func cutTime(claimed time.Time, lease time.Duration) time.Time { return claimed.Add(lease / 4 * 3) }

// storeTime is how long an outcome may be stored: until the end of the lease, and in any
// case for a while, since one that comes late is still better than an unknown one.
func storeTime(claimed time.Time, lease, grace time.Duration) time.Time {
	end, least := claimed.Add(lease), time.Now().Add(grace)
	if least.After(end) {
		return least
	}
	return end
}

// patient returns a context that outlives ctx by a grace period, so that what is on its
// way when ctx ends can come to its end.
func patient(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = pace.Wait(patient, grace)
		cancel()
	})
	return patient, func() { stop(); cancel() }
}
