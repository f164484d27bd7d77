package fsm_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// A request for leave, which the boss grants.
func Example() {
	type (
		State  string
		Action string
	)
	const (
		Draft   State  = "draft"
		Granted State  = "granted"
		Grant   Action = "grant"
	)
	machine, err := fsm.New(fsm.Definition[State, Action]{
		Name:    "leave",
		Initial: Draft,
		States: []fsm.State[State]{
			{Name: Draft, Label: "Bozza"},
			{Name: Granted, Label: "Concessa", Final: true},
		},
		Transitions: []fsm.Transition[State, Action]{
			{Event: Grant, From: []State{Draft}, To: Granted, Label: "Concedi", Roles: []flussi.Role{"capo"}},
		},
	})
	if err != nil {
		panic(err)
	}

	clerk := flussi.Actor{ID: "m.neri"}
	_, err = machine.Fire(context.Background(), Draft, Grant, clerk)
	fmt.Println(errors.Is(err, fsm.ErrRole), flussi.Explain(err))

	boss := flussi.Actor{ID: "l.verdi", Roles: []flussi.Role{"capo"}}
	state, err := machine.Fire(context.Background(), Draft, Grant, boss)
	fmt.Println(machine.Label(state), err)
	// Output:
	// true L'azione «Concedi» è riservata al ruolo «capo».
	// Concessa <nil>
}

// A guard looks at the entity and refuses with a reason that the operator reads.
func ExampleMachine_Fire_guard() {
	keys := 0
	hasKey := func(context.Context, fsm.Step[state, event]) error {
		if keys == 0 {
			return &flussi.ValueError{Type: "Door", Err: flussi.ErrEmpty, Reason: "Manca la chiave."}
		}
		return nil
	}
	machine := fsm.MustNew(door())
	_, err := machine.Fire(context.Background(), closed, push, anyone, hasKey)
	fmt.Println(flussi.Explain(err))
	keys++
	to, err := machine.Fire(context.Background(), closed, push, anyone, hasKey)
	fmt.Println(to, err)
	// Output:
	// Azione «Apri» non eseguita. Manca la chiave.
	// open <nil>
}

// Hooks see every step of a machine, for a log or a counter.
func ExampleMachine_With() {
	machine := fsm.MustNew(door()).With(fsm.Hooks[state, event]{
		After: func(_ context.Context, s fsm.Step[state, event]) { fmt.Println(s.From, "→", s.To) },
	})
	_, _ = machine.Fire(context.Background(), closed, push, anyone)
	// Output: closed → open
}

// A poll finds an entity two steps further on: the steps between are implied.
func ExampleMachine_Path() {
	machine := fsm.MustNew(benchDefinition())
	path, err := machine.Path("registered", "sent")
	fmt.Println(path, err)
	// Output: [claim accept] <nil>
}

func ExampleMachine_Allowed() {
	machine := fsm.MustNew(door())
	for _, e := range machine.Allowed(closed, mason) {
		fmt.Println(machine.EventLabel(e))
	}
	// Output:
	// Apri
	// Guarda
	// Mura
}
