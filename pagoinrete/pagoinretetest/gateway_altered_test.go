package pagoinretetest_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete"
)

type (
	remoteEvent  = pagoinrete.RemoteEvent
	remoteNotice = pagoinrete.RemoteNotice
	gateway      = pagoinrete.Gateway
)

// call is a call of a method of a gateway.
type call struct {
	ctx     context.Context
	gateway gateway
	method  string

	by     flussi.Actor
	event  pagoinrete.Event  // of PutEvent
	notice pagoinrete.Notice // of PutNotice
	ids    []uuid.UUID       // of Notices
	id     uuid.UUID         // of all others
	action pagoinrete.EventAction
	reason flussi.Text
	step   pagoinrete.NoticeAction
	proof  pagoinrete.Proof
}

// reply is what a call returns.
type reply struct {
	event   remoteEvent
	notice  remoteNotice
	notices []remoteNotice
	pdf     io.ReadCloser
	receipt pagoinrete.Receipt
	err     error
}

// do makes the call.
func (c call) do() (r reply) {
	switch c.method {
	case "PutEvent":
		r.event, r.err = c.gateway.PutEvent(c.ctx, c.by, c.event)
	case "Event":
		r.event, r.err = c.gateway.Event(c.ctx, c.id)
	case "MoveEvent":
		r.event, r.err = c.gateway.MoveEvent(c.ctx, c.by, c.id, c.action, c.reason)
	case "PutNotice":
		r.notice, r.err = c.gateway.PutNotice(c.ctx, c.by, c.notice)
	case "Notices":
		r.notices, r.err = c.gateway.Notices(c.ctx, c.ids)
	case "MoveNotice":
		r.notice, r.err = c.gateway.MoveNotice(c.ctx, c.by, c.id, c.step, c.proof)
	case "NoticePDF":
		r.pdf, r.err = c.gateway.NoticePDF(c.ctx, c.id)
	case "Receipt":
		r.receipt, r.err = c.gateway.Receipt(c.ctx, c.id)
	}
	return r
}

// alteredGateway does something else with each call.
type alteredGateway struct {
	gateway gateway
	do      func(call) reply
}

func (a alteredGateway) PutEvent(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (remoteEvent, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "PutEvent", by: by, event: e})
	return r.event, r.err
}

func (a alteredGateway) Event(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "Event", id: id})
	return r.event, r.err
}

func (a alteredGateway) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (remoteEvent, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "MoveEvent", by: by, id: id, action: action, reason: reason})
	return r.event, r.err
}

func (a alteredGateway) PutNotice(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (remoteNotice, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "PutNotice", by: by, notice: n})
	return r.notice, r.err
}

func (a alteredGateway) Notices(ctx context.Context, ids []uuid.UUID) ([]remoteNotice, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "Notices", ids: ids})
	return r.notices, r.err
}

func (a alteredGateway) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, step pagoinrete.NoticeAction, proof pagoinrete.Proof) (remoteNotice, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "MoveNotice", by: by, id: id, step: step, proof: proof})
	return r.notice, r.err
}

func (a alteredGateway) NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "NoticePDF", id: id})
	return r.pdf, r.err
}

func (a alteredGateway) Receipt(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
	r := a.do(call{ctx: ctx, gateway: a.gateway, method: "Receipt", id: id})
	return r.receipt, r.err
}

// on does something else with the calls of one method.
func on(method string, do func(call) reply) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{g, func(c call) reply {
			if c.method == method {
				return do(c)
			}
			return c.do()
		}}
	}
}

// sends makes the calls of one method with something else.
func sends(method string, change func(*call)) func(gateway) gateway {
	return on(method, func(c call) reply {
		change(&c)
		return c.do()
	})
}

// returns changes what the calls of one method return.
func returns(method string, change func(call, *reply)) func(gateway) gateway {
	return on(method, func(c call) reply {
		r := c.do()
		change(c, &r)
		return r
	})
}

// firstOf makes all calls of a method about what the first of them was about.
func firstOf(method string) func(gateway) gateway {
	return func(g gateway) gateway {
		var first uuid.UUID
		return sends(method, func(c *call) {
			if first == uuid.Nil {
				first = c.id
			}
			c.id = first
		})(g)
	}
}

// saysOfAnother returns, under the ID that was asked about, what the call of the method returned
// that was about another one before.
func saysOfAnother(method string) func(gateway) gateway {
	return func(g gateway) gateway {
		var last, other reply // about the same, and about the one before
		return returns(method, func(_ call, r *reply) {
			if r.err != nil || len(r.notices) != 1 && method == "Notices" {
				return
			}
			own := r.named()
			if own != last.named() {
				other = last
			}
			last = *r
			last.notices = slices.Clone(r.notices)
			if other.named() != uuid.Nil {
				*r = other
				r.notices = slices.Clone(other.notices)
				r.name(own)
			}
		})(g)
	}
}

// named returns the ID that a reply is about.
func (r *reply) named() uuid.UUID {
	switch {
	case len(r.notices) > 0:
		return r.notices[0].ID
	case r.notice.ID != uuid.Nil:
		return r.notice.ID
	}
	return r.event.ID
}

// name makes a reply one about an ID.
func (r *reply) name(id uuid.UUID) {
	switch {
	case len(r.notices) > 0:
		r.notices[0].ID = id
	case r.notice.ID != uuid.Nil:
		r.notice.ID = id
	default:
		r.event.ID = id
	}
}

// forgives takes the errors of one kind of a method for a success.
func forgives(method string, kind error) func(gateway) gateway {
	return returns(method, func(_ call, r *reply) {
		if errors.Is(r.err, kind) {
			r.err = nil
		}
	})
}

// there reads the event or the notice of a call that changes it.
func (c call) there() (r reply) {
	switch c.method {
	case "PutEvent":
		r.event, r.err = c.gateway.Event(c.ctx, c.event.ID)
	case "MoveEvent":
		r.event, r.err = c.gateway.Event(c.ctx, c.id)
	case "PutNotice":
		all, err := c.gateway.Notices(c.ctx, []uuid.UUID{c.notice.ID})
		if err != nil || len(all) != 1 {
			return reply{err: errors.New("not there")}
		}
		r.notice = all[0]
	}
	return r
}

// doAs puts the notice under another ID, and shows it under its own.
func (c call) doAs(id uuid.UUID) reply {
	own := c.notice.ID
	c.notice.ID = id
	r := c.do()
	r.notice.ID = own
	return r
}

// asGoodAs takes a refusal by the state for a success, if the step is the given one.
func (c call) asGoodAs(step pagoinrete.NoticeAction) reply {
	r := c.do()
	if c.step == step && isState(r.err) {
		r.err = nil
	}
	return r
}

// readNotices changes what is read of notices, and of a notice that was changed.
func readNotices(g gateway, alter func(*remoteNotice)) gateway {
	return alteredGateway{g, func(c call) reply {
		r := c.do()
		if r.err == nil && (c.method == "PutNotice" || c.method == "MoveNotice") {
			alter(&r.notice)
		}
		for i := range r.notices {
			alter(&r.notices[i])
		}
		return r
	}}
}

// failing changes the errors of all methods.
func failing(g gateway, alter func(error) error) gateway {
	return alteredGateway{g, func(c call) reply {
		r := c.do()
		if r.err != nil {
			r.err = alter(r.err)
		}
		return r
	}}
}

// failingAs changes one field of the RemoteErrors of all methods.
func failingAs(g gateway, alter func(*flussi.RemoteError)) gateway {
	return failing(g, func(err error) error {
		var e *flussi.RemoteError
		if errors.As(err, &e) {
			altered := *e
			alter(&altered)
			return &altered
		}
		return err
	})
}

// errorsAs changes the errors of one kind.
func errorsAs(kind error, alter func(*flussi.RemoteError)) func(gateway) gateway {
	return func(g gateway) gateway {
		return failingAs(g, func(e *flussi.RemoteError) {
			if e.Kind == kind {
				alter(e)
			}
		})
	}
}

// refusal is an error of a gateway that refuses what it should not.
func refusal(kind error) error {
	return &flussi.RemoteError{Package: "x", Operation: "refuse", Kind: kind, Outcome: flussi.OutcomeRefused}
}

// onlyOne lets one at a time make a call of a method, and refuses the others.
func onlyOne(method string) func(gateway) gateway {
	return func(g gateway) gateway {
		var busy sync.Mutex
		return on(method, func(c call) reply {
			if !busy.TryLock() {
				return reply{err: refusal(flussi.ErrRemoteState)}
			}
			defer busy.Unlock()
			time.Sleep(brokenstore.Moment)
			return c.do()
		})(g)
	}
}

// pdfs changes the PDFs.
func pdfs(alter func(io.ReadCloser) io.ReadCloser) func(gateway) gateway {
	return returns("NoticePDF", func(_ call, r *reply) {
		if r.err == nil {
			r.pdf = alter(r.pdf)
		}
	})
}

// readCloser is a reader and what closes it.
type readCloser struct {
	io.Reader
	close func() error
}

func (r readCloser) Close() error { return r.close() }

// readerFunc is a reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// anyone is who may do everything: a gateway that does not say who acts.
func anyone(action pagoinrete.EventAction) flussi.Actor {
	if action == pagoinrete.EventApprove || action == pagoinrete.EventReject {
		return flussi.Actor{ID: "x", Roles: []flussi.Role{flussi.Principal}}
	}
	return flussi.Actor{ID: "x", Roles: []flussi.Role{flussi.AdminAssistant}}
}

// isState reports whether an error is that of a state.
func isState(err error) bool { return errors.Is(err, flussi.ErrRemoteState) }
