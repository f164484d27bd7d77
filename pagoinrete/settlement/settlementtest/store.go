package settlementtest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// RunStore checks each rule of the contract in a subtest. It calls open once a rule, for an empty
// store, and closes nothing: open may use t.Cleanup.
func RunStore(t *testing.T, open func(t *testing.T) settlement.Store) {
	t.Helper()
	storeContract.Run(t, open)
}

// CheckStore checks all rules of the contract, and returns what [RunStore] finds as one error,
// which joins a [*RuleError] for each rule that is not kept; nil if all are. An error of open,
// and the end of the context, end it.
func CheckStore(ctx context.Context, open func() (settlement.Store, error)) error {
	return storeContract.Check(ctx, open)
}

// StoreRules returns the rules of the contract in words, in the order in which they are checked. The
// words may change from version to version.
func StoreRules() []string { return storeContract.Words() }

// RuleError is a rule of the contract that a store does not keep: Rule is its words, and Err says
// what was wanted and what came; an error of the store is found in it by [errors.Is]. It quotes what
// was stored for the test, which is nobody's personal data.
type RuleError = storetest.RuleError

type (
	rule  = storetest.Rule[*probe]
	suite = storetest.Suite[settlement.Settlement, settlement.Payment]
)

// shared is the rules that every store keeps.
var shared = storetest.Shared[*probe, settlement.Settlement, settlement.Payment]{
	Parent: "settlement", Child: "payment", Save: "Save", Of: func(p *probe) *suite { return p.suite },
}

// storeContract is all rules. The last finds out whether open gives stores of their own.
var storeContract = storetest.Contract[settlement.Store, *probe]{
	Suite: "settlementtest",
	Probe: newProbe,
	Rules: slices.Concat(
		shared.Rules(texts), valueRules, countRules, movementRules, ledgerRules, filterRules, isolationRules,
		[]rule{shared.Empty()},
	),
}
