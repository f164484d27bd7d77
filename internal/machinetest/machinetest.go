// Package machinetest checks what must hold for every state machine of the library,
// whatever its table says.
package machinetest

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/golden"
)

// Run checks a machine: that Fire, Next and Allowed agree with the table and with
// each other on every state × event × role, that Path is valid and shortest, that
// random walks never leave the table, and all of it under concurrency.
func Run[S, E ~string](t *testing.T, m *fsm.Machine[S, E]) {
	t.Run("Fire and Next agree with the table on every state and event", func(t *testing.T) { agree(t, m) })
	t.Run("only the roles of the table may fire and are offered an event", func(t *testing.T) { roles(t, m) })
	t.Run("Path is valid and shortest between every two states", func(t *testing.T) { paths(t, m) })
	t.Run("no random walk leaves the table", func(t *testing.T) { walk(t, m, 10_000, 1) })
	t.Run("64 goroutines share the machine", func(t *testing.T) { share(t, m) })
}

// Check runs the checks of a machine, and compares it with its pictures in the folder docs.
func Check[S, E ~string](t *testing.T, m *fsm.Machine[S, E], docs, name string) {
	t.Run(name, func(t *testing.T) { Run(t, m) })
	Diagrams(t, m, docs, name)
}

// Diagrams compares the machine with its picture in state-machines.md and in a file for Graphviz,
// <name>.dot, both in the folder docs.
func Diagrams[S, E ~string](t *testing.T, m *fsm.Machine[S, E], docs, name string) {
	t.Helper()
	golden.Block(t, filepath.Join(docs, "state-machines.md"), "```", m.Mermaid())
	golden.File(t, filepath.Join(docs, name+".dot"), m.Graphviz())
}

// Labels returns the labels of a machine's states, in their order.
func Labels[S interface {
	~string
	Label() string
}, E ~string](m *fsm.Machine[S, E]) (labels []string) {
	for _, s := range m.States() {
		labels = append(labels, s.Name.Label())
	}
	return labels
}

// Everyone is an actor with all roles that the machine's table names.
func Everyone[S, E ~string](m *fsm.Machine[S, E]) flussi.Actor {
	everyone := flussi.Actor{ID: "everyone"}
	for _, row := range m.Transitions() {
		everyone.Roles = append(everyone.Roles, row.Roles...)
	}
	return everyone
}

// names returns all states and events, and of each one that the machine lacks.
func names[S, E ~string](m *fsm.Machine[S, E]) (states []S, events []E) {
	for _, s := range m.States() {
		states = append(states, s.Name)
	}
	for _, row := range m.Transitions() {
		if !slices.Contains(events, row.Event) {
			events = append(events, row.Event)
		}
	}
	return append(states, "elsewhere"), append(events, "otherwise")
}

// wanted reads the table again, row by row.
func wanted[S, E ~string](m *fsm.Machine[S, E], from S, event E) (row fsm.Transition[S, E], found bool) {
	for _, row := range m.Transitions() {
		if row.Event == event && slices.Contains(row.From, from) {
			return row, true
		}
	}
	return row, false
}

func agree[S, E ~string](t *testing.T, m *fsm.Machine[S, E]) {
	states, events := names(m)
	everyone := Everyone(m)
	for _, from := range states {
		for _, event := range events {
			row, found := wanted(m, from, event)
			next, nextErr := m.Next(from, event)
			fired, fireErr := m.Fire(context.Background(), from, event, everyone)
			assert.Equal(t, next, fired, "%s from %s", event, from)
			assert.Equal(t, nextErr, fireErr, "%s from %s", event, from)
			if found {
				assert.NoError(t, nextErr, "%s from %s", event, from)
				assert.Equal(t, row.To, next, "%s from %s", event, from)
				continue
			}
			want := fsm.ErrNotAllowed
			if !m.Has(from) {
				want = fsm.ErrUnknownState
			}
			assert.ErrorIs(t, nextErr, want, "%s from %s", event, from)
			assert.Equal(t, from, next, "%s from %s: a refused step must return the old state", event, from)
		}
	}
}

func roles[S, E ~string](t *testing.T, m *fsm.Machine[S, E]) {
	states, events := names(m)
	for _, role := range append(Everyone(m).Roles, "stranger") {
		actor := flussi.Actor{ID: "someone", Roles: []flussi.Role{role}}
		for _, from := range states {
			var offered []E
			for _, event := range events {
				row, found := wanted(m, from, event)
				if !found {
					continue
				}
				to, err := m.Fire(context.Background(), from, event, actor)
				if len(row.Roles) > 0 && !slices.Contains(row.Roles, role) {
					assert.ErrorIs(t, err, fsm.ErrRole, "%s from %s as %s", event, from, role)
					assert.Equal(t, from, to, "%s from %s as %s", event, from, role)
					continue
				}
				assert.NoError(t, err, "%s from %s as %s", event, from, role)
				offered = append(offered, event)
			}
			assert.ElementsMatch(t, offered, m.Allowed(from, role), "offered in %s to %s", from, role)
		}
	}
}

func paths[S, E ~string](t *testing.T, m *fsm.Machine[S, E]) {
	states, events := names(m)
	states = states[:len(states)-1]
	for _, from := range states {
		// distance computed apart, by relaxation over all edges
		distance := map[S]int{from: 0}
		for range states {
			for _, state := range states {
				d, reached := distance[state]
				if !reached {
					continue
				}
				for _, event := range events {
					to, err := m.Next(state, event)
					if best, seen := distance[to]; err == nil && (!seen || d+1 < best) {
						distance[to] = d + 1
					}
				}
			}
		}
		for _, to := range states {
			path, err := m.Path(from, to)
			want, reachable := distance[to]
			if !reachable {
				assert.ErrorIs(t, err, fsm.ErrNoPath, "%s to %s", from, to)
				continue
			}
			require.NoError(t, err, "%s to %s", from, to)
			assert.Len(t, path, want, "%s to %s must be shortest", from, to)
			state := from
			for _, event := range path {
				state, err = m.Next(state, event)
				require.NoError(t, err, "%s to %s", from, to)
			}
			assert.Equal(t, to, state)
		}
	}
}

// walk fires random events from the initial state on.
func walk[S, E ~string](t *testing.T, m *fsm.Machine[S, E], steps int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, seed))
	_, events := names(m)
	everyone := Everyone(m)
	state := m.Initial()
	for range steps {
		event := events[random.IntN(len(events))]
		row, found := wanted(m, state, event)
		to, err := m.Fire(context.Background(), state, event, everyone)
		switch {
		case found && (err != nil || to != row.To), !found && (err == nil || to != state), !m.Has(to):
			t.Errorf("%s from %s: got %s, %v", event, state, to, err)
			return
		}
		state = to
		if m.IsFinal(state) {
			state = m.Initial()
		}
	}
}

func share[S, E ~string](t *testing.T, m *fsm.Machine[S, E]) {
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() { walk(t, m, 500, uint64(i)) })
	}
	group.Wait()
}
