package appio

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/markdown"
)

// Button (pulsante) is a button below a message.
type Button struct {
	Label        string // in Italian; required
	EnglishLabel string // Defaults to Label

	// Link is the address that the button opens; required. [Markdown] turns a link with the scheme
	// https, http, tel, sms, mailto or copy, which copies a text, into an iohandledlink. It keeps
	// the app's own links: ioit, iosso, and an iohandledlink to one of these schemes.
	Link string
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
		name := "del pulsante" // without a number: a caller may have another one for the only button
		if len(buttons) > 1 {
			name = fmt.Sprintf("del pulsante %d", i+1)
		}
		action, err := b.action()
		switch {
		case strings.TrimSpace(b.Link) == "":
			return flussi.Text{}, buttonError(i+1, ErrLink, "Manca il collegamento "+name+".")
		case err != nil:
			return flussi.Text{}, buttonError(i+1, ErrLink, "Il collegamento "+name+" non è valido: verificare l'indirizzo.")
		}
		for _, label := range []string{b.Label, b.EnglishLabel} {
			switch {
			case strings.TrimSpace(label) == "":
				return flussi.Text{}, buttonError(i+1, flussi.ErrEmpty, "Manca il testo "+name+".")
			case strings.ContainsFunc(label, unprintable):
				return flussi.Text{}, buttonError(i+1, flussi.ErrCharacter, "Il testo "+name+" contiene caratteri non ammessi.")
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

// handledPrefix begins the links that the app passes to the telephone.
const handledPrefix = "iohandledlink://"

// action returns what the app does when the button is pressed.
func (b Button) action() (string, error) {
	switch {
	case appOpens(b.Link):
		return b.Link, nil
	case telephoneOpens(b.Link):
		return handledPrefix + b.Link, nil
	}
	return "", ErrLink
}

// appOpens reports whether the app opens a link as it is: one of its own, or a handled one. Of a
// handled one, the app ignores white space around it.
func appOpens(link string) bool {
	for _, own := range []string{"ioit://", "iosso://"} {
		if rest, ok := cutPrefixFold(link, own); ok {
			rest = strings.TrimRight(rest, " ")
			return rest != "" && !strings.ContainsFunc(rest, notInLink)
		}
	}
	rest, ok := cutPrefixFold(strings.TrimSpace(link), handledPrefix)
	return ok && telephoneOpens(rest)
}

// telephoneOpens reports whether the app may pass a link to the telephone, or copy its text.
func telephoneOpens(link string) bool {
	scheme, rest, _ := strings.Cut(link, ":")
	scheme = strings.ToLower(scheme)
	if scheme == "copy" { // the text may have spaces
		return strings.TrimSpace(rest) != "" && !strings.ContainsFunc(rest, unprintable)
	}
	if strings.ContainsFunc(rest, notInLink) {
		return false
	}
	switch scheme {
	case "https", "http":
		parsed, err := url.Parse(link)
		return err == nil && parsed.Host != ""
	case "tel", "sms", "mailto": // also as tel://0612345
		return strings.Trim(rest, "/") != ""
	}
	return false
}

func notInLink(r rune) bool { return r == ' ' || unprintable(r) }

// cutPrefixFold is strings.CutPrefix for a prefix of ASCII in either case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func writeButton(b *strings.Builder, number int, label, action string) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	fmt.Fprintf(b, "  cta_%d:\n    text: \"%s\"\n    action: \"%s\"\n", number, quote(label), quote(action))
}

// PlainText returns Markdown with which the app shows a plain text line by line and literally. Each
// line becomes a paragraph, since the app joins the lines of a paragraph. Markdown characters are
// escaped. The app may turn addresses into links, and shows <br> as a line break.
func PlainText(text string) string { return markdown.Lines(text) }
