package mailmerge

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/markdown"
)

// Config configures [Parse]. The zero value takes the fields from the text.
type Config struct {
	// Fields are the fields that a text may use. Defaults to those that it uses, with the kinds
	// that their uses determine.
	Fields []Field
}

// Text is a subject and a content with fields. [Parse] returns it. It is immutable, and safe for
// concurrent use.
type Text struct {
	subject, content *template.Template
	plain            *template.Template // the content, with values that are not escaped
	fields           []Field
	frontMatter      bool // the content begins with a front matter
}

// maxTemplate limits a template, in bytes. The longest content fits, even in letters of several
// bytes and with fields.
const maxTemplate = 50_000

// maxResult limits a result, in bytes. It is more than a content may have.
const maxResult = 100_000

// Parse parses a subject and a content. The error joins one [*flussi.ValueError] for each text that
// is not valid: an [ErrTemplate] whose Type is "Subject" or "Content". It does not quote the texts.
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

// Fields returns [Config].Fields, or by default the fields that the text uses, in the order of
// their first use, with the subject before the content.
func (t *Text) Fields() []Field { return slices.Clone(t.fields) }

// Execute returns the subject and the content with the values filled in. In the subject, each run
// of white space becomes one blank. The content has no white space at its ends. Execute does not
// check whether App IO accepts the lengths.
//
// The error is a [*flussi.ValueError], and quotes no value. By its Type, it is
//
//   - the name of a field: [ErrMissing] if a required field has no value, [ErrUnknown] if a value
//     is of another kind than its field
//   - "Values": [ErrUnknown] if a value is for a field that the text does not have
//   - "Content" or "Subject": [flussi.ErrLength] if the result is longer than any message,
//     [ErrTemplate] if values make front matter of the content, or cannot be compared
func (t *Text) Execute(v Values) (subject, content flussi.Text, err error) {
	subject, content, err = t.execute(v, t.content, true)
	if err == nil && !t.frontMatter && beginsFrontMatter(content.Reveal()) {
		return flussi.Text{}, flussi.Text{}, &flussi.ValueError{Type: "Content", Err: ErrTemplate,
			Reason: "Con questi valori il contenuto comincia con una riga di tre trattini, che l'app interpreta come definizione di pulsanti: aggiungere una riga prima."}
	}
	return subject, content, err
}

// ExecutePlain is [Text.Execute] for a content in plain text, such as that of a flow.Draft whose
// Options or whose flow's say PlainText. It does not escape the values: appio.PlainText escapes the
// whole content later.
func (t *Text) ExecutePlain(v Values) (subject, content flussi.Text, err error) {
	return t.execute(v, t.plain, false)
}

func (t *Text) execute(v Values, content *template.Template, isMarkdown bool) (flussi.Text, flussi.Text, error) {
	if err := t.check(v); err != nil {
		return flussi.Text{}, flussi.Text{}, err
	}
	s, err := t.fill(t.subject, part{"Subject", "L'oggetto", false}, v)
	if err != nil {
		return flussi.Text{}, flussi.Text{}, err
	}
	c, err := t.fill(content, part{"Content", "Il contenuto", isMarkdown}, v)
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
		passed, ok := f.convert(value, false)
		switch {
		case !ok:
			return &flussi.ValueError{Type: f.Name, Err: ErrUnknown, Reason: fmt.Sprintf("Il campo %s deve essere di tipo «%s».", italian.Quote(f.Name), f.Kind)}
		case passed == "" && !f.Optional:
			return &flussi.ValueError{Type: f.Name, Err: ErrMissing, Reason: "Manca il valore del campo " + italian.Quote(f.Name) + ", che il testo usa."}
		}
	}
	if found < len(v) {
		reason := italian.Choose(len(v)-found, "C'è un valore per un campo", "Ci sono valori per campi") + " che il testo non ha"
		if len(t.fields) > 0 { // the names of the values may be personal data, those of the text are not
			var names []string
			for _, f := range t.fields {
				names = append(names, f.Name)
			}
			reason += ". Campi del testo: " + italian.Quoted(names)
		}
		return &flussi.ValueError{Type: "Values", Err: ErrUnknown, Reason: reason + "."}
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
		data[f.Name], _ = f.convert(v[f.Name], p.content)
	}
	b := limited{markdown: p.content}
	err := text.Execute(&b, data)
	b.release(false)
	switch {
	case errors.Is(err, errTooLong):
		return "", &flussi.ValueError{Type: p.field, Err: flussi.ErrLength, Reason: p.name + " con questi valori è troppo lungo."}
	case err != nil: // the text of err quotes the template
		return "", &flussi.ValueError{Type: p.field, Err: ErrTemplate, Reason: p.name + " non è un modello valido: " + wrongComparison}
	}
	return b.String(), nil
}

// limited is a text that refuses to become longer than maxResult. In Markdown, two parts that are
// written one after the other may have a meaning that neither has alone: an exclamation mark before
// a link is an image, and a number before a dot begins a list, which the app numbers anew. limited
// escapes one of the characters then.
type limited struct {
	strings.Builder
	markdown bool
	held     bool // an exclamation mark that is not written yet
}

var errTooLong = errors.New("result too long")

// listNumber matches a line that has only a number so far, also within a list or a quotation.
var listNumber = regexp.MustCompile(`^[ \t>*+-]*[0-9]{1,9}$`)

// endsWithListNumber reports whether listNumber matches the last line of a text.
func endsWithListNumber(text string) bool {
	const longest = 60 // bytes
	tail := text[max(0, len(text)-longest):]
	begin := strings.LastIndexByte(tail, '\n') + 1
	return (begin > 0 || len(text) <= longest) && listNumber.MatchString(tail[begin:])
}

// Write appends a part of the template, or a value.
func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxResult {
		return 0, errTooLong
	}
	if !l.markdown || len(p) == 0 {
		return l.Builder.Write(p)
	}
	l.release(p[0] == '[')
	if (p[0] == '.' || p[0] == ')') && endsWithListNumber(l.String()) {
		l.WriteByte('\\')
	}
	if l.held = p[len(p)-1] == '!'; l.held {
		l.Builder.Write(p[:len(p)-1])
		return len(p), nil
	}
	return l.Builder.Write(p)
}

// release writes the exclamation mark that is held, if there is one.
func (l *limited) release(beforeLink bool) {
	switch {
	case l.held && beforeLink:
		l.WriteString(markdown.Exclamation)
	case l.held:
		l.WriteByte('!')
	}
	l.held = false
}

// beginsFrontMatter reports whether the app takes the beginning of a content for a front matter.
func beginsFrontMatter(content string) bool {
	first, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(content, "\ufeff")), "\n")
	return strings.TrimSpace(first) == "---"
}
