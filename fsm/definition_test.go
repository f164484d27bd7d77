package fsm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

func TestNewReportsEachDefect(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*definition)
		want  error
		text  string
	}{
		"an event that leaves a state twice": {
			func(d *definition) {
				d.Transitions = append(d.Transitions, transition{Event: push, From: []state{closed}, To: walled, Label: "Apri"})
			}, fsm.ErrDuplicateEdge, `event "push": from "closed"`},
		"the same edge twice": {
			func(d *definition) { d.Transitions = append(d.Transitions, d.Transitions[0]) },
			fsm.ErrDuplicateEdge, `event "push": from "closed"`},
		"a state that cannot be reached": {
			func(d *definition) {
				d.States = append(d.States, fsm.State[state]{Name: "loft", Final: true})
			}, fsm.ErrUnreachableState, `state "loft"`},
		"a dead end that is not declared final": {
			func(d *definition) { d.States[2].Final = false },
			fsm.ErrDeadEnd, `state "walled"`},
		"a dead end that only leads to itself": {
			func(d *definition) {
				d.States[2].Final = false
				d.Transitions = append(d.Transitions, transition{Event: look, From: []state{walled}, To: walled, Label: "Guarda"})
			}, fsm.ErrDeadEnd, `state "walled"`},
		"a final state that is left": {
			func(d *definition) { d.States[1].Final = true },
			fsm.ErrFinalLeft, `event "pull": from "open"`},
		"an unknown initial state": {
			func(d *definition) { d.Initial = "nowhere" },
			fsm.ErrUnknownInitial, `initial "nowhere"`},
		"a missing initial state": {
			func(d *definition) { d.Initial = "" },
			fsm.ErrUnknownInitial, `initial ""`},
		"an event that keeps the state and leads to another": {
			func(d *fsm.Definition[state, event]) { d.Transitions[2].Stay = true },
			fsm.ErrTwoTargets, `event "look": to "closed"`},
		"an event that keeps no state": {
			func(d *fsm.Definition[state, event]) {
				d.Transitions[2] = fsm.Transition[state, event]{Event: look, Stay: true, Label: "Guarda"}
			}, fsm.ErrEmptyDefinition, `event "look": from`},
		"no states": {
			func(d *definition) { d.States = nil }, fsm.ErrEmptyDefinition, "states"},
		"no transitions": {
			func(d *definition) { d.Transitions = nil }, fsm.ErrEmptyDefinition, "transitions"},
		"no name": {
			func(d *definition) { d.Name = "" }, fsm.ErrEmptyDefinition, "name"},
		"an event from nowhere": {
			func(d *definition) { d.Transitions[2].From = nil },
			fsm.ErrEmptyDefinition, `event "look": from`},
		"a state that is declared twice": {
			func(d *definition) { d.States = append(d.States, d.States[0]) },
			fsm.ErrDuplicateState, `state "closed"`},
		"an edge to an undeclared state": {
			func(d *definition) { d.Transitions[0].To = "opne" },
			fsm.ErrUndeclared, `event "push": to "opne"`},
		"an edge from an undeclared state": {
			func(d *definition) { d.Transitions[3].From = []state{closed, "opne"} },
			fsm.ErrUndeclared, `event "wall": from "opne"`},
		"a name with a control character": {
			func(d *definition) { d.States[0].Name = "Closed\x7f" },
			fsm.ErrBadName, `state "Closed\x7f"`},
		"a name with a line break": {
			func(d *definition) { d.States[0].Name = "Chiusa\na chiave" },
			fsm.ErrBadName, `state "Chiusa\na chiave"`},
		"a name with a blank at its end": {
			func(d *definition) { d.States[0].Name = "closed " },
			fsm.ErrBadName, `state "closed "`},
		"a name with an invisible character": {
			func(d *definition) { d.States[0].Name = "clo\u200bsed" },
			fsm.ErrBadName, `state "clo\u200bsed"`},
		"a name that is not UTF-8": {
			func(d *definition) { d.States[0].Name = "clos\xe8" },
			fsm.ErrBadName, `state "clos\xe8"`},
		"a name that is too long": {
			func(d *definition) { d.Transitions[0].Event = event(strings.Repeat("è", fsm.MaxName+1)) },
			fsm.ErrBadName, "event"},
		"a control character in a label": {
			func(d *definition) { d.States[0].Label = "Chiusa\r" },
			fsm.ErrBadLabel, `state "closed"`},
		"a line break in the label of an event": {
			func(d *definition) { d.Transitions[0].Label = "Apri\nsubito" },
			fsm.ErrBadLabel, `event "push"`},
		"a control character in the name": {
			func(d *definition) { d.Name = "door\x00" }, fsm.ErrBadLabel, `name "door\x00"`},
		"a role without a name": {
			func(d *definition) { d.Transitions[3].Roles = []flussi.Role{mason, ""} },
			fsm.ErrEmptyDefinition, `event "wall": role`},
		"an event without a name": {
			func(d *definition) { d.Transitions[2].Event = "" },
			fsm.ErrBadName, `event ""`},
		"an event with two labels": {
			func(d *definition) {
				d.Transitions = append(d.Transitions, transition{Event: look, From: []state{open}, To: open, Label: "Sbircia"})
			}, fsm.ErrTwoLabels, `event "look"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := door()
			test.spoil(&d)
			m, err := fsm.New(d)
			assert.Nil(t, m)
			assert.ErrorIs(t, err, test.want)
			assert.ErrorContains(t, err, test.text)
		})
	}
}

func TestNewReportsAllDefectsTogether(t *testing.T) {
	_, err := fsm.New(definition{
		Name:    "ruin",
		Initial: "cellar",
		States:  []fsm.State[state]{{Name: closed}, {Name: open}, {Name: open}, {Name: " attic"}},
		Transitions: []transition{
			{Event: push, From: []state{closed}, To: open},
			{Event: push, From: []state{closed}, To: "attic"},
		},
	})
	for _, want := range []error{
		fsm.ErrUnknownInitial, fsm.ErrDuplicateState, fsm.ErrBadName, fsm.ErrDuplicateEdge, fsm.ErrUndeclared, fsm.ErrDeadEnd,
	} {
		assert.ErrorIs(t, err, want)
	}
	defects := must.As[*fsm.DefinitionError](t, err)
	assert.Equal(t, "ruin", defects.Machine)
	assert.Len(t, defects.Defects, 7, "%v", err)
}

func TestAStateThatIsDeclaredTwiceIsJudgedOnce(t *testing.T) {
	d := door()
	d.States = append(d.States, fsm.State[state]{Name: "loft "}, fsm.State[state]{Name: "loft "})
	_, err := fsm.New(d)
	defects := must.As[*fsm.DefinitionError](t, err)
	assert.Len(t, defects.Defects, 4, "bad name, twice, unreachable, dead end: %v", err)
}

func TestNewReportsAnEmptyDefinition(t *testing.T) {
	_, err := fsm.New(definition{})
	assert.ErrorIs(t, err, fsm.ErrEmptyDefinition)
	assert.ErrorIs(t, err, fsm.ErrUnknownInitial)
}

func TestALabelMayBeLeftOutOnce(t *testing.T) {
	d := benchDefinition()
	d.Transitions[0].Label = "edit"
	d.Transitions = append(d.Transitions, transition{Event: "edit", From: []state{"failed"}, To: "failed"})
	_, err := fsm.New(d)
	require.NoError(t, err, "left out, it is the event's name")
}

func TestMustNewPanicsOnADefect(t *testing.T) {
	assert.Panics(t, func() { fsm.MustNew(definition{}) })
}

func TestARowThatKeepsTheStateIsARowForEachState(t *testing.T) {
	d := door()
	d.Transitions[2] = fsm.Transition[state, event]{
		Event: look, From: []state{closed, open}, Stay: true, Label: "Guarda", Roles: []flussi.Role{mason},
	}
	m := fsm.MustNew(d)
	rows := m.Transitions()
	require.Len(t, rows, len(d.Transitions)+1)
	for i, at := range []state{closed, open} {
		assert.Equal(t, fsm.Transition[state, event]{
			Event: look, From: []state{at}, To: at, Label: "Guarda", Roles: []flussi.Role{mason},
		}, rows[2+i])
		to, err := m.Fire(t.Context(), at, look, builder)
		require.NoError(t, err)
		assert.Equal(t, at, to)
	}
	assert.True(t, d.Transitions[2].Stay, "the definition is not changed")
}

func TestTheDefinitionIsCopied(t *testing.T) {
	d := door()
	m := fsm.MustNew(d)
	d.Transitions[0].To = walled
	d.Transitions[3].Roles[0] = "ladro"
	d.Transitions[3].From[0] = open
	d.States[0].Label = "Sparita"
	m.Transitions()[0].From[0] = walled
	m.Transitions()[3].Roles[0] = "ladro"
	m.States()[0].Label = "Sparita"
	_, err := m.Fire(t.Context(), closed, wall, anyone)
	forbidden := must.As[*fsm.TransitionError](t, err)
	forbidden.Roles[0] = "ladro"
	assert.Equal(t, "Chiusa", m.States()[0].Label)
	assert.Equal(t, []state{closed}, m.Transitions()[0].From)
	assert.Equal(t, []flussi.Role{mason}, m.Transitions()[3].Roles)
	assert.Equal(t, newDoor().Mermaid(), m.Mermaid())
	must.Get(m.Fire(t.Context(), closed, wall, builder))(t)
	assert.Equal(t, "Chiusa", m.Label(closed))
	assert.Equal(t, open, must.Get(m.Next(closed, push))(t))
	assert.Equal(t, []event{push, look, wall}, m.Allowed(closed, mason))
}
