package pagoinretetest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
)

// RunGateway checks each rule of [pagoinrete.Gateway] in a subtest. It calls open once a rule, and
// closes nothing: open may use t.Cleanup. It may return the same world each time, and the platform
// need not be empty, since the suite makes new events and looks at no others; what it makes stays
// there. A rule that needs a hook that the world does not have is skipped, which the test log says:
// it is not checked. Nor is what no method returns: due dates, the kinds of debtors, their names,
// and whether an event is flexible or binding may get lost on the way.
func RunGateway(t *testing.T, open func(t *testing.T) GatewayWorld) {
	t.Helper()
	gatewayContract.Run(t, func(t *testing.T) GatewayWorld {
		world, err := open(t).complete()
		if err != nil {
			t.Fatal(err)
		}
		return world
	})
}

// CheckGateway checks all rules of [pagoinrete.Gateway], and returns what [RunGateway] finds as
// one error, which joins a [*RuleError] for each rule that is not kept, and an [*UncheckedError] for
// each that was not checked; nil if all were checked and are kept. An error of open, a world
// without what is required, which is a [flussi.ErrConfig], and the end of the context end it.
func CheckGateway(ctx context.Context, open func() (GatewayWorld, error)) error {
	return gatewayContract.Check(ctx, func() (GatewayWorld, error) {
		world, err := open()
		if err != nil {
			return world, err
		}
		return world.complete()
	})
}

// GatewayRules returns the rules of [pagoinrete.Gateway] in words, in the order in which they are
// checked. The words may change from version to version.
func GatewayRules() []string { return gatewayContract.Words() }

// UncheckedError is a rule that was not checked: Rule is its words, as in [GatewayRules], and
// Missing are the fields of [GatewayWorld] that the world lacks, such as "LoseReplies".
type UncheckedError = storetest.UncheckedError

type gatewayRule = storetest.Rule[*gatewayProbe]

// gatewayContract is all rules.
var gatewayContract = storetest.Contract[GatewayWorld, *gatewayProbe]{
	Suite: "pagoinretetest",
	Probe: func(base *storetest.Probe, world GatewayWorld) *gatewayProbe {
		return &gatewayProbe{Probe: base, world: world, gateway: world.Gateway}
	},
	Rules: slices.Concat(
		gatewayPutRules, gatewayEventMoveRules, gatewayNoticeMoveRules, gatewayReadRules, gatewayPaymentRules,
		gatewayPDFRules, gatewayRefusalRules, gatewayConnectionRules, gatewayErrorRules, gatewayConcurrencyRules,
	),
}
