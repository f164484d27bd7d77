package appio

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace spreads calls over time, so that they stay within what the platform allows a
// body: 150 calls in 5 seconds, over all its services and operations together. All
// clients of one body share one Pace. It is safe for concurrent use, and has no
// goroutines.
//
// Whenever the platform answers 429 to one of them, the Pace holds all of them back
// for as long as the platform asked, at most a minute, and goes on more slowly; then it
// quickens again, and is back at its full rate within half a minute.
type Pace struct {
	full    rate.Limit
	pause   time.Duration // after a 429 that names no time
	limiter *rate.Limiter // has a lock of its own

	mu    sync.Mutex
	held  time.Time // nothing goes out before
	since time.Time // when the limiter's rate was last set; zero at the full rate
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
	paceDrop   = 0.8  // of its rate a Pace keeps at a 429
	paceFloor  = 0.05 // of the full rate is the least
	paceRegain = 0.01 // of the full rate is regained in a second

	paceLongest = time.Minute
)

// NewPace returns a pace at its full rate. The error is an
// [ErrConfig] that names what is negative.
func NewPace(c PaceConfig) (*Pace, error) {
	if c.Calls < 0 || c.Window < 0 {
		return nil, fmt.Errorf("appio: new pace: %w: %d calls in %v: must not be negative", ErrConfig, c.Calls, c.Window)
	}
	if c.Calls == 0 {
		c.Calls = paceCalls
	}
	if c.Window == 0 {
		c.Window = paceWindow
	}
	full := rate.Limit(float64(c.Calls) / c.Window.Seconds() * paceMargin)
	return &Pace{
		full:  full,
		pause: c.Window / 5,
		// One call at a time: with a burst, a window could hold the burst and the rate.
		limiter: rate.NewLimiter(full, 1),
	}, nil
}

// Wait returns when the next call may go out, or at once with the error of the
// context when it ends. Clients call it before every attempt; call it before calls
// of your own that count against the same limit.
func (p *Pace) Wait(ctx context.Context) error {
	for {
		if err := sleepUntil(ctx, p.heldUntil()); err != nil {
			return err
		}
		turn := p.limiter.Reserve()
		if err := sleepUntil(ctx, time.Now().Add(turn.Delay())); err != nil {
			turn.Cancel()
			return err
		}
		if !time.Now().Before(p.heldUntil()) {
			return nil
		}
		// The platform refused another call in the meantime.
	}
}

// Slow says that the platform answered 429, and how long it asked to be left alone;
// 0 if it did not say. Clients call it; call it for calls of your own.
func (p *Pace) Slow(retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if retryAfter <= 0 {
		retryAfter = p.pause
	}
	// Calls that were under way together are refused together: that counts once.
	if !now.Before(p.held) {
		p.set(now, max(p.current(now)*paceDrop, p.full*paceFloor))
	}
	// A body that is asked to wait longer is asked again, not frozen by one answer.
	if until := now.Add(min(retryAfter, paceLongest)); until.After(p.held) {
		p.held = until
	}
}

// Rate returns how many calls a second go out now at most.
func (p *Pace) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.current(time.Now()))
}

// heldUntil returns the time before which nothing goes out, and brings the rate up to
// date.
func (p *Pace) heldUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if limit := p.current(now); limit != p.limiter.Limit() {
		p.set(now, limit)
	}
	return p.held
}

// current returns the rate that is regained by now.
func (p *Pace) current(now time.Time) rate.Limit {
	if p.since.IsZero() {
		return p.full
	}
	regained := p.full * rate.Limit(paceRegain*now.Sub(p.since).Seconds())
	return min(p.limiter.Limit()+regained, p.full)
}

func (p *Pace) set(now time.Time, limit rate.Limit) {
	p.limiter.SetLimitAt(now, limit)
	p.since = now
	if limit >= p.full {
		p.since = time.Time{}
	}
}

func sleepUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
