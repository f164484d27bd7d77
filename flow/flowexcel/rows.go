package flowexcel

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
)

// Rows reads the rows of a workbook or a CSV file, as [flow.Service.AddNotifications]
// takes them. A row that is not valid is a [*flussi.RowError] with the row's number, and its
// [excel.CellErrors]; what is wrong with the file, such as that it is cut off or that it is
// an export, comes last, without a number, so that nothing is stored: an
// [*excel.FileError], or the context's error. The report may be nil; it is made anew each
// time the sequence is ranged over. See [excel.Template.Decode].
func (t *Template) Rows(ctx context.Context, r io.ReaderAt, size int64, report *excel.Report) iter.Seq2[flow.Row, error] {
	return excel.Map(t.imports.DecodeAny(ctx, r, size, report), func(line excel.Line[entry]) flow.Row {
		return flow.Row{Number: line.Number, Draft: line.Value.Draft}
	})
}

// alreadyImported is the hint for a file of which only the valid rows were stored.
const alreadyImported = "Le righe senza errori sono già importate. Correggere le altre nella copia con gli errori segnati e importarla di nuovo, tutta intera: le righe già importate vengono riconosciute e i loro messaggi non si inviano due volte."

// Italian sums an import up for the operator: the report of its reading, and the [flow.AddReport]
// of [flow.Service.AddNotifications] or [flow.Service.ImportFlow]. Messages that the service has
// already are listed as doubts. If valid rows were stored and others were not, a hint says that the
// corrected file can be imported again as a whole. Of the errors and of the notes, no more than
// most are listed; 0 lists as many as the reports have. See [excel.Report.Italian].
func Italian(report *excel.Report, added flow.AddReport, most int) string {
	return withDuplicates(report, added).Italian(&excel.RowsError{Rows: added.Errors, Invalid: added.Invalid}, most)
}

// Annotate writes a copy of the operator's own file with the errors and doubts of [Italian] marked.
// See [excel.Template.Annotate] for the errors; for a file of corrections,
// [Template.AnnotateCorrections].
func (t *Template) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, added flow.AddReport) error {
	return t.imports.Annotate(ctx, w, r, size, withDuplicates(report, added), &excel.RowsError{Rows: added.Errors, Invalid: added.Invalid})
}

// withDuplicates returns a copy of the report with what the service found besides errors.
func withDuplicates(report *excel.Report, added flow.AddReport) *excel.Report {
	if report == nil {
		return nil // which Annotate refuses
	}
	all := *report
	all.Notes, all.Hints = slices.Clone(report.Notes), slices.Clone(report.Hints)
	for _, d := range added.Duplicates {
		text := d.Reason() // the note names the row
		all.AddWarning(d.Row, &flussi.ValueError{Type: "Row", Err: flussi.ErrDuplicate, Reason: strings.ToUpper(text[:1]) + text[1:]})
	}
	all.MoreNotes += added.DuplicateCount - len(added.Duplicates)
	if added.Invalid > 0 && (added.Added+added.DuplicateCount > 0 || !added.ImportedAt.IsZero()) {
		all.Hints = append(all.Hints, alreadyImported)
	}
	return &all
}
