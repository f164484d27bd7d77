package excel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Annotate writes a copy of the operator's own file in which each wrong cell is coloured red and
// each doubtful one yellow, and the cells of its row that have no background lightly so, with a
// comment that says why, and with a sheet "Errori" that lists them with links to the cells, below
// the report's Hints. An error of a row as a whole, such as a duplicate, colours no cell more than
// the others; its comment is on the row's first cell. The values, formulas and formats of the file
// do not change; marks of an earlier copy are taken off. The copy of a CSV file is a workbook with
// the same rows.
//
// The refused rows are those of the reading and those of the service that took the rows: the error
// of [Collect], or the list that the service reports; nil if there are none. The report is that of
// a [Template.Decode] or [Template.DecodeCSV] that read this file to its end, or came to
// [ErrHeader] or [ErrMerged]; any other is refused with [ErrReport]. Errors beyond [Limits.Errors]
// are not marked; the sheet says how many more there are. A background that a wrong cell or row had
// of its own is replaced.
//
// Annotate does not know what became of the rows without errors. If the caller stored them, or did
// not, a sentence in Hints should say so.
//
// The copy is made in memory: a file whose sheets have more rows together than
// [Limits.AnnotatedRows], or more than 20 cells a row on the average, is refused with [ErrLimit].
// The other errors are those of reading the file, the context's and w's.
func (t *Template[Row]) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *Report, refused *RowsError) error {
	if report == nil || !report.Complete && !errors.Is(report.Err, ErrHeader) && !errors.Is(report.Err, ErrMerged) {
		return reportError()
	}
	print, err := takeFingerprint(r, size, report.Format)
	if err != nil {
		return err
	}
	if print != report.print {
		return reportError()
	}
	data, names, err := t.whole(ctx, r, size, report.Format)
	if err != nil {
		return fileError(err)
	}
	copied, err := t.annotated(ctx, data, names, report, refused)
	if err != nil {
		return err
	}
	if _, err := w.Write(copied); err != nil {
		return fmt.Errorf("excel: write annotated copy: %w", err)
	}
	return nil
}

func reportError() error {
	return &FileError{Err: ErrReport, Reason: "Di questo file non si può fare una copia con gli errori segnati."}
}

// annotated makes the copy. The workbook engine may not support all of a file: if it fails, or
// panics as it does on some valid files, the error says that this file cannot be marked.
func (t *Template[Row]) annotated(ctx context.Context, data []byte, names []string, report *Report, refused *RowsError) (copied []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.New("the workbook engine panics")
		}
		switch {
		case ctx.Err() != nil:
			copied, err = nil, context.Cause(ctx)
		case err != nil:
			copied, err = nil, &FileError{Format: Workbook, Err: ErrMalformed, Cause: concealed{}, Reason: "Il file non può essere commentato: aprirlo con Excel o LibreOffice, salvarlo come .xlsx e ricaricarlo."}
		}
	}()
	a, err := t.openAnnotator(data, names, report)
	if err != nil {
		return nil, err
	}
	defer closing(a.b.f.Close, &err)
	a.clean()
	errs, more := report.cellErrors(refused, report.limit)
	if all := findings(report, errs); len(all) > 0 {
		a.mark(ctx, all)
		a.list(all, report.summary(refused, len(errs), more), report.Hints)
	}
	var buf bytes.Buffer
	a.b.do(a.b.f.Write(&buf))
	return buf.Bytes(), a.b.err
}

// concealed replaces an error of the engine, which may quote the file.
type concealed struct{}

func (concealed) Error() string { return "the workbook engine cannot change it" }

// whole reads a file once more, to check that it is complete, and returns it as a workbook.
func (t *Template[Row]) whole(ctx context.Context, r io.ReaderAt, size int64, format Format) (data []byte, names []string, err error) {
	if format == CSV {
		return t.csvAsBook(ctx, r, size)
	}
	book, err := xlsx.Open(ctx, r, size, t.xlsxLimits())
	if err != nil {
		return nil, nil, err
	}
	var bound memoryBound
	for i, sheet := range book.Sheets {
		names = append(names, sheet.Name)
		rows, err := book.Rows(i)
		if err != nil {
			return nil, nil, err
		}
		rows.Narrow = true
		if err := errors.Join(t.count(rows, bound), rows.Close()); err != nil {
			return nil, nil, err
		}
		bound.rows += rows.LastRow
		bound.cells += rows.Extent
	}
	data = make([]byte, size)
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, nil, err
	}
	return data, names, nil
}

// memoryBound counts what the engine will hold: the rows of all sheets, and the cells
// up to the last one of each row, empty ones included.
type memoryBound struct{ rows, cells int }

// cellsPerRow is how many cells the rows of an annotated file may have on the average.
const cellsPerRow = 20

// exceeded reports whether a file is too large to be held in memory.
func (b memoryBound) exceeded(most int) bool {
	return b.rows > most || b.cells > max(most, 1000)*cellsPerRow
}

// count reads all rows of a sheet, and refuses more than can be held in memory besides
// what is held already.
func (t *Template[Row]) count(rows *xlsx.Rows, held memoryBound) error {
	var row xlsx.Row
	for {
		err := rows.Next(&row)
		switch {
		case memoryBound{held.rows + rows.LastRow, held.cells + rows.Extent}.exceeded(t.config.Limits.AnnotatedRows):
			return t.tooManyRows()
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (t *Template[Row]) tooManyRows() error {
	return &FileError{Format: Workbook, Row: t.config.Limits.AnnotatedRows, Err: ErrLimit,
		Reason: fmt.Sprintf("Il file ha più di %s righe, o righe troppo larghe: è troppo grande per essere commentato.", italian.Number(t.config.Limits.AnnotatedRows))}
}

// csvAsBook makes a workbook of text cells of a CSV file.
func (t *Template[Row]) csvAsBook(ctx context.Context, r io.ReaderAt, size int64) (data []byte, names []string, err error) {
	text, err := detectText(ctx, r, size)
	if err != nil {
		return nil, nil, err
	}
	separator, h, err := t.separate(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	rows := text.rows(ctx, separator, t.config.Limits)
	f := excelize.NewFile()
	defer closing(f.Close, &err)
	b := &builder{f: f}
	sheet := t.config.Sheet
	b.do(f.SetSheetName("Sheet1", sheet))
	look := copiedLook{head: h.row, headStyle: b.style(copiedHeadStyle()), plain: b.style(copiedStyle(TextLayout)),
		styles: map[int]int{}, widths: map[int]float64{}}
	last := slices.Max(append([]int{0}, h.columns...)) // a file whose headers are refused has no columns
	widths := make([]float64, max(last, 1))
	for i := range widths {
		widths[i] = otherWidth
	}
	for i, column := range h.columns {
		if column == 0 {
			continue
		}
		look.styles[column] = b.style(copiedStyle(t.columns[i].rule.Layout))
		widths[column-1] = t.columns[i].width()
	}
	for i, width := range widths {
		name := xlsx.ColumnName(i + 1)
		look.widths[i+1] = width
		b.do(b.f.SetColWidth(sheet, name, name, width))
	}
	b.printColumns(sheet, widths, "")
	var formatted, filled bytes.Buffer
	b.do(f.Write(&formatted))
	if b.err != nil {
		return nil, nil, b.err
	}
	err = fillSheets(formatted.Bytes(), &filled, func(w *xlsx.Writer) error { return t.copyRows(rows, w, look) })
	return filled.Bytes(), []string{sheet}, err
}

// otherWidth is the width of columns that the template does not have, in the copy of a CSV file.
const otherWidth = 18

// copiedLook is how the copy of a CSV file looks.
type copiedLook struct {
	head             int // the row with the headers
	headStyle, plain int
	styles           map[int]int     // of the template's columns, by the sheet's column
	widths           map[int]float64 // by the sheet's column; others are as wide as usual
}

// of returns the style of a cell.
func (l copiedLook) of(row, column int) int {
	if row == l.head {
		return l.headStyle
	}
	if style, ok := l.styles[column]; ok {
		return style
	}
	return l.plain
}

// copyRows writes the rows of a CSV file as text cells.
func (t *Template[Row]) copyRows(rows rowSource, w *xlsx.Writer, look copiedLook) error {
	var row xlsx.Row
	var out []xlsx.Output
	var bound memoryBound
	for {
		switch err := rows.Next(&row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		bound.rows = row.Number
		bound.cells += row.Cells[len(row.Cells)-1].Column
		if bound.exceeded(t.config.Limits.AnnotatedRows) {
			return t.tooManyRows()
		}
		out = out[:0]
		most := 1
		for _, cell := range row.Cells {
			out = append(out, xlsx.Output{Column: cell.Column, Style: look.of(row.Number, cell.Column), Type: xlsx.Text, Text: cell.Text})
			if width, ok := look.widths[cell.Column]; ok {
				most = max(most, lines(cell.Text, width))
			}
		}
		if err := w.Row(row.Number, height(most), out); err != nil {
			return err
		}
	}
}
