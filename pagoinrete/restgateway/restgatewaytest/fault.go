package restgatewaytest

import (
	"time"

	"github.com/flussi-go/flussi/internal/faults"
)

// FaultKind is a way in which a call can go wrong.
type FaultKind string

// The kinds of faults. Those that say "Stored or not" happen before or after the platform does what
// the call asks for. An unknown kind is answered with 501.
const (
	BadRequest       FaultKind = "400"         // as problem+json, although the request is valid
	Unauthorized     FaultKind = "401"         // by the gateway, as if the credentials had expired
	Forbidden        FaultKind = "403"         // as problem+json
	NotFound         FaultKind = "404"         // as problem+json
	NoSuchAddress    FaultKind = "404 gateway" // by the gateway, as if the address were wrong
	Conflict         FaultKind = "409"         // as problem+json
	Unprocessable    FaultKind = "422"         // as problem+json
	TooManyRequests  FaultKind = "429"         // asking for RetryAfter
	TooManyBare      FaultKind = "429 bare"    // without headers or body
	ServerProblem    FaultKind = "500 problem" // as problem+json; Stored or not
	ServerError      FaultKind = "500"         // without a body; Stored or not
	BadGateway       FaultKind = "502"         // the gateway's HTML; Stored or not
	Unavailable      FaultKind = "503"         // the gateway's JSON; Stored or not
	GatewayTimeout   FaultKind = "504"         // without a body; Stored or not
	Redirected       FaultKind = "307"         // to another address
	Slow             FaultKind = "slow"        // the right answer, after Delay
	Silent           FaultKind = "silent"      // never answers; Stored or not
	Reset            FaultKind = "reset"       // of the connection; Stored or not
	Truncated        FaultKind = "truncated"   // done, and the reply ends within its headers
	CutBody          FaultKind = "cut body"    // done, and the body of the reply, such as a PDF, is cut off
	CutWithoutLength FaultKind = "cut unseen"  // the same, of a reply without a length: HTTP cannot tell
	Garbled          FaultKind = "garbled"     // done, and the body of the reply is not valid
	OtherID          FaultKind = "other ID"    // done, and the reply is about another ID
	Huge             FaultKind = "huge"        // done, and 16 MiB of spaces follow the reply
)

// Fault is a fault of a call. The zero Fault is none: in a list for [Simulator.Fail], it lets a
// call succeed.
type Fault struct {
	Kind       FaultKind     // "" for none
	Stored     bool          // after the platform did what the call asks for; for kinds that say "Stored or not"
	Delay      time.Duration // before the answer
	RetryAfter time.Duration // for TooManyRequests, in whole seconds. Defaults to 1 s
}

// String names the fault, such as "reset (stored)".
func (f Fault) String() string { return f.generic().String() }

// generic converts a fault for package faults.
func (f Fault) generic() faults.Fault {
	return faults.Fault{Kind: string(f.Kind), Stored: f.Stored, Delay: f.Delay, RetryAfter: f.RetryAfter}
}

// ExecutesCall reports whether the platform does what a call with the fault asks for, whatever it
// answers.
func (f Fault) ExecutesCall() bool { return f.generic().ExecutesCall() }

// kinds are all kinds of faults that Pago In Rete has.
var kinds = []FaultKind{
	ServerProblem, ServerError, BadGateway, Unavailable, GatewayTimeout, Silent, Reset,
	BadRequest, Unauthorized, Forbidden, NotFound, NoSuchAddress, Conflict, Unprocessable, TooManyRequests, TooManyBare,
	Redirected, Slow, Truncated, CutBody, CutWithoutLength, Garbled, OtherID, Huge,
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

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1; the seed
// picks the calls. It replaces the share of before: rate 0 ends it. Faults of [Simulator.Fail]
// come first.
func (s *Simulator) FailAtRandom(op Operation, rate float64, seed uint64, faults ...Fault) {
	s.front.FailAtRandom(op, rate, seed, faults...)
}

// StopFailing removes all faults of [Simulator.Fail] and [Simulator.FailAtRandom] that were not
// injected yet.
func (s *Simulator) StopFailing() { s.front.StopFailing() }
