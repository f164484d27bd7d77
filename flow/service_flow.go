package flow

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
)

// The longest texts of [Details], in UTF-16 code units.
const (
	MaxNote = 4000 // of the note
	MaxKey  = 255  // of the application context, the key, and a notification's reference
)

// CreateFlow (Nuovo) creates a flow of a service, Inattivo and without notifications.
func (s *Service) CreateFlow(ctx context.Context, by flussi.Actor, service string, d Details) (Flow, error) {
	const op = "create flow"
	change, err := s.newFlow(ctx, by, service, d)
	if err == nil {
		err = s.store.SaveFlow(ctx, change, nil)
	}
	if err != nil {
		return Flow{}, flowFailure(op, change.Flow.ID, err)
	}
	f := change.Flow
	f.Version++
	return f, nil
}

// newFlow returns a flow that the actor may create, and its first record.
func (s *Service) newFlow(ctx context.Context, by flussi.Actor, service string, d Details) (FlowChange, error) {
	f, err := NewFlow(service, by)
	if err == nil {
		err = s.admitOperator(ctx, by, service)
	}
	if err == nil {
		err = d.check()
	}
	if err != nil {
		return FlowChange{}, err
	}
	f.Details = d.normal()
	return FlowChange{Flow: f, Record: FlowRecord{At: f.CreatedAt, By: by.ID, Action: FlowCreate, To: f.State}}, nil
}

// EditFlow (Aggiorna) replaces what operators wrote about a flow. The version is the one that the
// operator read; if the flow has another one now, the error is a [flussi.ErrConflict]. It is
// possible in every state but In invio. Notifications of the flow keep the options with which they
// were added.
func (s *Service) EditFlow(ctx context.Context, by flussi.Actor, id uuid.UUID, version int64, d Details) (Flow, error) {
	return s.changeFlow(ctx, "edit flow", by, id, FlowEdit, func(f *Flow) error {
		if f.Version != version {
			return flussi.ErrConflict
		}
		f.Details = d.normal()
		return d.check()
	})
}

// ActivateFlow (Attiva) makes a flow ready to be sent; its notifications are fixed then. A flow
// that is not Inattivo any more is returned unchanged. The error is an [ErrNothingToSend] if the
// flow has no notification that is Registrato. Its Italian text says whether all messages were sent
// before.
func (s *Service) ActivateFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	const op = "activate flow"
	return s.stepOnce(ctx, by, id, func(f Flow) bool { return f.State != FlowInactive }, func() (Flow, error) {
		return s.changeFlow(ctx, op, by, id, FlowActivate, func(f *Flow) error { return s.needsSomething(ctx, f) })
	})
}

// DeactivateFlow (Riporta a Inattivo) takes an active flow back into preparation. If it was
// scheduled, it is not any more.
func (s *Service) DeactivateFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	return s.changeFlow(ctx, "deactivate flow", by, id, FlowDeactivate, func(f *Flow) error {
		f.unschedule()
		return nil
	})
}

// SendFlow (Invia Flusso) orders the sending of an active flow, or of one that is Invio
// incompleto and has notifications to be sent: set back to Registrato, or not sent since
// the sending stopped. It returns at once; a [Dispatcher] does the sending. A flow that is
// already In invio or Inviato is returned unchanged. One that is scheduled is sent now, not at its
// time. The error is an [ErrNothingToSend] if nothing is Registrato.
func (s *Service) SendFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	const op = "send flow"
	return s.stepOnce(ctx, by, id, func(f Flow) bool { return f.State == FlowSending || f.State == FlowSent }, func() (Flow, error) {
		return s.changeFlow(ctx, op, by, id, FlowSend, func(f *Flow) error {
			f.clearError()
			f.unschedule()
			return s.needsSomething(ctx, f)
		})
	})
}

// stepOnce takes a step with a flow, or returns the flow unchanged if the step was taken before, so
// that a program can be run again from its start.
func (s *Service) stepOnce(ctx context.Context, by flussi.Actor, id uuid.UUID, taken func(Flow) bool, step func() (Flow, error)) (Flow, error) {
	f, err := step()
	if !errors.Is(err, fsm.ErrNotAllowed) || !by.Has(flussi.Operator) {
		return f, err
	}
	now, readErr := s.flow(ctx, by, id)
	if readErr != nil || now.Disabled || !taken(now) {
		return f, err
	}
	return now, nil
}

// DisableFlow (Dis.) sets a flow aside, in whatever state it is: until it is enabled, it can only
// be read and verified. A sending under way ends: what was not begun remains Registrato, and the
// flow becomes Invio incompleto. One that is scheduled does not begin.
func (s *Service) DisableFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	return s.changeFlow(ctx, "disable flow", by, id, FlowDisable, func(f *Flow) error {
		f.Disabled = true
		return nil
	})
}

// EnableFlow undoes DisableFlow. A flow whose scheduled time has passed meanwhile begins at once.
func (s *Service) EnableFlow(ctx context.Context, by flussi.Actor, id uuid.UUID) (Flow, error) {
	return s.changeFlow(ctx, "enable flow", by, id, FlowEnable, func(f *Flow) error {
		f.Disabled = false
		return nil
	})
}

// changeFlow takes a step with a flow, edits it and stores it. After a conflict it reads the flow
// again and retries.
func (s *Service) changeFlow(ctx context.Context, op string, by flussi.Actor, id uuid.UUID, action FlowAction, edit func(*Flow) error) (Flow, error) {
	for tries := (core.Tries{}); ; {
		change, err := s.editFlow(ctx, by, id, action, edit)
		if err != nil {
			return Flow{}, flowFailure(op, id, err)
		}
		err = s.store.SaveFlow(ctx, change, nil)
		if err == nil {
			change.Flow.Version++
			return change.Flow, nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return Flow{}, flowFailure(op, id, err)
		}
	}
}

// editFlow returns the change of a step with a flow, and stores nothing.
func (s *Service) editFlow(ctx context.Context, by flussi.Actor, id uuid.UUID, action FlowAction, edit func(*Flow) error) (FlowChange, error) {
	f, err := s.flow(ctx, by, id)
	before := f
	if err == nil {
		err = f.Fire(ctx, action, by)
	}
	if err == nil && edit != nil {
		err = edit(&f)
	}
	return f.change(action, before.State, by.ID, scheduleReason(action, before, f)), err
}

// needsSomething returns an [ErrNothingToSend] if no notification is Registrato, and says why.
func (s *Service) needsSomething(ctx context.Context, f *Flow) error {
	if f.Counts.Registered > 0 {
		return nil
	}
	allSent, err := s.allSent(ctx, f)
	if err != nil {
		return err
	}
	reason := "Il flusso non ha notifiche da inviare: importarle prima."
	switch c := f.Counts; {
	case allSent:
		reason = "Tutti i messaggi del flusso sono già stati inviati ai cittadini, e non si inviano di nuovo. Se si tratta di un nuovo invio, importarli con un'altra occasione."
	case c.Total() > 0 && c.Total() == c.Disabled:
		reason = "Tutte le notifiche del flusso sono disabilitate. Se ripetono messaggi già inviati, importarle con un'altra occasione; altrimenti riabilitarle."
	case c.Total() > 0:
		reason = "Il flusso non ha notifiche nello stato «Registrato»: correggere quelle nello stato «Errore», riportarle a «Registrato» e ripetere «Invia Flusso»."
	}
	return refuse(ErrNothingToSend, "%s", reason)
}

// allSent reports whether all messages of a flow were sent, by its own notifications or by others
// of the service. It stops reading at the first page that has a message that was not sent.
func (s *Service) allSent(ctx context.Context, f *Flow) (bool, error) {
	if f.Counts.Total() == 0 {
		return false, nil
	}
	var unsent []Digest // messages of one page that the flow itself did not send
	for n, err := range all(ctx, s.store, NotificationFilter{Flow: f.ID}) {
		if err != nil {
			return false, err
		}
		if n.State == NotificationSent {
			continue
		}
		if unsent = append(unsent, n.Digest()); len(unsent) == MaxPage {
			if sent, err := s.sentElsewhere(ctx, f.Service, unsent); err != nil || !sent {
				return false, err
			}
			unsent = unsent[:0]
		}
	}
	return s.sentElsewhere(ctx, f.Service, unsent)
}

// sentElsewhere reports whether each message was sent by some notification of a service.
func (s *Service) sentElsewhere(ctx context.Context, service string, messages []Digest) (bool, error) {
	if len(messages) == 0 {
		return true, nil
	}
	missing := map[Digest]bool{}
	for _, m := range messages {
		missing[m] = true
	}
	for n, err := range all(ctx, s.store, NotificationFilter{Services: []string{service}, Digests: messages}) {
		if err != nil {
			return false, err
		}
		if n.State == NotificationSent || n.State == NotificationSending {
			delete(missing, n.Digest())
		}
		if len(missing) == 0 {
			return true, nil
		}
	}
	return false, nil
}

// check refuses texts that are too long, and options that no row can have.
func (d Details) check() error {
	e := &core.Invalid{}
	e.Text(core.TextRule{Field: "Note", Name: "la nota", Max: MaxNote}, d.Note.Reveal())
	e.Text(core.TextRule{Field: "AppContext", Name: "il contesto applicativo", Max: MaxKey}, d.AppContext)
	e.Text(core.TextRule{Field: "AppKey", Name: "la chiave applicativa", Max: MaxKey}, d.AppKey)
	d.Options.checkStanding(e)
	return e.OrNil()
}

// normal returns the details as stores keep them.
func (d Details) normal() Details {
	d.Options = d.Options.normal()
	return d
}

// conclude adapts the flow's state to its notifications, outside a sending: Invio incompleto as
// long as one is not sent, Inviato once all are. It returns the step that it took, or other if none
// was needed.
func (f *Flow) conclude(ctx context.Context, by string, other FlowAction) (FlowAction, error) {
	action := FlowAction("")
	open := f.Counts.Pending() + f.Counts.Failed
	switch {
	case f.State == FlowIncomplete && open == 0:
		action = FlowComplete
		f.clearError()
	case f.State == FlowSent && open > 0:
		action = FlowEndIncomplete
	default:
		return other, nil
	}
	return action, f.Fire(ctx, action, asSystem(by))
}

// asSystem returns an actor for steps of the system, with the role System for the machines, and the
// ID of the user who ordered it for the records.
func asSystem(id string) flussi.Actor { return flussi.Actor{ID: id, Roles: systemRoles} }

var systemRoles = []flussi.Role{flussi.System}
