package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// Rule is a rule of a contract, and a test that finds out whether a store keeps it. T is the
// probe of a suite. It is a struct without a name, so that lists of rules need not name its
// fields.
type Rule[T any] = struct {
	Words string  // as the contract says it
	Test  func(T) // notes where the store does not keep it
}

// Also makes a rule test more: what one suite adds to a rule that all share. It panics if no
// rule has the words.
func Also[T any](rules []Rule[T], words string, more func(T)) []Rule[T] {
	for i, r := range rules {
		if r.Words == words {
			rules[i].Test = func(p T) {
				r.Test(p)
				more(p)
			}
			return rules
		}
	}
	panic("storetest: no such rule: " + words)
}

// RuleError is a rule of a contract that a store does not keep.
type RuleError struct {
	Suite string // the package that checked it, such as "flowtest"
	Rule  string // in words
	Err   error  // what was wanted and what came; an error of the store is found by errors.Is
}

// Error names the rule and what was wrong.
func (e *RuleError) Error() string {
	return fmt.Sprintf("%s: not so: %s: %v", e.Suite, e.Rule, e.Err)
}

// Unwrap returns what was wrong.
func (e *RuleError) Unwrap() error { return e.Err }

// Contract is the rules for stores S, which probes T test.
type Contract[S, T any] struct {
	Suite string                    // the name of the package, such as "flowtest"
	Probe func(p *Probe, store S) T // for one rule, on a store that is empty
	Rules []Rule[T]                 // in the order in which they are checked
}

// Run checks each rule in a subtest, on a store of its own.
func (c Contract[S, T]) Run(t *testing.T, open func(t *testing.T) S) {
	t.Helper()
	for _, r := range c.Rules {
		t.Run(r.Words, func(t *testing.T) {
			if broken := c.check(t.Context(), r, open(t)); broken != nil {
				t.Error(broken.Err)
			}
		})
	}
}

// Check checks all rules, and joins a [*RuleError] for each that is not kept; nil if all are.
// An error of open, and the end of the context, end it.
func (c Contract[S, T]) Check(ctx context.Context, open func() (S, error)) error {
	var all []error
	for _, r := range c.Rules {
		store, err := open()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(append(all, fmt.Errorf("%s: not finished: %w", c.Suite, err))...)
		}
		if broken := c.check(ctx, r, store); broken != nil {
			all = append(all, broken)
		}
	}
	return errors.Join(all...)
}

// Words returns the rules in words.
func (c Contract[S, T]) Words() []string {
	words := make([]string, len(c.Rules))
	for i, r := range c.Rules {
		words[i] = r.Words
	}
	return words
}

// CheckRule checks one rule; nil if the store keeps it. It panics if there is no such rule.
func (c Contract[S, T]) CheckRule(ctx context.Context, words string, store S) *RuleError {
	for _, r := range c.Rules {
		if r.Words == words {
			return c.check(ctx, r, store)
		}
	}
	panic("storetest: no such rule: " + words)
}

// check returns nil if the store, which must be empty, keeps the rule.
func (c Contract[S, T]) check(ctx context.Context, r Rule[T], store S) *RuleError {
	base := New(ctx)
	if err := base.Run(func() { r.Test(c.Probe(base, store)) }); err != nil {
		return &RuleError{c.Suite, r.Words, err}
	}
	return nil
}
