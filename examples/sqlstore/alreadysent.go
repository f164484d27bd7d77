package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// message identifies a message of a service to a citizen.
type message struct {
	service string
	digest  flow.Digest
}

func messageOf(n *flow.Notification) message { return message{n.Service, n.Digest()} }

// holder is a notification with one of the messages that were looked for.
type holder struct {
	flow.Notification
	flowDisabled bool
	fresh        bool // created in the same transaction
}

// mayHaveArrived is a necessary condition of [flow.Notification.MayHaveArrived], in SQL.
const mayHaveArrived = " AND n.state IN ('sending', 'sent', 'failed')"

// holders calls a function for each notification that has one of the messages and matches a
// condition. Those with the same message come in order, the oldest first.
func (t *tx) holders(ctx context.Context, messages []message, condition string, each func(message, *holder)) error {
	services := map[string][]flow.Digest{}
	once := make(map[message]struct{}, len(messages))
	for _, m := range messages {
		if _, twice := once[m]; !twice && !m.digest.IsZero() {
			once[m] = struct{}{}
			services[m.service] = append(services[m.service], m.digest)
		}
	}
	for service, digests := range services {
		var h holder
		var digest []byte
		from, fresh := t.withDigests(digests), t.isFresh(t)
		err := t.query(ctx, "SELECT "+notificationColumns.read().list("n.")+", n.message_digest, coalesce(f.disabled, FALSE), "+fresh.text+
			" FROM "+from.text+" LEFT JOIN flows f ON f.id = n.flow_id WHERE n.service = ?"+condition+" ORDER BY n.created_at, n.id",
			slices.Concat(fresh.args, from.args, []any{held(service)}),
			append(notificationFields(&h.Notification), &digest, &h.flowDisabled, &h.fresh),
			func() { each(message{service, flow.Digest(digest)}, &h) })
		if err != nil {
			return err
		}
	}
	return nil
}

// arrived returns, for each of the messages, the notifications that may have arrived with it.
func (t *tx) arrived(ctx context.Context, messages []message) (map[message][]flow.Notification, error) {
	found := map[message][]flow.Notification{}
	err := t.holders(ctx, messages, mayHaveArrived, func(m message, h *holder) {
		if h.MayHaveArrived() {
			found[m] = append(found[m], h.Notification)
		}
	})
	return found, err
}

// alreadySent returns, by the ID of a candidate for a claim, another notification that may have
// brought its message to the citizen. Until this transaction ends, no other one makes any of the
// messages In invio.
func (t *tx) alreadySent(ctx context.Context, claim flow.Claim, candidates []flow.Notification, messages []message) (map[uuid.UUID]flow.Notification, error) {
	arrived, err := t.lockArrived(ctx, messages)
	if err != nil {
		return nil, err
	}
	sent := map[uuid.UUID]flow.Notification{}
	for i, n := range candidates {
		m := messages[i]
		if m.digest.IsZero() {
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

// lockArrived keeps other transactions from making the messages In invio, and returns what arrived
// returns.
func (t *tx) lockArrived(ctx context.Context, messages []message) (map[message][]flow.Notification, error) {
	if err := t.lockMessages(ctx, t, messages); err != nil {
		return nil, err
	}
	if err := t.checkDigests(ctx); err != nil {
		return nil, err
	}
	return t.arrived(ctx, messages)
}

// checkSending returns an error if this transaction made a notification In invio although the
// citizen may have its message from another one.
func (w *writing) checkSending(ctx context.Context) error {
	if len(w.sending) == 0 {
		return nil
	}
	messages := make([]message, len(w.sending))
	allowed := map[uuid.UUID]bool{}
	for i, n := range w.sending {
		messages[i] = messageOf(n)
		allowed[n.ID] = n.AllowDuplicate
	}
	arrived, err := w.lockArrived(ctx, messages)
	if err != nil {
		return err
	}
	for i, n := range w.sending {
		for _, other := range arrived[messages[i]] {
			if other.ID != n.ID && !n.AllowDuplicate && !allowed[other.ID] {
				return &flow.AlreadySentError{NotificationID: n.ID, Earlier: other}
			}
		}
	}
	w.sending = nil
	return nil
}
