// Package pace spreads calls over time, so that they do not exceed what a platform allows.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace starts calls at an even rate. It is safe for concurrent use, and has no goroutines.
//
// After a 429 no call starts for as long as the platform asked; then calls go on at four fifths of
// the rate, which grows by a hundredth of the full rate each second.
type Pace struct {
	full  float64       // calls a second
	pause time.Duration // after a 429 that names no time

	next chan struct{} // a semaphore: the caller that holds it is next

	mu       sync.Mutex
	rate     float64       // at the time of since
	since    time.Time     // when the rate, as last lowered, begins to grow
	held     time.Time     // no call starts before
	extended chan struct{} // closed when held becomes later
	last     time.Time     // when the last call was due
	waiting  int           // calls in Wait
	reserved int           // calls that Reserve announced and Release did not
}

const (
	slowdown = 0.8  // the factor of the rate after a 429
	floor    = 0.05 // the lowest rate, as a share of the full rate
	growth   = 0.01 // of the rate in a second, as a share of the full rate
)

// HeldError says that no call starts before a time, since the platform asked to wait until then.
type HeldError struct {
	Until time.Time // when the next call may start
}

// Error describes the error for programs and logs.
func (e *HeldError) Error() string {
	return "the platform asked to wait until " + e.Until.UTC().Format(time.RFC3339)
}

// New returns a pace at its full rate, in calls a second, and the pause after a 429 that names no
// time. Both are above zero.
func New(full float64, pause time.Duration) *Pace {
	return &Pace{full: full, rate: full, pause: pause, next: make(chan struct{}, 1), extended: make(chan struct{})}
}

// Wait returns when the next call may start, or with the error of the context as soon as it ends. If
// the platform asked to wait for longer than most, also while Wait waits, it returns a [*HeldError]
// at once. A most of 0 waits for as long as it takes. If the call must not start any more when its
// turn comes, see [StartBy], the turn is left to the next call.
func (p *Pace) Wait(ctx context.Context, most time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.queue(1)
	defer p.queue(-1)
	for isNext := false; !isNext; {
		extended, err := p.mayWait(most)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-extended:
		case p.next <- struct{}{}:
			isNext = true
		}
	}
	defer func() { <-p.next }()
	for {
		extended, err := p.mayWait(most)
		if err != nil {
			return err
		}
		if err := MayStart(ctx); err != nil { // without taking a turn
			return err
		}
		due, started := p.tryStart()
		if started {
			return nil
		}
		if err := waitUnless(ctx, time.Until(due), extended); err != nil {
			return err
		}
	}
}

// mayWait returns a [*HeldError] if no call starts within most. Otherwise it returns a channel that
// is closed when that changes.
func (p *Pace) mayWait(most time.Duration) (extended <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if most > 0 && time.Until(p.held) > most {
		return nil, &HeldError{p.held}
	}
	return p.extended, nil
}

// queue counts a call that begins or ends to wait.
func (p *Pace) queue(calls int) { p.mu.Lock(); defer p.mu.Unlock(); p.waiting += calls }

// Reserve announces up to n calls that can start within a time, behind those that wait and those
// that were announced before. It returns how many it announced, and when the next call behind all
// of them can start, at the present rate. [Pace.Release] ends the announcement: right before a
// call waits, or if it is not made. Wait does not depend on announcements.
func (p *Pace) Reserve(n int, within time.Duration) (reserved int, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	due, interval := p.due(at)
	if due.Before(at) {
		due = at
	}
	next = due.Add(time.Duration(p.waiting+p.reserved) * interval)
	if left := within - next.Sub(at); left >= 0 && n > 0 {
		reserved = min(n, 1+int(left/max(interval, 1)))
		p.reserved += reserved
	}
	return reserved, next.Add(time.Duration(reserved) * interval)
}

// Release ends the announcement of n calls.
func (p *Pace) Release(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.reserved -= n }

// due returns when the next call can start, and the interval between calls. The mutex is locked.
func (p *Pace) due(at time.Time) (due time.Time, interval time.Duration) {
	interval = time.Duration(float64(time.Second) / p.current(at))
	due = p.last.Add(interval)
	if p.held.After(due) {
		due = p.held
	}
	return due, interval
}

// tryStart starts the next call if it is due; otherwise it returns when it will be due at the
// present rate.
func (p *Pace) tryStart() (due time.Time, started bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	due, interval := p.due(at)
	if due.After(at) {
		return due, false
	}
	// A call that is a little late does not delay the next one, and idle time adds no calls.
	p.last = due
	if at.Sub(due) > interval {
		p.last = at
	}
	return due, true
}

// SlowDown lowers the rate after a 429. The platform asked to wait for retryAfter; 0 if it did not
// say.
func (p *Pace) SlowDown(retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if retryAfter <= 0 {
		retryAfter = p.pause
	}
	// Calls that ran at the same time are refused together: lower the rate once for all of them.
	// While a pause lasts, another 429 is of such a call.
	if !now.Before(p.held) {
		p.rate = max(p.current(now)*slowdown, p.full*floor)
	}
	if until := now.Add(retryAfter); until.After(p.held) {
		p.held, p.since = until, until
		close(p.extended)
		p.extended = make(chan struct{})
	}
}

// Rate returns how many calls a second may start now.
func (p *Pace) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current(time.Now())
}

// current returns the rate at a time. It does not grow while no call may start.
func (p *Pace) current(now time.Time) float64 {
	grown := p.full * growth * max(now.Sub(p.since).Seconds(), 0)
	return min(p.rate+grown, p.full)
}

// Wait waits, or returns the context's error if that ends first.
func Wait(ctx context.Context, d time.Duration) error { return waitUnless(ctx, d, nil) }

// waitUnless is Wait that returns as soon as a channel is closed.
func waitUnless(ctx context.Context, d time.Duration, ended <-chan struct{}) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-ended:
	}
	return nil
}
