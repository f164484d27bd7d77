// Package restcall sends HTTP requests for the platform clients: one engine that
// knows when a request may be repeated, keeps the pace, caps what it reads, and
// never shows what it sends.
//
// A client describes an [Operation] and gets a [Reply], whatever its status, or a
// [*Failure] that says whether the request may have reached the server. What a
// reply means is up to the client.
package restcall

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Engine sends the operations of one client. Its fields are set before the first
// call; after that it is safe for concurrent use.
type Engine struct {
	Base        *url.URL          // in front of every path, without a slash at the end
	Client      *http.Client      // made by [Isolate]
	Authorize   func(http.Header) // adds the key to a request; a function, since those do not print
	Pace        Pace              // asked before every attempt, told of every 429
	Logger      *slog.Logger      // hears of every attempt, without personal data
	MaxAttempts int               // at least 1
	MinWait     time.Duration     // the first wait between attempts, doubled for each further one
	MaxWait     time.Duration     // no wait is longer; a server that asks for more ends the call
	MaxBody     int64             // bytes of a reply that are read
}

// Pace spreads calls over time. It is shared by whatever shares a limit.
type Pace interface {
	// Wait returns when the next call may go out, or with the error of the context.
	Wait(ctx context.Context) error
	// Slow says that the server refused a call as one too many, and how long it asked
	// to be left alone; 0 if it did not say.
	Slow(retryAfter time.Duration)
}

// Repeat says when an operation may be attempted again.
type Repeat uint8

const (
	// Freely repeats what changes nothing: after any failure that may pass.
	Freely Repeat = iota
	// IfNotSent repeats only where the server certainly did not act on the request: after 429,
	// and where the request did not reach it.
	IfNotSent
)

// Operation is one call.
type Operation struct {
	Name   string // for logs and errors, such as "submit message"
	Method string // of HTTP
	Path   string // escaped; may hold personal data: never logged, never in an error
	Body   []byte // sent as JSON; nil for none
	Repeat Repeat // when it may be attempted again

	// Header holds what the request carries besides; nil for nothing. It may hold personal
	// data: never logged.
	Header http.Header
	// Stream, if it is not 0, leaves the body of a reply with status 200 to the caller, as
	// Reply.Stream, and is how many bytes of it can be read. Once there is such a reply,
	// nothing is repeated.
	Stream int64
}

// Reply is a complete answer of the server, whatever its status.
type Reply struct {
	Status   int         // of HTTP
	Header   http.Header // as received
	Body     []byte      // what could be read of it
	BodyErr  error       // why it could not be read to the end; nil if it could
	Attempts []Attempt   // all, the last one included

	// Stream is the body in place of Body, where the operation asks for it: the caller closes
	// it. The context of the call and the client's Timeout go on to bound it. Its errors are
	// concealed; one that is cut off ends with [io.ErrUnexpectedEOF], as far as HTTP can tell,
	// and one that is too long with [ErrTooLarge].
	Stream io.ReadCloser
}

// Attempt is what became of one attempt.
type Attempt struct {
	Status int           // of the reply, 0 if there was none
	Reason string        // why it was not the end, "" for the last one if all went well
	Wait   time.Duration // before the next one
}

// ErrTooLarge is the BodyErr of a reply that is larger than the engine's MaxBody, and the
// error of reading a stream that is longer than its operation's Stream.
var ErrTooLarge = errors.New("reply is too large")

// Isolate returns a copy of a client for an engine. It shares the transport, and so
// the connections. It does not follow redirects, which would carry the key and the
// request to another place, and the engine cannot close the idle connections of the
// caller's transport; it keeps no cookies. The client's Timeout bounds each attempt.
func Isolate(client *http.Client) *http.Client {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	transport, native := base.(*http.Transport)
	if native {
		// Looked at in a clone: the transport itself may be in use, and sets its own
		// protocols on first use.
		for protocol := range transport.Clone().TLSNextProto {
			native = native && protocol == "h2"
		}
	}
	// http.Client starts a goroutine for each request to bound it, over a transport that
	// is not its own.
	own.Transport = roundTripper{base, native, client.Timeout}
	own.Timeout = 0
	own.Jar = nil // nobody logs in here
	return &own
}

// native reports whether the transport is net/http's own, with none but its own
// protocols behind it.
func (e *Engine) native() bool {
	t, ok := e.Client.Transport.(roundTripper)
	return ok && t.native
}

// roundTripper bounds the time of a request, its reply included, and hides all of a
// transport but RoundTrip.
type roundTripper struct {
	base    http.RoundTripper
	native  bool // see [Engine.native]
	timeout time.Duration
}

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
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

// bounded is a body whose time is bounded until it is closed.
type bounded struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b bounded) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// Do sends an operation, again if it may be repeated. It returns a reply if the last
// attempt had one, whatever its status; otherwise the error is a [*Failure].
func (e *Engine) Do(ctx context.Context, op Operation) (*Reply, error) {
	c := &call{engine: e, op: op, caller: ctx}
	c.attempts = c.room[:0]
	if err := e.Pace.Wait(ctx); err != nil {
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
		CheckRetry:   c.check,
		Backoff:      c.backoff,
		PrepareRetry: c.prepare,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	// What came of it is in the call's own record, since the library drops replies and
	// puts URLs into errors.
	_, err = client.Do(req) // check has read and closed the reply
	switch {
	case c.waiting: // between two attempts: the last one surely may be repeated
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
