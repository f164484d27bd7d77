package pagoinretetest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete"
)

// RunStore checks each rule of the contract in a subtest. It calls open once a rule, for a
// store without events and notices, and closes nothing: open may use t.Cleanup.
func RunStore(t *testing.T, open func(t *testing.T) pagoinrete.Store) {
	t.Helper()
	storeContract.Run(t, open)
}

// CheckStore checks all rules of the contract, and returns what [RunStore] finds as one error,
// which joins a [*RuleError] for each rule that is not kept; nil if all are. An error of open,
// and the end of the context, end it.
func CheckStore(ctx context.Context, open func() (pagoinrete.Store, error)) error {
	return storeContract.Check(ctx, open)
}

// StoreRules returns the rules of the contract in words, in the order in which they are
// checked. The words may change from version to version.
func StoreRules() []string { return storeContract.Words() }

// RuleError is a rule of a contract that a store or a gateway does not keep. Rule is the rule in
// words, as in [StoreRules] or [GatewayRules]. Err says what was expected and what the store or the
// gateway returned; [errors.Is] finds its error in it. It quotes test data, which are not personal
// data.
type RuleError = storetest.RuleError

type (
	rule  = storetest.Rule[*probe]
	suite = storetest.Suite[pagoinrete.Event, pagoinrete.Notice]
)

// shared is the rules that every store keeps.
var shared = storetest.Shared[*probe, pagoinrete.Event, pagoinrete.Notice]{
	Parent: "event", Child: "notice", Of: func(p *probe) *suite { return p.suite },
}

// storeContract is all rules. The last finds out whether open gives stores of their own.
var storeContract = storetest.Contract[pagoinrete.Store, *probe]{
	Suite: "pagoinretetest",
	Probe: newProbe,
	Rules: slices.Concat(
		shared.Rules(texts), valueRules, countRules, filterRules, searchRules, isolationRules, concurrencyRules,
		[]rule{shared.Empty()},
	),
}
