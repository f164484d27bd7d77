package restcall

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
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

// attempt knows whether the request may have been written. As long as its headers
// were not written to the end, no server can act on it. A transport that does not
// trace what it does may have written it at any time.
type attempt struct {
	traced  atomic.Bool // the transport tells what it does
	written atomic.Bool // the headers, to the end
}

// maySend reports whether the request may have reached a server.
func (a *attempt) maySend() bool { return a.written.Load() || !a.traced.Load() }

// begin makes the next attempt and the context for it.
func (c *call) begin() context.Context {
	a := &attempt{}
	a.traced.Store(c.engine.traces())
	c.attempt = a
	return httptrace.WithClientTrace(c.caller, &httptrace.ClientTrace{
		GetConn:      func(string) { a.traced.Store(true) },
		WroteHeaders: func() { a.written.Store(true) },
	})
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
	at.Path, at.RawPath = at.Path+path, at.EscapedPath()+c.op.Path
	header := make(http.Header, 4)
	c.engine.Authorize(header)
	header["Accept"] = accept
	if c.op.Body != nil {
		header["Content-Type"] = contentType
	}
	req := &retryablehttp.Request{Request: (&http.Request{
		Method: c.op.Method, URL: &at, Host: at.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(c.begin())}
	if c.op.Body == nil {
		return req, nil
	}
	// Of a kind that net/http knows to be in memory, and writes together with the headers.
	return req, req.SetBody(c.op.Body)
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
		data, bodyErr := c.engine.read(resp)
		c.last = Reply{Status: resp.StatusCode, Header: resp.Header, Body: data, BodyErr: bodyErr}
		c.reply = &c.last
		over.Status = resp.StatusCode
		if resp.StatusCode >= 400 {
			asked = RetryAfter(resp.Header, time.Now())
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			c.engine.Pace.Slow(asked)
		}
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
// attempted again.
func (c *call) judge(err error) (reason string, again bool) {
	switch {
	case err != nil:
		again = c.op.Repeat == Freely || !c.attempt.maySend()
		return Describe(err), again && !lasting(err)
	case c.reply.Status == http.StatusTooManyRequests:
		return "too many requests", true
	case c.reply.Status == http.StatusInternalServerError && c.reply.Problem() != nil:
		return "problem at the server", true
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
	return time.Duration(float64(wait) * (0.5 + rand.Float64()))
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
	return &Failure{
		Operation: c.op.Name,
		Sent:      !c.waiting && c.attempt != nil && c.attempt.maySend(),
		Ended:     c.caller.Err() != nil,
		Attempts:  c.attempts,
		Err:       conceal(err),
	}
}
