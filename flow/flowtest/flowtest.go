package flowtest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

// RunStore checks each rule of the contract in a subtest. It calls open once a rule, for a
// store without flows and notifications, and closes nothing: open may use t.Cleanup.
func RunStore(t *testing.T, open func(t *testing.T) flow.Store) {
	t.Helper()
	contract.Run(t, open)
}

// CheckStore checks all rules of the contract, and returns what [RunStore] finds as one error,
// which joins a [*RuleError] for each rule that is not kept; nil if all are. An error of open,
// and the end of the context, end it.
func CheckStore(ctx context.Context, open func() (flow.Store, error)) error {
	return contract.Check(ctx, open)
}

// StoreRules returns the rules of the contract in words, in the order in which they are
// checked. The words may change from version to version.
func StoreRules() []string { return contract.Words() }

// RuleError is a rule of the contract that a store does not keep. Rule is the rule in words, as in
// [StoreRules]. Err says what was expected and what the store returned; [errors.Is] finds an error of
// the store in it. It quotes test data, which are not personal data.
type RuleError = storetest.RuleError

type (
	rule  = storetest.Rule[*probe]
	suite = storetest.Suite[flow.Flow, flow.Notification]
)

// shared is the rules that every store keeps.
var shared = storetest.Shared[*probe, flow.Flow, flow.Notification]{
	Parent: "flow", Child: "notification", Of: func(p *probe) *suite { return p.suite },
}

// contract is all rules. The last finds out whether open gives stores of their own.
var contract = storetest.Contract[flow.Store, *probe]{
	Suite: "flowtest",
	Probe: newProbe,
	Rules: storetest.Also(slices.Concat(
		shared.Rules(texts), valueRules, countRules, claimRules, alreadySentRules, releasedRules, saveSentRules,
		importRules, importFailureRules, duplicateRules, serviceRules, leaseRules, filterRules, searchRules,
		isolationRules, concurrencyRules, anonymisedRules, []rule{shared.Empty()},
	), map[string]func(*probe){
		"times are kept to the microsecond, and given in UTC":          claimsKeepTimes,
		"texts are kept to the last character":                         longErrorsAreKept,
		"the version of a flow does not change with its notifications": claimsLeaveTheFlow,
		"what was changed in the meantime is not stored":               claimsAreChanges,
		"a context that has ended is refused, and nothing changes":     ownMethodsRefuse,
		storetest.NewIsEmpty: newStoresHaveNoLeases,
	}),
}

func newStoresHaveNoLeases(p *probe) {
	if n := len(p.expired(1)); n != 0 {
		p.Fail("a store that was just opened has expired leases: each rule needs an empty one")
	}
}
