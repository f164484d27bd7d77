package flow

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// If the store of a pace fails, that says nothing about the platform. Messages are released each time,
// and the flow does not stop. Other errors count as failures of the platform.
func TestFailureOfTheStoreOfAPaceStopsNoFlow(t *testing.T) {
	for _, temporary := range []bool{true, false} {
		failure := &flussi.RemoteError{Kind: flussi.ErrUnavailable, Outcome: flussi.OutcomeNotDone, Err: fmt.Errorf("pace: %w", flussi.ErrStoreUnavailable)}
		if !temporary {
			failure.Err = flussi.ErrConfig
		}
		config := DispatcherConfig{RefusalThreshold: 3, FailureThreshold: 5, MaxRetryAfter: time.Hour}
		b := newBreaker(uuid.Nil, &config)
		n := Notification{ID: uuid.New(), State: NotificationSending}
		for range 10 {
			o := outcomeOf(n, appio.Receipt{}, failure)
			assert.Equal(t, NotificationRelease, o.action)
			if temporary {
				assert.Equal(t, NotificationRelease, b.decide(&n, o, 0, false).action)
			} else {
				b.decide(&n, o, 0, false)
			}
		}
		assert.Equal(t, temporary, b.stopped() == nil)
	}
}
