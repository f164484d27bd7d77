package pagoinretetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

func TestMemstoreKeepsTheContract(t *testing.T) {
	pagoinretetest.Run(t, func(*testing.T) pagoinrete.Store { return memstore.New() })
}

func TestCheckFindsWhatRunFinds(t *testing.T) {
	require.NoError(t, pagoinretetest.Check(t.Context(), func() (pagoinrete.Store, error) { return memstore.New(), nil }))
	err := pagoinretetest.Check(t.Context(), func() (pagoinrete.Store, error) {
		return altered{Store: memstore.New(), saveNotices: func(context.Context, ...pagoinrete.NoticeChange) error {
			return flussi.ErrForbidden
		}}, nil
	})
	require.ErrorIs(t, err, flussi.ErrForbidden, "the store's own error")
	assert.Contains(t, brokenRules(t, err), "a notice is read as it was stored")
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
		var broken *pagoinretetest.Broken
		require.ErrorAs(t, err, &broken)
		rules = append(rules, broken.Rule)
	}
	return rules
}

// Each store that breaks one thing is found out, by the rule that it breaks.
func TestBrokenStoresAreFoundOut(t *testing.T) {
	for _, b := range breakers {
		t.Run(b.name, func(t *testing.T) {
			// In a bubble nobody waits for those that take a moment.
			synctest.Test(t, func(t *testing.T) {
				require.Nil(t, pagoinretetest.CheckRule(t.Context(), b.rule, memstore.New()))
				broken := pagoinretetest.CheckRule(t.Context(), b.rule, b.store(memstore.New()))
				require.NotNil(t, broken, b.rule)
				assert.Equal(t, b.rule, broken.Rule)
				t.Log(broken)
			})
		})
	}
}

// No rule is there that nothing was seen to break.
func TestEveryRuleWasSeenBroken(t *testing.T) {
	for _, rule := range pagoinretetest.Rules() {
		assert.True(t, rule == "a new store is empty" || slices.ContainsFunc(breakers, func(b breaker) bool { return b.rule == rule }), rule)
	}
}

func TestStoresThatAreNotTheirOwnAreFoundOut(t *testing.T) {
	store := memstore.New()
	err := pagoinretetest.Check(t.Context(), func() (pagoinrete.Store, error) { return store, nil })
	require.Error(t, err)
	assert.Contains(t, brokenRules(t, err), "a new store is empty")
}

func TestCheckEndsIfThereIsNoStore(t *testing.T) {
	cause := errors.New("no such host")
	calls := 0
	err := pagoinretetest.Check(t.Context(), func() (pagoinrete.Store, error) { calls++; return nil, cause })
	require.ErrorIs(t, err, cause)
	assert.Equal(t, 1, calls)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pagoinretetest.Check(ctx, func() (pagoinrete.Store, error) { return memstore.New(), nil }), context.Canceled)
}
