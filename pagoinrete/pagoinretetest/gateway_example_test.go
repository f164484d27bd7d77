package pagoinretetest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

// hasty is a gateway that reports a receipt without asking whether there is one.
type hasty struct{ pagoinrete.Gateway }

func (g hasty) Receipt(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
	r, err := g.Gateway.Receipt(ctx, id)
	if errors.Is(err, flussi.ErrRemoteNotFound) {
		return pagoinrete.Receipt{}, nil
	}
	return r, err
}

// testEnvironment is the gateway of a school, with a platform for tests behind it.
func testEnvironment() (pagoinretetest.GatewayEnvironment, error) {
	world, err := newWorld()
	return pagoinretetest.GatewayEnvironment{
		Gateway: hasty{world.Gateway}, School: world.School, Secrets: world.Secrets,
		// Of the hooks, only those that let a family pay.
		LogIn: world.LogIn, Pay: world.Pay,
	}, err
}

// Outside of tests, as in a tool that looks at a new environment, CheckGateway says what is
// broken, and what was not checked.
func ExampleCheckGateway() {
	err := pagoinretetest.CheckGateway(context.Background(), testEnvironment)
	all, _ := err.(interface{ Unwrap() []error })
	for _, err := range all.Unwrap() {
		var broken *pagoinretetest.RuleError
		var unchecked *pagoinretetest.UncheckedError
		switch {
		case errors.As(err, &broken):
			fmt.Println("broken:", broken.Rule)
		case errors.As(err, &unchecked) && unchecked.Missing[0] == "Hang":
			fmt.Println("not checked:", unchecked.Rule)
		}
	}
	// Output:
	// broken: what is not there is not found
	// broken: a receipt that is not there is not found
	// not checked: a call returns when its context ends, and a change that may have arrived is unknown
	// broken: a refusal is a RemoteError that says what was refused
	// broken: a refusal shows no personal data, no notice number and no key
}
