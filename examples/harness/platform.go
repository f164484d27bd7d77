//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/examples/internal/proctest"
)

// The service of the trials on the simulated platform.
const (
	serviceID  = "prova"
	serviceKey = "chiave-che-non-si-stampa"
)

// platform is a simulated App IO. It waits for a moment before it executes a call, and for another
// one before it answers. The outputs of the programs are compared with what it stored.
type platform struct {
	*appiotest.Simulator
	requests *proctest.Arrivals
	server   *httptest.Server
	URL      string
	latency  atomic.Int64 // a further wait before each answer, in nanoseconds
	open     atomic.Int64 // requests that are being answered
	spoiled  atomic.Int64 // replies that were spoiled

	mu       sync.Mutex
	random   *rand.Rand
	mischief *mischief
	share    int // of the calls that are spoiled, in percent
}

func newPlatform(seed uint64) *platform {
	p := &platform{Simulator: appiotest.New(appiotest.Config{Unlimited: true}), random: rand.New(rand.NewPCG(seed, 1))}
	p.AddService(appiotest.Service{ID: serviceID, Key: serviceKey})
	p.requests = &proctest.Arrivals{Handler: http.HandlerFunc(p.serve)}
	p.server = httptest.NewServer(p.requests)
	p.server.Config.ErrorLog = nil
	p.URL = p.server.URL + appiotest.BasePath
	return p
}

func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	p.open.Add(1)
	defer p.open.Add(-1)
	time.Sleep(p.moment(3*time.Millisecond) + time.Duration(p.latency.Load()))
	if m := p.spoils(); m != nil {
		p.spoiled.Add(1)
		m.do(p, w, r)
		return
	}
	p.Simulator.ServeHTTP(w, r)
	time.Sleep(p.moment(6 * time.Millisecond)) // the reply is written when the handler returns
}

// spoils returns the mischief of a call, nil if it has none.
func (p *platform) spoils() *mischief {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mischief == nil || p.random.IntN(100) >= p.share {
		return nil
	}
	return p.mischief
}

// ruin spoils a share of the calls, in percent, until heal.
func (p *platform) ruin(m mischief, share int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mischief, p.share = &m, share
}

// heal ends all mischief and all faults.
func (p *platform) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mischief = nil
	p.StopFailing()
}

func (p *platform) number(most int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(most)
}

func (p *platform) moment(most time.Duration) time.Duration {
	return time.Duration(p.number(int(most)))
}

// quiet waits until no request is being answered. Then a request of a killed program is stored, or
// never will be.
func (p *platform) quiet() {
	for calm := 0; calm < 3; calm++ {
		time.Sleep(2 * time.Millisecond)
		if p.open.Load() > 0 {
			calm = -1
		}
	}
}

// strike waits for a random number of requests, and then for a random time. It returns at once if
// the program ends, and after 3 seconds without the requests.
func (p *platform) strike(random *rand.Rand, requests int, most time.Duration, done <-chan struct{}) {
	place := p.requests.After(1 + random.IntN(max(1, requests)))
	moment := time.Duration(random.Int64N(int64(most)))
	select {
	case <-place:
		select {
		case <-time.After(moment):
		case <-done:
		}
	case <-done:
	case <-time.After(3 * time.Second): // it may wait for leases
	}
}

// times returns how many messages each citizen has.
func (p *platform) times() map[string]int {
	times := map[string]int{}
	for _, d := range p.Deliveries() {
		times[d.Recipient.Reveal()]++
	}
	return times
}

// mischief is how an evil or broken server answers.
type mischief struct {
	name, what string
	endless    bool // a program would wait until the mischief ends
	do         func(p *platform, w http.ResponseWriter, r *http.Request)
}

// mischiefs returns all kinds of mischief.
func mischiefs() []mischief {
	faults := func(kinds ...appiotest.Fault) func(*platform, http.ResponseWriter, *http.Request) {
		return func(p *platform, w http.ResponseWriter, r *http.Request) {
			fault := kinds[p.number(len(kinds))]
			switch fault.Kind {
			case appiotest.ServerError, appiotest.ServerProblem, appiotest.BadGateway, appiotest.Unavailable, appiotest.GatewayTimeout, appiotest.Reset:
				fault.Stored = p.number(2) == 0
			case appiotest.Slow:
				fault.Delay = p.moment(fault.Delay)
			case appiotest.TooManyRequests:
				fault.RetryAfter = time.Duration(1+p.number(3)) * time.Second
			}
			p.Fail(operation(r), fault)
			p.Simulator.ServeHTTP(w, r)
		}
	}
	return []mischief{
		{name: "early close", what: "a proxy closes each connection 2 ms after its reply", do: func(p *platform, w http.ResponseWriter, r *http.Request) {
			p.raw(w, p.reply(r), 2*time.Millisecond)
		}},
		{name: "429", what: "429 for ever, with or without a Retry-After", endless: true, do: faults(
			appiotest.Fault{Kind: appiotest.TooManyRequests}, appiotest.Fault{Kind: appiotest.TooManyBare})},
		{name: "500", what: "500, 502, 503 and 504, whether or not the message was stored", do: faults(appiotest.Fault{Kind: appiotest.ServerError},
			appiotest.Fault{Kind: appiotest.ServerProblem}, appiotest.Fault{Kind: appiotest.BadGateway}, appiotest.Fault{Kind: appiotest.Unavailable}, appiotest.Fault{Kind: appiotest.GatewayTimeout})},
		{name: "refusals", what: "400, 401, 403, 404, 422 and redirects", do: faults(appiotest.Fault{Kind: appiotest.BadRequest}, appiotest.Fault{Kind: appiotest.Unauthorized},
			appiotest.Fault{Kind: appiotest.Forbidden}, appiotest.Fault{Kind: appiotest.NotFound}, appiotest.Fault{Kind: appiotest.Unprocessable}, appiotest.Fault{Kind: appiotest.Redirected})},
		{name: "half replies", what: "replies that are cut off, and connections that are reset", do: faults(appiotest.Fault{Kind: appiotest.Truncated},
			appiotest.Fault{Kind: appiotest.CutBody}, appiotest.Fault{Kind: appiotest.NoID}, appiotest.Fault{Kind: appiotest.Reset})},
		{name: "slow", what: "right replies, some after the lease", do: faults(appiotest.Fault{Kind: appiotest.Slow, Delay: 3 * leaseTime / 2})},
		{name: "malformed", what: "replies that are no HTTP or no JSON", do: func(p *platform, w http.ResponseWriter, r *http.Request) {
			text := malformed[p.number(len(malformed))]
			if strings.HasPrefix(text, "HTTP/1.1 20") || p.number(2) == 0 { // after this reply the platform must have the message
				p.reply(r)
			} else {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			p.raw(w, text, 0)
		}},
		{name: "unsolicited", what: "a second reply without a request, which quotes the first request", do: func(p *platform, w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			echo := "fiscal_code=" + strings.ReplaceAll(string(body), "\n", " ")
			p.raw(w, p.reply(r)+httpReply(http.StatusBadRequest, "text/plain", echo), 5*time.Millisecond)
		}},
	}
}

// malformed are replies that no server should send.
var malformed = []string{
	"HTP/1.1 2O1 Created\r\n\r\n",
	"HTTP/1.1 201 Created\r\nContent-Length: -5\r\n\r\n{}",
	"HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n{\"id\":",
	"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	"HTTP/1.1 999\r\n\r\n",
	"\x00\x01\x02\x03\x16\x03\x01",
	httpReply(http.StatusCreated, "application/json", `{"id":5}`),
	httpReply(http.StatusCreated, "application/json", `{"id":"\u001b[31mnon un ULID"}`),
	httpReply(http.StatusCreated, "text/html", "<html>ciao</html>"),
	httpReply(http.StatusOK, "application/json", "[]"),
	httpReply(http.StatusNoContent, "application/json", ""),
}

// operation returns the operation of a request.
func operation(r *http.Request) appiotest.Operation {
	switch {
	case r.Method == http.MethodGet:
		return appiotest.GetMessage
	case strings.HasSuffix(r.URL.Path, "/profiles"):
		return appiotest.GetProfile
	}
	return appiotest.SubmitMessage
}

// reply returns the simulator's reply as it goes over the network.
func (p *platform) reply(r *http.Request) string {
	recorder := httptest.NewRecorder()
	p.Simulator.ServeHTTP(recorder, r)
	return httpReply(recorder.Code, recorder.Header().Get("Content-Type"), recorder.Body.String())
}

func httpReply(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %s\r\n\r\n%s", status, http.StatusText(status), contentType, strconv.Itoa(len(body)), body)
}

// raw writes a text into the connection, and closes it after a while.
func (p *platform) raw(w http.ResponseWriter, text string, after time.Duration) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's own way to break off
	}
	_, _ = io.WriteString(conn, text)
	time.Sleep(after)
	if tcp, is := conn.(*net.TCPConn); is && after == 0 {
		_ = tcp.CloseWrite()
	}
	_ = conn.Close()
}
