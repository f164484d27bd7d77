package appio_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

// callKey is the key of a value in the context of a call.
type callKey struct{}

func TestEveryAttemptIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []flussi.Attempt
		p := newPlatform(t, appiotest.Config{Unlimited: true}, func(c *appio.Config) {
			c.Pace = must.Get(appio.NewPace(appio.PaceConfig{Calls: 1, Window: time.Second}))(t) // 0.98 a second
			c.MaxWait = time.Minute
			c.Attempted = func(ctx context.Context, a flussi.Attempt) {
				assert.Equal(t, "a span", ctx.Value(callKey{}))
				got = append(got, a)
			}
		})
		ctx := context.WithValue(t.Context(), callKey{}, "a span")
		p.Fail(appiotest.SubmitMessage,
			appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: 10 * time.Second},
			appiotest.Fault{Kind: appiotest.Slow, Delay: 700 * time.Millisecond})
		must.Get(p.client.Submit(ctx, message(t, 1)))(t)
		must.Get(p.client.Profile(ctx, message(t, 1).To))(t)
		require.Len(t, got, 3)
		assert.Equal(t, flussi.Attempt{
			Operation: "submit message", Number: 1, Took: got[0].Took, Status: http.StatusTooManyRequests, Pause: 10 * time.Second,
		}, got[0])
		assert.Equal(t, flussi.Attempt{
			Operation: "submit message", Number: 2, Took: 700 * time.Millisecond, Status: http.StatusCreated,
		}, got[1])
		assert.Equal(t, "get profile", got[2].Operation)
		assert.Equal(t, http.StatusOK, got[2].Status)
		assert.InDelta(t, 1/0.98/0.8-0.7, got[2].Waited.Seconds(), 0.1, "for its turn, at four fifths of the pace after a 429")

		// Attempts without a request: the platform asks to wait too long, and the context ends.
		got = nil
		p.Fail(appiotest.SubmitMessage, appiotest.Fault{Kind: appiotest.TooManyRequests, RetryAfter: time.Hour})
		for range 2 {
			_, err := p.client.Submit(ctx, message(t, 2))
			assert.ErrorIs(t, err, flussi.ErrRateLimited)
		}
		time.Sleep(time.Hour)
		must.Get(p.client.Submit(ctx, message(t, 3)))(t)
		ended, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := p.client.Submit(ended, message(t, 4))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, got, 4)
		assert.Equal(t, []int{http.StatusTooManyRequests, 0, http.StatusCreated, 0}, []int{got[0].Status, got[1].Status, got[2].Status, got[3].Status})
		assert.Equal(t, flussi.Attempt{Operation: "submit message", Number: 1}, got[1], "not even waited")
		assert.Equal(t, flussi.Attempt{Operation: "submit message", Number: 1, Waited: 100 * time.Millisecond}, got[3])
		assert.Positive(t, got[2].Took)
		assert.Equal(t, 4, p.Received(appiotest.SubmitMessage), "those whose Took is not 0")
	})
}
