package excel

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/flussi-go/flussi/internal/xlsx"
)

// Book says what a workbook of several sheets is. Only the Name is required.
type Book struct {
	Name    string   // what is listed, in Italian, such as "Riconciliazione"
	Version int      // of the sheets and their columns; raise it when they change; default 1
	Intro   string   // the first paragraph of the guide sheet, in Italian
	Hints   []string // the paragraphs below Intro, in Italian
}

// Sheet is a sheet of a workbook of several sheets, made by [Template.Sheet]: a template and its
// rows.
type Sheet struct {
	name   string
	defect string
	colors []Color
	build  func(*builder) looks
	guide  func(g *guide, first int) (head int)
	fill   func(context.Context, *xlsx.Writer, *looks) error
}

// Sheet returns the template and its rows as a sheet for [EncodeSheets]. The template has to be one
// with [Config.Export].
func (t *Template[Row]) Sheet(rows iter.Seq2[Row, error]) Sheet {
	s := Sheet{name: t.config.Sheet, colors: t.colors(), build: t.buildSheet}
	if !t.config.Export {
		s.defect = "is no export"
	}
	for i := range t.columns {
		if t.columns[i].needsList() {
			s.defect = fmt.Sprintf("has more choices in %q than a check holds", t.columns[i].header)
		}
	}
	s.guide = func(g *guide, first int) int {
		g.space()
		g.paragraph("Foglio «"+t.config.Sheet+"»", g.bold)
		g.rules(t.config.Intro, t.config.Hints)
		return t.explain(g, first)
	}
	s.fill = func(ctx context.Context, w *xlsx.Writer, l *looks) error { return t.encodeRows(ctx, w, l, rows) }
	return s
}

// EncodeSheets writes a workbook of several sheets for people to read, such as a report, with one
// guide for all of them. The sheets stand in their order, and their rows are written as they stream
// past, as [Template.Encode] does: those of the last sheet first, then those of the one before it.
// So a first sheet can sum up what the others were given. Names of sheets must differ.
//
// The error is a [*TemplateError] for sheets that do not go together, or one of Encode.
func EncodeSheets(ctx context.Context, w io.Writer, book Book, sheets ...Sheet) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := checkSheets(book, sheets); err != nil {
		return err
	}
	data, looks, err := makeBook(book, sheets)
	if err != nil {
		return err
	}
	fill := make([]func(*xlsx.Writer) error, len(sheets))
	for i := range sheets {
		fill[i] = func(writer *xlsx.Writer) error { return sheets[i].fill(ctx, writer, &looks[i]) }
	}
	return encodeError(fillSheets(data, w, fill...))
}

// checkSheets refuses sheets that do not go together.
func checkSheets(book Book, sheets []Sheet) error {
	e := &TemplateError{Name: book.Name}
	defect := func(format string, args ...any) { e.Defects = append(e.Defects, fmt.Sprintf(format, args...)) }
	if strings.TrimSpace(book.Name) == "" {
		defect("Book.Name is empty")
	}
	if book.Version < 0 {
		defect("Book.Version is %d", book.Version)
	}
	if len(sheets) == 0 {
		defect("there are no sheets")
	}
	names := map[string]bool{}
	for i, s := range sheets {
		name := strings.ToLower(s.name)
		switch {
		case s.fill == nil:
			defect("sheet %d was not made by Template.Sheet", i+1)
		case s.defect != "":
			defect("sheet %d %q %s", i+1, s.name, s.defect)
		case names[name]:
			defect("sheet %d has the name %q of another one", i+1, s.name)
		}
		names[name] = true
	}
	if len(e.Defects) > 0 {
		return e
	}
	return nil
}

// makeBook makes the workbook without rows, and the styles of each sheet.
func makeBook(book Book, sheets []Sheet) (data []byte, made []looks, err error) {
	b := newBuilder()
	defer closing(b.f.Close, &err)
	b.do(b.f.SetSheetName(firstSheet, sheets[0].name))
	for _, s := range sheets[1:] {
		_, err := b.f.NewSheet(s.name)
		b.do(err)
	}
	var colors []Color
	for _, s := range sheets {
		made = append(made, s.build(b))
		colors = append(colors, s.colors...)
	}
	g := b.newGuide(true, book.Name, book.Intro, book.Hints, colors)
	head, first := 0, 0
	for _, s := range sheets {
		row := s.guide(g, first)
		if head == 0 {
			head = row
		}
		first += len(s.colors)
	}
	b.printText(guideSheet, g.widths(), g.depth, head)
	data, err = b.finish(book.Name, fmt.Sprintf("%s, versione %d", book.Name, max(book.Version, 1)))
	return data, made, err
}
