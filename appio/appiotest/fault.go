package appiotest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"
)

// FaultKind is a way in which a call can go wrong.
type FaultKind string

// The kinds of faults. Those with Stored may go wrong before or after the platform
// stored the message; those that speak of an ID are meant for submissions. A kind that
// does not exist is answered with 501.
const (
	BadRequest      FaultKind = "400"            // as problem+json, for no reason in the request
	Unauthorized    FaultKind = "401"            // by the gateway, as if the key had expired
	Forbidden       FaultKind = "403"            // as problem+json
	NotFound        FaultKind = "404"            // as problem+json
	TooManyRequests FaultKind = "429"            // with both headers, asking for RetryAfter
	TooManyBare     FaultKind = "429 bare"       // without headers or body
	ServerProblem   FaultKind = "500 problem"    // as problem+json; Stored or not
	ServerError     FaultKind = "500"            // without a body; Stored or not
	BadGateway      FaultKind = "502"            // the gateway's HTML; Stored or not
	Unavailable     FaultKind = "503"            // the gateway's JSON; Stored or not
	GatewayTimeout  FaultKind = "504"            // without a body; Stored or not
	Slow            FaultKind = "slow"           // answers well, after Delay
	Silent          FaultKind = "silent"         // never answers; Stored or not
	Reset           FaultKind = "reset"          // the connection breaks; Stored or not
	Truncated       FaultKind = "truncated"      // stored, and the reply breaks off among its headers
	CutBody         FaultKind = "cut body"       // stored, and the body of the reply is cut off; its Location is whole
	NoID            FaultKind = "no ID"          // stored, with 201 and no ID anywhere
	LocationOnly    FaultKind = "ID in Location" // stored, with 201 and the ID only in the Location: no fault at all
)

// Fault is something that goes wrong with a call. The zero Fault is none: among others for
// [Simulator.Fail], it lets a call pass.
type Fault struct {
	Kind       FaultKind     // what; "": nothing
	Stored     bool          // after the message was stored; for the kinds that leave it open
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

// Faults returns a fault of every kind that exists, Stored and not where that is open.
func Faults() []Fault {
	var all []Fault
	for _, kind := range []FaultKind{ServerProblem, ServerError, BadGateway, Unavailable, GatewayTimeout, Silent, Reset} {
		all = append(all, Fault{Kind: kind}, Fault{Kind: kind, Stored: true})
	}
	for _, kind := range []FaultKind{BadRequest, Unauthorized, Forbidden, NotFound, TooManyRequests, TooManyBare, Slow, Truncated, CutBody, NoID, LocationOnly} {
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

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1,
// picked by the seed. Without faults, or at rate 0, it stops that. Faults of
// [Simulator.Fail] come first.
func (s *Simulator) FailAtRandom(op Operation, rate float64, seed uint64, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random[op] = &randomFaults{rand.New(rand.NewPCG(seed, seed)), rate, slices.Clone(faults)}
}

// Forget takes back all faults of [Simulator.Fail] and [Simulator.FailAtRandom] that have not
// struck.
func (s *Simulator) Forget() {
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
func (f *Fault) inject(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter)) {
	if !f.wait(r) {
		return
	}
	switch f.Kind {
	case TooManyRequests:
		tooMany(w, max(f.RetryAfter, time.Second))
		return
	case BadRequest:
		problem(w, http.StatusBadRequest, "Bad request", "Injected fault")
		return
	case Unauthorized:
		gateway(w, http.StatusUnauthorized, "Access denied due to invalid subscription key.")
		return
	case Forbidden:
		problem(w, http.StatusForbidden, "You are not allowed here", "Injected fault")
		return
	case NotFound:
		problem(w, http.StatusNotFound, "Not found", "Injected fault")
		return
	case TooManyBare:
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case Slow, "":
		answer(w)
		return
	}

	// What would have been answered; for a submission this is where it is stored.
	lost := httptest.NewRecorder()
	if f.Stored || f.Kind == Truncated || f.Kind == CutBody || f.Kind == NoID || f.Kind == LocationOnly {
		answer(lost)
	}
	switch f.Kind {
	case ServerProblem: // the same answer whether the message was stored or not
		problem(w, http.StatusInternalServerError, "Internal server error", "The message cannot be delivered")
	case ServerError:
		w.WriteHeader(http.StatusInternalServerError)
	case BadGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case Unavailable:
		gateway(w, http.StatusServiceUnavailable, "The service is unavailable.")
	case GatewayTimeout:
		w.WriteHeader(http.StatusGatewayTimeout)
	case Silent:
		<-r.Context().Done()
	case Reset:
		hangUp(w, "")
	case Truncated:
		hangUp(w, fmt.Sprintf("HTTP/1.1 %d Created\r\nContent-Type: application/json\r\nContent-Le", lost.Code))
	case CutBody:
		hangUp(w, fmt.Sprintf("HTTP/1.1 %d Created\r\nContent-Type: application/json\r\nLocation: %s\r\nContent-Length: %d\r\n\r\n%s",
			lost.Code, lost.Header().Get("Location"), lost.Body.Len(), lost.Body.String()[:lost.Body.Len()/2]))
	case NoID:
		w.WriteHeader(lost.Code)
	case LocationOnly:
		w.Header().Set("Location", lost.Header().Get("Location"))
		w.WriteHeader(lost.Code)
	default:
		problem(w, http.StatusNotImplemented, "Unknown fault", string(f.Kind))
	}
}

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
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler) // the server's own way to break off
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if last != "" {
		_, _ = conn.Write([]byte(last))
	} else if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
	_ = conn.Close()
}
