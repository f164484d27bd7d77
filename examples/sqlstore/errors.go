package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Fault is what is wrong with a database itself.
type Fault struct {
	Err error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// fail returns what was wrong with an operation.
func fail(ctx context.Context, d *database, operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return &flow.Error{Operation: operation, ID: id, Err: err}
}
