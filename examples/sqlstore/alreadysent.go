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

// same is what is known of a notification that has a message.
type same struct {
	flow.Notification // what of it is used, but for the draft
	message
	aside bool // its flow is disabled
	fresh bool // created in the same transaction
}

// same calls a function for each notification that has one of some messages, the oldest first.
func (t *tx) same(ctx context.Context, messages []message, each func(*same)) error {
	if len(messages) == 0 {
		return nil
	}
	services := map[string][]flow.Digest{}
	for _, m := range messages {
		services[m.service] = append(services[m.service], m.digest)
	}
	for service, digests := range services {
		var s same
		var digest []byte
		those, fresh := t.digests(digests), t.isFresh(t, "n")
		s.service = service
		err := t.query(ctx, `SELECT n.id, n.flow_id, n.state, n.error_code, n.sent_at, n.anonymised_at, n.created_at, n.updated_at, n.disabled, n.message_digest, coalesce(f.disabled, FALSE), `+fresh.text+`
			FROM notifications n`+t.using("notifications_by_message_digest")+` LEFT JOIN flows f ON f.id = n.flow_id
			WHERE n.message_digest`+those.text+` AND n.service = ? ORDER BY n.created_at, n.id`,
			slices.Concat(fresh.args, those.args, []any{held(service)}),
			[]any{&s.ID, &s.FlowID, wordTo(&s.State), wordTo(&s.Transmission.ErrorCode), moment{&s.Transmission.SentAt}, moment{&s.AnonymisedAt},
				moment{&s.CreatedAt}, moment{&s.UpdatedAt}, &s.Disabled, &digest, &s.aside, &s.fresh},
			func() {
				copy(s.digest[:], digest)
				each(&s)
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// arrived returns a notification for each of some messages that citizens may have, but for some
// notifications.
func (t *tx) arrived(ctx context.Context, messages []message, but map[uuid.UUID]struct{}) (map[message]flow.Notification, error) {
	found := map[message]flow.Notification{}
	err := t.same(ctx, messages, func(s *same) {
		if _, own := but[s.ID]; !own && s.MayHaveArrived() {
			found[s.message] = s.Notification
		}
	})
	return found, err
}

// alreadySent returns, of notifications that are to be claimed, those whose message citizens may
// have, with the notification that has it. Nobody else makes any of the messages In invio until the
// end of the transaction.
func (t *tx) alreadySent(ctx context.Context, candidates []flow.Notification) (map[uuid.UUID]flow.Notification, error) {
	messages := make([]message, 0, len(candidates))
	own := make(map[uuid.UUID]struct{}, len(candidates))
	for i := range candidates {
		own[candidates[i].ID] = struct{}{}
		messages = append(messages, messageOf(&candidates[i]))
	}
	if err := t.digestAnew(ctx); err != nil {
		return nil, err
	}
	if err := t.takeInHand(ctx, t, messages); err != nil {
		return nil, err
	}
	arrived, err := t.arrived(ctx, messages, own)
	if err != nil {
		return nil, err
	}
	var sent map[uuid.UUID]flow.Notification
	for i, n := range candidates {
		m := messages[i]
		if m.digest.IsZero() {
			continue
		}
		if earlier, there := arrived[m]; there && !n.AllowRepeat {
			if sent == nil {
				sent = map[uuid.UUID]flow.Notification{}
			}
			sent[n.ID] = earlier
			continue
		}
		n.State = flow.NotificationSending
		arrived[m] = n // of two in one claim, the first stands
	}
	return sent, nil
}

// checkBegun refuses to make notifications In invio, which was done in this transaction, whose
// message citizens may have from another one.
func (w *writing) checkBegun(ctx context.Context) error {
	if len(w.begun) == 0 {
		return nil
	}
	if err := w.digestAnew(ctx); err != nil {
		return err
	}
	var messages []message
	for _, n := range w.begun {
		messages = append(messages, messageOf(n))
	}
	if err := w.takeInHand(ctx, w.tx, messages); err != nil {
		return err
	}
	holders := map[message][]flow.Notification{}
	if err := w.same(ctx, messages, func(s *same) {
		if s.MayHaveArrived() {
			holders[s.message] = append(holders[s.message], s.Notification)
		}
	}); err != nil {
		return err
	}
	for i, n := range w.begun {
		if n.AllowRepeat || messages[i].digest.IsZero() {
			continue
		}
		for _, holder := range holders[messages[i]] {
			if holder.ID != n.ID {
				return &flow.AlreadySentError{Notification: n.ID, Earlier: holder}
			}
		}
	}
	w.begun = nil
	return nil
}
