package fsm_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/machinetest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestMachine(t *testing.T) { machinetest.Run(t, newDoor()) }

func TestMachineDescribesItself(t *testing.T) {
	m := newDoor()
	assert.Equal(t, "door", m.Name())
	assert.Equal(t, closed, m.Initial())
	assert.True(t, m.Has(open))
	assert.False(t, m.Has("nowhere"))
	assert.True(t, m.IsFinal(walled))
	assert.False(t, m.IsFinal(open))
	assert.False(t, m.IsFinal("nowhere"))
	assert.Equal(t, "Chiusa", m.Label(closed))
	assert.Equal(t, "nowhere", m.Label("nowhere"))
	assert.Equal(t, "Apri", m.EventLabel(push))
	assert.Equal(t, "kick", m.EventLabel("kick"))
}

func TestLabelsDefaultToNames(t *testing.T) {
	m := fsm.MustNew(benchDefinition())
	assert.Equal(t, "sent", m.Label("sent"))
	assert.Equal(t, "claim", m.EventLabel("claim"))
}

func TestNextDoesNotAllocate(t *testing.T) {
	m := newDoor()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := m.Next(closed, push); err != nil {
			t.Fatal(err)
		}
	}))
}

func TestAllowed(t *testing.T) {
	m := newDoor()
	assert.Equal(t, []event{push, look}, m.Allowed(closed), "what anyone may do")
	assert.Equal(t, []event{push, look, wall}, m.Allowed(closed, "passante", mason))
	assert.Empty(t, m.Allowed(walled, mason))
	assert.Nil(t, m.Allowed("nowhere", mason))
}

func TestPath(t *testing.T) {
	m := fsm.MustNew(benchDefinition())
	for name, test := range map[string]struct {
		from, to state
		want     []event
	}{
		"to itself":                       {"sent", "sent", nil},
		"one step":                        {"registered", "sending", []event{"claim"}},
		"several steps":                   {"registered", "sent", []event{"claim", "accept"}},
		"the first of two equal ones":     {"failed", "registered", []event{"register"}},
		"around, back through the others": {"sent", "sending", []event{"reject", "register", "claim"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, must.Get(m.Path(test.from, test.to))(t))
		})
	}
}

func TestPathHasNoneOfTheEventsWithout(t *testing.T) {
	m := fsm.MustNew(benchDefinition())
	assert.Equal(t, []event{"resend"}, must.Get(m.Path("failed", "registered", "register"))(t))
	assert.Equal(t, []event{"confirm", "reject"}[:1], must.Get(m.Path("failed", "sent", "register", "resend"))(t))
	assert.ErrorIs(t, must.Err(m.Path("failed", "registered", "register", "resend")), fsm.ErrNoPath)
}

func TestPathRefuses(t *testing.T) {
	m := newDoor()
	_, err := m.Path(walled, open)
	assert.ErrorIs(t, err, fsm.ErrNoPath)
	assert.EqualError(t, err, `fsm: door: state "walled" to "open": no chain of events leads there`)
	assert.Contains(t, flussi.Explain(err), "Dallo stato «Murata» non si può arrivare allo stato «Aperta")
	_, err = m.Path("nowhere", open)
	assert.ErrorIs(t, err, fsm.ErrUnknownState)
	_, err = m.Path(open, "nowhere")
	assert.ErrorIs(t, err, fsm.ErrUnknownState)
	assert.Contains(t, err.Error(), "nowhere")
}

func TestRefusalsSayWhatIsAllowed(t *testing.T) {
	m := newDoor()
	for name, test := range map[string]struct {
		from    state
		event   event
		want    error
		text    string
		italian string
	}{
		"an event that is not allowed": {closed, pull, fsm.ErrNotAllowed,
			`fsm: door: event "pull" from state "closed": event not allowed in this state (allowed: push, look)`,
			"L'azione «Chiudi» non è possibile nello stato «Chiusa». Azioni possibili: «Apri» e «Guarda»."},
		"an event that does not exist": {closed, "kick", fsm.ErrNotAllowed,
			`fsm: door: event "kick" from state "closed": event not allowed in this state (allowed: push, look)`,
			"L'azione «kick» non è possibile nello stato «Chiusa». Azioni possibili: «Apri» e «Guarda»."},
		"an event in a final state": {walled, push, fsm.ErrNotAllowed,
			`fsm: door: event "push" from state "walled": event not allowed in this state (allowed: nothing)`,
			"L'azione «Apri» non è possibile nello stato «Murata», in cui non ci sono azioni possibili."},
		"an unknown state": {"", push, fsm.ErrUnknownState,
			`fsm: door: event "push" from state "": unknown state`,
			"Lo stato «» non esiste."},
		"a role that is not allowed": {closed, wall, fsm.ErrRole,
			`fsm: door: event "wall" from state "closed": role not allowed (needed: muratore)`,
			"L'azione «Mura» è riservata al ruolo «muratore»."},
	} {
		t.Run(name, func(t *testing.T) {
			to, err := m.Fire(t.Context(), test.from, test.event, anyone)
			assert.Equal(t, test.from, to)
			assert.ErrorIs(t, err, test.want)
			assert.EqualError(t, err, test.text)
			assert.Equal(t, test.italian, flussi.Explain(err))
			refused := must.As[*fsm.TransitionError](t, err)
			assert.Equal(t, string(test.event), refused.Event)
		})
	}
}

// Others may act where the actor may not, so the state is not said to have no actions.
func TestARefusalSaysThatOnlyOthersMayAct(t *testing.T) {
	m := fsm.MustNew(definition{
		Name: "door", Initial: closed,
		States:      []fsm.State[state]{{Name: closed, Label: "Chiusa"}, {Name: walled, Label: "Murata", Final: true}},
		Transitions: []transition{{Event: wall, From: []state{closed}, To: walled, Label: "Mura", Roles: []flussi.Role{mason}}},
	})
	_, err := m.Fire(t.Context(), closed, push, anyone)
	assert.EqualError(t, err, `fsm: door: event "push" from state "closed": event not allowed in this state (allowed: nothing)`)
	assert.Equal(t, "L'azione «push» non è possibile nello stato «Chiusa», in cui non ci sono azioni possibili per i ruoli dell'utente.", flussi.Explain(err))
}

// The guide writes A.A. with its full stop, which ends the sentence too.
func TestASentenceThatEndsWithAnAbbreviationHasOneFullStop(t *testing.T) {
	refused := &fsm.TransitionError{EventLabel: "Notifica", Roles: []flussi.Role{flussi.AdminDirector, flussi.AdminAssistant}, Err: fsm.ErrRole}
	assert.Equal(t, "L'azione «Notifica» è riservata ai ruoli «DSGA» e «A.A.».", flussi.Explain(refused))
}

func TestNextNamesWhatAnybodyMayDo(t *testing.T) {
	_, err := newDoor().Next(closed, pull)
	refused := must.As[*fsm.TransitionError](t, err)
	assert.Equal(t, []string{"push", "look", "wall"}, refused.Allowed)
	assert.Equal(t, []string{"Apri", "Guarda", "Mura"}, refused.AllowedLabels)
}

func TestNobodyMayFireAnything(t *testing.T) {
	for _, who := range []flussi.Actor{nobody, {Roles: []flussi.Role{mason}}} {
		for _, e := range []event{push, wall} {
			to, err := newDoor().Fire(t.Context(), closed, e, who)
			assert.Equal(t, closed, to)
			assert.ErrorIs(t, err, flussi.ErrEmpty)
			assert.Contains(t, flussi.Explain(err), "Manca l'utente che esegue l'operazione.")
		}
	}
}

func TestDiagramsAreCurrent(t *testing.T) {
	m := newDoor()
	golden.File(t, "testdata/door.mmd", m.Mermaid())
	golden.File(t, "testdata/door.dot", m.Graphviz())
}

func TestDiagramsDoNotDependOnTheOrderOfRows(t *testing.T) {
	d := door()
	for i, j := 0, len(d.Transitions)-1; i < j; i, j = i+1, j-1 {
		d.Transitions[i], d.Transitions[j] = d.Transitions[j], d.Transitions[i]
	}
	slices.Reverse(d.Transitions[1].From)
	assert.Equal(t, newDoor().Mermaid(), fsm.MustNew(d).Mermaid())
	assert.Equal(t, newDoor().Graphviz(), fsm.MustNew(d).Graphviz())
}
