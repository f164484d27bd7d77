package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// Fail returns the error of an operation.
func (s *Store) Fail(ctx context.Context, operation string, id uuid.UUID, err error) error {
	return engine.Fail(ctx, s.base, operation, id, err)
}

// SetTimes sets how long a write that has locked rows may be idle, and how long writes wait for rows.
func (s *Store) SetTimes(idle, wait time.Duration) {
	s.driver.idle, s.driver.wait = idle, wait
}

// The times of every store.
const (
	MaxIdle = maxIdle
	MaxWait = maxWait
)

// Pool returns the store's pool.
func (s *Store) Pool() *pgxpool.Pool { return s.driver.pool }
