package flow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/flussi-go/flussi/internal/pace"
)

// pool limits how many notifications of all flows are sent at the same time. Each flow has an equal
// share of the places, and may also use what the others leave of theirs. It is safe for concurrent
// use, and has no goroutines: those that send are of the flows.
type pool struct {
	size int // MaxRequests

	mu       sync.Mutex // guards also the fields of workers
	flows    []*workers
	share    int        // of each flow; 0 if there are more flows than places
	busy     int        // places that are in use
	promised int        // places that are in use, or part of a share
	hungry   []*workers // those that have work and no place for it, the first is the next to get one

	// claiming is the smoothed time of a claim, including its wait for the store. It is measured for
	// all flows together: if flows that share a pace looked ahead for different times, those that
	// look furthest would reserve all turns.
	claiming time.Duration
}

// workers send notifications of one flow at the same time: as many as have work, in one goroutine
// each. The flow may use few at first. Each answer to one of those that were busy together, when all
// of them were, earns another one; so a platform that does not answer keeps few places. The pool's
// mutex guards the fields behind group.
type workers struct {
	pool      *pool
	sender    sender
	messenger Sender
	paced     PacedSender // the messenger, if it is one; otherwise nil
	breaker   *breaker
	profiles  *profiles
	lease     time.Duration
	most      int           // Workers
	completed chan struct{} // has room for one: there are results
	group     sync.WaitGroup

	queue   []job // that no worker has begun
	results []completion
	busy    int
	limit   int           // of busy
	earning int           // answers that are to come and raise the limit
	hungry  bool          // the pool knows that there is work and no place
	latency time.Duration // of a submission, smoothed; 0 if there was none yet
}

// job is a notification to send. Once ctx ends it is not begun; the end of requests cuts off the
// request.
type job struct {
	ctx, requests context.Context
	batch         *batch
	notification  *Notification
}

// firstWorkers is how many workers a flow may use before there are answers.
const firstWorkers = 16

// join returns the workers of another flow, which leave at the end.
func (p *pool) join(s sender, messenger Sender, config *DispatcherConfig, b *breaker) *workers {
	w := &workers{
		pool: p, sender: s, messenger: messenger, breaker: b, profiles: &profiles{pool: p}, lease: config.Lease,
		most: config.Workers, limit: min(firstWorkers, config.Workers), completed: make(chan struct{}, 1),
	}
	w.paced, _ = messenger.(PacedSender)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flows = append(p.flows, w)
	p.divide()
	return w
}

// claimTime returns how long a claim takes. claimed records how long one took.
func (p *pool) claimTime() time.Duration { p.mu.Lock(); defer p.mu.Unlock(); return p.claiming }

func (p *pool) claimed(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claiming = smooth(p.claiming, max(took, 1))
}

// leave returns when all workers have ended. Nothing may be begun any more.
func (w *workers) leave() {
	w.group.Wait()
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flows = slices.DeleteFunc(p.flows, func(other *workers) bool { return other == w })
	p.divide()
	p.feed()
}

// divide sets the shares, after a flow came or left. The mutex is locked.
func (p *pool) divide() {
	p.share, p.promised = p.size/max(1, len(p.flows)), 0
	for _, w := range p.flows {
		p.promised += max(w.busy, p.share)
	}
}

// admits reports whether there is a place for another worker of a flow. The mutex is locked.
func (p *pool) admits(w *workers) bool {
	return p.busy < p.size && (w.busy < p.share || p.promised < p.size)
}

// take gives a place to a flow, and free takes it back. The mutex is locked.
func (p *pool) take(w *workers) {
	if w.busy >= p.share {
		p.promised++
	}
	w.busy++
	p.busy++
}

func (p *pool) free(w *workers) {
	if w.busy > p.share {
		p.promised--
	}
	w.busy--
	p.busy--
}

// feed gives free places to flows that wait for one, in turns. The mutex is locked.
func (p *pool) feed() {
	for i := 0; i < len(p.hungry) && p.busy < p.size; {
		w := p.hungry[i]
		if w.mayWork() && !p.admits(w) {
			i++
			continue
		}
		p.hungry = slices.Delete(p.hungry, i, i+1)
		w.hungry = false
		if w.mayWork() {
			w.startOne()
			w.wait()
		}
	}
}

// mayWork reports whether there is work for another worker. The mutex is locked, as in the methods
// that follow.
func (w *workers) mayWork() bool { return len(w.queue) > 0 && w.busy < w.limit }

// start starts workers for what is queued, as far as there are places.
func (w *workers) start() {
	for w.mayWork() && w.pool.admits(w) {
		w.startOne()
	}
	w.wait()
}

// startOne starts a worker.
func (w *workers) startOne() {
	w.pool.take(w)
	first := w.pop()
	w.group.Go(func() { w.work(first) })
}

// wait lets the pool know if there is work and no place for it.
func (w *workers) wait() {
	if w.mayWork() && !w.hungry {
		w.hungry = true
		w.pool.hungry = append(w.pool.hungry, w)
	}
}

// pop takes the next job from the queue.
func (w *workers) pop() job {
	next := w.queue[0]
	w.queue[0] = job{}
	if w.queue = w.queue[1:]; len(w.queue) == 0 {
		w.queue = nil
	}
	return next
}

// begin sends a batch. Once ctx ends, what is not begun is released; the end of calls cuts off
// requests. Each notification becomes one of the results.
func (w *workers) begin(ctx, calls context.Context, b *batch) {
	if len(b.notifications) == 0 {
		return
	}
	var requests context.Context
	requests, b.cancel = within(calls, w.lease, b.claimedAt)
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.queue = slices.Grow(w.queue, len(b.notifications))
	for i := range b.notifications {
		w.queue = append(w.queue, job{ctx, requests, b, &b.notifications[i]})
	}
	w.start()
}

// work sends notifications, as long as there are any and the place is not another flow's.
func (w *workers) work(j job) {
	for more := true; more; {
		j, more = w.next(w.send(j))
	}
}

// next passes on the result of a job, and returns the next job. Without one the worker has to end.
func (w *workers) next(done completion) (next job, more bool) {
	p := w.pool
	p.mu.Lock()
	w.results = append(w.results, done)
	if done.took > 0 {
		w.latency = smooth(w.latency, done.took)
	}
	if w.busy == w.limit {
		w.earning = w.limit
	}
	if done.answered && w.earning > 0 && w.limit < w.most {
		w.limit++
		w.earning--
	}
	more = len(w.queue) > 0 && (len(p.hungry) == 0 || w.busy <= p.share)
	if more {
		next = w.pop()
		w.start()
	} else {
		p.free(w)
		w.wait()
		p.feed()
	}
	p.mu.Unlock()
	select {
	case w.completed <- struct{}{}:
	default:
	}
	return next, more
}

// ready returns how many results there are to store, and how long to wait for more of them, which
// makes larger writes. It returns a wait if more results are to come soon: if all workers are busy
// and more work is queued, or if answers take much less time than a write. Otherwise the wait is 0.
func (w *workers) ready(most time.Duration) (results int, wait time.Duration) {
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	results = len(w.results)
	switch {
	case results == 0:
	case results < w.limit/2 && len(w.queue) > 0 && w.busy == w.limit:
		wait = most
	case w.busy > 0 && w.latency < p.claiming/8:
		wait = min(most, p.claiming/4)
	}
	return results, wait
}

// take appends the results to a group.
func (w *workers) take(group []completion) []completion {
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	group = append(group, w.results...)
	clear(w.results)
	w.results = w.results[:0]
	return group
}

// load returns how many notifications are queued, the limit of those that can be sent at the same
// time, and how many may be claimed ahead beyond the limit: as many as the workers begin within a
// time, and at most as many as the limit.
func (w *workers) load(within time.Duration) (queued, limit, ahead int) {
	p := w.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	limit = min(w.limit, max(1, p.share, w.busy+p.size-p.promised))
	if w.latency > 0 {
		ahead = int(min(float64(limit), 1+float64(limit)*float64(within)/float64(w.latency)))
	}
	return len(w.queue), limit, ahead
}

// smooth returns the moving average of a time with another measurement. The first one counts whole.
func smooth(average, measured time.Duration) time.Duration {
	if average == 0 {
		return measured
	}
	return average + (measured-average)/8
}

// send sends one notification, or releases it if ctx has ended or it is too late to begin. When send
// returns, the breaker has the outcome.
func (w *workers) send(j job) completion {
	c := completion{batch: j.batch, notification: j.notification, outcome: outcome{action: NotificationRelease}}
	if w.paced != nil {
		w.paced.Release(1)
	}
	begun, may := w.breaker.begin(j.ctx)
	if !may || pace.MayStart(j.requests) != nil {
		return c
	}
	start := time.Now()
	o := w.sender.submit(j.requests, w.messenger, *j.notification, w.profiles)
	c.took = max(time.Since(start), 1)
	cutOff := j.ctx.Err() != nil || o.action == NotificationRelease && j.requests.Err() != nil
	c.answered = o.signal == accepted || o.signal == refusedMessage
	c.outcome = w.breaker.decide(j.notification, o, begun, cutOff)
	return c
}
