package pagoinretetest_test

import (
	"context"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

type (
	remoteEvent  = pagoinrete.RemoteEvent
	remoteNotice = pagoinrete.RemoteNotice
	gateway      = pagoinrete.Gateway
)

// alteredGateway does some of what a gateway does in another way.
type alteredGateway struct {
	pagoinrete.Gateway
	putEvent   func(context.Context, flussi.Actor, pagoinrete.Event) (remoteEvent, error)
	event      func(context.Context, uuid.UUID) (remoteEvent, error)
	moveEvent  func(context.Context, flussi.Actor, uuid.UUID, pagoinrete.EventAction, flussi.Text) (remoteEvent, error)
	putNotice  func(context.Context, flussi.Actor, pagoinrete.Notice) (remoteNotice, error)
	notices    func(context.Context, []uuid.UUID) ([]remoteNotice, error)
	moveNotice func(context.Context, flussi.Actor, uuid.UUID, pagoinrete.NoticeAction, pagoinrete.Proof) (remoteNotice, error)
	noticePDF  func(context.Context, uuid.UUID) (io.ReadCloser, error)
	receipt    func(context.Context, uuid.UUID) (pagoinrete.Receipt, error)
}

func (a alteredGateway) PutEvent(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (remoteEvent, error) {
	if a.putEvent != nil {
		return a.putEvent(ctx, by, e)
	}
	return a.Gateway.PutEvent(ctx, by, e)
}

func (a alteredGateway) Event(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
	if a.event != nil {
		return a.event(ctx, id)
	}
	return a.Gateway.Event(ctx, id)
}

func (a alteredGateway) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (remoteEvent, error) {
	if a.moveEvent != nil {
		return a.moveEvent(ctx, by, id, action, reason)
	}
	return a.Gateway.MoveEvent(ctx, by, id, action, reason)
}

func (a alteredGateway) PutNotice(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (remoteNotice, error) {
	if a.putNotice != nil {
		return a.putNotice(ctx, by, n)
	}
	return a.Gateway.PutNotice(ctx, by, n)
}

func (a alteredGateway) Notices(ctx context.Context, ids []uuid.UUID) ([]remoteNotice, error) {
	if a.notices != nil {
		return a.notices(ctx, ids)
	}
	return a.Gateway.Notices(ctx, ids)
}

func (a alteredGateway) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (remoteNotice, error) {
	if a.moveNotice != nil {
		return a.moveNotice(ctx, by, id, action, proof)
	}
	return a.Gateway.MoveNotice(ctx, by, id, action, proof)
}

func (a alteredGateway) NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
	if a.noticePDF != nil {
		return a.noticePDF(ctx, id)
	}
	return a.Gateway.NoticePDF(ctx, id)
}

func (a alteredGateway) Receipt(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
	if a.receipt != nil {
		return a.receipt(ctx, id)
	}
	return a.Gateway.Receipt(ctx, id)
}

// readNotices changes what is read of notices, and of a notice that was changed.
func readNotices(g gateway, alter func(*remoteNotice)) gateway {
	one := func(n remoteNotice, err error) (remoteNotice, error) {
		if err == nil {
			alter(&n)
		}
		return n, err
	}
	return alteredGateway{Gateway: g,
		putNotice: func(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (remoteNotice, error) {
			return one(g.PutNotice(ctx, by, n))
		},
		moveNotice: func(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (remoteNotice, error) {
			return one(g.MoveNotice(ctx, by, id, action, proof))
		},
		notices: func(ctx context.Context, ids []uuid.UUID) ([]remoteNotice, error) {
			all, err := g.Notices(ctx, ids)
			for i := range all {
				alter(&all[i])
			}
			return all, err
		},
	}
}

// failing changes the errors of all methods, those of reading a PDF included.
func failing(g gateway, alter func(error) error) gateway {
	return around(g, func(ctx context.Context, _ string, call func(context.Context) error) error {
		if err := call(ctx); err != nil {
			return alter(err)
		}
		return nil
	})
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

// around does something with each call.
func around(g gateway, do func(ctx context.Context, method string, call func(context.Context) error) error) gateway {
	return alteredGateway{Gateway: g,
		putEvent: func(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (there remoteEvent, err error) {
			err = do(ctx, "PutEvent", func(ctx context.Context) (err error) { there, err = g.PutEvent(ctx, by, e); return err })
			return there, err
		},
		event: func(ctx context.Context, id uuid.UUID) (there remoteEvent, err error) {
			err = do(ctx, "Event", func(ctx context.Context) (err error) { there, err = g.Event(ctx, id); return err })
			return there, err
		},
		moveEvent: func(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (there remoteEvent, err error) {
			err = do(ctx, "MoveEvent", func(ctx context.Context) (err error) {
				there, err = g.MoveEvent(ctx, by, id, action, reason)
				return err
			})
			return there, err
		},
		putNotice: func(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (there remoteNotice, err error) {
			err = do(ctx, "PutNotice", func(ctx context.Context) (err error) { there, err = g.PutNotice(ctx, by, n); return err })
			return there, err
		},
		notices: func(ctx context.Context, ids []uuid.UUID) (all []remoteNotice, err error) {
			err = do(ctx, "Notices", func(ctx context.Context) (err error) { all, err = g.Notices(ctx, ids); return err })
			return all, err
		},
		moveNotice: func(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (there remoteNotice, err error) {
			err = do(ctx, "MoveNotice", func(ctx context.Context) (err error) {
				there, err = g.MoveNotice(ctx, by, id, action, proof)
				return err
			})
			return there, err
		},
		noticePDF: func(ctx context.Context, id uuid.UUID) (body io.ReadCloser, err error) {
			err = do(ctx, "NoticePDF", func(ctx context.Context) (err error) { body, err = g.NoticePDF(ctx, id); return err })
			return body, err
		},
		receipt: func(ctx context.Context, id uuid.UUID) (r pagoinrete.Receipt, err error) {
			err = do(ctx, "Receipt", func(ctx context.Context) (err error) { r, err = g.Receipt(ctx, id); return err })
			return r, err
		},
	}
}

// pdfs changes the PDFs.
func pdfs(alter func(io.ReadCloser) io.ReadCloser) func(gateway) gateway {
	return func(g gateway) gateway {
		return alteredGateway{Gateway: g, noticePDF: func(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
			body, err := g.NoticePDF(ctx, id)
			if err != nil {
				return nil, err
			}
			return alter(body), nil
		}}
	}
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
