package appiotest

import (
	"time"

	"github.com/flussi-go/flussi/internal/faults"
)

// FaultKind is a way in which a call can go wrong.
type FaultKind string

// The kinds of faults. Those that say "Stored or not" happen before or after the platform
// stores the message; those about an ID are for submissions. An unknown kind is answered
// with 501.
const (
	Redirected      FaultKind = "307"            // to another address
	BadRequest      FaultKind = "400"            // as problem+json, although the request is valid
	Unauthorized    FaultKind = "401"            // by the gateway, as if the key had expired
	Forbidden       FaultKind = "403"            // as problem+json
	NotFound        FaultKind = "404"            // as problem+json
	Unprocessable   FaultKind = "422"            // as problem+json
	TooManyRequests FaultKind = "429"            // with both headers, asking for RetryAfter
	TooManyBare     FaultKind = "429 bare"       // without headers or body
	ServerProblem   FaultKind = "500 problem"    // as problem+json; Stored or not
	ServerError     FaultKind = "500"            // without a body; Stored or not
	BadGateway      FaultKind = "502"            // the gateway's HTML; Stored or not
	Unavailable     FaultKind = "503"            // the gateway's JSON; Stored or not
	GatewayTimeout  FaultKind = "504"            // without a body; Stored or not
	Slow            FaultKind = "slow"           // the right answer, after Delay
	Silent          FaultKind = "silent"         // never answers; Stored or not
	Reset           FaultKind = "reset"          // of the connection; Stored or not
	Truncated       FaultKind = "truncated"      // stored, and the reply ends within its headers
	CutBody         FaultKind = "cut body"       // stored, and the body of the reply is cut off, not its Location
	NoID            FaultKind = "no ID"          // stored, with 201 and without an ID
	LocationOnly    FaultKind = "ID in Location" // stored, with 201 and the ID only in the Location: the client must find it
)

// Fault is a fault of a call. The zero Fault is none: in a list for [Simulator.Fail], it lets
// a call succeed.
type Fault struct {
	Kind       FaultKind     // "" for none
	Stored     bool          // after the message was stored; for kinds that say "Stored or not"
	Delay      time.Duration // before the answer
	RetryAfter time.Duration // for TooManyRequests, in whole seconds. Defaults to 1 s
}

// String names the fault, such as "reset (stored)".
func (f Fault) String() string { return f.generic().String() }

// generic converts a fault for package faults.
func (f Fault) generic() faults.Fault {
	return faults.Fault{Kind: string(f.Kind), Stored: f.Stored, Delay: f.Delay, RetryAfter: f.RetryAfter}
}

// kinds are all kinds of faults that App IO has.
var kinds = []FaultKind{
	ServerProblem, ServerError, BadGateway, Unavailable, GatewayTimeout, Silent, Reset,
	Redirected, BadRequest, Unauthorized, Forbidden, NotFound, Unprocessable, TooManyRequests, TooManyBare, Slow, Truncated, CutBody, NoID, LocationOnly,
}

// Faults returns a fault of every kind; of kinds that say "Stored or not", two.
func Faults() []Fault {
	var all []Fault
	for kind, stored := range faults.Each(kinds) {
		all = append(all, Fault{Kind: kind, Stored: stored})
	}
	return all
}

// Fail injects faults into the next calls of an operation, one each, in turn.
func (s *Simulator) Fail(op Operation, faults ...Fault) { s.front.Fail(op, faults...) }

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1; the
// seed picks the calls. It replaces the share of before: rate 0 ends it. Faults of
// [Simulator.Fail] come first.
func (s *Simulator) FailAtRandom(op Operation, rate float64, seed uint64, faults ...Fault) {
	s.front.FailAtRandom(op, rate, seed, faults...)
}

// StopFailing removes all faults of [Simulator.Fail] and [Simulator.FailAtRandom] that were
// not injected yet.
func (s *Simulator) StopFailing() { s.front.StopFailing() }
