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
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// call is one operation under way.
type call struct {
	engine  *Engine
	op      Operation
	caller  context.Context
	attempt *attempt                      // under way; nil before the first
	waiting bool                          // for the next attempt
	wait    time.Duration                 // before the next attempt
	rewind  func() (io.ReadCloser, error) // returns the body once more; nil without a body
	waited  time.Duration                 // for the turn of the current attempt
	begun   time.Time                     // when the turn of the current attempt came

	attempts []Attempt  // that ended
	first    [1]Attempt // the memory of attempts: most calls make one
	reply    *Reply     // to the last attempt: &last, or nil
	last     Reply
}

// attempt records whether the request may have reached a server. Two things show that it did not.
// net/http's own transport calls the trace: it asked for a connection, and the error says that
// there was none. Any other transport may not call the trace; with one, only a body that was never
// read shows it, since no server acts without the body.
type attempt struct {
	getConn      atomic.Bool // the transport asked for a connection, and so calls the trace
	tlsFailed    atomic.Bool // the TLS handshake failed
	wroteHeaders atomic.Bool // all headers were written
	wroteRequest atomic.Bool // the whole request was written
	reused       atomic.Bool // the connection had been used before
	answered     atomic.Bool // the reply began
	bodyRead     atomic.Bool // the body was read; set only by a tracked body

	conn atomic.Pointer[quietConn] // nil if the transport is not silenced
}

// mayHaveReached reports whether a server may have acted on the request before the attempt ended
// with the error.
func (a *attempt) mayHaveReached(err error, native bool) bool {
	switch {
	case native && a.getConn.Load() && isNotProcessed(err):
		return false
	case a.wroteHeaders.Load():
		return true
	case native:
		return !a.getConn.Load() || !a.tlsFailed.Load() && !isConnectError(err)
	}
	return a.bodyRead.Load()
}

// lostConnection reports whether the attempt ended with an error because a connection was closed that
// had been used before, and a server may have acted on the request.
func (a *attempt) lostConnection(err error, native bool) bool {
	var timeout net.Error
	return native && a.reused.Load() && !a.answered.Load() && a.mayHaveReached(err, native) &&
		!errors.Is(err, context.Canceled) && !(errors.As(err, &timeout) && timeout.Timeout())
}

// judge records what the attempt says about keeping connections.
func (c *call) judge(err error) {
	switch {
	case err == nil && c.attempt.reused.Load():
		c.engine.reuse.proved(time.Now())
	case err != nil && c.caller.Err() == nil && c.attempt.lostConnection(err, c.engine.native()):
		if pause := c.engine.reuse.lost(time.Now()); pause > 0 {
			c.engine.Logger.LogAttrs(c.caller, slog.LevelWarn, "http connections are closed while requests are sent: each request gets its own for a while",
				slog.Duration("pause", pause))
		}
	}
}

// begin starts the next attempt and returns its context.
func (c *call) begin() context.Context {
	a := &attempt{}
	c.attempt = a
	return httptrace.WithClientTrace(c.caller, &httptrace.ClientTrace{
		GetConn: func(string) { a.getConn.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			a.reused.Store(info.Reused)
			conn := quietConnOf(info.Conn)
			if a.conn.Store(conn); conn != nil {
				conn.begin()
			}
		},
		PutIdleConn: func(error) {
			if conn := a.conn.Load(); conn != nil {
				conn.end()
			}
		},
		TLSHandshakeDone:     func(_ tls.ConnectionState, err error) { a.tlsFailed.Store(err != nil) },
		WroteHeaders:         func() { a.wroteHeaders.Store(true) },
		GotFirstResponseByte: func() { a.answered.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				a.wroteRequest.Store(true)
			}
		},
	})
}

// errRewind keeps net/http from repeating a request by itself: such a repetition ignores the pace,
// MaxAttempts and the log.
var errRewind = errors.New("request was written, and is not repeated")

// body is a request's body for transports that are not net/http's: it records that it was read.
// With such a body, net/http would send the headers in a packet of their own.
type body struct {
	*bytes.Reader
	attempt *attempt
}

func (b body) Read(p []byte) (int, error) {
	b.attempt.bodyRead.Store(true)
	return b.Reader.Read(p)
}

// WriteTo hides the reader's own, which would bypass Read.
func (b body) WriteTo(w io.Writer) (int64, error) {
	b.attempt.bodyRead.Store(true)
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
	c.rewind = req.GetBody
	req.GetBody = c.getBody()
	return nil
}

// getBody returns the function by which net/http gets the body once more, or nil.
//
// Over HTTP/1 net/http needs it for a request that it could not write, because the server had
// closed the idle connection. Over HTTP/2 it calls the function if the server says that it did not
// process the request, but also after a protocol error, which proves nothing. It then returns the
// function's error in place of the server's. Without the function, it returns the server's error:
// see [isNotProcessed].
func (c *call) getBody() func() (io.ReadCloser, error) {
	if c.rewind == nil || c.op.Repeat == IfNotSent && c.engine.mayUseHTTP2() {
		return nil
	}
	return func() (io.ReadCloser, error) {
		if c.op.Repeat == IfNotSent && c.attempt.wroteRequest.Load() {
			return nil, errRewind
		}
		return c.rewind()
	}
}

// The headers of every request share these values, which are never changed.
var (
	accept      = []string{"application/json, application/problem+json"}
	contentType = []string{"application/json"}
)

// request returns the request of the first attempt.
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
		Close: !c.engine.reuse.keeps(time.Now()),
	}).WithContext(c.begin())}
	if c.op.Body == nil {
		return req, nil
	}
	return req, c.setBody(req)
}

// waitForTurn waits until an attempt may start. It returns an error if the attempt must not start. It
// is the last step before the request.
func (c *call) waitForTurn() error {
	asked := time.Now()
	err := c.engine.Pace.Wait(c.caller, c.mayWait())
	if err == nil {
		err = pace.MayStart(c.caller)
	}
	c.begun = time.Now()
	c.waited = c.begun.Sub(asked)
	if err != nil {
		c.report(len(c.attempts)+1, 0, Attempt{})
	}
	return err
}

// mayWait returns how long the call may wait for the next attempt.
func (c *call) mayWait() time.Duration { return pace.MayWait(c.caller, c.engine.MaxWait) }

// report passes an attempt to the Attempted function of the engine, if there is one.
func (c *call) report(number int, took time.Duration, a Attempt) {
	if c.engine.Attempted != nil {
		c.engine.Attempted(c.caller, flussi.Attempt{
			Operation: c.op.Name, Number: number, Waited: c.waited, Took: took, Status: a.Status, Pause: a.Wait,
		})
	}
}

// prepare starts a further attempt.
func (c *call) prepare(req *http.Request) error {
	if err := c.waitForTurn(); err != nil {
		return err
	}
	c.waiting = false
	*req = *req.WithContext(c.begin())
	req.GetBody = c.getBody()
	req.Close = !c.engine.reuse.keeps(time.Now())
	return nil
}

func (c *call) backoff(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return c.wait
}

// checkRetry records the result of an attempt and decides whether there is another.
func (c *call) checkRetry(_ context.Context, resp *http.Response, err error) (bool, error) {
	ended := Attempt{}
	c.reply = nil
	c.judge(err)
	var retryAfter time.Duration
	if err == nil {
		ended.Status = resp.StatusCode
		if resp.StatusCode >= 400 {
			retryAfter = RetryAfter(resp.Header, time.Now())
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			c.engine.Pace.SlowDown(retryAfter) // before the body is read, which may take long
		}
		c.last = Reply{Status: resp.StatusCode, Header: resp.Header}
		if c.op.Stream > 0 && resp.StatusCode == http.StatusOK {
			c.last.Stream = &stream{body: resp.Body, left: c.op.Stream}
		} else {
			c.last.Body, c.last.BodyErr = c.engine.read(resp)
		}
		c.reply = &c.last
	}
	reason, retry := c.canRetry(err)
	ended.Reason = reason
	if retry {
		c.wait = max(retryAfter, c.backoffAfter(len(c.attempts)))
	}
	retry = retry && len(c.attempts)+1 < c.engine.MaxAttempts && c.wait <= c.mayWait() && c.caller.Err() == nil
	if retry {
		ended.Wait = c.wait
	}
	c.waiting = retry
	c.attempts = append(c.attempts, ended)
	c.log(ended)
	c.report(len(c.attempts), max(time.Since(c.begun), 1), ended)
	return retry, nil
}

// canRetry returns why an attempt failed, "" if it did not, and whether the operation may be
// repeated. A server that answers 500 may have acted on the request, whatever the body says.
func (c *call) canRetry(err error) (reason string, retry bool) {
	switch {
	case err != nil:
		retry = c.op.Repeat == AfterFailure || !c.attempt.mayHaveReached(err, c.engine.native())
		return Describe(err), retry && !isPermanent(err)
	case c.reply.Status == http.StatusTooManyRequests:
		return "too many requests", true
	case c.reply.Status == http.StatusInternalServerError && c.reply.DeclaredProblem() != nil:
		return "problem at the server", c.op.Repeat == AfterFailure
	case c.reply.Status >= 500:
		return "server or gateway failed", c.op.Repeat == AfterFailure && c.reply.Status != http.StatusNotImplemented
	case c.reply.BodyErr != nil:
		return "reply was not complete: " + Describe(c.reply.BodyErr),
			c.op.Repeat == AfterFailure && !errors.Is(c.reply.BodyErr, ErrTooLarge)
	}
	return "", false
}

// isPermanent reports whether a further attempt would fail in the same way.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &record)
}

// backoffAfter returns the wait after n earlier attempts: doubled each time, and between half and
// one and a half of that, so that callers do not retry at the same moment.
func (c *call) backoffAfter(n int) time.Duration {
	wait := c.engine.MinWait << min(n, 16)
	if wait > c.engine.MaxWait || wait <= 0 {
		wait = c.engine.MaxWait
	}
	return min(time.Duration(float64(wait)*(0.5+rand.Float64())), c.engine.MaxWait)
}

func (c *call) log(a Attempt) {
	level := slog.LevelDebug
	if a.Reason != "" {
		level = slog.LevelWarn
	}
	if !c.engine.Logger.Enabled(c.caller, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", c.op.Name),
		slog.Int("attempt", len(c.attempts)),
		slog.Int("status", a.Status),
	}
	if a.Reason != "" {
		attrs = append(attrs, slog.String("reason", a.Reason))
	}
	if a.Wait > 0 {
		attrs = append(attrs, slog.Duration("wait", a.Wait))
	}
	c.engine.Logger.LogAttrs(c.caller, level, "http attempt", attrs...)
}

// failure returns the error of a call that ended without a reply.
func (c *call) failure(err error) *Failure {
	sent := !c.waiting && c.attempt != nil && c.attempt.mayHaveReached(err, c.engine.native())
	ended := c.caller.Err()
	if errors.Is(err, pace.ErrTooLate) {
		ended = err
	}
	if ended != nil && !errors.Is(err, ended) {
		err = errors.Join(ended, err)
	}
	return &Failure{Operation: c.op.Name, Sent: sent, Ended: ended != nil, Attempts: c.attempts, Err: conceal(err)}
}
