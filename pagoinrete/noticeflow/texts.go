package noticeflow

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// The texts that are used where a [Config] has none. Whatever the event, they are within the
// guide's limits.
const (
	// DefaultSubject is the template of the subject.
	DefaultSubject = `{{if gt .Rate 1}}Rata {{.Rata}}/{{.Rate}}{{else}}Da pagare{{end}}: {{.Evento}}`

	// DefaultContent is the template of the content.
	DefaultContent = `L'istituzione scolastica {{.Scuola}} ha emesso un avviso di pagamento{{if .Personale}} a Suo nome{{end}}.

**{{.Evento}}** (anno scolastico {{.AnnoScolastico}})

{{if and .Iniziali (not .Personale)}}- Alunno/a: {{.Iniziali}}
{{end -}}
- Causale: {{.Causale}}
{{- if gt .Rate 1}}
- Rata: {{.Rata}} di {{.Rate}}
{{- end}}
- Importo: {{.Importo}}
- Scadenza: {{.Scadenza}}

L'avviso si può pagare direttamente da questo messaggio
{{- if .Vincolante}}: dopo la scadenza non sarà più possibile{{end}}. Se il pagamento è già stato fatto, non serve fare altro.
`
)

// maxTemplate is the longest template, in bytes: a content at its longest, in letters of
// several bytes, and fields besides.
const maxTemplate = 50_000

// parseTemplate reads a template and refuses what is not one of this package.
func parseTemplate(field, name, text string) (*template.Template, error) {
	fault := func(line, reason string) error {
		if line != "" {
			line = " alla riga " + line
		}
		return &flussi.ValueError{Type: field, Err: ErrTemplate, Reason: fmt.Sprintf("%s non è un modello valido%s: %s", name, line, reason)}
	}
	if len(text) > maxTemplate {
		return nil, fault("", "è troppo lungo, accorciarlo.")
	}
	t, err := template.New(field).Parse(text)
	if err != nil { // which quotes the template
		return nil, fault(lineOf(err), "ogni campo va scritto fra doppie parentesi graffe, come {{.Importo}}, e ogni {{if}} va chiuso da {{end}}; non sono ammesse funzioni e variabili.")
	}
	if t.Tree == nil || len(t.Templates()) > 1 {
		return nil, fault("", "non può contenere altri modelli.")
	}
	c := &checking{tree: t.Tree}
	c.list(t.Root)
	if c.node != nil {
		place, _ := t.ErrorContext(c.node)
		return nil, fault(linePattern.FindString(strings.TrimPrefix(place, field+":")), c.reason)
	}
	return t, nil
}

var (
	errorPattern = regexp.MustCompile(`^template: [^:]*:(\d+)`)
	linePattern  = regexp.MustCompile(`^\d+`)
)

// lineOf returns the line that an error of parsing names, "" if it names none.
func lineOf(err error) string {
	if found := errorPattern.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	return ""
}

// checking looks for what a template may not have: only fields, texts, conditions and
// comparisons are left, so that it ends, costs little, and says nothing that is not a field.
type checking struct {
	tree   *parse.Tree
	node   parse.Node // the first at fault
	reason string
}

func (c *checking) fail(node parse.Node, reason string) {
	if c.node == nil {
		c.node, c.reason = node, reason
	}
}

const onlyFields = "ci possono essere solo campi, {{if}}, {{else}}, {{end}} e confronti."

func (c *checking) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			c.pipe(n.Pipe)
		case *parse.IfNode:
			c.pipe(n.Pipe)
			c.list(n.List)
			c.list(n.ElseList)
		default:
			c.fail(node, onlyFields)
		}
	}
}

func (c *checking) pipe(pipe *parse.PipeNode) {
	if len(pipe.Decl) > 0 {
		c.fail(pipe, onlyFields)
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			c.arg(arg)
		}
	}
}

func (c *checking) arg(arg parse.Node) {
	switch n := arg.(type) {
	case *parse.FieldNode:
		if _, known := reflect.TypeFor[fields[string]]().FieldByName(n.Ident[0]); !known || len(n.Ident) > 1 {
			c.fail(n, "il campo non esiste. I campi sono: "+strings.Join(fieldNames(), ", ")+".")
		}
	case *parse.IdentifierNode:
		if !slices.Contains([]string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge"}, n.Ident) {
			c.fail(n, onlyFields)
		}
	case *parse.PipeNode:
		c.pipe(n)
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
	default:
		c.fail(arg, onlyFields)
	}
}

// texts returns the subject and the content of a message.
func (m *Messages) texts(v values) (subject, content flussi.Text, err error) {
	var b strings.Builder
	if err := m.subject.Execute(&b, fieldsOf[string](v)); err != nil {
		return subject, content, err
	}
	subject = flussi.NewText(strings.Join(strings.Fields(b.String()), " "))
	b.Reset()
	if err := m.content.Execute(&b, fieldsOf[markdown](v)); err != nil {
		return subject, content, err
	}
	return subject, flussi.NewText(strings.TrimSpace(b.String())), nil
}

// try makes the texts of invented notices, with the shortest and the longest values, and
// refuses templates that fail, or that are out of the limits with all of them.
func (m *Messages) try() error {
	subject, content := span{field: "Subject", name: "L'oggetto"}, span{field: "Content", name: "Il contenuto"}
	for v := range inventedValues {
		s, c, err := m.texts(v)
		if err != nil { // which quotes the template
			field, name := "Subject", "L'oggetto"
			var failed template.ExecError
			if errors.As(err, &failed) && failed.Name == "Content" {
				field, name = "Content", "Il contenuto"
			}
			return &flussi.ValueError{Type: field, Err: ErrTemplate, Reason: name + " non è un modello valido: un confronto è fra valori di tipo diverso, o manca un valore."}
		}
		subject.add(s)
		content.add(c)
	}
	l := m.config.Limits
	return errors.Join(subject.within(l.MinSubject, l.MaxSubject), content.within(l.MinContent, l.MaxContent))
}

// span is how long texts of a template are.
type span struct {
	field, name     string
	some            bool
	least, greatest int
}

func (s *span) add(text flussi.Text) {
	n := text.Length()
	if !s.some || n < s.least {
		s.least = n
	}
	s.greatest, s.some = max(s.greatest, n), true
}

// within refuses texts that cannot be within limits.
func (s *span) within(least, most int) error {
	if s.greatest >= least && s.least <= most {
		return nil
	}
	n := s.greatest
	if s.least > most {
		n = s.least
	}
	return &flussi.ValueError{Type: s.field, Err: flussi.ErrLength,
		Reason: fmt.Sprintf("%s avrebbe %s: devono essere da %s a %s.", s.name, italian.Character.Count(n), italian.Number(least), italian.Number(most))}
}
