package excel

import (
	"bytes"
	"errors"
	"io"
)

// errLineEnds: the lines of a CSV file end in ways that contradict each other.
var errLineEnds = errors.New("line ends differ")

// ending is the way in which the lines of a file end.
type ending uint8

const (
	endUnknown ending = iota // no line has ended yet
	endLF                    // LF, perhaps behind any number of CRs
	endCR                    // CR alone
)

// lineEnds reads a text, and ends all of its lines with LF. Lines end with LF, CR LF, or CR
// alone; a text mode conversion of CR LF makes CR CR LF. Each CR ends a row, as in a
// spreadsheet, except the one before LF, so CR CR LF is a line end and a blank row. Within quotes,
// all CRs before an LF are one line break together with it, and each other CR is a line break.
//
// The first line end outside quotes shows whether lines end with CR alone. If a later line end
// differs, a CR may also be part of a value, so reading fails with errLineEnds.
type lineEnds struct {
	r      io.Reader
	buf    []byte
	rest   []byte // the part of buf that scan has not read yet
	quoted bool   // within quotes; in a well-formed file each quote toggles it
	style  ending
	held   int // CRs since the last other character
	owed   int // line ends that Read has to write
	line   int // line ends found so far
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

// fill reads more. CRs at the end of the text end its last line.
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

// end counts n line ends, and makes Read write them.
func (e *lineEnds) end(n int) {
	e.owed += n
	e.line += n
}

// scan reads some of what follows into p, and returns how many bytes it wrote.
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
		return 0 // Read writes the line ends first
	}
	plain := e.rest[:min(len(p), len(e.rest))]
	if i := bytes.IndexAny(plain, "\r\n"); i >= 0 {
		plain = plain[:i]
	}
	e.quoted = e.quoted != (bytes.Count(plain, []byte(`"`))%2 == 1)
	e.rest = e.rest[len(plain):]
	return copy(p, plain)
}

// feed counts the line ends of an LF and the CRs before it.
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

// alone counts the line ends of CRs that no LF follows.
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
