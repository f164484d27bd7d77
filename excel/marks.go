package excel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// finding is an error or a doubt about a cell of the operator's file.
type finding struct {
	ref    string // the cell at which it is marked
	place  string // what the list calls it
	header string
	text   string
	doubt  bool // the row was accepted anyway
}

// findings are what to report about a file, errors first.
func findings(report *Report, errs CellErrors) []finding {
	var all []finding
	add := func(e *CellError, text string, doubt bool) {
		f := finding{ref: fmt.Sprintf("%s%d", e.Column, e.Row), header: e.Header, text: text, doubt: doubt}
		f.place = f.ref
		switch {
		case e.Row == 0:
			f.ref, f.place = "A1", "File"
		case e.Column == "":
			f.ref, f.place = fmt.Sprintf("A%d", e.Row), fmt.Sprintf("Riga %d", e.Row)
		}
		all = append(all, f)
	}
	var file *FileError
	if errors.As(report.Err, &file) {
		for _, e := range file.Cells {
			add(e, flussi.Explain(e.Err), false)
		}
		if len(file.Cells) == 0 {
			add(&CellError{Row: file.Row, Column: file.Column}, file.Reason, false)
		}
	}
	for _, e := range errs {
		add(e, flussi.Explain(e.Err), false)
	}
	for _, n := range report.Notes {
		for _, w := range n.Warnings {
			add(&CellError{Row: n.Row, Column: n.Column, Header: n.Header}, flussi.Explain(w), true)
		}
	}
	return all
}

// The titles with which the comments of marks begin.
const (
	wrongTitle = "Da correggere"
	doubtTitle = "Da verificare"
)

// theirsTitle is in our comments, in a run of its own, before the author of the cell's own comment,
// whose runs follow.
const theirsTitle = "\n\nCommento di "

// annotator marks the cells of a workbook.
type annotator struct {
	b      *builder
	sheet  string
	fills  map[string]int         // by colour: the background
	styles map[string]map[int]int // by colour: by style, the same in that colour
	errors string                 // the name of the sheet with the list
}

func (t *Template[Row]) openAnnotator(data []byte, names []string, report *Report) (*annotator, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: t.config.Limits.UnpackedBytes, UnzipXMLSizeLimit: t.config.Limits.UnpackedBytes,
	})
	if err != nil {
		return nil, err
	}
	a := &annotator{b: &builder{f: f}, sheet: report.Sheet.Reveal(), styles: map[string]map[int]int{wrongColor: {}, doubtColor: {}}}
	if !slices.Contains(names, a.sheet) {
		a.sheet = names[0]
	}
	return a, nil
}

// clean takes off the marks of an earlier copy: our backgrounds, which no other program uses, our
// comments, and the list.
func (a *annotator) clean() {
	a.fills = map[string]int{}
	for _, color := range []string{wrongColor, doubtColor} {
		sample := a.b.style(&excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}})
		if a.b.err != nil {
			return
		}
		a.fills[color] = *a.b.f.Styles.CellXfs.Xf[sample].FillID
	}
	for i := range a.b.f.Styles.CellXfs.Xf {
		format := &a.b.f.Styles.CellXfs.Xf[i]
		if format.FillID != nil && (*format.FillID == a.fills[wrongColor] || *format.FillID == a.fills[doubtColor]) {
			format.FillID = ptr(0)
		}
	}
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	for _, c := range comments {
		runs := commentRuns(c)
		if c.Author != commentator || len(runs) == 0 || runs[0].Text != wrongTitle+"\n" && runs[0].Text != doubtTitle+"\n" {
			continue
		}
		a.b.do(a.b.f.DeleteComment(a.sheet, c.Cell))
		theirs := slices.IndexFunc(runs, func(r excelize.RichTextRun) bool { return strings.HasPrefix(r.Text, theirsTitle) })
		if theirs >= 0 {
			author := strings.TrimSuffix(strings.TrimPrefix(runs[theirs].Text, theirsTitle), ":\n")
			a.addComment(c.Cell, author, runs[theirs+1:])
		}
	}
	for _, name := range a.b.f.GetSheetList() {
		if name == a.sheet || !isErrorSheet(name) {
			continue
		}
		title, err := a.b.f.GetCellValue(name, "A1")
		a.b.do(err)
		if title == errorTitle {
			a.b.do(a.b.f.DeleteSheet(name))
		}
	}
}

// freeName returns a name for the list that no other sheet has.
func (a *annotator) freeName() string {
	names := a.b.f.GetSheetList()
	for n := 1; ; n++ {
		name := errorSheet
		if n > 1 {
			name = fmt.Sprintf("%s %d", errorSheet, n)
		}
		if !slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(name, other) }) {
			return name
		}
	}
}

// commentRuns returns what a comment says, as runs of text with their fonts.
func commentRuns(c excelize.Comment) []excelize.RichTextRun {
	if c.Text == "" {
		return c.Paragraph
	}
	return append([]excelize.RichTextRun{{Text: c.Text, Font: font(10, textColor)}}, c.Paragraph...)
}

// addComment adds a comment in a box of its size.
func (a *annotator) addComment(ref, author string, runs []excelize.RichTextRun) {
	var text strings.Builder
	for _, r := range runs {
		text.WriteString(r.Text)
	}
	a.b.do(a.b.f.AddComment(a.sheet, excelize.Comment{Author: author, Cell: ref, Width: 260, Height: commentHeight(text.String()), Paragraph: runs}))
}

// color gives a cell a background. It changes nothing else of the cell's style, which it copies as
// it is in the file.
func (a *annotator) color(ref, color string) {
	old, err := a.b.f.GetCellStyle(a.sheet, ref)
	a.b.do(err)
	if a.b.err != nil {
		return
	}
	id, known := a.styles[color][old]
	if !known {
		formats := a.b.f.Styles.CellXfs
		format := formats.Xf[old]
		format.FillID, format.ApplyFill = ptr(a.fills[color]), ptr(true)
		id = len(formats.Xf)
		formats.Xf = append(formats.Xf, format)
		formats.Count = len(formats.Xf)
		a.styles[color][old] = id
	}
	a.b.do(a.b.f.SetCellStyle(a.sheet, ref, ref, id))
}

// mark colours the cells with findings and says why.
func (a *annotator) mark(ctx context.Context, all []finding) {
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	theirs := map[string]excelize.Comment{}
	for _, c := range comments {
		theirs[c.Cell] = c
	}
	byCell := map[string][]finding{}
	var refs []string
	for _, f := range all {
		if byCell[f.ref] == nil {
			refs = append(refs, f.ref)
		}
		byCell[f.ref] = append(byCell[f.ref], f)
	}
	for _, ref := range refs {
		if ctx.Err() != nil {
			return
		}
		color, title := doubtColor, doubtTitle
		var texts []string
		for _, f := range byCell[ref] {
			if !f.doubt {
				color, title = wrongColor, wrongTitle
			}
			texts = append(texts, f.text)
		}
		a.color(ref, color)
		runs := []excelize.RichTextRun{
			{Font: boldFont(10, wrongText), Text: title + "\n"},
			{Font: font(10, textColor), Text: strings.Join(texts, "\n")},
		}
		if c, ok := theirs[ref]; ok {
			a.b.do(a.b.f.DeleteComment(a.sheet, ref))
			author := strings.Join(strings.Fields(c.Author), " ")
			runs = append(append(runs, excelize.RichTextRun{Font: boldFont(10, textColor), Text: theirsTitle + author + ":\n"}), commentRuns(c)...)
		}
		a.addComment(ref, commentator, runs)
	}
}

// summary says how many rows are right and wrong, above a list of some of the errors.
func (r *Report) summary(refused *RowsError, listed, more int) string {
	if r.Err != nil {
		return "Il file non è stato accettato: correggere prima gli errori seguenti."
	}
	right, wrong := r.counts(refused)
	text := fmt.Sprintf("Righe con errori: %s. Righe senza errori: %s.", italian.Number(wrong), italian.Number(right))
	if more > 0 {
		text += " " + moreErrors(listed, more)
	}
	return text
}

// list makes the sheet with all findings.
func (a *annotator) list(all []finding, summary string, hints []string) {
	b := a.b
	a.errors = a.freeName()
	_, err := b.f.NewSheet(a.errors)
	b.do(err)
	title := b.style(&excelize.Style{Font: boldFont(16, wrongText)})
	for i, width := range []float64{12, 30, 90} {
		b.do(b.f.SetColWidth(a.errors, xlsx.ColumnName(i+1), xlsx.ColumnName(i+1), width))
	}
	b.do(b.f.SetCellStr(a.errors, "A1", errorTitle))
	b.do(b.f.SetCellStyle(a.errors, "A1", "A1", title))
	b.do(b.f.SetCellStr(a.errors, "A2", summary))
	row := 3
	for _, hint := range hints {
		a.hint(row, hint)
		row++
	}
	row++
	doubts := slices.IndexFunc(all, func(f finding) bool { return f.doubt })
	if doubts < 0 {
		doubts = len(all)
	}
	a.table(&row, "Che cosa correggere", all[:doubts])
	if doubts < len(all) {
		row += 2
		a.table(&row, "Che cosa verificare (righe senza errori)", all[doubts:])
	}
	b.do(b.f.SetSheetView(a.errors, 0, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	b.do(b.f.SetPageLayout(a.errors, &excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), FitToWidth: ptr(1), FitToHeight: ptr(0)}))
	b.do(b.f.SetSheetProps(a.errors, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
	if index, err := b.f.GetSheetIndex(a.errors); err == nil {
		b.f.SetActiveSheet(index)
	}
}

// moreErrors says that a sheet lists only the first errors.
func moreErrors(listed, more int) string {
	if listed == 0 {
		return "Gli errori non sono elencati."
	}
	return italian.Choose(listed, "Qui è elencato il primo errore", "Qui sono elencati i primi "+italian.Number(listed)+" errori") +
		italian.Choose(more, ": ce n'è un altro.", ": ce ne sono altri "+italian.Number(more)+".")
}

// hint writes one of the report's Hints into a row, merged across the list's columns.
func (a *annotator) hint(row int, text string) {
	b := a.b
	first, last := xlsx.Reference(1, row), xlsx.Reference(3, row)
	b.do(b.f.SetCellStr(a.errors, first, text))
	b.do(b.f.MergeCell(a.errors, first, last))
	b.do(b.f.SetCellStyle(a.errors, first, last, b.style(&excelize.Style{
		Font: boldFont(11, textColor), Alignment: &excelize.Alignment{Vertical: "top", WrapText: true},
	})))
	b.do(b.f.SetRowHeight(a.errors, row, max(16, height(text, 130))))
}

// maxLinks is how many links Excel allows in a sheet.
const maxLinks = 65_000

// table writes findings with links to their cells.
func (a *annotator) table(row *int, what string, all []finding) {
	b := a.b
	if len(all) == 0 {
		return
	}
	head := b.style(&excelize.Style{
		Font: boldFont(11, headText),
		Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{headerColor}}, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "center"},
	})
	border := []excelize.Border{{Type: "bottom", Color: borderColor, Style: 1}}
	cell := b.style(&excelize.Style{Font: font(11, textColor), Border: border, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "top", WrapText: true}})
	link := b.style(&excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 11, Color: "0563C1", Underline: "single"}, Border: border, Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1, Vertical: "top"}})
	for i, header := range []string{"Cella", "Colonna", what} {
		ref := xlsx.Reference(i+1, *row)
		b.do(b.f.SetCellStr(a.errors, ref, header))
		b.do(b.f.SetCellStyle(a.errors, ref, ref, head))
	}
	for _, f := range all {
		*row++
		for i, value := range []string{f.place, f.header, f.text} {
			at := xlsx.Reference(i+1, *row)
			b.do(b.f.SetCellStr(a.errors, at, value))
			b.do(b.f.SetCellStyle(a.errors, at, at, []int{link, cell, cell}[i]))
		}
		if *row < maxLinks {
			b.do(b.f.SetCellHyperLink(a.errors, xlsx.Reference(1, *row), quoteSheet(a.sheet)+"!"+f.ref, "Location"))
		}
		b.do(b.f.SetRowHeight(a.errors, *row, max(16, height(f.text, 90))))
	}
}
