package excel

import (
	"bytes"
	"errors"
	"io"
)

// errLineEnds: the lines of a CSV file end in ways that contradict each other.
var errLineEnds = errors.New("line ends differ")

// ending is how the lines of a file end.
type ending uint8

const (
	endUnknown ending = iota // no line has ended yet
	endLF                    // LF, perhaps behind any number of CRs
	endCR                    // CR alone
)

// lineEnds reads a text, and ends all of its lines with LF. There are three ways to end a line:
// LF, CR LF, and CR alone; a text mode conversion that is applied to CR LF makes CR CR LF of it.
// As in a spreadsheet each CR ends a row, but for the one before LF, so that CR CR LF is followed
// by a blank row. Within quotes any number of CRs before LF is one line break, and a CR alone is
// another.
//
// The first line tells whether CR alone ends lines. Where that does not hold for the others, a CR
// may as well be a part of a value, so it is refused with errLineEnds.
type lineEnds struct {
	r      io.Reader
	buf    []byte // of what was read
	rest   []byte // of it, that was not looked at
	quoted bool   // within quotes; in a file that is well formed each quote changes that
	style  ending
	held   int // CRs that were read, of which it is not known yet what they are
	owed   int // line ends to be written
	line   int // line ends that were found: the line is the next one
	err    error
}

func newLineEnds(r io.Reader) *lineEnds { return &lineEnds{r: r, buf: make([]byte, 4096)} }

func (e *lineEnds) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case e.owed > 0:
			p[n] = '\n'
			n++
			e.owed--
		case len(e.rest) > 0 && e.err != errLineEnds:
			n += e.scan(p[n:])
		case n > 0:
			return n, nil
		case e.err != nil:
			return 0, e.err
		default:
			e.fill()
		}
	}
	return n, nil
}

// fill reads more. What ends the text ends its last line.
func (e *lineEnds) fill() {
	n, err := e.r.Read(e.buf)
	e.rest, e.err = e.buf[:n], err
	if err == io.EOF && n == 0 {
		e.end(e.held)
		e.held = 0
	} else if n > 0 && err == io.EOF {
		e.err = nil // until there is nothing more
	}
}

// end notes that lines end.
func (e *lineEnds) end(n int) {
	e.owed += n
	e.line += n
}

// scan takes some of the rest, and returns how much of it was written.
func (e *lineEnds) scan(p []byte) int {
	switch c := e.rest[0]; {
	case c == '\r':
		e.held++
		e.rest = e.rest[1:]
		return 0
	case c == '\n':
		e.rest = e.rest[1:]
		e.feed()
		return 0
	case e.held > 0:
		e.alone()
		return 0 // what is owed comes first
	}
	plain := e.rest[:min(len(p), len(e.rest))]
	if i := bytes.IndexAny(plain, "\r\n"); i >= 0 {
		plain = plain[:i]
	}
	e.quoted = e.quoted != (bytes.Count(plain, []byte(`"`))%2 == 1)
	e.rest = e.rest[len(plain):]
	return copy(p, plain)
}

// feed judges a LF and the CRs before it.
func (e *lineEnds) feed() {
	switch {
	case e.quoted:
		e.end(1)
	case e.style == endCR:
		e.err = errLineEnds
		return
	default:
		e.style = endLF
		e.end(max(e.held, 1))
	}
	e.held = 0
}

// alone judges CRs that no LF follows.
func (e *lineEnds) alone() {
	switch {
	case e.quoted:
	case e.style == endLF:
		e.err = errLineEnds
		return
	default:
		e.style = endCR
	}
	e.end(e.held)
	e.held = 0
}
