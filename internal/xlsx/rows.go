package xlsx

import (
	"bytes"
	"errors"
	"io"
)

// Type is what a cell holds.
type Type uint8

// The types of cells. Cells that hold nothing are left out of rows.
const (
	Text          Type = iota + 1
	Number             // as the file writes it: decimal, with a point, perhaps an exponent
	Bool               // 1 or 0
	ISODate            // as 2025-02-28T00:00:00
	Error              // as #N/A
	NotCalculated      // a formula without a value
)

// Cell is a cell of a row.
type Cell struct {
	Column  int    // counted from 1
	Type    Type   // what it holds
	Format  Format // what it shows a number as
	Text    string // "" if it was not calculated
	Formula bool   // the text is what a formula came to
	from    int    // where the text begins in the row's buffer, −1 if it is a shared string
	to      int
}

// Row is a row of a sheet. Its cells are overwritten by the next one; their texts remain valid.
type Row struct {
	Number int    // counted from 1
	Hidden bool   // by a filter or by hand
	Cells  []Cell // in the order of the columns
}

// maxMerges is how many merged ranges a sheet may have.
const maxMerges = 100_000

// Rows reads the rows of one sheet in their order.
type Rows struct {
	Merges  []Range // known once Next has returned io.EOF
	LastRow int     // the last row so far, also if it holds nothing
	Extent  int     // the last columns of all rows so far, added up, also of cells that hold nothing

	book   *Book
	file   io.ReadCloser
	s      *scanner
	inData bool // inside sheetData
	data   bool // sheetData was seen
	text   []byte
}

// Rows opens a sheet. Close the result.
func (b *Book) Rows(sheet int) (*Rows, error) {
	part := worksheet(sheet)
	file, err := b.archive.open(b.archive.file(b.Sheets[sheet].part), part, b.archive.limits.Unpacked)
	if err != nil {
		return nil, err
	}
	return &Rows{book: b, file: file, s: newScanner(file, part, 64<<10)}, nil
}

// Close gives back what reading takes.
func (r *Rows) Close() error { return r.file.Close() }

// Next reads the next row that holds something into row. The error is io.EOF after
// the last row of a sheet that is complete, and otherwise a [*Fault] or the context's.
func (r *Rows) Next(row *Row) error {
	for {
		if err := r.s.next(); err != nil {
			if err == io.EOF && !r.data {
				return r.s.fail(ErrMalformed, "the sheet has no rows part")
			}
			return err
		}
		switch {
		case r.s.kind == endTag:
			r.inData = r.inData && r.s.depth != 1
		case r.s.kind == charData:
			if r.inData && !isBlank(r.s.text) {
				return r.fail(0, ErrMalformed, "text between the rows")
			}
			if err := r.s.checkText(); err != nil {
				return err
			}
		case r.inData && r.s.depth == 3 && !r.s.is("row"):
			return r.fail(0, ErrMalformed, "something else among the rows")
		case r.inData && r.s.depth == 3:
			if err := r.row(row); err != nil || len(row.Cells) > 0 {
				return err
			}
		case r.s.depth == 1 && !r.s.is("worksheet"):
			return r.s.fail(ErrMalformed, "the part is not a sheet")
		case r.s.depth == 2 && r.s.is("sheetData"):
			if r.data {
				return r.s.fail(ErrMalformed, "the sheet has its rows twice")
			}
			r.inData, r.data = true, true
		case r.s.depth == 3 && r.s.is("mergeCell"):
			if err := r.merge(); err != nil {
				return err
			}
		}
	}
}

func (r *Rows) merge() error {
	raw, _ := r.s.attribute("ref")
	merged, ok := parseRange(raw)
	if !ok {
		return r.s.fail(ErrMalformed, "a merged range that is none")
	}
	if len(r.Merges) == maxMerges {
		return r.s.fail(ErrLimit, "too many merged ranges")
	}
	r.Merges = append(r.Merges, merged)
	return nil
}

// fail makes a fault in a cell, or in a row if the column is 0.
func (r *Rows) fail(column int, err error, reason string) error {
	f := r.s.fail(err, reason)
	f.Row, f.Column = r.LastRow, column
	return f
}

// at adds the place in the sheet to a fault that the scanner found.
func (r *Rows) at(column int, err error) error {
	var f *Fault
	if errors.As(err, &f) && f.Row == 0 {
		f.Row, f.Column = r.LastRow, column
	}
	return err
}

// row reads the row whose start tag was the last token.
func (r *Rows) row(row *Row) error {
	number := r.LastRow + 1
	row.Hidden = false
	for _, a := range r.s.attributes {
		switch string(a.name) {
		case "r":
			n, ok := parseNumber(a.value, MaxRows)
			if !ok || n <= r.LastRow {
				return r.fail(0, ErrMalformed, "the next row has no number that comes after this one's")
			}
			number = n
		case "hidden":
			row.Hidden = row.Hidden || isTrue(a.value)
		case "ht":
			row.Hidden = row.Hidden || string(a.value) == "0"
		}
	}
	if number > MaxRows {
		return r.fail(0, ErrMalformed, "more rows than a sheet has")
	}
	r.LastRow = number
	row.Number = number
	row.Cells = row.Cells[:0]
	r.text = r.text[:0]
	column := 0
	for {
		if err := r.s.next(); err != nil {
			return r.at(0, err)
		}
		switch {
		case r.s.kind == endTag: // of the row
			r.Extent += column
			r.share(row)
			return nil
		case r.s.kind == charData:
			if !isBlank(r.s.text) {
				return r.fail(column, ErrMalformed, "text between the cells")
			}
		case !r.s.is("c") && !r.s.is("extLst"):
			return r.fail(column, ErrMalformed, "something else among the cells")
		case r.s.is("c"):
			var err error
			if column, err = r.cell(row, column); err != nil {
				return r.at(column, err)
			}
		default:
			if err := r.s.skip(); err != nil {
				return r.at(0, err)
			}
		}
	}
}

// share makes one string of the texts of a row, and gives each cell its part.
func (r *Rows) share(row *Row) {
	text := string(r.text)
	for i := range row.Cells {
		if c := &row.Cells[i]; c.from >= 0 {
			c.Text = text[c.from:c.to]
		}
	}
}

// isBlank reports whether a text is white space.
func isBlank(b []byte) bool {
	for _, c := range b {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

func isTrue(b []byte) bool { return string(b) == "1" || bytes.EqualFold(b, []byte("true")) }

// storage is how the file keeps the text of a cell.
type storage uint8

const (
	plainValue  storage = iota // in a v element
	sharedValue                // in the table of strings, by its index in a v element
	inlineValue                // in an is element
)

// cell reads the cell whose start tag was the last token, and returns its column.
func (r *Rows) cell(row *Row, last int) (column int, err error) {
	cell := Cell{Column: last + 1, Type: Number, from: len(r.text)}
	kept, err := r.cellAttributes(&cell, last)
	if err != nil {
		return cell.Column, err
	}
	if cell.Column > MaxColumns {
		return last, r.fail(last, ErrMalformed, "more columns than a sheet has")
	}
	valued, err := r.cellValue(&cell, kept)
	if err != nil {
		return cell.Column, err
	}
	if n := len(r.text); (cell.Type != Text || kept == sharedValue) && n > cell.from && (isSpace(r.text[cell.from]) || isSpace(r.text[n-1])) {
		text := bytes.TrimSpace(r.text[cell.from:])
		r.text = r.text[:cell.from+copy(r.text[cell.from:], text)]
	}
	text := r.text[cell.from:]
	cell.to = len(r.text)
	if len(text) == 0 {
		if !cell.Formula || cell.Type == Text && valued {
			return cell.Column, nil
		}
		cell.Type, kept = NotCalculated, plainValue
	}
	if err := r.judge(&cell, text, kept); err != nil {
		return cell.Column, err
	}
	if cell.from >= 0 || cell.Text != "" {
		row.Cells = append(row.Cells, cell)
	}
	return cell.Column, nil
}

// cellAttributes reads where a cell is, its format and its type.
func (r *Rows) cellAttributes(cell *Cell, last int) (kept storage, err error) {
	for _, a := range r.s.attributes {
		switch string(a.name) {
		case "r":
			column, row, ok := parseReference(a.value)
			if !ok || row != r.LastRow || column <= last {
				cell.Column = last
				return kept, r.fail(last, ErrMalformed, "the next cell has a reference that is not its place")
			}
			cell.Column = column
		case "s":
			style, ok := parseNumber(a.value, 1<<20)
			if !ok || style >= max(1, len(r.book.styles)) {
				return kept, r.fail(cell.Column, ErrMalformed, "the cell has a style that does not exist")
			}
			if style < len(r.book.styles) {
				cell.Format = r.book.styles[style]
			}
		case "t":
			switch string(a.value) {
			case "n":
			case "s":
				cell.Type, kept = Text, sharedValue
			case "str":
				cell.Type = Text
			case "inlineStr":
				cell.Type, kept = Text, inlineValue
			case "b":
				cell.Type = Bool
			case "e":
				cell.Type = Error
			case "d":
				cell.Type = ISODate
			default:
				return kept, r.fail(cell.Column, ErrMalformed, "the cell has a type that does not exist")
			}
		}
	}
	return kept, nil
}

// cellValue reads what is in a cell to its end tag, and reports whether it has an
// element with a value, if only an empty one.
func (r *Rows) cellValue(cell *Cell, kept storage) (valued bool, err error) {
	for depth := r.s.depth; ; {
		if err := r.s.next(); err != nil {
			return valued, err
		}
		if r.s.kind == endTag && r.s.depth < depth {
			return valued, nil
		}
		plain, inline := r.s.is("v"), r.s.is("is")
		switch {
		case r.s.kind == charData && isBlank(r.s.text):
			continue
		case r.s.kind == charData, (plain || inline) && valued, inline && kept != inlineValue:
			return valued, r.fail(cell.Column, ErrMalformed, "the cell has more than one value")
		case plain:
			from := len(r.text)
			r.text, err = r.s.elementText(r.text)
			if cell.Type == Text {
				r.text = r.text[:from+len(decodeEscapes(r.text[from:]))]
			}
		case inline:
			r.text, err = r.s.richText(r.text)
		default:
			cell.Formula = cell.Formula || r.s.is("f")
			err = r.s.skip()
		}
		if err != nil {
			return valued, err
		}
		valued = valued || plain || inline
	}
}

// judge checks what a cell holds, and finds its shared string.
func (r *Rows) judge(cell *Cell, text []byte, kept storage) error {
	switch {
	case cell.Column > r.book.archive.limits.Columns:
		return r.fail(cell.Column, ErrLimit, "the cell lies beyond the last column allowed")
	case kept == sharedValue:
		index, ok := parseNumber(text, 1<<31-1)
		if ok {
			cell.Text, ok = r.book.strings.get(index)
			cell.from = -1
		}
		if !ok {
			return r.fail(cell.Column, ErrMalformed, "the cell has a shared string that does not exist")
		}
	case !fits(text, r.book.archive.limits.Cell):
		return r.fail(cell.Column, ErrLimit, "the text of the cell is too long")
	case cell.Type == Number && !IsNumber(text):
		return r.fail(cell.Column, ErrMalformed, "the cell should hold a number, and does not")
	case cell.Type == Bool && string(text) != "0" && string(text) != "1":
		if !bytes.EqualFold(text, []byte("true")) && !bytes.EqualFold(text, []byte("false")) {
			return r.fail(cell.Column, ErrMalformed, "the cell should hold a truth value, and does not")
		}
		text[0] = '0'
		if len(text) == len("true") {
			text[0] = '1'
		}
		cell.to = cell.from + 1
	}
	return nil
}
