package pace

import (
	"context"
	"sync"
	"time"
)

// Ahead is how far ahead turns are granted, unless many ask for them. A 429 does not stop turns that
// are granted already, so it is short.
const Ahead = 500 * time.Millisecond

// Request asks for turns of a limit that several paces share.
type Request struct {
	Rate       float64       // calls a second that the limit allows at its full rate
	Turns      int           // at most; 0 asks only what the limit is like
	RetryAfter time.Duration // how long a 429 asked to wait that the others do not know of; 0: there was none
}

// Grant is the answer to a Request. Its times count from the receipt of the answer.
type Grant struct {
	Count    int           // of turns that belong to the one who asked, and to no other
	Start    time.Duration // until the first turn
	Interval time.Duration // between turns
	Held     time.Duration // until calls may start, since the platform asked to wait; 0: now
	Rate     float64       // calls a second that may start at present, of all paces together
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

// Reserve grants turns in the order in which they are asked for. Each request gets up to half of
// what is free within Ahead, and at least one turn. So others that come later get turns within that
// time, too, and several that always need turns get about the same number.
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
		Start: max(l.next.Sub(at), 0), Held: max(l.limit.held.Sub(at), 0),
		Interval: l.limit.interval(at), Rate: l.limit.rate(at),
	}
	if g.Held > 0 || r.Turns < 1 {
		return g
	}
	g.Count = min(r.Turns, max(1, int((Ahead-g.Start)/(2*max(g.Interval, 1)))))
	l.next = at.Add(g.Start + time.Duration(g.Count)*g.Interval)
	return g
}
