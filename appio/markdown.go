package appio

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/flussi-go/flussi"
)

// Button (pulsante) is a button below a message.
type Button struct {
	Label        string // in Italian; required
	EnglishLabel string // Defaults to Label
	Link         string // an https, http, tel or mailto link, which Markdown makes an iohandledlink, or one of the app's own (ioit, iosso, iohandledlink); required
}

// The errors of [Markdown], besides the Err… values of package flussi.
var (
	// ErrTooManyButtons: a message has at most two buttons.
	ErrTooManyButtons = errors.New("more than two buttons")
	// ErrLink: the app cannot open the link of a button.
	ErrLink = errors.New("link not allowed")
)

const maxButtons = 2

// Markdown returns the content of a message: the body, with the front matter for one
// or two buttons in front of it. The front matter counts for the length of the
// content, which [Message.Validate] checks. Without buttons it is the body itself. The
// error is a [*flussi.ValueError] with [flussi.ErrEmpty] or [flussi.ErrCharacter] for a
// label, [ErrLink], or [ErrTooManyButtons].
func Markdown(body string, buttons ...Button) (flussi.Text, error) {
	if len(buttons) == 0 {
		return flussi.NewText(body), nil
	}
	if len(buttons) > maxButtons {
		return flussi.Text{}, buttonError(0, ErrTooManyButtons, "Un messaggio può avere al massimo due pulsanti.")
	}
	var italian, english strings.Builder
	for i, b := range buttons {
		if b.EnglishLabel == "" {
			b.EnglishLabel = b.Label
		}
		action, err := b.action()
		if err != nil {
			return flussi.Text{}, buttonError(i+1, ErrLink, fmt.Sprintf("Il collegamento del pulsante %d non è valido: verificare l'indirizzo.", i+1))
		}
		for _, label := range []string{b.Label, b.EnglishLabel} {
			switch {
			case strings.TrimSpace(label) == "":
				return flussi.Text{}, buttonError(i+1, flussi.ErrEmpty, fmt.Sprintf("Manca il testo del pulsante %d.", i+1))
			case strings.ContainsFunc(label, unprintable):
				return flussi.Text{}, buttonError(i+1, flussi.ErrCharacter, fmt.Sprintf("Il testo del pulsante %d contiene caratteri non ammessi.", i+1))
			}
		}
		writeButton(&italian, i+1, b.Label, action)
		writeButton(&english, i+1, b.EnglishLabel, action)
	}
	return flussi.NewText("---\nit:\n" + italian.String() + "en:\n" + english.String() + "---\n" + body), nil
}

func buttonError(number int, err error, italian string) error {
	return &flussi.ValueError{Type: "Button", Position: number, Err: err, Reason: italian}
}

func unprintable(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }

// action returns what the app does when the button is pressed.
func (b Button) action() (string, error) {
	link, err := url.Parse(b.Link)
	if err != nil || strings.ContainsFunc(b.Link, func(r rune) bool { return r == ' ' || unprintable(r) }) {
		return "", ErrLink
	}
	switch link.Scheme {
	case "https", "http":
		if link.Host == "" {
			return "", ErrLink
		}
		return "iohandledlink://" + b.Link, nil
	case "tel", "mailto":
		if link.Opaque == "" {
			return "", ErrLink
		}
		return "iohandledlink://" + b.Link, nil
	case "ioit", "iosso", "iohandledlink":
		return b.Link, nil
	}
	return "", ErrLink
}

func writeButton(b *strings.Builder, number int, label, action string) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	fmt.Fprintf(b, "  cta_%d:\n    text: \"%s\"\n    action: \"%s\"\n", number, quote(label), quote(action))
}

var (
	frontMatterLine = regexp.MustCompile(`^\s*(#.*|[A-Za-z_][A-Za-z0-9_]*:(\s.*)?)?$`)
	callToAction    = regexp.MustCompile(`(?m)^\s+cta_[12]:\s*$`)
)

// frontMatterFault returns what is wrong, in Italian, with a content that begins with a line
// of three dashes and no front matter, or "". The app would not show the text up to the next
// such line, or to the end.
func frontMatterFault(content string) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(content, "\ufeff"), "\n")
	if strings.TrimRight(first, " \t\r") != "---" {
		return ""
	}
	var matter strings.Builder
	for line := range strings.Lines(rest) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "---" && callToAction.MatchString(matter.String()):
			return ""
		case line == "---":
			return "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti, ma non ne definisce nessuno: definire un pulsante, o togliere i trattini."
		case !frontMatterLine.MatchString(line):
			return "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti, ma ciò che segue è testo: togliere i trattini o aggiungere una riga prima."
		}
		matter.WriteString(line + "\n")
	}
	return "Il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti: chiudere la definizione con un'altra riga di tre trattini, o togliere la prima."
}
