package sqlite

import (
	"context"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Fail returns the error of an operation.
func (s *Store) Fail(ctx context.Context, operation string, id uuid.UUID, err error) error {
	return engine.Fail(ctx, s.base, operation, id, err)
}
