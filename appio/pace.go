package appio

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// Pace spreads calls over time, so that they stay within what the platform allows a
// body: 150 calls in 5 seconds, over all its services and operations together. All
// clients of one body share one Pace. It is safe for concurrent use, and has no
// goroutines.
//
// Whenever the platform answers 429 to one of them, the Pace holds all of them back
// for as long as the platform asked, at most a minute, and goes on at four fifths of its
// rate; then it regains a hundredth of its full rate each second.
type Pace struct {
	pace *pace.Pace
}

// PaceConfig says what a body may do. The zero value is what the platform allows
// every body. A Pace goes at 98 % of it, evenly from the first call on. Programs that
// send at the same time for one body do best to divide the Calls; if they do not, the
// 429 they get slow them down. To test without waiting, allow a million Calls.
type PaceConfig struct {
	Calls  int           // in a window. Defaults to 150; some bodies have 250
	Window time.Duration // Defaults to 5 s
}

const (
	paceCalls  = 150
	paceWindow = 5 * time.Second
	paceMargin = 0.98 // of the allowed rate, since calls bunch on their way
)

// NewPace returns a pace at its full rate. The error is an
// [flussi.ErrConfig] that names what is negative.
func NewPace(c PaceConfig) (*Pace, error) {
	if c.Calls < 0 || c.Window < 0 {
		return nil, fmt.Errorf("appio: new pace: %w: %d calls in %v: must not be negative", flussi.ErrConfig, c.Calls, c.Window)
	}
	return newPace(c), nil
}

func newPace(c PaceConfig) *Pace {
	calls, window := cmp.Or(c.Calls, paceCalls), cmp.Or(c.Window, paceWindow)
	return &Pace{pace.New(float64(calls)/window.Seconds()*paceMargin, window/5)}
}

// Wait returns when the next call may go out, or at once with the error of the
// context when it ends. Clients call it before every attempt; call it before calls
// of your own that count against the same limit.
func (p *Pace) Wait(ctx context.Context) error { return p.pace.Wait(ctx) }

// Slow says that the platform answered 429, and how long it asked to be left alone;
// 0 if it did not say. Clients call it; call it for calls of your own.
func (p *Pace) Slow(retryAfter time.Duration) { p.pace.Slow(retryAfter) }

// Rate returns how many calls a second go out now at most.
func (p *Pace) Rate() float64 { return p.pace.Rate() }
