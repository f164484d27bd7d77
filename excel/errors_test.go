package excel_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/must"
)

var twoWrong = "CF;Oggetto;Contenuto\n" + code + ";corto;x\n" + code + ";Oggetto di prova;" + content + "\nabc;Oggetto di prova;" + content + "\n"

func TestCollectReturnsRefusedRowsBesideTheOthers(t *testing.T) {
	collect := func(file string) ([]excel.Line[notice], error) {
		return excel.Collect(template().DecodeAny(t.Context(), strings.NewReader(file), int64(len(file)), nil))
	}
	lines, err := collect(twoWrong)
	require.Len(t, lines, 1)
	assert.Equal(t, 3, lines[0].Number)
	require.ErrorIs(t, err, flussi.ErrRows)
	require.ErrorIs(t, err, flussi.ErrLength, "of one of them")
	assert.Equal(t, http.StatusUnprocessableEntity, flussi.HTTPStatus(err))
	assert.Equal(t, "Righe con errori: 2.", flussi.Explain(err))
	assert.True(t, strings.HasPrefix(err.Error(), "excel: rows not valid: 2, such as row 2: excel: B2 (Oggetto): "), err.Error())
	refused := must.As[*excel.RowsError](t, err)
	assert.Equal(t, 2, refused.Invalid)
	assert.Equal(t, []int{2, 4}, []int{refused.Rows[0].Row, refused.Rows[1].Row})

	book := encode(t, template(), generate(100))
	lines, err = collect(string(book[:len(book)-100]))
	require.ErrorIs(t, err, excel.ErrTruncated)
	assert.Empty(t, lines, "nothing counts of a file that is cut off")
	assert.NotErrorIs(t, err, flussi.ErrRows)

	lines = must.Get(collect("CF;Oggetto;Contenuto\n" + csvGood + "\n"))(t)
	assert.Len(t, lines, 1)
}

// A row is named once, by whatever tells it.
func TestARowIsNamedOnce(t *testing.T) {
	d := decodeCSV(template(), twoWrong)
	require.Len(t, d.wrong, 2)
	inner := d.wrong[0]
	const want = "Riga 2, colonna B (Oggetto): Il testo ha 5 caratteri: devono essere da 10 a 120. Colonna C (Contenuto): Il testo ha 1 carattere: devono essere da 120 a 10.000."
	for name, err := range map[string]error{
		"of the sequence": inner, "of a service": &flussi.RowError{Row: 2, Err: inner}, "located": d.report.Locate(&flussi.RowError{Row: 2, Err: inner}),
		"as an error": &flussi.Error{Package: "flow", Operation: "add notifications", Err: inner},
	} {
		assert.Equal(t, want, flussi.Explain(err), name)
	}
	assert.Equal(t, strings.TrimPrefix(want, "Riga 2, c"), strings.TrimPrefix(flussi.Explain(inner.Err), "C"))
	for _, one := range d.errors() {
		assert.True(t, strings.HasPrefix(one.Italian(), "Riga "), one.Italian())
	}
	assert.Equal(t, "Riga 7: Non va.", (&flussi.RowError{Row: 7, Err: excel.CellErrors{{Row: 7, Err: errText("Non va.")}}}).Italian())
	assert.Equal(t, "Riga 7 (Somma): Non va. Oggetto: No.", (&flussi.RowError{Row: 7, Err: excel.CellErrors{
		{Row: 7, Header: "Somma", Err: errText("Non va.")}, {Row: 7, Header: "Oggetto", Err: errText("No.")}}}).Italian(), "columns that are not there")
}

// errText is an error with a text for operators.
type errText string

func (e errText) Error() string   { return "text" }
func (e errText) Italian() string { return string(e) }

func TestErrorsAreOfTheVocabulary(t *testing.T) {
	for _, file := range []string{"%PDF-1.7", "a;b\n1;2\n", twoWrong} {
		_, err := excel.Collect(template().DecodeAny(t.Context(), strings.NewReader(file), int64(len(file)), nil))
		require.ErrorIs(t, err, flussi.ErrInvalid)
		assert.Equal(t, http.StatusUnprocessableEntity, flussi.HTTPStatus(err))
	}
	require.ErrorIs(t, excel.NewCellError("Oggetto", errors.New("taken")), flussi.ErrInvalid)
	_, err := excel.New(excel.Config[notice]{}, columns()...)
	require.ErrorIs(t, err, flussi.ErrConfig)
	assert.NotErrorIs(t, err, flussi.ErrInvalid)
}

// What is wrong with a cell says so if the file does not have its column.
func TestErrorOfAnAbsentColumnSaysThatItIsAbsent(t *testing.T) {
	type row struct{ name, note string }
	tpl := excel.MustNew(excel.Config[row]{Name: "Prova", Check: func(*row) error { return excel.NewCheckError("Nota", "È vuota.") }},
		excel.NewColumn("Nome", excel.Text(1, 9), func(r *row) *string { return &r.name }, excel.ColumnConfig{}),
		excel.NewColumn("Nota", excel.Text(1, 9), func(r *row) *string { return &r.note }, excel.ColumnConfig{}))
	for file, want := range map[string]string{
		"Nome\nx\n":       "Riga 2 (Nota): Nel file manca questa colonna. È vuota.",
		"Nome;Nota\nx;\n": "Riga 2, colonna B (Nota): È vuota.",
	} {
		var report excel.Report
		_, err := excel.Collect(tpl.DecodeCSV(t.Context(), strings.NewReader(file), int64(len(file)), &report))
		refused := must.As[*excel.RowsError](t, err)
		require.ErrorIs(t, err, excel.ErrCheck)
		assert.Equal(t, want, refused.Rows[0].Italian())
		assert.Equal(t, want, report.Locate(report.Locate(refused.Rows[0])).Italian(), "once")
		assert.Contains(t, report.Italian(refused, 0), "- "+want+"\n")
		report.AddWarning(2, excel.NewCheckError("Nota", "È strana."))
		assert.Contains(t, report.Notes[0].Italian(), strings.Replace(want, "È vuota.", "È strana.", 1))
		assert.NotContains(t, report.Locate(&flussi.RowError{Row: 2, Err: excel.NewCheckError("Altro", "No.")}).Italian(), "manca", "no column of the template")
	}
}

// The fields of an InvalidError are told at the columns that say so, of a check and of a service.
func TestFieldsAreToldAtTheirColumns(t *testing.T) {
	type row struct{ name, note string }
	named := func(field string) []excel.Column[row] {
		return []excel.Column[row]{
			excel.NewColumn("Nome", excel.Text(1, 9), func(r *row) *string { return &r.name }, excel.ColumnConfig{Field: "Name"}),
			excel.NewColumn("Nota", excel.Text(1, 9), func(r *row) *string { return &r.note }, excel.ColumnConfig{Field: field}),
		}
	}
	invalid := &flussi.InvalidError{}
	invalid.Add("Note", flussi.ErrLength, "È corta.")
	invalid.Add("Other", flussi.ErrEmpty, "Manca.")
	tpl := excel.MustNew(excel.Config[row]{Name: "Prova", Check: func(r *row) error {
		if r.name == "x" {
			return errors.Join(invalid, excel.NewCheckError("Nome", "No."))
		}
		return nil
	}}, named("Note")...)
	const file = "Nota;Nome\na;x\nb;y\n"
	var report excel.Report
	_, err := excel.Collect(tpl.DecodeCSV(t.Context(), strings.NewReader(file), int64(len(file)), &report))
	refused := must.As[*excel.RowsError](t, err)
	assert.Equal(t, "Riga 2, colonna A (Nota): È corta. Manca. Colonna B (Nome): No.", refused.Rows[0].Italian())
	later := report.Locate(&flussi.RowError{Row: 3, Err: &flussi.Error{Package: "flow", Operation: "add", Err: invalid}})
	assert.Equal(t, "Riga 3, colonna A (Nota): È corta. Manca.", later.Italian())
	require.ErrorIs(t, later, flussi.ErrLength)

	_, err = excel.New(excel.Config[row]{Name: "Prova"}, named("Name")...)
	require.ErrorIs(t, err, flussi.ErrConfig)
	assert.Contains(t, err.Error(), `column 2 "Nota" has the field "Name" of another one`)
}

func TestMapKeepsErrorsAndEnds(t *testing.T) {
	down := errors.New("down")
	values := func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(2, down) && yield(3, nil)
	}
	var got []string
	for text, err := range excel.Map(values, func(n int) string { return strings.Repeat("x", n) }) {
		if got = append(got, text); err != nil {
			assert.Equal(t, down, err)
			break
		}
	}
	assert.Equal(t, []string{"x", "xx"}, got)
}

func TestAKindIsPresentedByAnotherRule(t *testing.T) {
	kind := excel.WithRule(excel.Text(1, 3), excel.Rule{Text: "una sigla", Width: 9})
	assert.Equal(t, "una sigla", kind.Rule().Text)
	_, err := kind.Read(excel.Cell{Type: excel.TextCell, Text: "abcd"})
	require.ErrorIs(t, err, flussi.ErrLength)
	assert.Equal(t, "abc", kind.Write("abc").Text)
	for _, broken := range []excel.Kind[string]{excel.WithRule(excel.Text(3, 1), excel.Rule{}), excel.WithRule[string](nil, excel.Rule{})} {
		_, err := valueTemplate("A", broken, excel.ColumnConfig{})
		require.ErrorIs(t, err, flussi.ErrConfig)
	}
}

// Rows may come in any order: they are told in that of the file.
func TestRefusedRowsAreToldInOrder(t *testing.T) {
	d := decodeCSV(template(), twoWrong)
	slices.Reverse(d.wrong)
	text := d.italian()
	assert.Less(t, strings.Index(text, "- Riga 2"), strings.Index(text, "- Riga 4"))
	assert.Equal(t, 4, d.wrong[0].Row, "the caller's list stays as it is")
}
