package mailmerge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// Config says more about a text. Every field may be left out.
type Config struct {
	// Fields are the fields that a text may have. Defaults to those that it names, with the kinds
	// of their uses.
	Fields []Field
}

// Text is a subject and a content with fields. It is made by [Parse], never changes, and is safe
// for concurrent use.
type Text struct {
	subject, content *template.Template
	plain            *template.Template // the content, with values that are not escaped
	fields           []Field
	frontMatter      bool // the content begins with a front matter
}

// maxTemplate is the longest template, in bytes: a content at its longest, in letters of several
// bytes, and fields besides.
const maxTemplate = 50_000

// maxResult is the longest result, in bytes: more than a content may have.
const maxResult = 100_000

// Parse reads a subject and a content. The error joins a [*flussi.ValueError] for each that is not
// valid, an [ErrTemplate] with Subject or Content as its Type; it quotes neither.
func Parse(subject, content string, c Config) (*Text, error) {
	t := &Text{}
	u := newUses(c.Fields)
	var wrong [2]error
	t.subject, wrong[0] = read(u, part{"Subject", "L'oggetto", false}, subject)
	t.content, wrong[1] = read(u, part{"Content", "Il contenuto", true}, content)
	if err := errors.Join(wrong[:]...); err != nil {
		return nil, err
	}
	plain, err := t.content.Clone()
	if err != nil {
		return nil, err
	}
	t.plain, t.fields = plain.Funcs(templateFuncs(false)), u.list()
	t.frontMatter = beginsFrontMatter(content)
	return t, nil
}

// Fields returns the fields that the text may have: those of [Config.Fields], or else those that it
// names, in the order of their first use, the subject before the content.
func (t *Text) Fields() []Field { return slices.Clone(t.fields) }

// Execute returns the subject and the content with the values. White space in the subject becomes
// single blanks, and at the ends of the content there is none. Lengths are not checked.
//
// The error is a [*flussi.ValueError] with the field as its Type: an [ErrMissing] for one that needs
// a value, an [ErrUnknown] for a value without a field or of another kind; with Content as its Type,
// an [ErrTemplate] if the values make a front matter of the content, or [flussi.ErrLength] if a
// result is longer than any message. It quotes no value.
func (t *Text) Execute(v Values) (subject, content flussi.Text, err error) {
	subject, content, err = t.execute(v, t.content, true)
	if err == nil && !t.frontMatter && beginsFrontMatter(content.Reveal()) {
		return flussi.Text{}, flussi.Text{}, &flussi.ValueError{Type: "Content", Err: ErrTemplate,
			Reason: "Con questi valori il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti: aggiungere una riga prima."}
	}
	return subject, content, err
}

// ExecutePlain is [Text.Execute] for a content that is plain text: its values are not escaped, since
// appio.PlainText escapes all of it.
func (t *Text) ExecutePlain(v Values) (subject, content flussi.Text, err error) {
	return t.execute(v, t.plain, false)
}

func (t *Text) execute(v Values, content *template.Template, markdown bool) (flussi.Text, flussi.Text, error) {
	if err := t.check(v); err != nil {
		return flussi.Text{}, flussi.Text{}, err
	}
	s, err := t.fill(t.subject, part{"Subject", "L'oggetto", false}, v)
	if err != nil {
		return flussi.Text{}, flussi.Text{}, err
	}
	c, err := t.fill(content, part{"Content", "Il contenuto", markdown}, v)
	if err != nil {
		return flussi.Text{}, flussi.Text{}, err
	}
	return flussi.NewText(strings.Join(strings.Fields(s), " ")), flussi.NewText(strings.TrimSpace(c)), nil
}

// check refuses values that do not fit the fields.
func (t *Text) check(v Values) error {
	found := 0
	for _, f := range t.fields {
		value, there := v[f.Name]
		if there {
			found++
		}
		passed, ok := f.Kind.pass(value, false)
		switch {
		case !ok:
			return &flussi.ValueError{Type: f.Name, Err: ErrUnknown, Reason: fmt.Sprintf("Il campo %s deve essere di tipo «%s».", italian.Quote(f.Name), f.Kind)}
		case passed == "" && !f.Optional:
			return &flussi.ValueError{Type: f.Name, Err: ErrMissing, Reason: "Manca il valore del campo " + italian.Quote(f.Name) + ", che il testo usa."}
		}
	}
	if found < len(v) {
		return &flussi.ValueError{Type: "Values", Err: ErrUnknown,
			Reason: italian.Choose(len(v)-found, "C'è un valore per un campo", "Ci sono valori per campi") + " che il testo non ha."}
	}
	return nil
}

// part is one of the two texts.
type part struct {
	field, name string
	content     bool
}

// fill returns a text with the values.
func (t *Text) fill(text *template.Template, p part, v Values) (string, error) {
	data := make(map[string]any, len(t.fields))
	for _, f := range t.fields {
		data[f.Name], _ = f.Kind.pass(v[f.Name], p.content)
	}
	var b limited
	err := text.Execute(&b, data)
	switch {
	case errors.Is(err, errTooLong):
		return "", &flussi.ValueError{Type: p.field, Err: flussi.ErrLength, Reason: p.name + " con questi valori è troppo lungo."}
	case err != nil: // which quotes the template
		return "", &flussi.ValueError{Type: p.field, Err: ErrTemplate, Reason: p.name + " non è un modello valido: " + wrongComparison}
	}
	return b.String(), nil
}

// limited is a text that cannot become longer than any message.
type limited struct{ strings.Builder }

var errTooLong = errors.New("result too long")

// Write appends to the text.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxResult {
		return 0, errTooLong
	}
	return l.Builder.Write(p)
}

// beginsFrontMatter reports whether the app takes the beginning of a content for a front matter.
func beginsFrontMatter(content string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(content, "\ufeff")), "\n")
	return strings.TrimSpace(first) == "---"
}
