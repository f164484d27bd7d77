package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

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
