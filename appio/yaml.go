package appio

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The front matter of buttons is YAML: entries below entries, by their indent. This file reads the
// form that people write, one entry in a line, and refuses what the app's reader (js-yaml) refuses.
// Other forms that YAML has for a value are opaque.

// matterEntry matches an entry: its key, plain or in quotes, and its value.
var matterEntry = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_-]*)|"([^"\\]*)"|'([^']*)')[ \t]*:(?:[ \t]+(.*))?$`)

// matterComment matches the comment behind a plain value.
var matterComment = regexp.MustCompile(`[ \t]#.*$`)

// notText matches the plain values that YAML takes for null, true or false, a number or a date.
var notText = regexp.MustCompile(`(?i)^(?:~|null|true|false|[-+]?(?:0b[01_]+|0x[0-9a-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?` +
	`|\.[0-9_]+(?:e[-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.inf)|\.nan|0o[0-7_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T \t].*)?)$`)

// parseMatter reads the lines between the dashes. The fault, in Italian, says why they are not
// YAML.
func parseMatter(lines []string) (root *matter, fault string) {
	root = &matter{indent: -1}
	open := []*matter{root} // the entries that the next line may be below
	begun := false
	for i, line := range lines {
		number := i + 2 // the first line of the content has the dashes
		if strings.ContainsFunc(line, notInYAML) {
			return nil, faultAt(number, "la riga ha un carattere di controllo. Toglierlo.")
		}
		entry := strings.TrimLeft(line, " \t")
		indent := len(line) - len(entry)
		last := open[len(open)-1]
		if entry == "" || entry[0] == '#' || last.opaque && indent > last.indent {
			begun = begun || entry != ""
			continue
		}
		if strings.Contains(line[:indent], "\t") {
			return nil, faultAt(number, "la riga comincia con una tabulazione. Usare spazi.")
		}
		if !begun {
			indent = 0 // the app removes the white space in front of all
		}
		begun = true
		e := &matter{line: number, indent: indent}
		if fault := e.read(entry); fault != "" {
			return nil, faultAt(number, fault)
		}
		for open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		above := open[len(open)-1]
		switch {
		case above.hasValue || above.opaque:
			return nil, faultAt(number, "la riga ha un rientro maggiore di quella sopra, che ha già un valore. Togliere il rientro.")
		case len(above.entries) > 0 && above.entries[0].indent != indent:
			return nil, faultAt(number, "il rientro non è quello delle altre righe dello stesso livello. Allinearle.")
		case above.entry(e.key) != nil:
			return nil, faultAt(number, "la stessa voce c'è già. Tenerne una sola.")
		}
		above.entries = append(above.entries, e)
		open = append(open, e)
	}
	return root, ""
}

// notInYAML reports whether a character may not be anywhere in YAML, or ends a line.
func notInYAML(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r <= 0x9f && r != '\u0085' || r == 0xfffe || r == 0xffff
}

// read reads the key and the value of an entry. The fault says in Italian why it is not valid.
func (m *matter) read(entry string) (fault string) {
	parts := matterEntry.FindStringSubmatch(entry)
	if parts == nil {
		return "la riga non ha la forma «voce: valore», con uno spazio dopo i due punti."
	}
	m.key = parts[1] + parts[2] + parts[3]
	value := strings.TrimSpace(parts[4])
	if value == "" || value[0] == '#' {
		return ""
	}
	const quote = "il testo ha caratteri che vanno fra virgolette. Metterlo fra virgolette doppie."
	switch value[0] {
	case '"', '\'':
		text, rest, ok := unquote(value)
		if !ok || rest != "" && !isComment(rest) {
			return "le virgolette non sono chiuse, o sono chiuse prima della fine del testo."
		}
		m.text, m.isText, m.hasValue = text, true, true
		return ""
	case '{', '[', '&', '*', '!', '|', '>':
		m.opaque, m.isBlock, m.isNested = true, isBlockText(value), value[0] == '{' || value[0] == '['
		return ""
	case '%', '@', '`', ',', ']', '}':
		return quote
	}
	value = strings.TrimSpace(matterComment.ReplaceAllString(value, ""))
	first, after := value[0], value[1:]
	if strings.Contains(value, ": ") || strings.Contains(value, ":\t") || strings.HasSuffix(value, ":") ||
		strings.IndexByte("-?", first) >= 0 && (after == "" || after[0] == ' ' || after[0] == '\t') {
		return quote
	}
	m.text, m.isText, m.hasValue = value, !notText.MatchString(value), true
	m.isNull = value == "~" || strings.EqualFold(value, "null")
	return ""
}

// isBlockText reports whether a value begins a text on the lines below it.
func isBlockText(value string) bool {
	switch value {
	case "|", "|-", "|+", ">", ">-", ">+":
		return true
	}
	return false
}

// isComment reports whether what follows a value is a comment.
func isComment(rest string) bool {
	trimmed := strings.TrimLeft(rest, " \t")
	return trimmed == "" || len(trimmed) < len(rest) && trimmed[0] == '#'
}

// escapes are the characters that a backslash and a letter stand for.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b", ' ': " ", '"': `"`, '/': "/", '\\': `\`,
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// unquote reads a text in quotes at the beginning of a value, and returns what follows it.
func unquote(value string) (text, rest string, ok bool) {
	var b strings.Builder
	quote := value[0]
	for i := 1; i < len(value); i++ {
		c := value[i]
		switch {
		case c == quote && quote == '\'' && strings.HasPrefix(value[i+1:], "'"):
			b.WriteByte(c)
			i++
		case c == quote:
			return b.String(), value[i+1:], true
		case c == '\\' && quote == '"':
			i++
			if i == len(value) {
				return "", "", false
			}
			if s, ok := escapes[value[i]]; ok {
				b.WriteString(s)
				continue
			}
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[value[i]]
			if digits == 0 || i+digits >= len(value) {
				return "", "", false
			}
			code, err := strconv.ParseUint(value[i+1:i+1+digits], 16, 32)
			if err != nil || code > utf8.MaxRune {
				return "", "", false
			}
			b.WriteRune(rune(code))
			i += digits
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
