package memstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
)

// Claim takes notifications that are to be sent: see [flow.Store].
func (s *Store) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return s.exchange(ctx, "claim notifications", nil, claim)
}

// Exchange stores notifications and claims others: see [flow.SaveAndClaimer].
func (s *Store) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return s.exchange(ctx, "save and claim notifications", changes, claim)
}

func (s *Store) exchange(ctx context.Context, operation string, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	b := newBatch(changes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ended(ctx, operation, claim.Flow); err != nil {
		return flow.Flow{}, nil, err
	}
	f := s.flows[claim.Flow]
	if f == nil {
		return flow.Flow{}, nil, fail(operation, claim.Flow, flussi.ErrNotFound)
	}
	if err := s.check(operation, b, firstUses{}); err != nil {
		return flow.Flow{}, nil, err
	}
	s.put(b)
	if f.State != flow.FlowSending || f.Disabled || f.Error != "" {
		return s.stored(f), nil, nil
	}
	utc(&claim.At)
	queue, leaseEnd := &s.group(f.ID).queue, time.Now().Add(claim.Lease)
	var claimed []flow.Notification
	for len(claimed) < claim.Limit && queue.Len() > 0 {
		kept := queue.entries[0]
		n := kept.Notification
		if earlier := s.alreadySent(kept); earlier != nil {
			change := n.SkipAlreadySent(*earlier, claim.At, claim.By)
			s.change(kept, change.Notification, change.Record, leaseEnd)
			claimed = append(claimed, kept.Notification)
			continue
		}
		n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, claim.At, claim.By
		s.change(kept, n, flow.NotificationRecord{
			At: claim.At, By: claim.By, Action: flow.NotificationClaim, From: kept.State, To: n.State,
		}, leaseEnd)
		claimed = append(claimed, kept.Notification)
	}
	return s.stored(f), claimed, nil
}

// Expired returns notifications whose lease is over, in no order: see [flow.Store].
func (s *Store) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	if err := ended(ctx, "look for expired leases", uuid.Nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return copies(s.leases.until(time.Now().UnixMicro(), limit, 0, nil)), nil
}
