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
	Invalid            // what should be a number or a truth value, and is none, such as NaN
)

// Cell is a cell of a row.
type Cell struct {
	Column  int    // counted from 1
	Type    Type   // what it holds
	Format  Format // what it shows a number as
	Text    string // "" if it was not calculated
	Formula bool   // the text is what a formula came to
	Foreign bool   // of a formula that reads another file; the text is what it came to when saved
	from    int    // where the text begins in the row's buffer, −1 if it is a shared string
	to      int
}

// Row is a row of a sheet. Its cells are overwritten by the next one; their texts remain valid.
type Row struct {
	Number int    // counted from 1
	Hidden bool   // by a filter or by hand
	Cells  []Cell // in the order of the columns
	Flaw   error  // why a row of a CSV file cannot be read, whatever its cells hold
	Doubt  error  // what is doubtful about a row of a CSV file
}

// maxMerges is how many merged ranges a sheet may have.
const maxMerges = 100_000

// Rows reads the rows of one sheet in their order.
type Rows struct {
	Merges  []Range // known once Next has returned io.EOF
	LastRow int     // the last row so far, also if it holds nothing
	Extent  int     // the last columns of all rows so far, added up, also of cells that hold nothing
	Narrow  bool    // leave out cells beyond the last column allowed, instead of refusing the sheet

	book    *Book
	tab     int
	file    io.ReadCloser
	s       *scanner
	inData  bool  // inside sheetData
	data    bool  // sheetData was seen
	ahead   bool  // the scanner's token was not looked at yet
	err     error // what came behind the last row
	text    []byte
	foreign map[int]bool // the shared formulas that read other files, by their numbers
}

// Rows opens a sheet. Close the result.
func (b *Book) Rows(sheet int) (*Rows, error) {
	part := worksheet(sheet)
	file, err := b.archive.open(b.archive.file(b.Sheets[sheet].part), part, b.archive.limits.Unpacked)
	if err != nil {
		return nil, err
	}
	rows := &Rows{book: b, file: file, s: newScanner(file, part, 64<<10)}
	if len(b.Sheets)+len(b.Others) > 1 {
		rows.tab = b.Sheets[sheet].Tab
	}
	return rows, nil
}

// Close gives back what reading takes.
func (r *Rows) Close() error { return r.file.Close() }

// Next reads the next row that holds something into row. The error is io.EOF after
// the last row of a sheet that is complete, and otherwise a [*Fault] or the context's.
func (r *Rows) Next(row *Row) error {
	for {
		if err := r.token(); err != nil {
			if err == io.EOF && !r.data {
				err = r.s.fail(ErrMalformed, "the sheet has no rows part")
			}
			return r.inSheet(err)
		}
		switch {
		case r.s.kind == endTag:
			r.inData = r.inData && r.s.depth != 1
		case r.s.kind == charData:
			if r.inData && !isBlank(r.s.text) {
				return r.fail(0, ErrMalformed, "text between the rows")
			}
			if err := r.s.checkText(); err != nil {
				return r.inSheet(err)
			}
		case r.inData && r.s.depth == 3 && !r.s.is("row"):
			if err := r.pass("something else among the rows"); err != nil {
				return r.inSheet(err)
			}
		case r.inData && r.s.depth == 3:
			if err := r.row(row); err != nil || len(row.Cells) > 0 {
				return r.inSheet(err)
			}
		case r.s.depth == 1 && !r.s.is("worksheet"):
			return r.inSheet(r.s.fail(ErrMalformed, "the part is not a sheet"))
		case r.s.depth == 2 && r.s.is("sheetData"):
			if r.data {
				return r.inSheet(r.s.fail(ErrMalformed, "the sheet has its rows twice"))
			}
			r.inData, r.data = true, true
		case r.s.depth == 3 && r.s.is("mergeCell"):
			if err := r.merge(); err != nil {
				return r.inSheet(err)
			}
		}
	}
}

// token finds the next token, which may have been read ahead.
func (r *Rows) token() error {
	if r.ahead {
		r.ahead = false
		return r.err
	}
	return r.s.next()
}

// inSheet adds the tab of the sheet to a fault.
func (r *Rows) inSheet(err error) error {
	var f *Fault
	if err != nil && r.tab > 0 && errors.As(err, &f) {
		f.Tab = r.tab
	}
	return err
}

// pass leaves the element whose start tag was the last token, one that stands where it does not
// belong. It must not hold rows or cells, which would be lost; merged ranges are read.
func (r *Rows) pass(reason string) error {
	for depth := r.s.depth; ; {
		switch {
		case r.s.kind == endTag && r.s.depth < depth:
			return nil
		case r.s.is("row") || r.s.is("c") || r.s.is("sheetData"):
			return r.fail(0, ErrMalformed, reason)
		case r.s.is("mergeCell"):
			if err := r.merge(); err != nil {
				return err
			}
		case r.s.kind == charData:
			if err := r.s.checkText(); err != nil {
				return err
			}
		}
		if err := r.s.next(); err != nil {
			return r.at(0, err)
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

// row reads the row whose start tag was the last token, and the elements behind it that have the
// same number: some programs write one for each cell.
func (r *Rows) row(row *Row) error {
	number, hidden, err := r.rowAttributes()
	if err == nil && number <= r.LastRow {
		err = r.fail(0, ErrMalformed, "the next row has no number that comes after this one's")
	}
	if err != nil {
		return err
	}
	r.LastRow = number
	row.Number = number
	row.Hidden = hidden
	row.Cells = row.Cells[:0]
	r.text = r.text[:0]
	for column := 0; ; row.Hidden = row.Hidden || hidden {
		if column, err = r.cells(row, column); err != nil {
			return err
		}
		if number, hidden = r.rowAhead(); number == 0 {
			r.Extent += column
			r.share(row)
			return nil
		}
	}
}

// rowAhead reads ahead up to the next tag. If it starts the same row again, it returns its number,
// and otherwise 0. A fault there is kept until the row before it was taken.
func (r *Rows) rowAhead() (number int, hidden bool) {
	for {
		r.err = r.s.next()
		if r.err == nil && r.s.kind == charData && isBlank(r.s.text) {
			continue
		}
		r.ahead = true
		if r.err != nil || r.s.depth != 3 || !r.s.is("row") {
			return 0, false
		}
		if number, hidden, err := r.rowAttributes(); err == nil && number == r.LastRow {
			r.ahead = false
			return number, hidden
		}
		return 0, false
	}
}

// rowAttributes reads the number of the row whose start tag was the last token, and whether it is
// hidden.
func (r *Rows) rowAttributes() (number int, hidden bool, err error) {
	number = r.LastRow + 1
	for _, a := range r.s.attributes {
		switch string(a.name) {
		case "r":
			n, ok := parseNumber(a.value, MaxRows)
			if !ok {
				return 0, false, r.fail(0, ErrMalformed, "the next row has a number that is none")
			}
			number = n
		case "hidden":
			hidden = hidden || isTrue(a.value)
		case "ht":
			hidden = hidden || string(a.value) == "0"
		}
	}
	if number > MaxRows {
		return 0, false, r.fail(0, ErrMalformed, "more rows than a sheet has")
	}
	return number, hidden, nil
}

// cells reads the cells of a row element to its end tag, behind the column that was the last so
// far, and returns the last column.
func (r *Rows) cells(row *Row, column int) (last int, err error) {
	for {
		if err := r.s.next(); err != nil {
			return column, r.at(0, err)
		}
		switch {
		case r.s.kind == endTag: // of the row
			return column, nil
		case r.s.kind == charData:
			if !isBlank(r.s.text) {
				return column, r.fail(column, ErrMalformed, "text between the cells")
			}
		case r.s.is("c"):
			if column, err = r.cell(row, column); err != nil {
				return column, r.at(column, err)
			}
		case r.s.is("extLst"):
			if err := r.s.skip(); err != nil {
				return column, r.at(0, err)
			}
		default:
			if err := r.pass("something else among the cells"); err != nil {
				return column, err
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
	start := len(r.text)
	cell := Cell{Column: last + 1, Type: Number, from: start}
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
	if cell.Column > r.book.archive.limits.Columns {
		return cell.Column, r.beyond(&cell, start)
	}
	if cell.from >= 0 || cell.Text != "" {
		row.Cells = append(row.Cells, cell)
	}
	return cell.Column, nil
}

// beyond leaves out a cell beyond the last column allowed, whose text begins at start, or refuses
// it if it holds something.
func (r *Rows) beyond(cell *Cell, start int) error {
	text := r.text[start:]
	if cell.from < 0 {
		text = []byte(cell.Text)
	}
	if !r.Narrow && (cell.Type != Text || !isBlank(text)) {
		return r.fail(cell.Column, ErrColumns, "the cell lies beyond the last column allowed")
	}
	r.text = r.text[:start]
	return nil
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
			if len(a.value) == 0 { // as if it were not there
				continue
			}
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
	text, only := r.s.only("c", "<v>", "</v></c>")
	if !only && kept == inlineValue {
		text, only = r.s.only("c", "<is><t>", "</t></is></c>")
	}
	if only {
		r.text = append(r.text, text...)
		if cell.Type == Text {
			r.text = r.text[:cell.from+len(decodeEscapes(r.text[cell.from:]))]
		}
		return true, nil
	}
	inlined := false
	for depth := r.s.depth; ; {
		if err := r.s.next(); err != nil {
			return valued || inlined, err
		}
		if r.s.kind == endTag && r.s.depth < depth {
			return valued || inlined, nil
		}
		plain, inline := r.s.is("v"), r.s.is("is")
		switch {
		case r.s.kind == charData && isBlank(r.s.text):
			continue
		case r.s.kind == charData, plain && valued, inline && (inlined || kept != inlineValue):
			return valued, r.fail(cell.Column, ErrMalformed, "the cell has more than one value")
		case plain && inlined: // beside an inline string it does not count
			err = r.s.skip()
		case plain:
			r.text, err = r.s.elementText(r.text)
			if cell.Type == Text {
				r.text = r.text[:cell.from+len(decodeEscapes(r.text[cell.from:]))]
			}
		case inline:
			r.text, err = r.s.richText(r.text[:cell.from])
		case r.s.is("f"):
			cell.Formula = true
			err = r.formula(cell)
		default:
			err = r.s.skip()
		}
		if err != nil {
			return valued, err
		}
		valued, inlined = valued || plain, inlined || inline
	}
}

// maxForeign is how many shared formulas that read other files are remembered.
const maxForeign = 10_000

// formula leaves the formula whose start tag was the last token, and finds out whether it reads
// another file.
func (r *Rows) formula(cell *Cell) error {
	shared := -1
	if raw, ok := r.s.attribute("si"); ok {
		if n, ok := parseNumber(raw, 1<<31-1); ok {
			shared = n
		}
	}
	for depth := r.s.depth; ; {
		if err := r.s.next(); err != nil {
			return err
		}
		switch {
		case r.s.kind == endTag && r.s.depth < depth:
			switch {
			case shared < 0:
			case !cell.Foreign:
				cell.Foreign = r.foreign[shared]
			case len(r.foreign) < maxForeign:
				if r.foreign == nil {
					r.foreign = map[int]bool{}
				}
				r.foreign[shared] = true
			}
			return nil
		case r.s.kind == charData:
			if err := r.s.checkText(); err != nil {
				return err
			}
			cell.Foreign = cell.Foreign || readsFile(r.s.scratch)
		}
	}
}

// readsFile reports whether a formula reads another file, as in 1+[1]Foglio!A1, where the number is
// that of a link. Brackets behind a name, or around the last part of one, belong to the columns of
// a table.
func readsFile(formula []byte) bool {
	quoted := false // within a text
	for i, c := range formula {
		if c == '"' {
			quoted = !quoted
		}
		if c != '[' || quoted || i > 0 && formula[i-1] != '-' && formula[i-1] != ':' && nameBytes[formula[i-1]] {
			continue
		}
		length := bytes.IndexByte(formula[i:], ']')
		if length < 0 || i+length+1 == len(formula) || bytes.IndexByte([]byte("],:) "), formula[i+length+1]) >= 0 {
			continue
		}
		if _, ok := parseNumber(formula[i+1:i+length], 1<<20); ok {
			return true
		}
	}
	return false
}

// judge checks what a cell holds, and finds its shared string.
func (r *Rows) judge(cell *Cell, text []byte, kept storage) error {
	switch {
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
		cell.Type = Invalid
	case cell.Type == Bool && string(text) != "0" && string(text) != "1":
		if !bytes.EqualFold(text, []byte("true")) && !bytes.EqualFold(text, []byte("false")) {
			cell.Type = Invalid
			return nil
		}
		text[0] = '0'
		if len(text) == len("true") {
			text[0] = '1'
		}
		cell.to = cell.from + 1
	}
	return nil
}
