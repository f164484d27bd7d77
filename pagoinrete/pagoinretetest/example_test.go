package pagoinretetest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/memstore"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

// forgetful is a store that does not say that an event is not there.
type forgetful struct{ *memstore.Store }

func (s forgetful) Event(ctx context.Context, id uuid.UUID) (pagoinrete.Event, error) {
	e, err := s.Store.Event(ctx, id)
	if errors.Is(err, flussi.ErrNotFound) {
		return pagoinrete.Event{}, nil
	}
	return e, err
}

// Outside of tests, as in a tool that looks at a new installation, CheckStore says what is
// broken.
func ExampleCheckStore() {
	err := pagoinretetest.CheckStore(context.Background(), func() (pagoinrete.Store, error) {
		return forgetful{memstore.New()}, nil
	})
	var broken *pagoinretetest.RuleError
	if errors.As(err, &broken) {
		fmt.Println(broken.Rule)
	}
	// Output:
	// an event that is not there is not found
}
