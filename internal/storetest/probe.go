package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

const (
	// Everything is the limit of a page with all that a test stores, but for the one of a
	// long sequence.
	Everything = flussi.MaxPage
	// Crowd is how many goroutines do something at the same time.
	Crowd = 16

	enough = 12 // faults of a rule that are told
)

// Probe tests one rule on one store. Its methods end the test when the store fails at
// what the rule is not about.
type Probe struct {
	Ctx    context.Context // of the test
	Random *rand.Rand      // from a fixed seed
	made   int             // entities, each a second younger than the one before
	errs   []error

	missing []string // that the rule needs

	ids      []uuid.UUID // that were made
	returned int         // of them, by newIDs
}

// New returns a probe for one rule.
func New(ctx context.Context) *Probe {
	return &Probe{Ctx: ctx, Random: rand.New(rand.NewPCG(1, 2))}
}

// Run runs the test of a rule, and returns what it noted, a panic included, as one error;
// nil if nothing.
func (p *Probe) Run(test func()) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil, halt{}:
		default:
			p.Note("panic: %v\n%s", v, debug.Stack())
		}
		err = errors.Join(p.errs...)
	}()
	test()
	return nil
}

// halt ends a test.
type halt struct{}

// Fail notes that the rule is not kept, and goes on; after a few times that is enough.
func (p *Probe) Fail(format string, args ...any) {
	p.Note(format, args...)
	if len(p.errs) >= enough {
		p.Note("there may be more")
		panic(halt{})
	}
}

// Note notes that the rule is not kept, and never ends the test: for what the store calls.
func (p *Probe) Note(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf(format, args...))
}

// Faults is how many were noted.
func (p *Probe) Faults() int { return len(p.errs) }

// Skip ends the test, which needs what is missing.
func (p *Probe) Skip(missing []string) {
	p.missing = missing
	panic(halt{})
}

// Must ends the test if there is an error.
func (p *Probe) Must(err error, doing string) {
	if err != nil {
		p.Fail("%s: %w", doing, err)
		panic(halt{})
	}
}

// Wants notes an error that is not the one that is wanted.
func (p *Probe) Wants(want, err error, doing string) {
	if !errors.Is(err, want) {
		p.Fail("%s: want an error in which errors.Is finds %q, got %w", doing, want, OrNone(err))
	}
}

// errNone stands in a message for nil.
var errNone = errors.New("none")

// OrNone returns an error that can be wrapped, whether there is one or not.
func OrNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// Equal notes what is different in an entity, a record, or counts.
func (p *Probe) Equal(what string, got, want any) {
	for _, d := range Differences(want, got) {
		p.Fail("%s: %s", what, d)
	}
}

// EqualAll notes which entities are different, are gone, or have appeared.
func EqualAll[T any](p *Probe, what string, got, want map[uuid.UUID]T) {
	for id, w := range want {
		if g, there := got[id]; there {
			p.Equal(fmt.Sprintf("%s %s", what, id), g, w)
		} else {
			p.Fail("%s %s is gone", what, id)
		}
	}
	for id := range got {
		if _, there := want[id]; !there {
			p.Fail("%s %s has appeared", what, id)
		}
	}
}

// Spoil changes everything in what was returned, and appends to it.
func Spoil[T any](p *Probe, all []T) {
	for i := range all {
		p.Fill(&all[i], true)
	}
	if cap(all) > len(all) {
		p.Fill(&all[:len(all)+1][len(all)], true)
	}
}

// oneAtATime is the key of a context with which calls are made one after the other.
type oneAtATime struct{}

// OneAtATime returns a context for a store that only one goroutine at a time may use. With it, a suite
// makes its concurrent calls one after the other.
func OneAtATime(ctx context.Context) context.Context {
	return context.WithValue(ctx, oneAtATime{}, true)
}

// Together does something a crowd of times at once, and returns the errors.
func (p *Probe) Together(do func(i int) error) []error {
	errs := make([]error, Crowd)
	one := func(i int) {
		defer func() {
			if v := recover(); v != nil {
				errs[i] = fmt.Errorf("panic: %v", v)
			}
		}()
		errs[i] = do(i)
	}
	if p.Ctx.Value(oneAtATime{}) != nil {
		for i := range Crowd {
			one(i)
		}
		return errs
	}
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range Crowd {
		all.Go(func() {
			<-start
			one(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// OneWins checks that one of a crowd succeeded, and that the others were told why not.
func (p *Probe) OneWins(what string, errs []error, conflict error) {
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			p.Wants(conflict, err, what+", one of those who come too late")
		}
	}
	if won != 1 {
		p.Fail("%s: %d of %d succeeded, not 1", what, won, len(errs))
	}
}
