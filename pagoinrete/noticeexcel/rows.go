package noticeexcel

import (
	"context"
	"io"
	"iter"

	"github.com/flussi-go/flussi/excel"
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

// Italian sums an import up for the office: the report of its reading, and the
// [pagoinrete.AddReport] of [pagoinrete.Service.AddNotices]. Errors that depend on the event, such
// as an instalment that it does not have, are at their columns. Of the errors and of the notes, no
// more than most are listed; 0 lists as many as the reports have. See [excel.Report.Italian].
func Italian(report *excel.Report, added pagoinrete.AddReport, most int) string {
	return report.Italian(&excel.RowsError{Rows: added.Errors, Invalid: added.Invalid}, most)
}

// Annotate writes a copy of the office's own file with the errors and doubts of [Italian] marked.
// See [excel.Template.Annotate] for the errors.
func (t *Template) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *excel.Report, added pagoinrete.AddReport) error {
	return t.imports.Annotate(ctx, w, r, size, report, &excel.RowsError{Rows: added.Errors, Invalid: added.Invalid})
}
