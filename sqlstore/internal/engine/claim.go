package engine

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Claim implements [flow.Store].
func (s *Store) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return s.saveAndClaim(ctx, "claim notifications", nil, claim)
}

// SaveAndClaim implements [flow.SaveAndClaimer].
func (s *Store) SaveAndClaim(
	ctx context.Context, changes []flow.NotificationChange, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	return s.saveAndClaim(ctx, "save and claim notifications", changes, claim)
}

func (s *Store) saveAndClaim(
	ctx context.Context, operation string, changes []flow.NotificationChange, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	if s.driver.InTx() {
		return flow.Flow{}, nil, s.fail(ctx, operation, claim.Flow, &Fault{Err: ErrInTx})
	}
	var f flow.Flow
	var claimed []flow.Notification
	err := s.write(ctx, func(t *tx) (err error) {
		f, claimed, err = t.saveAndClaim(ctx, changes, claim)
		return err
	})
	if err != nil {
		return flow.Flow{}, nil, s.fail(ctx, operation, claim.Flow, err)
	}
	return f, claimed, nil
}

func (t *tx) saveAndClaim(
	ctx context.Context, changes []flow.NotificationChange, claim flow.Claim,
) (flow.Flow, []flow.Notification, error) {
	// The lock keeps others from changing the flow until the claim is stored. A flow that does not
	// exist has no notifications to claim; reading it at the end returns the error.
	var f flow.Flow
	err := t.query(ctx, "SELECT state, disabled, error FROM flussi.flows WHERE id = ?"+t.driver.ForShare(), []any{claim.Flow},
		[]any{stringTo(&f.State), &f.Disabled, stringTo(&f.Error)}, func() {})
	if err != nil {
		return f, nil, err
	}
	w := newNotificationWriter(t)
	if err := w.saveAll(ctx, w.newChanges(changes)); err != nil {
		return f, nil, err
	}
	if err := w.addServices(ctx); err != nil {
		return f, nil, err
	}
	if err := w.checkSending(ctx); err != nil {
		return f, nil, err
	}
	var claimed []flow.Notification
	if f.State == flow.FlowSending && !f.Disabled && f.Error == "" && claim.Limit > 0 {
		if claimed, err = w.claim(ctx, claim); err != nil {
			return f, nil, err
		}
	}
	if err := w.writeCounts(ctx); err != nil {
		return f, nil, err
	}
	f, err = one(ctx, t, &flows, claim.Flow)
	return f, claimed, err
}

// claim makes the oldest notifications of a flow In invio. A notification whose message the citizen
// may have already becomes Errore.
func (w *notificationWriter) claim(ctx context.Context, claim flow.Claim) ([]flow.Notification, error) {
	claim.At = claim.At.UTC().Truncate(time.Microsecond)
	found, messages, err := w.toSend(ctx, claim)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	sent, err := w.alreadySent(ctx, claim, found, messages)
	if err != nil {
		return nil, err
	}
	var skipped []change[flow.Notification]
	var taken []any
	for i := range found {
		n := &found[i]
		if earlier, there := sent[n.ID]; there {
			c := n.SkipAlreadySent(earlier, claim.At, claim.By)
			skipped = append(skipped, w.newChange(c, messages[i].Digest))
			*n = c.Notification
			n.Version++
			continue
		}
		n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, claim.At, claim.By
		n.Version++
		taken = append(taken, n.ID)
	}
	if err := w.saveAll(ctx, skipped); err != nil || len(taken) == 0 {
		return found, err
	}
	return found, w.take(ctx, taken, claim)
}

// toSend reads and locks the oldest notifications that are to be sent. It skips those that another
// transaction has locked.
func (t *tx) toSend(ctx context.Context, claim flow.Claim) ([]flow.Notification, []Message, error) {
	var found []flow.Notification
	var messages []Message
	var n flow.Notification
	var digest []byte
	err := t.query(ctx, "SELECT "+readList(notifications.columns, "")+", digest FROM flussi.notifications"+
		" WHERE flow_id = ? AND state = 'registered' AND NOT disabled ORDER BY created_at, id LIMIT ?"+t.driver.SkipLocked(),
		[]any{claim.Flow, int64(claim.Limit)}, append(notifications.fields(&n), &digest), func() {
			m := messageOf(&n, flow.Digest{})
			copy(m.Digest[:], digest) // zero if it is NULL
			found, messages = append(found, n), append(messages, m)
		})
	return found, messages, err
}

// take makes notifications In invio. The transaction has locked them.
func (w *notificationWriter) take(ctx context.Context, ids []any, claim flow.Claim) error {
	now, err := w.driver.Now(ctx, w.full)
	if err != nil {
		return err
	}
	r := recordValues(uuid.Nil, 0, flow.NotificationRecord{
		At: claim.At, By: claim.By, Action: flow.NotificationClaim,
		From: flow.NotificationRegistered, To: flow.NotificationSending,
	})
	chosen, arg := w.driver.In(Column{Name: "id", Type: "uuid"}, ids)
	if _, err := w.exec(ctx, "INSERT INTO flussi.notification_records (owner, version, at, actor, action, from_state, to_state, reason, answer)"+
		" SELECT id, version + 1, CAST(? AS bigint), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text)"+
		" FROM flussi.notifications WHERE "+chosen, append(r[2:len(r):len(r)], arg)...); err != nil {
		return err
	}
	if _, err := w.exec(ctx, "UPDATE flussi.notifications SET state = 'sending', updated_at = ?, updated_by = ?, version = version + 1,"+
		" lease_start = ?, lease_end = ? WHERE "+chosen,
		claim.At.UnixMicro(), encode(claim.By), now, now+claim.Lease.Microseconds(), arg); err != nil {
		return err
	}
	c := w.counts[claim.Flow]
	c.Registered -= len(ids)
	c.Sending += len(ids)
	w.counts[claim.Flow] = c
	return nil
}

// Expired implements [flow.Store]. A lease has expired, too, if its start is in the future, because
// the clock was set back.
func (s *Store) Expired(ctx context.Context, limit int) ([]flow.Notification, error) {
	const operation = "look for expired leases"
	if limit <= 0 || ctx.Err() != nil {
		return nil, s.fail(ctx, operation, uuid.Nil, ctx.Err())
	}
	var found []flow.Notification
	err := s.view(ctx, func(t *tx) error {
		now, err := t.driver.Now(ctx, t.full)
		if err != nil {
			return err
		}
		var n flow.Notification
		return t.query(ctx, "SELECT "+readList(notifications.columns, "")+" FROM flussi.notifications"+
			" WHERE state = 'sending' AND (lease_end <= ? OR lease_start > ?) LIMIT ?",
			[]any{now, now, int64(limit)}, notifications.fields(&n), func() { found = append(found, n) })
	})
	return found, s.fail(ctx, operation, uuid.Nil, err)
}
