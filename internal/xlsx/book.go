// Package xlsx reads and writes the rows of workbooks in the Office Open XML format
// (ECMA-376), streaming, with our own scanner over the parts of the zip file. Reading
// checks that all of a part is there and well-formed: what is cut off or malformed is
// a [*Fault] with its place, never a short result. It reads what office software
// makes, formulas by their last value, and nothing but rows: fonts, charts and macros
// are not looked at.
//
// A [Book] and its [Rows] are for one goroutine each.
package xlsx

import (
	"context"
	"io"
	"path"
	"slices"
	"strings"
)

// Book is a workbook opened for reading.
type Book struct {
	Sheets     []Sheet           // in the order of the tabs, those that have rows
	Others     []string          // the names of the others: charts, dialogues, sheets of macros
	Date1904   bool              // dates are counted from 1 January 1904
	Properties map[string]string // the custom properties of the document

	archive *archive
	styles  []Format
	strings *stringTable
}

// Sheet is one sheet of rows.
type Sheet struct {
	Name   string // as its tab shows it
	Hidden bool   // the tab is not shown
	Tab    int    // its place among the tabs that are shown, counted from 1, 0 if it is hidden
	part   string
}

// Open reads everything of a workbook but its rows.
func Open(ctx context.Context, r io.ReaderAt, size int64, l Limits) (*Book, error) {
	a, err := openArchive(ctx, r, size, l)
	if err != nil {
		return nil, err
	}
	if err := checkBeginning(r); err != nil {
		return nil, err
	}
	b := &Book{archive: a}
	root, err := a.relationships("")
	if err != nil {
		return nil, err
	}
	book := root.ofType("officeDocument")
	if a.file(book) == nil {
		return nil, fault(Workbook, ErrMalformed, "the part is missing")
	}
	targets, err := a.relationships(book)
	if err != nil {
		return nil, err
	}
	if err := b.readWorkbook(book, targets); err != nil {
		return nil, err
	}
	// A link to a part that is not there matters only to the cells that refer to it.
	if part := targets.ofType("styles"); a.file(part) != nil {
		if b.styles, err = a.readStyles(part); err != nil {
			return nil, err
		}
	}
	if part := targets.ofType("sharedStrings"); a.file(part) != nil {
		if b.strings, err = a.readStrings(part); err != nil {
			return nil, err
		}
	}
	if part := root.ofType("custom-properties", "customProperties"); a.file(part) != nil {
		if err := b.readProperties(part); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// relationship is a link from one part to another.
type relationship struct{ id, kind, target string }

type relationships []relationship

// ofType returns the target of the first link of one of these kinds, "" if there is none.
func (rs relationships) ofType(kinds ...string) string {
	for _, r := range rs {
		if slices.Contains(kinds, r.kind) {
			return r.target
		}
	}
	return ""
}

// isFollowed reports whether the target of a kind of links is read.
func isFollowed(kind string) bool {
	switch kind {
	case "officeDocument", "worksheet", "styles", "sharedStrings", "custom-properties", "customProperties":
		return true
	}
	return false
}

// relationships reads the links of a part; those of the whole archive for "". Links to the outside
// of the file are left out. A link that leads out of the archive is refused if it would be
// followed, and otherwise has no target.
func (a *archive) relationships(of string) (relationships, error) {
	folder, name := path.Split(of)
	file := a.file(folder + "_rels/" + name + ".rels")
	if file == nil {
		return nil, fault(Relationships, ErrMalformed, "the part is missing")
	}
	var found relationships
	ids := map[string]bool{}
	return found, a.each(file, Relationships, maxSmallPart, func(s *scanner) error {
		if !s.is("Relationship") {
			return nil
		}
		var r relationship
		var mode string
		for name, value := range map[string]*string{"Id": &r.id, "Type": &r.kind, "Target": &r.target, "TargetMode": &mode} {
			var err error
			if *value, err = s.attributeText(name); err != nil {
				return err
			}
		}
		if ids[r.id] {
			return s.fail(ErrMalformed, "two links have the same name")
		}
		ids[r.id] = true
		r.kind = r.kind[strings.LastIndexByte(r.kind, '/')+1:]
		r.target = strings.ReplaceAll(r.target, `\`, "/")
		switch {
		case strings.EqualFold(mode, "External"):
			return nil
		case strings.HasPrefix(r.target, "/"):
			r.target = strings.TrimPrefix(path.Clean(r.target), "/")
		default:
			r.target = path.Join(folder, r.target)
		}
		if r.target == ".." || strings.HasPrefix(r.target, "../") {
			if isFollowed(r.kind) {
				return s.fail(ErrUnsafe, "a link leads out of the archive")
			}
			r.target = ""
		}
		found = append(found, r)
		return nil
	})
}

// maxSheets is how many sheets a workbook may have.
const maxSheets = 1000

func (b *Book) readWorkbook(name string, targets relationships) error {
	byID := map[string]relationship{}
	for _, r := range targets {
		byID[r.id] = r
	}
	names, parts := map[string]bool{}, map[string]bool{}
	tabs := 0
	return b.archive.each(b.archive.file(name), Workbook, maxSmallPart, func(s *scanner) error {
		if s.depth == 1 && !s.is("workbook") {
			return s.fail(ErrMalformed, "the part is not a workbook")
		}
		if s.is("workbookPr") && s.depth == 2 {
			value, err := s.attributeText("date1904")
			b.Date1904 = value == "1" || strings.EqualFold(value, "true") || strings.EqualFold(value, "on")
			return err
		}
		if !s.is("sheet") || s.depth != 3 {
			return nil
		}
		sheet, id, err := readSheet(s)
		if err != nil {
			return err
		}
		if !sheet.Hidden {
			tabs++
			sheet.Tab = tabs
		}
		link := byID[id]
		key := strings.ToLower(sheet.Name)
		switch {
		case len(b.Sheets)+len(b.Others) == maxSheets:
			return s.fail(ErrLimit, "too many sheets")
		case id == "", link.id != "" && link.kind != "worksheet": // old macro modules have no link
			b.Others = append(b.Others, sheet.Name)
			return nil
		case b.archive.file(link.target) == nil:
			f := fault(worksheet(len(b.Sheets)), ErrMalformed, "the part is missing")
			f.Tab = sheet.Tab
			return f
		case names[key] || parts[strings.ToLower(link.target)]:
			return s.fail(ErrMalformed, "two sheets have the same name or the same part")
		}
		sheet.part = link.target
		names[key], parts[strings.ToLower(link.target)] = true, true
		b.Sheets = append(b.Sheets, sheet)
		return nil
	})
}

// readSheet reads what the workbook says about a sheet, and the name of its link.
func readSheet(s *scanner) (sheet Sheet, id string, err error) {
	if sheet.Name, err = s.attributeText("name"); err != nil {
		return sheet, "", err
	}
	state, err := s.attributeText("state")
	if err != nil {
		return sheet, "", err
	}
	sheet.Hidden = state != "" && state != "visible"
	id, err = s.linkID()
	return sheet, id, err
}

// readProperties reads the document's custom properties.
func (b *Book) readProperties(name string) error {
	b.Properties = map[string]string{}
	var property string
	return b.archive.each(b.archive.file(name), Properties, maxSmallPart, func(s *scanner) error {
		var err error
		switch {
		case s.is("property"):
			property, err = s.attributeText("name")
		case s.is("lpwstr"):
			var text []byte
			if text, err = s.elementText(nil); err == nil {
				b.Properties[property] = string(text)
			}
		}
		return err
	})
}

// maxRaw is how many bytes the text of a cell may have before its escapes are resolved.
const maxRaw = 8 * MaxText

// elementText appends the text of the element whose start tag was the last token, and
// leaves the element; there must be no elements in it.
func (s *scanner) elementText(dst []byte) ([]byte, error) {
	from := len(dst)
	for {
		if err := s.next(); err != nil {
			return dst, err
		}
		switch s.kind {
		case endTag:
			return dst, nil
		case startTag:
			return dst, s.fail(ErrMalformed, "an element where only text can be")
		}
		var err error
		if dst, err = s.appendText(dst); err != nil {
			return dst, err
		}
		if len(dst)-from > maxRaw {
			return dst, s.fail(ErrLimit, "a text is too long for a cell")
		}
	}
}
