package flow

import "sync"

// pool is the batch that the runs of a dispatcher share: how many notifications they may
// have claimed and not stored, all together. A run that is alone has all of it; with others,
// it leaves them their shares.
type pool struct {
	size  int // of the batch
	share int // that each run has for sure

	mu   sync.Mutex
	runs int
	open int // by all runs
}

// enter counts a run in, and leave out.
func (p *pool) enter() { p.mu.Lock(); defer p.mu.Unlock(); p.runs++ }
func (p *pool) leave() { p.mu.Lock(); defer p.mu.Unlock(); p.runs-- }

// take reserves room for a run that has some open, if there is at least that much, and
// returns how much.
func (p *pool) take(open, least int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := min(p.size-(p.runs-1)*p.share-open, p.size-p.open)
	if room < least {
		return 0
	}
	p.open += room
	return room
}

// give returns what is not needed any more.
func (p *pool) give(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.open -= n }
