package flowtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/storetest"
)

// Run checks each rule of the contract in a subtest. It calls open once a rule, for a
// store without flows and notifications, and closes nothing: open may use t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) flow.Store) {
	t.Helper()
	for _, r := range contract {
		t.Run(r.words, func(t *testing.T) {
			if broken := r.check(t.Context(), open(t)); broken != nil {
				t.Error(broken.Err)
			}
		})
	}
}

// Check checks all rules of the contract, and returns what [Run] finds as one error, which
// joins a [*Broken] for each rule that is not kept; nil if all are. An error of open, and
// the end of the context, end it.
func Check(ctx context.Context, open func() (flow.Store, error)) error {
	var all []error
	for _, r := range contract {
		store, err := open()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(append(all, fmt.Errorf("flowtest: not finished: %w", err))...)
		}
		if broken := r.check(ctx, store); broken != nil {
			all = append(all, broken)
		}
	}
	return errors.Join(all...)
}

// Broken is a rule of the contract that a store does not keep. It quotes what was stored
// for the test, which is nobody's personal data.
type Broken struct {
	Rule string // as in [Rules]
	Err  error  // what was wanted and what came; an error of the store is found by [errors.Is]
}

// Error names the rule and what was wrong.
func (b *Broken) Error() string { return fmt.Sprintf("flowtest: not so: %s: %v", b.Rule, b.Err) }

// Unwrap returns what was wrong.
func (b *Broken) Unwrap() error { return b.Err }

// Rules returns the rules of the contract in words, in the order in which they are
// checked. The words may change from version to version.
func Rules() []string {
	words := make([]string, len(contract))
	for i, r := range contract {
		words[i] = r.words
	}
	return words
}

// rule is a rule of the contract, and a test that finds out whether a store keeps it.
type rule struct {
	words string
	test  func(*probe)
}

// contract is all rules. The last finds out whether open gives stores of their own.
var contract = slices.Concat(
	flowRules, notificationRules, valueRules, countRules, versionRules, historyRules, atomicityRules,
	claimRules, alreadySentRules, releasedRules, saveSentRules, importRules, importFailureRules,
	duplicateRules, serviceRules, leaseRules, listRules, filterRules, searchRules, contextRules, isolationRules, concurrencyRules,
	[]rule{{"a new store is empty", newStoresAreEmpty}},
)

// check returns nil if the store, which must be empty, keeps the rule.
func (r rule) check(ctx context.Context, store flow.Store) *Broken {
	p := &probe{storetest.New(ctx), store}
	if err := p.Run(func() { r.test(p) }); err != nil {
		return &Broken{r.words, err}
	}
	return nil
}

func newStoresAreEmpty(p *probe) {
	if n := len(p.flows(flow.FlowFilter{}, flow.Page{Limit: 1})); n != 0 {
		p.Fail("a store that was just opened has flows: each rule needs an empty one")
	}
	if n := len(p.notifications(flow.NotificationFilter{}, flow.Page{Limit: 1})); n != 0 {
		p.Fail("a store that was just opened has notifications: each rule needs an empty one")
	}
	if n := len(p.expired(1)); n != 0 {
		p.Fail("a store that was just opened has expired leases: each rule needs an empty one")
	}
}
