package archtest

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Names in square brackets in a comment are links, so they name something that exists. So do
// names such as flow.Permissions in its code.
func TestDocLinksResolve(t *testing.T) {
	all := append(sources(t), exampleSources(t)...)
	symbols := newSymbols(all)
	for _, s := range all {
		for _, group := range s.Comments {
			for _, link := range symbols.links(s, group) {
				assert.True(t, symbols.has(link.ImportPath, link.Recv, link.Name),
					"%s: no %s", s.fset.Position(group.Pos()), linkText(link))
			}
		}
	}
}

// symbols knows which names packages declare.
type symbols struct {
	packages map[string]*declarations // by import path; nil where the files are not at hand
	imports  map[string]map[string]string
}

// declarations are the names of a package: "Name" and "Type.Member". A type also has the
// members of the types that it embeds or is an alias of.
type declarations struct {
	names  map[string]bool
	embeds map[string][]comment.DocLink
}

func newSymbols(all []source) symbols {
	s := symbols{map[string]*declarations{}, map[string]map[string]string{}}
	for _, file := range all {
		if s.imports[file.folder] == nil {
			s.imports[file.folder] = map[string]string{}
		}
		for name, importPath := range importedNames(file.File) {
			s.imports[file.folder][name] = importPath
		}
		s.add(importPath(file.folder), file.File)
	}
	return s
}

func importPath(folder string) string { return path.Join(module, folder) }

// importedNames returns the packages that a file imports, by the names that it uses.
func importedNames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, spec := range file.Imports {
		importPath := strings.Trim(spec.Path.Value, `"`)
		name := path.Base(importPath)
		if regexp.MustCompile(`^v\d+$`).MatchString(name) {
			name = path.Base(path.Dir(importPath))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = importPath
	}
	return names
}

// add records what a file declares.
func (s symbols) add(importPath string, file *ast.File) {
	d := s.packages[importPath]
	if d == nil {
		d = &declarations{map[string]bool{}, map[string][]comment.DocLink{}}
		s.packages[importPath] = d
	}
	imported := importedNames(file)
	for _, decl := range file.Decls {
		for _, name := range declaredNames(decl) {
			d.names[name] = true
		}
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			if typ, ok := spec.(*ast.TypeSpec); ok {
				for _, embedded := range embeddedTypes(typ) {
					d.embeds[typ.Name.Name] = append(d.embeds[typ.Name.Name], typeLink(importPath, imported, embedded))
				}
			}
		}
	}
}

// declaredNames returns the names that a declaration makes, as "Name" and "Type.Member".
func declaredNames(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			return []string{receiver(d) + "." + d.Name.Name}
		}
		return []string{d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
				for _, field := range fieldsOf(spec) {
					for _, name := range field.Names {
						names = append(names, spec.Name.Name+"."+name.Name)
					}
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// fieldsOf returns the fields of a struct, or the methods of an interface.
func fieldsOf(spec *ast.TypeSpec) []*ast.Field {
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		return typ.Fields.List
	case *ast.InterfaceType:
		return typ.Methods.List
	}
	return nil
}

// embeddedTypes returns the types whose members a type has too.
func embeddedTypes(spec *ast.TypeSpec) []ast.Expr {
	var types []ast.Expr
	for _, field := range fieldsOf(spec) {
		if len(field.Names) == 0 {
			types = append(types, field.Type)
		}
	}
	if spec.Assign.IsValid() {
		types = append(types, spec.Type)
	}
	return types
}

// typeLink returns the type that an expression names, without pointer and type arguments.
func typeLink(importPath string, imported map[string]string, expr ast.Expr) comment.DocLink {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return typeLink(importPath, imported, e.X)
	case *ast.IndexExpr:
		return typeLink(importPath, imported, e.X)
	case *ast.IndexListExpr:
		return typeLink(importPath, imported, e.X)
	case *ast.SelectorExpr:
		return comment.DocLink{ImportPath: imported[fmt.Sprint(e.X)], Name: e.Sel.Name}
	case *ast.Ident:
		return comment.DocLink{ImportPath: importPath, Name: e.Name}
	}
	return comment.DocLink{}
}

// has reports whether a package declares a name. Of packages whose files are not at hand,
// those of other modules, it believes every name.
func (s symbols) has(importPath, recv, name string) bool {
	d, known := s.packages[importPath]
	if !known {
		s.packages[importPath] = nil
		s.addStandard(importPath)
		d = s.packages[importPath]
	}
	switch {
	case d == nil:
		return !strings.HasPrefix(importPath, "?")
	case name == "":
		return true
	case recv == "":
		return d.names[name]
	case d.names[recv+"."+name]:
		return true
	}
	return slices.ContainsFunc(d.embeds[recv], func(e comment.DocLink) bool { return s.has(e.ImportPath, e.Name, name) })
}

// addStandard records what a package of the standard library declares.
func (s symbols) addStandard(importPath string) {
	files, _ := filepath.Glob(filepath.Join(build.Default.GOROOT, "src", importPath, "*.go"))
	for _, file := range files {
		if parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution); err == nil {
			s.add(importPath, parsed)
		}
	}
}

// qualified is a name of another package in the code of a comment.
var qualified = regexp.MustCompile(`\b([a-z]+)\.([A-Z]\w*)`)

// mayDeclare reports whether a package of the tree with this name declares an identifier, or
// there is no such package: then the name before the point may be a variable.
func (s symbols) mayDeclare(name, identifier string) bool {
	known := false
	for importPath, d := range s.packages {
		if d != nil && path.Base(importPath) == name && strings.HasPrefix(importPath, module) {
			if d.names[identifier] {
				return true
			}
			known = true
		}
	}
	return !known
}

// links returns the documentation links of a comment, and the names in its code that do not
// exist. The import path of what is in no known package begins with a question mark.
func (s symbols) links(file source, group *ast.CommentGroup) []*comment.DocLink {
	p := comment.Parser{
		LookupSym: func(recv, name string) bool { return true },
		LookupPackage: func(name string) (string, bool) {
			if importPath, ok := s.imports[file.folder][name]; ok {
				return importPath, true
			}
			if importPath, ok := comment.DefaultLookupPackage(name); ok {
				return importPath, true
			}
			return "?" + name, true
		},
	}
	var links []*comment.DocLink
	collect := func(texts []comment.Text) {
		for _, text := range texts {
			if link, ok := text.(*comment.DocLink); ok && (link.Name != "" || !strings.HasPrefix(link.ImportPath, "?")) {
				if link.ImportPath == "" {
					link.ImportPath = importPath(file.folder)
				}
				links = append(links, link)
			}
		}
	}
	var visit func(blocks []comment.Block)
	visit = func(blocks []comment.Block) {
		for _, block := range blocks {
			switch b := block.(type) {
			case *comment.Heading:
				collect(b.Text)
			case *comment.Paragraph:
				collect(b.Text)
			case *comment.Code:
				for _, match := range qualified.FindAllStringSubmatch(b.Text, -1) {
					if !s.mayDeclare(match[1], match[2]) {
						links = append(links, &comment.DocLink{ImportPath: "?" + match[1], Name: match[2]})
					}
				}
			case *comment.List:
				for _, item := range b.Items {
					visit(item.Content)
				}
			}
		}
	}
	visit(p.Parse(group.Text()).Content)
	return links
}

func linkText(link *comment.DocLink) string {
	text := strings.TrimPrefix(path.Base(link.ImportPath), "?")
	for _, name := range []string{link.Recv, link.Name} {
		if name != "" {
			text += "." + name
		}
	}
	return "[" + text + "]"
}

// A doc comment begins with the name that it documents, or with an article and the name.
func TestDocCommentsBeginWithTheName(t *testing.T) {
	for _, s := range append(sources(t), exampleSources(t)...) {
		for _, decl := range s.Decls {
			for name, doc := range ownComments(decl, s.test) {
				named := regexp.MustCompile(`^((A|An|The) )?` + name + `s?\b`).MatchString(doc)
				assert.True(t, named, "%s: the comment of %s", s.fset.Position(decl.Pos()), name)
			}
		}
	}
}

// ownComments returns the comments of functions, methods and types, and of constants and
// variables. In tests, those of test functions and of variables are left out: they are
// sentences about the rule.
func ownComments(decl ast.Decl, test bool) map[string]string {
	comments := map[string]string{}
	add := func(name string, groups ...*ast.CommentGroup) {
		if text := either(groups...).Text(); strings.TrimSpace(text) != "" && name != "_" {
			comments[name] = text
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if !test || !regexp.MustCompile(`^(Test|Benchmark|Fuzz|Example)`).MatchString(d.Name.Name) {
			add(d.Name.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if !d.Lparen.IsValid() {
					add(spec.Name.Name, spec.Doc, d.Doc)
				}
			case *ast.ValueSpec:
				if !test && len(spec.Names) == 1 {
					add(spec.Names[0].Name, spec.Doc)
					if !d.Lparen.IsValid() {
						add(spec.Names[0].Name, d.Doc)
					}
				}
			}
		}
	}
	return comments
}

// exampleSources parses the files of the module of examples.
func exampleSources(t *testing.T) []source { return parseTree(t, "examples") }

// The file map of DESIGN.md names only files and identifiers that exist, and every file of
// the library. A file without a folder is in the folder named before it in its row; an
// identifier is declared in the file named before it.
func TestFileMap(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "DESIGN.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "\n## File map\n")
	require.True(t, found)
	fileMap, _, _ := strings.Cut(rest, "\n## ")

	declared := map[string][]string{}
	for _, s := range append(sources(t), exampleSources(t)...) {
		file := s.file()
		for _, decl := range s.Decls {
			declared[file] = append(declared[file], declaredNames(decl)...)
		}
	}
	named := map[string]bool{}
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(fileMap) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		folder, file := "", ""
		for _, match := range quoted.FindAllStringSubmatch(cells[len(cells)-1], -1) {
			name := match[1]
			switch {
			case strings.HasSuffix(name, "/"):
				folder, file = name, name
				named[name] = true
			case path.Ext(name) == ".go" || path.Ext(name) == ".yaml":
				file = name
				if !strings.Contains(name, "/") {
					file = folder + name
				}
				named[file] = true
			default:
				assert.True(t, slices.Contains(declared[file], name), "%s is not declared in %s:%s", name, file, cells[0])
			}
		}
	}
	for file := range named {
		_, err := fs.Stat(os.DirFS(root), strings.TrimSuffix(file, "/"))
		assert.NoError(t, err, "the file map names %s", file)
	}
	for _, s := range sources(t) {
		file := s.file()
		assert.True(t, s.test || path.Base(file) == "doc.go" || named[file], "the file map does not name %s", file)
	}
	for _, s := range exampleSources(t) {
		assert.True(t, named[s.folder+"/"], "the file map does not name %s/", s.folder)
	}
}
