package pagoinretetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
)

// RunGateway checks each rule of [pagoinrete.Gateway] in a subtest. It calls open once a rule, and
// closes nothing: open may use t.Cleanup. It may return the same world each time, and the platform
// need not be empty, since the suite makes new events and looks at no others; what it makes stays
// there. A rule that needs a hook that the world does not have is skipped, which the test log says:
// it is not checked.
func RunGateway(t *testing.T, open func(t *testing.T) GatewayWorld) {
	t.Helper()
	for _, r := range gatewayContract {
		t.Run(r.words, func(t *testing.T) {
			switch err := r.check(t.Context(), open(t)).(type) {
			case nil:
			case *UncheckedError:
				t.Skip(err)
			case *RuleError:
				t.Error(err.Err)
			default:
				t.Error(err)
			}
		})
	}
}

// CheckGateway checks all rules of [pagoinrete.Gateway], and returns what [RunGateway] finds as
// one error, which joins a [*RuleError] for each rule that is not kept, and an [*UncheckedError] for
// each that was not checked; nil if all were checked and are kept. An error of open, a world
// without what is required, which is a [flussi.ErrConfig], and the end of the context end it.
func CheckGateway(ctx context.Context, open func() (GatewayWorld, error)) error {
	var all []error
	for _, r := range gatewayContract {
		world, err := open()
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			_, err = world.complete()
		}
		if err != nil {
			return errors.Join(append(all, fmt.Errorf("pagoinretetest: not finished: %w", err))...)
		}
		if err := r.check(ctx, world); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// GatewayRules returns the rules of [pagoinrete.Gateway] in words, in the order in which they are
// checked. The words may change from version to version.
func GatewayRules() []string {
	words := make([]string, len(gatewayContract))
	for i, r := range gatewayContract {
		words[i] = r.words
	}
	return words
}

// UncheckedError is a rule that was not checked, since the world lacks what it needs.
type UncheckedError struct {
	Rule    string   // as in [GatewayRules]
	Missing []string // fields of [GatewayWorld], such as "LoseReplies"
}

// Error names the rule and what it needs.
func (e *UncheckedError) Error() string {
	return fmt.Sprintf("pagoinretetest: not checked, without %s: %s", strings.Join(e.Missing, ", "), e.Rule)
}

// gatewayRule is a rule of the contract, and a test that finds out whether a gateway keeps it.
type gatewayRule struct {
	words string
	needs []string // fields of the world that may be missing
	test  func(*gatewayProbe)
}

// gatewayContract is all rules.
var gatewayContract = slices.Concat(
	gatewayPutRules, gatewayEventMoveRules, gatewayNoticeMoveRules, gatewayReadRules, gatewayPaymentRules,
	gatewayPDFRules, gatewayRefusalRules, gatewayConnectionRules, gatewayErrorRules, gatewayConcurrencyRules,
)

// check returns nil if the gateway of the world keeps the rule, and otherwise a [*RuleError], an
// [*UncheckedError], or an error of a world that is not complete.
func (r gatewayRule) check(ctx context.Context, world GatewayWorld) error {
	world, err := world.complete()
	if err != nil {
		return err
	}
	if missing := world.missing(r.needs); len(missing) > 0 {
		return &UncheckedError{r.words, missing}
	}
	p := &gatewayProbe{Probe: storetest.New(ctx), world: world, gateway: world.Gateway}
	if err := p.Run(func() { r.test(p) }); err != nil {
		return &RuleError{Suite: "pagoinretetest", Rule: r.words, Err: err}
	}
	return nil
}
