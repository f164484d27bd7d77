package excel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Decode reads the rows of a workbook, as they stream past: memory does not grow with
// their number, but for the texts that the workbook shares. It reads what Excel,
// LibreOffice and libraries make, finds the sheet and the row with the headers, and
// passes over blank rows. Formulas count with the value they had when the file was
// saved. In a template with totals, a row with nothing but the word "Totale" and sums
// as formulas is passed over, and counted in [Report.Totals].
//
// A row that is right comes as a [Line] with a nil error. A row that is not comes as a
// line with its number and a [*RowError] that holds all its faults; the sequence goes
// on behind it. Anything else that is wrong comes last, as a [*FileError] or the
// context's error: a file that is cut off, damaged, of another kind, too large, has
// merged cells among its data. Some of this can only be found at the end of the file,
// so act on the rows when the sequence has ended without it:
//
//	for line, err := range template.Decode(ctx, file, size, &report) {
//		var wrong *excel.RowError
//		switch {
//		case errors.As(err, &wrong): // in the report as well
//		case err != nil:
//			return err
//		default:
//			rows = append(rows, line.Value)
//		}
//	}
//
// The report may be nil; it is made anew each time the sequence is ranged over. It
// tells what else was found, and holds the errors and notes up to a limit.
func (t *Template[Row]) Decode(ctx context.Context, r io.ReaderAt, size int64, report *Report) iter.Seq2[Line[Row], error] {
	return t.decode(ctx, Workbook, r, size, report, t.openBook)
}

// DecodeCSV is [Template.Decode] for a CSV file with the same columns. The separator
// is a semicolon, a comma or a tab, as a line "sep=" says or as the headers show; the
// encoding UTF-8, UTF-16 or Windows-1252. Fields in quotes may hold line breaks and
// doubled quotes. The numbers of the rows are those that a spreadsheet shows.
//
// A CSV file has no mark of its end. What is cut off inside quotes, inside a
// character, or before the last column is refused with [ErrTruncated]; a file that is
// cut off inside its last field looks like a file with a shorter one.
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

// Collect gathers the lines that are right, for files that fit into memory. The
// refused rows are in the report; any other error is returned alone, since nothing
// that came before it counts.
func Collect[Row any](rows iter.Seq2[Line[Row], error]) ([]Line[Row], error) {
	var lines []Line[Row]
	for line, err := range rows {
		var wrong *RowError
		switch {
		case errors.As(err, &wrong):
		case err != nil:
			return nil, err
		default:
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// source is a file opened behind its header.
type source struct {
	rows     rowSource
	header   header
	date1904 bool
	exact    bool                // rows must not have more fields than the header
	newline  bool                // of a CSV file: it ends with a line break
	merges   func() []xlsx.Range // known after the last row
	close    func() error
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
		*report = Report{Format: expected}
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
	if size > t.config.Limits.FileBytes {
		return false, &FileError{Format: expected, Err: ErrLimit,
			Reason: fmt.Sprintf("Il file supera i %s MB ammessi: dividerlo in più file.", thousands(int(t.config.Limits.FileBytes>>20)))}
	}
	if report.print, err = takeFingerprint(r, size); err != nil {
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
				Reason: fmt.Sprintf("Ci sono più delle %s righe ammesse: dividere il file.", thousands(t.config.Limits.Rows))}
		}
		if rowErr != nil {
			report.refuse(rowErr, t.config.Limits.Errors)
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

// decoder reads the rows behind a header.
type decoder[Row any] struct {
	t       *Template[Row]
	src     *source
	report  *Report
	columns []int  // by the sheet's column: the template's column + 1, 0 if it has none
	stray   []bool // by the sheet's column: it has no header, and is in the report

	row         xlsx.Row
	cells       []xlsx.Cell // by the template's column
	value       Row         // the row that is being read
	first, last int         // the rows that hold data
	lines       int         // rows that were read or refused
}

func (t *Template[Row]) newDecoder(src *source, report *Report) *decoder[Row] {
	d := &decoder[Row]{t: t, src: src, report: report, cells: make([]xlsx.Cell, len(t.columns))}
	d.columns = make([]int, t.config.Limits.Columns+1)
	d.stray = make([]bool, len(d.columns))
	for i := range d.stray {
		d.stray[i] = true
	}
	for i, column := range src.header.columns {
		d.columns[column] = i + 1
		d.stray[column] = false
	}
	for _, cell := range src.header.unknown {
		d.stray[cell.Column] = false
	}
	d.columns[0] = 0
	return d
}

// read makes a line of the row, or the error of one that is wrong; use is false if
// there is nothing in it to be read.
func (d *decoder[Row]) read() (line Line[Row], rowErr *RowError, use bool) {
	clear(d.cells)
	extra := false
	for _, cell := range d.row.Cells {
		i := d.columns[cell.Column]
		switch {
		case cell.Type == xlsx.Text && isBlank(cell.Text):
		case i > 0:
			d.cells[i-1] = cell
			use = true
		case d.src.exact && cell.Column > d.src.header.last:
			extra = true
		case d.stray[cell.Column]:
			d.stray[cell.Column] = false
			d.report.Unknown = append(d.report.Unknown, UnknownColumn{Column: xlsx.ColumnName(cell.Column)})
		}
	}
	line.Number = d.row.Number
	switch {
	case extra:
		return line, d.refuse("", "", wrong("Row", ErrFields, "La riga ha più campi dell'intestazione: forse un testo contiene il separatore e non è fra virgolette.")), true
	case !use:
		return line, nil, false
	case d.row.Hidden && d.t.config.HiddenRows == SkipHidden:
		d.report.Hidden++
		return line, nil, false
	}
	if d.first == 0 {
		d.first = d.row.Number
	}
	d.last = d.row.Number
	switch {
	case d.isTotal():
		d.report.Totals++
		return line, nil, false
	case d.row.Hidden && d.t.config.HiddenRows == RefuseHidden:
		return line, d.refuse("", "", wrong("Row", ErrHidden, "La riga è nascosta: mostrarla, togliendo il filtro se c'è, oppure eliminarla.")), true
	}
	rowErr = d.values(&line)
	return line, rowErr, true
}

func (d *decoder[Row]) refuse(column, header string, err error) *RowError {
	return &RowError{Row: d.row.Number, Cells: []*CellError{{Row: d.row.Number, Column: column, Header: header, Err: err}}}
}

// isTotal reports whether the row holds the sums that Encode writes: the label, and
// formulas below the columns that have totals.
func (d *decoder[Row]) isTotal() bool {
	if !d.t.hasTotals() {
		return false
	}
	label := false
	for i, cell := range d.cells {
		switch {
		case cell.Type == 0:
		case !label && cell.Type == xlsx.Text && strings.EqualFold(strings.Trim(cell.Text, " :."), totalLabel):
			label = true
		case !d.t.columns[i].config.Total || !cell.Formula:
			return false
		}
	}
	return label
}

// values reads the cells of a row.
func (d *decoder[Row]) values(line *Line[Row]) *RowError {
	d.value = d.t.config.Blank
	var errs []*CellError
	for i := range d.t.columns {
		c := &d.t.columns[i]
		n, err := d.readCell(c, &d.value, d.cells[i])
		if err == nil && n.changes == nil && n.warnings == nil {
			continue
		}
		letters := xlsx.ColumnName(d.src.header.columns[i])
		if err != nil {
			errs = append(errs, &CellError{Row: d.row.Number, Column: letters, Header: c.header, Err: err})
		} else {
			line.Notes = append(line.Notes, Note{Row: d.row.Number, Column: letters, Header: c.header, Changes: n.changes, Warnings: n.warnings})
		}
	}
	if len(errs) == 0 && d.t.config.Check != nil {
		errs = d.flatten(nil, d.t.config.Check(&d.value))
	}
	line.Value = d.value
	if len(errs) > 0 {
		return &RowError{Row: d.row.Number, Cells: errs}
	}
	return nil
}

// readCell reads one cell into the row.
func (d *decoder[Row]) readCell(c *Column[Row], row *Row, cell xlsx.Cell) (note, error) {
	switch cell.Type {
	case 0:
		if c.config.Required {
			return note{}, wrong("Cell", ErrRequired, "La cella è vuota: il valore è obbligatorio.")
		}
		return note{}, nil
	case xlsx.Error:
		return note{}, wrong("Cell", ErrFormula, "La formula dà l'errore "+italianError(cell.Text)+": correggerla, o scrivere il valore.")
	case xlsx.NotCalculated:
		return note{}, wrong("Cell", ErrNotCalculated, "La formula non è stata calcolata: aprire il file con Excel o LibreOffice e salvarlo, o scrivere il valore.")
	}
	return c.read(row, Cell{Type: CellType(cell.Type), Text: cell.Text, Format: NumberFormat(cell.Format), Date1904: d.src.date1904})
}

// flatten makes cell errors of what Check said.
func (d *decoder[Row]) flatten(errs []*CellError, err error) []*CellError {
	switch e := err.(type) {
	case nil:
	case *CellError:
		placed := &CellError{Row: d.row.Number, Header: e.Header, Err: e.Err}
		for i := range d.t.columns {
			if d.t.columns[i].header == e.Header {
				placed.Column = xlsx.ColumnName(d.src.header.columns[i])
			}
		}
		errs = append(errs, placed)
	case interface{ Unwrap() []error }:
		for _, sub := range e.Unwrap() {
			errs = d.flatten(errs, sub)
		}
	default:
		errs = append(errs, &CellError{Row: d.row.Number, Err: err})
	}
	return errs
}

// checkEnd judges what can only be known behind the last row.
func (d *decoder[Row]) checkEnd() error {
	if d.src.exact && d.first == 0 && !d.src.newline {
		return &FileError{Format: CSV, Row: d.src.header.row, Err: ErrTruncated, Reason: "Il file finisce con l'intestazione: è incompleto, o non contiene righe. Copiarlo o salvarlo di nuovo."}
	}
	return d.checkMerges()
}

// checkMerges refuses a sheet whose data have merged cells in the template's columns.
func (d *decoder[Row]) checkMerges() error {
	if d.src.merges == nil {
		return nil
	}
	var found []xlsx.Range
	for _, m := range d.src.merges() {
		single := m.FirstRow == m.LastRow && m.FirstColumn == m.LastColumn
		ours := slices.ContainsFunc(d.src.header.columns, func(c int) bool { return c > 0 && m.FirstColumn <= c && c <= m.LastColumn })
		if !single && ours && m.FirstRow <= d.last && m.LastRow >= d.first && d.first > 0 {
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		return nil
	}
	var ranges []string
	for _, m := range found[:min(len(found), 5)] {
		ranges = append(ranges, m.String())
	}
	if len(found) > 5 {
		ranges = append(ranges, fmt.Sprintf("e altre %d", len(found)-5))
	}
	return &FileError{Format: Workbook, Row: found[0].FirstRow, Column: xlsx.ColumnName(found[0].FirstColumn), Err: ErrMerged,
		Reason: "Fra i dati ci sono celle unite (" + strings.Join(ranges, ", ") + "): separarle e scrivere il valore in ogni riga."}
}

// italianError names an error value as Excel shows it in Italian.
func italianError(text string) string {
	switch text {
	case "#N/A":
		return "#N/D"
	case "#REF!":
		return "#RIF!"
	case "#VALUE!":
		return "#VALORE!"
	case "#NAME?":
		return "#NOME?"
	case "#NULL!":
		return "#NULLO!"
	case "#DIV/0!", "#NUM!":
		return text
	}
	return "di calcolo"
}

var _ flussi.Explainer = (*RowError)(nil)
