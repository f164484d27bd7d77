package appio

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// Pace spreads calls over time, to keep within the platform's limit for a body: 150 calls in 5
// seconds, over all its services and operations. All clients of one body in a process share one Pace;
// the Paces of several processes share the limit by [PaceConfig].Shared. It is safe for concurrent
// use. It has no goroutines, except for one while it asks a [TurnStore], for at most 5 seconds.
//
// After a 429 to one of the clients, no call of any of them starts for as long as the platform
// asked. Calls that would have to wait for longer than [Config].MaxWait end with a
// [flussi.ErrRateLimited] instead, without a request, also those that were waiting already. Then
// calls go on at four fifths of the rate, which grows by a hundredth of the full rate each second.
type Pace struct {
	pace *pace.Pace
}

// PaceConfig is the limit of a body. The zero value is the platform's limit for every body.
// A Pace uses 98 % of it, evenly from the first call on. To test without waiting, allow a million
// Calls.
type PaceConfig struct {
	Calls  int           // in a window, of the body. Defaults to 150; some bodies have 250
	Window time.Duration // Defaults to 5 s; at most one day
	// Shared grants the turns of the processes that make calls for the body. It can be the store
	// that they send from, if that is one of package sqlstore. Without Shared, one process has to
	// make all calls of the body; otherwise 429s slow the processes down. Defaults to none.
	//
	// While Shared fails, calls wait. If it fails for longer than [Config].MaxWait, calls end with an
	// error that wraps the one of Shared. It is a [flussi.ErrUnavailable], and the outcome of a
	// submission is [flussi.OutcomeNotDone].
	Shared TurnStore
	// Body is the name of the body for Shared. All processes that make calls for the body must use
	// the same name, such as its fiscal code, and the same Calls and Window. It is required with
	// Shared.
	Body string
}

const (
	paceCalls  = 150
	paceWindow = 5 * time.Second
	paceMargin = 0.98 // of the limit: calls bunch on the network
	maxWindow  = 24 * time.Hour
)

// NewPace returns a pace at its full rate. The error is a [flussi.ErrConfig] if a value is negative
// or too large, or if there is a Shared without a Body.
func NewPace(c PaceConfig) (*Pace, error) {
	if (c.Shared == nil) != (c.Body == "") {
		return nil, fmt.Errorf("appio: new pace: %w: Shared and Body need each other", flussi.ErrConfig)
	}
	if c.Calls < 0 || c.Window < 0 || c.Window > maxWindow {
		return nil, fmt.Errorf("appio: new pace: %w: %d calls in %v: must not be negative, and the Window not longer than %v", flussi.ErrConfig, c.Calls, c.Window, maxWindow)
	}
	return newPace(c), nil
}

func newPace(c PaceConfig) *Pace {
	calls, window := cmp.Or(c.Calls, paceCalls), cmp.Or(c.Window, paceWindow)
	rate, pause := float64(calls)/window.Seconds()*paceMargin, window/5
	if c.Shared == nil {
		return &Pace{pace.New(rate, pause)}
	}
	return &Pace{pace.NewShared(rate, pause, func(ctx context.Context, r pace.Request) (pace.Grant, error) {
		turns, err := c.Shared.ReserveTurns(ctx, TurnRequest{Body: c.Body, Rate: r.Rate, Turns: r.Turns, RetryAfter: r.RetryAfter})
		return pace.Grant(turns), err
	})}
}

// Wait returns when the next call may start, or with the error of the context as soon as it
// ends. Call it before calls of your own that count for the same limit. If the platform asked to
// wait, that may take long: up to a day.
func (p *Pace) Wait(ctx context.Context) error { return p.pace.Wait(ctx, 0) }

// SlowDown lowers the rate after a 429. The platform asked to wait for retryAfter; 0 if it
// did not say. Clients call it. Call it for calls of your own.
func (p *Pace) SlowDown(retryAfter time.Duration) { p.pace.SlowDown(retryAfter) }

// Rate returns how many calls a second may start now. If processes share the limit, it is the rate of
// all processes together, from the last answer of the [TurnStore].
func (p *Pace) Rate() float64 { return p.pace.Rate() }

// Reserve announces up to n calls that can start within a time, behind those that wait and those
// that were announced before. It returns how many it announced, and when the next call behind all
// of them can start, at the present rate. So a program that has to prepare its calls prepares no
// more of them than can start soon. Call [Pace.Release] right before each announced call, and for
// calls that are not made. An announced call waits for its turn as any other call.
func (p *Pace) Reserve(n int, within time.Duration) (reserved int, next time.Time) {
	return p.pace.Reserve(n, within)
}

// Release ends the announcement of n calls.
func (p *Pace) Release(n int) { p.pace.Release(n) }
