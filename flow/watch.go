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

// Progress is how far the sending of a flow is, by all dispatchers of all processes.
type Progress struct {
	// Flow is the flow, with its Counts: what is Sent, Failed and Pending. It also says why nothing
	// is sent: it is Attivo, maybe with a time in NotBefore; Disabled; or stopped, with an Error.
	Flow Flow
	// Rate is how many notifications were sent or failed in a second, within the last 20 seconds
	// in which the flow did not stand still. It is 0 if none did: the flow is not In invio, it was
	// looked at only once, or no dispatcher sends it now, such as while the platform asks to wait.
	Rate     float64
	TimeLeft time.Duration // until nothing is Pending, at this Rate; 0 if nothing is left to be sent, or the Rate is 0
	Done     bool          // the sending is over: the flow is Inviato or Invio incompleto
}

const (
	watchInterval = time.Second      // between two reads of a flow that is watched
	watchWindow   = 20 * time.Second // of the rate
)

// Watch follows the sending of a flow, whichever process sends it: it reads the store, so it also
// works in a process that sends nothing. It yields the progress at once, and then each time that it
// has changed, at most once a second. It ends after the progress that is Done. A flow that is not
// In invio yet is followed until its sending is over, however long that takes. Breaking out of the
// loop is always possible; no goroutine is left behind.
//
// Whoever may read the flow may watch it. That is asked each second, so it ends with a
// [flussi.ErrNotFound] once the actor may not read it any more. It ends with the context's error
// when the context ends, and with an error of the [Authorizer]. An error of the store does not end
// it: it is yielded once, with the last progress, and Watch goes on reading.
//
// It makes one call of [FlowStore].Flow a second for each flow that is watched by this Service,
// however many watch it, which is one row with its counts. The [Authorizer] is asked for each.
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

	turn     chan struct{} // a semaphore: its holder reads the flow, or uses what follows
	progress Progress      // as last read; zero: never
	err      error         // of the last reading
	readAt   time.Time     // zero: never
	window   rateWindow
}

// join returns a flow for another watcher, who leaves it at the end.
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

// read returns the progress as this or another watcher read it within the watchInterval, and when
// that was.
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
		return Progress{}, w.readAt, ctx.Err() // the others read it themselves
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
			w.readings = w.readings[n-1:] // it stood still until now
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
