package xlsx

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
)

// tokenKind is what a scanner has found.
type tokenKind uint8

const (
	startTag tokenKind = iota + 1
	endTag             // also after an empty-element tag
	charData           // raw: not unescaped unless it was CDATA
)

// maxToken is how long a tag or a text may be in the file. A cell's text has at most
// 32,767 code units, each at most 8 bytes when escaped.
const maxToken = 1 << 20

// maxName and maxAttributes bound a tag.
const (
	maxName       = 256
	maxAttributes = 256
)

// maxDepth is how deep elements may be nested.
const maxDepth = 256

// scanner splits an XML part into tags and texts as its bytes come, with the memory
// of the longest token. It checks that the part is well-formed and complete, knows no
// document types, and takes the local names of elements only.
type scanner struct {
	r    io.Reader
	part Part

	buf         []byte // the window
	pos, filled int    // what of it is not handed out yet
	base        int64  // where the window begins in the part
	eof         bool
	depth       int
	names       []byte // the full names of the open elements, one after the other
	ends        []int  // where each begins in names
	closing     bool   // an empty-element tag still has to be closed
	rooted      bool   // the root element was seen
	declared    bool   // the first token was seen
	kind        tokenKind
	name        []byte // of a tag, without prefix
	attributes  []attribute
	text        []byte
	cdata       bool
	scratch     []byte // for checking what is passed over
}

func newScanner(r io.Reader, part Part, size int) *scanner {
	return &scanner{r: r, part: part, buf: make([]byte, size)}
}

// fail makes a fault here.
func (s *scanner) fail(err error, reason string) *Fault {
	return &Fault{Part: s.part, Offset: s.base + int64(s.pos), Err: err, Reason: reason}
}

// fill reads more into the window, which grows up to maxToken.
func (s *scanner) fill() error {
	if s.eof {
		return io.EOF
	}
	if s.pos > 0 {
		s.base += int64(s.pos)
		s.filled = copy(s.buf, s.buf[s.pos:s.filled])
		s.pos = 0
	}
	if s.filled == len(s.buf) {
		if len(s.buf) >= maxToken {
			return s.fail(ErrLimit, "a tag or text is too long")
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.filled:])
		s.filled += n
		switch {
		case err == io.EOF:
			s.eof = true
			if n == 0 {
				return io.EOF
			}
			return nil
		case err != nil:
			return s.readFault(err)
		case n > 0:
			return nil
		}
	}
	return s.readFault(io.ErrNoProgress)
}

// readFault judges an error of the unpacking reader.
func (s *scanner) readFault(err error) error {
	var f *Fault
	var c *contextError
	if errors.As(err, &f) {
		return err
	}
	if errors.As(err, &c) {
		return c.cause
	}
	class, reason := ErrMalformed, "the packed data cannot be read"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		class, reason = ErrTruncated, "the packed data end too early"
	}
	f = s.fail(class, reason)
	f.Offset = s.base + int64(s.filled)
	f.Cause = err
	return f
}

// truncated is the fault of a part that ends inside something.
func (s *scanner) truncated() error {
	s.pos = s.filled
	return s.fail(ErrTruncated, "the part ends too early")
}

// more reads more because something is not complete yet.
func (s *scanner) more() error {
	err := s.fill()
	if err == io.EOF {
		return s.truncated()
	}
	return err
}

// index finds b from offset from of the window on, reading as far as needed.
func (s *scanner) index(b string, from int) (int, error) {
	for {
		if i := bytes.Index(s.buf[s.pos+from:s.filled], []byte(b)); i >= 0 {
			return from + i, nil
		}
		from = max(from, s.filled-s.pos-len(b)+1)
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// next finds the next tag or text; io.EOF after the end of a complete part.
func (s *scanner) next() error {
	if s.closing {
		s.closing = false
		return s.pop()
	}
	for {
		if s.pos == s.filled {
			err := s.fill()
			if err == io.EOF && s.rooted && s.depth == 0 {
				return io.EOF
			}
			if err == io.EOF {
				return s.truncated()
			}
			if err != nil {
				return err
			}
			continue
		}
		if !s.declared {
			if err := s.encoding(); err != nil {
				return err
			}
			continue
		}
		if s.buf[s.pos] != '<' {
			found, err := s.characters()
			if found || err != nil {
				return err
			}
			continue
		}
		for s.filled-s.pos < 2 {
			if err := s.more(); err != nil {
				return err
			}
		}
		switch s.buf[s.pos+1] {
		case '/':
			return s.end()
		case '?':
			if err := s.skipTo("?>"); err != nil {
				return err
			}
		case '!':
			found, err := s.markup()
			if found || err != nil {
				return err
			}
		default:
			return s.start()
		}
	}
}

// encoding looks at the very first bytes: a byte order mark, and what the XML
// declaration says. A part is in UTF-8 or in UTF-16.
func (s *scanner) encoding() error {
	if err := s.atLeast(5); err != nil {
		return err
	}
	s.declared = true
	window := s.buf[s.pos:s.filled]
	allowed := []string{"utf-8", "us-ascii"}
	if order := utf16Order(window); order != nil {
		allowed = []string{"utf-16"}
		s.r = &utf16Reader{r: io.MultiReader(bytes.NewReader(bytes.Clone(window)), s.r), order: order}
		s.pos, s.filled, s.eof = 0, 0, false
	}
	if err := s.atLeast(5); err != nil {
		return err
	}
	if window = s.buf[s.pos:s.filled]; bytes.HasPrefix(window, []byte("\xEF\xBB\xBF")) {
		s.pos += 3
		if err := s.atLeast(5); err != nil {
			return err
		}
	}
	if !bytes.HasPrefix(s.buf[s.pos:s.filled], []byte("<?xml")) {
		return nil
	}
	length, err := s.index("?>", 5)
	if err != nil {
		return err
	}
	declaration := strings.ToLower(string(s.buf[s.pos : s.pos+length]))
	if _, name, ok := strings.Cut(declaration, "encoding"); ok {
		name = strings.Trim(name, " \t\r\n='\"")
		if !slices.ContainsFunc(allowed, func(encoding string) bool { return strings.HasPrefix(name, encoding) }) {
			return s.fail(ErrMalformed, "the part is not in the encoding that it declares")
		}
	}
	s.pos += length + 2
	return nil
}

// atLeast reads on until so many bytes are in the window.
func (s *scanner) atLeast(n int) error {
	for s.filled-s.pos < n {
		if err := s.more(); err != nil {
			return err
		}
	}
	return nil
}

// characters takes the text up to the next tag; white space outside the root element
// is nothing.
func (s *scanner) characters() (found bool, err error) {
	from := 0
	for {
		i := bytes.IndexByte(s.buf[s.pos+from:s.filled], '<')
		if i >= 0 {
			s.text = s.buf[s.pos : s.pos+from+i]
			break
		}
		from = s.filled - s.pos
		if err := s.fill(); err == io.EOF && s.depth > 0 {
			return false, s.truncated()
		} else if err == io.EOF {
			s.text = s.buf[s.pos:s.filled]
			break
		} else if err != nil {
			return false, err
		}
	}
	if s.depth == 0 {
		if len(bytes.TrimSpace(s.text)) > 0 {
			return false, s.fail(ErrMalformed, "text outside the root element")
		}
		s.pos += len(s.text)
		return false, nil
	}
	s.pos += len(s.text)
	s.kind, s.cdata = charData, false
	return true, nil
}

// skipTo skips what ends with mark.
func (s *scanner) skipTo(mark string) error {
	length, err := s.index(mark, 2)
	if err != nil {
		return err
	}
	s.pos += length + len(mark)
	return nil
}

// markup takes what begins with "<!": a comment, CDATA, or a document type.
func (s *scanner) markup() (found bool, err error) {
	if err := s.atLeast(4); err != nil {
		return false, err
	}
	if !bytes.HasPrefix(s.buf[s.pos:s.filled], []byte("<!--")) {
		if err := s.atLeast(9); err != nil {
			return false, err
		}
	}
	window := s.buf[s.pos:s.filled]
	switch {
	case bytes.HasPrefix(window, []byte("<!--")):
		length, err := s.index("-->", 4)
		if err != nil {
			return false, err
		}
		s.pos += length + 3
		return false, nil
	case bytes.HasPrefix(window, []byte("<![CDATA[")) && s.depth > 0:
		length, err := s.index("]]>", 9)
		if err != nil {
			return false, err
		}
		s.text = s.buf[s.pos+9 : s.pos+length]
		s.pos += length + 3
		s.kind, s.cdata = charData, true
		return true, nil
	case bytes.HasPrefix(window, []byte("<!DOCTYPE")):
		return false, s.fail(ErrUnsafe, "the part has a document type definition")
	}
	return false, s.fail(ErrMalformed, "markup that is not XML")
}

// is reports whether the token is the start of an element.
func (s *scanner) is(name string) bool { return s.kind == startTag && string(s.name) == name }

// skip leaves the element whose start tag was the last token.
func (s *scanner) skip() error {
	for depth := s.depth; ; {
		if err := s.next(); err != nil {
			return err
		}
		switch {
		case s.kind == endTag && s.depth < depth:
			return nil
		case s.kind == charData:
			if err := s.checkText(); err != nil {
				return err
			}
		}
	}
}

// only reads the whole element whose start tag was the last token, if it consists of open, a text
// without escapes, and shut, which includes the end tag. It returns the text. It is a fast path for
// the form that most programs write. If it reports false, it read nothing, and the caller reads the
// element token by token.
func (s *scanner) only(name, open, shut string) (text []byte, ok bool) {
	window := s.buf[s.pos:s.filled]
	if s.closing || string(s.names[s.ends[s.depth-1]:]) != name || !begins(window, open) {
		return nil, false
	}
	window = window[len(open):]
	length, valid := unescaped(window)
	if !valid || !begins(window[length:], shut) {
		return nil, false
	}
	s.pos += len(open) + length + len(shut)
	return window[:length], s.pop() == nil
}

func begins(b []byte, with string) bool { return len(b) >= len(with) && string(b[:len(with)]) == with }

// checkText checks a text that is not used, so that the whole part is checked.
func (s *scanner) checkText() (err error) {
	s.scratch, err = s.appendText(s.scratch[:0])
	return err
}

// appendText appends the text of a charData token to dst, unescaped.
func (s *scanner) appendText(dst []byte) ([]byte, error) {
	if s.cdata {
		if !validText(s.text) {
			return dst, s.fail(ErrMalformed, "a character that XML does not allow")
		}
		return append(dst, s.text...), nil
	}
	dst, ok := appendUnescaped(dst, s.text)
	if !ok {
		return dst, s.fail(ErrMalformed, "a text that cannot be read")
	}
	return dst, nil
}
