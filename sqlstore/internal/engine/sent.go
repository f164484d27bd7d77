package engine

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

func messageOf(n *flow.Notification, digest flow.Digest) Message {
	return Message{Service: encode(n.Service), Digest: digest}
}

// messageRow is a notification with one of the messages that [tx.findMessages] looks for.
type messageRow struct {
	flow.Notification
	flowDisabled bool
	writtenBy    int64 // the ID of the write that inserted it
}

// findMessages calls a function for each notification that has one of the messages, the oldest
// first of each service. The condition is SQL, added to the WHERE, or "".
func (t *tx) findMessages(ctx context.Context, messages []Message, condition string, each func(Message, *messageRow)) error {
	services := map[string][]any{} // digests
	seen := make(map[Message]struct{}, len(messages))
	for _, m := range messages {
		if _, twice := seen[m]; !twice && !m.Digest.IsZero() {
			seen[m] = struct{}{}
			services[m.Service] = append(services[m.Service], m.Digest)
		}
	}
	for service, digests := range services {
		var found messageRow
		var digest []byte
		from, value, arg := t.driver.Values("d", "bytea", digests)
		err := t.query(ctx, "SELECT "+readList(notifications.columns, "n.")+", n.digest, n.write_id, coalesce(f.disabled, FALSE) FROM "+from+
			t.driver.Join("notifications", "n", "notifications_by_digest", "n.digest = "+value)+
			" LEFT JOIN flussi.flows f ON f.id = n.flow_id WHERE n.service = ?"+condition+" ORDER BY n.created_at, n.id",
			[]any{arg, service},
			append(notifications.fields(&found.Notification), &digest, &found.writtenBy, &found.flowDisabled),
			func() { each(Message{service, flow.Digest(digest)}, &found) })
		if err != nil {
			return err
		}
	}
	return nil
}

// arrived returns, for each message of the candidates, the notifications that may have brought it
// to the citizen. Until the transaction ends, no other transaction makes any of the messages In
// invio.
func (t *tx) arrived(ctx context.Context, candidates []flow.Notification, messages []Message) (map[Message][]flow.Notification, error) {
	if err := t.driver.CheckSending(ctx, t.full, candidates); err != nil {
		return nil, err
	}
	if err := t.driver.LockMessages(ctx, t.full, messages); err != nil {
		return nil, err
	}
	if err := t.checkDigests(ctx); err != nil {
		return nil, err
	}
	found := map[Message][]flow.Notification{}
	err := t.findMessages(ctx, messages, " AND n.state IN ('sending', 'sent', 'failed')", func(m Message, r *messageRow) {
		if r.MayHaveArrived() {
			found[m] = append(found[m], r.Notification)
		}
	})
	return found, err
}

// alreadySent returns, by the ID of a candidate for a claim, another notification that may have
// brought its message to the citizen.
func (t *tx) alreadySent(
	ctx context.Context, claim flow.Claim, candidates []flow.Notification, messages []Message,
) (map[uuid.UUID]flow.Notification, error) {
	arrived, err := t.arrived(ctx, candidates, messages)
	if err != nil {
		return nil, err
	}
	sent := map[uuid.UUID]flow.Notification{}
	for i, n := range candidates {
		m := messages[i]
		if m.Digest.IsZero() {
			continue
		}
		if earlier := arrived[m]; len(earlier) > 0 && !n.AllowDuplicate {
			sent[n.ID] = earlier[0]
			continue
		}
		n.State, n.UpdatedAt = flow.NotificationSending, claim.At
		arrived[m] = append(arrived[m], n) // of two in one claim, the first is taken
	}
	return sent, nil
}

// checkSending returns a [*flow.AlreadySentError] if the transaction made a notification In invio
// although the citizen may have its message from another one.
func (w *notificationWriter) checkSending(ctx context.Context) error {
	if len(w.sending) == 0 {
		return nil
	}
	messages := make([]Message, len(w.sending))
	allowed := map[uuid.UUID]bool{}
	for i := range w.sending {
		n := &w.sending[i]
		messages[i] = messageOf(n, n.Digest())
		allowed[n.ID] = n.AllowDuplicate
	}
	arrived, err := w.arrived(ctx, w.sending, messages)
	if err != nil {
		return err
	}
	for i, n := range w.sending {
		blocking := func(other flow.Notification) bool {
			return other.ID != n.ID && !n.AllowDuplicate && !allowed[other.ID]
		}
		if at := slices.IndexFunc(arrived[messages[i]], blocking); at >= 0 {
			return &flow.AlreadySentError{NotificationID: n.ID, Earlier: arrived[messages[i]][at]}
		}
	}
	w.sending = nil
	return nil
}
