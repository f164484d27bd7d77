package appio

import (
	"context"
	"sync"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// TurnStore is where the processes that call for one body reserve turns of its limit together: see
// [PaceConfig].Shared. The stores of package sqlstore implement it for processes of one database, and
// [MemoryTurns] does within a process. Package pacetest checks an implementation of your own.
//
// Processes have no clock in common. So a request has no time, and the times of an answer count
// from its receipt: an answer that takes long delays the calls, which is harmless.
type TurnStore interface {
	// ReserveTurns grants turns in the order in which they are asked for. No turn is granted twice,
	// also to others that ask at the same time; turns that are not used lapse. Time in which nothing
	// is asked for adds no turns.
	//
	//   - Each request gets up to half of the turns that are free within half a second, and at least
	//     one. So those who ask later get turns within that time, too.
	//   - A RetryAfter holds the calls of the body: until it ends, nothing is granted, and each answer
	//     says how long. It lowers the rate to four fifths, unless calls are held already; not
	//     below a twentieth. From the end on, the rate grows by a hundredth of the full rate each
	//     second. A shorter RetryAfter does not shorten a longer one.
	//   - Bodies have nothing to do with each other.
	//   - It returns soon after ctx ends. After an error nothing, or turns that lapse, were reserved;
	//     a RetryAfter is told again.
	//
	// It must be safe for concurrent use.
	ReserveTurns(ctx context.Context, r TurnRequest) (Turns, error)
}

// TurnRequest asks for turns of a body.
type TurnRequest struct {
	Body       string        // see [PaceConfig].Body
	Rate       float64       // calls a second of the body at its full rate, above 0
	Turns      int           // that can be used soon; 0 if the request only tells or learns of a 429
	RetryAfter time.Duration // how long a 429 asked to wait that the store was not told of; 0: there was none
}

// Turns is the answer to a [TurnRequest]. Its times count from the receipt of the answer.
type Turns struct {
	Count    int           // of turns, at most as many as were asked for
	Start    time.Duration // until the first one
	Interval time.Duration // between them
	Held     time.Duration // until calls may start, since the platform asked to wait; 0: now
	Rate     float64       // calls a second of the body at present, over all processes
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
