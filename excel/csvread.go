package excel

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// What a csvReader cannot read.
var (
	errLineEnds  = errors.New("line ends differ")
	errOpenQuote = errors.New("quotes do not close")
	errQuote     = errors.New("text behind a closing quote")
	errBlank     = errors.New("blanks before quotes, and a line break or a separator within")
)

// ending is the way in which the lines of a file end.
type ending uint8

const (
	endUnknown ending = iota // no line has ended yet
	endLF                    // LF, perhaps behind any number of CRs
	endCR                    // CR alone
)

// csvRecord is a record of a CSV file.
type csvRecord struct {
	fields []string
	row    int  // as a spreadsheet counts
	line   int  // on which it begins, as a text editor counts
	blanks int  // the first field with blanks around its quotes, counted from 1, 0 if none has
	open   bool // the file ends before its line
}

// csvReader splits a text in UTF-8 into records.
//
// A field that begins with a quote ends with one; quotes within are doubled. In any other field
// quotes are text, as in a spreadsheet. Blanks before the first quote or behind the last one do not
// say which of both is meant: the record is marked if it ends on the same line either way, and
// otherwise cannot be read.
//
// Lines end with LF, CR LF, or CR alone; a text mode conversion of CR LF makes CR CR LF. Each CR
// ends a row, as in a spreadsheet, except the one before LF, so CR CR LF is a line end and a blank
// row. Within quotes, all CRs before an LF are one line break together with it, and each other CR
// is a line break; all are read as LF. The first line end outside quotes shows whether lines end
// with CR alone. If a later line end differs, a CR may also be part of a value, so reading fails.
type csvReader struct {
	ctx       context.Context
	r         io.Reader
	separator byte
	limit     int // bytes and fields of a record

	buf   []byte
	rest  []byte // the part of buf that was not read yet
	err   error  // what follows rest
	text  []byte // the fields of the record
	ends  []int  // where each of them ends in text
	style ending
	row   int // that the next record begins
	line  int // that is being read
}

func newCSVReader(ctx context.Context, r io.Reader, separator rune, limit int) *csvReader {
	return &csvReader{ctx: ctx, r: r, separator: byte(separator), limit: limit, buf: make([]byte, 16<<10), row: 1, line: 1}
}

// next reads the next record that is not an empty line. Its fields remain valid.
func (c *csvReader) next(rec *csvRecord) error {
	for {
		b, err := c.peek()
		switch {
		case err != nil:
			return err
		case b == '\r' || b == '\n':
			n, err := c.lineEnd(false)
			if err != nil {
				return err
			}
			c.row += n
			continue
		}
		break
	}
	c.text, c.ends = c.text[:0], c.ends[:0]
	*rec = csvRecord{fields: rec.fields[:0], row: c.row, line: c.line}
	for {
		blanks, err := c.field()
		if err != nil && err != io.EOF {
			return err
		}
		c.ends = append(c.ends, len(c.text))
		if blanks && rec.blanks == 0 {
			rec.blanks = len(c.ends)
		}
		if len(c.text)+len(c.ends) > c.limit {
			return ErrLimit
		}
		if err == nil && c.rest[0] == c.separator {
			c.rest = c.rest[1:]
			continue
		}
		if rec.open = err == io.EOF; !rec.open {
			n, err := c.lineEnd(false)
			if err != nil {
				return err
			}
			c.row += n
		}
		text, from := string(c.text), 0
		for _, to := range c.ends {
			rec.fields = append(rec.fields, text[from:to])
			from = to
		}
		return nil
	}
}

// field reads a field up to the separator or the line end behind it, which is then the next byte,
// or to io.EOF. Blanks are reported around its quotes.
func (c *csvReader) field() (blanks bool, err error) {
	begin := len(c.text)
	if err := c.copyBlanks(); err != nil {
		return false, err
	}
	blanks = len(c.text) > begin
	b, err := c.peek()
	switch {
	case err != nil || b != '"':
		return false, c.copyUntil(c.separator, '\n', '\n')
	case blanks:
		return c.blankField()
	}
	c.rest = c.rest[1:]
	if err := c.quoted(); err != nil {
		return false, err
	}
	end := len(c.text)
	if err := c.copyBlanks(); err != nil {
		return len(c.text) > end, err
	}
	if b := c.rest[0]; b != c.separator && b != '\r' && b != '\n' {
		return false, errQuote
	}
	return len(c.text) > end, nil
}

// blankField reads a field with a quote behind blanks, as it stands, and reports whether a program
// may take it for one in quotes.
func (c *csvReader) blankField() (blanks bool, err error) {
	begin := len(c.text)
	inside, split := false, false // within quotes, if they are some; there is a separator within
	for {
		if err = c.copyUntil('"', c.separator, '\n'); err != nil && err != io.EOF {
			return false, err
		}
		switch {
		case err == io.EOF && inside:
			return false, errOpenQuote
		case err == io.EOF || !inside && c.rest[0] != '"':
			quoted := bytes.HasSuffix(bytes.TrimRight(c.text[begin:], " "), []byte(`"`))
			if split && !quoted {
				return false, errBlank
			}
			return quoted, err
		case c.rest[0] == '"':
			inside = !inside
		case c.rest[0] == c.separator:
			split = true
		default:
			return false, errBlank
		}
		c.text = append(c.text, c.rest[0])
		c.rest = c.rest[1:]
	}
}

// quoted reads a text up to its closing quote, and behind it.
func (c *csvReader) quoted() error {
	for {
		if err := c.copyUntil('"', '\n', '\n'); err == io.EOF {
			return errOpenQuote
		} else if err != nil {
			return err
		}
		if c.rest[0] != '"' {
			n, err := c.lineEnd(true)
			if err != nil {
				return err
			}
			for range n {
				c.text = append(c.text, '\n')
			}
			if len(c.text) > c.limit {
				return ErrLimit
			}
			continue
		}
		c.rest = c.rest[1:]
		b, err := c.peek()
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF || b != '"' {
			return nil
		}
		c.text = append(c.text, '"')
		c.rest = c.rest[1:]
	}
}

// lineEnd reads a line end, whose first byte is the next, and returns how many lines it ends.
func (c *csvReader) lineEnd(quoted bool) (n int, err error) {
	var b byte
	for {
		if b, err = c.peek(); err != nil || b != '\r' {
			break
		}
		c.rest = c.rest[1:]
		n++
	}
	style := endCR
	switch {
	case err == io.EOF: // CRs at the end of the text end its last line, whatever ends the others
		style = c.style
	case err != nil:
		return 0, err
	case b == '\n':
		c.rest = c.rest[1:]
		style = endLF
		if quoted || n == 0 {
			n = 1
		}
	}
	if !quoted {
		if c.style != endUnknown && c.style != style {
			return 0, errLineEnds
		}
		c.style = style
	}
	c.line += n
	return n, nil
}

// copyBlanks appends the blanks that come next to the text.
func (c *csvReader) copyBlanks() error {
	for {
		b, err := c.peek()
		if err != nil || b != ' ' {
			return err
		}
		c.text = append(c.text, b)
		c.rest = c.rest[1:]
	}
}

// copyUntil appends to the text what comes before one of three bytes, or before a CR. The error is
// io.EOF if none of them comes.
func (c *csvReader) copyUntil(first, second, third byte) error {
	for {
		if _, err := c.peek(); err != nil {
			return err
		}
		n := 0
		for n < len(c.rest) && c.rest[n] != first && c.rest[n] != second && c.rest[n] != third && c.rest[n] != '\r' {
			n++
		}
		c.text = append(c.text, c.rest[:n]...)
		if c.rest = c.rest[n:]; len(c.rest) > 0 {
			return nil
		}
		if len(c.text) > c.limit {
			return ErrLimit
		}
	}
}

// peek returns the next byte. The error is io.EOF at the end of the text.
func (c *csvReader) peek() (byte, error) {
	for len(c.rest) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if c.ctx.Err() != nil {
			return 0, context.Cause(c.ctx)
		}
		var n int
		n, c.err = c.r.Read(c.buf)
		c.rest = c.buf[:n]
	}
	return c.rest[0], nil
}

// isLast reports whether the line that is being read is the last one.
func (c *csvReader) isLast() bool {
	for {
		b, err := c.peek()
		if err != nil || b == '\n' || b == '\r' {
			return err == io.EOF
		}
		c.rest = c.rest[1:]
	}
}
