package pagoinrete

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// CreateEvent (Creazione tassa, evento di pagamento; the first operation) creates an event of
// a school with its instalments: Non trasmesso a Pago in Rete.
func (s *Service) CreateEvent(ctx context.Context, by flussi.Actor, kind EventKind, school string, d EventData) (Event, error) {
	const op = "create event"
	e, err := NewEvent(kind, school, by)
	if err == nil {
		err = s.access.Admit(ctx, by, school)
	}
	if err == nil {
		err = e.Fire(ctx, EventSave, by)
	}
	if err == nil {
		err = d.Validate(kind)
	}
	if err != nil {
		return Event{}, failure(op, err)
	}
	e.EventData = d.normal()
	record := EventRecord{At: e.CreatedAt, By: by.ID, Action: EventSave, From: EventBlank, To: e.State}
	if err := s.store.SaveEvent(ctx, EventChange{Event: e, Record: record}, nil); err != nil {
		return Event{}, eventFailure(op, e.ID, err)
	}
	e.Version++
	return e, nil
}

// EditEvent (Modifica) replaces the office's data of an event that is Non trasmesso, Simulato or
// Rifiutato. The version is the one that the office read; if the event has another one now, the
// error is a [flussi.ErrConflict]. An event that was transmitted is replaced in Pago In Rete as
// well. While the event has notices, its amounts, due dates and instalments are fixed.
func (s *Service) EditEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d EventData) (Event, error) {
	d = d.normal()
	return s.changeEvent(ctx, "edit event", by, id, step{
		action: EventEdit,
		guard: func(e Event) error {
			if e.Version != version {
				return flussi.ErrConflict
			}
			if err := d.Validate(e.Kind); err != nil {
				return err
			}
			if live := e.Counts.NotCancelled(); live > 0 && !d.fixes(e.EventData) {
				return fixedByNotices(live)
			}
			return nil
		},
		edit: func(e *Event) { e.EventData = d },
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			if e.State == EventNotTransmitted {
				return RemoteEvent{State: e.State}, nil
			}
			return g.PutEvent(ctx, by, e)
		},
		puts: true,
	})
}

// TransmitEvent (Salva e trasmetti; the second operation) transmits an event: Simulato.
func (s *Service) TransmitEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	return s.changeEvent(ctx, "transmit event", by, id, step{
		action: EventTransmit,
		guard:  func(e Event) error { return e.Validate(e.Kind) },
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) { return g.PutEvent(ctx, by, e) },
		puts:   true,
	})
}

// SubmitEvent (Rendi l'evento "da approvare"; the fifth operation) submits an event to the
// principal: Da approvare. All its notices have to be transmitted; a donation has none. SubmitEvent
// first transmits the event once more, so that the principal approves our current data.
func (s *Service) SubmitEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	return s.changeEvent(ctx, "submit event", by, id, step{
		action: EventSubmit,
		guard:  noticesReady,
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			if _, err := g.PutEvent(ctx, by, e); err != nil && !errors.Is(err, flussi.ErrRemoteState) {
				return RemoteEvent{}, err
			}
			return g.MoveEvent(ctx, by, e.ID, EventSubmit, flussi.Text{})
		},
	})
}

// ApproveEvent (Approva; the sixth operation) approves an event: Da notificare. Only the principal
// may.
func (s *Service) ApproveEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	return s.changeEvent(ctx, "approve event", by, id, step{
		action: EventApprove,
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			return g.MoveEvent(ctx, by, e.ID, EventApprove, flussi.Text{})
		},
		edit: func(e *Event) { e.Rejection = flussi.Text{} },
	})
}

// RejectEvent (Rifiuta; the sixth operation) rejects an event with a reason of at most 4000 UTF-16
// code units: Rifiutato. Only the principal may.
func (s *Service) RejectEvent(ctx context.Context, by flussi.Actor, id uuid.UUID, why flussi.Text) (Event, error) {
	return s.changeEvent(ctx, "reject event", by, id, step{
		action: EventReject,
		reason: why,
		guard:  func(Event) error { return checkReason(why, "il motivo del rifiuto") },
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			return g.MoveEvent(ctx, by, e.ID, EventReject, why)
		},
		edit: func(e *Event) { e.Rejection = why },
	})
}

// NotifyEvent (Notifica; the seventh operation) makes an event Notificato: families can view it and
// pay, and its data are fixed. Then it reads the notices' states, as [Service.VerifyEvent] does:
// they are Non pagato (Notificato) where a payer is registered and has logged in. If reading them
// fails, the event is Notificato anyway, and is returned with the error.
func (s *Service) NotifyEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	const op = "notify event"
	e, err := s.changeEvent(ctx, op, by, id, step{
		action: EventNotify,
		guard: func(e Event) error {
			if e.Kind == Fee && e.Counts.Unpaid == 0 {
				return refuse(ErrNotices, "L'evento non ha avvisi da notificare: sono tutti annullati.")
			}
			return nil
		},
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			return g.MoveEvent(ctx, by, e.ID, EventNotify, flussi.Text{})
		},
	})
	if err != nil || e.Kind != Fee {
		return e, err
	}
	if _, err := s.verifyNotices(ctx, by, e.School, NoticeFilter{Event: e.ID, States: []NoticeState{NoticeNotNotified}}); err != nil {
		return e, eventFailure(op, id, err)
	}
	e, err = s.readEvent(ctx, id)
	return e, eventFailure(op, id, err)
}

// DeleteEvent (Cancella) withdraws an event that is Simulato or Rifiutato: Cancellato, here and in
// Pago In Rete. Its notices are cancelled, some hundred at a time: if the call fails between them,
// make it again.
func (s *Service) DeleteEvent(ctx context.Context, by flussi.Actor, id uuid.UUID) (Event, error) {
	return s.changeEvent(ctx, "delete event", by, id, step{
		action: EventDelete,
		remote: func(ctx context.Context, g Gateway, e Event) (RemoteEvent, error) {
			return g.MoveEvent(ctx, by, e.ID, EventDelete, flussi.Text{})
		},
		before: func(ctx context.Context, e Event) error { return s.withdrawNotices(ctx, by, e) },
	})
}

// ResolveEventDiscrepancy (Archivia la discrepanza) closes an event's discrepancy with an
// explanation: the same one is not reported again. The version is the one that the user read; if
// the event has another one now, the error is a [flussi.ErrConflict].
func (s *Service) ResolveEventDiscrepancy(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, why flussi.Text) (Event, error) {
	return s.changeEvent(ctx, "settle event", by, id, step{
		action: EventResolveDiscrepancy,
		reason: why,
		guard: func(e Event) error {
			if e.Version != version {
				return flussi.ErrConflict
			}
			if !e.Discrepancy.Open() {
				return refuse(ErrDiscrepancy, "L'evento non ha discrepanze da archiviare.")
			}
			return checkReason(why, "la spiegazione")
		},
		edit: func(e *Event) { e.Discrepancy.Resolved = true },
	})
}

// step is a step of an event.
type step struct {
	action EventAction
	reason flussi.Text                                                // for the history
	guard  func(Event) error                                          // may refuse; nil: nothing to check
	edit   func(*Event)                                               // changes it; nil: nothing but the state
	remote func(context.Context, Gateway, Event) (RemoteEvent, error) // does it in Pago In Rete; nil: it is done here only
	puts   bool                                                       // the remote is PutEvent: after a conflict the edited event is put again
	before func(ctx context.Context, e Event) error                   // is done here before it is stored; nil: nothing
}

// changeEvent takes a step with an event in Pago In Rete, and then stores it. After a conflict it
// reads the event again and retries.
func (s *Service) changeEvent(ctx context.Context, op string, by flussi.Actor, id uuid.UUID, how step) (Event, error) {
	var done EventState // that Pago In Rete has it in now
	for tries := (core.Tries{}); ; {
		e, err := s.event(ctx, by, id)
		if err != nil || done != "" && e.State == done { // another user took the same step
			return e, eventFailure(op, id, err)
		}
		from := e.State
		if err := e.take(ctx, how.action, by); err != nil {
			return Event{}, eventFailure(op, id, err)
		}
		to := e.State
		e.State = from
		if how.guard != nil {
			if err := how.guard(e); err != nil {
				return Event{}, eventFailure(op, id, err)
			}
		}
		if how.edit != nil {
			how.edit(&e)
		}
		if how.remote != nil && (done == "" || how.puts) {
			there, err := s.takeRemotely(ctx, e, to, how)
			if err != nil {
				return Event{}, eventFailure(op, id, err)
			}
			e.RemoteID = cmp.Or(there.RemoteID, e.RemoteID)
			if to != from {
				done = to
			}
		}
		if how.before != nil {
			if err := how.before(ctx, e); err != nil {
				return Event{}, eventFailure(op, id, err)
			}
		}
		e.State = to
		change := e.change(how.action, from, by.ID, how.reason.Reveal())
		err = s.store.SaveEvent(ctx, change, nil)
		if err == nil {
			return s.stored(ctx, change.Event), nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return Event{}, eventFailure(op, id, err)
		}
	}
}

// stored reads an event that was just stored, for its Version and Counts. If that fails it returns
// the event as it is: the change was made, so there is no error.
func (s *Service) stored(ctx context.Context, e Event) Event {
	if read, err := s.store.Event(ctx, e.ID); err == nil {
		return read
	}
	e.Version++
	return e
}

// takeRemotely takes a step in Pago In Rete. If the outcome is unknown, or the step was taken
// already, it reads the state back. An event that was changed since it was created may be there
// with its old data, so it is put again instead.
func (s *Service) takeRemotely(ctx context.Context, e Event, to EventState, how step) (RemoteEvent, error) {
	g, err := s.gateway(ctx, e.School)
	if err != nil {
		return RemoteEvent{}, err
	}
	there, err := how.remote(ctx, g, e)
	if how.puts && e.Version > 1 && flussi.OutcomeOf(err) == flussi.OutcomeUnknown {
		if there, err = how.remote(ctx, g, e); flussi.OutcomeOf(err) == flussi.OutcomeUnknown {
			return there, err
		}
	}
	if err != nil {
		if flussi.OutcomeOf(err) != flussi.OutcomeUnknown && !errors.Is(err, flussi.ErrRemoteState) && !errors.Is(err, flussi.ErrRemoteNotFound) {
			return there, err
		}
		read, readErr := g.Event(ctx, e.ID)
		switch {
		case errors.Is(readErr, flussi.ErrRemoteNotFound) && to == EventDeleted: // it is gone
			return RemoteEvent{ID: e.ID, State: EventDeleted}, nil
		case readErr != nil, read.State != to:
			return there, err
		}
		there = read
	}
	if there.State != to {
		return there, refuse(flussi.ErrRemoteState, "Su Pago In Rete lo stato dell'evento è «%s»: verificare lo stato.", there.State.Label())
	}
	return there, nil
}

// fixedByNotices refuses to change data that an event's notices, other than cancelled ones, depend
// on.
func fixedByNotices(live int) error {
	return refuse(ErrNotices, "L'evento ha già %s: per cambiare importi, scadenze o rate occorre prima %s.",
		italian.Notice.Count(live), italian.Notice.Object(live, "annullar"))
}

// noticesReady refuses to submit an event whose notices are not ready.
func noticesReady(e Event) error {
	switch c := e.Counts; {
	case e.Kind == Donation:
		return nil
	case c.NotLinked > 0:
		n, notice := c.NotLinked, italian.Notice
		return refuse(ErrNotices, "L'evento ha %s non ancora %s: %s o %s prima.", notice.Count(n),
			notice.Agree(n, "trasmess"), notice.Object(n, "trasmetter"), notice.Object(n, "annullar"))
	case c.Unpaid == 0:
		return refuse(ErrNotices, "L'evento non ha avvisi da pagare: crearli e trasmetterli prima.")
	}
	return nil
}

// withdrawNotices cancels the notices of an event that is withdrawn.
func (s *Service) withdrawNotices(ctx context.Context, by flussi.Actor, e Event) error {
	for tries := (core.Tries{}); ; {
		found, err := s.store.Notices(ctx, NoticeFilter{Event: e.ID, States: []NoticeState{NoticeNotLinked, NoticeNotNotified}}, Page{Limit: MaxNoticesPerCall, OldestFirst: true})
		if err != nil || len(found) == 0 {
			return err
		}
		changes := make([]NoticeChange, len(found))
		for i, n := range found {
			from := n.State
			n.State = NoticeCancelled
			changes[i] = n.change(NoticeCancel, from, by.ID, "L'evento è stato cancellato.")
		}
		err = s.store.SaveNotices(ctx, changes...)
		if err == nil {
			tries = core.Tries{}
			continue
		}
		if err := tries.Again(ctx, err); err != nil {
			return err
		}
	}
}

// maxReason is how long a reason may be, in UTF-16 code units.
const maxReason = 4000

// checkReason refuses a reason that is empty or too long.
func checkReason(why flussi.Text, name string) error {
	e := &invalid{}
	e.text("Reason", name, strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(why.Reveal()), maxReason, true)
	return e.OrNil()
}
