// Package pace spreads calls over time, so that they stay within what a platform allows.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace lets calls go at an even rate. It is safe for concurrent use, and has no goroutines.
//
// Whenever the platform refuses a call as one too many, it holds all of them back for as
// long as the platform asked, at most a minute, and goes on at four fifths of its rate; then
// it regains a hundredth of its full rate each second.
type Pace struct {
	full  float64       // calls a second
	pause time.Duration // after a refusal that names no time

	// Held by the one caller whose turn is next; the others queue for it. A caller that
	// leaves takes nothing along.
	turn chan struct{}

	mu    sync.Mutex
	rate  float64   // at the time of since
	since time.Time // when the rate was last lowered, and regaining begins
	held  time.Time // nothing goes out before
	last  time.Time // when the last call was due
}

const (
	drop   = 0.8  // of its rate a Pace keeps at a refusal
	floor  = 0.05 // of the full rate is the least
	regain = 0.01 // of the full rate is regained in a second

	longest = time.Minute
)

// New returns a pace at its full rate, in calls a second, that pauses after a refusal that
// names no time. Both are above zero.
func New(full float64, pause time.Duration) *Pace {
	return &Pace{full: full, rate: full, pause: pause, turn: make(chan struct{}, 1)}
}

// Wait returns when the next call may go out, or at once with the error of the context when
// it ends.
func (p *Pace) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case p.turn <- struct{}{}:
	}
	defer func() { <-p.turn }()
	for {
		due, now := p.depart()
		if now {
			return nil
		}
		if err := sleepUntil(ctx, due); err != nil {
			return err
		}
	}
}

// depart lets the next call go if it is due, or says when it is, as things are now.
func (p *Pace) depart() (due time.Time, now bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	interval := time.Duration(float64(time.Second) / p.current(at))
	due = p.last.Add(interval)
	if p.held.After(due) {
		due = p.held
	}
	if due.After(at) {
		return due, false
	}
	// What is a little late does not delay the next one; what is idle saves nothing up.
	p.last = due
	if at.Sub(due) > interval {
		p.last = at
	}
	return due, true
}

// Slow says that the platform refused a call as one too many, and how long it asked to be
// left alone; 0 if it did not say.
func (p *Pace) Slow(retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if retryAfter <= 0 {
		retryAfter = p.pause
	}
	// Calls that were under way together are refused together: that counts once.
	if !now.Before(p.held) {
		p.rate = max(p.current(now)*drop, p.full*floor)
	}
	// Who is asked to wait longer is asked again, not frozen by one answer.
	if until := now.Add(min(retryAfter, longest)); until.After(p.held) {
		p.held, p.since = until, until
	}
}

// Rate returns how many calls a second go out now at most.
func (p *Pace) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current(time.Now())
}

// current returns the rate with what was regained by now. While nothing may go out,
// nothing is regained.
func (p *Pace) current(now time.Time) float64 {
	regained := p.full * regain * max(now.Sub(p.since).Seconds(), 0)
	return min(p.rate+regained, p.full)
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
