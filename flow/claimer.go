package flow

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/core"
)

// claimer claims notifications of one flow: no more than its workers and the pace of its sender can
// begin soon. Only the goroutine of the run uses it.
type claimer struct {
	store    Store
	combined SaveAndClaimer // the store, if it is one itself; otherwise nil
	config   *DispatcherConfig
	flowID   uuid.UUID
	workers  *workers

	open  int       // claimed, and the outcome not stored
	empty bool      // there was nothing to claim; the run resets it
	dueAt time.Time // before it, the pace has no turns for a claim; zero if it has turns now
	asked time.Time // when the run asked for the claim that is under way
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

func newClaimer(store Store, config *DispatcherConfig, flowID uuid.UUID, w *workers) *claimer {
	c := &claimer{store: store, config: config, flowID: flowID, workers: w}
	c.combined, _ = core.Own[Store, SaveAndClaimer](store)
	return c
}

// maxClaimTime limits how far ahead a slow store makes a flow claim.
const maxClaimTime = time.Second

// turnPause is the shortest time after which the run asks the pace again, if it got no turns.
const turnPause = 5 * time.Millisecond

// reserve returns how many notifications to claim now, in a step that also stores the outcomes of
// done notifications. It counts those that can begin soon, each with a worker and a turn: within
// ClaimAhead after the claim that follows this one, since the workers need work until then. It
// returns 0 while the workers have enough work, and if there was nothing to claim.
func (c *claimer) reserve(done int) int {
	if c.empty && c.open > done {
		return 0
	}
	within := c.config.ClaimAhead + 2*min(c.workers.pool.claimTime(), maxClaimTime)
	queued, limit, ahead := c.workers.load(within)
	room := limit + ahead - (c.open - done)
	enough := limit / 2
	if done > 0 {
		enough = limit / 8
	}
	if room < 1 || room < enough && queued > 0 {
		return 0
	}
	if c.workers.paced == nil {
		return room
	}
	if done == 0 && time.Now().Before(c.dueAt) {
		return 0
	}
	reserved, next := c.workers.paced.Reserve(room, within)
	if wait := time.Until(next); reserved == 0 && wait > longWait && c.open == done {
		// The platform asked to wait. The error of a submission says so, and the breaker decides.
		reserved, next = c.workers.paced.Reserve(1, wait+time.Second)
	}
	c.dueAt = next.Add(-within / 2)
	if soon := time.Now().Add(turnPause); reserved == 0 && c.dueAt.Before(soon) { // the pace is asking for turns
		c.dueAt = soon
	}
	return reserved
}

// release gives turns back that were reserved and are not used.
func (c *claimer) release(turns int) {
	if c.workers.paced != nil && turns > 0 {
		c.workers.paced.Release(turns)
	}
}

// claim claims as many notifications as were reserved. After an error the store may have made the
// claim: the lease of what it took has to end, and the run must not claim again.
func (c *claimer) claim(ctx context.Context, reserved int) (*batch, error) {
	return c.takeFrom(ctx, reserved, 0, c.config.Lease/2, c.store.Claim)
}

// saveAndClaim stores a group of outcomes and claims in one step. It returns nil if the store
// cannot, or if there is nothing to claim now. After an error that is not an ErrConflict, the store
// may have done both.
func (c *claimer) saveAndClaim(ctx context.Context, group []completion) (*batch, error) {
	if c.combined == nil {
		return nil, nil
	}
	changes, err := changesOf(group, c.config.ID)
	if err != nil {
		return nil, nil
	}
	room := c.reserve(len(group))
	if room == 0 {
		return nil, nil
	}
	// The limit leaves time to store the outcomes without a claim.
	limit := min(c.config.Lease/2, c.config.ShutdownTimeout)
	return c.takeFrom(ctx, room, len(group), limit,
		func(ctx context.Context, claim Claim) (Flow, []Notification, error) {
			return c.combined.SaveAndClaim(ctx, changes, claim)
		})
}

// takeFrom claims by a method of the store that also stores the outcomes of done notifications.
func (c *claimer) takeFrom(
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
		c.release(room)
		return nil, err
	}
	c.workers.pool.claimed(time.Since(c.asked))
	c.empty = len(claimed) == 0
	all := len(claimed)
	claimed = slices.DeleteFunc(claimed, func(n Notification) bool {
		return n.State != NotificationSending
	})
	if skipped := all - len(claimed); skipped > 0 {
		c.config.Logger.Warn("flow: not sent: citizens may have the same messages already",
			"flow", c.flowID, "notifications", skipped)
	}
	c.config.Observer.claimed(ctx, ClaimResult{
		FlowID: c.flowID, Service: f.Service, Requested: room, Claimed: len(claimed), AlreadySent: all - len(claimed),
		Waited: start.Sub(c.asked), Took: time.Since(start),
	})
	c.release(room - len(claimed))
	c.open += len(claimed) - done
	return &batch{flow: f, notifications: claimed, claimedAt: start, unsent: len(claimed)}, nil
}
