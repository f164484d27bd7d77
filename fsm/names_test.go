package fsm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/must"
)

// taken is a machine over the columns of databases that others designed, with the names that the
// languages of diagrams could take for their own.
func taken() definition {
	names := []state{
		"IN_LAVORAZIONE", "In lavorazione", "in_lavorazione", "In_20_lavorazione", "1", "È stato pagato",
		"*", "[*]", "end", "note", "a --> b", `"detto" \`, "<b>&lt;</b>", "%% {init}", "1. primo", "- voce", "`x` **y** $$z$$",
		state(strings.Repeat("è", fsm.MaxName)),
	}
	d := definition{Name: "altrui & propri", Initial: names[0]}
	for i, name := range names {
		d.States = append(d.States, fsm.State[state]{Name: name, Final: i == len(names)-1})
		if i > 0 {
			d.Transitions = append(d.Transitions, transition{Event: event(fmt.Sprint("passa a: ", i)), From: names[i-1 : i], To: name})
		}
	}
	d.Transitions = append(d.Transitions, transition{Event: "event", From: names[:2], To: names[2]})
	return d
}

func TestNamesAreThoseOfTheDatabase(t *testing.T) {
	d := taken()
	m := must.Get(fsm.New(d))(t)
	at := m.Initial()
	for i, next := range d.States[1:] {
		at = must.Get(m.Fire(t.Context(), at, event(fmt.Sprint("passa a: ", i+1)), anyone))(t)
		require.Equal(t, next.Name, at)
	}
	golden.File(t, "testdata/taken.mmd", m.Mermaid())
	golden.File(t, "testdata/taken.dot", m.Graphviz())
	assert.Equal(t, "IN_LAVORAZIONE", m.Label("IN_LAVORAZIONE"))
	_, err := m.Next("IN_LAVORAZIONE", "1")
	assert.ErrorContains(t, err, `state "IN_LAVORAZIONE"`)
}

func TestEachStateHasAnIdentifierOfItsOwnInMermaid(t *testing.T) {
	d := taken()
	ids := map[string]bool{}
	for line := range strings.Lines(must.Get(fsm.New(d))(t).Mermaid()) {
		if _, id, declares := strings.Cut(strings.TrimSpace(line), `" as `); declares {
			require.Regexp(t, `^[sx]_[A-Za-z0-9_]+$`, id)
			assert.False(t, ids[id], id)
			ids[id] = true
		}
	}
	assert.Len(t, ids, len(d.States))
}
