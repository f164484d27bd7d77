package flow

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/core"
)

// claimer claims notifications of one flow, within its quota. Only the goroutine of the run uses
// it.
type claimer struct {
	store    Store
	combined SaveAndClaimer // the store, if it is one itself; otherwise nil
	config   *DispatcherConfig
	flowID   uuid.UUID
	quota    *quota
	empty    bool // there was nothing to claim, or no room for it; the run resets it
}

// batch is what one claim took. Workers read claimedAt and the notifications; only the goroutine of
// the run uses the other fields.
type batch struct {
	flow          Flow
	notifications []Notification
	claimedAt     time.Time // by this machine's clock, before the claim
	unsent        int       // notifications without an outcome
	cancel        func()    // of the context of its requests, when unsent is 0
}

func newClaimer(store Store, config *DispatcherConfig, flowID uuid.UUID, q *quota) *claimer {
	c := &claimer{store: store, config: config, flowID: flowID, quota: q}
	c.combined, _ = core.Own[Store, SaveAndClaimer](store)
	return c
}

// claim claims what the quota has room for, and returns nil if that is too little for a claim.
// After an error the store may have made the claim: the lease of what it took has to end, and the
// run must not claim again.
func (c *claimer) claim(ctx context.Context) (*batch, error) {
	if c.empty && c.quota.inFlight > 0 {
		return nil, nil
	}
	room := c.quota.reserve(0)
	if room == 0 {
		c.empty = c.quota.inFlight == 0
		return nil, nil
	}
	return c.take(ctx, room, 0, c.config.Lease/2, c.store.Claim)
}

// saveAndClaim stores a group of outcomes and claims in one step. It returns nil if the store
// cannot, or if the quota has no room for it. After an error that is not an ErrConflict, the store
// may have done both.
func (c *claimer) saveAndClaim(ctx context.Context, group []completion) (*batch, error) {
	if c.combined == nil || c.empty {
		return nil, nil
	}
	changes, err := changesOf(group, c.config.ID)
	if err != nil {
		return nil, nil
	}
	room := c.quota.reserve(len(group))
	if room == 0 {
		return nil, nil
	}
	// The limit leaves time to store the outcomes without a claim.
	limit := min(c.config.Lease/2, c.config.ShutdownTimeout)
	return c.take(ctx, room, len(group), limit,
		func(ctx context.Context, claim Claim) (Flow, []Notification, error) {
			return c.combined.SaveAndClaim(ctx, changes, claim)
		})
}

// take claims by a method of the store that also stores the outcomes of done notifications.
func (c *claimer) take(
	ctx context.Context, room, done int, limit time.Duration,
	claim func(context.Context, Claim) (Flow, []Notification, error),
) (*batch, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f, claimed, err := claim(ctx, Claim{
		Flow: c.flowID, Limit: room, Lease: c.config.Lease, At: now(), By: c.config.ID,
	})
	if err != nil {
		c.quota.update(0, 0)
		return nil, err
	}
	c.empty = len(claimed) == 0
	all := len(claimed)
	claimed = slices.DeleteFunc(claimed, func(n Notification) bool {
		return n.State != NotificationSending
	})
	if skipped := all - len(claimed); skipped > 0 {
		c.config.Logger.Warn("flow: not sent: citizens may have the same messages already",
			"flow", c.flowID, "notifications", skipped)
	}
	c.quota.update(len(claimed), done)
	return &batch{flow: f, notifications: claimed, claimedAt: start, unsent: len(claimed)}, nil
}
