package fsm

import (
	"context"
	"slices"

	"github.com/looplab/fsm"

	"github.com/flussi-go/flussi"
)

// Step is the argument of guards and hooks: who moves an entity from where to where.
type Step[S, E ~string] struct {
	From  S            // the state now
	Event E            // what happens
	To    S            // the state afterwards; equal to From if it does not change
	By    flussi.Actor // who does it
}

// Guard decides whether a step may be taken; an error refuses it, and is the reason. If the error
// is a [flussi.Explainer], the operator reads it. A guard that looks at an entity is a closure over
// it, given to [Machine.Fire]; one that holds for all entities is a hook.
type Guard[S, E ~string] func(ctx context.Context, step Step[S, E]) error

// Observer is called with a step. It cannot refuse it.
type Observer[S, E ~string] func(ctx context.Context, step Step[S, E])

// Hooks are called on every step of a machine, in this order; any may be nil. They
// are called on the goroutine of [Machine.Fire], before it returns, so no store
// holds the new state yet. If one panics, the panic reaches the caller of Fire, and
// the machine remains usable.
type Hooks[S, E ~string] struct {
	Before Guard[S, E]    // may refuse; then come the guards given to Fire
	Leave  Guard[S, E]    // may refuse; not called if the state does not change
	Enter  Observer[S, E] // the step is decided; not called if the state does not change
	After  Observer[S, E] // the step is decided
}

// With returns a machine of the same table that also calls the hooks, after those it
// already calls. The machine itself is unchanged.
func (m *Machine[S, E]) With(hooks ...Hooks[S, E]) *Machine[S, E] {
	return newMachine(m.table, slices.Concat(m.hooks, hooks))
}

// Fire takes a step: it checks the table, that the actor has an ID and a role that is
// needed, and the context; then it calls the Before hooks, the guards, and the
// Leave, Enter and After hooks, and returns the new state. It changes nothing else:
// the caller stores the state. On any error it returns the given state and a
// [*TransitionError] that unwraps to [ErrUnknownState], [ErrNotAllowed],
// [ErrRole], [flussi.ErrEmpty] for an actor without ID, the context's error, or
// the error of what refused. A context that ends while guards run refuses the step.
// Guards that are nil are passed over.
func (m *Machine[S, E]) Fire(ctx context.Context, from S, event E, by flussi.Actor, guards ...Guard[S, E]) (S, error) {
	x := m.exit(from, event)
	if x == nil {
		return from, m.refusal(from, event, func(x exit[S, E]) bool { return x.open(by) })
	}
	if err := by.Check(); err != nil {
		return from, m.refused(from, event, err)
	}
	if !x.open(by) {
		e := m.refused(from, event, ErrRole)
		e.Roles = slices.Clone(x.roles)
		return from, e
	}
	if err := ctx.Err(); err != nil {
		return from, m.refused(from, event, err)
	}

	r := m.runners.Get().(*runner[S, E])
	reason := r.run(ctx, Step[S, E]{From: from, Event: event, To: x.to, By: by}, guards)
	// Reached only if nothing panicked: a runner that did not end its run is dropped.
	m.runners.Put(r)
	if reason != nil {
		e := m.refused(from, event, reason)
		e.guarded = true
		return from, e
	}
	return x.to, nil
}

// runner is a looplab machine, made once and used for one step at a time. looplab must not get two
// things: a context that may end, since its machine is stuck for ever after a cancelled Event, and
// arguments, which it boxes. The runner holds both, and passes a context of its own.
type runner[S, E ~string] struct {
	machine *fsm.FSM
	hooks   []Hooks[S, E]

	// of the step that is under way
	ctx    context.Context
	step   Step[S, E]
	guards []Guard[S, E]
	reason error // of a refusal
}

func newRunner[S, E ~string](t *table[S, E], hooks []Hooks[S, E]) *runner[S, E] {
	events := make(fsm.Events, 0, len(t.definition.Transitions))
	for _, row := range t.definition.Transitions {
		from := make([]string, len(row.From))
		for i, state := range row.From {
			from[i] = string(state)
		}
		events = append(events, fsm.EventDesc{Name: string(row.Event), Src: from, Dst: string(row.To)})
	}
	r := &runner[S, E]{hooks: hooks}
	callbacks := fsm.Callbacks{"before_event": r.before}
	for _, h := range hooks {
		// What no hook asks for is not called.
		if h.Leave != nil {
			callbacks["leave_state"] = r.leave
		}
		if h.Enter != nil {
			callbacks["enter_state"] = r.enter
		}
		if h.After != nil {
			callbacks["after_event"] = r.after
		}
	}
	r.machine = fsm.NewFSM(string(t.definition.Initial), events, callbacks)
	return r
}

// run takes the step and returns the reason of its refusal, if it is refused.
func (r *runner[S, E]) run(ctx context.Context, step Step[S, E], guards []Guard[S, E]) error {
	r.ctx, r.step, r.guards, r.reason = ctx, step, guards, nil
	r.machine.SetState(string(step.From))
	err := r.machine.Event(context.Background(), string(step.Event))
	reason := r.reason
	r.ctx, r.guards, r.reason = nil, nil, nil // what may hold on to much
	if reason != nil {
		return reason
	}
	if _, stays := err.(fsm.NoTransitionError); stays {
		return nil // looplab reports a step that does not leave its state as an error
	}
	return err
}

func (r *runner[S, E]) before(_ context.Context, e *fsm.Event) {
	for i := range r.hooks {
		if guard := r.hooks[i].Before; guard != nil && r.refuse(e, guard(r.ctx, r.step)) {
			return
		}
	}
	for _, guard := range r.guards {
		if guard != nil && r.refuse(e, guard(r.ctx, r.step)) {
			return
		}
	}
	r.refuse(e, r.ctx.Err())
}

func (r *runner[S, E]) leave(_ context.Context, e *fsm.Event) {
	for i := range r.hooks {
		if guard := r.hooks[i].Leave; guard != nil && r.refuse(e, guard(r.ctx, r.step)) {
			return
		}
	}
	r.refuse(e, r.ctx.Err())
}

// refuse cancels the step if there is a reason.
func (r *runner[S, E]) refuse(e *fsm.Event, reason error) bool {
	if reason == nil {
		return false
	}
	r.reason = reason
	e.Cancel(reason)
	return true
}

func (r *runner[S, E]) enter(context.Context, *fsm.Event) {
	for i := range r.hooks {
		if observe := r.hooks[i].Enter; observe != nil {
			observe(r.ctx, r.step)
		}
	}
}

func (r *runner[S, E]) after(context.Context, *fsm.Event) {
	for i := range r.hooks {
		if observe := r.hooks[i].After; observe != nil {
			observe(r.ctx, r.step)
		}
	}
}
