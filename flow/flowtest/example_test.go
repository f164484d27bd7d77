package flowtest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/flowtest"
	"github.com/flussi-go/flussi/flow/memstore"
)

// forgetful is a store that does not say that a flow is not there.
type forgetful struct{ *memstore.Store }

func (s forgetful) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	f, err := s.Store.Flow(ctx, id)
	if errors.Is(err, flussi.ErrNotFound) {
		return flow.Flow{}, nil
	}
	return f, err
}

// Outside of tests, as in a tool that looks at a new installation, CheckStore says what is
// broken.
func ExampleCheckStore() {
	err := flowtest.CheckStore(context.Background(), func() (flow.Store, error) {
		return forgetful{memstore.New()}, nil
	})
	var broken *flowtest.RuleError
	if errors.As(err, &broken) {
		fmt.Println(broken.Rule)
	}
	// Output:
	// a flow that is not there is not found
}
