package paymentfile

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// errTooLong is what a source returns beyond a limit.
var errTooLong = errors.New("too long")

// source reads a document as UTF-8, byte by byte, and counts its lines and columns.
type source struct {
	r        *bufio.Reader
	encoding string
	first    byte     // of the document, after white space
	binary   bool     // the document begins as a signed one (PKCS #7)
	next     Position // of the next character
	tag      Position // of the last <
	budget   int      // bytes that may be read before the next call of refill
	ended    bool     // the end was reached
	err      error    // of reading, other than io.EOF; or errTooLong
}

// newSource detects the encoding of a document by its byte order mark or its XML declaration.
func newSource(r io.Reader, embedded bool) (*source, error) {
	s := &source{r: bufio.NewReaderSize(r, 64<<10), encoding: "UTF-8", next: Position{Line: 1, Column: 1, Embedded: embedded}}
	head, err := s.r.Peek(1024)
	if err != nil && err != io.EOF {
		return s, s.readError(err)
	}
	s.binary = len(head) > 1 && head[0] == 0x30 && head[1]&0x80 != 0 // a sequence with a long length
	var decoder *encoding.Decoder
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")):
		s.encoding, decoder = "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		s.encoding, decoder = "UTF-16", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder()
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		_, _ = s.r.Discard(3)
	default:
		var known bool
		if s.encoding, decoder, known = declared(head); !known {
			return s, newError(ErrEncoding, s.next)
		}
	}
	if decoder != nil {
		s.r = bufio.NewReaderSize(transform.NewReader(s.r, decoder), 64<<10)
	}
	// Peek fills the buffer with decoded text, so that white space does not hide what follows.
	if head, err = s.r.Peek(1024); err != nil && err != io.EOF {
		return s, s.readError(err)
	}
	if head = bytes.TrimLeft(head, " \t\r\n"); len(head) > 0 {
		s.first = head[0]
	}
	return s, nil
}

var declaration = regexp.MustCompile(`^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']`)

// declared returns the encoding that an XML declaration names, and how to decode it; nil for UTF-8.
func declared(head []byte) (string, *encoding.Decoder, bool) {
	if bytes.HasPrefix(head, []byte("<\x00")) || bytes.HasPrefix(head, []byte("\x00<")) {
		return "UTF-16", nil, false // without a byte order mark
	}
	found := declaration.FindSubmatch(head)
	if found == nil {
		return "UTF-8", nil, true
	}
	switch strings.ToLower(string(found[1])) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return "UTF-8", nil, true
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1":
		return "ISO-8859-1", charmap.ISO8859_1.NewDecoder(), true
	case "iso-8859-15", "iso8859-15", "iso_8859-15", "latin9", "latin-9":
		return "ISO-8859-15", charmap.ISO8859_15.NewDecoder(), true
	case "windows-1252", "cp1252":
		return "windows-1252", charmap.Windows1252.NewDecoder(), true
	}
	return "", nil, false
}

// refill sets how many more bytes may be read.
func (s *source) refill(budget int) { s.budget = budget }

// ReadByte reads a byte.
func (s *source) ReadByte() (byte, error) {
	if s.budget <= 0 {
		s.err = errTooLong
		return 0, s.err
	}
	b, err := s.r.ReadByte()
	if err != nil {
		if s.ended = err == io.EOF; !s.ended {
			s.err = err
		}
		return 0, err
	}
	s.budget--
	switch {
	case b == '<':
		s.tag = s.next
		s.next.Column++
	case b == '\n':
		s.next.Line, s.next.Column = s.next.Line+1, 1
	case b&0xC0 != 0x80: // not within a character
		s.next.Column++
	}
	return b, nil
}

// Read reads at most one byte. [xml.NewDecoder] requires the method, but calls ReadByte.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// readError converts an error of reading: a limit, a cut file, or an error of the reader.
func (s *source) readError(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return newError(ErrLimit, s.next)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return newError(ErrTruncated, s.next)
	case errors.As(err, new(base64.CorruptInputError)):
		return newError(ErrMalformed, s.next)
	}
	if broken := (*FileError)(nil); errors.As(err, &broken) {
		return broken
	}
	return &readError{s.next, err}
}

// readError is an error of the reader that the caller gave.
type readError struct {
	at  Position
	err error
}

func (e *readError) Error() string { return "paymentfile: read failed at " + e.at.String() }
func (e *readError) Unwrap() error { return e.err }

// capped is a reader that returns errTooLong after a number of bytes.
type capped struct {
	r    io.Reader
	left int64
}

// Read implements [io.Reader].
func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		// The file may end exactly here.
		if n, err := c.r.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, errTooLong
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
