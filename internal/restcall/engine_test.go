package restcall

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

const secret = "RSSMRA80A01H501U"

// freePace lets everything pass and counts what it is told.
type freePace struct {
	waits atomic.Int32
	slow  atomic.Int64
}

func (p *freePace) Wait(ctx context.Context, _ time.Duration) error {
	p.waits.Add(1)
	return ctx.Err()
}

func (p *freePace) SlowDown(d time.Duration) { p.slow.Store(int64(d)) }

// step answers an attempt.
type step = func(*http.Request) (*http.Response, error)

// scripted is a transport that answers each attempt with the next of its steps, the
// last one again and again.
type scripted struct {
	steps []step
	calls int
}

func script(steps ...step) *scripted { return &scripted{steps: steps} }

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.steps[min(s.calls, len(s.steps)-1)]
	s.calls++
	return next(r)
}

// answers reads the request's body, as servers do, and answers.
func answers(status int, body string, header ...string) step {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

// fails ends an attempt without a reply, before or after it wrote the request.
func fails(err error, written bool) step {
	return func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		trace.GetConn("")
		if written {
			trace.WroteHeaders()
		}
		return nil, err
	}
}

func engine(rt http.RoundTripper) (*Engine, *freePace) {
	base, err := url.Parse("http://platform.test/api/v1")
	if err != nil {
		panic(err)
	}
	pace := &freePace{}
	return &Engine{
		Base: base, Client: Isolate(&http.Client{Transport: rt}), Authorize: func(h http.Header) { h.Set("Key", secret) }, Pace: pace,
		Logger: slog.New(slog.DiscardHandler), MaxAttempts: 4, MinWait: 100 * time.Millisecond, MaxWait: time.Minute, MaxBody: 1000, reuse: &reuse{},
	}, pace
}

func failure(t *testing.T, err error) (f *Failure) {
	t.Helper()
	require.ErrorAs(t, err, &f)
	return f
}

func operation(repeat Repeat) Operation {
	return Operation{Name: "submit message", Method: http.MethodPost, Path: "/messages/" + secret, Body: []byte(`{"x":"` + secret + `"}`), Repeat: repeat}
}

const problem = "application/problem+json"

func TestRepetitions(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset by peer: " + secret)}
	refused := &net.OpError{Op: "dial", Err: errors.New("refused: " + secret)}
	for name, test := range map[string]struct {
		step                    step
		afterFailure, ifNotSent int // how many attempts each policy makes of four
	}{
		"a success":                   {answers(201, `{}`), 1, 1},
		"a refusal":                   {answers(400, `{}`, "Content-Type", problem), 1, 1},
		"a missing thing":             {answers(404, ``), 1, 1},
		"too many requests":           {answers(429, ``), 4, 4},
		"a problem at the server":     {answers(500, `{"status":500}`, "Content-Type", problem), 4, 1},
		"a problem with parameters":   {answers(500, `{}`, "Content-Type", problem+"; charset=utf-8"), 4, 1},
		"a problem that is no object": {answers(500, `[]`, "Content-Type", problem), 4, 1},
		"a problem that is null":      {answers(500, `null`, "Content-Type", problem), 4, 1},
		"a problem that is cut off":   {answers(500, `{"status":5`, "Content-Type", problem), 4, 1},
		"an error of who knows what":  {answers(500, `{"status":500}`, "Content-Type", "application/json"), 4, 1},
		"an empty error":              {answers(500, ``), 4, 1},
		"a bad gateway":               {answers(502, `<html>`), 4, 1},
		"a gateway's error, as JSON":  {answers(500, `{"statusCode":500,"message":"x"}`, "Content-Type", "application/json"), 4, 1},
		"a reply that is cut off": {func(r *http.Request) (*http.Response, error) {
			resp, err := answers(200, "x")(r)
			resp.ContentLength = 5
			return resp, err
		}, 4, 1},
		"a problem behind a gateway":           {answers(502, `{"status":500}`, "Content-Type", problem), 4, 1},
		"an unavailable gateway":               {answers(503, ``, "Retry-After", "1"), 4, 1},
		"a gateway that timed out":             {answers(504, ``), 4, 1},
		"what the server cannot do":            {answers(501, ``), 1, 1},
		"no connection":                        {fails(refused, false), 4, 4},
		"a connection that broke":              {fails(reset, true), 4, 1},
		"a server that asks for too long":      {answers(429, ``, "Retry-After", "61"), 1, 1},
		"a server that asks for just not that": {answers(429, ``, "Retry-After", "60"), 4, 4},
		"a reply that is too large":            {answers(200, strings.Repeat("x", 1001)), 1, 1},
		"a redirect":                           {answers(307, ``, "Location", "http://elsewhere.test/"), 1, 1},
	} {
		for repeat, want := range map[Repeat]int{AfterFailure: test.afterFailure, IfNotSent: test.ifNotSent} {
			t.Run(fmt.Sprint(name, " ", repeat), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					transport := script(test.step)
					e, pace := engine(transport)
					reply, err := e.Do(t.Context(), operation(repeat))
					assert.Equal(t, want, transport.calls)
					assert.EqualValues(t, want, pace.waits.Load(), "every attempt asks the pace")
					var attempts []Attempt
					if err != nil {
						attempts = failure(t, err).Attempts
						must.NotContain(t, err.Error(), secret, "platform.test")
					} else {
						attempts = reply.Attempts
					}
					assert.Len(t, attempts, want)
					for i, a := range attempts {
						assert.Equal(t, i < want-1, a.Wait > 0, "only an attempt that has a successor waits")
						assert.NotContains(t, a.Reason, secret)
						if want > 1 {
							assert.NotEmpty(t, a.Reason)
						}
					}
				})
			})
		}
	}
}

func TestARepeatedOperationEndsWithTheFirstGoodReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := script(
			fails(&net.OpError{Op: "dial", Err: errors.New("no")}, false),
			answers(429, ``, "X-Rate-Limit-Retry-After", "3"),
			answers(201, `{"id":"1"}`),
		)
		e, pace := engine(transport)
		start := time.Now()
		reply := must.Get(e.Do(t.Context(), operation(IfNotSent)))(t)
		assert.Equal(t, `{"id":"1"}`, string(reply.Body))
		assert.Equal(t, 201, reply.Status)
		assert.GreaterOrEqual(t, time.Since(start), 3*time.Second)
		assert.EqualValues(t, 3*time.Second, pace.slow.Load())
		require.Len(t, reply.Attempts, 3)
		assert.Equal(t, Attempt{Status: 429, Reason: "too many requests", Wait: 3 * time.Second}, reply.Attempts[1])
		assert.Equal(t, Attempt{Status: 201}, reply.Attempts[2])
	})
}

// The last failure decides what a call means: earlier ones were certainly not sent.
func TestAFailureSaysWhetherItWasSent(t *testing.T) {
	dial := fails(&net.OpError{Op: "dial", Err: errors.New("no")}, false)
	reset := fails(io.EOF, true)
	for name, test := range map[string]struct {
		steps []step
		sent  bool
		text  string
	}{
		"the body was not read": {[]step{func(*http.Request) (*http.Response, error) { return nil, io.EOF }}, false, "submit message: connection closed"},
		"the body was read": {[]step{func(r *http.Request) (*http.Response, error) {
			_, _ = r.Body.Read(make([]byte, 1))
			return nil, io.EOF
		}}, true, "submit message: connection closed"},
		"the body was read anew": {[]step{func(r *http.Request) (*http.Response, error) {
			body, _ := r.GetBody()
			_, _ = io.Copy(io.Discard, body)
			return nil, io.EOF
		}}, true, "submit message: connection closed"},
		"never connected":        {[]step{dial}, false, "submit message: network error on dial"},
		"broke":                  {[]step{reset}, true, "submit message: connection closed"},
		"connected at last":      {[]step{dial, dial, reset}, true, "submit message: connection closed"},
		"refused, then no more":  {[]step{answers(429, ""), dial}, false, "submit message: network error on dial"},
		"refused, then it broke": {[]step{answers(429, ""), reset}, true, "submit message: connection closed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, _ := engine(&scripted{steps: test.steps})
				_, err := e.Do(t.Context(), operation(IfNotSent))
				f := failure(t, err)
				assert.Equal(t, test.sent, f.Sent)
				assert.EqualError(t, err, test.text)
			})
		})
	}
}

func TestAContextThatEnds(t *testing.T) {
	t.Run("before the call", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		transport := script(answers(201, ""))
		e, _ := engine(transport)
		_, err := e.Do(ctx, operation(IfNotSent))
		f := failure(t, err)
		assert.False(t, f.Sent)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, transport.calls)
	})
	t.Run("between two attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			transport := script(answers(429, "", "Retry-After", "30"))
			e, _ := engine(transport)
			start := time.Now()
			_, err := e.Do(ctx, operation(IfNotSent))
			f := failure(t, err)
			assert.False(t, f.Sent, "the server refused it")
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(start), "it must return at once")
			assert.Len(t, f.Attempts, 1)
		})
	})
	t.Run("waiting for the pace before the next attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			e, _ := engine(script(answers(429, "")))
			e.Pace = blockedPace{}
			_, err := e.Do(ctx, operation(IfNotSent))
			f := failure(t, err)
			assert.False(t, f.Sent)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
	})
	t.Run("while the request is under way", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		transport := script(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			cancel()
			return nil, r.Context().Err()
		})
		e, _ := engine(transport)
		_, err := e.Do(ctx, operation(AfterFailure))
		f := failure(t, err)
		assert.True(t, f.Sent)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 1, transport.calls, "nothing is repeated for a caller that is gone")
	})
}

// blockedPace lets the first call pass, and no other.
type blockedPace struct{}

func (blockedPace) SlowDown(time.Duration) {}
func (blockedPace) Wait(ctx context.Context, _ time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) > time.Minute-time.Millisecond {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestWaitsGrowAndAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := engine(script(answers(502, "")))
		e.MaxAttempts, e.MaxWait = 40, 2*time.Second
		reply := must.Get(e.Do(t.Context(), operation(AfterFailure)))(t)
		require.Len(t, reply.Attempts, 40)
		for i, a := range reply.Attempts[:39] {
			nominal := min(100*time.Millisecond<<min(i, 10), 2*time.Second)
			assert.GreaterOrEqual(t, a.Wait, nominal/2)
			assert.LessOrEqual(t, a.Wait, min(nominal*3/2, 2*time.Second))
		}
	})
}

func TestARequestIsTheSameOnEveryAttempt(t *testing.T) {
	var seen []string
	record := func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, fmt.Sprint(r.Method, r.URL, r.ContentLength, r.Header, string(body)))
		return answers(429, "")(r)
	}
	synctest.Test(t, func(t *testing.T) {
		e, _ := engine(script(record))
		must.Get(e.Do(t.Context(), operation(IfNotSent)))(t)
	})
	require.Len(t, seen, 4)
	for _, s := range seen {
		assert.Equal(t, seen[0], s)
	}
	must.Contain(t, seen[0], `POSThttp://platform.test/api/v1/messages/`, "Content-Type:[application/json]")
	assert.NotContains(t, seen[0], "Idempotency-Key", "net/http repeats requests that carry one")
}

func TestLogsShowNothingPersonal(t *testing.T) {
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		e, _ := engine(script(
			fails(fmt.Errorf("%s", secret), false), answers(500, `{"detail":"`+secret+`"}`, "Content-Type", problem), answers(201, secret),
		))
		e.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		must.Get(e.Do(t.Context(), operation(AfterFailure)))(t)
	})
	must.NotContain(t, log.String(), secret, "platform.test")
	assert.Equal(t, 3, strings.Count(log.String(), `operation="submit message"`), log.String())
	assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"))
	assert.Contains(t, log.String(), `attempt=2 status=500 reason="problem at the server" wait=`)
}

// What else may stand behind a transport, it may not trace.
func TestOnlyNetHTTPItselfIsBelievedToTrace(t *testing.T) {
	other := map[string]func(string, *tls.Conn) http.RoundTripper{"odd/1": nil}
	for name, test := range map[string]struct {
		transport http.RoundTripper
		want      bool
	}{
		"the default":            {nil, true},
		"net/http's":             {&http.Transport{}, true},
		"with another protocol":  {&http.Transport{TLSNextProto: other}, false},
		"without HTTP/2":         {&http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}, true},
		"a transport of its own": {&scripted{}, false},
	} {
		e := &Engine{Client: Isolate(&http.Client{Transport: test.transport})}
		assert.Equal(t, test.want, e.native(), name)
	}
}

// noting is a body that notes when it is closed.
type noting struct {
	io.Reader
	closed *int
}

func (n noting) Close() error { *n.closed++; return nil }

func TestEveryReplyIsClosedAndItsTimeEnded(t *testing.T) {
	closed := 0
	var contexts []context.Context
	e, _ := engine(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		contexts = append(contexts, r.Context())
		return &http.Response{StatusCode: 502, Body: noting{strings.NewReader("x"), &closed}}, nil
	}))
	e.Client = Isolate(&http.Client{Transport: e.Client.Transport, Timeout: time.Hour})
	e.MinWait = time.Millisecond
	must.Get(e.Do(t.Context(), operation(AfterFailure)))(t)
	require.Len(t, contexts, 4)
	assert.GreaterOrEqual(t, closed, 4)
	for _, ctx := range contexts {
		deadline, ok := ctx.Deadline()
		assert.True(t, ok && time.Until(deadline) > 50*time.Minute)
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestIsolateKeepsTheCallersConnections(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer server.Close()
	var dials atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	e, _ := engine(transport)
	e.Base = must.Get(url.Parse(server.URL))(t)
	for range 10 {
		assert.Equal(t, 502, must.Get(e.Do(t.Context(), operation(IfNotSent)))(t).Status)
	}
	assert.EqualValues(t, 1, dials.Load(), "go-retryablehttp closes idle connections after every failure")
	assert.NotNil(t, Isolate(&http.Client{}).Transport)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 2, 28, 18, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		rate, retry string
		want        time.Duration
	}{
		"neither":              {"", "", 0},
		"seconds":              {"", "7", 7 * time.Second},
		"a fraction":           {"1.5", "", 1500 * time.Millisecond},
		"the longer one":       {"3", "5", 5 * time.Second},
		"the longer one, too":  {"5", "3", 5 * time.Second},
		"a date":               {"", "Fri, 28 Feb 2025 18:00:09 GMT", 9 * time.Second},
		"a date that is over":  {"", "Fri, 28 Feb 2025 17:00:09 GMT", 0},
		"a date in a year":     {"", "Sat, 28 Feb 2026 18:00:00 GMT", 24 * time.Hour},
		"nonsense":             {"soon", "later", 0},
		"a negative number":    {"-5", "", 0},
		"no number":            {"NaN", "Inf", 0},
		"a number beyond time": {"1e300", "", 24 * time.Hour},
		"more than a day":      {"86401", "", 24 * time.Hour},
		"spaces":               {"", " 7 ", 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set("x-rate-limit-retry-after", test.rate)
			h.Set("Retry-After", test.retry)
			assert.Equal(t, test.want, RetryAfter(h, now))
		})
	}
	ahead := http.Header{"Date": {"Fri, 28 Feb 2025 10:00:00 GMT"}, "Retry-After": {"Fri, 28 Feb 2025 10:00:09 GMT"}}
	assert.Equal(t, 9*time.Second, RetryAfter(ahead, now), "the clock of this machine is wrong")
}

func TestProblem(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want *flussi.Problem
	}{
		"a problem":             {`{"type":"about:blank","title":"Bad","status":400,"detail":"no","instance":"x"}`, &flussi.Problem{Status: 400, Type: flussi.NewText("about:blank"), Title: flussi.NewText("Bad"), Detail: flussi.NewText("no")}},
		"fields of other types": {`{"title":"Bad","status":"400","detail":{}}`, &flussi.Problem{Title: flussi.NewText("Bad")}},
		"a gateway":             {`{ "statusCode": 401, "message": "Access denied" }`, &flussi.Problem{Status: 401, Detail: flussi.NewText("Access denied")}},
		"empty":                 {``, nil},
		"an empty object":       {`{}`, nil},
		"another object":        {`{"id":"1"}`, nil},
		"HTML":                  {`<html>`, nil},
		"a list":                {`[1]`, nil},
		"null":                  {`null`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, (&Reply{Body: []byte(test.body)}).Problem())
		})
	}
}

func TestDescribe(t *testing.T) {
	for want, err := range map[string]error{
		"no reply":                            nil,
		"canceled":                            &url.Error{URL: secret, Err: context.Canceled},
		"timed out":                           &url.Error{URL: secret, Err: context.DeadlineExceeded},
		"host not found":                      &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: secret}},
		"connection closed":                   fmt.Errorf("%s: %w", secret, io.ErrUnexpectedEOF),
		"network error on write":              &net.OpError{Op: "write", Err: errors.New(secret)},
		"transport error *fmt.wrapError":      fmt.Errorf("%s: %w", secret, errors.New(secret)),
		"transport error *errors.errorString": errors.New(secret),
	} {
		assert.Equal(t, want, Describe(err))
		assert.Equal(t, want, Describe(conceal(err)), "what is concealed is described alike")
	}
}

func TestFaultsOfRealConnections(t *testing.T) {
	listener := must.Get(net.Listen("tcp", "127.0.0.1:0"))(t)
	closed := listener.Addr().String()
	require.NoError(t, listener.Close())
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	resets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}))
	defer resets.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then the server does not see that a client is gone
		<-r.Context().Done()
	}))
	defer slow.Close()

	for name, test := range map[string]struct {
		base     string
		sent     bool
		text     string
		attempts int
	}{
		"nobody listens":             {"http://" + closed, false, "connection refused", 2},
		"no such host":               {"http://nowhere.invalid", false, "host not found", 2},
		"a server without TLS":       {strings.Replace(plain.URL, "http:", "https:", 1), false, "transport error", 1},
		"an untrusted certificate":   {untrusted.URL, false, "certificate not accepted", 1},
		"a server that hangs up":     {resets.URL, true, "connection", 1},
		"a server that says nothing": {slow.URL, true, "timed out", 1},
	} {
		t.Run(name, func(t *testing.T) {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			e, _ := engine(transport)
			patience := 10 * time.Second
			if name == "a server that says nothing" {
				patience = 300 * time.Millisecond
			}
			e.Client = Isolate(&http.Client{Transport: transport, Timeout: patience})
			e.MaxAttempts, e.MinWait = 2, time.Millisecond
			e.Base = must.Get(url.Parse(test.base))(t)
			_, err := e.Do(t.Context(), operation(IfNotSent))
			f := failure(t, err)
			assert.Equal(t, test.sent, f.Sent)
			assert.Contains(t, err.Error(), test.text)
			if name != "a server without TLS" {
				assert.Len(t, f.Attempts, test.attempts)
			}
		})
	}
}
