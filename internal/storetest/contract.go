package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Rule is a rule of a contract, and a test that finds out whether it is kept. T is the probe of a
// suite. It is a struct without a name, so that lists of rules need not name its
// fields.
type Rule[T any] = struct {
	Words string  // as the contract says it
	Test  func(T) // notes where it is not kept
}

// Also makes rules test more, by their words: what one suite adds to a rule that all share. It
// panics if no rule has the words.
func Also[T any](rules []Rule[T], more map[string]func(T)) []Rule[T] {
	for words, test := range more {
		i := slices.IndexFunc(rules, func(r Rule[T]) bool { return r.Words == words })
		if i < 0 {
			panic("storetest: no such rule: " + words)
		}
		shared := rules[i].Test
		rules[i].Test = func(p T) {
			shared(p)
			test(p)
		}
	}
	return rules
}

// RuleError is a rule of a contract that is not kept.
type RuleError struct {
	Suite string // the package that checked it, such as "flowtest"
	Rule  string // in words
	Err   error  // what was wanted and what came; an error of what is tested is found by errors.Is
}

// Error names the rule and what was wrong.
func (e *RuleError) Error() string {
	return fmt.Sprintf("%s: not so: %s: %v", e.Suite, e.Rule, e.Err)
}

// Unwrap returns what was wrong.
func (e *RuleError) Unwrap() error { return e.Err }

// UncheckedError is a rule that was not checked, since something is missing that it needs.
type UncheckedError struct {
	Suite   string   // the package that would check it, such as "pagoinretetest"
	Rule    string   // in words
	Missing []string // what it needs, such as fields of a struct
}

// Error names the rule and what it needs.
func (e *UncheckedError) Error() string {
	return fmt.Sprintf("%s: not checked, without %s: %s", e.Suite, strings.Join(e.Missing, ", "), e.Rule)
}

// Contract is the rules for implementations S of an interface, which probes T test.
type Contract[S, T any] struct {
	Suite string                  // the name of the package, such as "flowtest"
	Probe func(p *Probe, one S) T // for one rule, on an implementation that is new
	Rules []Rule[T]               // in the order in which they are checked
}

// Run checks each rule in a subtest, on an implementation of its own.
func (c Contract[S, T]) Run(t *testing.T, open func(t *testing.T) S) {
	t.Helper()
	for _, r := range c.Rules {
		t.Run(r.Words, func(t *testing.T) {
			switch err := c.check(t.Context(), r, open(t)).(type) {
			case *RuleError:
				t.Error(err.Err)
			case *UncheckedError:
				t.Skip(err)
			}
		})
	}
}

// Check checks all rules, and joins a [*RuleError] for each that is not kept, and an
// [*UncheckedError] for each that was not checked; nil if all were and are. An error of open, and
// the end of the context, end it.
func (c Contract[S, T]) Check(ctx context.Context, open func() (S, error)) error {
	var all []error
	for _, r := range c.Rules {
		one, err := open()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(append(all, fmt.Errorf("%s: not finished: %w", c.Suite, err))...)
		}
		all = append(all, c.check(ctx, r, one))
	}
	return errors.Join(all...)
}

// Words returns the rules in words.
func (c Contract[S, T]) Words() []string {
	return Map(c.Rules, func(r Rule[T]) string { return r.Words })
}

// CheckRule checks one rule: nil if it is kept, and otherwise a [*RuleError] or an
// [*UncheckedError]. It panics if there is no such rule.
func (c Contract[S, T]) CheckRule(ctx context.Context, words string, one S) error {
	for _, r := range c.Rules {
		if r.Words == words {
			return c.check(ctx, r, one)
		}
	}
	panic("storetest: no such rule: " + words)
}

func (c Contract[S, T]) check(ctx context.Context, r Rule[T], one S) error {
	p := New(ctx)
	switch err := p.Run(func() { r.Test(c.Probe(p, one)) }); {
	case err != nil:
		return &RuleError{c.Suite, r.Words, err}
	case len(p.missing) > 0:
		return &UncheckedError{c.Suite, r.Words, p.missing}
	}
	return nil
}
