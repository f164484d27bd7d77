package restgatewaytest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// FaultKind is a way in which a call can go wrong.
type FaultKind string

// The kinds of faults. Those with Stored may go wrong before or after the platform did what it
// was asked for. A kind that does not exist is answered with 501.
const (
	BadRequest      FaultKind = "400"         // as problem+json, for no reason in the request
	Unauthorized    FaultKind = "401"         // by the gateway, as if the credentials had expired
	Forbidden       FaultKind = "403"         // as problem+json
	NotFound        FaultKind = "404"         // as problem+json
	NoSuchAddress   FaultKind = "404 gateway" // by the gateway, as if the address were wrong
	Conflict        FaultKind = "409"         // as problem+json
	Unprocessable   FaultKind = "422"         // as problem+json
	TooManyRequests FaultKind = "429"         // asking for RetryAfter
	TooManyBare     FaultKind = "429 bare"    // without headers or body
	ServerProblem   FaultKind = "500 problem" // as problem+json; Stored or not
	ServerError     FaultKind = "500"         // without a body; Stored or not
	BadGateway      FaultKind = "502"         // the gateway's HTML; Stored or not
	Unavailable     FaultKind = "503"         // the gateway's JSON; Stored or not
	GatewayTimeout  FaultKind = "504"         // without a body; Stored or not
	Redirected      FaultKind = "307"         // to another place
	Slow            FaultKind = "slow"        // answers well, after Delay
	Silent          FaultKind = "silent"      // never answers; Stored or not
	Reset           FaultKind = "reset"       // the connection breaks; Stored or not
	Truncated       FaultKind = "truncated"   // done, and the reply breaks off among its headers
	CutBody         FaultKind = "cut body"    // done, and the body of the reply, such as a PDF, is cut off
	CutUnseen       FaultKind = "cut unseen"  // the same, of a reply that does not say how long it is
	Garbled         FaultKind = "garbled"     // done, and the body of the reply is none
	OtherID         FaultKind = "other ID"    // done, and the reply is about something else
	Huge            FaultKind = "huge"        // done, and the reply is followed by 16 MiB of nothing
)

// Fault is something that goes wrong with a call. The zero Fault is none: among others for
// [Simulator.Fail], it lets a call pass.
type Fault struct {
	Kind       FaultKind     // what; "": nothing
	Stored     bool          // after the platform did what was asked; for the kinds that leave it open
	Delay      time.Duration // before the answer
	RetryAfter time.Duration // for TooManyRequests, in whole seconds. Defaults to 1 s
}

// String names the fault, such as "reset (stored)".
func (f Fault) String() string {
	if f.Stored {
		return string(f.Kind) + " (stored)"
	}
	return string(f.Kind)
}

// Does reports whether the platform does what it is asked for in a call with the fault,
// whatever it answers.
func (f Fault) Does() bool {
	return f.Stored || slices.Contains([]FaultKind{"", Slow, Truncated, CutBody, CutUnseen, Garbled, OtherID, Huge}, f.Kind)
}

// Faults returns a fault of every kind that exists, Stored and not where that is open.
func Faults() []Fault {
	var all []Fault
	for _, kind := range []FaultKind{ServerProblem, ServerError, BadGateway, Unavailable, GatewayTimeout, Silent, Reset} {
		all = append(all, Fault{Kind: kind}, Fault{Kind: kind, Stored: true})
	}
	for _, kind := range []FaultKind{
		BadRequest, Unauthorized, Forbidden, NotFound, NoSuchAddress, Conflict, Unprocessable, TooManyRequests, TooManyBare,
		Redirected, Slow, Truncated, CutBody, CutUnseen, Garbled, OtherID, Huge,
	} {
		all = append(all, Fault{Kind: kind})
	}
	return all
}

// randomFaults strike calls by chance.
type randomFaults struct {
	random *rand.Rand
	rate   float64
	faults []Fault
}

// Fail injects faults into the next calls of an operation, one each, in turn.
func (s *Simulator) Fail(op Operation, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued[op] = append(s.queued[op], faults...)
}

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1, picked by
// the seed. Without faults, or at rate 0, it stops that. Faults of [Simulator.Fail] come first.
func (s *Simulator) FailAtRandom(op Operation, rate float64, seed uint64, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random[op] = &randomFaults{rand.New(rand.NewPCG(seed, seed)), rate, slices.Clone(faults)}
}

// StopFailing takes back all faults of [Simulator.Fail] and [Simulator.FailAtRandom] that have
// not struck.
func (s *Simulator) StopFailing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.queued)
	clear(s.random)
}

// pick returns the fault for the next call, or nil.
func (s *Simulator) pick(op Operation) *Fault {
	if queue := s.queued[op]; len(queue) > 0 {
		s.queued[op] = queue[1:]
		return &queue[0]
	}
	if r := s.random[op]; r != nil && len(r.faults) > 0 && r.random.Float64() < r.rate {
		return &r.faults[r.random.IntN(len(r.faults))]
	}
	return nil
}

// inject makes a call go wrong. The answer is what would have come of it.
func (f *Fault) inject(w http.ResponseWriter, r *http.Request, answer func() *response) {
	if !f.wait(r) {
		return
	}
	good := &response{status: http.StatusOK}
	if f.Does() {
		good = answer()
	}
	injected := func(status int) *response {
		return problem(status, "Injected fault", "Nothing is wrong with the request")
	}
	switch f.Kind {
	case "", Slow:
		good.write(w)
	case BadRequest:
		injected(http.StatusBadRequest).write(w)
	case Unauthorized:
		gateway(http.StatusUnauthorized, "Access denied due to invalid credentials.").write(w)
	case Forbidden:
		injected(http.StatusForbidden).write(w)
	case NotFound:
		injected(http.StatusNotFound).write(w)
	case NoSuchAddress:
		gateway(http.StatusNotFound, "Resource not found").write(w)
	case Conflict:
		injected(http.StatusConflict).write(w)
	case Unprocessable:
		injected(http.StatusUnprocessableEntity).write(w)
	case TooManyRequests:
		tooMany(max(f.RetryAfter, time.Second)).write(w)
	case TooManyBare:
		w.WriteHeader(http.StatusTooManyRequests)
	case ServerProblem:
		injected(http.StatusInternalServerError).write(w)
	case ServerError:
		w.WriteHeader(http.StatusInternalServerError)
	case BadGateway:
		(&response{http.StatusBadGateway, "text/html", nil, []byte("<html><body><h1>502 Bad Gateway</h1></body></html>")}).write(w)
	case Unavailable:
		gateway(http.StatusServiceUnavailable, "The service is unavailable.").write(w)
	case GatewayTimeout:
		w.WriteHeader(http.StatusGatewayTimeout)
	case Redirected:
		w.Header().Set("Location", r.URL.Path+"/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Silent:
		<-r.Context().Done()
	case Reset:
		hangUp(w, "")
	case Truncated:
		hangUp(w, fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Le", good.status))
	case CutBody:
		hangUp(w, fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", good.status, good.kind, len(good.body), good.half()))
	case CutUnseen:
		hangUp(w, fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Type: %s\r\nConnection: close\r\n\r\n%s", good.status, good.kind, good.half()))
	case Garbled:
		good.body = []byte("?" + string(good.half()))
		good.write(w)
	case OtherID:
		good.body = anyID.ReplaceAll(good.body, []byte(`"$1":"`+uuid.NewString()+`"`))
		good.write(w)
	case Huge:
		good.body = append(good.body, bytes.Repeat([]byte(" "), 16<<20)...)
		good.write(w)
	default:
		problem(http.StatusNotImplemented, "Unknown fault", string(f.Kind)).write(w)
	}
}

// anyID is what a reply says that it is about.
var anyID = regexp.MustCompile(`"(id|notice)":"[^"]*"`)

// half is the first half of a body.
func (r *response) half() []byte { return r.body[:len(r.body)/2] }

// wait waits for the delay, and reports whether the client is still there.
func (f *Fault) wait(r *http.Request) bool {
	if f.Delay <= 0 {
		return true
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}

// hangUp breaks the connection, after writing what is given.
func hangUp(w http.ResponseWriter, last string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's own way to break off
	}
	if last != "" {
		_, _ = conn.Write([]byte(last))
	} else if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
	_ = conn.Close()
}
