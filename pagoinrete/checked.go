package pagoinrete

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// checked is a [Gateway] that rejects replies about another event or notice. After such a reply to a
// change, the outcome is unknown. Such a reply to a read is an error.
type checked struct{ Gateway }

func (g checked) PutEvent(ctx context.Context, by flussi.Actor, e Event) (RemoteEvent, error) {
	there, err := g.Gateway.PutEvent(ctx, by, e)
	return there, changeOf("transmit event", e.ID, there.ID, err)
}

func (g checked) Event(ctx context.Context, id uuid.UUID) (RemoteEvent, error) {
	there, err := g.Gateway.Event(ctx, id)
	if err == nil && there.ID != id {
		err = noAnswer("read event", "the reply is about another event")
	}
	return there, err
}

func (g checked) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action EventAction, reason flussi.Text) (RemoteEvent, error) {
	there, err := g.Gateway.MoveEvent(ctx, by, id, action, reason)
	return there, changeOf("move event", id, there.ID, err)
}

func (g checked) PutNotice(ctx context.Context, by flussi.Actor, n Notice) (RemoteNotice, error) {
	there, err := g.Gateway.PutNotice(ctx, by, n)
	return there, changeOf("transmit notice", n.ID, there.ID, err)
}

func (g checked) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action NoticeAction, proof Proof) (RemoteNotice, error) {
	there, err := g.Gateway.MoveNotice(ctx, by, id, action, proof)
	return there, changeOf("move notice", id, there.ID, err)
}

func (g checked) Notices(ctx context.Context, ids []uuid.UUID) ([]RemoteNotice, error) {
	found, err := g.Gateway.Notices(ctx, ids)
	if err != nil {
		return nil, err
	}
	left := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		left[id] = true
	}
	for _, n := range found {
		if !left[n.ID] {
			return nil, noAnswer("read notices", "the reply has a notice twice, or one that was not asked for")
		}
		left[n.ID] = false
	}
	return found, nil
}

func (g checked) NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
	body, err := g.Gateway.NoticePDF(ctx, id)
	if err == nil && body == nil {
		err = noAnswer("download notice", "no body")
	}
	return body, err
}

// changeOf returns the error of a change: its own, or that of a reply about another entity.
func changeOf(operation string, asked, replied uuid.UUID, err error) error {
	if err != nil || asked == replied {
		return err
	}
	return unknownOutcome(operation, "the reply is about another ID")
}

// unknownOutcome is the error of a change whose reply does not say what it did.
func unknownOutcome(operation, detail string) error {
	return &flussi.RemoteError{
		Package: "pagoinrete", Platform: "Pago In Rete", Operation: operation,
		Kind: flussi.ErrOutcomeUnknown, Outcome: flussi.OutcomeUnknown, Detail: detail,
	}
}

// noAnswer is the error of a question whose reply is no answer.
func noAnswer(operation, detail string) error {
	return &flussi.RemoteError{
		Package: "pagoinrete", Platform: "Pago In Rete", Operation: operation,
		Kind: flussi.ErrUnavailable, Detail: detail,
	}
}
