package flow

import "sync"

// pool is the batch that the runs of a dispatcher share: how many notifications they may
// have claimed and not stored, all together. A run that is alone has all of it; with others,
// it leaves them their shares.
type pool struct {
	size  int // of the batch
	share int // that each run has for sure
	flows int // that there are runs for at most

	mu   sync.Mutex
	runs int
	open int // by all runs
}

// enter counts a run in, and leave out.
func (p *pool) enter() { p.mu.Lock(); defer p.mu.Unlock(); p.runs++ }
func (p *pool) leave() { p.mu.Lock(); defer p.mu.Unlock(); p.runs-- }

// take reserves room for a run that has some open, and returns how much: 0, if it is not worth
// a claim since its workers have enough in hand. Some of what is open may be done with the
// claim: what room it leaves needs no reserve, and the claim is worth it sooner. Beyond its
// share a run leaves one free for a flow that is yet to come.
func (p *pool) take(open, done, workers int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most, all := p.size-(p.runs-1)*p.share, p.size
	if p.runs < p.flows {
		all -= p.share
		most = min(most, all)
	}
	open -= done
	others := p.open - done
	room := min(most-open, all-others)
	if open < p.share {
		room = max(room, min(p.share-open, p.size-others))
	}
	worth := min(most/2, most-workers)
	if done > 0 {
		worth /= 4
	}
	if room < max(1, worth) && (open > 0 || room < 1) {
		return 0
	}
	p.open += reserve(room, done)
	return room
}

// reserve is what has to be reserved for room, if so many are done with the claim.
func reserve(room, done int) int { return max(0, room-done) }

// give returns what is not needed any more.
func (p *pool) give(n int) { p.mu.Lock(); defer p.mu.Unlock(); p.open -= n }
