package flow_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/flow/memstore"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/internal/pipenet"
)

// reply is what a scripted platform answers.
type reply struct {
	status     int
	kind       string // Content-Type
	body       string
	retryAfter string
}

// problem is an answer of the service.
func problem(status int, title, detail string) reply {
	body, _ := json.Marshal(map[string]any{"status": status, "title": title, "detail": detail})
	return reply{status: status, kind: "application/problem+json", body: string(body)}
}

// gateway is an answer of the gateway.
func gateway(status int, message string) reply {
	body, _ := json.Marshal(map[string]any{"statusCode": status, "message": message})
	return reply{status: status, kind: "application/json", body: string(body)}
}

// The refusals of the platform's published code.
var (
	notAuthorised = problem(403, "Recipient forbidden", "You are not allowed to send messages to this recipient")
	tooMuch       = problem(400, "Bad Request", "The requested amount (exceeding 10 cents) exceeds the maximum allowed")
	noSuchConfig  = problem(404, "Remote Content Configuration NOT FOUND", "The configuration was not found")
	tooYoung      = problem(422, "Recipient age not eligible", "The recipient is not within the age range of the service")
	noPermission  = problem(403, "You are not allowed here", "You do not have enough permissions to complete the operation")
)

// firewall is the answer of a firewall in front of the platform.
var firewall = reply{status: 403, kind: "text/html", body: "<html>403 Forbidden</html>"}

// scripted is an App IO with a script. It accepts what the script does not answer.
type scripted struct {
	script func(call int, to flussi.FiscalCode) *reply // of submissions
	read   func(id string) *reply                      // of messages
	slow   bool                                        // submissions take up to a second
	takes  time.Duration                               // each submission

	mu       sync.Mutex
	calls    int
	accepted map[string]int // messages by recipient
}

func (p *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		parts := strings.Split(r.URL.Path, "/")
		if p.read != nil {
			if answer := p.read(parts[len(parts)-1]); answer != nil {
				answer.write(w)
				return
			}
		}
		reply{status: 200, kind: "application/json", body: `{"message":{},"status":"PROCESSED"}`}.write(w)
		return
	}
	var m struct {
		To string `json:"fiscal_code"`
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if p.slow {
		time.Sleep(rand.N(time.Second))
	}
	time.Sleep(p.takes)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	to, _ := flussi.ParseFiscalCode(m.To)
	if answer := p.script(p.calls, to); answer != nil {
		answer.write(w)
		return
	}
	if p.accepted == nil {
		p.accepted = map[string]int{}
	}
	p.accepted[m.To]++
	reply{status: 201, kind: "application/json", body: fmt.Sprintf(`{"id":"01JN6Q5CZ3VGTA%012d"}`, p.calls)}.write(w)
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.kind)
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// once checks that nobody was sent two messages, and returns how many were sent one.
func (p *scripted) once(t testing.TB) int {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, times := range p.accepted {
		require.Equal(t, 1, times)
	}
	return len(p.accepted)
}

// onPlatform returns a world whose clients call a scripted platform over real connections.
func onPlatform(t testing.TB, p http.Handler, config ...worldConfig) *world {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return worldAt(t, server.URL, server.Client(), config...)
}

// worldAt returns a world whose clients use an HTTP client.
func worldAt(t testing.TB, url string, client *http.Client, config ...worldConfig) *world {
	t.Helper()
	var c worldConfig
	if len(config) > 0 {
		c = config[0]
	}
	c.client.BaseURL, c.client.HTTPClient = url+appiotest.BasePath, client
	if c.client.Pace == nil {
		c.client.Pace = freePace(t)
	}
	w := &world{store: memstore.New(), senders: clients(t, c.client)}
	w.Service = must.Get(flow.NewService(w.store, flow.Permissions{operator.ID: {taxes}}, w.senders, c.service))(t)
	return w
}

// inPipes is onPlatform for a bubble of time.
func inPipes(t testing.TB, p http.Handler, config ...worldConfig) *world {
	t.Helper()
	transport, closeAll := pipenet.Serve(p)
	t.Cleanup(closeAll)
	return worldAt(t, "http://localhost", &http.Client{Transport: transport, Timeout: 10 * time.Second}, config...)
}

// to answers one recipient, and accepts the others.
func to(n int, a reply) func(int, flussi.FiscalCode) *reply {
	return func(_ int, code flussi.FiscalCode) *reply {
		if code == citizen(n) {
			return &a
		}
		return nil
	}
}

// always gives every submission the same answer.
func always(a reply) func(int, flussi.FiscalCode) *reply {
	return func(int, flussi.FiscalCode) *reply { return &a }
}
