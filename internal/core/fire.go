package core

import (
	"context"
	"errors"
	"slices"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// Fire applies an action to an entity that is in a state: on success it sets the state. Check is
// the entity's own guard, which comes before the others; nil: it has none.
func Fire[S, A ~string](
	ctx context.Context, m *fsm.Machine[S, A], state *S, action A, by flussi.Actor,
	check func(A) error, guards []fsm.Guard[S, A],
) error {
	if check != nil {
		own := func(_ context.Context, step fsm.Step[S, A]) error { return check(step.Event) }
		guards = slices.Insert(slices.Clip(guards), 0, own)
	}
	to, err := m.Fire(ctx, *state, action, by, guards...)
	if err == nil {
		*state = to
	}
	return err
}

// Allowed returns what an actor with the roles may do in a state, without what the entity's own
// guard refuses.
func Allowed[S, A ~string](m *fsm.Machine[S, A], state S, check func(A) error, roles []flussi.Role) []A {
	return slices.DeleteFunc(m.Allowed(state, roles...), func(action A) bool { return check(action) != nil })
}

// Offer makes the refusal of a machine name the actions that are possible now, which may be fewer
// than its table has. It returns err.
func Offer[A interface {
	~string
	Label() string
}](err error, actions func() []A) error {
	if err == nil {
		return nil
	}
	var refusal *fsm.TransitionError
	if !errors.As(err, &refusal) || !errors.Is(refusal.Err, fsm.ErrNotAllowed) {
		return err
	}
	refusal.Allowed, refusal.AllowedLabels = nil, nil
	for _, action := range actions() {
		refusal.Allowed = append(refusal.Allowed, string(action))
		refusal.AllowedLabels = append(refusal.AllowedLabels, action.Label())
	}
	return err
}
