package flow

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/pace"
)

// Progress is the progress of the sending of a flow, by all dispatchers of all processes.
type Progress struct {
	// Flow is the flow. Its Counts say how many notifications are Sent, Failed and Pending. If
	// nothing is sent, its fields say why: it is Attivo, maybe with a time in NotBefore, it is
	// Disabled, or it is stopped with an Error.
	Flow Flow
	// Rate is how many notifications were sent or failed per second in the last 20 seconds. A
	// standstill before the latest notification does not count. Rate is 0 if the flow is not In
	// invio, if it was read only once, and if nothing was sent, such as while the platform asks to
	// wait.
	Rate     float64
	TimeLeft time.Duration // until nothing is Pending, at this Rate; 0 if nothing is left to be sent, or the Rate is 0
	Done     bool          // the sending is over: the flow is Inviato or Invio incompleto
}

const (
	watchInterval = time.Second      // between two reads of a flow that is watched
	watchWindow   = 20 * time.Second // of the rate
)

// Watch follows the sending of a flow, whichever process sends it: it reads the store, so it also
// works in a process that sends nothing. It yields the progress at once, and then after each change,
// at most once a second. The sequence ends after the progress that is Done. It follows a flow that
// is not In invio yet until its sending is over, however long that takes. The loop may end at any
// time: Watch starts no goroutine.
//
// An actor who may read the flow may watch it. Watch asks the [Authorizer] once a second for each
// watcher. The sequence ends with a [flussi.ErrNotFound] when the actor may not read the flow any
// more, with the error of the context when it ends, and with an error of the Authorizer. An error
// of the store does not end it: Watch yields the error once, with the last progress, and goes on
// reading.
//
// The watchers of a flow in one Service share one call of [FlowStore].Flow a second, which reads one
// row and its counts.
func (s *Service) Watch(ctx context.Context, by flussi.Actor, flowID uuid.UUID) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) {
		w := s.watched.join(flowID)
		defer s.watched.leave(flowID)
		var last Progress
		var readAt time.Time
		for told, failing := false, false; ; {
			var storeErr error
			read := func(ctx context.Context, id uuid.UUID) (p Progress, err error) {
				p, readAt, err = w.read(ctx, s.store, id)
				storeErr = err
				return p, err
			}
			now, err := core.Read(ctx, s.access, by, flowID, read, func(p Progress) string { return p.Flow.Service })
			switch {
			case err == nil:
				changed := now != last || failing
				last, failing = now, false
				if (changed || !told) && !yield(now, nil) || now.Done {
					return
				}
				told = true
			case storeErr == nil, ctx.Err() != nil, errors.Is(err, flussi.ErrNotFound):
				yield(last, flowFailure("watch flow", flowID, err))
				return
			default:
				if !failing && !yield(last, flowFailure("watch flow", flowID, err)) {
					return
				}
				failing = true
			}
			if err := pace.Wait(ctx, time.Until(readAt.Add(watchInterval))); err != nil {
				yield(last, flowFailure("watch flow", flowID, err))
				return
			}
		}
	}
}

// watchedFlows are the flows that are watched now. The zero value is ready.
type watchedFlows struct {
	mu    sync.Mutex
	flows map[uuid.UUID]*watchedFlow
}

// watchedFlow is a flow as it was read last, for all its watchers.
type watchedFlow struct {
	watchers int // the mutex of watchedFlows guards it

	turn     chan struct{} // a semaphore of one: only its holder may use the fields below
	progress Progress      // as last read; zero: never
	err      error         // of the last reading
	readAt   time.Time     // zero: never
	window   rateWindow
}

// join adds a watcher to a flow, and returns the flow. The watcher has to call leave at the end.
func (w *watchedFlows) join(id uuid.UUID) *watchedFlow {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flows[id]
	if f == nil {
		if w.flows == nil {
			w.flows = map[uuid.UUID]*watchedFlow{}
		}
		f = &watchedFlow{turn: make(chan struct{}, 1)}
		w.flows[id] = f
	}
	f.watchers++
	return f
}

func (w *watchedFlows) leave(id uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.flows[id].watchers--; w.flows[id].watchers == 0 {
		delete(w.flows, id)
	}
}

// read returns the progress, and when it was read. It reads the store, unless this or another
// watcher has done so within the watchInterval.
func (w *watchedFlow) read(ctx context.Context, store Store, id uuid.UUID) (p Progress, at time.Time, err error) {
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return Progress{}, time.Time{}, ctx.Err()
	}
	defer func() { <-w.turn }()
	if !w.readAt.IsZero() && time.Since(w.readAt) < watchInterval {
		return w.progress, w.readAt, w.err
	}
	f, err := store.Flow(ctx, id)
	if ctx.Err() != nil {
		return Progress{}, w.readAt, ctx.Err() // the fields stay: the next watcher reads again
	}
	w.readAt, w.err = time.Now(), err
	if err == nil {
		w.progress = w.window.progress(f, w.readAt)
	}
	return w.progress, w.readAt, err
}

// rateWindow measures the rate of a flow over its last readings.
type rateWindow struct {
	readings []reading // while the flow is In invio; the oldest first
}

// reading is how many notifications had been sent or failed at a time.
type reading struct {
	at    time.Time
	ended int
}

// progress returns the progress of a flow that was read at a time.
func (w *rateWindow) progress(f Flow, at time.Time) Progress {
	p := Progress{Flow: f, Done: f.State == FlowSent || f.State == FlowIncomplete}
	if f.State != FlowSending {
		w.readings = nil
		return p
	}
	now := reading{at, f.Counts.Sent + f.Counts.Failed}
	if n := len(w.readings); n > 0 {
		first, last := w.readings[0], w.readings[n-1]
		if first.ended == last.ended && now.ended != last.ended {
			w.readings = w.readings[n-1:] // nothing was sent between the first and the last of them
		}
	}
	w.readings = append(w.readings, now)
	for len(w.readings) > 2 && at.Sub(w.readings[1].at) >= watchWindow {
		w.readings = w.readings[1:]
	}
	first := w.readings[0]
	if ended := now.ended - first.ended; ended > 0 {
		p.Rate = float64(ended) / at.Sub(first.at).Seconds()
		if !f.stopping() { // what is pending is not sent
			p.TimeLeft = time.Duration(float64(f.Counts.Pending()) / p.Rate * float64(time.Second))
		}
	}
	return p
}
