package appio

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The app looks for front matter if the first line has three dashes. It removes the first block
// between two lines of dashes. If the block is not YAML, the app shows it as text. Otherwise it
// shows the buttons of the reader's language: cta_1, and cta_2 if there is one. It shows no button
// if one of them has no text or no action, or if it can open neither action. It shows a definition
// as text that begins later, or that is written as plain text.
const (
	notMatter  = "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti, ma ciò che segue è testo: togliere i trattini o aggiungere una riga prima."
	noButtons  = "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti, ma non ne definisce nessuno: definire un pulsante, o togliere i trattini."
	notClosed  = "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti: chiudere la definizione con un'altra riga di tre trattini, o togliere la prima."
	blankAfter = "Dopo i tre trattini con cui comincia il contenuto ci sono degli spazi, e l'app mostrerebbe come testo la definizione dei pulsanti: togliere gli spazi."
	laterBlock = "La prima riga del contenuto ha tre trattini, e l'app interpreta come definizione di pulsanti il testo fra due righe di soli trattini: togliere i trattini dalla prima riga."
	misplaced  = "Il contenuto ha la definizione di un pulsante che l'app mostrerebbe come testo: la definizione deve cominciare alla prima riga con tre trattini soli, senza niente prima, e il contenuto non può essere testo semplice."
	onlyInGB   = "I pulsanti sono definiti solo in inglese, e chi usa l'app in italiano non li vede: aggiungere la parte «it»."
	onlyInIT   = "I pulsanti sono definiti solo in italiano, e chi usa l'app in inglese non li vede."
)

// laterMatter matches a block that is not at the beginning of the content.
var laterMatter = regexp.MustCompile(`(?m)^---\r?$[\s\S]*?^(?:---|\.\.\.)\s*$|^= yaml =\r?$[\s\S]*?^(?:= yaml =|\.\.\.)\s*$`)

// strayButton matches a line that begins the definition of a button, also one of a plain text.
var strayButton = regexp.MustCompile(`(?m)^[\s\x{a0}]*(?:["'](?:cta\\?_[12])["']|cta\\?_[12])[ \t]*:`)

// checkFrontMatter checks the front matter of a content. The fault says in Italian why it is not
// valid; "" if it is valid, or if there is none. The doubts say what the app ignores in it.
func checkFrontMatter(content string) (fault string, doubts []string) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(content, "\ufeff"), "\n")
	first = strings.TrimRight(first, "\r")
	if strings.TrimRight(first, " \t") != "---" {
		if (strings.Contains(first, "---") || strings.Contains(first, "= yaml =")) && laterMatter.MatchString(content) {
			return laterBlock, nil
		}
		if strayButton.MatchString(content) {
			return misplaced, nil
		}
		return "", nil
	}
	var lines []string
	closed := false
	body := rest
	for line := range strings.Lines(rest) {
		body = body[len(line):]
		line = strings.TrimRight(line, " \t\r\n")
		if closed = line == "---" || line == "..."; closed {
			break
		}
		lines = append(lines, line)
	}
	root, fault := parseMatter(lines)
	switch {
	case fault != "" && !slices.ContainsFunc(lines, looksLikeMatter):
		return notMatter, nil
	case !closed:
		return notClosed, nil
	case fault != "":
		return fault, nil
	}
	fault, doubts = root.buttons()
	switch {
	case fault != "":
	case first != "---":
		return blankAfter, nil
	case strayButton.MatchString(body):
		return misplaced, nil
	}
	return fault, doubts
}

// looksLikeMatter reports whether a line has a key of front matter.
func looksLikeMatter(line string) bool {
	key, _, ok := strings.Cut(strings.TrimSpace(line), ":")
	switch key {
	case "it", "en", "cta_1", "cta_2", "text", "action":
		return ok
	}
	return false
}

// matter is an entry of front matter. The root has all other entries below it.
type matter struct {
	key      string
	line     int       // of the content, counted from 1
	indent   int       // in spaces
	text     string    // the value, if it is a text
	isText   bool      // the value is a text, and not a number, a date, true or null
	hasValue bool      // there is a value on the line
	isNull   bool      // the value is null
	opaque   bool      // the value is in a form of YAML that parseMatter does not parse
	isBlock  bool      // the opaque value is a text on the lines below
	isNested bool      // the opaque value is a list or has entries of its own
	entries  []*matter // below it
}

// faultAt returns the operator's text of a fault in a line.
func faultAt(line int, text string) string {
	return fmt.Sprintf("La definizione dei pulsanti all'inizio del contenuto non è valida alla riga %d: %s", line, text)
}

// buttons returns what is wrong with the buttons that a front matter defines, and what the app
// ignores.
func (m *matter) buttons() (fault string, doubts []string) {
	italian, english := m.entry("it"), m.entry("en")
	switch {
	case italian == nil && english == nil:
		return noButtons, nil
	case italian == nil:
		return onlyInGB, nil
	}
	doubts = m.ignored("it", "en")
	if english == nil || english.isEmpty() {
		doubts = append(doubts, onlyInIT)
		english = nil
	}
	for _, language := range []*matter{italian, english} {
		if language == nil {
			continue
		}
		fault, more := language.language()
		if fault != "" {
			return fault, nil
		}
		doubts = append(doubts, more...)
	}
	return "", doubts
}

// language checks the buttons of one language.
func (m *matter) language() (fault string, doubts []string) {
	switch first := m.entry("cta_1"); {
	case m.opaque:
		return "", []string{m.unread()}
	case first == nil:
		return faultAt(m.line, "manca il pulsante «cta_1», senza il quale l'app non ne mostra nessuno."), nil
	}
	doubts = m.ignored("cta_1", "cta_2")
	for _, name := range []string{"cta_1", "cta_2"} {
		button := m.entry(name)
		switch {
		case button == nil:
			continue
		case button.opaque:
			doubts = append(doubts, button.unread())
			continue
		case button.isEmpty() || button.hasValue:
			return faultAt(button.line, "il pulsante è vuoto, e l'app non ne mostra nessuno. Indicare «text» e «action», o togliere il pulsante."), nil
		}
		for _, field := range []string{"text", "action"} {
			fault, unread := button.field(field)
			if fault != "" {
				return fault, nil
			}
			if unread != "" {
				doubts = append(doubts, unread)
			}
		}
		doubts = append(doubts, button.ignored("text", "action")...)
	}
	return "", doubts
}

// field checks the text or the action of a button. The doubt says that it cannot be read.
func (m *matter) field(name string) (fault, doubt string) {
	f := m.entry(name)
	switch {
	case f == nil:
		return faultAt(m.line, "nel pulsante manca «"+name+"», e l'app non mostra nessun pulsante."), ""
	case f.isBlock && name == "text":
		return "", ""
	case f.opaque && !f.isNested:
		return "", f.unread()
	case f.isEmpty() || f.isText && strings.TrimSpace(f.text) == "":
		return faultAt(f.line, "«"+name+"» è vuoto, e l'app non mostra il pulsante."), ""
	case !f.isText:
		return faultAt(f.line, "«"+name+"» non è un testo. Metterlo fra virgolette."), ""
	case name == "action" && !appOpens(f.text):
		return faultAt(f.line, "l'app non apre questo collegamento, che deve cominciare con «iohandledlink://» seguito da un indirizzo https, http, tel, sms, mailto o copy, oppure con «ioit://» o «iosso://»."), ""
	}
	return "", ""
}

// entry returns the entry with a key directly below m, or nil.
func (m *matter) entry(key string) *matter {
	for _, e := range m.entries {
		if e.key == key {
			return e
		}
	}
	return nil
}

// isEmpty reports whether m has neither a value nor entries, which is null in YAML.
func (m *matter) isEmpty() bool {
	return (!m.hasValue || m.isNull) && !m.opaque && len(m.entries) == 0
}

// ignored returns a doubt for each entry with a key that the app does not know.
func (m *matter) ignored(known ...string) []string {
	var doubts []string
	for _, e := range m.entries {
		if !slices.Contains(known, e.key) {
			doubts = append(doubts, fmt.Sprintf("L'app ignora la riga %d del contenuto, nella definizione dei pulsanti.", e.line))
		}
	}
	return doubts
}

func (m *matter) unread() string {
	return fmt.Sprintf("La definizione dei pulsanti alla riga %d è in una forma che non si può verificare: scrivere una voce per riga.", m.line)
}
