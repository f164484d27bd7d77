package settlementtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	"github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
	"github.com/flussi-go/flussi/pagoinrete/settlement/settlementtest"
)

// forgetful is a store that returns no error for a movement that does not exist.
type forgetful struct{ *memstore.Store }

func (s forgetful) Movement(ctx context.Context, id uuid.UUID) (settlement.Movement, error) {
	m, err := s.Store.Movement(ctx, id)
	if errors.Is(err, flussi.ErrNotFound) {
		return settlement.Movement{}, nil
	}
	return m, err
}

// CheckStore can run outside of tests, such as in a tool that checks a new installation.
func ExampleCheckStore() {
	err := settlementtest.CheckStore(context.Background(), func() (settlement.Store, error) {
		return forgetful{memstore.New()}, nil
	})
	var broken *settlementtest.RuleError
	if errors.As(err, &broken) {
		fmt.Println(broken.Rule)
	}
	// Output:
	// a movement that is not there is not found
}

// In the tests of a store, RunStore is one line: each rule is a subtest, with a store of its own.
func ExampleRunStore() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T)
		settlementtest.RunStore(t, func(*testing.T) settlement.Store { return memstore.New() })
	}
}
