package flowtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/flow/memstore"
)

func TestMemstoreKeepsTheContract(t *testing.T) {
	flowtest.Run(t, func(*testing.T) flow.Store { return memstore.New() })
}

func TestCheckFindsWhatRunFinds(t *testing.T) {
	require.NoError(t, flowtest.Check(t.Context(), func() (flow.Store, error) { return memstore.New(), nil }))
	err := flowtest.Check(t.Context(), func() (flow.Store, error) {
		return altered{Store: memstore.New(), saveNotifications: func(context.Context, ...flow.NotificationChange) error {
			return flussi.ErrForbidden
		}}, nil
	})
	require.ErrorIs(t, err, flussi.ErrForbidden, "the store's own error")
	assert.Contains(t, brokenRules(t, err), "a notification is read as it was stored")
}

// brokenRules returns the rules that an error of Check says are broken.
func brokenRules(t *testing.T, err error) []string {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !assert.True(t, ok, "want a joined error, got %v", err) {
		return nil
	}
	var rules []string
	for _, err := range joined.Unwrap() {
		var broken *flowtest.Broken
		require.ErrorAs(t, err, &broken)
		rules = append(rules, broken.Rule)
	}
	return rules
}

func allBreakers() []breaker {
	return slices.Concat(breakers, sentBreakers, importBreakers, serviceBreakers)
}

// Each store that breaks one thing is found out, by the rule that it breaks.
func TestBrokenStoresAreFoundOut(t *testing.T) {
	for _, b := range allBreakers() {
		t.Run(b.name, func(t *testing.T) {
			// In a bubble nobody waits for half a minute.
			synctest.Test(t, func(t *testing.T) {
				require.Nil(t, flowtest.CheckRule(t.Context(), b.rule, memstore.New()))
				broken := flowtest.CheckRule(t.Context(), b.rule, b.store(memstore.New()))
				require.NotNil(t, broken, b.rule)
				assert.Equal(t, b.rule, broken.Rule)
				t.Log(broken)
			})
		})
	}
}

// No rule is there that nothing was seen to break.
func TestEveryRuleWasSeenBroken(t *testing.T) {
	all := allBreakers()
	for _, rule := range flowtest.Rules() {
		assert.True(t, rule == "a new store is empty" || slices.ContainsFunc(all, func(b breaker) bool { return b.rule == rule }), rule)
	}
}

func TestStoresThatAreNotTheirOwnAreFoundOut(t *testing.T) {
	store := memstore.New()
	err := flowtest.Check(t.Context(), func() (flow.Store, error) { return store, nil })
	require.Error(t, err)
	assert.Contains(t, brokenRules(t, err), "a new store is empty")
}

func TestCheckEndsIfThereIsNoStore(t *testing.T) {
	cause := errors.New("no such host")
	calls := 0
	err := flowtest.Check(t.Context(), func() (flow.Store, error) { calls++; return nil, cause })
	require.ErrorIs(t, err, cause)
	assert.Equal(t, 1, calls)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, flowtest.Check(ctx, func() (flow.Store, error) { return memstore.New(), nil }), context.Canceled)
}
