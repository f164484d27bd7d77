package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// fail returns what was wrong with an operation.
func fail(ctx context.Context, operation string, id uuid.UUID, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return &flow.Error{Operation: operation, ID: id, Err: err}
}
