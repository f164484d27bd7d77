package fsm

import (
	"slices"
	"sync"

	"github.com/flussi-go/flussi"
)

// Machine decides what may happen to entities of one kind. It is made by [New],
// never changes, and is safe for concurrent use by any number of goroutines. It
// must not be copied.
type Machine[S, E ~string] struct {
	table   *table[S, E]
	hooks   []Hooks[S, E]
	runners sync.Pool // of *runner[S, E], each bound to this machine's hooks
}

// table is a checked definition, indexed by state. Machines that differ in hooks
// share it.
type table[S, E ~string] struct {
	definition Definition[S, E]
	states     map[S]*stateRow[S, E]
	labels     map[E]string
}

// stateRow is a state and what may happen in it, in the order of the definition. A
// state has few exits, so that a scan is faster than a second look-up.
type stateRow[S, E ~string] struct {
	State[S]
	exits []exit[S, E]
}

type exit[S, E ~string] struct {
	event E
	to    S
	roles []flussi.Role
}

// open reports whether the actor's roles allow the event.
func (x exit[S, E]) open(by flussi.Actor) bool { return len(x.roles) == 0 || by.Has(x.roles...) }

// New checks a definition and makes a machine of it. If anything is wrong with the
// definition it returns a [*DefinitionError] that lists every defect. The
// definition is copied; changing it later changes nothing.
func New[S, E ~string](d Definition[S, E]) (*Machine[S, E], error) {
	d.Transitions = single(d.Transitions)
	if defects := d.defects(); len(defects) > 0 {
		return nil, &DefinitionError{Machine: d.Name, Defects: defects}
	}
	t := &table[S, E]{
		definition: d,
		states:     make(map[S]*stateRow[S, E], len(d.States)),
		labels:     make(map[E]string, len(d.Transitions)),
	}
	t.definition.States = slices.Clone(d.States)
	for i := range t.definition.States {
		state := &t.definition.States[i]
		if state.Label == "" {
			state.Label = string(state.Name)
		}
		t.states[state.Name] = &stateRow[S, E]{State: *state}
	}
	t.definition.Transitions = cloneTransitions(d.Transitions)
	for i := range t.definition.Transitions {
		row := &t.definition.Transitions[i]
		if row.Label == "" {
			row.Label = string(row.Event)
		}
		t.labels[row.Event] = row.Label
		for _, from := range row.From {
			t.states[from].exits = append(t.states[from].exits, exit[S, E]{row.Event, row.To, row.Roles})
		}
	}
	return newMachine(t, nil), nil
}

// MustNew is [New] for a definition that is written in the program. It panics if the
// definition has defects.
func MustNew[S, E ~string](d Definition[S, E]) *Machine[S, E] {
	m, err := New(d)
	if err != nil {
		panic(err)
	}
	return m
}

func newMachine[S, E ~string](t *table[S, E], hooks []Hooks[S, E]) *Machine[S, E] {
	m := &Machine[S, E]{table: t, hooks: hooks}
	m.runners.New = func() any { return newRunner(t, hooks) }
	return m
}

func cloneTransitions[S, E ~string](rows []Transition[S, E]) []Transition[S, E] {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].From = slices.Clone(rows[i].From)
		rows[i].Roles = slices.Clone(rows[i].Roles)
	}
	return rows
}

// Next returns the state that the event leads to. It looks at the table only: not at
// roles, guards or hooks. It does not allocate unless it refuses. The error is a
// [*TransitionError] with [ErrUnknownState] or [ErrNotAllowed]; the state is then
// the given one.
func (m *Machine[S, E]) Next(from S, event E) (S, error) {
	if x := m.exit(from, event); x != nil {
		return x.to, nil
	}
	return from, m.refusal(from, event, func(exit[S, E]) bool { return true })
}

// exit returns where the event leads from the state, or nil.
func (m *Machine[S, E]) exit(from S, event E) *exit[S, E] {
	if row := m.table.states[from]; row != nil {
		for i := range row.exits {
			if row.exits[i].event == event {
				return &row.exits[i]
			}
		}
	}
	return nil
}

// Allowed returns the events that may be fired from a state by an actor who holds the roles, in the
// order of the definition: those open to anyone, and those that name one of the roles. Without
// roles, these are only the events open to anyone. It looks at the table only: a guard or a hook
// may still refuse. It returns nil for a state that the machine does not know.
func (m *Machine[S, E]) Allowed(from S, roles ...flussi.Role) []E {
	row, ok := m.table.states[from]
	if !ok {
		return nil
	}
	actor := flussi.Actor{Roles: roles}
	var allowed []E
	for _, x := range row.exits {
		if x.open(actor) {
			allowed = append(allowed, x.event)
		}
	}
	return allowed
}

// Path returns the shortest chain of events that leads from one state to another, regardless of
// roles; of two equally short ones, the one whose events are first in the table. None of the events
// in without is in it, such as those that undo others. It is empty from a state to itself. The error
// is a [*TransitionError] with [ErrUnknownState], or [ErrNoPath] if no chain leads there.
func (m *Machine[S, E]) Path(from, to S, without ...E) ([]E, error) {
	for _, state := range []S{from, to} {
		if _, ok := m.table.states[state]; !ok {
			return nil, &TransitionError{Machine: m.table.definition.Name, From: string(state), Err: ErrUnknownState}
		}
	}
	type step struct {
		before S
		event  E
	}
	came := map[S]step{}
	queue := []S{from}
	for len(queue) > 0 && queue[0] != to {
		state := queue[0]
		queue = queue[1:]
		for _, x := range m.table.states[state].exits {
			if _, seen := came[x.to]; seen || x.to == from || slices.Contains(without, x.event) {
				continue
			}
			came[x.to] = step{state, x.event}
			queue = append(queue, x.to)
		}
	}
	if len(queue) == 0 {
		return nil, &TransitionError{Machine: m.table.definition.Name, From: string(from), FromLabel: m.Label(from),
			To: string(to), ToLabel: m.Label(to), Err: ErrNoPath}
	}
	var path []E
	for state := to; state != from; state = came[state].before {
		path = append(path, came[state].event)
	}
	slices.Reverse(path)
	return path, nil
}

// Name returns what the machine is about.
func (m *Machine[S, E]) Name() string { return m.table.definition.Name }

// Initial returns the state in which every entity begins.
func (m *Machine[S, E]) Initial() S { return m.table.definition.Initial }

// States returns a copy of all states, in the order of the definition.
func (m *Machine[S, E]) States() []State[S] { return slices.Clone(m.table.definition.States) }

// Transitions returns a copy of the table, in the order of the definition. None has Stay: see
// [Transition].
func (m *Machine[S, E]) Transitions() []Transition[S, E] {
	return cloneTransitions(m.table.definition.Transitions)
}

// Has reports whether the machine knows the state.
func (m *Machine[S, E]) Has(state S) bool { return m.table.states[state] != nil }

// IsFinal reports whether the state is final: nothing leads out of it.
func (m *Machine[S, E]) IsFinal(state S) bool {
	row := m.table.states[state]
	return row != nil && row.Final
}

// Label returns the Italian name of a state; of one that the machine does not know,
// its own text.
func (m *Machine[S, E]) Label(state S) string {
	if row := m.table.states[state]; row != nil {
		return row.Label
	}
	return string(state)
}

// EventLabel returns the Italian name of an event; of one that the machine does not
// know, its own text.
func (m *Machine[S, E]) EventLabel(event E) string {
	if label, ok := m.table.labels[event]; ok {
		return label
	}
	return string(event)
}
