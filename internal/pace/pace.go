// Package pace spreads calls over time, so that they do not exceed what a platform allows.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace starts calls at an even rate. It is safe for concurrent use. It has no goroutines, unless it
// shares its limit. Then one goroutine at a time asks for turns, and ends with the answer.
//
// After a 429 no call starts for as long as the platform asked; then calls go on at four fifths of
// the rate, which grows by a hundredth of the full rate each second.
type Pace struct {
	pause time.Duration // after a 429 that names no time

	next chan struct{} // a semaphore: the caller that holds it is next

	mu       sync.Mutex
	limit    limit
	changed  chan struct{} // closed when limit.pausedUntil becomes later, and when the turns of shared change
	last     time.Time     // when the last call was due
	waiting  int           // calls in Wait
	reserved int           // calls that Reserve announced and Release did not
	shared   *shared       // nil: all turns are this Pace's own
}

// PausedError says that no call starts before a time, since the platform asked to wait until then.
type PausedError struct {
	Until time.Time // when the next call may start
}

// Error describes the error for programs and logs.
func (e *PausedError) Error() string {
	return "the platform asked to wait until " + e.Until.UTC().Format(time.RFC3339)
}

// New returns a pace at its full rate, in calls a second, and the pause after a 429 that names no
// time. Both are above zero.
func New(full float64, pause time.Duration) *Pace {
	return &Pace{limit: limit{full: full, share: 1}, pause: pause, next: make(chan struct{}, 1), changed: make(chan struct{})}
}

// Wait returns when the next call may start, or with the error of the context as soon as it ends. If
// the platform asked to wait for longer than most, also while Wait waits, it returns a [*PausedError]
// at once. If the source of a shared limit fails for longer than most, it returns an [*AskError]. A
// most of 0 waits for as long as it takes. If the time of [StartBy] has passed when the turn comes,
// the next call gets the turn.
func (p *Pace) Wait(ctx context.Context, most time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	began := p.queue()
	defer p.leave()
	for isNext := false; !isNext; {
		changed, err := p.mayWait(began, most)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case p.next <- struct{}{}:
			isNext = true
		}
	}
	defer p.pass()
	for {
		changed, err := p.mayWait(began, most)
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
		if err := waitUnless(ctx, time.Until(due), changed); err != nil {
			return err
		}
	}
}

// mayWait returns an error if a call that began to wait at a time must not wait any longer. Otherwise
// it returns a channel that is closed when that may change.
func (p *Pace) mayWait(began time.Time, most time.Duration) (changed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if most > 0 {
		if time.Until(p.limit.pausedUntil) > most {
			return nil, &PausedError{p.limit.pausedUntil}
		}
		if p.shared != nil {
			if err := p.shared.failedFor(began, most); err != nil {
				return nil, err
			}
		}
	}
	return p.changed, nil
}

// change wakes the calls that wait. The mutex is locked.
func (p *Pace) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// queue counts a call that begins to wait, and returns the time at which it began.
func (p *Pace) queue() (began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.shared == nil {
		return time.Time{}
	}
	began = time.Now()
	p.ask(began)
	return began
}

// pass lets another call be next.
func (p *Pace) pass() {
	if p.shared != nil {
		p.mu.Lock()
		p.shared.awaited, p.shared.lacks = time.Time{}, false
		p.mu.Unlock()
	}
	<-p.next
}

// leave counts a call that stops waiting.
func (p *Pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	if p.shared != nil && p.waiting+p.reserved > 0 { // otherwise there may be nothing more to send
		p.ask(time.Now())
	}
}

// Reserve announces up to n calls that can start within a time, behind those that wait and those
// that were announced before. It returns how many it announced, and when the next call behind all
// of them can start, at the present rate. [Pace.Release] ends the announcement: right before a
// call waits, or if it is not made. Wait does not depend on announcements.
func (p *Pace) Reserve(n int, within time.Duration) (reserved int, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	if p.shared != nil && p.shared.grants(p, at) {
		return p.reserveShared(n, within, at)
	}
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
	interval = p.limit.interval(at)
	due = p.last.Add(interval)
	if p.shared != nil {
		due = p.shared.retryAt(at)
	}
	if p.limit.pausedUntil.After(due) {
		due = p.limit.pausedUntil
	}
	return due, interval
}

// tryStart starts the next call if it is due; otherwise it returns when it will be due at the
// present rate.
func (p *Pace) tryStart() (due time.Time, started bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	if p.shared != nil {
		return p.takeTurn(at)
	}
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
	at := time.Now()
	if retryAfter <= 0 {
		retryAfter = p.pause
	}
	if p.limit.slowDown(at, retryAfter) {
		p.change()
	}
	if p.shared != nil {
		p.shared.report = later(p.shared.report, at.Add(retryAfter))
		p.ask(at)
	}
}

// Rate returns how many calls a second may start now. If several paces share a limit, it is the rate
// of all of them together, from the last answer of the source.
func (p *Pace) Rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit.rate(time.Now())
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
