package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// weigh looks at a result as one of many: it stops the flow if its service or the platform
// fails, and gives a notification up that the platform does not take while it takes others.
func (r *run) weigh(g *result) {
	switch {
	case g.stops:
		r.stop(g.err, why(g.err))
	case g.down:
		r.stop(g.err, whyDown(r.config.FailureThreshold, g.outcome))
	}
	if g.answered {
		r.taken++
	}
	if g.payee && r.works.Load() {
		g.action, g.code = NotificationFail, CodeRefused
		g.text = "Il servizio non può indicare questo ente creditore: il messaggio non è arrivato. Correggere l'ente creditore, riportare la notifica a «Registrato» e inviarla di nuovo."
		return
	}
	if g.action != NotificationRelease {
		delete(r.again, g.n.ID)
		return
	}
	r.dry = false
	if !g.shaky {
		return
	}
	t, before := r.again[g.n.ID]
	if !before || t.taken != r.taken {
		t.times++
	}
	t.taken = r.taken
	r.again[g.n.ID] = t
	if t.times >= maxAgain && r.stopped == nil {
		delete(r.again, g.n.ID)
		g.action, g.code = NotificationFail, CodeNotSent
	}
}

// stop ends the run because nobody can be sent anything. What is under way comes to its
// end, and what came of it is stored before the flow is marked.
func (r *run) stop(cause error, reason string) {
	r.broken.Store(true)
	if r.stopped != nil {
		return
	}
	r.stopped = &StopError{FlowID: r.flow.ID, Err: cause, Reason: reason}
	r.config.Logger.Warn("flow: sending stopped", "flow", r.flow.ID, "error", cause)
}

// mark makes the flow of a run that was stopped say so, so that nobody begins anything more
// of it. Whoever is the last concludes the flow.
func (r *run) mark() {
	if r.stopped == nil || r.marked || r.failed != nil {
		return
	}
	r.marked = true
	ctx, cancel := context.WithTimeout(r.writes, r.config.Lease)
	defer cancel()
	var pause backoff
	for {
		err := r.tryMark(ctx)
		if err == nil {
			return
		}
		// As long as there are outcomes to be stored, there is no time to wait.
		if r.open > 0 {
			r.marked = false
			return
		}
		if pause.wait(ctx) != nil {
			r.failed = fmt.Errorf("stop not stored: %w", err)
			return
		}
	}
}

func (r *run) tryMark(ctx context.Context) error {
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil || f.State != FlowSending || f.Error != "" {
		return err // or somebody else stopped it
	}
	f.Error = r.stopped.Reason
	if err := f.Fire(ctx, FlowStop, asSystem(r.config.ID)); err != nil {
		return err
	}
	return r.store.SaveFlow(ctx, f.change(FlowStop, FlowSending, r.config.ID, f.Error), nil)
}

// conclude ends the flow's sending if nothing of it is left, and reports whether it is
// over. Nobody can change the counts in between without changing the flow, too: claims
// need something to claim, outcomes something under way, and operators' changes write the
// flow along. So of all who find that it is over, one succeeds.
func (r *run) conclude() (over bool, err error) {
	ctx, cancel := context.WithTimeout(r.writes, r.config.Lease)
	defer cancel()
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil {
		return false, err
	}
	r.saw(f)
	switch {
	case f.State != FlowSending, r.stopped != nil && r.failed == nil && !f.stopping():
		return true, nil
	case f.Counts.Sending > 0:
		r.dry = true
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
		f.Error = ""
	case f.Counts.Registered > 0 && f.Error == "":
		f.Error = "Invio fermato: il flusso è stato disabilitato durante l'invio. Per riprendere, riabilitare il flusso."
	}
	if err := f.Fire(ctx, action, asSystem(r.config.ID)); err != nil {
		return false, err
	}
	change := f.change(action, FlowSending, r.config.ID, f.Error)
	switch err := r.store.SaveFlow(ctx, change, nil); {
	case errors.Is(err, flussi.ErrConflict):
		return false, nil // somebody changed it: look again
	case err != nil:
		return false, err
	}
	r.flow = change.Flow
	r.flow.Version++
	return true, nil
}

// why says in Italian why a service cannot send.
func why(err error) string {
	return "Invio fermato. " + (&flussi.Error{Package: "flow", Err: err}).Italian()
}

// whyDown says in Italian why the platform counts as down.
func whyDown(inRow int, last outcome) string {
	if last.code == CodeOutcomeUnknown {
		return fmt.Sprintf("Invio fermato dopo %s senza una risposta certa di App IO. Riprendere l'invio quando App IO funziona di nuovo.",
			italian.Count(inRow, "invio", "invii consecutivi"))
	}
	text := explained(last.err)
	if text == "" {
		text = "App IO non è raggiungibile o non funziona: riprovare più tardi."
	}
	return fmt.Sprintf("Invio fermato dopo %s. %s", italian.Count(inRow, "invio non riuscito", "invii consecutivi non riusciti"), text)
}
