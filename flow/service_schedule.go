package flow

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// MaxSchedule is how far ahead a flow is scheduled at most.
const MaxSchedule = 366 * 24 * time.Hour

// ScheduleFlow (Programma Invio) orders the sending of an active flow at a later time: a
// [Dispatcher] that serves begins it then, or at its next PollInterval, also after restarts. Until
// then the flow is Attivo, with the time as NotBefore: its notifications are fixed, and its
// [Details] may be edited. It is sent now by [Service.SendFlow]; not sent at all after
// [Service.DeactivateFlow]; and not begun while it is disabled. If it is scheduled already, the new
// time replaces the old one.
//
// The permissions of the actor are those of SendFlow. They are checked now, and not when the flow
// begins, as with any order that was given: to withdraw what an operator has scheduled, find it by
// [FlowFilter].ScheduledBefore and deactivate it. The history has the order with the actor, and the
// beginning with the dispatcher and the actor's ID.
//
// The error is a [flussi.ErrRange] for a time that is not in the future, or more than [MaxSchedule]
// ahead. [flussi.LocalTime] makes the time of what an operator types.
func (s *Service) ScheduleFlow(ctx context.Context, by flussi.Actor, id uuid.UUID, notBefore time.Time) (Flow, error) {
	return s.changeFlow(ctx, "schedule flow", by, id, FlowSchedule, func(f *Flow) error {
		f.NotBefore, f.ScheduledBy = core.Stored(notBefore), by.ID
		return checkSchedule(f.NotBefore)
	})
}

// checkSchedule refuses a time at which no flow can begin.
func checkSchedule(notBefore time.Time) error {
	refused := func(reason string) error {
		return &flussi.ValueError{Type: "NotBefore", Err: flussi.ErrRange, Reason: reason}
	}
	switch now := now(); {
	case notBefore.IsZero():
		return refused("Indicare quando deve iniziare l'invio.")
	case !notBefore.After(now):
		return refused("L'ora di inizio dell'invio è già passata: indicarne una futura, oppure inviare subito.")
	case notBefore.After(now.Add(MaxSchedule)):
		return refused("L'invio si può programmare fino a un anno prima: indicare una data più vicina.")
	}
	return nil
}

// unschedule removes the time at which the flow begins.
func (f *Flow) unschedule() { f.NotBefore, f.ScheduledBy = time.Time{}, "" }

// scheduleReason says in a record what an action did to the schedule of a flow; "" if nothing.
func scheduleReason(action FlowAction, before, after Flow) string {
	switch {
	case action == FlowSchedule:
		return "L'invio inizia non prima del " + italian.Moment(after.NotBefore) + "."
	case !before.NotBefore.IsZero() && after.NotBefore.IsZero():
		return "Annullato l'invio programmato da " + italian.Quote(before.ScheduledBy) + " non prima del " + italian.Moment(before.NotBefore) + "."
	}
	return ""
}

// beginScheduled takes to In invio each flow whose time has come. Of several dispatchers that find
// one, the version lets one begin it. It returns the errors of those that it could not begin.
func (d *Dispatcher) beginScheduled(ctx context.Context) error {
	// The filter has no state, which would keep databases from using the index for this list.
	filter := FlowFilter{Services: d.config.Services, Disabled: OnlyEnabled, ScheduledBefore: now()}
	due, err := d.store.Flows(ctx, filter, Page{Limit: MaxPage, OldestFirst: true})
	faults := []error{err}
	for _, f := range due {
		err := d.begin(ctx, f)
		if !errors.Is(err, flussi.ErrConflict) { // another dispatcher began it, or an operator changed it
			faults = append(faults, flowFailure("begin flow", f.ID, err))
		}
	}
	return errors.Join(faults...)
}

// begin takes a scheduled flow to In invio.
func (d *Dispatcher) begin(ctx context.Context, f Flow) error {
	reason := "Invio programmato da " + italian.Quote(f.ScheduledBy) + " non prima del " + italian.Moment(f.NotBefore) + "."
	if err := f.Fire(ctx, FlowBegin, asSystem(d.config.ID)); err != nil {
		return err
	}
	f.clearError()
	f.unschedule()
	return d.store.SaveFlow(ctx, f.change(FlowBegin, FlowActive, d.config.ID, reason), nil)
}
