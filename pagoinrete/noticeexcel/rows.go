package noticeexcel

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Rows reads the rows of a workbook or a CSV file, as [pagoinrete.Service.AddNotices]
// takes them. A row that is not valid is a [*flussi.RowError] with the row's number, and its
// [excel.CellErrors]; what is wrong with the file, such as that it is cut off or that it is
// an export, comes last, without a number, so that nothing is stored: an
// [*excel.FileError], or the context's error. The report may be nil; it is made anew each
// time the sequence is ranged over. See [excel.Template.Decode].
func (t *Template) Rows(ctx context.Context, r io.ReaderAt, size int64, report *excel.Report) iter.Seq2[pagoinrete.NoticeRow, error] {
	return excel.Map(t.imports.DecodeAny(ctx, r, size, report), func(line excel.Line[pagoinrete.NoticeDraft]) pagoinrete.NoticeRow {
		return pagoinrete.NoticeRow{Number: line.Number, Draft: line.Value}
	})
}

// Italian sums an import up for the office: what was created, the report of its reading, and the
// [pagoinrete.AddReport] of [pagoinrete.Service.AddNotices]. It begins with how many notices were
// created, or with what to do if none was. Errors that depend on the event, such as an instalment
// that it does not have, are at their columns. Of the errors and of the notes, no more than most
// are listed; 0 lists as many as the reports have. See [excel.Report.Italian].
//
// It is for an import that succeeded, and for one refused with an [*excel.FileError] or a
// [flussi.ErrRows]. For any other error show [flussi.Explain] instead: the reports do not have it,
// and after a [flussi.ErrCommitUnknown] they do not know what was stored.
func Italian(report *excel.Report, added pagoinrete.AddReport, most int) string {
	text := report.Italian(&excel.RowsError{Rows: added.Errors, Invalid: added.Invalid}, most)
	if first := created(report, added); first != "" {
		return first + "\n" + text
	}
	return text
}

// Annotate writes a copy of the office's own file with the errors and doubts of [Italian] marked,
// and with what it says was created. See [excel.Template.Annotate] for the errors.
func (t *Template) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, added pagoinrete.AddReport) error {
	all := report
	if report != nil {
		if first := created(report, added); first != "" {
			withFirst := *report
			withFirst.Hints = append([]string{first}, report.Hints...)
			switch {
			case added.Invalid == 0 || !report.Complete:
			case added.Notices > 0:
				withFirst.Hints = append(withFirst.Hints, alreadyImported)
			default:
				withFirst.Hints = append(withFirst.Hints, notImported)
			}
			all = &withFirst
		}
	}
	return t.imports.Annotate(ctx, w, r, size, all, &excel.RowsError{Rows: added.Errors, Invalid: added.Invalid})
}

// The hints in the copy of a file with errors, of which the other rows were stored, or nothing.
const (
	alreadyImported = "Gli avvisi delle righe senza errori sono già stati creati. Correggere le altre righe, togliere dalla copia quelle senza errori e importarla di nuovo."
	notImported     = "Neanche gli avvisi delle righe senza errori sono stati creati: si creano insieme agli altri, una volta corrette le righe."
)

// created says how many notices were created, or what to do if none was; "" if the reports do not
// tell.
func created(report *excel.Report, added pagoinrete.AddReport) string {
	const none = "Nessun avviso è stato creato"
	var file *excel.FileError
	switch {
	case added.Notices > 0:
		return "Avvisi creati: " + italian.Number(added.Notices) + "."
	case errors.As(report.Err, &file):
		return none + "."
	case added.Invalid > 0 && report.Complete:
		return none + ": correggere " + italian.Choose(added.Invalid, "la riga", "le righe") + " con errori e importare di nuovo il file."
	}
	return ""
}
