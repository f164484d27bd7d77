package flow

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// Claimed notifications are sent within their lease. The sender measures the lease by its own clock
// from before the claim, so the lease ends here before it ends in the store, however the clocks
// differ. Requests begin in the first half of the lease or not at all. They are cut off after three
// quarters, which leaves a quarter to store the outcome.

// within returns a context for sending notifications that were claimed at a time, within their lease.
func within(ctx context.Context, lease time.Duration, claimed time.Time) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithDeadline(ctx, claimed.Add(lease/4*3))
	return pace.StartBy(ctx, claimed.Add(lease/2)), cancel
}

// storeTime returns until when an outcome may be stored: until the end of the lease, and at least
// for the grace period from now, since a late outcome is better than an unknown one.
func storeTime(claimed time.Time, lease, grace time.Duration) time.Time {
	end, least := claimed.Add(lease), time.Now().Add(grace)
	if least.After(end) {
		return least
	}
	return end
}

// patient returns a context that ends a grace period after ctx, so that calls that are under way
// when ctx ends can complete.
func patient(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = pace.Wait(patient, grace)
		cancel()
	})
	return patient, func() { stop(); cancel() }
}
