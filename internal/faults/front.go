// Package faults is what the simulators of platforms have in common: a gateway in front of the
// platform that counts calls and limits them, and faults that are injected into calls. Clients
// must not import it: a simulator shares no code with the client that it tests.
//
// A simulator makes a [Front] and passes each request to [Front.Serve], together with the [Call]
// that the request is. The front answers for the gateway, or injects the next fault of the
// operation, or lets the platform answer.
package faults

import (
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Config says how a front behaves.
type Config struct {
	Calls            int           // that an account may make in a window; 0 means no limit
	Window           time.Duration // in which the calls are counted
	WrongKey         string        // what the gateway says to a key that it does not know
	RateLimitHeaders bool          // a 429 also carries the headers X-Rate-Limit-…
}

// Front counts and limits the calls of a simulated platform, and injects faults of type F into
// the calls of operations of type O. It is safe for concurrent use, and has no goroutines.
type Front[O ~string, F any] struct {
	config Config
	kinds  map[string]bool
	fault  func(F) Fault

	mu       sync.Mutex
	received map[O]int              // calls, whatever became of them
	limited  int                    // calls that were refused as too many
	calls    map[string][]time.Time // of each account, in the window
	queued   map[O][]F
	random   map[O]*share[F]
}

// share is a share of the calls of an operation that goes wrong.
type share[F any] struct {
	random *rand.Rand
	rate   float64
	faults []F
}

// New returns a front without faults, for a platform that has the kinds of faults: others are
// answered with 501. The function converts a fault of the simulator's own type.
func New[O, K ~string, F any](c Config, kinds []K, fault func(F) Fault) *Front[O, F] {
	has := map[string]bool{"": true}
	for _, kind := range kinds {
		has[string(kind)] = true
	}
	return &Front[O, F]{
		config: c, kinds: has, fault: fault,
		received: map[O]int{}, calls: map[string][]time.Time{}, queued: map[O][]F{}, random: map[O]*share[F]{},
	}
}

// Fail injects faults into the next calls of an operation, one each, in turn.
func (f *Front[O, F]) Fail(op O, faults ...F) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queued[op] = append(f.queued[op], faults...)
}

// FailAtRandom injects faults into a share of the calls of an operation, from 0 to 1, picked by
// the seed. It replaces the share of before; without faults, or at rate 0, no call fails at
// random. Faults of Fail come first.
func (f *Front[O, F]) FailAtRandom(op O, rate float64, seed uint64, faults ...F) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.random[op] = &share[F]{rand.New(rand.NewPCG(seed, seed)), rate, slices.Clone(faults)}
}

// StopFailing removes all faults that have not been injected yet.
func (f *Front[O, F]) StopFailing() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.queued)
	clear(f.random)
}

// Received returns how many calls of an operation arrived, whatever became of them.
func (f *Front[O, F]) Received(op O) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.received[op]
}

// Limited returns how many calls were refused as too many.
func (f *Front[O, F]) Limited() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limited
}

// Call is a request to an address that the platform has.
type Call[O ~string] struct {
	Operation O             // that the address and the method name
	KnownKey  bool          // whether the gateway knows the key
	Account   string        // whose limit the call counts for
	Refusal   *Reply        // why the platform refuses the account, before any fault; nil if it does not
	Answer    func() *Reply // does what the call asks for
}

const maxRequest = 1 << 20 // bytes

// Serve answers a request. The function returns the call that a request with the body is, and
// whether the platform has such an address.
func (f *Front[O, F]) Serve(w http.ResponseWriter, r *http.Request, call func(body []byte) (Call[O], bool)) {
	// Read first: net/http notices that a client left only once the request is read.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return
	}
	c, found := call(body)
	if !found {
		noSuchAddress().write(w)
		return
	}
	fault, refusal := f.admit(c)
	if refusal != nil {
		refusal.write(w)
		return
	}
	f.inject(w, r, fault, c.Answer)
}

// admit counts a call and checks the key, the limit and the account. It returns why the call is
// refused, or the fault to inject.
func (f *Front[O, F]) admit(c Call[O]) (Fault, *Reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received[c.Operation]++
	if !c.KnownKey {
		return Fault{}, f.wrongKey()
	}
	if wait := f.limit(c.Account); wait > 0 {
		f.limited++
		return Fault{}, f.tooMany(wait)
	}
	if c.Refusal != nil {
		return Fault{}, c.Refusal
	}
	return f.next(c.Operation), nil
}

// limit counts a call of an account, or returns how long until the account may make another.
func (f *Front[O, F]) limit(account string) time.Duration {
	if f.config.Calls == 0 {
		return 0
	}
	now := time.Now()
	window := f.calls[account]
	for len(window) > 0 && now.Sub(window[0]) >= f.config.Window {
		window = window[1:]
	}
	if len(window) >= f.config.Calls {
		f.calls[account] = window
		return f.config.Window - now.Sub(window[0])
	}
	f.calls[account] = append(window, now)
	return 0
}

// next returns the fault for the next call of an operation: the zero Fault for none.
func (f *Front[O, F]) next(op O) Fault {
	if queue := f.queued[op]; len(queue) > 0 {
		f.queued[op] = queue[1:]
		return f.fault(queue[0])
	}
	if s := f.random[op]; s != nil && len(s.faults) > 0 && s.random.Float64() < s.rate {
		return f.fault(s.faults[s.random.IntN(len(s.faults))])
	}
	return Fault{}
}
