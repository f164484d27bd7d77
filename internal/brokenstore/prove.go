package brokenstore

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/internal/storetest"
)

// Breaker breaks one thing of a store. It is a struct without a name, so that lists of breakers
// need not name its fields.
type Breaker[S any] = struct {
	Name  string    // what is broken
	Rule  string    // that the store no longer keeps
	Break func(S) S // makes the broken store of a good one
}

// Proof proves a suite for stores S, whose rules probes T test, with a store that keeps all
// rules and with many that break one.
type Proof[S, T any, P, C storetest.Placed] struct {
	Contract storetest.Contract[S, T]  // the rules
	Shared   storetest.Shared[T, P, C] // those of them that every store keeps
	Open     func() S                  // an empty store that keeps all rules
	Views    Views[S, P, C]            // of such a store
	Own      []Breaker[S]              // of the rules that are the suite's own
	Needed   []string                  // fields that a store needs for more than to keep them
	Filters  [2]storetest.Filter       // one of parents and one of children, for their types
}

// Run proves the suite, in subtests.
func (p Proof[S, T, P, C]) Run(t *testing.T) {
	breakers := slices.Concat(p.Own,
		ofFields(p.Shared.Parent, p.Needed, p.Views.WrittenParents, p.Views.ReadParents),
		ofFields(p.Shared.Child, p.Needed, p.Views.WrittenChildren, p.Views.ReadChildren))
	for _, b := range Breakers[P, C](p.Shared.Parent, p.Shared.Child, p.Shared.Save) {
		breakers = append(breakers, Breaker[S]{b.Name, b.Rule, p.Views(b.Break)})
	}
	t.Run("a store that keeps all rules is accepted", p.acceptsTheStore)
	t.Run("each broken store is found out", func(t *testing.T) { FindsBroken(t, p.Contract, p.Open, breakers) })
	t.Run("each rule was seen broken", func(t *testing.T) { BreaksEveryRule(t, p.Contract, breakers) })
	t.Run("a store for all rules together is found out", p.findsSharedStores)
	t.Run("errors of the store are returned", p.returnsErrors)
	t.Run("a check ends if there is no store", func(t *testing.T) { EndsWithoutOne(t, p.Contract, p.Open) })
	t.Run("each field has a value", p.fillsEveryField)
	t.Run("each field is compared", p.comparesEveryField)
	t.Run("each field of a filter that is not looked at is found out", p.findsIgnoredFilters)
}

// check checks all rules on stores that something makes of good ones.
func (p Proof[S, T, P, C]) check(ctx context.Context, of func(S) S) error {
	return p.Contract.Check(ctx, func() (S, error) { return of(p.Open()), nil })
}

func (p Proof[S, T, P, C]) acceptsTheStore(t *testing.T) {
	p.Contract.Run(t, func(*testing.T) S { return p.Open() })
	require.NoError(t, p.check(t.Context(), func(s S) S { return s }))
}

// FindsBroken checks that what something breaks is found out by the rule that it breaks.
func FindsBroken[S, T any](
	t *testing.T, contract storetest.Contract[S, T], open func() S, breakers []Breaker[S],
) {
	for _, b := range breakers {
		t.Run(b.Name, func(t *testing.T) {
			// In a bubble nobody waits for those that take a moment.
			synctest.Test(t, func(t *testing.T) {
				require.NoError(t, contract.CheckRule(t.Context(), b.Rule, open()))
				err := contract.CheckRule(t.Context(), b.Rule, b.Break(open()))
				var broken *storetest.RuleError
				require.ErrorAs(t, err, &broken, b.Rule)
				assert.Equal(t, b.Rule, broken.Rule)
				t.Log(broken)
			})
		})
	}
}

// BreaksEveryRule checks that no rule is there that nothing was seen to break, but for
// [storetest.NewIsEmpty].
func BreaksEveryRule[S, T any](
	t *testing.T, contract storetest.Contract[S, T], breakers []Breaker[S],
) {
	for _, rule := range contract.Words() {
		breaks := func(b Breaker[S]) bool { return b.Rule == rule }
		assert.True(t, rule == storetest.NewIsEmpty || slices.ContainsFunc(breakers, breaks), rule)
	}
}

// EndsWithoutOne checks that a check ends if there is nothing to check, or its context has ended.
func EndsWithoutOne[S, T any](t *testing.T, contract storetest.Contract[S, T], open func() S) {
	cause := errors.New("no such host")
	calls := 0
	err := contract.Check(t.Context(), func() (none S, err error) { calls++; return none, cause })
	require.ErrorIs(t, err, cause)
	assert.Equal(t, 1, calls)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = contract.Check(ctx, func() (S, error) { return open(), nil })
	require.ErrorIs(t, err, context.Canceled)
}

func (p Proof[S, T, P, C]) findsSharedStores(t *testing.T) {
	one := p.Open()
	err := p.check(t.Context(), func(S) S { return one })
	assert.Contains(t, brokenRules(t, err), storetest.NewIsEmpty)
}

func (p Proof[S, T, P, C]) returnsErrors(t *testing.T) {
	failure := errors.New("no space left on device")
	err := p.check(t.Context(), p.Views(func(s storetest.Store[P, C]) storetest.Store[P, C] {
		s.SaveChildren = func(context.Context, ...storetest.Change[C]) error { return failure }
		return s
	}))
	require.ErrorIs(t, err, failure)
	assert.Contains(t, brokenRules(t, err), keptRule(p.Shared.Child))
}

// brokenRules returns the rules that an error of a check says are broken.
func brokenRules(t *testing.T, err error) []string {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "want a joined error, got %v", err)
	var rules []string
	for _, err := range joined.Unwrap() {
		var broken *storetest.RuleError
		require.ErrorAs(t, err, &broken)
		rules = append(rules, broken.Rule)
	}
	return rules
}
