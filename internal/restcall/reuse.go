package restcall

import (
	"sync"
	"time"
)

// reuse decides whether the connection of a request is kept for further requests. If a server or a
// proxy closes connections while requests are written to them, nobody knows what became of these
// requests. So after one of them, each request gets a connection of its own for a while. Then
// connections are tried one by one, and are kept again once enough of them were used twice. It is safe
// for concurrent use. The zero value keeps all connections.
type reuse struct {
	mu       sync.Mutex
	doubtful bool          // a connection was lost
	resumeAt time.Time     // while doubtful, no connection is kept before it
	pause    time.Duration // the last one
	triedAt  time.Time     // when a connection was last kept while doubtful
	proofs   int           // replies over kept connections since resumeAt
}

const (
	firstPause   = time.Minute // doubled if connections are lost again soon
	longestPause = time.Hour
	tryInterval  = time.Second // between connections that are tried
	neededProofs = 10
)

// keeps reports whether the connection of a request that begins now is kept.
func (r *reuse) keeps(at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !r.doubtful:
		return true
	case at.Before(r.resumeAt), at.Sub(r.triedAt) < tryInterval:
		return false
	}
	r.triedAt = at
	return true
}

// lost records that a connection that had been used before was lost with a request that may have
// reached the server. It returns how long connections are not kept, 0 if that was known already.
func (r *reuse) lost(at time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.doubtful && at.Before(r.resumeAt): // the request began before
		return 0
	case r.pause > 0 && at.Sub(r.resumeAt) < longestPause:
		r.pause = min(2*r.pause, longestPause)
	default:
		r.pause = firstPause
	}
	r.doubtful, r.resumeAt, r.proofs = true, at.Add(r.pause), 0
	return r.pause
}

// proved records a reply over a connection that had been used before.
func (r *reuse) proved(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.doubtful || at.Before(r.resumeAt) {
		return
	}
	if r.proofs++; r.proofs == neededProofs {
		r.doubtful = false
	}
}
