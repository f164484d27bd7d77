package pace

import (
	"context"
	"sync"
	"time"
)

// Ahead is how far ahead turns are granted. If many processes ask, each still gets one turn, which may
// be later. Ahead is short, since a process may use turns that it got before it learns of a 429.
const Ahead = 500 * time.Millisecond

// Request asks for turns of a limit that several paces share.
type Request struct {
	Rate       float64       // calls a second that the limit allows at its full rate
	Turns      int           // the most that are wanted; 0 to read the limit only
	RetryAfter time.Duration // how long a 429 asked to wait that the source does not know of; 0 if there was none
}

// Grant is the answer to a Request. Its times count from the receipt of the answer.
type Grant struct {
	Count     int           // how many turns are granted
	Start     time.Duration // until the first turn
	Interval  time.Duration // between turns
	PausedFor time.Duration // how long no call may start, since the platform asked to wait; 0 if calls may start
	Rate      float64       // calls a second that may start at present, of all paces together
}

// Source grants turns. It returns soon after its context ends.
type Source func(context.Context, Request) (Grant, error)

// Ledger grants the turns of one limit. The zero value is ready for use. It is safe for concurrent
// use.
type Ledger struct {
	mu    sync.Mutex
	began bool
	limit limit
	next  time.Time // when the next turn is free
}

// Reserve grants turns in the order of the requests. Each request gets up to half of the turns that
// are free within Ahead, and at least one. So later requests find turns within that time, too, and
// paces that always need turns get about equal numbers.
func (l *Ledger) Reserve(r Request) Grant {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	if !l.began {
		l.began, l.limit.share = true, 1
	}
	l.limit.full = r.Rate
	if r.RetryAfter > 0 {
		l.limit.slowDown(at, r.RetryAfter)
	}
	g := Grant{
		Start: max(l.next.Sub(at), 0), PausedFor: max(l.limit.pausedUntil.Sub(at), 0),
		Interval: l.limit.interval(at), Rate: l.limit.rate(at),
	}
	if g.PausedFor > 0 || r.Turns < 1 {
		return g
	}
	g.Count = min(r.Turns, max(1, int((Ahead-g.Start)/(2*max(g.Interval, 1)))))
	l.next = at.Add(g.Start + time.Duration(g.Count)*g.Interval)
	return g
}
