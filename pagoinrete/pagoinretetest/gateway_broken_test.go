package pagoinretetest_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

func TestRestgatewayKeepsTheGatewayContract(t *testing.T) {
	pagoinretetest.RunGateway(t, func(t *testing.T) pagoinretetest.GatewayEnvironment {
		world, err := newWorld()
		require.NoError(t, err)
		return world
	})
}

func TestCheckGatewayFindsWhatRunGatewayFinds(t *testing.T) {
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayEnvironment, error) {
		world, err := newWorld()
		world.Gateway = failing(world.Gateway, func(err error) error { return errors.Join(flussi.ErrDuplicate, err) })
		world.Gateway = on("Event", func(c call) reply {
			c.gateway = world.Unauthorized
			return c.do()
		})(world.Gateway)
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
	require.NoError(t, pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayEnvironment, error) { return world, nil }))
}

// Each gateway that breaks one thing is found out, by the rule that it breaks, and no rule is there
// that nothing was seen to break.
func TestBrokenGatewaysAreFoundOut(t *testing.T) {
	open := func() pagoinretetest.GatewayEnvironment { return completeWorld(t) }
	brokenstore.FindsBroken(t, pagoinretetest.GatewayContract, open, gatewayBreakers)
	brokenstore.BreaksEveryRule(t, pagoinretetest.GatewayContract, gatewayBreakers)
}

// completeWorld returns a world with its defaults.
func completeWorld(t *testing.T) pagoinretetest.GatewayEnvironment {
	world, err := newWorld()
	require.NoError(t, err)
	world, err = pagoinretetest.Complete(world)
	require.NoError(t, err)
	return world
}

// bareWorld returns a world of the two things that are required, with its defaults.
func bareWorld(t *testing.T) pagoinretetest.GatewayEnvironment {
	world := completeWorld(t)
	bare, err := pagoinretetest.Complete(pagoinretetest.GatewayEnvironment{Gateway: world.Gateway, School: world.School})
	require.NoError(t, err)
	return bare
}

// hookedRules returns the rules that need more than a gateway, with what they need.
func hookedRules(t *testing.T) map[string][]string {
	hooked := map[string][]string{}
	for _, rule := range pagoinretetest.GatewayRules() {
		var unchecked *pagoinretetest.UncheckedError
		err := pagoinretetest.GatewayContract.CheckRule(t.Context(), rule, bareWorld(t))
		if err != nil && assert.ErrorAs(t, err, &unchecked, "a world without hooks is enough for the others") {
			hooked[rule] = unchecked.Missing
		}
	}
	return hooked
}

// Without a hook some rules are not checked, which is neither a success nor a failure of theirs.
func TestRulesWithoutTheirHookAreNotChecked(t *testing.T) {
	for rule, needs := range hookedRules(t) {
		for _, hook := range needs {
			world := completeWorld(t)
			reflect.ValueOf(&world).Elem().FieldByName(hook).SetZero()
			err := pagoinretetest.GatewayContract.CheckRule(t.Context(), rule, world)
			want := &pagoinretetest.UncheckedError{Suite: "pagoinretetest", Rule: rule, Missing: []string{hook}}
			assert.Equal(t, want, err)
			assert.ErrorContains(t, err, "pagoinretetest: not checked, without "+hook+": "+rule)
		}
	}
}

// A world of the two things that are required is enough for the other rules.
func TestAWorldWithoutHooksIsEnough(t *testing.T) {
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayEnvironment, error) {
		world, err := newWorld()
		return pagoinretetest.GatewayEnvironment{Gateway: world.Gateway, School: world.School}, err
	})
	var broken *pagoinretetest.RuleError
	assert.False(t, errors.As(err, &broken), "%v", err)
	assert.Equal(t, len(hookedRules(t)), strings.Count(err.Error(), "not checked, without"))
}

// A field of the world is required, has a default, or is what some rule needs.
func TestEveryFieldOfTheWorldHasItsUse(t *testing.T) {
	others := []string{"Gateway", "School", "Director", "Assistant", "Principal", "Account", "Debtors", "Payer", "Secrets", "Timeout"}
	hooks := slices.Concat(slices.Collect(maps.Values(hookedRules(t)))...)
	slices.Sort(hooks)
	hooks = slices.Compact(hooks)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[pagoinretetest.GatewayEnvironment]()) {
		assert.NotEqual(t, slices.Contains(others, field.Name), slices.Contains(hooks, field.Name), field.Name)
	}
	assert.Len(t, hooks, reflect.TypeFor[pagoinretetest.GatewayEnvironment]().NumField()-len(others))
}

func TestCheckGatewayEndsIfThereIsNoWorld(t *testing.T) {
	brokenstore.EndsWithoutOne(t, pagoinretetest.GatewayContract, func() pagoinretetest.GatewayEnvironment { return completeWorld(t) })
	cause := errors.New("no such host")
	err := pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayEnvironment, error) {
		return pagoinretetest.GatewayEnvironment{}, cause
	})
	require.ErrorIs(t, err, cause)
	assert.NotErrorIs(t, err, flussi.ErrConfig)
	err = pagoinretetest.CheckGateway(t.Context(), func() (pagoinretetest.GatewayEnvironment, error) {
		return pagoinretetest.GatewayEnvironment{}, nil
	})
	require.ErrorIs(t, err, flussi.ErrConfig)
}
