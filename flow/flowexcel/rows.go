package flowexcel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// Rows reads the rows of a workbook or a CSV file, as [flow.Service.AddNotifications]
// takes them. A row that is wrong is an error with the row's number, in which there is an
// [*excel.RowError]; what is wrong with the file, such as that it is cut off or that it is
// an export, comes last, without a number, so that nothing is stored: an
// [*excel.FileError], or the context's error. The report may be nil; it is made anew each
// time the sequence is ranged over. See [excel.Template.Decode].
func (t *Template) Rows(ctx context.Context, r io.ReaderAt, size int64, report *excel.Report) iter.Seq2[flow.Row, error] {
	return func(yield func(flow.Row, error) bool) {
		for line, err := range t.imports.DecodeAny(ctx, r, size, report) {
			var wrong *excel.RowError
			if errors.As(err, &wrong) {
				err = &rowError{wrong}
			}
			if !yield(flow.Row{Number: line.Number, Draft: line.Value.Draft}, err) {
				return
			}
		}
	}
}

// rowError is an error of a row that does not name the row to operators: a
// [flussi.RowError] does.
type rowError struct{ *excel.RowError }

// Unwrap returns the error of package excel.
func (e *rowError) Unwrap() error { return e.RowError }

// Italian describes the faults for the operator, column by column.
func (e *rowError) Italian() string {
	texts := make([]string, len(e.Cells))
	for i, c := range e.Cells {
		texts[i] = flussi.Explain(c.Err)
		switch {
		case c.Column != "":
			texts[i] = fmt.Sprintf("Colonna %s (%s): %s", c.Column, c.Header, texts[i])
		case c.Header != "":
			texts[i] = fmt.Sprintf("%s: %s", c.Header, texts[i])
		}
	}
	return strings.Join(texts, " ")
}

// alreadyImported is the hint for a file of which only the valid rows were stored.
const alreadyImported = "Le righe senza errori sono già importate. Correggere le altre nella copia con gli errori segnati e importarla di nuovo, tutta intera: le righe già importate vengono riconosciute e i loro messaggi non si inviano due volte."

// Complete enters into the report of a file what [flow.Service.AddNotifications] or
// [flow.Service.ImportFlow] found besides: rows that it refused, such as duplicates, as
// errors, and messages that the service has already as doubts. If valid rows were stored and
// others were not, a hint says that the corrected file can be imported again as a whole. Then
// [excel.Report.Italian] and [Template.Annotate] include all of it. Call it once, with the
// AddReport of the rows that made the report.
func Complete(report *excel.Report, added flow.AddReport) {
	decoded, listed := report.Invalid, 0 // refused by the template; and of them, in the list
	for _, e := range added.Errors {
		var wrong *excel.RowError
		if errors.As(e.Err, &wrong) {
			listed++
			continue
		}
		report.RefuseRow(e.Row, located(e.Err))
	}
	if unlisted := added.Invalid - len(added.Errors) - (decoded - listed); unlisted > 0 {
		report.Rows -= unlisted
		report.Invalid += unlisted
		report.MoreErrors += unlisted
	}
	for _, d := range added.Duplicates {
		text := d.Reason() // the note names the row
		report.DoubtRow(d.Row, &flussi.ValueError{Type: "Row", Err: flussi.ErrDuplicate, Reason: strings.ToUpper(text[:1]) + text[1:]})
	}
	report.MoreNotes += added.DuplicateCount - len(added.Duplicates)
	if added.Invalid > 0 && (added.Added+added.DuplicateCount > 0 || !added.ImportedAt.IsZero()) {
		report.Hints = append(report.Hints, alreadyImported)
	}
}
