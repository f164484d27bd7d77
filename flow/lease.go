package flow

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// What is claimed is sent within its lease, measured by the sender's own clock from before the
// claim, so that it ends here before it ends in the store, however the clocks differ: requests
// begin in the first half or not at all, and are cut off after three quarters, which leaves a
// quarter to store the outcome.

// within returns a context for sending what was claimed, within its lease.
func within(ctx context.Context, lease time.Duration, claimed time.Time) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithDeadline(ctx, claimed.Add(lease/4*3))
	return pace.StartBy(ctx, claimed.Add(lease/2)), cancel
}

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
