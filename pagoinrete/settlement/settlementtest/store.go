package settlementtest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// RunStore checks each rule of the contract in a subtest. For each rule it calls open, which
// returns an empty store. It closes no store: open may use t.Cleanup.
func RunStore(t *testing.T, open func(t *testing.T) settlement.Store) {
	t.Helper()
	storeContract.Run(t, open)
}

// CheckStore checks all rules of the contract, like [RunStore]. Its error joins a [*RuleError] for
// each rule that the store does not keep. It ends early with an error of open, or when the context
// ends.
func CheckStore(ctx context.Context, open func() (settlement.Store, error)) error {
	return storeContract.Check(ctx, open)
}

// StoreRules returns the rules of the contract in words, in the order in which they are checked.
// The words may change from version to version.
func StoreRules() []string { return storeContract.Words() }

// RuleError is a rule of the contract that a store does not keep. Rule is the rule in words, and
// Err says what was expected and what the store returned; [errors.Is] finds an error of the store
// in it. It quotes test data, which are not personal data.
type RuleError = storetest.RuleError

type (
	rule  = storetest.Rule[*probe]
	suite = storetest.Suite[settlement.Settlement, settlement.Payment]
)

// shared are the rules that hold for all stores of this project.
var shared = storetest.Shared[*probe, settlement.Settlement, settlement.Payment]{
	Parent: "settlement", Child: "payment", Save: "Save", Of: func(p *probe) *suite { return p.suite },
}

// storeContract has all rules. The last one checks that open returns separate stores.
var storeContract = storetest.Contract[settlement.Store, *probe]{
	Suite: "settlementtest",
	Probe: newProbe,
	Rules: slices.Concat(
		shared.Rules(texts), valueRules, countRules, movementRules, bodyVersionRules, filterRules, isolationRules,
		[]rule{shared.Empty()},
	),
}
