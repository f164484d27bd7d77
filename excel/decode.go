package excel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Decode reads the rows of a workbook, as they stream past: memory does not grow with their number,
// except for the texts that the workbook shares. It reads what Excel, LibreOffice and libraries make,
// finds the sheet and the row with the headers, and passes over blank rows. Formulas count with the
// value they had when the file was saved. In a template with totals, a row with nothing but the word
// "Totale" and sums as formulas is passed over, and counted in [Report.Totals]. A goroutine reads
// ahead; it ends with the loop.
//
// A row that is right comes as a [Line] with a nil error. A row that is not comes as a
// line with its number and a [*flussi.RowError], whose [CellErrors] are all its faults; the
// sequence goes on behind it. Anything else that is wrong comes last, as a [*FileError] or the
// context's error: a file that is cut off, damaged, of another kind, too large, has
// merged cells among its data. Some of this can only be found at the end of the file,
// so act on the rows when the sequence has ended without it:
//
//	for line, err := range template.Decode(ctx, file, size, &report) {
//		var row *flussi.RowError
//		switch {
//		case errors.As(err, &row):
//			refused = append(refused, row)
//		case err != nil:
//			return err
//		default:
//			rows = append(rows, line.Value)
//		}
//	}
//
// [Collect] does that. The report may be nil; it is made anew each time the sequence is ranged
// over. It has the notes up to [Limits.Errors].
func (t *Template[Row]) Decode(ctx context.Context, r io.ReaderAt, size int64, report *Report) iter.Seq2[Line[Row], error] {
	return t.decode(ctx, Workbook, r, size, report, t.openBook)
}

// DecodeCSV is [Template.Decode] for a CSV file with the same columns. The separator
// is a semicolon, a comma or a tab, as a line "sep=" says or as the headers show; the
// encoding UTF-8, UTF-16 or Windows-1252. Fields in quotes may hold line breaks and
// doubled quotes. In other fields quotes are text, as in a spreadsheet. A row with blanks between
// quotes and separators is refused with [ErrMalformed], since programs read it differently; so is
// the file if its next row may begin in several places. The numbers of the rows are those that a
// spreadsheet shows.
//
// Lines end with LF, CR LF, or CR alone. CR CR LF, the result of two text mode conversions, is a
// line end and a blank row. A line break within quotes is read as LF, so no value contains a CR.
// A file in which only some lines end with a CR alone is refused with [ErrMalformed].
//
// A CSV file has no mark of its end. What is cut off inside quotes or inside a character is refused
// with [ErrTruncated]. A last row without a line end is refused with it if it has not all columns,
// and otherwise has it as a warning. A file that is cut off behind a row looks like a shorter one.
func (t *Template[Row]) DecodeCSV(ctx context.Context, r io.ReaderAt, size int64, report *Report) iter.Seq2[Line[Row], error] {
	return t.decode(ctx, CSV, r, size, report, t.openCSV)
}

// DecodeAny is [Template.Decode] or [Template.DecodeCSV], as the content of the file
// asks for.
func (t *Template[Row]) DecodeAny(ctx context.Context, r io.ReaderAt, size int64, report *Report) iter.Seq2[Line[Row], error] {
	if format, err := Identify(r, size); err == nil && format == CSV {
		return t.DecodeCSV(ctx, r, size, report)
	}
	return t.Decode(ctx, r, size, report)
}

// Collect gathers the lines of a file that fits into memory. If rows were refused, it returns the
// lines that are right and a [*RowsError] with all the others, which is a [flussi.ErrRows]. Any
// other error, such as a [*FileError], is returned without lines, since nothing that came before it
// counts.
func Collect[Row any](rows iter.Seq2[Line[Row], error]) ([]Line[Row], error) {
	var lines []Line[Row]
	var refused RowsError
	for line, err := range rows {
		var row *flussi.RowError
		switch {
		case errors.As(err, &row):
			refused.Rows = append(refused.Rows, row)
		case err != nil:
			return nil, err
		default:
			lines = append(lines, line)
		}
	}
	if refused.Invalid = len(refused.Rows); refused.Invalid > 0 {
		return lines, &refused
	}
	return lines, nil
}

// Map returns a sequence with what convert makes of each value; errors do not change. It makes the
// rows of a program out of decoded [Line]s, and rows to encode out of a program's values.
func Map[From, To any](values iter.Seq2[From, error], convert func(From) To) iter.Seq2[To, error] {
	return func(yield func(To, error) bool) {
		for value, err := range values {
			if !yield(convert(value), err) {
				return
			}
		}
	}
}

// source is a file opened behind its header.
type source struct {
	rows      rowSource
	header    header
	date1904  bool
	separator rune                // of a CSV file, whose rows must not have more fields than the header; otherwise 0
	newline   bool                // of a CSV file: it ends with a line break
	merges    func() []xlsx.Range // known after the last row
	close     func() error
}

// closing closes at the end of a function, and keeps the first error.
func closing(closer func() error, err *error) {
	if closeErr := closer(); *err == nil {
		*err = closeErr
	}
}

type opener func(ctx context.Context, r io.ReaderAt, size int64, report *Report) (*source, error)

func (t *Template[Row]) decode(ctx context.Context, expected Format, r io.ReaderAt, size int64, report *Report, open opener) iter.Seq2[Line[Row], error] {
	return func(yield func(Line[Row], error) bool) {
		if report == nil {
			report = new(Report)
		}
		*report = Report{Format: expected, limit: t.config.Limits.Errors}
		left, err := t.run(ctx, r, size, report, open, yield)
		if report.Err = fileError(err); report.Err != nil {
			report.Complete = false
			if !left {
				yield(Line[Row]{}, report.Err)
			}
		}
	}
}

// run reads a file, and reports whether the loop was left.
func (t *Template[Row]) run(ctx context.Context, r io.ReaderAt, size int64, report *Report, open opener, yield func(Line[Row], error) bool) (left bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	expected := report.Format
	if err := t.checkSize(size, expected); err != nil {
		return false, err
	}
	if report.print, err = takeFingerprint(r, size, expected); err != nil {
		return false, err
	}
	if report.Format, err = Identify(r, size); err != nil {
		return false, err
	}
	if report.Format != expected {
		return false, formatError(report.Format, expected)
	}
	src, err := open(ctx, r, size, report)
	if err != nil {
		return false, err
	}
	defer closing(src.close, &err)
	d := t.newDecoder(src, report)
	rows := readAhead(src.rows)
	defer rows.stop()
	for {
		switch err := rows.Next(&d.row); {
		case err == io.EOF:
			report.Complete = true
			return false, d.checkEnd()
		case err != nil:
			return false, err
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if d.row.Number <= src.header.row {
			continue
		}
		line, rowErr, use := d.read()
		if !use {
			continue
		}
		if d.lines++; d.lines > t.config.Limits.Rows {
			return false, &FileError{Format: expected, Row: d.row.Number, Err: ErrLimit,
				Reason: fmt.Sprintf("Ci sono più delle %s righe ammesse: dividere il file.", italian.Number(t.config.Limits.Rows))}
		}
		if rowErr != nil {
			report.Invalid++
			if !yield(Line[Row]{Number: d.row.Number}, rowErr) {
				return true, nil
			}
			continue
		}
		report.accept(line.Notes, t.config.Limits.Errors)
		if !yield(line, nil) {
			return true, nil
		}
	}
}

// checkSize refuses a file that is too large.
func (t *Template[Row]) checkSize(size int64, format Format) error {
	if size <= t.config.Limits.FileBytes {
		return nil
	}
	return &FileError{Format: format, Err: ErrLimit,
		Reason: fmt.Sprintf("Il file supera i %s MB ammessi: dividerlo in più file.", italian.Number(int(t.config.Limits.FileBytes>>20)))}
}

// openBook opens a workbook behind its header.
func (t *Template[Row]) openBook(ctx context.Context, r io.ReaderAt, size int64, report *Report) (*source, error) {
	book, err := xlsx.Open(ctx, r, size, t.xlsxLimits())
	if err != nil {
		return nil, err
	}
	mark := book.Properties[markName]
	report.Template = flussi.NewText(mark)
	report.Outdated = mark != "" && mark != t.Mark()
	chosen, err := t.chooseSheet(book, report)
	if err != nil {
		return nil, err
	}
	if err := t.judge(chosen.header, report); err != nil {
		return nil, err
	}
	rows, err := book.Rows(chosen.sheet)
	if err != nil {
		return nil, err
	}
	return &source{
		rows: rows, header: chosen.header, date1904: book.Date1904,
		merges: func() []xlsx.Range { return rows.Merges }, close: rows.Close,
	}, nil
}

func (t *Template[Row]) xlsxLimits() xlsx.Limits {
	l := t.config.Limits
	return xlsx.Limits{Unpacked: l.UnpackedBytes, Strings: l.TextBytes, Columns: l.Columns, Cell: l.CellLength}
}
