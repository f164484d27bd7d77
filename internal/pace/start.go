package pace

import (
	"context"
	"fmt"
	"time"
)

// ErrTooLate says that a call was not made because the time of [StartBy] had passed. It wraps
// [context.DeadlineExceeded].
var ErrTooLate = fmt.Errorf("too late to start: %w", context.DeadlineExceeded)

type latestKey struct{}

// StartBy returns a context whose calls start before a time, or not at all. Clients call [MayStart]
// right before each request, since the call may have waited long for its turn.
func StartBy(ctx context.Context, latest time.Time) context.Context {
	return context.WithValue(ctx, latestKey{}, latest)
}

// MayStart returns the error of a context that has ended, or [ErrTooLate] if the time of [StartBy]
// has passed. A deadline of the context is not enough: after a freeze of the process, goroutines may
// run before its timers do, and the clock of the timers stops while the machine sleeps.
func MayStart(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if latest, is := ctx.Value(latestKey{}).(time.Time); is && passed(latest) {
		return ErrTooLate
	}
	return nil
}

// MayWait returns how long a call may wait before it starts: until the time of [StartBy], and no
// longer than most. The result is above zero, even if that time has passed.
func MayWait(ctx context.Context, most time.Duration) time.Duration {
	if latest, is := ctx.Value(latestKey{}).(time.Time); is {
		most = min(most, time.Until(latest))
	}
	return max(most, 1)
}

// passed reports whether a time has passed, by the monotonic clock or by the wall clock.
func passed(t time.Time) bool {
	now := time.Now()
	return now.After(t) || now.Round(0).After(t.Round(0))
}
