package pagoinrete

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
	"github.com/flussi-go/flussi/internal/restcall"
)

// Client is a [Gateway] for one school, over HTTP. It is safe for concurrent use, and has no
// goroutines of its own.
//
// The ministry has not published the interface of Pago In Rete: neither an address nor a
// format. The format that Client speaks is this library's own, made from what the guide says
// the platform does; openapi.yaml, beside this file, describes it, and wire.go alone knows it.
// So Client works with the simulator of package pagoinretetest, and with whatever translates
// the format to the real platform. Whoever has the ministry's documents has two ways: to write
// another wire.go, or to write another Gateway and give it to the [Service], which knows no
// Client.
//
// A change is repeated only where the service certainly did not act on the last attempt: after
// 429, or no connection. Any other answer that is not clear, such as every 500, is an [Unknown]
// outcome, and the Service reads the current state. A call that only reads is repeated after
// any failure that may pass.
type Client struct {
	engine restcall.Engine
	school string
}

var _ Gateway = (*Client)(nil)

// Config says how a [Client] works. Only the BaseURL is required.
type Config struct {
	// BaseURL is where Pago In Rete is. Required: there is no public address.
	BaseURL string
	// AllowHTTP permits a BaseURL without TLS on another machine, such as a simulator.
	// On this machine http is always permitted. Defaults to false.
	AllowHTTP bool
	// HTTPClient makes the requests; its Timeout bounds an attempt, and the reading of a
	// PDF, but not the call, and redirects are never followed. Defaults to a client with a
	// timeout of 30 s and room for 128 connections, which all clients without one share.
	// Note that net/http itself logs the beginning of what a broken server sends without
	// being asked.
	HTTPClient *http.Client
	// Calls is how many calls go out in a second at most, evenly. No limit of the platform
	// is public; one that answers 429 slows the client down by itself. Defaults to 30.
	Calls int
	// Logger hears of every attempt: at level debug, or warn if it was not the end of it. It
	// is told no key, no personal data and no notice number. Defaults to none.
	Logger *slog.Logger
	// MaxAttempts bounds the attempts of a call. Defaults to 5; 1 means no repetition.
	MaxAttempts int
	// MaxWait is the longest wait between two attempts; if the platform asks for more,
	// the call ends and its error says how long. Defaults to 1 minute.
	MaxWait time.Duration
}

const (
	defaultCalls    = 30 // a second
	defaultPause    = time.Second
	defaultAttempts = 5
	defaultMinWait  = 500 * time.Millisecond
	defaultMaxWait  = time.Minute
	maxReply        = 1 << 20 // bytes
	maxNotices      = 8 << 20 // bytes of a reply about MaxRemote notices
	maxPDF          = 8 << 20 // bytes
)

// New returns a client for a school, by its codice meccanografico. The error lists everything
// that is wrong with the configuration; it is an [ErrConfig].
func New(credentials Key, school string, c Config) (*Client, error) {
	var faults []error
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	if credentials.IsZero() {
		fault("no credentials")
	}
	if err := checkSchool(school); err != nil {
		faults = append(faults, err)
	}
	base, err := restcall.ParseBase(c.BaseURL, c.AllowHTTP)
	switch {
	case c.BaseURL == "":
		fault("no BaseURL: Pago In Rete has no public address")
	case err != nil:
		faults = append(faults, err)
	}
	if c.Calls < 0 {
		fault("Calls is negative")
	}
	if c.MaxAttempts < 0 {
		fault("MaxAttempts is negative")
	}
	if c.MaxWait < 0 {
		fault("MaxWait is negative")
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("pagoinrete: new client: %w: %w", ErrConfig, errors.Join(faults...))
	}
	if c.HTTPClient == nil {
		c.HTTPClient = restcall.DefaultClient()
	}
	if c.Calls == 0 {
		c.Calls = defaultCalls
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxAttempts == 0 {
		c.MaxAttempts = defaultAttempts
	}
	if c.MaxWait == 0 {
		c.MaxWait = defaultMaxWait
	}
	authorization := []string{"Bearer " + credentials.text.Reveal()}
	return &Client{school: school, engine: restcall.Engine{
		Base:        base,
		Client:      restcall.Isolate(c.HTTPClient),
		Authorize:   func(h http.Header) { h[headerKey] = authorization },
		Pace:        pace.New(float64(c.Calls), defaultPause),
		Logger:      c.Logger,
		MaxAttempts: c.MaxAttempts,
		MinWait:     min(defaultMinWait, c.MaxWait),
		MaxWait:     c.MaxWait,
		MaxBody:     maxReply,
	}}, nil
}

// PutEvent transmits an event, or replaces it: see [Gateway]. An event of another school, one
// that is not valid, and one of nobody is refused without a call.
func (c *Client) PutEvent(ctx context.Context, by flussi.Actor, e Event) (RemoteEvent, error) {
	return change(ctx, c, by, call{
		route: routePutEvent, school: e.School, id: e.ID, check: e.Validate(e.Kind),
		body: func() ([]byte, error) { return encodeEvent(e) },
	}, decodeEvent)
}

// Event returns an event: see [Gateway].
func (c *Client) Event(ctx context.Context, id uuid.UUID) (RemoteEvent, error) {
	reply, err := c.read(ctx, routeEvent, id, nil)
	if err != nil {
		return RemoteEvent{}, err
	}
	return read(routeEvent, reply, func(body []byte) (RemoteEvent, error) { return decodeEvent(body, id) })
}

// MoveEvent takes a step with an event: see [Gateway]. An action that is none of them is
// refused without a call.
func (c *Client) MoveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, action EventAction, reason flussi.Text) (RemoteEvent, error) {
	if action != EventReject {
		reason = flussi.Text{}
	}
	return change(ctx, c, by, call{
		route: routeEventSteps[action], school: c.school, id: id,
		body: func() ([]byte, error) { return encodeReason(reason) },
	}, decodeEvent)
}

// PutNotice transmits a notice, or replaces it: see [Gateway]. A notice of another school, one
// that is not valid, and one of nobody is refused without a call.
func (c *Client) PutNotice(ctx context.Context, by flussi.Actor, n Notice) (RemoteNotice, error) {
	return change(ctx, c, by, call{
		route: routePutNotice, school: n.School, id: n.ID, check: n.Validate(),
		body: func() ([]byte, error) { return encodeNotice(n) },
	}, decodeNotice)
}

// Notices returns what there is of notices: see [Gateway].
func (c *Client) Notices(ctx context.Context, ids []uuid.UUID) ([]RemoteNotice, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > MaxRemote {
		return nil, &RemoteError{Operation: routeNotices.name, Kind: ErrRemoteInvalid, Reason: fmt.Sprintf("more than %d notices", MaxRemote)}
	}
	body, err := encodeQuery(ids)
	if err != nil {
		return nil, &RemoteError{Operation: routeNotices.name, Kind: ErrRemoteInvalid, Err: err}
	}
	reply, err := c.read(ctx, routeNotices, uuid.Nil, body)
	if err != nil {
		return nil, err
	}
	return read(routeNotices, reply, func(body []byte) ([]RemoteNotice, error) { return decodeNotices(body, ids) })
}

// MoveNotice takes a step with a notice: see [Gateway]. An action that is none of them is
// refused without a call.
func (c *Client) MoveNotice(ctx context.Context, by flussi.Actor, id uuid.UUID, action NoticeAction, proof Proof) (RemoteNotice, error) {
	if action == NoticeCancel {
		proof = Proof{}
	}
	return change(ctx, c, by, call{
		route: routeNoticeSteps[action], school: c.school, id: id,
		body: func() ([]byte, error) { return encodeProof(proof) },
	}, decodeNotice)
}

// NoticePDF returns a notice as a PDF: see [Gateway]. An error of reading is a [*RemoteError]:
// the file is cut off, which wraps [io.ErrUnexpectedEOF]; or it is larger than 8 MiB; or the
// context ended.
func (c *Client) NoticePDF(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
	reply, err := c.engine.Do(ctx, restcall.Operation{
		Name: routePDF.name, Method: routePDF.method, Path: routePDF.to(c.school, id), Stream: maxPDF,
		Header: http.Header{"Accept": {typePDF + ", application/problem+json"}},
	})
	if err != nil || reply.Stream == nil {
		return nil, failed(routePDF, reply, err)
	}
	pdf, err := newPDF(reply, ctx.Err)
	if err != nil {
		_ = reply.Stream.Close()
		return nil, err
	}
	return pdf, nil
}

// Receipt returns the receipt of a payment: see [Gateway].
func (c *Client) Receipt(ctx context.Context, id uuid.UUID) (Receipt, error) {
	reply, err := c.read(ctx, routeReceipt, id, nil)
	if err != nil {
		return Receipt{}, err
	}
	return read(routeReceipt, reply, func(body []byte) (Receipt, error) { return decodeReceipt(body, id) })
}

// call is a step that changes something.
type call struct {
	route  route
	school string // that it is about
	id     uuid.UUID
	check  error // what is wrong with the data
	body   func() ([]byte, error)
}

// change takes a step and reads how things are afterwards.
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
	if err := changed(s.route, reply, err); err != nil {
		return none, err
	}
	there, err := decode(reply.Body, s.id)
	if err != nil {
		return none, &RemoteError{Operation: s.route.name, Kind: ErrUnknown, Outcome: Unknown, Status: reply.Status,
			Attempts: len(reply.Attempts), Reason: "the reply " + err.Error()}
	}
	return there, nil
}

// prepare refuses what need not be asked, or returns the body.
func (c *Client) prepare(by flussi.Actor, s call) ([]byte, error) {
	refused := func(kind error, reason string, cause error) error {
		return &RemoteError{Operation: s.route.name, Kind: kind, Outcome: Refused, Reason: reason, Err: cause}
	}
	switch {
	case s.route.path == "":
		s.route.name = "take a step"
		return nil, refused(ErrRemoteInvalid, "there is no such step", nil)
	case by.Check() != nil:
		return nil, refused(ErrRemoteForbidden, "nobody is said to act", by.Check())
	case s.school != c.school:
		return nil, refused(ErrRemoteForbidden, "it is of another school", nil)
	case s.id == uuid.Nil:
		return nil, refused(ErrRemoteInvalid, "it has no ID", nil)
	case s.check != nil:
		return nil, refused(ErrRemoteInvalid, "the data are not valid", s.check)
	}
	body, err := s.body()
	if err != nil {
		return nil, refused(ErrRemoteInvalid, "it cannot be written", err)
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
		return nil, failed(r, reply, err)
	}
	return reply, nil
}

// read takes the reply of such a call.
func read[T any](r route, reply *restcall.Reply, decode func([]byte) (T, error)) (T, error) {
	value, err := decode(reply.Body)
	if err != nil {
		var none T
		return none, &RemoteError{Operation: r.name, Kind: ErrUnavailable, Status: reply.Status, Attempts: len(reply.Attempts),
			Reason: "the reply " + err.Error()}
	}
	return value, nil
}

// changed judges the reply to a step: nil if it was done, whatever the reply says besides. What
// is not clear is unknown.
func changed(r route, reply *restcall.Reply, err error) error {
	if reply == nil {
		e := failed(r, reply, err)
		e.Outcome = NotDone
		var failure *restcall.Failure
		if !errors.As(err, &failure) || failure.Sent {
			e.Kind, e.Outcome = ErrUnknown, Unknown
		}
		return e
	}
	if reply.Status == http.StatusOK || reply.Status == http.StatusCreated {
		if reply.BodyErr == nil {
			return nil
		}
	}
	e := failed(r, reply, nil)
	switch {
	case slices.Contains([]error{ErrRemoteInvalid, ErrUnauthorized, ErrRemoteForbidden, ErrRemoteNotFound, ErrRemoteState}, e.Kind):
		e.Outcome = Refused
	case e.Kind == ErrRateLimited:
		e.Outcome = NotDone
	default:
		e.Kind, e.Outcome = ErrUnknown, Unknown
	}
	return e
}

// failed describes a call that did not succeed, of any operation.
func failed(r route, reply *restcall.Reply, err error) *RemoteError {
	e := &RemoteError{Operation: r.name, Kind: ErrUnavailable}
	if reply == nil {
		e.Err = err
		var failure *restcall.Failure
		if errors.As(err, &failure) {
			e.Err, e.Attempts, e.Reason = failure.Err, len(failure.Attempts), restcall.Describe(failure.Err)
		}
		if failure != nil && failure.Ended {
			e.Kind = ErrInterrupted
		}
		return e
	}
	e.Status, e.Attempts = reply.Status, len(reply.Attempts)
	if said := reply.Said(); said != nil {
		e.Problem = flussi.NewText(said.Detail)
		if said.Detail == "" {
			e.Problem = flussi.NewText(said.Title)
		}
	}
	switch reply.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		e.Kind = ErrRemoteInvalid
	case http.StatusUnauthorized:
		e.Kind = ErrUnauthorized
	case http.StatusForbidden:
		e.Kind = ErrRemoteForbidden
	case http.StatusNotFound:
		// A wrong address must not read as something that is not there.
		if e.Reason = "nothing at this address; check the BaseURL"; reply.Problem() != nil {
			e.Kind, e.Reason = ErrRemoteNotFound, ""
		}
	case http.StatusConflict:
		e.Kind = ErrRemoteState
	case http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = ErrRateLimited, restcall.RetryAfter(reply.Header, time.Now())
	default:
		if reply.BodyErr != nil {
			e.Reason = "the reply was not complete: " + restcall.Describe(reply.BodyErr)
		}
	}
	return e
}
