package flow

import (
	"context"
	"time"
)

// What is claimed is sent within its lease, measured by the sender's own clock from before
// the claim, so that it ends here before it ends in the store, whatever the clocks say:
// the sending begins in the first half or not at all, and is cut off after three
// quarters, which leaves a quarter to store the outcome.

func beginTime(claimed time.Time, lease time.Duration) time.Time { return claimed.Add(lease / 2) }

func cutTime(claimed time.Time, lease time.Duration) time.Time { return claimed.Add(lease / 4 * 3) }

// patient returns a context that outlives ctx by a grace period, so that what is on its
// way when ctx ends can come to its end.
func patient(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = wait(patient, grace)
		cancel()
	})
	return patient, func() { stop(); cancel() }
}
