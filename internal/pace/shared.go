package pace

import (
	"context"
	"errors"
	"time"
)

// shared is the part of a Pace that shares its limit with other Paces. It holds turns that a source
// has granted, and asks for more before they are used up. The mutex of the Pace guards its fields.
type shared struct {
	source Source

	spans    []span        // the turns that it holds, in their order
	granted  int           // turns of the last grant
	free     time.Time     // an interval after the last turn that was used
	awaited  time.Time     // the turn that the next call waits for; zero if there is none
	lacks    bool          // the next call waits for an answer of the source
	wish     int           // calls that Reserve could not announce, since there were too few turns
	wishedAt time.Time     // the time of wish, which no longer counts after Ahead
	report   time.Time     // the end of a wait that a 429 asked for and the source does not know of; zero if there is none
	asking   bool          // a request is under way; there is one at a time
	askedAt  time.Time     // the time of the last request
	askAt    time.Time     // no request is made before it
	took     time.Duration // the smoothed time of a request
	failure  error         // of the last request
	failing  time.Time     // when requests began to fail
	pause    time.Duration // between the last failure and the next request
}

// span is a series of turns at equal intervals.
type span struct {
	next     time.Time // the first turn that is left
	interval time.Duration
	left     int // how many turns are left
}

const (
	maxAsk      = 5 * time.Second       // the longest wait for an answer; a later answer is not used
	maxLate     = 50 * time.Millisecond // a turn lapses after it, or after an interval if that is longer
	maxDelay    = time.Second           // how late a turn may be used by a call that was waiting for it
	minPause    = 50 * time.Millisecond // after the first failure
	maxPause    = 2 * time.Second       // after many failures
	longFailure = time.Minute           // see retryAt
)

// AskError says that a Pace got no turns, since the source of its shared limit failed.
type AskError struct {
	Err error // of the source
}

// Error describes the error for programs and logs.
func (e *AskError) Error() string { return "no turns of the shared pace" }

// Unwrap returns the error of the source.
func (e *AskError) Unwrap() error { return e.Err }

var errLate = errors.New("the answer came too late")

// NewShared returns a pace that asks a source for its turns. The other arguments are those of [New].
func NewShared(full float64, pause time.Duration, source Source) *Pace {
	p := New(full, pause)
	p.shared = &shared{source: source}
	return p
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// lapse drops the turns that were not used in time, and those before the end of a pause. Turns may
// be used a hundredth of App IO's window late, since a Pace leaves two hundredths unused. A call that
// waits for its turn may use it later than that, since a busy machine delays it.
func (s *shared) lapse(at, pausedUntil time.Time) {
	for len(s.spans) > 0 {
		first := &s.spans[0]
		if first.left > 0 && first.next.Equal(s.awaited) && !first.next.Before(pausedUntil) && at.Sub(first.next) < maxDelay {
			return
		}
		if behind := later(pausedUntil, at.Add(-max(first.interval, maxLate))).Sub(first.next); behind > 0 {
			missed := min(int64(first.left), int64((behind+first.interval-1)/first.interval))
			first.left -= int(missed)
			first.next = first.next.Add(time.Duration(missed) * first.interval)
		}
		if first.left > 0 {
			return
		}
		s.spans = s.spans[1:]
	}
}

// inHand returns how many turns are held.
func (s *shared) inHand() (turns int) {
	for _, span := range s.spans {
		turns += span.left
	}
	return turns
}

// until returns how many of the turns are not after a time.
func (s *shared) until(at time.Time) (turns int) {
	for _, span := range s.spans {
		if d := at.Sub(span.next); d >= 0 {
			turns += int(min(int64(span.left), 1+int64(d/span.interval)))
		}
	}
	return turns
}

// turn returns the time of a turn by its number, from 0. If there is no such turn, it returns the end
// of all turns.
func (s *shared) turn(number int) (at time.Time) {
	for _, span := range s.spans {
		at = span.next.Add(time.Duration(min(number, span.left)) * span.interval)
		if number < span.left {
			return at
		}
		number -= span.left
	}
	return at
}

// lacking returns how many turns to ask for, so that there are enough for a number of calls. It
// returns 0 while the turns held suffice. They do not if at most half of the last grant is left. They
// do not either if at most the last grant is left, and will pass before an answer comes.
func (s *shared) lacking(calls int, at time.Time) int {
	if at.Sub(s.wishedAt) < Ahead {
		calls += s.wish
	}
	have := s.inHand()
	isLow := 2*have <= s.granted || have <= s.granted && s.turn(have).Sub(at) < s.took*3/2
	if have >= calls || have > 0 && !isLow {
		return 0
	}
	return calls - have
}

// ask begins a request, if the calls that wait or are announced need more turns, or if there is a 429
// that the source does not know of. The mutex is locked.
func (p *Pace) ask(at time.Time) {
	s := p.shared
	if s.asking || at.Before(s.askAt) {
		return
	}
	s.lapse(at, p.limit.pausedUntil)
	r, reported := Request{Rate: p.limit.full}, s.report
	if !p.limit.pausedUntil.After(at) {
		r.Turns = s.lacking(p.waiting+p.reserved, at)
	}
	// If the last request was less than maxLate ago, calls are made faster than waiting ones show:
	// ask for more. At the rate of a platform, no grant is used up so soon.
	if r.Turns > 0 && at.Sub(s.askedAt) < maxLate {
		r.Turns = max(r.Turns, 2*s.granted)
	}
	if !reported.IsZero() {
		r.RetryAfter = max(reported.Sub(at), time.Millisecond)
	}
	if r.Turns == 0 && r.RetryAfter == 0 {
		return
	}
	s.asking, s.askedAt, s.wish = true, at, 0
	go p.request(r, reported)
}

// request makes a request to the source, and applies its answer.
func (p *Pace) request(r Request, reported time.Time) {
	sent := time.Now()
	g, err := p.shared.askWithin(maxAsk, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	s, at := p.shared, time.Now()
	took := at.Sub(sent)
	if err == nil && took > maxAsk { // this process was frozen, or the source ignores its context
		err = errLate
	}
	s.asking = false
	if err != nil {
		s.fail(sent, at, err)
	} else {
		s.failure, s.pause, s.askAt = nil, 0, time.Time{}
		s.took += (took - s.took) / 4
		if s.report.Equal(reported) {
			s.report = time.Time{}
		}
		p.accept(r, g, at)
	}
	p.change()
	p.ask(at)
}

// askWithin makes a request to the source with a timeout.
func (s *shared) askWithin(limit time.Duration, r Request) (Grant, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.source(ctx, r)
}

// accept applies the answer to a request. The mutex is locked.
func (p *Pace) accept(r Request, g Grant, at time.Time) {
	s := p.shared
	if g.PausedFor > 0 {
		p.limit.pausedUntil = later(p.limit.pausedUntil, at.Add(g.PausedFor))
	}
	if s.report.IsZero() { // otherwise the rate in the answer is the one before the 429
		p.limit.share = Floor
		if share := g.Rate / p.limit.full; share > Floor { // it may be NaN
			p.limit.share = min(share, 1)
		}
		p.limit.since = later(p.limit.pausedUntil, at)
	}
	if r.Turns == 0 {
		return
	}
	turns := min(g.Count, r.Turns)
	if turns < 1 {
		s.askAt = at.Add(minPause)
		return
	}
	// Whatever the answer says, calls do not start faster than the full rate.
	start := later(later(at.Add(max(g.Start, 0)), s.free), s.turn(s.inHand()))
	full := max(time.Duration(float64(time.Second)/p.limit.full), 1)
	s.spans = append(s.spans, span{next: start, interval: max(g.Interval, full), left: turns})
	s.granted = turns
	if s.lacks && len(s.spans) == 1 {
		s.awaited = start
	}
}

// fail records that a request failed.
func (s *shared) fail(sent, at time.Time, err error) {
	if s.failure == nil {
		s.failing = sent
	}
	s.failure = err
	s.pause = min(max(2*s.pause, minPause), maxPause)
	s.askAt = at.Add(s.pause)
}

// fails returns since when requests fail, and why; nil if they do not. A request fails too if its
// source ignores the end of the context.
func (s *shared) fails(at time.Time) (since time.Time, err error) {
	if s.failure == nil && s.asking && at.Sub(s.askedAt) > maxAsk {
		return s.askedAt, errLate
	}
	return s.failing, s.failure
}

// failedFor returns an [*AskError] if requests have failed for longer than most while a call waited.
func (s *shared) failedFor(began time.Time, most time.Duration) error {
	at := time.Now()
	since, err := s.fails(at)
	if err == nil || at.Sub(later(began, since)) < most {
		return nil
	}
	return &AskError{err}
}

// grants reports whether calls can be announced for turns of the source. If not, the platform asked
// to wait, or the source has failed for longer than longFailure. Calls are then announced for the
// time when this may end, and their Wait returns the error.
func (s *shared) grants(p *Pace, at time.Time) bool {
	return !p.limit.pausedUntil.After(at) && !s.retryAt(at).After(at)
}

// retryAt returns when calls can start. After a longFailure of the source that is not soon, so that
// Reserve announces one call at a time, which returns the error.
func (s *shared) retryAt(at time.Time) time.Time {
	if since, err := s.fails(at); err == nil || at.Sub(since) < longFailure {
		return at
	}
	return at.Add(longFailure + time.Second)
}

// takeTurn takes the next turn if it is due; otherwise it returns when it will be due, or when to
// ask again. The mutex is locked.
func (p *Pace) takeTurn(at time.Time) (due time.Time, started bool) {
	s := p.shared
	s.lapse(at, p.limit.pausedUntil)
	s.awaited, s.lacks = time.Time{}, false
	switch {
	case p.limit.pausedUntil.After(at):
		p.ask(at)
		if !s.report.IsZero() && !s.asking && s.askAt.Before(p.limit.pausedUntil) {
			return s.askAt, false // wake to report the 429
		}
		return p.limit.pausedUntil, false
	case len(s.spans) == 0:
		s.lacks = true
		p.ask(at)
		if s.asking {
			return at.Add(2 * maxAsk), false // the answer wakes the call before
		}
		return s.askAt, false
	}
	first := &s.spans[0]
	if first.next.After(at) {
		s.awaited = first.next
		return first.next, false
	}
	first.next = first.next.Add(first.interval)
	first.left--
	s.free = first.next
	return at, true
}

// reserveShared is Reserve while the source grants turns. It announces calls for the turns held, and
// asks for the turns of the others. The mutex is locked.
func (p *Pace) reserveShared(n int, within time.Duration, at time.Time) (reserved int, next time.Time) {
	s := p.shared
	s.lapse(at, p.limit.pausedUntil)
	calls, end := p.waiting+p.reserved, at.Add(within)
	reserved = max(0, min(n, s.until(end)-calls))
	p.reserved += reserved
	if n > reserved {
		s.wish, s.wishedAt = max(s.wish, n-reserved), at
	}
	p.ask(at)
	next = s.turn(calls + reserved)
	switch {
	case next.After(at):
		return reserved, next
	case s.asking:
		return reserved, at.Add(s.took)
	}
	return reserved, later(s.askAt, at)
}
