package xlsx

import (
	"bytes"
	"errors"
	"io"
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
}

// attribute has its full name, since one with a prefix means something else.
type attribute struct{ name, value []byte }

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
// declaration says.
func (s *scanner) encoding() error {
	for s.filled-s.pos < 5 {
		if err := s.more(); err != nil {
			return err
		}
	}
	s.declared = true
	window := s.buf[s.pos:s.filled]
	if window[0] == 0xFE || window[0] == 0xFF || window[0] == 0 || window[1] == 0 {
		return s.fail(ErrMalformed, "the part is not in UTF-8")
	}
	if bytes.HasPrefix(window, []byte("\xEF\xBB\xBF")) {
		s.pos += 3
		for s.filled-s.pos < 5 {
			if err := s.more(); err != nil {
				return err
			}
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
		if !strings.HasPrefix(name, "utf-8") && !strings.HasPrefix(name, "us-ascii") {
			return s.fail(ErrMalformed, "the part is not in UTF-8")
		}
	}
	s.pos += length + 2
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
	atLeast := func(n int) error {
		for s.filled-s.pos < n {
			if err := s.more(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := atLeast(4); err != nil {
		return false, err
	}
	if !bytes.HasPrefix(s.buf[s.pos:s.filled], []byte("<!--")) {
		if err := atLeast(9); err != nil {
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

// start takes a start tag or an empty-element tag.
func (s *scanner) start() error {
	for {
		length, complete, err := s.parseTag(s.buf[s.pos+1 : s.filled])
		switch {
		case err != nil:
			return err
		case !complete:
			if err := s.more(); err != nil {
				return err
			}
			continue
		case s.depth == 0 && s.rooted:
			return s.fail(ErrMalformed, "a second root element")
		case s.depth == maxDepth:
			return s.fail(ErrLimit, "elements are nested too deep")
		}
		s.rooted = true
		s.depth++
		s.ends = append(s.ends, len(s.names))
		s.names = append(s.names, s.name...)
		s.pos += 1 + length
		s.kind, s.name = startTag, local(s.name)
		return nil
	}
}

// parseTag parses a start tag behind its bracket: its name, its attributes, whether
// it closes itself. It returns how long the tag is, unless b ends before it does.
func (s *scanner) parseTag(b []byte) (length int, complete bool, err error) {
	s.closing = false
	s.attributes = s.attributes[:0]
	i := 0
	for i < len(b) && !isSpace(b[i]) && b[i] != '>' && b[i] != '/' && b[i] != '<' {
		i++
	}
	s.name = b[:i]
	switch {
	case i == 0:
		return 0, false, s.fail(ErrMalformed, "a tag without a name")
	case i > maxName:
		return 0, false, s.fail(ErrLimit, "a name is too long")
	}
	for {
		gap := i
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		switch {
		case i == len(b):
			return 0, false, nil
		case b[i] == '>':
			return i + 1, true, nil
		case b[i] == '/' && i+1 == len(b):
			return 0, false, nil
		case b[i] == '/' && b[i+1] == '>':
			s.closing = true
			return i + 2, true, nil
		case gap == i:
			return 0, false, s.fail(ErrMalformed, "a tag that is not one")
		}
		from := i
		for i < len(b) && isNameByte(b[i]) {
			i++
		}
		name := b[from:i]
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i < len(b) && (b[i] != '=' || len(name) == 0) {
			return 0, false, s.fail(ErrMalformed, "an attribute that is not one")
		}
		i++
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i >= len(b) {
			return 0, false, nil
		}
		if b[i] != '"' && b[i] != '\'' {
			return 0, false, s.fail(ErrMalformed, "an attribute without quotes")
		}
		value := bytes.IndexByte(b[i+1:], b[i])
		if value < 0 {
			return 0, false, nil
		}
		for _, a := range s.attributes {
			if bytes.Equal(a.name, name) {
				return 0, false, s.fail(ErrMalformed, "an attribute that is there twice")
			}
		}
		if len(s.attributes) == maxAttributes {
			return 0, false, s.fail(ErrLimit, "too many attributes")
		}
		s.attributes = append(s.attributes, attribute{name, b[i+1 : i+1+value]})
		if bytes.IndexByte(b[i+1:i+1+value], '<') >= 0 {
			return 0, false, s.fail(ErrMalformed, "an attribute with a bracket")
		}
		i += value + 2
	}
}

// isNameByte reports whether c may stand in the name of an attribute.
func isNameByte(c byte) bool {
	return c != '=' && c != '>' && c != '/' && c != '<' && c != '"' && c != '\'' && !isSpace(c)
}

// end takes an end tag.
func (s *scanner) end() error {
	var name []byte
	if s.depth > 0 {
		name = s.names[s.ends[s.depth-1]:]
	}
	i := 2 + len(name)
	for s.filled-s.pos <= i {
		if err := s.more(); err != nil {
			return err
		}
	}
	if len(name) == 0 || !bytes.Equal(s.buf[s.pos+2:s.pos+i], name) {
		return s.fail(ErrMalformed, "an end tag that closes nothing")
	}
	for isSpace(s.buf[s.pos+i]) {
		if i++; s.pos+i == s.filled {
			if err := s.more(); err != nil {
				return err
			}
		}
	}
	if s.buf[s.pos+i] != '>' {
		return s.fail(ErrMalformed, "an end tag that is not one")
	}
	s.pos += i + 1
	return s.pop()
}

// pop closes the innermost element.
func (s *scanner) pop() error {
	s.depth--
	from := s.ends[s.depth]
	s.kind, s.name = endTag, local(s.names[from:])
	s.names, s.ends = s.names[:from], s.ends[:s.depth]
	return nil
}

// attribute returns the raw value of an attribute of the start tag.
func (s *scanner) attribute(name string) ([]byte, bool) {
	for _, a := range s.attributes {
		if string(a.name) == name {
			return a.value, true
		}
	}
	return nil, false
}

// linkID returns the attribute that names a link, whatever its prefix.
func (s *scanner) linkID() (string, error) {
	for _, a := range s.attributes {
		if bytes.HasSuffix(a.name, []byte(":id")) {
			return s.attributeText(string(a.name))
		}
	}
	return s.attributeText("id")
}

// attributeText returns the value of an attribute, unescaped, "" if there is none.
func (s *scanner) attributeText(name string) (string, error) {
	raw, _ := s.attribute(name)
	text, ok := appendUnescaped(nil, raw)
	if !ok {
		return "", s.fail(ErrMalformed, "an attribute that cannot be read")
	}
	return string(text), nil
}

// is reports whether the token is the start of an element.
func (s *scanner) is(name string) bool { return s.kind == startTag && string(s.name) == name }

// skip leaves the element whose start tag was the last token.
func (s *scanner) skip() error {
	for depth := s.depth; ; {
		if err := s.next(); err != nil {
			return err
		}
		if s.kind == endTag && s.depth < depth {
			return nil
		}
	}
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

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// local cuts the prefix of a namespace off.
func local(name []byte) []byte {
	for i, c := range name {
		if c == ':' {
			return name[i+1:]
		}
	}
	return name
}
