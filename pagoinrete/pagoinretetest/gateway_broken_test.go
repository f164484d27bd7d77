package pagoinretetest_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

func TestRestgatewayKeepsTheGatewayContract(t *testing.T) {
	pagoinretetest.RunGateway(t, func(t *testing.T) pagoinretetest.GatewayWorld {
		world, err := newWorld()
		require.NoError(t, err)
		return world
	})
}

func TestCheckGatewayFindsWhatRunGatewayFinds(t *testing.T) {
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayWorld, error) {
		world, err := newWorld()
		world.Gateway = failing(world.Gateway, func(err error) error { return errors.Join(flussi.ErrDuplicate, err) })
		world.Gateway = alteredGateway{Gateway: world.Gateway, event: world.Unauthorized.Event}
		return world, err
	})
	var broken *pagoinretetest.RuleError
	require.ErrorAs(t, err, &broken)
	assert.Equal(t, "an event that is put is there, as Simulato", broken.Rule, "the first of them")
	assert.ErrorIs(t, err, flussi.ErrUnauthorized, "the gateway's own error")
}

// The same world serves every rule: what one leaves does not disturb the others.
func TestOneGatewayWorldServesAllRules(t *testing.T) {
	world, err := newWorld()
	require.NoError(t, err)
	require.NoError(t, pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayWorld, error) { return world, nil }))
}

// Each gateway that breaks one thing is found out, by the rule that it breaks.
func TestBrokenGatewaysAreFoundOut(t *testing.T) {
	for _, b := range gatewayBreakers {
		t.Run(b.name, func(t *testing.T) {
			// In a bubble nobody waits for those that take a moment.
			synctest.Test(t, func(t *testing.T) {
				world, err := newWorld()
				require.NoError(t, err)
				require.NoError(t, pagoinretetest.CheckGatewayRule(t.Context(), b.rule, world))
				world, err = newWorld()
				require.NoError(t, err)
				if b.world != nil {
					b.world(&world)
				} else {
					world.Gateway, world.Unauthorized, world.OtherGateway = b.gateway(world.Gateway), b.gateway(world.Unauthorized), b.gateway(world.OtherGateway)
				}
				var broken *pagoinretetest.RuleError
				require.ErrorAs(t, pagoinretetest.CheckGatewayRule(t.Context(), b.rule, world), &broken, b.rule)
				assert.Equal(t, b.rule, broken.Rule)
				t.Log(broken)
			})
		})
	}
}

// No rule is there that nothing was seen to break.
func TestEveryGatewayRuleWasSeenBroken(t *testing.T) {
	for _, rule := range pagoinretetest.GatewayRules() {
		assert.True(t, slices.ContainsFunc(gatewayBreakers, func(b gatewayBreaker) bool { return b.rule == rule }), rule)
	}
}

// Without a hook some rules are not checked, which is neither a success nor a failure of theirs.
func TestRulesWithoutTheirHookAreNotChecked(t *testing.T) {
	for rule, needs := range pagoinretetest.HookedGatewayRules() {
		for _, hook := range needs {
			world, err := newWorld()
			require.NoError(t, err)
			reflect.ValueOf(&world).Elem().FieldByName(hook).SetZero()
			err = pagoinretetest.CheckGatewayRule(t.Context(), rule, world)
			assert.Equal(t, &pagoinretetest.UncheckedError{Rule: rule, Missing: []string{hook}}, err)
			assert.ErrorContains(t, err, "not checked, without "+hook+": "+rule)
		}
	}
}

// A world of the two things that are required is enough for the other rules.
func TestAWorldWithoutHooksIsEnough(t *testing.T) {
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayWorld, error) {
		world, err := newWorld()
		return pagoinretetest.GatewayWorld{Gateway: world.Gateway, School: world.School}, err
	})
	var broken *pagoinretetest.RuleError
	assert.False(t, errors.As(err, &broken), "%v", err)
	assert.Equal(t, len(pagoinretetest.HookedGatewayRules()), strings.Count(err.Error(), "not checked, without"))
}

// A field of the world is required, has a default, or is what some rule needs.
func TestEveryFieldOfTheWorldHasItsUse(t *testing.T) {
	others := []string{"Gateway", "School", "Director", "Assistant", "Principal", "Account", "Debtors", "Payer", "Secrets", "Patience"}
	hooks := pagoinretetest.GatewayHooks()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[pagoinretetest.GatewayWorld]()) {
		assert.NotEqual(t, slices.Contains(others, field.Name), slices.Contains(hooks, field.Name), field.Name)
	}
	assert.Len(t, hooks, reflect.TypeFor[pagoinretetest.GatewayWorld]().NumField()-len(others))
}

func TestCheckGatewayEndsIfThereIsNoWorld(t *testing.T) {
	cause := errors.New("no such host")
	calls := 0
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayWorld, error) {
		calls++
		return pagoinretetest.GatewayWorld{}, cause
	})
	require.ErrorIs(t, err, cause)
	assert.Equal(t, 1, calls)
	err = pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayWorld, error) { return pagoinretetest.GatewayWorld{}, nil })
	require.ErrorIs(t, err, flussi.ErrConfig)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, pagoinretetest.CheckGateway(ctx, newWorld), context.Canceled)
}
