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
	row    int    // of the cell
	whole  bool   // it is about the row as a whole
	place  string // what the list calls it
	header string
	text   string
	doubt  bool // the row was accepted anyway
}

// findings are what to report about a file, errors first.
func findings(report *Report, errs CellErrors) []finding {
	var all []finding
	add := func(e *CellError, text string, doubt bool) {
		f := finding{ref: fmt.Sprintf("%s%d", e.Column, e.Row), row: e.Row, whole: e.Row > 0 && e.Column == "", header: e.Header, text: text, doubt: doubt}
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
	wrongTitle    = "Da correggere"
	doubtTitle    = "Da verificare"
	wrongRowTitle = "Riga da correggere"
	doubtRowTitle = "Riga da verificare"
)

// isMarkTitle reports whether a comment that begins with the text is ours.
func isMarkTitle(text string) bool {
	return slices.Contains([]string{wrongTitle, doubtTitle, wrongRowTitle, doubtRowTitle}, strings.TrimSuffix(text, "\n"))
}

// theirsTitle is in our comments, in a run of its own, before the author of the cell's own comment,
// whose runs follow.
const theirsTitle = "\n\nCommento di "

// annotator marks the cells of a workbook.
type annotator struct {
	b      *builder
	sheet  string
	first  int                    // the first column of a row
	last   int                    // the last one; 0 if the columns are not known
	head   int                    // the row with the headers, whose cells are not coloured lightly
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
	a := &annotator{b: &builder{f: f}, sheet: report.Sheet.Reveal(), styles: map[string]map[int]int{}, head: report.HeaderRow}
	a.first, a.last = report.places.span()
	if !slices.Contains(names, a.sheet) {
		a.sheet = names[0]
	}
	return a, nil
}

// clean takes off the marks of an earlier copy: our backgrounds, which no other program uses, our
// comments, and the list.
func (a *annotator) clean() {
	a.fills = map[string]int{}
	ours := map[int]bool{}
	for _, color := range markColors() {
		sample := a.b.style(&excelize.Style{Fill: fill(color)})
		if a.b.err != nil {
			return
		}
		a.fills[color], a.styles[color] = *a.b.f.Styles.CellXfs.Xf[sample].FillID, map[int]int{}
		ours[a.fills[color]] = true
	}
	for i := range a.b.f.Styles.CellXfs.Xf {
		format := &a.b.f.Styles.CellXfs.Xf[i]
		if format.FillID != nil && ours[*format.FillID] {
			format.FillID = ptr(0)
		}
	}
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	for _, c := range comments {
		runs := commentRuns(c)
		if c.Author != commentator || len(runs) == 0 || !isMarkTitle(runs[0].Text) {
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

// isLight reports whether the text of a cell is white, as in our headers.
func (a *annotator) isLight(ref string) bool {
	id, err := a.b.f.GetCellStyle(a.sheet, ref)
	a.b.do(err)
	style, err := a.b.f.GetStyle(id)
	return err == nil && style.Font != nil && strings.EqualFold(style.Font.Color, headText)
}

// tint gives the rows with findings a light background, red if something in them is wrong. It leaves
// out the cells that get a strong one, and those that have one of their own, unless there is a
// finding about the whole row.
func (a *annotator) tint(ctx context.Context, all []finding) {
	colors := map[int]string{}
	whole := map[int]bool{}
	strong := map[string]bool{}
	for _, f := range all {
		strong[f.ref] = strong[f.ref] || !f.whole
		whole[f.row] = whole[f.row] || f.whole
		switch {
		case f.row == 0 || f.row == a.head:
		case !f.doubt:
			colors[f.row] = wrongRow
		case colors[f.row] == "":
			colors[f.row] = doubtRow
		}
	}
	for row, color := range colors {
		if ctx.Err() != nil {
			return
		}
		for column := a.first; column <= a.last; column++ {
			ref := xlsx.Reference(column, row)
			if !strong[ref] && (whole[row] || !a.isFilled(ref)) {
				a.color(ref, color)
			}
		}
	}
}

// isFilled reports whether a cell has a background. The formats have two of their own, the first of
// which is none.
func (a *annotator) isFilled(ref string) bool {
	id, err := a.b.f.GetCellStyle(a.sheet, ref)
	a.b.do(err)
	if a.b.err != nil {
		return false
	}
	format := a.b.f.Styles.CellXfs.Xf[id]
	return format.FillID != nil && *format.FillID > 0
}

// mark colours the cells with findings and says why.
func (a *annotator) mark(ctx context.Context, all []finding) {
	a.tint(ctx, all)
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
		color, title, rowTitle := doubtColor, doubtTitle, doubtRowTitle
		whole := a.last > 0 // nothing is about the cell alone
		var texts []string
		for _, f := range byCell[ref] {
			if !f.doubt {
				color, title, rowTitle = wrongColor, wrongTitle, wrongRowTitle
			}
			whole = whole && f.whole && f.row != a.head
			texts = append(texts, f.text)
		}
		if whole {
			title = rowTitle
		} else {
			if byCell[ref][0].row == a.head && a.isLight(ref) {
				color = darkColor
			}
			a.color(ref, color)
		}
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
	s := b.pageStyles()
	for i, width := range listWidths {
		b.do(b.f.SetColWidth(a.errors, xlsx.ColumnName(i+1), xlsx.ColumnName(i+1), width))
	}
	b.do(b.f.SetCellStr(a.errors, "A1", errorTitle))
	b.do(b.f.SetCellStyle(a.errors, "A1", "A1", s.warning))
	row := 1
	paragraph := func(text string, style int) {
		row++
		first, last := xlsx.Reference(1, row), xlsx.Reference(len(listWidths), row)
		b.do(b.f.SetCellStr(a.errors, first, text))
		b.do(b.f.MergeCell(a.errors, first, last))
		b.do(b.f.SetCellStyle(a.errors, first, last, style))
		b.do(b.f.SetRowHeight(a.errors, row, float64(height(lines(text, listWidths[0]+listWidths[1]+listWidths[2])))))
	}
	paragraph(summary, s.plain)
	for _, hint := range hints {
		paragraph(hint, s.bold)
	}
	row += 2
	head := row
	doubts := slices.IndexFunc(all, func(f finding) bool { return f.doubt })
	if doubts < 0 {
		doubts = len(all)
	}
	a.table(&row, s, "Che cosa correggere", all[:doubts])
	if doubts < len(all) {
		if doubts > 0 {
			row += 2
		}
		a.table(&row, s, "Che cosa verificare (righe senza errori)", all[doubts:])
	}
	b.printText(a.errors, listWidths[:], float64(row)*2*lineHeight, head)
	if index, err := b.f.GetSheetIndex(a.errors); err == nil {
		b.f.SetActiveSheet(index)
	}
}

// listWidths are the widths of the columns of the list.
var listWidths = [...]float64{12, 30, 90}

// moreErrors says that a sheet lists only the first errors.
func moreErrors(listed, more int) string {
	if listed == 0 {
		return "Gli errori non sono elencati."
	}
	return italian.Choose(listed, "Qui è elencato il primo errore", "Qui sono elencati i primi "+italian.Number(listed)+" errori") +
		italian.Choose(more, ": ce n'è un altro.", ": ce ne sono altri "+italian.Number(more)+".")
}

// maxLinks is how many links Excel allows in a sheet.
const maxLinks = 65_000

// table writes findings with links to their cells.
func (a *annotator) table(row *int, s pageStyles, what string, all []finding) {
	b := a.b
	if len(all) == 0 {
		return
	}
	for i, header := range []string{"Cella", "Colonna", what} {
		ref := xlsx.Reference(i+1, *row)
		b.do(b.f.SetCellStr(a.errors, ref, header))
		b.do(b.f.SetCellStyle(a.errors, ref, ref, s.head))
	}
	for _, f := range all {
		*row++
		for i, value := range []string{f.place, f.header, f.text} {
			at := xlsx.Reference(i+1, *row)
			b.do(b.f.SetCellStr(a.errors, at, value))
			b.do(b.f.SetCellStyle(a.errors, at, at, []int{s.link, s.cell, s.cell}[i]))
		}
		if *row < maxLinks {
			b.do(b.f.SetCellHyperLink(a.errors, xlsx.Reference(1, *row), quoteSheet(a.sheet)+"!"+a.target(f), "Location"))
		}
		b.do(b.f.SetRowHeight(a.errors, *row, float64(height(max(lines(f.text, listWidths[2]), lines(f.header, listWidths[1]))))))
	}
}

// target returns what the link of a finding selects: its cell, or its row.
func (a *annotator) target(f finding) string {
	if f.whole && a.last > 0 {
		return xlsx.Reference(a.first, f.row) + ":" + xlsx.Reference(a.last, f.row)
	}
	return f.ref
}
