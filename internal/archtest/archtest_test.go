// Package archtest holds the house's rules that no compiler holds: which package may
// import which, and that everything a user can see is documented.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flussi-go/flussi/internal/must"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module = "github.com/flussi-go/flussi"
	root   = "../.."
)

// arrows lists what the production code of each package may import, besides the
// standard library: packages of this module by their folder, others by their path. A
// new package is entered here, and in the file map of DESIGN.md.
var arrows = map[string][]string{
	".":                 {"internal/italian", "internal/private", "internal/sentinel", "internal/terminal", "github.com/google/uuid"},
	"internal/italian":  {"internal/terminal"},
	"internal/core":     {".", "fsm", "internal/italian", "internal/pace", "github.com/google/uuid"},
	"internal/markdown": {},
	"internal/memtable": {".", "github.com/google/uuid"},
	"internal/pace":     {},
	"internal/private":  {},
	"internal/sentinel": {},
	"internal/terminal": {},
	"internal/restcall": {".", "internal/pace", "github.com/hashicorp/go-retryablehttp"},
	"internal/xlsx":     {},
	"fsm":               {".", "internal/italian", "internal/sentinel", "github.com/looplab/fsm"},
	"excel": {".", "internal/italian", "internal/xlsx", "github.com/xuri/excelize/v2",
		"golang.org/x/text/encoding/charmap", "golang.org/x/text/encoding/unicode", "golang.org/x/text/transform"},
	"appio":                          {".", "internal/italian", "internal/markdown", "internal/pace", "internal/restcall"},
	"mailmerge":                      {".", "internal/italian", "internal/markdown", "internal/sentinel"},
	"flow":                           {".", "internal/core", "internal/pace", "internal/sentinel", "appio", "fsm", "internal/italian", "github.com/google/uuid", "golang.org/x/text/cases", "golang.org/x/text/unicode/norm"},
	"flow/memstore":                  {".", "flow", "internal/memtable", "github.com/google/uuid"},
	"flow/flowexcel":                 {".", "appio", "excel", "flow", "fsm", "internal/italian", "mailmerge", "github.com/google/uuid"},
	"pagoinrete":                     {".", "internal/core", "internal/sentinel", "fsm", "internal/italian", "pagoinrete/paymentfile", "pagoinrete/settlement", "github.com/google/uuid"},
	"pagoinrete/paymentfile":         {".", "internal/italian", "golang.org/x/text/encoding", "golang.org/x/text/encoding/charmap", "golang.org/x/text/encoding/unicode", "golang.org/x/text/transform"},
	"pagoinrete/settlement":          {".", "internal/core", "internal/italian", "internal/sentinel", "pagoinrete/paymentfile", "github.com/google/uuid"},
	"pagoinrete/settlement/memstore": {".", "internal/memtable", "pagoinrete/paymentfile", "pagoinrete/settlement", "github.com/google/uuid"},
	"pagoinrete/restgateway":         {".", "internal/pace", "internal/restcall", "pagoinrete", "github.com/google/uuid"},
	"pagoinrete/memstore":            {".", "internal/memtable", "pagoinrete", "github.com/google/uuid"},
	"pagoinrete/noticeexcel":         {".", "excel", "pagoinrete", "internal/italian", "github.com/google/uuid"},
	"pagoinrete/settlementexcel":     {".", "excel", "internal/italian", "pagoinrete/paymentfile", "pagoinrete/settlement"},
	"pagoinrete/noticeflow":          {".", "internal/sentinel", "flow", "internal/italian", "mailmerge", "pagoinrete", "github.com/google/uuid"},

	// The module sqlstore. The engine knows no driver, and no package links the other's.
	"sqlstore/internal/engine":   {".", "appio", "flow", "internal/pace", "internal/sentinel", "pagoinrete", "pagoinrete/paymentfile", "pagoinrete/settlement", "github.com/google/uuid"},
	"sqlstore/internal/versions": {"github.com/pressly/goose/v3/database"},
	"sqlstore/postgres": {".", "appio", "flow", "internal/italian", "internal/pace", "internal/terminal", "pagoinrete", "pagoinrete/settlement", "sqlstore/internal/engine", "sqlstore/internal/versions", "github.com/google/uuid",
		"github.com/jackc/pgx/v5", "github.com/jackc/pgx/v5/pgconn", "github.com/jackc/pgx/v5/pgtype", "github.com/jackc/pgx/v5/pgxpool", "github.com/jackc/puddle/v2", "github.com/jackc/pgx/v5/stdlib",
		"github.com/pressly/goose/v3", "github.com/pressly/goose/v3/lock"},
	"sqlstore/sqlite": {".", "appio", "flow", "internal/sentinel", "pagoinrete", "pagoinrete/settlement", "sqlstore/internal/engine", "sqlstore/internal/versions", "github.com/google/uuid",
		"modernc.org/sqlite", "modernc.org/sqlite/lib", "github.com/pressly/goose/v3"},
}

// forTests lists the packages that only tests and each other may import, and what they may
// import.
var forTests = map[string][]string{
	"appio/appiotest":                        {".", "internal/faults"},
	"appio/pacetest":                         {"appio"},
	"flow/flowtest":                          {".", "appio", "flow", "internal/core", "internal/storetest", "github.com/google/uuid"},
	"internal/archtest":                      {},
	"internal/authtest":                      {".", "fsm", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"},
	"internal/brokenstore":                   {".", "internal/storetest", "github.com/google/uuid", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"},
	"internal/benchtest":                     {".", "appio", "flow", "github.com/google/uuid"},
	"internal/faults":                        {".", "internal/pace", "github.com/google/uuid"},
	"internal/duestest":                      {".", "internal/must", "internal/sampletest", "pagoinrete", "pagoinrete/paymentfile", "pagoinrete/settlement", "github.com/google/uuid", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"},
	"internal/exceltest":                     {".", "excel", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require", "github.com/xuri/excelize/v2"},
	"internal/golden":                        {},
	"internal/leaktest":                      {"."},
	"internal/must":                          {},
	"internal/openapitest":                   {"go.yaml.in/yaml/v3"},
	"internal/pipenet":                       {},
	"internal/pgtest":                        {},
	"internal/sampletest":                    {".", "pagoinrete"},
	"internal/storetest":                     {".", "github.com/google/uuid"},
	"internal/xlsxtest":                      {"github.com/stretchr/testify/require"},
	"internal/machinetest":                   {".", "fsm", "internal/golden", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require"},
	"pagoinrete/pagoinretetest":              {".", "internal/storetest", "pagoinrete", "github.com/google/uuid"},
	"pagoinrete/settlement/settlementtest":   {".", "internal/storetest", "pagoinrete/paymentfile", "pagoinrete/settlement", "github.com/google/uuid"},
	"pagoinrete/restgateway/restgatewaytest": {".", "internal/faults", "github.com/google/uuid"},
}

// source is a parsed file.
type source struct {
	*ast.File
	fset   *token.FileSet
	folder string
	test   bool
}

// sources parses all files of the library: the root module and sqlstore.
func sources(t *testing.T) []source { return parseTree(t, ".", "examples") }

// parseTree parses the Go files under a folder, but for those under the folders with the
// names in skipped.
func parseTree(t *testing.T, under string, skipped ...string) []source {
	var all []source
	skipped = append(skipped, "testdata")
	fset := token.NewFileSet()
	require.NoError(t, fs.WalkDir(os.DirFS(root), under, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(skipped, d.Name())):
			return filepath.SkipDir
		case d.IsDir() || path.Ext(file) != ".go":
			return nil
		}
		parsed, err := parser.ParseFile(fset, filepath.Join(root, file), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{parsed, fset, path.Dir(file), strings.HasSuffix(file, "_test.go")})
		return nil
	}))
	require.NotEmpty(t, all)
	return all
}

// file returns the path of the file from the root of the tree.
func (s source) file() string {
	return path.Join(s.folder, filepath.Base(s.fset.Position(s.Package).Filename))
}

// imports returns what a file imports besides the standard library, named as in the
// tables above.
func (s source) imports() []string {
	var names []string
	for _, spec := range s.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		switch {
		case name == module:
			name = "."
		case strings.HasPrefix(name, module+"/"):
			name = strings.TrimPrefix(name, module+"/")
		case name != "testing" && !strings.Contains(strings.Split(name, "/")[0], "."):
			continue
		}
		names = append(names, name)
	}
	return names
}

func TestArrowsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		allowed, isProduction := arrows[s.folder]
		if !isProduction {
			var known bool
			allowed, known = forTests[s.folder]
			allowed = append(slices.Clone(allowed), "testing")
			if !assert.True(t, known, "%s is in no table of this test", s.folder) {
				continue
			}
		}
		seen[s.folder] = true
		if s.test {
			continue
		}
		for _, name := range s.imports() {
			assert.Contains(t, allowed, name, "what %s may import", s.folder)
			if isProduction {
				assert.NotContains(t, slices.Collect(maps.Keys(forTests)), name, "%s is for tests", name)
			}
		}
	}
	for folder := range maps.Keys(arrows) {
		assert.True(t, seen[folder], "%s is in the table, and not in the tree", folder)
	}
	for folder := range maps.Keys(forTests) {
		assert.True(t, seen[folder], "%s is in the table, and not in the tree", folder)
	}
}

func TestArrowsHaveNoCycle(t *testing.T) {
	var visit func(folder string, path []string)
	visit = func(folder string, path []string) {
		require.NotContains(t, path, folder, "a cycle of imports")
		for _, next := range arrows[folder] {
			visit(next, append(path, folder))
		}
	}
	for folder := range arrows {
		visit(folder, nil)
	}
}

func TestTheModuleRequiresOnlyWhatItsPackagesMayImport(t *testing.T) {
	var allowed []string
	for _, table := range []map[string][]string{arrows, forTests} {
		for _, names := range table {
			allowed = append(allowed, names...)
		}
	}
	text := must.Get(os.ReadFile(filepath.Join(root, "go.mod")))(t)
	direct := 0
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") {
			continue
		}
		direct++
		assert.True(t, slices.ContainsFunc(allowed, func(name string) bool {
			return name == fields[0] || strings.HasPrefix(name, fields[0]+"/")
		}), "go.mod requires %s, and no package may import it", fields[0])
	}
	assert.NotZero(t, direct)
}

// The language floor is a promise to users; a dependency that is newer moves it in
// silence.
func TestTheLanguageFloorStays(t *testing.T) {
	for _, file := range []string{"go.mod", "go.work", "examples/go.mod", "sqlstore/go.mod"} {
		assert.Contains(t, "\n"+string(must.Get(os.ReadFile(filepath.Join(root, file)))(t)), "\ngo 1.25.0\n", file)
	}
}

// Nothing happens when a package is imported, and nothing of it can be changed from
// elsewhere: variables hold sentinel errors, tables, and what is made once on use.
func TestNoWorkOnImport(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, decl := range s.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				assert.False(t, d.Recv == nil && d.Name.Name == "init", "%s has an init function", s.folder)
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						assert.True(t, !name.IsExported() || strings.HasPrefix(name.Name, "Err"),
							"%s exports the variable %s", s.folder, name.Name)
					}
				}
			}
		}
	}
}

func TestEverythingVisibleIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		documented[s.folder] = documented[s.folder] || s.Doc != nil
		for _, decl := range s.Decls {
			for name, doc := range declared(decl) {
				assert.NotEmpty(t, strings.TrimSpace(doc.Text()), "%s: %s has no doc comment", s.fset.Position(decl.Pos()), name)
			}
		}
	}
	for folder := range arrows {
		assert.True(t, documented[folder], "%s has no package comment", folder)
	}
}

// declared returns the exported names that a declaration makes, with their comments.
func declared(decl ast.Decl) map[string]*ast.CommentGroup {
	names := map[string]*ast.CommentGroup{}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && ast.IsExported(receiver(d)) {
			names[d.Name.Name] = d.Doc
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					names[spec.Name.Name] = either(spec.Doc, d.Doc)
					maps.Copy(names, members(spec))
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() {
						names[name.Name] = either(spec.Doc, spec.Comment, d.Doc)
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of the type that a method belongs to, or for a function
// its own.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return true
	})
	return name
}

// members returns the exported fields and methods of a type, with their comments.
func members(spec *ast.TypeSpec) map[string]*ast.CommentGroup {
	names := map[string]*ast.CommentGroup{}
	var list *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return names
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if name.IsExported() {
				names[spec.Name.Name+"."+name.Name] = either(field.Doc, field.Comment)
			}
		}
	}
	return names
}

func either(groups ...*ast.CommentGroup) *ast.CommentGroup {
	for _, group := range groups {
		if group != nil {
			return group
		}
	}
	return nil
}

// What the README shows as Go is part of a program or an example that runs.
func TestTheReadmesProgramsRun(t *testing.T) {
	var programs strings.Builder
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(file, "example_test.go") || strings.Contains(filepath.ToSlash(file), "/examples/") && path.Ext(file) == ".go") {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			programs.WriteString(unindented(string(text)))
		}
		return err
	}))
	readme := must.Get(os.ReadFile(filepath.Join(root, "README.md")))(t)
	blocks := strings.Split(string(readme), "```go\n")[1:]
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		assert.True(t, strings.Contains(programs.String(), unindented(code)), "no program or example holds:\n%s", code)
	}
}

// unindented returns the text without the white space in front of its lines.
func unindented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}
