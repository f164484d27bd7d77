package pagoinretetest

import (
	"context"
	"slices"
	"testing"

	"github.com/flussi-go/flussi/internal/storetest"
)

// RunGateway checks each rule of [pagoinrete.Gateway] in a subtest. It calls open once a rule, and
// closes nothing: open may use t.Cleanup. It may return the same environment each time, and the
// platform need not be empty, since the suite makes new events and looks at no others; what it makes
// stays there. A rule that needs a hook that the environment does not have is skipped, and the test
// log names the hook. The suite cannot check what no method returns: due dates, the kinds of debtors,
// their names, and whether an event is flexible or binding.
func RunGateway(t *testing.T, open func(t *testing.T) GatewayEnvironment) {
	t.Helper()
	gatewayContract.Run(t, func(t *testing.T) GatewayEnvironment {
		env, err := open(t).complete()
		if err != nil {
			t.Fatal(err)
		}
		return env
	})
}

// CheckGateway checks all rules of [pagoinrete.Gateway], and returns what [RunGateway] finds as
// one error, which joins a [*RuleError] for each rule that is not kept, and an [*UncheckedError] for
// each that was not checked; nil if all were checked and are kept. An error of open, an environment
// without what is required, which is a [flussi.ErrConfig], and the end of the context end it.
func CheckGateway(ctx context.Context, open func() (GatewayEnvironment, error)) error {
	return gatewayContract.Check(ctx, func() (GatewayEnvironment, error) {
		env, err := open()
		if err != nil {
			return env, err
		}
		return env.complete()
	})
}

// GatewayRules returns the rules of [pagoinrete.Gateway] in words, in the order in which they are
// checked. The words may change from version to version.
func GatewayRules() []string { return gatewayContract.Words() }

// UncheckedError is a rule that was not checked: Rule is its words, as in [GatewayRules], and
// Missing are the fields of [GatewayEnvironment] that the environment lacks, such as "LoseReplies".
type UncheckedError = storetest.UncheckedError

type gatewayRule = storetest.Rule[*gatewayProbe]

// gatewayContract is all rules.
var gatewayContract = storetest.Contract[GatewayEnvironment, *gatewayProbe]{
	Suite: "pagoinretetest",
	Probe: func(base *storetest.Probe, env GatewayEnvironment) *gatewayProbe {
		return &gatewayProbe{Probe: base, env: env, gateway: env.Gateway}
	},
	Rules: slices.Concat(
		gatewayPutRules, gatewayEventMoveRules, gatewayNoticeMoveRules, gatewayReadRules, gatewayPaymentRules,
		gatewayPDFRules, gatewayRefusalRules, gatewayConnectionRules, gatewayErrorRules, gatewayConcurrencyRules,
	),
}
