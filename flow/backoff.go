package flow

import (
	"context"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// backoff waits longer each time. The zero value begins with a tenth of a second.
type backoff struct{ next time.Duration }

const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// wait waits, or returns the context's error when that ends.
func (b *backoff) wait(ctx context.Context) error { return pace.Wait(ctx, b.grow()) }

// grow returns the next wait.
func (b *backoff) grow() time.Duration {
	b.next = min(max(2*b.next, minBackoff), maxBackoff)
	return b.next
}
