package flow

import (
	"context"
	"fmt"

	"github.com/flussi-go/flussi/internal/italian"
)

// takeBack makes the notifications of this run whose refusals stopped the flow Registrato again, in
// one write. It skips notifications that were changed since. If the store fails, or if the process
// dies before, all of them remain Errore with the platform's answer, and an operator sets them
// back.
func (r *run) takeBack(ctx context.Context) {
	elsewhere := r.stop == nil && r.stoppedElsewhere(ctx)
	if !r.stopStored && !elsewhere {
		return // another dispatcher would claim them
	}
	taken := r.workers.breaker.takeBack(elsewhere)
	if len(taken) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.config.Lease)
	defer cancel()
	var pause backoff
	for {
		var back int
		var err error
		r.calls.do(func() { back, err = r.tryTakeBack(ctx, taken) })
		if err == nil {
			r.config.Logger.Info("flow: refused notifications are to be sent again", "flow", r.flow.ID, "notifications", back)
			return
		}
		if pause.wait(ctx) != nil {
			r.config.Logger.Warn("flow: refused notifications remain in error", "flow", r.flow.ID, "notifications", len(taken), "error", err)
			return
		}
	}
}

// stoppedElsewhere reports whether another dispatcher stopped the flow while refusals of this run
// count.
func (r *run) stoppedElsewhere(ctx context.Context) bool {
	if !r.workers.breaker.hasRefusals() {
		return false
	}
	f, err := r.store.Flow(ctx, r.flow.ID)
	return err == nil && f.Error != ""
}

// tryTakeBack is one attempt of takeBack. It returns how many notifications it changed.
func (r *run) tryTakeBack(ctx context.Context, taken []refused) (int, error) {
	f, err := r.store.Flow(ctx, r.flow.ID)
	if err != nil {
		return 0, err
	}
	var before []Notification
	var changes []NotificationChange
	for _, was := range taken {
		n, err := r.store.Notification(ctx, was.id)
		if err != nil {
			return 0, err
		}
		from := n
		if n.Version != was.version+1 || n.advance(NotificationRelease) != nil {
			continue // changed since
		}
		n.Transmission = Transmission{Attempts: n.Transmission.Attempts, StoppedFlow: true}
		n.AllowDuplicate = was.allowDuplicate
		before = append(before, from)
		changes = append(changes, n.change(NotificationRelease, from.State, r.config.ID,
			"Il flusso è stato fermato da rifiuti uguali: la notifica si invia di nuovo con il flusso."))
	}
	if len(changes) == 0 {
		return 0, nil
	}
	reason := fmt.Sprintf("%s: %s.", italian.Notification.Count(len(changes)), italian.Quote(NotificationRelease.Label()))
	return len(changes), allTogether(ctx, r.store, r.config.ID, &f, before, changes, reason)
}
