// Package pacetest checks whether an [appio.TurnStore] of yours keeps the contract that its
// documentation states. Call [RunTurnStore] in your tests:
//
//	func TestTurnsKeepTheContract(t *testing.T) {
//		pacetest.RunTurnStore(t, func(t *testing.T) []appio.TurnStore {
//			return []appio.TurnStore{open(t), open(t)} // two connections to one store
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words.
package pacetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flussi-go/flussi/appio"
)

// RunTurnStore checks each rule of [appio.TurnStore] in a subtest. It calls open once. Open returns
// one or more TurnStores on the same data, as several processes would open them; the suite makes its
// requests to one after the other. The bodies of the requests have names that begin with "pacetest"
// and end with the time, so the data need not be empty. No rule fails because the machine is slow,
// since times are compared with the time that has passed.
func RunTurnStore(t *testing.T, open func(t *testing.T) []appio.TurnStore) {
	t.Helper()
	stores := open(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, fault := range r.check(t.Context(), stores) {
				t.Error(fault)
			}
		})
	}
}

// rule is a rule of the contract.
type rule struct {
	name string // the rule as a sentence
	test func(c *checker)
}

// check returns the faults that a rule finds in stores.
func (r rule) check(ctx context.Context, stores []appio.TurnStore) []string {
	c := &checker{ctx: ctx, stores: stores, body: "pacetest " + r.name + " " + time.Now().String()}
	func() {
		defer func() {
			if stop := recover(); stop != nil && stop != errStop {
				panic(stop)
			}
		}()
		r.test(c)
	}()
	return c.faults
}

// errStop ends a rule, by a panic that check recovers.
var errStop = errors.New("the rule ends")

// checker makes requests to the stores, and records faults.
type checker struct {
	ctx    context.Context
	stores []appio.TurnStore
	body   string // of the rule

	mu     sync.Mutex
	faults []string
	asked  int
}

// fault records a fault.
func (c *checker) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// answer is the answer of a store, which it made between two times.
type answer struct {
	appio.Turns
	before, after time.Time
}

// patience is how long a store may take. Only stores that never answer take longer.
const patience = time.Minute

// precision is the permitted error of times. The clock of a store may count milliseconds.
const precision = 2 * time.Millisecond

// next returns the stores one after the other.
func (c *checker) next() appio.TurnStore {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.stores[c.asked%len(c.stores)]
}

// ask makes a request to the next store, and checks the answer as try does. An error ends the rule.
func (c *checker) ask(r appio.TurnRequest) answer {
	a, err := c.try(c.ctx, r)
	if err != nil {
		c.failed(err)
		panic(errStop)
	}
	return a
}

// failed records an error of a store.
func (c *checker) failed(err error) {
	if !errors.Is(err, errStop) { // try has recorded it
		c.fault("ReserveTurns failed: %v", err)
	}
}

// try makes a request to the next store, and checks what must hold for every answer. It returns the
// error of the store.
func (c *checker) try(ctx context.Context, r appio.TurnRequest) (answer, error) {
	if r.Body == "" {
		r.Body = c.body
	}
	type result struct {
		answer
		err error
	}
	results := make(chan result, 1)
	store := c.next()
	go func() {
		var got result
		got.before = time.Now()
		got.Turns, got.err = store.ReserveTurns(ctx, r)
		got.after = time.Now()
		results <- got
	}()
	var got result
	select {
	case got = <-results:
	case <-time.After(patience):
		c.fault("ReserveTurns did not return within %v", patience)
		return answer{}, errStop
	}
	if got.err != nil {
		return got.answer, got.err
	}
	t := got.Turns
	full := time.Duration(float64(time.Second) / r.Rate)
	switch {
	case t.Count < 0 || t.Count > max(r.Turns, 0):
		c.fault("of %d turns that were asked for, %d were granted", r.Turns, t.Count)
	case t.Start < 0 || t.PausedFor < 0:
		c.fault("turns start in %v, and calls are paused for %v: a time in the past", t.Start, t.PausedFor)
	case t.Count > 0 && t.Interval < full-time.Microsecond:
		c.fault("at %v calls a second, turns have an interval of %v", r.Rate, t.Interval)
	case t.Count > 0 && t.PausedFor > 0:
		c.fault("%d turns were granted while calls are paused for %v", t.Count, t.PausedFor)
	case t.Rate < r.Rate*0.0499 || t.Rate > r.Rate*1.0001:
		c.fault("the rate is %v of %v", t.Rate, r.Rate)
	}
	return got.answer, nil
}

// granted checks that an answer has at least one turn.
func (c *checker) granted(a answer, what string) {
	if a.Count < 1 || a.PausedFor > 0 {
		c.fault("%s: no turn was granted, and calls are paused for %v", what, a.PausedFor)
	}
}

// fresh checks that an answer grants a turn at once, as for a body without earlier requests.
func (c *checker) fresh(a answer, what string) {
	c.granted(a, what)
	if a.Start > precision {
		c.fault("%s: the first turn is only in %v", what, a.Start)
	}
}

// behind checks that the turns of an answer come behind those of an earlier one.
func (c *checker) behind(earlier, a answer) {
	end := earlier.before.Add(earlier.Start + time.Duration(earlier.Count)*earlier.Interval)
	if first := a.after.Add(a.Start); first.Before(end.Add(-precision)) {
		c.fault("%d turns were granted until %v from the beginning, and others from %v or earlier",
			earlier.Count, end.Sub(earlier.before), first.Sub(earlier.before))
	}
}

// paused checks that the PausedFor of an answer is what is left of a retryAfter. An earlier
// request, whose answer was began, reported it.
func (c *checker) paused(began, a answer, retryAfter time.Duration, what string) {
	least := retryAfter - a.after.Sub(began.before) - precision
	most := retryAfter - a.before.Sub(began.after) + precision
	if a.PausedFor < least || a.PausedFor > most {
		c.fault("%s: calls are paused for %v, not for between %v and %v", what, a.PausedFor, least, most)
	}
}
