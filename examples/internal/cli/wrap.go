package cli

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Wrap breaks a line between words where it gets longer than width, in characters. What
// comes behind a break is indented by so many spaces. A word that is longer than a line
// remains whole.
func Wrap(line string, width, indent int) string {
	var b strings.Builder
	used, begun := 0, false
	for rest := line; strings.Trim(rest, " ") != ""; {
		spaces := len(rest) - len(strings.TrimLeft(rest, " "))
		word, _, _ := strings.Cut(rest[spaces:], " ")
		if begun && used+spaces+text.StringWidth(word) > width {
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		} else {
			b.WriteString(rest[:spaces])
			used += spaces
		}
		b.WriteString(word)
		used, begun = used+text.StringWidth(word), true
		rest = rest[spaces+len(word):]
	}
	return b.String()
}

// wrapped breaks the lines of a text that are too long, except those of tables and of commands that
// are to be copied. A command that does not fit after its text gets a line of its own.
func wrapped(s string, width int, commands []string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		start := strings.TrimLeft(line, " ")
		if text.StringWidth(line) <= width || isTable(start) || slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(start, c) }) {
			continue
		}
		indent := len(line) - len(start)
		if strings.HasPrefix(start, "- ") {
			indent += 2
		}
		command := ""
		for _, c := range commands {
			if before, after, found := strings.Cut(line, ": "+c); found {
				line, command = before+":", "\n"+strings.Repeat(" ", indent+2)+c+after
			}
		}
		lines[i] = Wrap(line, width, indent) + command
	}
	return strings.Join(lines, "\n")
}

// isTable reports whether a line begins as those of a table do.
func isTable(line string) bool {
	first, _ := utf8.DecodeRuneInString(line)
	return strings.ContainsRune("╭│├╰", first)
}
