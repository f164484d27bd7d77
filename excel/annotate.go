package excel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// Annotate writes a copy of the operator's own file in which each wrong cell of the
// report is coloured and has a comment that says why, with a sheet "Errori" that
// lists all errors with links to their cells. The values, formulas and formats of the
// file stay as they are; marks of an earlier copy are taken off. The file and the
// report are those of a [Template.Decode] or [Template.DecodeCSV] that read the file
// to its end or came to wrong headers; of a CSV file the copy is a workbook with the
// same rows.
//
// Only the errors that the report holds are marked, see [Limits.Errors]; the sheet
// says how many more there are. The copy is made in memory: a file whose rows go
// beyond [Limits.AnnotatedRows] is refused with [ErrLimit]. The error is a
// [*FileError], the context's or w's.
func (t *Template[Row]) Annotate(ctx context.Context, w io.Writer, r io.ReaderAt, size int64, report *Report) error {
	data, names, err := t.whole(ctx, r, size, report)
	if err != nil {
		return fileError(err)
	}
	a, err := t.openAnnotator(data, names, report)
	if err != nil {
		return err
	}
	a.clean()
	a.mark(report)
	a.list(report)
	if err := context.Cause(ctx); err != nil {
		return errors.Join(err, a.b.f.Close())
	}
	if a.b.err == nil {
		a.b.do(a.b.f.Write(w))
	}
	a.b.do(a.b.f.Close())
	if a.b.err != nil {
		return fmt.Errorf("excel: write annotated copy: %w", a.b.err)
	}
	return nil
}

// whole reads a file once more, to be sure that it is one that the workbook engine
// reads to its end, and returns it as a workbook.
func (t *Template[Row]) whole(ctx context.Context, r io.ReaderAt, size int64, report *Report) (data []byte, names []string, err error) {
	format, err := Identify(r, size)
	switch {
	case err != nil:
		return nil, nil, err
	case format != report.Format || format != Workbook && format != CSV:
		return nil, nil, formatError(format, Workbook)
	case size > t.config.Limits.FileBytes:
		return nil, nil, &FileError{Format: format, Err: ErrLimit, Reason: "Il file è troppo grande per essere commentato."}
	case format == CSV:
		return t.csvAsBook(ctx, r, size)
	}
	book, err := xlsx.Open(r, size, t.xlsxLimits())
	if err != nil {
		return nil, nil, err
	}
	for i, sheet := range book.Sheets {
		names = append(names, sheet.Name)
		rows, err := book.Rows(ctx, i)
		if err != nil {
			return nil, nil, err
		}
		if err := errors.Join(t.count(rows), rows.Close()); err != nil {
			return nil, nil, err
		}
	}
	data = make([]byte, size)
	if _, err := r.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, nil, err
	}
	return data, names, nil
}

// count reads all rows and refuses more than can be held in memory.
func (t *Template[Row]) count(rows rowSource) error {
	var row xlsx.Row
	for {
		switch err := rows.Next(&row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case row.Number > t.config.Limits.AnnotatedRows:
			return t.tooManyRows()
		}
	}
}

func (t *Template[Row]) tooManyRows() error {
	return &FileError{Format: Workbook, Row: t.config.Limits.AnnotatedRows, Err: ErrLimit,
		Reason: fmt.Sprintf("Il file ha più di %s righe: è troppo grande per essere commentato.", thousands(t.config.Limits.AnnotatedRows))}
}

// csvAsBook makes a workbook of text cells of a CSV file.
func (t *Template[Row]) csvAsBook(ctx context.Context, r io.ReaderAt, size int64) (data []byte, names []string, err error) {
	text, err := detectText(ctx, r, size)
	if err != nil {
		return nil, nil, err
	}
	separator, _, err := t.separate(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	rows := text.rows(ctx, separator, t.config.Limits)
	f := excelize.NewFile()
	defer closing(f.Close, &err)
	sheet := t.config.Sheet
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return nil, nil, err
	}
	style, err := f.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return nil, nil, err
	}
	var row xlsx.Row
	for {
		switch err := rows.Next(&row); {
		case err == io.EOF:
			var buf bytes.Buffer
			err := f.Write(&buf)
			return buf.Bytes(), []string{sheet}, err
		case err != nil:
			return nil, nil, err
		case row.Number > t.config.Limits.AnnotatedRows:
			return nil, nil, t.tooManyRows()
		}
		for _, cell := range row.Cells {
			ref := xlsx.Reference(cell.Column, row.Number)
			if err := errors.Join(f.SetCellStr(sheet, ref, cell.Text), f.SetCellStyle(sheet, ref, ref, style)); err != nil {
				return nil, nil, err
			}
		}
	}
}

// annotator marks the cells of a workbook.
type annotator struct {
	b     *builder
	sheet string
	red   map[int]int // by style: the same in red
	plain map[int]int // by style: the same without red
}

func (t *Template[Row]) openAnnotator(data []byte, names []string, report *Report) (*annotator, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: t.config.Limits.UnpackedBytes, UnzipXMLSizeLimit: t.config.Limits.UnpackedBytes,
	})
	if err != nil {
		return nil, &FileError{Format: Workbook, Err: ErrMalformed, Cause: err, Reason: "Il file non può essere commentato: aprirlo con Excel o LibreOffice e salvarlo di nuovo."}
	}
	sheet := report.Sheet.Reveal()
	if !slices.Contains(names, sheet) {
		sheet = names[0]
	}
	return &annotator{b: &builder{f: f}, sheet: sheet, red: map[int]int{}, plain: map[int]int{}}, nil
}

// clean takes off the marks of an earlier copy.
func (a *annotator) clean() {
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	for _, c := range comments {
		if c.Author == commentator && strings.HasPrefix(c.Text, markTitle) {
			a.b.do(a.b.f.DeleteComment(a.sheet, c.Cell))
			a.restyle(c.Cell, a.plain, func(s *excelize.Style) {
				if len(s.Fill.Color) > 0 && strings.EqualFold(s.Fill.Color[0], wrongColor) {
					s.Fill = excelize.Fill{}
				}
			})
		}
	}
	if index, err := a.b.f.GetSheetIndex(errorSheet); err == nil && index >= 0 {
		a.b.do(a.b.f.DeleteSheet(errorSheet))
	}
}

// restyle gives a cell the style that change makes of its own.
func (a *annotator) restyle(ref string, known map[int]int, change func(*excelize.Style)) {
	old, err := a.b.f.GetCellStyle(a.sheet, ref)
	a.b.do(err)
	id, ok := known[old]
	if !ok {
		style, err := a.b.f.GetStyle(old)
		a.b.do(err)
		if style == nil {
			return
		}
		change(style)
		id = a.b.style(style)
		known[old] = id
	}
	a.b.do(a.b.f.SetCellStyle(a.sheet, ref, ref, id))
}

// markTitle begins the comments of marks.
const markTitle = "Da correggere"

// mark colours the wrong cells and says why.
func (a *annotator) mark(report *Report) {
	texts := map[string][]string{}
	var refs []string
	for _, e := range report.Errors {
		ref := a.reference(e)
		if texts[ref] == nil {
			refs = append(refs, ref)
		}
		text := flussi.Explain(e.Err)
		if e.Column == "" && e.Header != "" {
			text = e.Header + ": " + text
		}
		texts[ref] = append(texts[ref], text)
	}
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	own := map[string]excelize.Comment{}
	for _, c := range comments {
		own[c.Cell] = c
	}
	for _, ref := range refs {
		a.restyle(ref, a.red, func(s *excelize.Style) {
			s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{wrongColor}}
		})
		a.comment(ref, strings.Join(texts[ref], "\n"), own)
	}
}

// reference is the cell at which an error is marked: its own, or the first of its row.
func (a *annotator) reference(e *CellError) string {
	if e.Column == "" {
		return fmt.Sprintf("A%d", e.Row)
	}
	return fmt.Sprintf("%s%d", e.Column, e.Row)
}

// comment adds a comment, behind what the cell's own comment says.
func (a *annotator) comment(ref, text string, own map[string]excelize.Comment) {
	paragraph := []excelize.RichTextRun{
		{Font: &excelize.Font{Family: "Calibri", Size: 10, Bold: true, Color: wrongText}, Text: markTitle + "\n"},
		{Font: &excelize.Font{Family: "Calibri", Size: 10}, Text: text},
	}
	if c, ok := own[ref]; ok {
		a.b.do(a.b.f.DeleteComment(a.sheet, ref))
		paragraph = append(paragraph, excelize.RichTextRun{Font: &excelize.Font{Family: "Calibri", Size: 10, Italic: true}, Text: "\n" + c.Text})
		text += "\n" + c.Text
	}
	a.b.do(a.b.f.AddComment(a.sheet, excelize.Comment{Author: commentator, Cell: ref, Width: 260, Height: commentHeight(text), Paragraph: paragraph}))
}

// list makes the sheet with all errors.
func (a *annotator) list(report *Report) {
	b := a.b
	_, err := b.f.NewSheet(errorSheet)
	b.do(err)
	title := b.style(&excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 16, Bold: true, Color: wrongText}})
	head := b.style(&excelize.Style{
		Font: &excelize.Font{Family: "Calibri", Size: 11, Bold: true, Color: "FFFFFF"},
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{headerColor}}, Alignment: &excelize.Alignment{Vertical: "center"},
	})
	border := []excelize.Border{{Type: "bottom", Color: borderColor, Style: 1}}
	cell := b.style(&excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 11}, Border: border, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}})
	link := b.style(&excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 11, Color: "0563C1", Underline: "single"}, Border: border, Alignment: &excelize.Alignment{Vertical: "top"}})
	for i, width := range []float64{10, 30, 90} {
		b.do(b.f.SetColWidth(errorSheet, xlsx.ColumnName(i+1), xlsx.ColumnName(i+1), width))
	}
	b.do(b.f.SetCellStr(errorSheet, "A1", "Errori da correggere"))
	b.do(b.f.SetCellStyle(errorSheet, "A1", "A1", title))
	summary := fmt.Sprintf("Righe con errori: %s. Righe corrette: %s.", thousands(report.Wrong), thousands(report.Rows))
	if report.MoreErrors > 0 {
		summary += fmt.Sprintf(" Qui i primi %s errori; gli altri sono %s.", thousands(len(report.Errors)), thousands(report.MoreErrors))
	}
	b.do(b.f.SetCellStr(errorSheet, "A2", summary))
	row := 4
	if report.Err != nil {
		b.do(b.f.SetCellStr(errorSheet, "A3", flussi.Explain(report.Err)))
		row++
	}
	for i, header := range []string{"Cella", "Colonna", "Che cosa correggere"} {
		ref := xlsx.Reference(i+1, row)
		b.do(b.f.SetCellStr(errorSheet, ref, header))
		b.do(b.f.SetCellStyle(errorSheet, ref, ref, head))
	}
	b.do(b.f.SetPanes(errorSheet, &excelize.Panes{Freeze: true, YSplit: row, TopLeftCell: fmt.Sprintf("A%d", row+1), ActivePane: "bottomLeft"}))
	for _, e := range report.Errors {
		row++
		ref := a.reference(e)
		text := flussi.Explain(e.Err)
		for i, value := range []string{ref, e.Header, text} {
			at := xlsx.Reference(i+1, row)
			b.do(b.f.SetCellStr(errorSheet, at, value))
			b.do(b.f.SetCellStyle(errorSheet, at, at, []int{link, cell, cell}[i]))
		}
		b.do(b.f.SetCellHyperLink(errorSheet, fmt.Sprintf("A%d", row), quoteSheet(a.sheet)+"!"+ref, "Location"))
		b.do(b.f.SetRowHeight(errorSheet, row, math.Max(16, height(text, 90))))
	}
	b.do(b.f.SetSheetView(errorSheet, 0, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	b.do(b.f.SetPageLayout(errorSheet, &excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), FitToWidth: ptr(1), FitToHeight: ptr(0)}))
	b.do(b.f.SetSheetProps(errorSheet, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
	if index, err := b.f.GetSheetIndex(errorSheet); err == nil {
		b.f.SetActiveSheet(index)
	}
}
