package pagoinretetest_test

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete"
)

// putsEvents breaks PutEvent.
func putsEvents(do func(eventPut) (remoteEvent, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, putEvent: func(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (remoteEvent, error) {
			return do(eventPut{ctx, g, by, e})
		}}
	}
}

// eventPut is a call of PutEvent.
type eventPut struct {
	ctx     context.Context
	gateway gateway
	by      flussi.Actor
	event   pagoinrete.Event
}

func (c eventPut) do() (remoteEvent, error) { return c.gateway.PutEvent(c.ctx, c.by, c.event) }

// there returns the event as it is.
func (c eventPut) there() (remoteEvent, error) { return c.gateway.Event(c.ctx, c.event.ID) }

// putsNotices breaks PutNotice.
func putsNotices(do func(noticePut) (remoteNotice, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, putNotice: func(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (remoteNotice, error) {
			return do(noticePut{ctx, g, by, n})
		}}
	}
}

// noticePut is a call of PutNotice.
type noticePut struct {
	ctx     context.Context
	gateway gateway
	by      flussi.Actor
	notice  pagoinrete.Notice
}

func (c noticePut) do() (remoteNotice, error) { return c.gateway.PutNotice(c.ctx, c.by, c.notice) }

// doAs puts the notice under another ID, and shows it under its own.
func (c noticePut) doAs(id uuid.UUID) (remoteNotice, error) {
	own := c.notice.ID
	c.notice.ID = id
	there, err := c.do()
	there.ID = own
	return there, err
}

// there returns the notice as it is, and whether it is.
func (c noticePut) there() (remoteNotice, bool) {
	all, err := c.gateway.Notices(c.ctx, []uuid.UUID{c.notice.ID})
	if err != nil || len(all) != 1 {
		return remoteNotice{}, false
	}
	return all[0], true
}

// movesEvents breaks MoveEvent.
func movesEvents(do func(eventMove) (remoteEvent, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, moveEvent: func(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (remoteEvent, error) {
			return do(eventMove{ctx, g, by, id, action, reason})
		}}
	}
}

// eventMove is a call of MoveEvent.
type eventMove struct {
	ctx     context.Context
	gateway gateway
	by      flussi.Actor
	id      uuid.UUID
	action  pagoinrete.EventAction
	reason  flussi.Text
}

func (c eventMove) do() (remoteEvent, error) {
	return c.gateway.MoveEvent(c.ctx, c.by, c.id, c.action, c.reason)
}

// there returns the event as it is.
func (c eventMove) there() (remoteEvent, error) { return c.gateway.Event(c.ctx, c.id) }

// movesNotices breaks MoveNotice.
func movesNotices(do func(noticeMove) (remoteNotice, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, moveNotice: func(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (remoteNotice, error) {
			return do(noticeMove{ctx, g, by, id, action, proof})
		}}
	}
}

// noticeMove is a call of MoveNotice.
type noticeMove struct {
	ctx     context.Context
	gateway gateway
	by      flussi.Actor
	id      uuid.UUID
	action  pagoinrete.NoticeAction
	proof   pagoinrete.Proof
}

func (c noticeMove) do() (remoteNotice, error) {
	return c.gateway.MoveNotice(c.ctx, c.by, c.id, c.action, c.proof)
}

// asGoodAs takes a refusal by the state for a success, if the action is the given one.
func (c noticeMove) asGoodAs(action pagoinrete.NoticeAction) (remoteNotice, error) {
	there, err := c.do()
	if c.action == action && isState(err) {
		return there, nil
	}
	return there, err
}

// reads breaks Notices.
func reads(do func(noticesRead) ([]remoteNotice, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, notices: func(ctx context.Context, ids []uuid.UUID) ([]remoteNotice, error) {
			return do(noticesRead{ctx, g, ids})
		}}
	}
}

// noticesRead is a call of Notices.
type noticesRead struct {
	ctx     context.Context
	gateway gateway
	ids     []uuid.UUID
}

func (c noticesRead) do() ([]remoteNotice, error) { return c.gateway.Notices(c.ctx, c.ids) }

// refusal is an error of a gateway that refuses what it should not.
func refusal(kind error) error {
	return &flussi.RemoteError{Package: "x", Operation: "refuse", Kind: kind, Outcome: flussi.OutcomeRefused}
}

// receipts breaks Receipt.
func receipts(do func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error)) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, receipt: func(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
			return do(g.Receipt(ctx, id))
		}}
	}
}

// errorsAs breaks the errors of one kind.
func errorsAs(kind error, alter func(*flussi.RemoteError)) func(gateway) gateway {
	return func(g gateway) gateway {
		return failingAs(g, func(e *flussi.RemoteError) {
			if e.Kind == kind {
				alter(e)
			}
		})
	}
}

// onlyOne lets one at a time make a call, and refuses the others.
func onlyOne[C, R any](do func(C) (R, error)) func(C) (R, error) {
	var mu sync.Mutex
	busy := false
	set := func(to bool) (before bool) {
		mu.Lock()
		defer mu.Unlock()
		before, busy = busy, to
		return before
	}
	return func(c C) (R, error) {
		if set(true) {
			var none R
			return none, refusal(flussi.ErrRemoteState)
		}
		defer set(false)
		time.Sleep(brokenstore.Moment)
		return do(c)
	}
}
