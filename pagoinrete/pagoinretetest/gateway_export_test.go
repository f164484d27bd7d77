package pagoinretetest

import (
	"context"
	"slices"
)

// CheckGatewayRule checks one rule; nil if the gateway of the world keeps it.
func CheckGatewayRule(ctx context.Context, words string, world GatewayWorld) error {
	for _, r := range gatewayContract {
		if r.words == words {
			return r.check(ctx, world)
		}
	}
	panic("no such rule: " + words)
}

// HookedGatewayRules returns the rules that need more than a gateway, with what they need.
func HookedGatewayRules() map[string][]string {
	hooked := map[string][]string{}
	for _, r := range gatewayContract {
		if len(r.needs) > 0 {
			hooked[r.words] = r.needs
		}
	}
	return hooked
}

// GatewayHooks returns the fields of a world that some rule needs.
func GatewayHooks() []string {
	var all []string
	for _, needs := range HookedGatewayRules() {
		all = append(all, needs...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
