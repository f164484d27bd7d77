package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// Claim takes notifications that are to be sent: see [flow.Store].
func (s *Store) Claim(ctx context.Context, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return s.exchange(ctx, "claim notifications", nil, claim)
}

// SaveAndClaim stores notifications and claims others: see [flow.SaveAndClaimer].
func (s *Store) SaveAndClaim(ctx context.Context, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	return s.exchange(ctx, "save and claim notifications", changes, claim)
}

func (s *Store) exchange(ctx context.Context, operation string, changes []flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	ordered := allInOrder(changes)
	var f flow.Flow
	var claimed []flow.Notification
	err := s.db.write(ctx, func(t *tx) (err error) {
		f, claimed, err = newWriting(t).exchange(ctx, ordered, claim)
		return err
	})
	if err != nil {
		return flow.Flow{}, nil, fail(ctx, operation, claim.Flow, err)
	}
	return f, claimed, nil
}

func (w *writing) exchange(ctx context.Context, changes []*flow.NotificationChange, claim flow.Claim) (flow.Flow, []flow.Notification, error) {
	t := w.tx
	var f flow.Flow // if there is none, that is seen in the end
	// Whoever changes the flow waits until the end of this transaction, and this for them.
	err := t.query(ctx, "SELECT state, disabled, error FROM flows WHERE id = ?"+t.locking("SHARE"), []any{t.id(claim.Flow)},
		[]any{wordTo(&f.State), &f.Disabled, wordTo(&f.Error)}, func() {})
	if err == nil {
		err = w.saveAll(ctx, changes)
	}
	if err == nil {
		err = w.checkSending(ctx)
	}
	var claimed []flow.Notification
	if err == nil && f.State == flow.FlowSending && !f.Disabled && f.Error == "" && claim.Limit > 0 {
		claimed, err = w.claim(ctx, claim)
	}
	if err == nil {
		err = w.counts.write(ctx, t)
	}
	if err == nil {
		f, err = t.flow(ctx, claim.Flow)
	}
	return f, claimed, err
}

// claim takes notifications of a flow that is to be sent. It makes those Errore whose message the
// citizen may have already.
func (w *writing) claim(ctx context.Context, claim flow.Claim) ([]flow.Notification, error) {
	t := w.tx
	now, err := t.now(ctx, t)
	if err != nil {
		return nil, err
	}
	claim.At = claim.At.UTC().Truncate(time.Microsecond)
	var found []flow.Notification
	var keys []any
	var kinds []string
	var n flow.Notification
	var key any
	var kind string
	var digest []byte
	var messages []message
	fields := append(notificationFields(&n), &key, &kind, &digest)
	// FOR UPDATE SKIP LOCKED keeps two processes from claiming the same notification: each locks
	// the rows that it reads until its transaction ends, and skips rows that others have locked.
	// SQLite needs no lock here, since it runs one writing transaction at a time.
	err = t.query(ctx, "SELECT "+notificationColumns.read().list("")+", "+t.key()+", kind, message_digest FROM notifications"+t.using("notifications_to_send")+
		" WHERE flow_id = ? AND state = 'registered' AND NOT disabled ORDER BY created_at, id LIMIT ?"+t.locking("UPDATE SKIP LOCKED"),
		[]any{t.id(claim.Flow), claim.Limit}, fields, func() {
			found, keys, kinds = append(found, n), append(keys, key), append(kinds, kind)
			m := message{service: n.Service}
			copy(m.digest[:], digest) // zero, if it is NULL
			messages = append(messages, m)
		})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	sent, err := t.alreadySent(ctx, claim, found, messages)
	if err != nil {
		return nil, err
	}
	changed := map[string][]any{} // the keys of those that get another kind
	var skipped []*flow.NotificationChange
	taken := keys[:0]
	for i := range found {
		n, key := &found[i], keys[i]
		if earlier, there := sent[n.ID]; there {
			change := n.SkipAlreadySent(earlier, claim.At, claim.By)
			skipped = append(skipped, &change)
			*n = change.Notification
			n.Version++
			continue
		}
		n.State, n.UpdatedAt, n.UpdatedBy = flow.NotificationSending, claim.At, claim.By
		n.Version++
		taken = append(taken, key)
		if next := notificationKind(n).String(); next != kinds[i] {
			changed[next] = append(changed[next], key)
		}
	}
	if err := w.saveAll(ctx, inOrder(skipped, notificationID)); err != nil || len(taken) == 0 {
		return found, err
	}
	keyed := t.keyed(taken)
	if err := t.record(ctx, keyed, flow.NotificationRecord{
		At: claim.At, By: claim.By, Action: flow.NotificationClaim, From: flow.NotificationRegistered, To: flow.NotificationSending,
	}); err != nil {
		return nil, err
	}
	if _, err := t.exec(ctx, "UPDATE notifications SET state = 'sending', updated_at = ?, updated_by = ?, version = version + 1, claimed_version = version + 1, lease_end = ? WHERE "+keyed.text,
		append([]any{claim.At.UnixMicro(), held(claim.By), now + claim.Lease.Microseconds()}, keyed.args...)...); err != nil {
		return nil, err
	}
	for kind, keys := range changed {
		keyed := t.keyed(keys)
		if _, err := t.exec(ctx, "UPDATE notifications SET kind = ? WHERE "+keyed.text, append([]any{kind}, keyed.args...)...); err != nil {
			return nil, err
		}
	}
	w.counts.claimed(claim.Flow, len(taken))
	return found, nil
}

// record writes the same record of the next version of all rows of notifications with some keys.
func (t *tx) record(ctx context.Context, keyed clause, r flow.NotificationRecord) error {
	given := recordColumns[2:] // the owner and the version are those of the row
	row := clause{"INSERT INTO notification_records (" + recordColumns.list("") + ") SELECT id, version + 1", nil}
	for i, value := range recordValues(t.database, uuid.Nil, 0, r)[2:] {
		row = row.with(", "+t.typed(given[i]), value)
	}
	row = row.with(" FROM notifications WHERE "+keyed.text, keyed.args...)
	_, err := t.exec(ctx, row.text, row.args...)
	return err
}

// counts is what changes in the counts of flows.
type counts map[uuid.UUID]flow.Counts

// add counts a notification in, or out with -1.
func (c counts) add(of uuid.UUID, n flow.Notification, by int) {
	if of != uuid.Nil {
		changed := c[of]
		changed.Add(n, by)
		c[of] = changed
	}
}

// claimed counts so many that are In invio from now on.
func (c counts) claimed(of uuid.UUID, n int) {
	changed := c[of]
	changed.Registered -= n
	changed.Sending += n
	c[of] = changed
}

// write writes what changes.
func (c counts) write(ctx context.Context, t *tx) error {
	changes := map[uuid.UUID][]any{}
	for id, changed := range c {
		if changed != (flow.Counts{}) {
			changes[id] = []any{changed.Registered, changed.Sending, changed.Sent, changed.Failed, changed.Disabled}
		}
	}
	return t.count(ctx, "flow", []string{"registered", "sending", "sent", "failed", "disabled"}, changes)
}
