package fsm

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
)

// Definition is what a [Machine] is made from.
type Definition[S, E ~string] struct {
	Name        string             // what the machine is about, for errors and diagrams; required
	Initial     S                  // where every entity begins
	States      []State[S]         // all states, in the order in which a reader should read them
	Transitions []Transition[S, E] // all that may happen
}

// State is a state that an entity can be in.
type State[S ~string] struct {
	Name  S      // stored with the entity, as a database has it: see [MaxName] and [ErrBadName]
	Label string // the Italian name; default: the Name
	Final bool   // nothing leads out of it, and this is intended
}

// Transition is a row of the table: the event leads from each of the From states to
// the To state. A transition from a state to itself is something that may be done
// there and changes nothing about the state; a row with Stay says so for all of its From states.
type Transition[S, E ~string] struct {
	Event E             // named like a state
	From  []S           // at least one
	To    S             // exactly one; none with Stay
	Stay  bool          // each From state is its own To: [New] makes one row of each
	Label string        // the Italian name of the action, one for each event; default: the Event
	Roles []flussi.Role // who may do it, any of them; none: anyone
}

// The kinds of defects that [New] finds in a definition. A [*DefinitionError]
// unwraps to all that it lists.
var (
	ErrEmptyDefinition  = errors.New("nothing is defined")
	ErrBadName          = errors.New("name is empty, too long, has blanks at its ends, or characters that are not printed")
	ErrUndeclared       = errors.New("state is not declared")
	ErrUnknownInitial   = errors.New("initial state is not declared")
	ErrDuplicateState   = errors.New("state is declared twice")
	ErrDuplicateEdge    = errors.New("event leaves the state twice")
	ErrUnreachableState = errors.New("state cannot be reached")
	ErrDeadEnd          = errors.New("nothing leads out of the state, and it is not final")
	ErrFinalLeft        = errors.New("final state is left")
	ErrTwoTargets       = errors.New("event keeps the state and leads to another")
	ErrTwoLabels        = errors.New("event has two labels")
	ErrBadLabel         = errors.New("label or name has control characters")
)

// DefinitionError lists all the defects of a definition.
type DefinitionError struct {
	Machine string  // the name of the definition
	Defects []error // each wraps one of the defect kinds of this package
}

// Error lists the defects, one a line.
func (e *DefinitionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fsm: machine %q: %d defects:", e.Machine, len(e.Defects))
	for _, defect := range e.Defects {
		b.WriteString("\n\t" + defect.Error())
	}
	return b.String()
}

// Unwrap returns the defects.
func (e *DefinitionError) Unwrap() []error { return e.Defects }

// MaxName is how many characters the name of a state or an event may have.
const MaxName = 100

// isName reports whether a text may be the name of a state or an event: UTF-8 of 1 to [MaxName]
// characters that are printed, and blanks between them. A name that looks like another one, because
// of a blank at its end or an invisible character, would be another state.
func isName[N ~string](name N) bool {
	text := string(name)
	unprinted := func(r rune) bool { return !unicode.IsPrint(r) }
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= MaxName &&
		strings.Trim(text, " ") == text && !strings.ContainsFunc(text, unprinted)
}

// single returns the rows, each that has Stay as one row for each of its From states. A row that
// has a To as well is left as it is.
func single[S, E ~string](rows []Transition[S, E]) []Transition[S, E] {
	var all []Transition[S, E]
	for _, row := range rows {
		var none S
		if !row.Stay || row.To != none {
			all = append(all, row)
			continue
		}
		from := row.From
		row.Stay = false
		if len(from) == 0 {
			all = append(all, row)
		}
		for i, state := range from {
			row.From, row.To = from[i:i+1], state
			all = append(all, row)
		}
	}
	return all
}

// defects returns all that is wrong with the definition, whose rows are single.
func (d Definition[S, E]) defects() []error {
	var found []error
	report := func(kind error, format string, args ...any) {
		found = append(found, fmt.Errorf(format+": %w", append(args, kind)...))
	}
	if d.Name == "" {
		report(ErrEmptyDefinition, "name")
	}
	checkLabel := func(label, format string, args ...any) {
		if strings.ContainsFunc(label, unicode.IsControl) {
			report(ErrBadLabel, format, args...)
		}
	}
	checkLabel(d.Name, "name %q", d.Name)
	if len(d.States) == 0 {
		report(ErrEmptyDefinition, "states")
	}
	if len(d.Transitions) == 0 {
		report(ErrEmptyDefinition, "transitions")
	}

	final := map[S]bool{} // of the declared states
	for _, state := range d.States {
		if _, twice := final[state.Name]; twice {
			report(ErrDuplicateState, "state %q", state.Name)
			continue
		}
		if !isName(state.Name) {
			report(ErrBadName, "state %q", state.Name)
		}
		checkLabel(state.Label, "state %q", state.Name)
		final[state.Name] = state.Final
	}
	_, begins := final[d.Initial]
	if !begins {
		report(ErrUnknownInitial, "initial %q", d.Initial)
	}

	labels := map[E]string{}
	out := map[S][]S{} // where each state leads, itself left out
	type edge struct {
		from  S
		event E
	}
	edges := map[edge]bool{}
	for _, t := range d.Transitions {
		if !isName(t.Event) {
			report(ErrBadName, "event %q", t.Event)
		}
		label := cmp.Or(t.Label, string(t.Event))
		if other, seen := labels[t.Event]; seen && other != label {
			report(ErrTwoLabels, "event %q: %q and %q", t.Event, other, label)
		}
		labels[t.Event] = label
		checkLabel(label, "event %q", t.Event)
		for _, role := range t.Roles {
			if role == "" {
				report(ErrEmptyDefinition, "event %q: role", t.Event)
			}
			checkLabel(string(role), "event %q: role %q", t.Event, role)
		}
		if t.Stay {
			report(ErrTwoTargets, "event %q: to %q", t.Event, t.To)
		}
		if len(t.From) == 0 {
			report(ErrEmptyDefinition, "event %q: from", t.Event)
		}
		if _, declared := final[t.To]; !declared {
			report(ErrUndeclared, "event %q: to %q", t.Event, t.To)
		}
		for _, from := range t.From {
			isFinal, declared := final[from]
			if !declared {
				report(ErrUndeclared, "event %q: from %q", t.Event, from)
			}
			if edges[edge{from, t.Event}] {
				report(ErrDuplicateEdge, "event %q: from %q", t.Event, from)
			}
			edges[edge{from, t.Event}] = true
			if from == t.To {
				continue
			}
			if isFinal {
				report(ErrFinalLeft, "event %q: from %q", t.Event, from)
			}
			out[from] = append(out[from], t.To)
		}
	}

	reached := []S{d.Initial}
	for i := 0; i < len(reached); i++ {
		for _, to := range out[reached[i]] {
			if !slices.Contains(reached, to) {
				reached = append(reached, to)
			}
		}
	}
	for _, state := range d.States {
		isFinal, first := final[state.Name]
		delete(final, state.Name) // so that one that is declared twice is judged once
		if !first {
			continue
		}
		if begins && !slices.Contains(reached, state.Name) {
			report(ErrUnreachableState, "state %q", state.Name)
		}
		if !isFinal && len(out[state.Name]) == 0 {
			report(ErrDeadEnd, "state %q", state.Name)
		}
	}
	return found
}
