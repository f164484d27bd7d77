package fsm_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/must"
)

type step = fsm.Step[state, event]

// recorder returns hooks that write down which of them was called with what.
func recorder(calls *[]string) fsm.Hooks[state, event] {
	note := func(name string, s step) {
		*calls = append(*calls, name+" "+string(s.From)+">"+string(s.To)+" by "+s.By.ID)
	}
	return fsm.Hooks[state, event]{
		Before: func(_ context.Context, s step) error { note("before", s); return nil },
		Leave:  func(_ context.Context, s step) error { note("leave", s); return nil },
		Enter:  func(_ context.Context, s step) { note("enter", s) },
		After:  func(_ context.Context, s step) { note("after", s) },
	}
}

func TestFireCallsInOrder(t *testing.T) {
	var calls []string
	m := newDoor().With(recorder(&calls))
	guard := func(_ context.Context, s step) error { calls = append(calls, "guard"); return nil }
	assert.Equal(t, walled, must.Get(m.Fire(t.Context(), closed, wall, builder, guard))(t))
	assert.Equal(t, []string{
		"before closed>walled by b.mastro", "guard", "leave closed>walled by b.mastro",
		"enter closed>walled by b.mastro", "after closed>walled by b.mastro",
	}, calls)
}

// looplab reports a step from a state to itself as an error.
func TestFireStaysInItsStateWithoutError(t *testing.T) {
	var calls []string
	m := newDoor().With(recorder(&calls))
	for range 3 {
		calls = nil
		assert.Equal(t, closed, must.Get(m.Fire(t.Context(), closed, look, anyone))(t))
		assert.Equal(t, []string{"before closed>closed by p.caso", "after closed>closed by p.caso"}, calls)
	}
}

func TestFireStopsAtTheFirstRefusal(t *testing.T) {
	reason := &flussi.ValueError{Type: "Door", Err: flussi.ErrEmpty, Reason: "Manca la chiave."}
	refuse := func(context.Context, step) error { return reason }
	for name, test := range map[string]struct {
		hooks  fsm.Hooks[state, event]
		guards []fsm.Guard[state, event]
		want   []string
	}{
		"a guard": {guards: []fsm.Guard[state, event]{refuse, func(context.Context, step) error { t.Error("called after a refusal"); return nil }},
			want: []string{"before closed>open by p.caso"}},
		"a hook before": {hooks: fsm.Hooks[state, event]{Before: refuse}, want: []string{"before closed>open by p.caso"}},
		"a hook on leaving": {hooks: fsm.Hooks[state, event]{Leave: refuse},
			want: []string{"before closed>open by p.caso", "leave closed>open by p.caso"}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			m := newDoor().With(recorder(&calls), test.hooks)
			for range 3 { // the machine remains usable
				calls = nil
				to, err := m.Fire(t.Context(), closed, push, anyone, test.guards...)
				assert.Equal(t, closed, to)
				assert.ErrorIs(t, err, reason)
				assert.ErrorIs(t, err, flussi.ErrEmpty)
				assert.Equal(t, test.want, calls)
				assert.Equal(t, "Azione «Apri» non eseguita. Manca la chiave.", flussi.Explain(err))
			}
			_, err := m.Fire(t.Context(), closed, look, anyone)
			assert.Equal(t, test.hooks.Before == nil, err == nil)
		})
	}
}

// looplab wedges its machine for good when the context of an event has ended.
func TestFireRefusesAContextThatHasEnded(t *testing.T) {
	var calls []string
	m := newDoor().With(recorder(&calls))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 3 {
		calls = nil
		to, err := m.Fire(ended, closed, push, anyone)
		assert.Equal(t, closed, to)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Empty(t, calls, "nothing is asked for a caller that is gone")
		assert.Equal(t, "L'azione «Apri» è stata interrotta prima di avere effetto.", flussi.Explain(err))
		to = must.Get(m.Fire(context.Background(), closed, push, anyone))(t)
		assert.Equal(t, open, to)
	}
}

func TestFireRefusesAContextThatEndsInAGuard(t *testing.T) {
	for name, late := range map[string]bool{"before": false, "on leaving": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			end := func(context.Context, step) error { cancel(); return nil }
			entered, ended := 0, true
			hooks := fsm.Hooks[state, event]{Enter: func(context.Context, step) {
				entered++
				assert.False(t, ended, "entered although the context had ended")
			}}
			if late {
				hooks.Leave = end
			} else {
				hooks.Before = end
			}
			m := newDoor().With(hooks)
			to, err := m.Fire(ctx, closed, push, anyone)
			assert.Equal(t, closed, to)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, "L'azione «Apri» è stata interrotta prima di avere effetto.", flussi.Explain(err))
			entered, ended = 0, false
			to, err = m.Fire(context.Background(), closed, push, anyone)
			require.NoError(t, err, "the machine must not be wedged")
			assert.Equal(t, open, to)
			assert.Equal(t, 1, entered)
		})
	}
}

// lateContext ends after it was asked twice whether it has.
type lateContext struct {
	context.Context
	asked int
}

func (c *lateContext) Err() error {
	if c.asked++; c.asked > 2 {
		return context.Canceled
	}
	return nil
}

func (c *lateContext) Done() <-chan struct{} {
	ended := make(chan struct{})
	close(ended)
	return ended
}

// A context that ends at the worst moment, after the last time it was asked.
func TestAStepThatIsDecidedIsTaken(t *testing.T) {
	m := newDoor()
	for range 3 {
		assert.Equal(t, open, must.Get(m.Fire(&lateContext{Context: context.Background()}, closed, push, anyone))(t))
	}
}

func TestFirePassesTheCallersContext(t *testing.T) {
	type key struct{}
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(context.WithValue(context.Background(), key{}, 7), deadline)
	defer cancel()
	check := func(ctx context.Context) {
		at, ok := ctx.Deadline()
		assert.True(t, ok && at.Equal(deadline))
		assert.Equal(t, 7, ctx.Value(key{}))
	}
	_, err := newDoor().With(fsm.Hooks[state, event]{
		After: func(ctx context.Context, _ step) { check(ctx) },
	}).Fire(ctx, closed, push, anyone, func(ctx context.Context, _ step) error { check(ctx); return nil })
	require.NoError(t, err)
}

func TestAPanickingHookLeavesTheMachineUsable(t *testing.T) {
	for name, hooks := range map[string]func(do func()) fsm.Hooks[state, event]{
		"before": func(do func()) fsm.Hooks[state, event] {
			return fsm.Hooks[state, event]{Before: func(context.Context, step) error { do(); return nil }}
		},
		"leave": func(do func()) fsm.Hooks[state, event] {
			return fsm.Hooks[state, event]{Leave: func(context.Context, step) error { do(); return nil }}
		},
		"enter": func(do func()) fsm.Hooks[state, event] {
			return fsm.Hooks[state, event]{Enter: func(context.Context, step) { do() }}
		},
		"after": func(do func()) fsm.Hooks[state, event] {
			return fsm.Hooks[state, event]{After: func(context.Context, step) { do() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var do func()
			m := newDoor().With(hooks(func() { do() }))
			entity := closed
			fire := func() (err error) {
				to, err := m.Fire(context.Background(), entity, push, anyone)
				if err == nil {
					entity = to
				}
				return err
			}
			for range 3 {
				do = func() { panic("observer") }
				assert.PanicsWithValue(t, "observer", func() { _ = fire() })
				assert.Equal(t, closed, entity, "the entity must be unchanged")

				do = func() { runtime.Goexit() } // as t.FailNow does
				done := make(chan struct{})
				go func() { defer close(done); _ = fire() }()
				<-done
				assert.Equal(t, closed, entity, "the entity must be unchanged")

				do = func() {}
				require.NoError(t, fire())
				assert.Equal(t, open, entity)
				entity = closed
			}
		})
	}
}

func TestAHookMayFireTheSameMachine(t *testing.T) {
	var m *fsm.Machine[state, event]
	depth := 0
	m = newDoor().With(fsm.Hooks[state, event]{Enter: func(ctx context.Context, s step) {
		if depth++; depth < 10 {
			_, err := m.Fire(ctx, s.From, s.Event, s.By)
			assert.NoError(t, err)
		}
	}})
	must.Get(m.Fire(t.Context(), closed, push, anyone))(t)
	assert.Equal(t, 10, depth)
}

func TestWithLeavesTheMachineAsItWas(t *testing.T) {
	plain := newDoor()
	refusing := plain.With(fsm.Hooks[state, event]{Before: func(context.Context, step) error { return errors.New("no") }})
	must.Get(plain.Fire(t.Context(), closed, push, anyone))(t)
	_, err := refusing.Fire(t.Context(), closed, push, anyone)
	require.Error(t, err)
	assert.Equal(t, "Azione «Apri» non eseguita.", flussi.Explain(err))
}

func TestHooksAreCalledInTheOrderInWhichTheyWereAdded(t *testing.T) {
	var calls []string
	named := func(name string) fsm.Hooks[state, event] {
		return fsm.Hooks[state, event]{
			Before: func(context.Context, step) error { calls = append(calls, "before "+name); return nil },
			After:  func(context.Context, step) { calls = append(calls, "after "+name) },
		}
	}
	m := newDoor().With(named("1"), named("2")).With(named("3"))
	_, err := m.Fire(t.Context(), closed, push, anyone, nil)
	require.NoError(t, err, "a nil guard is passed over")
	assert.Equal(t, []string{"before 1", "before 2", "before 3", "after 1", "after 2", "after 3"}, calls)
}

// A guard may refuse with any error, also with one of this package's: what the
// operator reads must not be about the table then.
func TestTheReasonOfAGuardIsNotTakenForTheTables(t *testing.T) {
	explained := &flussi.ValueError{Type: "Door", Err: flussi.ErrEmpty, Reason: "Manca la chiave."}
	for name, test := range map[string]struct {
		reason error
		want   string
	}{
		"forbidden":                 {fsm.ErrRole, "Azione «Apri» non eseguita."},
		"not allowed":               {fsm.ErrNotAllowed, "Azione «Apri» non eseguita."},
		"unknown state":             {fsm.ErrUnknownState, "Azione «Apri» non eseguita."},
		"no path":                   {fsm.ErrNoPath, "Azione «Apri» non eseguita."},
		"explained, and ended":      {errors.Join(explained, context.Canceled), "Azione «Apri» non eseguita. Manca la chiave."},
		"a deadline":                {context.DeadlineExceeded, "L'azione «Apri» è stata interrotta prima di avere effetto."},
		"a refusal of another step": {&fsm.TransitionError{Err: fsm.ErrUnknownState, From: "x"}, "Azione «Apri» non eseguita. Lo stato «x» non esiste."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newDoor().Fire(t.Context(), closed, push, anyone, func(context.Context, step) error { return test.reason })
			assert.ErrorIs(t, err, test.reason)
			assert.Equal(t, test.want, flussi.Explain(err))
			assert.NotContains(t, err.Error(), "(")
			refused := must.As[*fsm.TransitionError](t, err)
			assert.Equal(t, test.reason, refused.Err)
		})
	}
}
