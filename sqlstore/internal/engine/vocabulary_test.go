package engine_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/golden"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/sqlstore/internal/engine"
	"github.com/flussi-go/flussi/sqlstore/postgres"
	"github.com/flussi-go/flussi/sqlstore/sqlite"
)

// class is a class of errors of the packages postgres and sqlite.
type class struct {
	err    error
	status int
}

const unavailable, failed = http.StatusServiceUnavailable, http.StatusInternalServerError

// classes are the Err… variables of both packages.
var classes = map[string]map[string]class{
	"postgres": {
		"ErrBusy": {postgres.ErrBusy, unavailable}, "ErrFull": {postgres.ErrFull, unavailable}, "ErrLost": {postgres.ErrLost, unavailable},
		"ErrReadOnly": {postgres.ErrReadOnly, unavailable}, "ErrRestored": {postgres.ErrRestored, unavailable},
		"ErrAccess": {postgres.ErrAccess, failed}, "ErrNotOurs": {postgres.ErrNotOurs, failed}, "ErrNewer": {postgres.ErrNewer, failed},
		"ErrNotMigrated": {postgres.ErrNotMigrated, failed}, "ErrInTx": {postgres.ErrInTx, failed}, "ErrTxEnded": {postgres.ErrTxEnded, failed},
		"ErrFailed": {postgres.ErrFailed, failed},
	},
	"sqlite": {
		"ErrBusy": {sqlite.ErrBusy, unavailable}, "ErrFull": {sqlite.ErrFull, unavailable}, "ErrLost": {sqlite.ErrLost, unavailable},
		"ErrReadOnly": {sqlite.ErrReadOnly, unavailable}, "ErrRestored": {sqlite.ErrRestored, unavailable},
		"ErrAccess": {sqlite.ErrAccess, failed}, "ErrNotOurs": {sqlite.ErrNotOurs, failed}, "ErrNewer": {sqlite.ErrNewer, failed},
		"ErrNotMigrated": {sqlite.ErrNotMigrated, failed}, "ErrInTx": {sqlite.ErrInTx, failed}, "ErrTxEnded": {sqlite.ErrTxEnded, failed},
		"ErrFailed": {sqlite.ErrFailed, failed}, "ErrNotDurable": {sqlite.ErrNotDurable, failed},
	},
}

// TestVocabulary checks each class of errors as stores return it, and writes the table of
// docs/errors.md. No class is left out: the source is searched for them.
func TestVocabulary(t *testing.T) {
	rows := map[string]string{}
	for name, known := range classes {
		assert.ElementsMatch(t, declaredErrors(t, filepath.Join("..", "..", name)), slices.Collect(maps.Keys(known)), name)
		for variable, c := range known {
			for _, err := range []error{c.err, returned(name, c.err)} {
				assert.Equal(t, c.status, flussi.HTTPStatus(err), "%s.%s", name, variable)
				assert.Equal(t, c.status == unavailable, errors.Is(err, flussi.ErrStoreUnavailable), "%s.%s", name, variable)
				assert.NotContains(t, flussi.Explain(err), "imprevisto")
				must.NotContain(t, err.Error()+flussi.Explain(err), "segreta")
			}
			row := fmt.Sprintf("%d %s | %s", c.status, http.StatusText(c.status), flussi.Explain(c.err))
			if other, there := rows[variable]; there {
				assert.Equal(t, other, row, "both packages have the same classes")
			}
			rows[variable] = row
		}
	}
	var table strings.Builder
	table.WriteString("| error of sqlstore | status | text for operators (`flussi.Explain`) |\n|---|---|---|\n")
	for _, variable := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&table, "| `%s` | %s |\n", variable, rows[variable])
	}
	golden.Block(t, "../../../docs/errors.md", "", table.String())

	unknown := &engine.Fault{Err: engine.ErrLost, Cause: flussi.ErrCommitUnknown}
	assert.Equal(t, failed, flussi.HTTPStatus(unknown), "a status that does not invite to a repetition")
}

// returned is an error of a class as a store returns it.
func returned(name string, class error) error {
	fault := &engine.Fault{Err: class, Code: "X1", Detail: "as the store says", Cause: errors.New("password segreta")}
	return &flussi.Error{Package: name, Operation: "find flow", Err: fault}
}

// declaredErrors returns the exported variables Err… of a folder.
func declaredErrors(t *testing.T, folder string) (names []string) {
	t.Helper()
	files := must.Get(filepath.Glob(filepath.Join(folder, "*.go")))(t)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, declaration := range must.Get(parser.ParseFile(token.NewFileSet(), file, nil, 0))(t).Decls {
			variables, is := declaration.(*ast.GenDecl)
			if !is || variables.Tok != token.VAR {
				continue
			}
			for _, spec := range variables.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}
