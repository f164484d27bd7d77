package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// storeStop writes the reason into a flow that this run stopped, so that no dispatcher begins
// anything more of it. Outcomes that are yet to be stored are not delayed: then a failure is
// tried again by the next call.
func (r *run) storeStop(ctx context.Context) {
	if r.stop == nil {
		if r.stop = r.workers.breaker.stopped(); r.stop == nil {
			return
		}
		r.config.Logger.Warn("flow: sending stopped", "flow", r.flow.ID, "error", r.stop.Err)
	}
	if r.stopStored || r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease)
	defer cancel()
	var pause backoff
	for {
		var err error
		r.calls.do(func() { err = r.tryStoreStop(ctx) })
		switch {
		case err == nil:
			r.stopStored = true
			return
		case r.claimer.open > 0:
			return
		case pause.wait(ctx) != nil:
			r.err = fmt.Errorf("stop not stored: %w", err)
			return
		}
	}
}

func (r *run) tryStoreStop(ctx context.Context) error {
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil || f.State != FlowSending || f.Error != "" {
		return err // nil if another dispatcher or an operator stopped it
	}
	f.Error, f.Answer = r.stop.Reason, r.stop.Answer
	return r.saveFlow(ctx, &f, FlowStop)
}

// saveFlow applies an action to a flow that is In invio, and stores it.
func (r *run) saveFlow(ctx context.Context, f *Flow, action FlowAction) error {
	by := r.config.ID
	if err := f.Fire(ctx, action, asSystem(by)); err != nil {
		return err
	}
	change := f.change(action, FlowSending, by, withoutAnswer(f.Error, f.Answer))
	change.Record.Answer = f.Answer
	*f = change.Flow
	f.Version++
	return r.store.SaveFlow(ctx, change, nil)
}

// conclude ends the flow's sending if nothing of it is left, and reports whether it is over.
// Its counts cannot change without its version: claims need something to claim, outcomes
// something In invio, and operators' changes write the flow along. So of all dispatchers that
// find that it is over, one succeeds.
func (r *run) conclude(ctx context.Context) (over bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease)
	defer cancel()
	r.calls.do(func() { over, err = r.tryConclude(ctx) })
	return over, err
}

// tryConclude is conclude, as one call of the store among those of all flows.
func (r *run) tryConclude(ctx context.Context) (over bool, err error) {
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil {
		return false, err
	}
	r.setFlow(f)
	switch {
	case f.State != FlowSending, r.stop != nil && r.err == nil && !f.stopping():
		return true, nil
	case f.isElsewhere():
		r.claimer.empty = true
		return false, nil
	case f.Counts.Registered > 0 && !f.stopping():
		return false, nil
	}
	action := FlowComplete
	if f.Counts.Registered+f.Counts.Failed > 0 {
		action = FlowEndIncomplete
	}
	switch {
	case action == FlowComplete:
		f.clearError()
	case f.Counts.Registered > 0 && f.Error == "":
		f.Error = "Invio fermato: il flusso è stato disabilitato durante l'invio. " +
			"Riabilitarlo, poi riprendere con " + italian.Quote(FlowSend.Label()) + "."
	}
	if err := r.saveFlow(ctx, &f, action); err != nil {
		if errors.Is(err, flussi.ErrConflict) {
			return false, nil // the flow changed: the caller reads it again
		}
		return false, err
	}
	r.flow = f
	return true, nil
}
