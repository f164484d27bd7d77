package flowexcel

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/italian"
)

// Rows reads the rows of a workbook or a CSV file, as [flow.Service.AddNotifications]
// takes them. A row that is not valid is a [*flussi.RowError] with the row's number, and its
// [excel.CellErrors]; what is wrong with the file, such as that it is cut off or that it is
// an export, comes last, without a number, so that nothing is stored: an
// [*excel.FileError], or the context's error. The report may be nil; it is made anew each
// time the sequence is ranged over. Of a mail merge, its Missing has only fields of the text.
// See [excel.Template.Decode]; for separators and encodings of CSV files,
// [excel.Template.DecodeCSV]; for dates, [excel.Date]; for amounts, [excel.Money].
func (t *Template) Rows(ctx context.Context, r io.ReaderAt, size int64, report *excel.Report) iter.Seq2[flow.Row, error] {
	rows := excel.Map(t.imports.DecodeAny(ctx, r, size, report), func(line excel.Line[entry]) flow.Row {
		return flow.Row{Number: line.Number, Draft: line.Value.Draft}
	})
	if t.merge == nil || report == nil {
		return rows
	}
	return func(yield func(flow.Row, error) bool) {
		defer func() {
			report.Missing = slices.DeleteFunc(report.Missing, func(header string) bool { return !t.merge.uses(header) })
		}()
		rows(yield)
	}
}

// Preview returns the notification that a row of a file becomes, with the texts of a mail merge and
// [Config].FlowOptions; [flow.Draft.Message] is the message for App IO, and [flow.Draft.Check] says
// what looks like a mistake in it. Rows are numbered as in a spreadsheet: the header is usually row
// 1, so the first row below it is row 2. The number 0 means the first row that is valid. If no row
// is valid, the error is that of the first row. Otherwise the error is the row's
// [*flussi.RowError], an error of the file, or [flussi.ErrNotFound] if it has no such row, or no
// rows at all. Preview reads the file only up to the row.
func (t *Template) Preview(ctx context.Context, r io.ReaderAt, size int64, number int) (flow.Row, error) {
	var first *flussi.RowError
	read := false
	for row, err := range t.Rows(ctx, r, size, nil) {
		var refused *flussi.RowError
		switch {
		case errors.As(err, &refused) && refused.Row != number:
			read, first = true, cmp.Or(first, refused)
			continue
		case err != nil:
			return flow.Row{}, err
		case number == 0 || row.Number == number:
			row.Draft.Options = row.Draft.Options.Or(t.config.FlowOptions)
			return row, nil
		}
		read = true
	}
	if number == 0 && first != nil {
		return flow.Row{}, first
	}
	reason := "Il file non ha questa riga, o la riga è vuota."
	if !read {
		reason = "Il file non ha righe sotto le intestazioni."
	}
	return flow.Row{}, &flussi.ValueError{Type: "Row", Err: flussi.ErrNotFound, Reason: reason}
}

// alreadyImported is the hint for a file of which only the valid rows were stored.
const alreadyImported = "Le righe senza errori sono state importate. Correggere le altre nella copia con gli errori segnati e importarla di nuovo, tutta intera: le righe già importate vengono riconosciute e i loro messaggi non si inviano due volte."

// notImported is the hint in the copy of a file of which nothing was stored.
const notImported = "Neanche le righe senza errori sono state importate: si importano insieme alle altre, una volta corrette."

// Italian sums an import up for the operator: what was imported, the report of its reading, and the
// [flow.AddReport] of [flow.Service.AddNotifications] or [flow.Service.ImportFlow]. It begins with
// how many notifications were stored, or with why none was: an earlier call stored the same rows,
// the flow has them, or something has to be corrected. Messages that the service has already, and
// what the app ignores in a message ([flow.Draft.Check]), are listed as doubts. If valid rows were
// stored and others were not, a hint says that the corrected file can be imported again as a whole.
// Of the errors and of the notes, no more than most are listed; 0 lists as many as the reports
// have. See [excel.Report.Italian].
//
// It is for an import that succeeded, and for one refused with an [*excel.FileError] or a
// [flussi.ErrRows]. For any other error show [flussi.Explain] instead: the reports do not have it,
// and after a [flussi.ErrCommitUnknown] they do not know what was stored.
func Italian(report *excel.Report, added flow.AddReport, most int) string {
	text := withFindings(report, added).Italian(&excel.RowsError{Rows: added.Errors, Invalid: added.Invalid}, most)
	if first := stored(report, added); first != "" {
		return first + "\n" + text
	}
	return text
}

// Annotate writes a copy of the operator's own file with the errors and doubts of [Italian] marked,
// and with what it says was imported. See [excel.Template.Annotate] for the errors; for a file of
// corrections, [Template.AnnotateCorrections].
func (t *Template) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, added flow.AddReport) error {
	all := withFindings(report, added)
	if all != nil {
		if first := stored(report, added); first != "" {
			all.Hints = slices.Insert(all.Hints, 0, first)
		}
		if report.Complete && added.Invalid > 0 && added.Added+added.DuplicateCount == 0 && added.ImportedAt.IsZero() {
			all.Hints = append(all.Hints, notImported)
		}
	}
	return t.imports.Annotate(ctx, w, r, size, all, &excel.RowsError{Rows: added.Errors, Invalid: added.Invalid})
}

// stored says how many notifications were stored, or why none was; "" if the reports do not tell.
func stored(report *excel.Report, added flow.AddReport) string {
	const none = "Nessuna notifica è stata importata"
	var file *excel.FileError
	switch {
	case !added.ImportedAt.IsZero():
		rows := "Queste righe"
		if added.Invalid > 0 {
			rows = "Le righe senza errori"
		}
		return rows + " sono già state importate il " + italian.Moment(added.ImportedAt) + ": non è stato aggiunto niente."
	case added.Added > 0:
		return "Notifiche importate: " + italian.Number(added.Added) + "."
	case added.DuplicateCount > 0:
		return none + ": le righe senza errori sono già nel flusso."
	case errors.As(report.Err, &file):
		return none + "."
	case added.Invalid > 0 && report.Complete:
		return none + ": correggere " + italian.Choose(added.Invalid, "la riga", "le righe") + " con errori e importare di nuovo il file."
	}
	return ""
}

// withFindings returns a copy of the report with what the service found besides errors.
func withFindings(report *excel.Report, added flow.AddReport) *excel.Report {
	if report == nil {
		return nil // which Annotate refuses
	}
	all := *report
	all.Notes, all.Hints = slices.Clone(report.Notes), slices.Clone(report.Hints)
	for _, d := range added.Duplicates {
		all.AddWarning(d.Row, &flussi.ValueError{Type: "Row", Err: flussi.ErrDuplicate, Reason: d.Reason()}) // the note names the row
	}
	for _, w := range added.Warnings {
		all.AddWarning(w.Row, w.Err)
	}
	all.MoreNotes += added.DuplicateCount - len(added.Duplicates) + added.WarningCount - len(added.Warnings)
	if added.Invalid > 0 && (added.Added+added.DuplicateCount > 0 || !added.ImportedAt.IsZero()) {
		all.Hints = append(all.Hints, alreadyImported)
	}
	return &all
}
