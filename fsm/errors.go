package fsm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/sentinel"
)

// Why a step is refused. A [*TransitionError] unwraps to one of these, to the error
// of the guard or hook that refused, or to the error of a context that is done.
var (
	ErrNotAllowed   = sentinel.New("event not allowed in this state", "L'azione non è possibile nello stato attuale.", flussi.ErrState)
	ErrUnknownState = sentinel.New("unknown state", "Lo stato non esiste.", nil)
	ErrRole         = sentinel.New("role not allowed", "L'azione è riservata a un altro ruolo.", flussi.ErrForbidden)
	ErrNoPath       = sentinel.New("no chain of events leads there", "Lo stato richiesto non è raggiungibile.", nil)
)

// TransitionError says which step was refused and why. The entity is as it was.
type TransitionError struct {
	Machine       string        // the name of the machine
	From          string        // the state in which it was refused
	FromLabel     string        // its Italian name
	Event         string        // the event, "" for a path
	EventLabel    string        // its Italian name
	To            string        // for ErrNoPath: where no path leads
	ToLabel       string        // its Italian name
	Allowed       []string      // for ErrNotAllowed: the events that may happen in the state; from Fire, by the actor
	AllowedLabels []string      // their Italian names
	Roles         []flussi.Role // for ErrRole: who may do it
	Err           error         // why

	guarded bool // Err is the reason of a guard or hook, whatever it is
	others  bool // for ErrNotAllowed: nothing may happen by the actor, but something by others
}

// Error describes the refusal for programmers.
func (e *TransitionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fsm: %s: ", e.Machine)
	if e.Event != "" {
		fmt.Fprintf(&b, "event %q from ", e.Event)
	}
	fmt.Fprintf(&b, "state %q", e.From)
	if e.To != "" {
		fmt.Fprintf(&b, " to %q", e.To)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	switch {
	case e.guarded:
	case e.Err == ErrNotAllowed && len(e.Allowed) == 0:
		b.WriteString(" (allowed: nothing)")
	case e.Err == ErrNotAllowed:
		fmt.Fprintf(&b, " (allowed: %s)", strings.Join(e.Allowed, ", "))
	case e.Err == ErrRole:
		fmt.Fprintf(&b, " (needed: %s)", strings.Join(roleNames(e.Roles, func(r flussi.Role) string { return string(r) }), ", "))
	}
	return b.String()
}

// Unwrap returns why the step was refused.
func (e *TransitionError) Unwrap() error { return e.Err }

// Italian describes the refusal for the operator.
func (e *TransitionError) Italian() string {
	var reason flussi.Explainer
	switch {
	case !e.byTable() && errors.As(e.Err, &reason):
		return fmt.Sprintf("Azione «%s» non eseguita. %s", e.EventLabel, flussi.Explain(e.Err))
	case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		return fmt.Sprintf("L'azione «%s» è stata interrotta prima di avere effetto.", e.EventLabel)
	case e.guarded:
		return fmt.Sprintf("Azione «%s» non eseguita.", e.EventLabel)
	case e.Err == ErrUnknownState:
		return fmt.Sprintf("Lo stato «%s» non esiste.", e.From)
	case e.Err == ErrNoPath:
		return fmt.Sprintf("Dallo stato «%s» non si può arrivare allo stato «%s».", e.FromLabel, e.ToLabel)
	case e.Err == ErrRole:
		return italian.Reserved(fmt.Sprintf("L'azione «%s»", e.EventLabel), roleNames(e.Roles, flussi.Role.Label))
	case len(e.AllowedLabels) == 0 && e.others:
		return fmt.Sprintf("L'azione «%s» non è possibile nello stato «%s», in cui non ci sono azioni possibili per i ruoli dell'utente.", e.EventLabel, e.FromLabel)
	case len(e.AllowedLabels) == 0:
		return fmt.Sprintf("L'azione «%s» non è possibile nello stato «%s», in cui non ci sono azioni possibili.", e.EventLabel, e.FromLabel)
	}
	return fmt.Sprintf("L'azione «%s» non è possibile nello stato «%s». %s: %s.", e.EventLabel, e.FromLabel,
		italian.Choose(len(e.AllowedLabels), "Azione possibile", "Azioni possibili"), italian.Quoted(e.AllowedLabels))
}

// byTable reports whether the reason is one that the machine itself gives.
func (e *TransitionError) byTable() bool {
	return slices.Contains([]error{ErrNotAllowed, ErrUnknownState, ErrRole, ErrNoPath}, e.Err)
}

func roleNames(roles []flussi.Role, name func(flussi.Role) string) []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = name(r)
	}
	return names
}

// refusal says why the table has no exit for the event, and which exits there are.
func (m *Machine[S, E]) refusal(from S, event E, open func(exit[S, E]) bool) error {
	e := m.refused(from, event, ErrNotAllowed)
	row, ok := m.table.states[from]
	if !ok {
		e.Err = ErrUnknownState
		return e
	}
	for _, x := range row.exits {
		if open(x) {
			e.Allowed = append(e.Allowed, string(x.event))
			e.AllowedLabels = append(e.AllowedLabels, m.table.labels[x.event])
		}
	}
	e.others = len(e.Allowed) == 0 && len(row.exits) > 0
	return e
}

// refused says that the event was refused for a reason.
func (m *Machine[S, E]) refused(from S, event E, reason error) *TransitionError {
	return &TransitionError{
		Machine: m.table.definition.Name,
		From:    string(from), FromLabel: m.Label(from),
		Event: string(event), EventLabel: m.EventLabel(event),
		Err: reason,
	}
}
