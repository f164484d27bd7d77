// Package fsm is a typed state machine as data: one table of transitions that
// decides, explains and draws itself.
//
// A [Definition] lists the states and the transitions between them; [New] checks it
// and returns a [Machine], which never changes and is safe for concurrent use:
//
//	machine, err := fsm.New(fsm.Definition[Door, Move]{
//		Name:    "porta",
//		Initial: Closed,
//		States:  []fsm.State[Door]{{Name: Closed, Label: "Chiusa"}, {Name: Open, Label: "Aperta"}},
//		Transitions: []fsm.Transition[Door, Move]{
//			{Event: Push, From: []Door{Closed}, To: Open, Label: "Apri"},
//			{Event: Pull, From: []Door{Open}, To: Closed, Label: "Chiudi"},
//		},
//	})
//
// A machine holds no entity. It is asked about a state and answers:
//
//   - [Machine.Next]: where an event leads, as a look-up.
//   - [Machine.Allowed]: what an actor may do now, such as the buttons to show.
//   - [Machine.Fire]: the same step with roles, guards that may refuse it with a
//     reason, and hooks, run on github.com/looplab/fsm. It returns the new state; the
//     caller stores it. Whatever goes wrong, it returns the old one.
//   - [Machine.Path]: the shortest chain of events between two states, for an entity
//     that is found further on.
//   - [Machine.Mermaid] and [Machine.Graphviz]: the diagram.
//
// Every refusal is a [*TransitionError] that names what is allowed instead, or who
// may do it, and explains itself to the operator in Italian. Diagrams sort states by
// the definition and labels by the alphabet.
package fsm
