package pacetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/flussi-go/flussi/appio"
)

var rules = []rule{
	{"the first turns start at once", firstTurns},
	{"another full rate counts at once", otherRate},
	{"no more turns are granted than were asked for", asManyAsAsked},
	{"no turn is granted twice", grantedOnce},
	{"no turn is granted twice to those who ask at once", grantedOnceAtOnce},
	{"one who asks for many leaves turns to others", leavesTurns},
	{"idle time adds no turns", idleTime},
	{"a 429 holds all calls", holds},
	{"a shorter wait does not shorten a longer one", longestWait},
	{"a 429 lowers the rate, once for each wait", lowersOnce},
	{"the rate has a lowest value", lowestRate},
	{"the rate grows again", grows},
	{"bodies have nothing to do with each other", bodiesApart},
	{"a context that has ended takes nothing", endedContexts},
}

func firstTurns(c *checker) {
	a := c.ask(appio.TurnRequest{Rate: 10, Turns: 2})
	c.fresh(a, "the first request")
	if a.Interval > 101*time.Millisecond {
		c.fault("at 10 calls a second, turns have an interval of %v", a.Interval)
	}
	if a.Rate < 9.999 {
		c.fault("the rate is %v of 10 before any 429", a.Rate)
	}
}

// otherRate asks with different rates, as processes do after the limit of the body has changed.
func otherRate(c *checker) {
	for _, rate := range []float64{10, 20, 5} {
		a := c.ask(appio.TurnRequest{Rate: rate, Turns: 1})
		c.granted(a, "a request")
		if full := time.Duration(float64(time.Second) / rate); a.Interval > full+time.Millisecond || a.Rate < rate*0.9999 {
			c.fault("at %v calls a second, turns have an interval of %v, and the rate is %v", rate, a.Interval, a.Rate)
		}
	}
}

func asManyAsAsked(c *checker) {
	for _, turns := range []int{0, 1, 0, 2, 1, 3, 0} {
		a := c.ask(appio.TurnRequest{Rate: 100, Turns: turns})
		if turns > 0 {
			c.granted(a, "a request")
		}
	}
}

func grantedOnce(c *checker) {
	var last answer
	for i := range 20 {
		a := c.ask(appio.TurnRequest{Rate: 5, Turns: 4})
		c.granted(a, "a request among others")
		if i > 0 {
			c.behind(last, a)
		}
		last = a
	}
}

// grantedOnceAtOnce asks for turns that are far apart, so each request gets one turn.
func grantedOnceAtOnce(c *checker) {
	const rate, askers, times = 2, 8, 5
	start := time.Now()
	var all time.Duration
	var mu sync.Mutex
	var group sync.WaitGroup
	for range askers {
		group.Go(func() {
			for range times {
				a, err := c.try(c.ctx, appio.TurnRequest{Rate: rate, Turns: 3})
				if err != nil {
					c.failed(err)
					return
				}
				mu.Lock()
				all += time.Duration(a.Count) * a.Interval
				mu.Unlock()
			}
		})
	}
	group.Wait()
	a := c.ask(appio.TurnRequest{Rate: rate, Turns: 1})
	if a.after.Sub(start)+a.Start < all-askers*times*precision {
		c.fault("%d requests at once got turns of %v, and the next one is in %v", askers*times, all, a.Start)
	}
}

// leavesTurns asks at 30 calls a second. Half a second has 15 turns, and the first request gets half
// of them.
func leavesTurns(c *checker) {
	const ahead = 500 * time.Millisecond
	greedy := c.ask(appio.TurnRequest{Rate: 30, Turns: 1000})
	if greedy.Count < 5 || greedy.Count > 8 {
		c.fault("of 15 turns within half a second, one who asked for 1000 got %d, not half", greedy.Count)
	}
	last := greedy
	for i := range 30 {
		a := c.ask(appio.TurnRequest{Rate: 30, Turns: 1000})
		c.granted(a, "one who asks behind many")
		c.behind(last, a)
		if latest := ahead + time.Duration(i)*34*time.Millisecond; a.Start > latest {
			c.fault("behind %d others, the first turn is only in %v", i+1, a.Start)
		}
		last = a
	}
}

func idleTime(c *checker) {
	c.ask(appio.TurnRequest{Rate: 100, Turns: 1})
	time.Sleep(150 * time.Millisecond)
	first := c.ask(appio.TurnRequest{Rate: 100, Turns: 3})
	second := c.ask(appio.TurnRequest{Rate: 100, Turns: 3})
	third := c.ask(appio.TurnRequest{Rate: 100, Turns: 3})
	c.behind(first, second)
	c.behind(second, third)
}

func holds(c *checker) {
	c.fresh(c.ask(appio.TurnRequest{Rate: 10, Turns: 1}), "before the 429")
	began := c.ask(appio.TurnRequest{Rate: 10, RetryAfter: time.Hour})
	c.paused(began, began, time.Hour, "the request with the RetryAfter")
	for range 2 * max(3, len(c.stores)) {
		a := c.ask(appio.TurnRequest{Rate: 10, Turns: 5})
		c.paused(began, a, time.Hour, "another request")
		if a.Count > 0 {
			c.fault("%d turns were granted although calls are paused", a.Count)
		}
	}
	c.body += "1"
	both := c.ask(appio.TurnRequest{Rate: 10, Turns: 3, RetryAfter: time.Hour})
	c.paused(both, both, time.Hour, "a request for turns with a RetryAfter")
	c.body += "2"
	began, over := c.after429(10, 1, 20*time.Millisecond)
	c.granted(over, "after the wait")
	if over.after.Before(began.before.Add(20*time.Millisecond - precision)) {
		c.fault("calls started after %v, not after 20ms", over.after.Sub(began.before))
	}
}

func longestWait(c *checker) {
	first := c.ask(appio.TurnRequest{Rate: 10, RetryAfter: time.Hour})
	c.paused(first, c.ask(appio.TurnRequest{Rate: 10, RetryAfter: time.Minute}), time.Hour, "after a shorter wait")
	longer := c.ask(appio.TurnRequest{Rate: 10, RetryAfter: 25 * time.Hour})
	c.paused(longer, c.ask(appio.TurnRequest{Rate: 10, Turns: 1}), 25*time.Hour, "after a longer wait")
}

func lowersOnce(c *checker) {
	for _, what := range []string{"after a 429", "after another one at the same time", "after a third"} {
		if a := c.ask(appio.TurnRequest{Rate: 10, RetryAfter: time.Hour}); a.Rate < 7.999 || a.Rate > 8.001 {
			c.fault("%s, the rate is %v, not 8 of 10", what, a.Rate)
		}
	}
	if a := c.ask(appio.TurnRequest{Rate: 10}); a.Rate < 7.999 || a.Rate > 8.001 {
		c.fault("while calls are paused, the rate is %v, not 8 of 10", a.Rate)
	}
}

// after429 reports a 429 to the store. It returns the answer to that, and the first answer after the
// wait.
func (c *checker) after429(rate float64, turns int, wait time.Duration) (began, over answer) {
	began = c.ask(appio.TurnRequest{Rate: rate, RetryAfter: wait})
	over = began
	for end := time.Now().Add(patience); over.PausedFor > 0; {
		if time.Now().After(end) {
			c.fault("a wait of %v did not end within %v", wait, patience)
			panic(errStop)
		}
		time.Sleep(time.Millisecond)
		over = c.ask(appio.TurnRequest{Rate: rate, Turns: turns})
	}
	return began, over
}

func lowestRate(c *checker) {
	before := time.Now()
	c.after429(1000, 1, time.Millisecond)
	_, second := c.after429(1000, 1, time.Millisecond)
	if most := 640 + 10*second.after.Sub(before).Seconds() + 1; second.Rate > most {
		c.fault("after two 429s, the rate is %v of 1000, not %v at most", second.Rate, most)
	}
	if least := time.Duration(float64(time.Second)/second.Rate) - time.Microsecond; second.Interval < least {
		c.fault("at %v calls a second, turns have an interval of %v", second.Rate, second.Interval)
	}
	last := second
	for range 30 {
		_, last = c.after429(1000, 0, time.Millisecond) // try checks that no rate is too low
	}
	if most := 50 + 10*last.after.Sub(before).Seconds() + 1; last.Rate > most {
		c.fault("after 32 429s, the rate is %v of 1000, not %v at most", last.Rate, most)
	}
}

func grows(c *checker) {
	_, first := c.after429(1000, 0, time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	second := c.ask(appio.TurnRequest{Rate: 1000})
	grown := second.Rate - first.Rate
	least, most := 10*second.before.Sub(first.after).Seconds(), 10*second.after.Sub(first.before).Seconds()
	if grown < least-0.05 || grown > most+0.05 {
		c.fault("the rate grew by %v of 1000, not by %v to %v", grown, least, most)
	}
}

func bodiesApart(c *checker) {
	names := []string{"ente", "Ente", "ente ", "ènte", "80185250588", "ente/1", "ente?", "e'nte", "ente\n", "ente\x00", "ente\xff",
		strings.Repeat("e", 300) + "1", strings.Repeat("e", 300) + "2"}
	for i, name := range names {
		body := c.body + name
		for j := range 2 {
			a := c.ask(appio.TurnRequest{Body: body, Rate: 0.1, Turns: 1})
			if j == 0 {
				c.fresh(a, "a body behind others")
			}
		}
		if i%2 == 0 {
			c.ask(appio.TurnRequest{Body: body, Rate: 0.1, RetryAfter: time.Hour})
		}
	}
	for i, name := range names {
		a := c.ask(appio.TurnRequest{Body: c.body + name, Rate: 0.1})
		switch {
		case i%2 == 0 && a.PausedFor == 0:
			c.fault("the calls of body %q are not paused after its 429: is its name stored byte by byte?", c.body+name)
		case i%2 != 0 && a.PausedFor > 0:
			c.fault("the calls of body %q are paused for %v by the 429 of another body", c.body+name, a.PausedFor)
		}
	}
}

func endedContexts(c *checker) {
	canceled, cancel := context.WithCancel(c.ctx)
	cancel()
	expired, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{canceled, expired} {
		for _, r := range []appio.TurnRequest{{Rate: 0.1, Turns: 1}, {Rate: 0.1, RetryAfter: time.Hour}} {
			if _, err := c.try(ctx, r); !errors.Is(err, ctx.Err()) {
				c.fault("with a context that has ended, ReserveTurns returned the error %v, not %v", err, ctx.Err())
			}
		}
	}
	c.fresh(c.ask(appio.TurnRequest{Rate: 0.1, Turns: 1}), "after requests with contexts that had ended")
}
