package restgateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
	"github.com/flussi-go/flussi/internal/restcall"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Client is a [pagoinrete.Gateway] for one school, over HTTP. It is safe for concurrent use, and
// starts no goroutines.
//
// It repeats a change only if the platform certainly did not act on the last attempt: after 429, or
// without a connection. The outcome of any other unclear answer, such as every 500, is
// [flussi.OutcomeUnknown], and the [pagoinrete.Service] then reads the current state. It repeats a
// call that only reads after every failure that may be temporary.
type Client struct {
	engine restcall.Engine
	school string
}

var _ pagoinrete.Gateway = (*Client)(nil)

// Config configures a [Client]. Only the BaseURL is required.
type Config struct {
	// BaseURL is the address of Pago In Rete. Required: there is no public address.
	BaseURL string
	// AllowHTTP permits a BaseURL without TLS on another machine, such as a simulator.
	// On this machine http is always permitted. Defaults to false.
	AllowHTTP bool
	// HTTPClient makes the requests. Its Timeout limits an attempt, and the reading of a PDF,
	// but not the call; redirects are never followed. Defaults to a client with a timeout of
	// 30 s and up to 128 idle connections, which all clients without an HTTPClient share; a
	// client without a Transport gets theirs. On a Transport of your own, net/http prints through
	// package log what a broken server sends without a request, and such a server may echo a
	// notice: call log.SetOutput with a [flussi.MaskWriter]. On the default one, nothing is
	// printed, except what comes through a proxy in one TLS record with a reply.
	HTTPClient *http.Client
	// Calls is how many calls may start in a second, evenly. The platform's limit is not
	// public; a 429 lowers the rate. Defaults to 30; at most 1,000,000.
	Calls int
	// Logger receives every attempt: at level debug, or warn if it failed. It never receives a
	// key, personal data or a notice number. Defaults to none.
	Logger *slog.Logger
	// Attempted receives every attempt when it has ended, with the context of the call: for metrics,
	// and for events of a trace. The call waits for it, so it must return soon. It must be safe for
	// concurrent use. Defaults to none.
	Attempted func(context.Context, flussi.Attempt)
	// MaxAttempts limits the attempts of a call. Defaults to 5; 1 means no repetition; at most 1,000.
	MaxAttempts int
	// MaxWait is the longest wait between two attempts, and before the first one if the platform
	// asked to wait. If the platform asks for more, the call and those after it end, and their
	// errors say how long to wait. Defaults to 1 minute; at most one day.
	MaxWait time.Duration
}

const (
	defaultCalls = 30 // a second
	maxCalls     = 1_000_000
	defaultPause = time.Second
	maxNotices   = 8 << 20 // bytes of a reply about MaxNoticesPerCall notices
	maxPDF       = 8 << 20 // bytes
)

// New returns a client for a school, by its codice meccanografico. The error lists everything
// that is wrong with the configuration, and is a [flussi.ErrConfig].
func New(key flussi.Key, school string, c Config) (*Client, error) {
	calls := cmp.Or(c.Calls, defaultCalls)
	engine, err := restcall.NewEngine(restcall.Config{
		BaseURL: c.BaseURL, AllowHTTP: c.AllowHTTP, HTTPClient: c.HTTPClient,
		Logger: c.Logger, Attempted: c.Attempted, MaxAttempts: c.MaxAttempts, MaxWait: c.MaxWait, Pace: pace.New(float64(calls), defaultPause),
		Key: key, Header: headerKey, Scheme: "Bearer ",
	})
	err = errors.Join(err, pagoinrete.CheckSchool(school))
	if calls < 0 || calls > maxCalls {
		err = errors.Join(err, fmt.Errorf("the Calls are %d, not 1 to %d", calls, maxCalls))
	}
	if err != nil {
		return nil, fmt.Errorf("restgateway: new client: %w: %w", flussi.ErrConfig, err)
	}
	return &Client{engine, school}, nil
}

// PutEvent transmits an event, or replaces it: see [pagoinrete.Gateway]. It refuses an event of
// another school, an event that is not valid, and a call without an actor, without a request.
func (c *Client) PutEvent(ctx context.Context, by flussi.Actor, e pagoinrete.Event) (pagoinrete.RemoteEvent, error) {
	return change(ctx, c, by, call{
		route: routePutEvent, school: e.School, id: e.ID, check: e.Validate(e.Kind),
		body: func() ([]byte, error) { return encodeEvent(e) },
	}, decodeEvent)
}

// Event returns an event: see [pagoinrete.Gateway].
func (c *Client) Event(ctx context.Context, id uuid.UUID) (pagoinrete.RemoteEvent, error) {
	reply, err := c.read(ctx, routeEvent, id, nil)
	if err != nil {
		return pagoinrete.RemoteEvent{}, err
	}
	return read(routeEvent, reply, func(body []byte) (pagoinrete.RemoteEvent, error) { return decodeEvent(body, id) })
}

// MoveEvent takes a step with an event: see [pagoinrete.Gateway]. It refuses an action that is
// not a step, without a request.
func (c *Client) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.EventAction, reason flussi.Text) (pagoinrete.RemoteEvent, error) {
	if action != pagoinrete.EventReject {
		reason = flussi.Text{}
	}
	return change(ctx, c, by, call{
		route: routeEventSteps[action], school: c.school, id: id, hide: []string{reason.Reveal()},
		body: func() ([]byte, error) { return encodeReason(reason) },
	}, decodeEvent)
}

// PutNotice transmits a notice, or replaces it: see [pagoinrete.Gateway]. It refuses a notice of
// another school, a notice that is not valid, and a call without an actor, without a request.
func (c *Client) PutNotice(ctx context.Context, by flussi.Actor, n pagoinrete.Notice) (pagoinrete.RemoteNotice, error) {
	return change(ctx, c, by, call{
		route: routePutNotice, school: n.School, id: n.ID, check: n.Validate(),
		hide: []string{n.Debtor.Reveal(), n.DebtorName.Reveal(), n.Payer.Reveal()},
		body: func() ([]byte, error) { return encodeNotice(n) },
	}, decodeNotice)
}

// Notices returns the notices that exist: see [pagoinrete.Gateway].
func (c *Client) Notices(ctx context.Context, ids []uuid.UUID) ([]pagoinrete.RemoteNotice, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > pagoinrete.MaxNoticesPerCall {
		e := newError(routeNotices, flussi.ErrRemoteInvalid)
		e.Detail = fmt.Sprintf("more than %d notices", pagoinrete.MaxNoticesPerCall)
		return nil, e
	}
	body, err := encodeQuery(ids)
	if err != nil {
		e := newError(routeNotices, flussi.ErrRemoteInvalid)
		e.Err = err
		return nil, e
	}
	reply, err := c.read(ctx, routeNotices, uuid.Nil, body)
	if err != nil {
		return nil, err
	}
	return read(routeNotices, reply, func(body []byte) ([]pagoinrete.RemoteNotice, error) { return decodeNotices(body, ids) })
}

// MoveNotice takes a step with a notice: see [pagoinrete.Gateway]. It refuses an action that is
// not a step, without a request.
func (c *Client) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action pagoinrete.NoticeAction, proof pagoinrete.Proof) (pagoinrete.RemoteNotice, error) {
	if action == pagoinrete.NoticeCancel {
		proof = pagoinrete.Proof{}
	}
	return change(ctx, c, by, call{
		route: routeNoticeSteps[action], school: c.school, id: id, hide: []string{proof.Reference},
		body: func() ([]byte, error) { return encodeProof(proof) },
	}, decodeNotice)
}

// NoticePDF returns a notice as a PDF: see [pagoinrete.Gateway]. The error of a read is a
// [*flussi.RemoteError]: the file is cut off, which wraps [io.ErrUnexpectedEOF]; or it is larger
// than 8 MiB; or the context ended.
func (c *Client) NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
	reply, err := c.engine.Do(ctx, restcall.Operation{
		Name: routePDF.name, Method: routePDF.method, Path: routePDF.to(c.school, id), Stream: maxPDF,
		Header: http.Header{"Accept": {typePDF + ", application/problem+json"}},
	})
	if err != nil || reply.Stream == nil {
		return nil, c.failed(routePDF, reply, err)
	}
	pdf, err := newPDF(reply, ctx.Err)
	if err != nil {
		_ = reply.Stream.Close()
		return nil, err
	}
	return pdf, nil
}

// Receipt returns the receipt of a payment: see [pagoinrete.Gateway].
func (c *Client) Receipt(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
	reply, err := c.read(ctx, routeReceipt, id, nil)
	if err != nil {
		return pagoinrete.Receipt{}, err
	}
	return read(routeReceipt, reply, func(body []byte) (pagoinrete.Receipt, error) { return decodeReceipt(body, id) })
}

// call is a call that changes something.
type call struct {
	route  route
	school string // of the event or the notice
	id     uuid.UUID
	check  error    // what is wrong with the data
	hide   []string // texts of the request that no error may quote
	body   func() ([]byte, error)
}

// change makes a call and decodes the new state.
func change[T any](ctx context.Context, c *Client, by flussi.Actor, s call, decode func([]byte, uuid.UUID) (T, error)) (T, error) {
	var none T
	body, err := c.prepare(by, s)
	if err != nil {
		return none, err
	}
	reply, err := c.engine.Do(ctx, restcall.Operation{
		Name: s.route.name, Method: s.route.method, Path: s.route.to(c.school, s.id), Body: body,
		Repeat: restcall.IfNotSent, Header: actingHeader(by),
	})
	if err := c.changed(s, reply, err); err != nil {
		return none, err
	}
	remote, err := decode(reply.Body, s.id)
	if err != nil {
		e := unreadable(s.route, reply, err)
		restcall.SetOutcome(e, nil)
		return none, e
	}
	return remote, nil
}

// prepare returns the body of a call, or refuses a call that the platform would refuse.
func (c *Client) prepare(by flussi.Actor, s call) ([]byte, error) {
	refused := func(kind error, reason string, cause error) error {
		e := newError(s.route, kind)
		e.Outcome, e.Detail, e.Err = flussi.OutcomeRefused, reason, cause
		return e
	}
	switch {
	case s.route.path == "":
		s.route.name = "take a step"
		return nil, refused(flussi.ErrRemoteInvalid, "there is no such step", nil)
	case by.Check() != nil:
		return nil, refused(flussi.ErrRemoteForbidden, "there is no actor", by.Check())
	case s.school != c.school:
		return nil, refused(flussi.ErrRemoteForbidden, "it is of another school", nil)
	case s.id == uuid.Nil:
		return nil, refused(flussi.ErrRemoteInvalid, "it has no ID", nil)
	case s.check != nil:
		return nil, refused(flussi.ErrRemoteInvalid, "the data are not valid", s.check)
	}
	body, err := s.body()
	if err != nil {
		return nil, refused(flussi.ErrRemoteInvalid, "it cannot be written", err)
	}
	return body, nil
}

// read makes a call that changes nothing, with a body or without.
func (c *Client) read(ctx context.Context, r route, id uuid.UUID, body []byte) (*restcall.Reply, error) {
	engine := c.engine
	if body != nil {
		engine.MaxBody = maxNotices
	}
	reply, err := engine.Do(ctx, restcall.Operation{Name: r.name, Method: r.method, Path: r.to(c.school, id), Body: body})
	if err != nil || reply.Status != http.StatusOK || reply.BodyErr != nil {
		return nil, c.failed(r, reply, err)
	}
	return reply, nil
}

// read decodes the reply to a call that changes nothing.
func read[T any](r route, reply *restcall.Reply, decode func([]byte) (T, error)) (T, error) {
	value, err := decode(reply.Body)
	if err != nil {
		var none T
		return none, unreadable(r, reply, err)
	}
	return value, nil
}

// changed returns the error of a step: nil if it was done.
func (c *Client) changed(s call, reply *restcall.Reply, err error) error {
	if reply != nil && (reply.Status == http.StatusOK || reply.Status == http.StatusCreated) && reply.BodyErr == nil {
		return nil
	}
	e := c.failed(s.route, reply, err, s.hide...)
	restcall.SetOutcome(e, err)
	return e
}

// The names of the client in errors, and of the platform in texts for operators.
const (
	pkg      = "restgateway"
	platform = "Pago In Rete"
)

// newError returns the error of a call that the client itself finds.
func newError(r route, kind error) *flussi.RemoteError {
	return &flussi.RemoteError{Package: pkg, Platform: platform, Operation: r.name, Kind: kind}
}

// unreadable returns the error of a reply that the client cannot read.
func unreadable(r route, reply *restcall.Reply, err error) *flussi.RemoteError {
	e := restcall.RemoteError(pkg, platform, r.name, reply, nil)
	e.Detail = "the reply " + err.Error()
	return e
}

// failed returns the error of a call by its status. It quotes what the platform said, without the
// texts to hide.
func (c *Client) failed(r route, reply *restcall.Reply, err error, hide ...string) *flussi.RemoteError {
	e := restcall.RemoteError(pkg, platform, r.name, reply, err)
	if reply == nil {
		return e
	}
	c.engine.SetAnswer(e, hide...)
	switch reply.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		e.Kind = flussi.ErrRemoteInvalid
	case http.StatusUnauthorized:
		e.Kind = flussi.ErrUnauthorized
	case http.StatusForbidden:
		e.Kind = flussi.ErrRemoteForbidden
	case http.StatusNotFound:
		// A wrong address must not read as an event or a notice that is missing.
		if reply.DeclaredProblem() != nil {
			e.Kind = flussi.ErrRemoteNotFound
			break
		}
		e.Detail = "nothing at this address; check the BaseURL"
		e.Reason = "L'indirizzo di Pago In Rete non risponde come previsto: rivolgersi all'assistenza."
	case http.StatusConflict:
		e.Kind = flussi.ErrRemoteState
	case http.StatusTooManyRequests:
		e.Kind = flussi.ErrRateLimited
	default:
		if reply.BodyErr != nil {
			e.Detail = "the reply was not complete: " + restcall.Describe(reply.BodyErr)
		}
	}
	return e
}
