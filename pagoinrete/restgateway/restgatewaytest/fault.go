package restgatewaytest

import (
	"time"

	"github.com/flussi-go/flussi/internal/faults"
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
func (f Fault) String() string { return f.generic().String() }

// generic converts a fault for package faults.
func (f Fault) generic() faults.Fault {
	return faults.Fault{Kind: string(f.Kind), Stored: f.Stored, Delay: f.Delay, RetryAfter: f.RetryAfter}
}

// Does reports whether the platform does what it is asked for in a call with the fault,
// whatever it answers.
func (f Fault) Does() bool { return f.generic().Does() }

// kinds are all kinds of faults that Pago In Rete has.
var kinds = []FaultKind{
	ServerProblem, ServerError, BadGateway, Unavailable, GatewayTimeout, Silent, Reset,
	BadRequest, Unauthorized, Forbidden, NotFound, NoSuchAddress, Conflict, Unprocessable, TooManyRequests, TooManyBare,
	Redirected, Slow, Truncated, CutBody, CutUnseen, Garbled, OtherID, Huge,
}

// Faults returns a fault of every kind that exists, Stored and not where that is open.
func Faults() []Fault {
	var all []Fault
	for kind, stored := range faults.Each(kinds) {
		all = append(all, Fault{Kind: kind, Stored: stored})
	}
	return all
}

// Fail injects faults into the next calls of an operation, one each, in turn.
func (s *Simulator) Fail(op Operation, faults ...Fault) { s.front.Fail(op, faults...) }

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1, picked by
// the seed. Without faults, or at rate 0, it stops that. Faults of [Simulator.Fail] come first.
func (s *Simulator) FailAtRandom(op Operation, rate float64, seed uint64, faults ...Fault) {
	s.front.FailAtRandom(op, rate, seed, faults...)
}

// StopFailing removes all faults of [Simulator.Fail] and [Simulator.FailAtRandom] that were not
// injected yet.
func (s *Simulator) StopFailing() { s.front.StopFailing() }
