package mailmerge

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// MaxFieldName is the maximum length of a field's name in characters, as for the headers of a workbook.
const MaxFieldName = 60

const (
	onlyFields      = "ci possono essere solo campi, {{if}}, {{else}}, {{end}}, confronti e le funzioni euro, data, data_estesa, numero, maiuscole, minuscole, link."
	wrongComparison = "un confronto è fra valori di tipo diverso, o manca un valore."
)

// read parses a text, and refuses what the package does not allow.
func read(u *uses, p part, text string) (*template.Template, error) {
	fault := func(line, reason string) error {
		if line != "" {
			line = " alla riga " + line
		}
		return &flussi.ValueError{Type: p.field, Err: ErrTemplate, Reason: fmt.Sprintf("%s non è un modello valido%s: %s", p.name, line, reason)}
	}
	if len(text) > maxTemplate {
		return nil, fault("", "è troppo lungo, accorciarlo.")
	}
	t, err := template.New(p.field).Funcs(templateFuncs(p.content)).Parse(text)
	if err != nil { // the message of err quotes the text
		return nil, fault(lineOf(err), "ogni campo va scritto fra doppie parentesi graffe e con il punto, come {{.Nome}}, o come {{campo \"Data di nascita\"}} se il nome ha spazi; "+
			"ogni {{if}} va chiuso da {{end}}; non sono ammesse altre funzioni, né variabili.")
	}
	if t.Tree == nil || len(t.Templates()) > 1 {
		return nil, fault("", "non può contenere altri modelli.")
	}
	u.part = p
	if p.content && beginsFrontMatter(text) && !closesFrontMatter(t.Root) {
		return nil, fault("", "nella definizione dei pulsanti, fra le righe di tre trattini, non ci possono essere campi.")
	}
	u.locate = func(node parse.Node) string {
		place, _ := t.ErrorContext(node)
		return linePattern.FindString(strings.TrimPrefix(place, p.field+":"))
	}
	u.walk(t.Root)
	if u.node != nil {
		u.node = nil // the other text is checked separately
		return nil, fault(u.where, u.reason)
	}
	return t, nil
}

// closesFrontMatter reports whether the first text of a template, before any field, has the line
// that ends a front matter.
func closesFrontMatter(root *parse.ListNode) bool {
	if len(root.Nodes) == 0 {
		return false
	}
	first, ok := root.Nodes[0].(*parse.TextNode)
	if !ok {
		return false
	}
	lines := strings.Split(strings.TrimLeftFunc(string(first.Text), unicode.IsSpace), "\n")
	for i, line := range lines[1:] {
		complete := i+1 < len(lines)-1 || len(root.Nodes) == 1 // nothing can follow in the same line
		if complete && strings.TrimSpace(line) == "---" {
			return true
		}
	}
	return false
}

var (
	errorPattern = regexp.MustCompile(`^template: [^:]*:(\d+)`)
	linePattern  = regexp.MustCompile(`^\d+`)
)

// lineOf returns the line number in an error of text/template, or "" if it has none.
func lineOf(err error) string {
	if found := errorPattern.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	return ""
}

// uses checks the parse trees of both texts, and collects the fields in them. It accepts only
// texts, fields, conditions, comparisons and the functions of this package. So executing a template
// always ends and is cheap.
type uses struct {
	declared bool
	fields   []Field // in the order of their first use, or as they are declared
	compared map[string]bool

	part   part
	locate func(parse.Node) string // the line of a node
	node   parse.Node              // the first that is refused
	where  string                  // its line
	reason string
}

func newUses(declared []Field) *uses {
	return &uses{declared: declared != nil, fields: slices.Clone(declared), compared: map[string]bool{}}
}

func (u *uses) fail(node parse.Node, reason string) {
	if u.node == nil {
		u.node, u.where, u.reason = node, u.locate(node), reason
	}
}

// list returns the fields with their kinds.
func (u *uses) list() []Field {
	for i := range u.fields {
		f := &u.fields[i]
		f.AnyKind = !u.declared && f.Kind == "" && !u.compared[f.Name]
		if f.Kind == "" {
			f.Kind = KindText
		}
	}
	return u.fields
}

// walk checks a list of nodes.
func (u *uses) walk(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			u.pipe(n.Pipe)
		case *parse.IfNode:
			u.condition(n.Pipe)
			u.pipe(n.Pipe)
			u.walk(n.List)
			u.walk(n.ElseList)
		default:
			u.fail(node, onlyFields)
		}
	}
}

// condition makes the fields optional that a condition tests.
func (u *uses) condition(node parse.Node) {
	pipe, ok := node.(*parse.PipeNode)
	if !ok {
		if f := u.fieldOf(node); f != nil && !u.declared {
			f.Optional = true
		}
		return
	}
	for _, command := range pipe.Cmds {
		u.name(command)
		switch name, isCall := command.Args[0].(*parse.IdentifierNode); {
		case isCall && (name.Ident == "and" || name.Ident == "or" || name.Ident == "not"):
			for _, arg := range command.Args[1:] {
				u.condition(arg)
			}
		case len(command.Args) == 1:
			u.condition(command.Args[0])
		}
	}
}

// name replaces {{campo "Nome"}} by the field.
func (u *uses) name(command *parse.CommandNode) {
	name, ok := command.Args[0].(*parse.IdentifierNode)
	if !ok || name.Ident != fieldFunction {
		return
	}
	if len(command.Args) == 2 {
		if text, ok := command.Args[1].(*parse.StringNode); ok {
			command.Args = []parse.Node{&parse.FieldNode{NodeType: parse.NodeField, Pos: name.Pos, Ident: []string{text.Text}}}
			return
		}
	}
	u.fail(command, "il nome di un campo va scritto fra virgolette, come {{campo \"Data di nascita\"}}.")
}

// pipe checks a pipeline, and records the kinds of the fields in it.
func (u *uses) pipe(pipe *parse.PipeNode) {
	if len(pipe.Decl) > 0 {
		u.fail(pipe, onlyFields)
	}
	for i, command := range pipe.Cmds {
		u.name(command)
		args := command.Args
		if i > 0 { // the last value of a command is the result of the one before it
			args = append(slices.Clone(args), &parse.PipeNode{NodeType: parse.NodePipe, Pos: pipe.Pos, Line: pipe.Line, Cmds: pipe.Cmds[:i]})
		}
		u.command(command, args)
		for _, arg := range command.Args {
			u.arg(arg)
		}
	}
}

// command checks the call of a function.
func (u *uses) command(command *parse.CommandNode, args []parse.Node) {
	name, isCall := args[0].(*parse.IdentifierNode)
	if !isCall {
		if len(args) > 1 {
			u.fail(command, onlyFields)
		}
		return
	}
	args = args[1:]
	if f, ok := functions()[name.Ident]; ok {
		if len(args) != 1 {
			u.fail(command, fmt.Sprintf("la funzione %s si applica a un solo campo.", name.Ident))
			return
		}
		if unknown, ok := args[0].(*parse.FieldNode); ok && u.fieldOf(unknown) == nil {
			return // arg reports the fault
		}
		if u.fieldOf(args[0]) == nil {
			u.fail(command, fmt.Sprintf("la funzione %s si applica a un solo campo.", name.Ident))
			return
		}
		u.use(args[0], f.kind)
		return
	}
	bounds, ok := comparisons()[name.Ident]
	if !ok {
		u.fail(command, onlyFields)
		return
	}
	if len(args) < bounds[0] || len(args) > bounds[1] {
		u.fail(command, wrongComparison)
		return
	}
	switch name.Ident {
	case "and", "or", "not":
		return
	}
	u.compare(command, args)
}

// compare checks a comparison: all values are of one kind, and none is an amount or a date.
func (u *uses) compare(command *parse.CommandNode, args []parse.Node) {
	kind := Kind("")
	for _, arg := range args {
		k := u.kindOf(arg)
		if k != "" && kind != "" && k != kind {
			u.fail(command, wrongComparison)
		}
		if k == KindAmount || k == KindDate {
			u.fail(command, "si confrontano solo testi e numeri, non importi e date.")
		}
		if kind == "" {
			kind = k
		}
	}
	for _, arg := range args {
		if kind != "" {
			u.use(arg, kind)
		}
		if f := u.fieldOf(arg); f != nil {
			u.compared[f.Name] = true
		}
	}
}

// kindOf returns the kind of a value, or "" if it is not known yet.
func (u *uses) kindOf(arg parse.Node) Kind {
	switch arg.(type) {
	case *parse.NumberNode:
		return KindNumber
	case *parse.StringNode:
		return KindText
	case *parse.BoolNode:
		return KindFlag
	}
	if f := u.fieldOf(arg); f != nil {
		return f.Kind
	}
	return ""
}

// use records the kind of a value, and refuses a field with two kinds.
func (u *uses) use(arg parse.Node, kind Kind) {
	f := u.fieldOf(arg)
	switch {
	case f == nil: // a constant, or the result of a function
	case kind == KindFlag && !u.declared:
		u.fail(arg, wrongComparison)
	case f.Kind == "" && u.compared[f.Name] && (kind == KindAmount || kind == KindDate):
		u.fail(arg, "si confrontano solo testi e numeri, non importi e date.")
	case f.Kind == "":
		f.Kind = kind
	case f.Kind != kind:
		u.fail(arg, fmt.Sprintf("il campo %s è usato in due modi, come «%s» e come «%s».", italian.Quote(f.Name), f.Kind, kind))
	}
}

// fieldOf returns the field that a node names, or nil.
func (u *uses) fieldOf(arg parse.Node) *Field {
	if pipe, ok := arg.(*parse.PipeNode); ok && len(pipe.Cmds) == 1 && len(pipe.Decl) == 0 {
		u.name(pipe.Cmds[0])
		if len(pipe.Cmds[0].Args) == 1 {
			return u.fieldOf(pipe.Cmds[0].Args[0])
		}
	}
	n, ok := arg.(*parse.FieldNode)
	if !ok || len(n.Ident) != 1 {
		return nil
	}
	if i := slices.IndexFunc(u.fields, func(f Field) bool { return f.Name == n.Ident[0] }); i >= 0 {
		return &u.fields[i]
	}
	if u.declared || !validName(n.Ident[0]) {
		return nil
	}
	u.fields = append(u.fields, Field{Name: n.Ident[0]})
	return &u.fields[len(u.fields)-1]
}

// validName reports whether a field may have this name.
func validName(name string) bool {
	return strings.TrimSpace(name) == name && name != "" && utf8.RuneCountInString(name) <= MaxFieldName &&
		utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// arg checks a value.
func (u *uses) arg(arg parse.Node) {
	switch n := arg.(type) {
	case *parse.FieldNode:
		switch {
		case u.fieldOf(n) != nil:
		case u.declared:
			u.fail(n, "il campo non esiste. I campi sono: "+u.names()+".")
		case len(n.Ident) > 1:
			u.fail(n, "il nome di un campo non può contenere punti: scriverlo come {{campo \"Cod. pratica\"}}.")
		default:
			u.fail(n, fmt.Sprintf("il nome di un campo può avere al massimo %s, senza spazi all'inizio e alla fine.", italian.Character.Count(MaxFieldName)))
		}
	case *parse.IdentifierNode: // command checks it, unless it is the value of a function
		if _, ok := functions()[n.Ident]; ok {
			return
		}
		if _, ok := comparisons()[n.Ident]; !ok {
			u.fail(n, onlyFields)
		}
	case *parse.PipeNode:
		u.pipe(n)
	case *parse.NumberNode:
		if _, err := strconv.ParseInt(n.Text, 10, 64); err != nil {
			u.fail(n, "un numero può avere solo cifre, senza decimali.")
		}
	case *parse.StringNode, *parse.BoolNode:
	default:
		u.fail(arg, onlyFields)
	}
}

func (u *uses) names() string {
	var all []string
	for _, f := range u.fields {
		all = append(all, f.Name)
	}
	return strings.Join(all, ", ")
}
