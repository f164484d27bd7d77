package fsm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
)

// arrow is an edge as diagrams draw it.
type arrow struct {
	from, to string
	label    string
}

// drawn returns what diagrams show: the arrows between states, and inside each state
// what may be done without leaving it, where a crowd of loops would hide each other.
// Both are sorted by the order of the states in the definition, then by label, so
// that the order of the rows of the table does not matter.
func (m *Machine[S, E]) drawn() (arrows []arrow, inside map[S][]string) {
	inside = map[S][]string{}
	for _, row := range m.table.definition.Transitions {
		label := row.Label
		if len(row.Roles) > 0 {
			label += " (" + strings.Join(roleNames(row.Roles, flussi.Role.Label), ", ") + ")"
		}
		for _, from := range row.From {
			if from == row.To {
				inside[from] = append(inside[from], label)
				slices.Sort(inside[from])
				continue
			}
			arrows = append(arrows, arrow{string(from), string(row.To), label})
		}
	}
	rank := func(name string) int {
		return slices.IndexFunc(m.table.definition.States, func(s State[S]) bool { return string(s.Name) == name })
	}
	slices.SortFunc(arrows, func(a, b arrow) int {
		return cmp.Or(
			cmp.Compare(rank(a.from), rank(b.from)),
			cmp.Compare(rank(a.to), rank(b.to)),
			cmp.Compare(a.label, b.label),
		)
	})
	return arrows, inside
}

// Mermaid returns the machine as a Mermaid state diagram: labels in Italian, the
// roles in parentheses, what may be done without leaving a state inside it. The same
// table always gives the same text.
func (m *Machine[S, E]) Mermaid() string {
	arrows, inside := m.drawn()
	var b strings.Builder
	fmt.Fprintf(&b, "%%%% %s\nstateDiagram-v2\n", m.table.definition.Name)
	for _, state := range m.table.definition.States {
		id := mermaidID(string(state.Name))
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", mermaidText(state.Label), id)
		for _, label := range inside[state.Name] {
			fmt.Fprintf(&b, "    %s : %s\n", id, mermaidText(label))
		}
	}
	fmt.Fprintf(&b, "    [*] --> %s\n", mermaidID(string(m.table.definition.Initial)))
	for _, a := range arrows {
		fmt.Fprintf(&b, "    %s --> %s : %s\n", mermaidID(a.from), mermaidID(a.to), mermaidText(a.label))
	}
	for _, state := range m.table.definition.States {
		if state.Final {
			fmt.Fprintf(&b, "    %s --> [*]\n", mermaidID(string(state.Name)))
		}
	}
	return b.String()
}

// mermaidID keeps state names apart from the words of Mermaid's own grammar, such as
// note, class and end.
func mermaidID(name string) string { return "s_" + name }

// mermaidText writes what Mermaid's grammar would take for its own as entities.
func mermaidText(label string) string {
	if strings.HasPrefix(strings.ToLower(label), "direction") {
		return fmt.Sprintf("#%d;", label[0]) + mermaidText(label[1:])
	}
	return strings.NewReplacer("#", "#35;", `"`, "#quot;", ";", "#59;", ":", "#58;", "<", "#60;", "[", "#91;", "%", "#37;").Replace(label)
}

// Graphviz returns the machine as a directed graph in the DOT language: labels in
// Italian, the roles in parentheses, what may be done without leaving a state inside
// it, final states with a double border. The same table always gives the same text.
func (m *Machine[S, E]) Graphviz() string {
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
	}
	arrows, inside := m.drawn()
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n", quote(m.table.definition.Name))
	fmt.Fprintf(&b, "    \"*\" [shape=point];\n")
	for _, state := range m.table.definition.States {
		label := strings.Join(append([]string{state.Label}, inside[state.Name]...), "\n")
		border := ""
		if state.Final {
			border = ", peripheries=2"
		}
		fmt.Fprintf(&b, "    %s [label=%s%s];\n", quote(string(state.Name)), quote(label), border)
	}
	fmt.Fprintf(&b, "    \"*\" -> %s;\n", quote(string(m.table.definition.Initial)))
	for _, a := range arrows {
		fmt.Fprintf(&b, "    %s -> %s [label=%s];\n", quote(a.from), quote(a.to), quote(a.label))
	}
	b.WriteString("}\n")
	return b.String()
}
