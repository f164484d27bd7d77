package exceltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
)

// Workbook is the part of a template that the tests of its imports need.
type Workbook[Row any] struct {
	Blank  func(context.Context, io.Writer) error                                         // writes the empty workbook
	Rows   func(context.Context, io.ReaderAt, int64, *excel.Report) iter.Seq2[Row, error] // reads a file
	Number func(Row) int                                                                  // returns the number of a row
	// Annotate writes a copy of a file with the errors of its rows marked.
	Annotate func(context.Context, io.Writer, io.ReaderAt, int64, *excel.Report, []*flussi.RowError) error
}

// template is a template for rows, whose import is reported as Added.
type template[Row, Added any] interface {
	Blank(context.Context, io.Writer) error
	Rows(context.Context, io.ReaderAt, int64, *excel.Report) iter.Seq2[Row, error]
	Annotate(context.Context, io.Writer, io.ReaderAt, int64, *excel.Report, Added) error
}

// Of returns the workbook of a template. Number returns the number of a row, and added what an
// import reports.
func Of[Row, Added any](tpl template[Row, Added], number func(Row) int, added func(flussi.ImportReport) Added) Workbook[Row] {
	return Workbook[Row]{Blank: tpl.Blank, Rows: tpl.Rows, Number: number,
		Annotate: func(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, rows []*flussi.RowError) error {
			return tpl.Annotate(ctx, w, r, size, report, added(flussi.ImportReport{Invalid: len(rows), Errors: rows}))
		}}
}

// EachError calls a function with each error that an import reported, with those of its cells, and
// with those of a reading of the file.
func (w Workbook[Row]) EachError(tb testing.TB, file []byte, rows []*flussi.RowError, check func(error)) {
	tb.Helper()
	for _, e := range rows {
		check(e)
	}
	for _, e := range CellErrors(rows) {
		check(e)
	}
	_, errs, _ := w.Read(tb, file)
	check(errors.Join(errs...))
}

// Fill is the empty workbook with cells that were filled in with other software.
func (w Workbook[Row]) Fill(tb testing.TB, cells map[string]any) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, w.Blank(tb.Context(), &b))
	return Edit(tb, b.Bytes(), cells)
}

// Reading is the report of a file, and the rows that the reading refused.
type Reading struct {
	excel.Report
	Refused excel.RowsError // in the order of the file
}

// Italian returns the text for the operator.
func (r *Reading) Italian() string { return r.Report.Italian(&r.Refused, 0) }

// Errors are the errors of the cells of all rows.
func (r *Reading) Errors() excel.CellErrors { return CellErrors(r.Refused.Rows) }

// CellErrors are the errors of the cells of all rows.
func CellErrors(rows []*flussi.RowError) (all excel.CellErrors) {
	for _, row := range rows {
		var cells excel.CellErrors
		if errors.As(row.Err, &cells) {
			all = append(all, cells...)
		}
	}
	return all
}

// Read reads a file to its end, and returns its valid rows and all errors.
func (w Workbook[Row]) Read(tb testing.TB, file []byte) (rows []Row, errs []error, _ *Reading) {
	tb.Helper()
	var reading Reading
	for row, err := range w.Rows(tb.Context(), bytes.NewReader(file), int64(len(file)), &reading.Report) {
		var refused *flussi.RowError
		if errors.As(err, &refused) {
			reading.Refused.Rows = append(reading.Refused.Rows, refused)
		}
		if err != nil {
			errs = append(errs, err)
		} else {
			rows = append(rows, row)
		}
	}
	return rows, errs, &reading
}

// Mark returns the copy of a file with what its reading found marked in it.
func (w Workbook[Row]) Mark(tb testing.TB, file []byte, reading *Reading) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, w.Annotate(tb.Context(), &b, bytes.NewReader(file), int64(len(file)), &reading.Report, reading.Refused.Rows))
	return b.Bytes()
}

// WrongCell is a row in which one cell breaks a rule. It is an alias so that tables may leave out
// the names of its fields.
type WrongCell = struct {
	Cells map[string]any // of row 2, instead of those of a valid row
	At    string         // the letters of the column at fault
	Err   error          // nil for any
	Says  string         // a part of the text for the operator
}

// CheckWrongCells checks that each broken rule is reported and marked at its cell.
func (w Workbook[Row]) CheckWrongCells(t *testing.T, valid map[string]any, cases map[string]WrongCell) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cells := maps.Clone(valid)
			maps.Copy(cells, c.Cells)
			file := w.Fill(t, cells)
			rows, errs, reading := w.Read(t, file)
			require.Empty(t, rows)
			require.Len(t, errs, 1)
			require.Len(t, reading.Refused.Rows, 1)
			assert.Equal(t, 2, reading.Refused.Rows[0].Row)
			require.Len(t, reading.Errors(), 1, reading.Italian())
			wrong := reading.Errors()[0]
			assert.Equal(t, Ref(c.At, 2), Ref(wrong.Column, wrong.Row))
			if c.Err != nil {
				require.ErrorIs(t, wrong, c.Err)
			}
			assert.Contains(t, reading.Italian(), c.Says)

			assert.Contains(t, Comment(t, w.Mark(t, file, reading), Ref(c.At, 2)), "Da correggere")
		})
	}
}

// CheckSequence checks what holds for the rows of any file: their numbers grow, an error has one
// unless it ends the sequence, which a [*excel.FileError] alone does, and the report counts as the
// sequence does.
func (w Workbook[Row]) CheckSequence(tb testing.TB, file []byte, valid func(Row) error) {
	tb.Helper()
	var report excel.Report
	var over error
	good, wrong, last := 0, 0, 0
	for row, err := range w.Rows(tb.Context(), bytes.NewReader(file), int64(len(file)), &report) {
		require.NoError(tb, over, "a row behind the end")
		var refused *flussi.RowError
		switch {
		case err == nil:
			require.NoError(tb, valid(row))
			good++
		case errors.As(err, &refused):
			require.Equal(tb, refused.Row, w.Number(row))
			wrong++
		default:
			var fault *excel.FileError
			require.ErrorAs(tb, err, &fault)
			over = err
		}
		if over == nil {
			require.Greater(tb, w.Number(row), last)
			last = w.Number(row)
		} else {
			require.Zero(tb, w.Number(row))
		}
	}
	require.Equal(tb, over == nil, report.Complete)
	require.Equal(tb, []int{good, wrong}, []int{report.Rows, report.Invalid})
}

// CheckLoopLeft checks that a loop over the rows of a file can be left after its first row, which
// is valid, and that a file of another kind ends the sequence at once.
func (w Workbook[Row]) CheckLoopLeft(tb testing.TB, file []byte) {
	tb.Helper()
	for _, err := range w.Rows(tb.Context(), bytes.NewReader(file), int64(len(file)), nil) {
		require.NoError(tb, err)
		break
	}
	pdf := []byte("%PDF-1.7")
	for row, err := range w.Rows(tb.Context(), bytes.NewReader(pdf), int64(len(pdf)), nil) {
		assert.Zero(tb, w.Number(row))
		var fault *excel.FileError
		require.ErrorAs(tb, err, &fault)
	}
}

// CheckHeaders checks that a column is known by other headers as well. The row has text in every
// column, and no alias leaves one out; valid judges what was read.
func (w Workbook[Row]) CheckHeaders(t *testing.T, headers []string, others map[string][]string, row []any, valid func(Row)) {
	for header, names := range others {
		for _, name := range names {
			heads := slices.Clone(headers)
			heads[slices.Index(heads, header)] = name
			rows, errs, reading := w.Read(t, Sheet(t, Cells(heads), row))
			require.Empty(t, errs, "%s: %s", name, reading.Italian())
			require.Len(t, rows, 1)
			valid(rows[0])
			assert.Empty(t, reading.Missing, name)
		}
	}
}

// CheckSum checks that a row with the label of a sum, and the sum of a column below a valid row, is
// passed over.
func (w Workbook[Row]) CheckSum(tb testing.TB, valid map[string]any, column string) {
	tb.Helper()
	file := Change(tb, w.Fill(tb, valid), func(f *excelize.File, sheet string) {
		require.NoError(tb, f.SetCellStr(sheet, "A3", "Totale"))
		require.NoError(tb, f.SetCellFormula(sheet, Ref(column, 3), fmt.Sprintf("SUM(%s2:%s2)", column, column)))
		require.NoError(tb, f.UpdateLinkedValue())
	})
	rows, errs, reading := w.Read(tb, file)
	require.Empty(tb, errs, reading.Italian())
	assert.Len(tb, rows, 1)
	assert.Equal(tb, 1, reading.Totals)
}

// Given returns values as a sequence without errors.
func Given[T any](values ...T) iter.Seq2[T, error] { return excel.Rows(slices.Values(values)) }

// CheckWarnings checks that a doubtful code, and in the column due a date that is past, are
// warnings in this order, and that a strict template refuses the code. Without a column due, it
// checks the code alone.
func (w Workbook[Row]) CheckWarnings(tb testing.TB, strict Workbook[Row], cells map[string]any, due string) {
	tb.Helper()
	cells = maps.Clone(cells)
	notes := []error{flussi.ErrCheckDigits}
	if due != "" {
		cells[Ref(due, 2)] = "16/06/2020"
		notes = append(notes, excel.ErrPast)
	}
	file := w.Fill(tb, cells)
	rows, errs, reading := w.Read(tb, file)
	require.Empty(tb, errs)
	require.Len(tb, rows, 1)
	require.Len(tb, reading.Notes, len(notes))
	for i, note := range notes {
		require.ErrorIs(tb, reading.Notes[i].Warnings[0], note)
	}
	_, errs, _ = strict.Read(tb, file)
	require.Len(tb, errs, 1)
	require.ErrorIs(tb, errs[0], flussi.ErrCheckDigits)
}
