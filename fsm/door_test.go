package fsm_test

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

type (
	state string
	event string
)

const (
	closed state = "closed"
	open   state = "open"
	walled state = "walled"

	push event = "push"
	pull event = "pull"
	look event = "look"
	wall event = "wall"
	turn event = "turn"
)

const mason flussi.Role = "muratore"

var (
	nobody  flussi.Actor
	anyone  = flussi.Actor{ID: "p.caso"}
	builder = flussi.Actor{ID: "b.mastro", Roles: []flussi.Role{mason}}
)

// The types of the door.
type (
	definition = fsm.Definition[state, event]
	transition = fsm.Transition[state, event]
)

func newDoor() *fsm.Machine[state, event] { return fsm.MustNew(door()) }

// door is a small machine with all that a machine can have: a loop, a role, an event
// from two states, a final state.
func door() definition {
	return definition{
		Name:    "door",
		Initial: closed,
		States: []fsm.State[state]{
			{Name: closed, Label: "Chiusa"},
			{Name: open, Label: `Aperta: "del tutto"; \ #1 <<50%>> [[x]]`},
			{Name: walled, Label: "Murata", Final: true},
		},
		Transitions: []transition{
			{Event: push, From: []state{closed}, To: open, Label: "Apri"},
			{Event: pull, From: []state{open}, To: closed, Label: "Chiudi"},
			{Event: look, From: []state{closed}, To: closed, Label: "Guarda"},
			{Event: wall, From: []state{closed, open}, To: walled, Label: "Mura", Roles: []flussi.Role{mason}},
			{Event: turn, From: []state{open}, To: closed, Label: "direction TB"},
		},
	}
}
