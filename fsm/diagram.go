package fsm

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// mermaidID returns the identifier of a state. It is different for each name, and none of the words
// of Mermaid's own grammar, such as note, class and end. Characters that an identifier cannot have
// are written by their numbers, as in x_In_20_corso.
func mermaidID(name string) string {
	plain := func(r rune) bool { return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	if !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !plain(r) }) {
		return "s_" + name
	}
	var b strings.Builder
	b.WriteString("x_")
	for _, r := range name {
		if plain(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_%x_", r)
		}
	}
	return b.String()
}

// mermaidSigns are the signs of Mermaid's grammar, of HTML, of Markdown and of mathematics, as
// entities.
var mermaidSigns = strings.NewReplacer("#", "#35;", `"`, "#quot;", ";", "#59;", ":", "#58;", "<", "#60;", "[", "#91;", "%", "#37;",
	"&", "#38;", `\`, "#92;", "*", "#42;", "_", "#95;", "`", "#96;", "~", "#126;", "$", "#36;")

// mermaidBegins matches the labels whose beginning Mermaid would take for its own: a statement, or an
// item of a list.
var mermaidBegins = regexp.MustCompile(`^(?i:direction|[-+=>]|[0-9]+[.)])`)

// mermaidText writes what Mermaid would take for its own as entities. Of a beginning, the first
// character suffices.
func mermaidText(label string) string {
	first := ""
	if mermaidBegins.MatchString(label) {
		first, label = fmt.Sprintf("#%d;", label[0]), label[1:]
	}
	return first + mermaidSigns.Replace(label)
}

// Graphviz returns the machine as a directed graph in the DOT language: labels in
// Italian, the roles in parentheses, what may be done without leaving a state inside
// it, final states with a double border. The same table always gives the same text.
func (m *Machine[S, E]) Graphviz() string {
	const start = `""` // no state has an empty name
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
	}
	text := func(s string) string { return quote(strings.ReplaceAll(s, "&", "&amp;")) }
	arrows, inside := m.drawn()
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n", quote(m.table.definition.Name))
	fmt.Fprintf(&b, "    %s [shape=point];\n", start)
	for _, state := range m.table.definition.States {
		label := strings.Join(append([]string{state.Label}, inside[state.Name]...), "\n")
		border := ""
		if state.Final {
			border = ", peripheries=2"
		}
		fmt.Fprintf(&b, "    %s [label=%s%s];\n", quote(string(state.Name)), text(label), border)
	}
	fmt.Fprintf(&b, "    %s -> %s;\n", start, quote(string(m.table.definition.Initial)))
	for _, a := range arrows {
		fmt.Fprintf(&b, "    %s -> %s [label=%s];\n", quote(a.from), quote(a.to), text(a.label))
	}
	b.WriteString("}\n")
	return b.String()
}
