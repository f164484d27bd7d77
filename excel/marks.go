package excel

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/xlsx"
)

// finding is something to be told about a cell of the operator's file.
type finding struct {
	ref    string // the cell at which it is marked
	place  string // what the list calls it
	header string
	text   string
	doubt  bool // the row was accepted all the same
}

// findings are what a report has to tell, errors first.
func findings(report *Report) []finding {
	var all []finding
	add := func(e *CellError, text string, doubt bool) {
		f := finding{ref: fmt.Sprintf("%s%d", e.Column, e.Row), header: e.Header, text: text, doubt: doubt}
		f.place = f.ref
		if e.Column == "" {
			f.ref, f.place = fmt.Sprintf("A%d", max(e.Row, 1)), fmt.Sprintf("Riga %d", e.Row)
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
	for _, e := range report.Errors {
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

// theirsTitle stands in our comments before the author of the cell's own comment and
// what it said.
const theirsTitle = "\n\nCommento di "

// annotator marks the cells of a workbook.
type annotator struct {
	b      *builder
	sheet  string
	styles map[string]map[int]int // by colour, "" for none: by style, the same in that colour
	errors string                 // the name of the sheet with the list
}

func (t *Template[Row]) openAnnotator(data []byte, names []string, report *Report) (*annotator, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: t.config.Limits.UnpackedBytes, UnzipXMLSizeLimit: t.config.Limits.UnpackedBytes,
	})
	if err != nil {
		return nil, err
	}
	a := &annotator{b: &builder{f: f}, sheet: report.Sheet.Reveal(), styles: map[string]map[int]int{"": {}, wrongColor: {}, doubtColor: {}}}
	if !slices.Contains(names, a.sheet) {
		a.sheet = names[0]
	}
	return a, nil
}

// clean takes off the marks of an earlier copy.
func (a *annotator) clean() {
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	for _, c := range comments {
		text := commentText(c)
		if c.Author != commentator || !strings.HasPrefix(text, wrongTitle) && !strings.HasPrefix(text, doubtTitle) {
			continue
		}
		a.b.do(a.b.f.DeleteComment(a.sheet, c.Cell))
		a.color(c.Cell, "")
		if _, theirs, found := strings.Cut(text, theirsTitle); found {
			author, words, _ := strings.Cut(theirs, ":\n")
			a.b.do(a.b.f.AddComment(a.sheet, excelize.Comment{Author: author, Cell: c.Cell, Width: 260, Height: commentHeight(words),
				Paragraph: []excelize.RichTextRun{{Font: font(10, textColor), Text: words}}}))
		}
	}
	for _, name := range a.b.f.GetSheetList() {
		if name == a.sheet || !strings.HasPrefix(name, errorSheet) {
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

// commentText returns all that a comment says.
func commentText(c excelize.Comment) string {
	text := c.Text
	for _, run := range c.Paragraph {
		text += run.Text
	}
	return text
}

// color gives a cell a background, "" for none instead of one of ours. It changes
// nothing else of the cell's style, which it copies as it stands in the file.
func (a *annotator) color(ref, color string) {
	old, err := a.b.f.GetCellStyle(a.sheet, ref)
	a.b.do(err)
	id, known := a.styles[color][old]
	if !known {
		sample := a.b.style(&excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{wrongColor}}})
		doubt := a.b.style(&excelize.Style{Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{doubtColor}}})
		if a.b.err != nil {
			return
		}
		formats := a.b.f.Styles.CellXfs
		format := formats.Xf[old]
		ours := format.FillID != nil && slices.ContainsFunc([]int{sample, doubt}, func(id int) bool { return *formats.Xf[id].FillID == *format.FillID })
		switch {
		case color == wrongColor:
			format.FillID = formats.Xf[sample].FillID
		case color == doubtColor:
			format.FillID = formats.Xf[doubt].FillID
		case ours:
			format.FillID = ptr(0)
		}
		format.ApplyFill = ptr(true)
		id = len(formats.Xf)
		formats.Xf = append(formats.Xf, format)
		formats.Count = len(formats.Xf)
		a.styles[color][old] = id
	}
	a.b.do(a.b.f.SetCellStyle(a.sheet, ref, ref, id))
}

// mark colours the cells with findings and says why.
func (a *annotator) mark(all []finding) {
	comments, err := a.b.f.GetComments(a.sheet)
	a.b.do(err)
	theirs := map[string]string{}
	for _, c := range comments {
		theirs[c.Cell] = c.Author + ":\n" + commentText(c)
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
		color, title := doubtColor, doubtTitle
		var texts []string
		for _, f := range byCell[ref] {
			if !f.doubt {
				color, title = wrongColor, wrongTitle
			}
			texts = append(texts, f.text)
		}
		a.color(ref, color)
		a.comment(ref, title, strings.Join(texts, "\n"), theirs[ref])
	}
}

// comment adds a comment, before what the cell's own comment says.
func (a *annotator) comment(ref, title, text, theirs string) {
	paragraph := []excelize.RichTextRun{
		{Font: boldFont(10, wrongText), Text: title + "\n"},
		{Font: font(10, textColor), Text: text},
	}
	if theirs != "" {
		a.b.do(a.b.f.DeleteComment(a.sheet, ref))
		paragraph = append(paragraph, excelize.RichTextRun{Font: font(10, textColor), Text: theirsTitle + theirs})
		text += theirsTitle + theirs
	}
	a.b.do(a.b.f.AddComment(a.sheet, excelize.Comment{Author: commentator, Cell: ref, Width: 260, Height: commentHeight(text), Paragraph: paragraph}))
}

// list makes the sheet with all findings.
func (a *annotator) list(all []finding, report *Report) {
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
	summary := fmt.Sprintf("Righe con errori: %s. Righe corrette: %s.", thousands(report.Wrong), thousands(report.Rows))
	if report.MoreErrors > 0 {
		summary += fmt.Sprintf(" Qui sono elencati i primi %s errori: ce ne sono altri %s.", thousands(len(report.Errors)), thousands(report.MoreErrors))
	}
	if report.Err != nil {
		summary = "Il file non è stato accettato."
	}
	b.do(b.f.SetCellStr(a.errors, "A2", summary))
	row := 4
	doubts := slices.IndexFunc(all, func(f finding) bool { return f.doubt })
	if doubts < 0 {
		doubts = len(all)
	}
	a.table(&row, "Che cosa correggere", all[:doubts])
	if doubts < len(all) {
		row += 2
		a.table(&row, "Che cosa verificare (le righe sono accettate)", all[doubts:])
	}
	b.do(b.f.SetSheetView(a.errors, 0, &excelize.ViewOptions{ShowGridLines: ptr(false)}))
	b.do(b.f.SetPageLayout(a.errors, &excelize.PageLayoutOptions{Size: ptr(9), Orientation: ptr("landscape"), FitToWidth: ptr(1), FitToHeight: ptr(0)}))
	b.do(b.f.SetSheetProps(a.errors, &excelize.SheetPropsOptions{FitToPage: ptr(true)}))
	if index, err := b.f.GetSheetIndex(a.errors); err == nil {
		b.f.SetActiveSheet(index)
	}
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
