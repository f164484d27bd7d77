package flow

import (
	"context"
	"errors"

	"github.com/flussi-go/flussi"
)

// expiredPage is how many expired notifications are read at a time.
const expiredPage = 100

// rescue gives notifications whose lease is over, because their sender crashed, an unknown outcome,
// and returns how many; some at most. It reads up to expiredPage at a time. If one cannot be stored it
// goes on with the others, and ends when it could store none of those that it read.
func rescue(ctx context.Context, store Store, config *DispatcherConfig, some int) (int, error) {
	rescued := 0
	for {
		page := min(expiredPage, some-rescued)
		expired, err := store.Expired(ctx, page)
		if err != nil {
			return rescued, failure("recover", err)
		}
		var failed error
		before := rescued
		for _, n := range expired {
			change, err := outcome{action: NotificationFail, code: CodeOutcomeUnknown}.change(n, config.ID)
			if err == nil {
				err = store.SaveNotifications(ctx, change)
			}
			switch {
			case errors.Is(err, flussi.ErrConflict): // its sender or another dispatcher was faster
			case err != nil:
				failed = notificationFailure("recover", n.ID, err)
			default:
				rescued++
				config.Observer.rescued(ctx, n)
				config.Logger.Warn("flow: outcome unknown: its sender did not report it",
					"notification", n.ID, "sender", n.UpdatedBy)
			}
		}
		if len(expired) < page || rescued == before || rescued == some {
			return rescued, failed
		}
	}
}
