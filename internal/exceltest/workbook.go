// Package exceltest makes, changes and opens workbooks in tests as other software does, and holds
// the tests that every workbook with an import passes.
package exceltest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
)

// Change opens a workbook with the engine, changes it, and saves it.
func Change(tb testing.TB, file []byte, change func(f *excelize.File, sheet string)) []byte {
	tb.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(tb, err)
	return saved(tb, f, change)
}

// Edit changes cells of the first sheet.
func Edit(tb testing.TB, file []byte, cells map[string]any) []byte {
	tb.Helper()
	return Change(tb, file, func(f *excelize.File, sheet string) {
		for ref, value := range cells {
			require.NoError(tb, f.SetCellValue(sheet, ref, value))
		}
	})
}

// Hide hides rows of the first sheet, as a filter does.
func Hide(tb testing.TB, file []byte, rows ...int) []byte {
	tb.Helper()
	return Change(tb, file, func(f *excelize.File, sheet string) {
		for _, row := range rows {
			require.NoError(tb, f.SetRowVisible(sheet, row, false))
		}
	})
}

// Sheet makes a workbook of one sheet.
func Sheet(tb testing.TB, rows ...[]any) []byte {
	tb.Helper()
	return saved(tb, excelize.NewFile(), func(f *excelize.File, sheet string) {
		for i, row := range rows {
			require.NoError(tb, f.SetSheetRow(sheet, Ref("A", i+1), &row))
		}
	})
}

func saved(tb testing.TB, f *excelize.File, change func(f *excelize.File, sheet string)) []byte {
	tb.Helper()
	change(f, f.GetSheetName(0))
	var b bytes.Buffer
	require.NoError(tb, f.Write(&b))
	require.NoError(tb, f.Close())
	return b.Bytes()
}

// Cells makes cells of texts.
func Cells(texts []string) []any {
	row := make([]any, len(texts))
	for i, text := range texts {
		row[i] = text
	}
	return row
}

// Ref returns the name of a cell.
func Ref(column string, row int) string { return fmt.Sprintf("%s%d", column, row) }

// Column returns the letters of a header.
func Column(tb testing.TB, headers []string, header string) string {
	tb.Helper()
	i := slices.Index(headers, header)
	require.GreaterOrEqual(tb, i, 0, header)
	name, err := excelize.ColumnNumberToName(i + 1)
	require.NoError(tb, err)
	return name
}

// Open opens a workbook, and returns what the cells of its first sheet show.
func Open(tb testing.TB, file []byte) (*excelize.File, [][]string) {
	tb.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(file))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, f.Close()) })
	rows, err := f.GetRows(f.GetSheetName(0))
	require.NoError(tb, err)
	return f, rows
}

// Comment returns the text of a cell's comment in the first sheet.
func Comment(tb testing.TB, file []byte, ref string) string {
	tb.Helper()
	f, _ := Open(tb, file)
	return CommentIn(tb, f, f.GetSheetName(0), ref)
}

// CommentIn returns the text of a cell's comment in a sheet.
func CommentIn(tb testing.TB, f *excelize.File, sheet, ref string) string {
	tb.Helper()
	comments, err := f.GetComments(sheet)
	require.NoError(tb, err)
	text := ""
	for _, c := range comments {
		if c.Cell == ref {
			text += c.Text
			for _, run := range c.Paragraph {
				text += run.Text
			}
		}
	}
	return text
}

// Guide returns the rows of the guide's table by their header, and its other texts.
func Guide(tb testing.TB, f *excelize.File) (table map[string][]string, text string) {
	tb.Helper()
	rows, err := f.GetRows("Guida Rapida")
	require.NoError(tb, err)
	table = map[string][]string{}
	for _, row := range rows {
		if len(row) > 2 {
			table[row[0]] = row
		} else if len(row) > 0 {
			text += row[0] + "\n"
		}
	}
	return table, text
}

// CheckTypes checks which cells of the first sheet are text, and that the others are numbers.
func CheckTypes(tb testing.TB, f *excelize.File, text, number []string) {
	tb.Helper()
	for _, ref := range slices.Concat(text, number) {
		got, err := f.GetCellType(f.GetSheetName(0), ref)
		require.NoError(tb, err)
		if slices.Contains(text, ref) {
			assert.Equal(tb, excelize.CellTypeInlineString, got, ref)
		} else {
			assert.Contains(tb, []excelize.CellType{excelize.CellTypeNumber, excelize.CellTypeUnset}, got, ref)
		}
	}
}

// HasLibreOffice reports whether [LibreOffice] can be called.
func HasLibreOffice() bool {
	_, err := exec.LookPath("soffice")
	return err == nil
}

// NeedsLibreOffice skips a test where LibreOffice is not installed. The gate has it.
func NeedsLibreOffice(tb testing.TB) {
	tb.Helper()
	if !HasLibreOffice() {
		tb.Skip("LibreOffice is not installed")
	}
}

// LibreOffice converts a file of this name to another format with LibreOffice.
func LibreOffice(tb testing.TB, to, name string, data []byte) []byte {
	tb.Helper()
	dir := tb.TempDir()
	source := filepath.Join(dir, name)
	require.NoError(tb, os.WriteFile(source, data, 0o600))
	out := filepath.Join(dir, "out")
	command := exec.CommandContext(tb.Context(), "soffice", "-env:UserInstallation=file://"+filepath.Join(dir, "profile"),
		"--headless", "--convert-to", to, "--outdir", out, source)
	text, err := command.CombinedOutput()
	require.NoError(tb, err, "%s", text)
	made, err := os.ReadFile(filepath.Join(out, strings.TrimSuffix(name, filepath.Ext(name))+"."+to))
	require.NoError(tb, err, "%s", text)
	return made
}
