package appio

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/pace"
)

// TurnStore grants turns to the processes that make calls for one body, so that they keep its limit
// together: see [PaceConfig].Shared. A turn is the right to start one call at a certain time. The
// stores of package sqlstore implement TurnStore for the processes that use one database, and
// [MemoryTurns] implements it within a process. Package pacetest checks your own implementation.
//
// Processes have no common clock. So a request has no time, and the times of an answer count from
// its receipt. A slow answer delays the calls, which is harmless.
type TurnStore interface {
	// ReserveTurns grants turns in the order of the requests. It grants no turn twice, not even to
	// requests at the same time. Turns that are not used lapse, and time without requests adds no
	// turns.
	//
	//   - Each request gets up to half of the turns that are free within half a second, and at least
	//     one. So later requests find turns within that time, too.
	//   - While a RetryAfter lasts, the calls of the body are paused: nothing is granted, and each
	//     answer has the time left in PausedFor. A shorter RetryAfter does not shorten a longer one.
	//   - A RetryAfter lowers the rate to four fifths, and not below a twentieth of the full rate. It
	//     does not lower the rate if calls are paused already. When calls are no longer paused, the rate
	//     grows by a hundredth of the full rate each second.
	//   - The turns and the rate of a body do not depend on other bodies.
	//   - It returns soon after ctx ends. After an error it may have reserved turns, which lapse. The
	//     caller repeats a RetryAfter after an error.
	//
	// It must be safe for concurrent use.
	ReserveTurns(ctx context.Context, r TurnRequest) (Turns, error)
}

// TurnRequest asks for turns of a body.
type TurnRequest struct {
	Body       string        // see [PaceConfig].Body; any bytes, UTF-8 or not, compared byte by byte
	Rate       float64       // calls a second of the body at its full rate, above 0; it may change from one request to the next
	Turns      int           // how many are needed soon; 0 to report a 429 only, or to read the rate
	RetryAfter time.Duration // how long a new 429 asked to wait; 0 if there was none since the last request
}

// Turns is the answer to a [TurnRequest]. Its times count from the receipt of the answer.
type Turns struct {
	Count     int           // how many turns are granted, at most as many as were asked for
	Start     time.Duration // until the first turn
	Interval  time.Duration // between turns
	PausedFor time.Duration // how long no call may start, since the platform asked to wait; 0 if calls may start
	Rate      float64       // calls a second of the body at present, of all processes together
}

// MemoryTurns is a [TurnStore] in memory, for tests, and for several Paces of one body in a process.
// The zero value is ready for use.
type MemoryTurns struct {
	mu     sync.Mutex
	bodies map[string]*pace.Ledger
}

// ReserveTurns implements [TurnStore].
func (m *MemoryTurns) ReserveTurns(ctx context.Context, r TurnRequest) (Turns, error) {
	if err := ctx.Err(); err != nil {
		return Turns{}, err
	}
	if !(r.Rate > 0) { // it may be NaN
		return Turns{}, fmt.Errorf("appio: reserve turns: %w: the rate must be above 0", flussi.ErrConfig)
	}
	return Turns(m.body(r.Body).Reserve(pace.Request{Rate: r.Rate, Turns: r.Turns, RetryAfter: r.RetryAfter})), nil
}

// body returns the ledger of a body.
func (m *MemoryTurns) body(name string) *pace.Ledger {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bodies == nil {
		m.bodies = map[string]*pace.Ledger{}
	}
	if m.bodies[name] == nil {
		m.bodies[name] = &pace.Ledger{}
	}
	return m.bodies[name]
}
