package benchtest

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// CountingStore counts the calls that one dispatcher makes of a store that can save and claim together.
type CountingStore struct {
	flow.Store
	reads, writes atomic.Int64
	claimed       atomic.Int64 // notifications
	empty         atomic.Int64 // claims that found nothing
	conflicts     atomic.Int64
}

// Count returns a store that counts the calls of another one, which is a [flow.SaveAndClaimer].
func Count(store flow.Store) *CountingStore { return &CountingStore{Store: store} }

// Writes returns the number of writing calls. Each is one transaction.
func (s *CountingStore) Writes() int64 { return s.writes.Load() }

// Self returns the store: see [flow.SaveAndClaimer].
func (s *CountingStore) Self() flow.Store { return s }

// Flow reads a flow.
func (s *CountingStore) Flow(ctx context.Context, id uuid.UUID) (flow.Flow, error) {
	s.reads.Add(1)
	return s.Store.Flow(ctx, id)
}

// Flows reads flows.
func (s *CountingStore) Flows(ctx context.Context, filter flow.FlowFilter, page flow.Page) ([]flow.Flow, error) {
	s.reads.Add(1)
	return s.Store.Flows(ctx, filter, page)
}

// Expired reads notifications whose leases have ended.
func (s *CountingStore) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	s.reads.Add(1)
	return s.Store.Expired(ctx, limit)
}

// SaveFlow stores a flow.
func (s *CountingStore) SaveFlow(ctx context.Context, change flow.FlowChange, n iter.Seq2[flow.NotificationChange, error]) error {
	return s.wrote(s.Store.SaveFlow(ctx, change, n))
}

// SaveNotifications stores notifications.
func (s *CountingStore) SaveNotifications(ctx context.Context, changes ...flow.NotificationChange) error {
	return s.wrote(s.Store.SaveNotifications(ctx, changes...))
}

// Claim claims notifications.
func (s *CountingStore) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	f, claimed, err := s.Store.Claim(ctx, claim)
	s.took(len(claimed))
	return f, claimed, s.wrote(err)
}

// SaveAndClaim stores and claims notifications.
func (s *CountingStore) SaveAndClaim(
	ctx context.Context, changes []flow.NotificationChange, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	f, claimed, err := s.Store.(flow.SaveAndClaimer).SaveAndClaim(ctx, changes, claim)
	s.took(len(claimed))
	return f, claimed, s.wrote(err)
}

func (s *CountingStore) took(claimed int) {
	s.claimed.Add(int64(claimed))
	if claimed == 0 {
		s.empty.Add(1)
	}
}

func (s *CountingStore) wrote(err error) error {
	s.writes.Add(1)
	if errors.Is(err, flussi.ErrConflict) {
		s.conflicts.Add(1)
	}
	return err
}
