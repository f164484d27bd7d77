package restcall

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// call is one operation under way.
type call struct {
	engine  *Engine
	op      Operation
	caller  context.Context
	attempt *attempt // under way
	waiting bool     // for the next attempt
	wait    time.Duration

	attempts []Attempt // that are over
	reply    *Reply    // of the last one
}

// attempt knows whether any of the request was written. Transports that do not
// support tracing at least read the body before they send it.
type attempt struct {
	written atomic.Bool
}

// traced returns a context that tells the attempt what is written.
func (a *attempt) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { a.written.Store(true) },
	})
}

// body is a request's body that tells its attempt when it is read.
type body struct {
	*bytes.Reader
	attempt *attempt
}

func (b body) Read(p []byte) (int, error) {
	b.attempt.written.Store(true)
	return b.Reader.Read(p)
}

// WriteTo hides the reader's own, which would bypass Read.
func (b body) WriteTo(w io.Writer) (int64, error) {
	b.attempt.written.Store(true)
	return b.Reader.WriteTo(w)
}

// request makes the request of the first attempt.
func (c *call) request() (*retryablehttp.Request, error) {
	var raw any
	if c.op.Body != nil {
		raw = retryablehttp.ReaderFunc(func() (io.Reader, error) {
			return body{bytes.NewReader(c.op.Body), c.attempt}, nil
		})
	}
	req, err := retryablehttp.NewRequestWithContext(c.attempt.traced(c.caller), c.op.Method, c.engine.Base.String()+c.op.Path, raw)
	if err != nil {
		return nil, err
	}
	c.engine.Authorize(req.Header)
	req.Header.Set("Accept", "application/json, application/problem+json")
	if c.op.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// prepare begins a further attempt.
func (c *call) prepare(req *http.Request) error {
	if err := c.engine.Pace.Wait(c.caller); err != nil {
		return err
	}
	c.waiting = false
	c.attempt = &attempt{}
	*req = *req.WithContext(c.attempt.traced(c.caller))
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
		data, bodyErr := c.engine.read(resp.Body)
		c.reply = &Reply{Status: resp.StatusCode, Header: resp.Header, Body: data, BodyErr: bodyErr}
		over.Status = resp.StatusCode
		asked = RetryAfter(resp.Header, time.Now())
		if resp.StatusCode == http.StatusTooManyRequests {
			c.engine.Pace.Slow(asked)
		}
	}
	var again bool
	over.Reason, again = c.judge(err)
	c.wait = max(asked, c.jittered(len(c.attempts)))
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
		again = c.op.Repeat == Freely || !c.attempt.written.Load()
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
		Sent:      !c.waiting && c.attempt.written.Load(),
		Ended:     c.caller.Err() != nil,
		Attempts:  c.attempts,
		Err:       cause(err),
	}
}
