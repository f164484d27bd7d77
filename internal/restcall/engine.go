// Package restcall sends HTTP requests for the clients of platforms. Its engine decides when a
// request may be repeated, keeps to the pace, limits the bytes that it reads, and never logs or
// prints what it sends.
//
// A client describes an [Operation] and gets a [Reply], whatever its status, or a [*Failure] that
// says whether the request may have reached the server. The client decides what a reply means;
// [RemoteError] and [SetOutcome] build its error.
package restcall

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/flussi-go/flussi"
)

// Engine sends the operations of one client. [NewEngine] makes it; it is safe for concurrent use
// once its fields are set.
type Engine struct {
	Base        *url.URL          // in front of every path, without a slash at the end
	Client      *http.Client      // made by [Isolate]
	Authorize   func(http.Header) // adds the key to a request; a function, since fmt prints no closure
	Pace        Pace              // waited for before every attempt; slowed down after every 429
	Logger      *slog.Logger      // receives every attempt, without personal data
	Attempted   Attempted         // receives every attempt, too; nil: none
	MaxAttempts int               // at least 1
	MinWait     time.Duration     // before the second attempt; doubled for each further one
	MaxWait     time.Duration     // of a wait between attempts; the call ends if the server asks for more
	MaxBody     int64             // bytes of a reply that are read

	reuse *reuse
}

// Pace spreads calls over time. Clients that share a limit share a Pace.
type Pace interface {
	// Wait returns when the next call may start, or with the error of the context. If the server
	// asked to wait for longer than most, it returns a PausedError of package pace at once.
	Wait(ctx context.Context, most time.Duration) error
	// SlowDown lowers the rate after a 429. The server asked to wait for retryAfter; 0 if it did
	// not say.
	SlowDown(retryAfter time.Duration)
}

// Attempted receives an attempt that has ended, with the context of the call.
type Attempted = func(context.Context, flussi.Attempt)

// Repeat says when an operation may be attempted again.
type Repeat uint8

const (
	// AfterFailure repeats after every failure that may be temporary: for calls that only read.
	AfterFailure Repeat = iota
	// IfNotSent repeats only if the server certainly did not act on the request: after 429, or if
	// the request did not reach it.
	IfNotSent
)

// Operation is one call.
type Operation struct {
	Name   string // for logs and errors, such as "submit message"
	Method string // of HTTP
	Path   string // escaped; may hold personal data: never logged, never in an error
	Body   []byte // sent as JSON; nil for none
	Repeat Repeat // when it may be attempted again

	// Header has further headers; nil for none. It may hold personal data: never logged.
	Header http.Header
	// Stream, if it is not 0, is how many bytes of a reply with status 200 the caller may read,
	// from Reply.Stream. After such a reply nothing is repeated.
	Stream int64
}

// Reply is what the server answered to the last attempt, whatever its status.
type Reply struct {
	Status   int         // of HTTP
	Header   http.Header // as received
	Body     []byte      // what could be read of it
	BodyErr  error       // why it could not be read to the end; nil if it could
	Attempts []Attempt   // all, the last one included

	// Stream has the body in place of Body, if the operation asks for it. The caller closes it. The
	// context of the call and the client's Timeout still limit it. Its errors do not show their
	// text; a body that is cut off ends with [io.ErrUnexpectedEOF], if HTTP shows it, and one that
	// is too long with [ErrTooLarge].
	Stream io.ReadCloser
}

// Attempt is the result of one attempt.
type Attempt struct {
	Status int           // of the reply; 0 if there was none
	Reason string        // why it failed; "" if it did not
	Wait   time.Duration // before the next attempt; 0 if there is none
}

// ErrTooLarge is the BodyErr of a reply that is larger than Engine.MaxBody, and the error of
// reading a stream that is longer than Operation.Stream.
var ErrTooLarge = errors.New("reply is too large")

// Isolate returns a copy of a client for an engine. The copy uses the same transport and
// connections, [DefaultTransport] if there is none, but cannot close the caller's idle ones. It stores no cookies and follows no
// redirects, which would send the key and the request to another address. The client's Timeout
// limits each attempt.
func Isolate(client *http.Client) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := client.Transport
	if base == nil {
		base = DefaultTransport()
	}
	own.Transport = newRoundTripper(base, client.Timeout)
	// http.Client would start a goroutine for each request to enforce the time-out, since the
	// transport is not net/http's own type.
	own.Timeout = 0
	own.Jar = nil // no platform logs in by cookie
	return &own
}

// native reports whether the transport is net/http's own, with no protocol but its own.
func (e *Engine) native() bool {
	t, ok := e.Client.Transport.(roundTripper)
	return ok && t.native
}

// mayUseHTTP2 reports whether net/http may send the next request over HTTP/2. It returns true if
// that is unknown.
func (e *Engine) mayUseHTTP2() bool {
	t, ok := e.Client.Transport.(roundTripper)
	return ok && t.native && !t.http1.Load() && (t.unencryptedHTTP2 || e.Base.Scheme == "https")
}

func newRoundTripper(base http.RoundTripper, timeout time.Duration) roundTripper {
	t := roundTripper{base: base, timeout: timeout, http1: new(atomic.Bool)}
	transport, ok := base.(*http.Transport)
	if !ok {
		return t
	}
	t.native = true
	// The transport may be in use, and sets its own protocols on first use: read a clone.
	clone := transport.Clone()
	for protocol := range clone.TLSNextProto {
		t.native = t.native && protocol == "h2"
	}
	t.unencryptedHTTP2 = clone.Protocols != nil && clone.Protocols.UnencryptedHTTP2()
	return t
}

// roundTripper limits the time of a request and its reply, and hides all methods of a transport
// but RoundTrip. It removes the Location of redirects: http.Client parses it and rewinds the body
// before it calls CheckRedirect, and an error of either would hide the reply.
type roundTripper struct {
	base             http.RoundTripper
	native           bool // see [Engine.native]
	unencryptedHTTP2 bool // HTTP/2 may be used without TLS
	timeout          time.Duration
	http1            *atomic.Bool // the last reply came over HTTP/1
}

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.limited(r)
	if err != nil || resp == nil {
		return resp, err
	}
	t.http1.Store(resp.ProtoMajor == 1)
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Header.Del("Location")
	}
	return resp, nil
}

// limited makes the request within the timeout.
func (t roundTripper) limited(r *http.Request) (*http.Response, error) {
	if t.timeout <= 0 {
		return t.base.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), t.timeout)
	resp, err := t.base.RoundTrip(r.WithContext(ctx))
	if err != nil || resp == nil || resp.Body == nil {
		cancel()
		return resp, err
	}
	resp.Body = bounded{resp.Body, cancel}
	return resp, nil
}

// bounded is a body whose time-out ends when it is closed.
type bounded struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// Do sends an operation, and repeats it where that is permitted. It returns the reply to the last
// attempt, whatever its status; without a reply, the error is a [*Failure].
func (e *Engine) Do(ctx context.Context, op Operation) (*Reply, error) {
	c := &call{engine: e, op: op, caller: ctx}
	c.attempts = c.first[:0]
	if err := c.waitForTurn(); err != nil {
		return nil, c.failure(err)
	}
	req, err := c.request()
	if err != nil {
		c.attempt = nil
		return nil, c.failure(err)
	}
	client := retryablehttp.Client{
		HTTPClient:   e.Client,
		Logger:       nil, // its own shows URLs
		RetryMax:     e.MaxAttempts - 1,
		CheckRetry:   c.checkRetry,
		Backoff:      c.backoff,
		PrepareRetry: c.prepare,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	// The library drops replies and puts URLs into errors: c has the reply, which checkRetry read
	// and closed.
	_, err = client.Do(req)
	switch {
	case c.waiting: // the context ended between two attempts, after one that may be repeated
		return nil, c.failure(err)
	case c.reply != nil:
		c.reply.Attempts = c.attempts
		return c.reply, nil
	}
	return nil, c.failure(err)
}

// read reads a body up to the engine's limit.
func (e *Engine) read(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // the body is the connection itself, which no context ends
	}
	if n := resp.ContentLength; n > 0 && n <= e.MaxBody {
		data := make([]byte, n)
		read, err := io.ReadFull(resp.Body, data)
		return data[:read], err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, e.MaxBody+1))
	if int64(len(data)) > e.MaxBody {
		return data[:e.MaxBody], ErrTooLarge
	}
	return data, err
}
