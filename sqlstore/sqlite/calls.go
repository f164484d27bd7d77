package sqlite

import (
	"sync"

	"github.com/flussi-go/flussi/sqlstore/internal/engine"
)

// calls counts the calls that run, so that [Store.Close] can wait for them: the pool of database/sql
// does not. A nil calls counts nothing. It is safe for concurrent use.
type calls struct {
	mu      sync.Mutex
	running int
	closed  bool
	idle    chan struct{} // closed once no call runs and none can begin
}

func newCalls() *calls { return &calls{idle: make(chan struct{})} }

// begin counts a call. It returns an [ErrLost] if the store is closed.
func (c *calls) begin() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return engine.Closed(nil)
	}
	c.running++
	return nil
}

// end ends a call.
func (c *calls) end() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.check()
}

// close refuses further calls, and returns when those that run have ended. Call it once.
func (c *calls) close() {
	c.mu.Lock()
	c.closed = true
	c.check()
	c.mu.Unlock()
	<-c.idle
}

// check closes idle if it has to be. The mutex is locked.
func (c *calls) check() {
	if c.closed && c.running == 0 {
		close(c.idle)
	}
}
