package noticeexcel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/excel"
	"github.com/flussi-go/flussi/pagoinrete"
)

// Rows reads the rows of a workbook or a CSV file, as [pagoinrete.Service.AddNotices]
// takes them. A row that is wrong is an error with the row's number, in which there is an
// [*excel.RowError]; what is wrong with the file, such as that it is cut off or that it is
// an export, comes last, without a number, so that nothing is stored: an
// [*excel.FileError], or the context's error. The report may be nil; it is made anew each
// time the sequence is ranged over. See [excel.Template.Decode].
func (t *Template) Rows(ctx context.Context, r io.ReaderAt, size int64, report *excel.Report) iter.Seq2[pagoinrete.NoticeRow, error] {
	return func(yield func(pagoinrete.NoticeRow, error) bool) {
		for line, err := range t.imports.DecodeAny(ctx, r, size, report) {
			var wrong *excel.RowError
			if errors.As(err, &wrong) {
				err = &rowError{wrong}
			}
			if !yield(pagoinrete.NoticeRow{Number: line.Number, Draft: line.Value}, err) {
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

// Complete enters into the report of a file what [pagoinrete.Service.AddNotices] found
// besides: rows that it refused, such as duplicates and what the event does not permit. Then
// [excel.Report.Italian] tells everything and [Template.Annotate] marks it. Call it once,
// with what became of the rows that made the report.
func Complete(report *excel.Report, added pagoinrete.AddReport) {
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
}
