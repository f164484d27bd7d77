package restcall

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// call is one operation under way.
type call struct {
	engine  *Engine
	op      Operation
	caller  context.Context
	attempt *attempt // under way; nil before the first
	waiting bool     // for the next attempt
	wait    time.Duration

	attempts []Attempt  // that are over
	room     [1]Attempt // for most calls
	reply    *Reply     // of the last one: last, or nil
	last     Reply
}

// attempt knows whether the request may have reached a server. There are two kinds of
// evidence that it did not. net/http's own transport traces what it does: it looked for
// a connection and found none, and the error says so. Of any other transport nothing is
// believed but that it has not read the body, without which no server can act.
type attempt struct {
	sought   atomic.Bool // a connection, by a transport that traces
	insecure atomic.Bool // the connection could not be secured
	headers  atomic.Bool // were written to the end
	complete atomic.Bool // the whole request was written
	read     atomic.Bool // the body was read; only known of a tracked body
}

// maySend reports whether the request may have reached a server before the attempt
// ended with the error.
func (a *attempt) maySend(err error, native bool) bool {
	switch {
	case a.headers.Load():
		return true
	case native:
		return !a.sought.Load() || !a.insecure.Load() && !connecting(err)
	}
	return a.read.Load()
}

// begin makes the next attempt and the context for it.
func (c *call) begin() context.Context {
	a := &attempt{}
	c.attempt = a
	return httptrace.WithClientTrace(c.caller, &httptrace.ClientTrace{
		GetConn:          func(string) { a.sought.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { a.insecure.Store(err != nil) },
		WroteHeaders:     func() { a.headers.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				a.complete.Store(true)
			}
		},
	})
}

// errRewind keeps net/http from repeating a request by itself, as it does over HTTP/2
// whenever the server says that it did not look at it: past the pace, the number of
// attempts and the log.
var errRewind = errors.New("request was written, and is not repeated")

// body is a request's body for transports that are not net/http's: it tells when it is
// read. net/http would write the headers in a packet of their own in front of it.
type body struct {
	*bytes.Reader
	attempt *attempt
}

func (b body) Read(p []byte) (int, error) {
	b.attempt.read.Store(true)
	return b.Reader.Read(p)
}

// WriteTo hides the reader's own, which would bypass Read.
func (b body) WriteTo(w io.Writer) (int64, error) {
	b.attempt.read.Store(true)
	return b.Reader.WriteTo(w)
}

// setBody gives a request the body of the operation.
func (c *call) setBody(req *retryablehttp.Request) error {
	fresh := func() (io.Reader, error) {
		if c.engine.native() {
			return bytes.NewReader(c.op.Body), nil
		}
		return body{bytes.NewReader(c.op.Body), c.attempt}, nil
	}
	if err := req.SetBody(retryablehttp.ReaderFunc(fresh)); err != nil {
		return err
	}
	again := req.GetBody
	req.GetBody = func() (io.ReadCloser, error) {
		if c.op.Repeat == IfNotSent && c.attempt.complete.Load() {
			return nil, errRewind
		}
		return again()
	}
	return nil
}

// What every request carries; shared, since nobody changes it.
var (
	accept      = []string{"application/json, application/problem+json"}
	contentType = []string{"application/json"}
)

// request makes the request of the first attempt. The base was parsed long ago.
func (c *call) request() (*retryablehttp.Request, error) {
	path, err := url.PathUnescape(c.op.Path)
	if err != nil {
		return nil, err
	}
	at := *c.engine.Base
	if path != c.op.Path || at.RawPath != "" {
		at.RawPath = at.EscapedPath() + c.op.Path
	}
	at.Path += path
	header := make(http.Header, 4)
	c.engine.Authorize(header)
	header["Accept"] = accept
	if c.op.Body != nil {
		header["Content-Type"] = contentType
	}
	maps.Copy(header, c.op.Header)
	req := &retryablehttp.Request{Request: (&http.Request{
		Method: c.op.Method, URL: &at, Host: at.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(c.begin())}
	if c.op.Body == nil {
		return req, nil
	}
	return req, c.setBody(req)
}

// prepare begins a further attempt.
func (c *call) prepare(req *http.Request) error {
	if err := c.engine.Pace.Wait(c.caller); err != nil {
		return err
	}
	c.waiting = false
	*req = *req.WithContext(c.begin())
	return nil
}

func (c *call) backoff(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return c.wait
}

// check records what became of an attempt and decides whether there is another.
func (c *call) check(_ context.Context, resp *http.Response, err error) (bool, error) {
	over := Attempt{}
	c.reply = nil
	var asked time.Duration
	if err == nil {
		over.Status = resp.StatusCode
		if resp.StatusCode >= 400 {
			asked = RetryAfter(resp.Header, time.Now())
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			c.engine.Pace.Slow(asked) // before the body, which may take its time
		}
		c.last = Reply{Status: resp.StatusCode, Header: resp.Header}
		if c.op.Stream > 0 && resp.StatusCode == http.StatusOK {
			c.last.Stream = &stream{body: resp.Body, left: c.op.Stream}
		} else {
			c.last.Body, c.last.BodyErr = c.engine.read(resp)
		}
		c.reply = &c.last
	}
	var again bool
	over.Reason, again = c.judge(err)
	if again {
		c.wait = max(asked, c.jittered(len(c.attempts)))
	}
	again = again && len(c.attempts)+1 < c.engine.MaxAttempts && asked <= c.engine.MaxWait && c.caller.Err() == nil
	if again {
		over.Wait = c.wait
	}
	c.waiting = again
	c.attempts = append(c.attempts, over)
	c.log(over)
	return again, nil
}

// judge says why an attempt is not the end of it, and whether the operation may be
// attempted again. A server that answers 500 may have acted on the request, whatever the body of
// the answer says.
func (c *call) judge(err error) (reason string, again bool) {
	switch {
	case err != nil:
		again = c.op.Repeat == Freely || !c.attempt.maySend(err, c.engine.native())
		return Describe(err), again && !lasting(err)
	case c.reply.Status == http.StatusTooManyRequests:
		return "too many requests", true
	case c.reply.Status == http.StatusInternalServerError && c.reply.Problem() != nil:
		return "problem at the server", c.op.Repeat == Freely
	case c.reply.Status >= 500:
		return "server or gateway failed", c.op.Repeat == Freely && c.reply.Status != http.StatusNotImplemented
	case c.reply.BodyErr != nil:
		return "reply was not complete: " + Describe(c.reply.BodyErr),
			c.op.Repeat == Freely && !errors.Is(c.reply.BodyErr, ErrTooLarge)
	}
	return "", false
}

// lasting reports whether a transport error will not pass by itself.
func lasting(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &record)
}

// jittered returns the wait after n attempts before this one: doubled each time, and
// between half and one and a half of that, so that callers do not come back together.
func (c *call) jittered(n int) time.Duration {
	wait := c.engine.MinWait << min(n, 16)
	if wait > c.engine.MaxWait || wait <= 0 {
		wait = c.engine.MaxWait
	}
	return min(time.Duration(float64(wait)*(0.5+rand.Float64())), c.engine.MaxWait)
}

func (c *call) log(over Attempt) {
	level := slog.LevelDebug
	if over.Reason != "" {
		level = slog.LevelWarn
	}
	if !c.engine.Logger.Enabled(c.caller, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", c.op.Name),
		slog.Int("attempt", len(c.attempts)),
		slog.Int("status", over.Status),
	}
	if over.Reason != "" {
		attrs = append(attrs, slog.String("reason", over.Reason))
	}
	if over.Wait > 0 {
		attrs = append(attrs, slog.Duration("wait", over.Wait))
	}
	c.engine.Logger.LogAttrs(c.caller, level, "http attempt", attrs...)
}

// failure describes a call that ended without a reply.
func (c *call) failure(err error) *Failure {
	sent := !c.waiting && c.attempt != nil && c.attempt.maySend(err, c.engine.native())
	ended := c.caller.Err()
	if ended != nil && !errors.Is(err, ended) {
		err = errors.Join(ended, err)
	}
	return &Failure{Operation: c.op.Name, Sent: sent, Ended: ended != nil, Attempts: c.attempts, Err: conceal(err)}
}
