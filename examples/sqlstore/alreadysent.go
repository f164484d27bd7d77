package sqlstore

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/flow"
)

// message is a message of a service to a citizen.
type message struct {
	service string
	digest  flow.Digest
}

func messageOf(n *flow.Notification) message { return message{n.Service, n.Digest()} }

// holder is a notification that has a message.
type holder struct {
	flow.Notification
	aside bool // its flow is disabled
	fresh bool // it was created in the same transaction
}

// mayHaveArrived is the condition that a row may be one whose message citizens have.
const mayHaveArrived = " AND n.state IN ('sending', 'sent', 'failed')"

// holders calls a function for each notification that has one of some messages and matches a
// condition, the oldest first.
func (t *tx) holders(ctx context.Context, messages []message, condition string, each func(message, *holder)) error {
	services := map[string][]flow.Digest{}
	for _, m := range messages {
		if !m.digest.IsZero() {
			services[m.service] = append(services[m.service], m.digest)
		}
	}
	for service, digests := range services {
		var h holder
		var digest []byte
		those, fresh := t.digests(digests), t.isFresh(t, "n")
		err := t.query(ctx, "SELECT "+notificationColumns.read().list("n.")+", n.message_digest, coalesce(f.disabled, FALSE), "+fresh.text+
			" FROM notifications n"+t.using("notifications_by_message_digest")+" LEFT JOIN flows f ON f.id = n.flow_id"+
			" WHERE n.message_digest"+those.text+" AND n.service = ?"+condition+" ORDER BY n.created_at, n.id",
			slices.Concat(fresh.args, those.args, []any{held(service)}),
			append(notificationFields(&h.Notification), &digest, &h.aside, &h.fresh),
			func() { each(message{service, flow.Digest(digest)}, &h) })
		if err != nil {
			return err
		}
	}
	return nil
}

// arrived returns the notifications that citizens may have each of some messages by.
func (t *tx) arrived(ctx context.Context, messages []message) (map[message][]flow.Notification, error) {
	found := map[message][]flow.Notification{}
	err := t.holders(ctx, messages, mayHaveArrived, func(m message, h *holder) {
		if h.MayHaveArrived() {
			found[m] = append(found[m], h.Notification)
		}
	})
	return found, err
}

// alreadySent returns, of notifications that are to be claimed, those whose message citizens may
// have, with the notification that has it. No other transaction makes any of the messages In invio
// until the end of this one.
func (t *tx) alreadySent(ctx context.Context, claim flow.Claim, candidates []flow.Notification) (map[uuid.UUID]flow.Notification, error) {
	messages := make([]message, len(candidates))
	for i := range candidates {
		messages[i] = messageOf(&candidates[i])
	}
	arrived, err := t.begin(ctx, messages)
	if err != nil {
		return nil, err
	}
	sent := map[uuid.UUID]flow.Notification{}
	for i, n := range candidates {
		m := messages[i]
		if m.digest.IsZero() {
			continue
		}
		if earlier := arrived[m]; len(earlier) > 0 && !n.AllowRepeat {
			sent[n.ID] = earlier[0]
			continue
		}
		n.State, n.UpdatedAt = flow.NotificationSending, claim.At
		arrived[m] = append(arrived[m], n) // of two in one claim, the first stands
	}
	return sent, nil
}

// begin keeps other transactions from making messages In invio, and returns the notifications that
// citizens may have them by.
func (t *tx) begin(ctx context.Context, messages []message) (map[message][]flow.Notification, error) {
	if err := t.digestAnew(ctx); err != nil {
		return nil, err
	}
	if err := t.takeInHand(ctx, t, messages); err != nil {
		return nil, err
	}
	return t.arrived(ctx, messages)
}

// checkBegun refuses to have made notifications In invio in this transaction whose message citizens
// may have from another one.
func (w *writing) checkBegun(ctx context.Context) error {
	if len(w.begun) == 0 {
		return nil
	}
	messages := make([]message, len(w.begun))
	allowed := map[uuid.UUID]bool{}
	for i, n := range w.begun {
		messages[i] = messageOf(n)
		allowed[n.ID] = n.AllowRepeat
	}
	arrived, err := w.begin(ctx, messages)
	if err != nil {
		return err
	}
	for i, n := range w.begun {
		for _, other := range arrived[messages[i]] {
			if other.ID != n.ID && !n.AllowRepeat && !allowed[other.ID] {
				return &flow.AlreadySentError{Notification: n.ID, Earlier: other}
			}
		}
	}
	w.begun = nil
	return nil
}
