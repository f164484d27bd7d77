package xlsx

import (
	"bytes"
	"unicode/utf8"
)

// attribute has its full name, since one with a prefix means something else.
type attribute struct{ name, value []byte }

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
	i := nameLength(b)
	s.name = b[:i]
	switch {
	case i > maxName:
		return 0, false, s.fail(ErrLimit, "a name is too long")
	case i < len(b) && !isName(s.name):
		return 0, false, s.fail(ErrMalformed, "a tag without a name")
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
		name := b[i : i+nameLength(b[i:])]
		i += len(name)
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i < len(b) && (b[i] != '=' || !isName(name)) {
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
		if !s.isValue(b[i+1 : i+1+value]) {
			return 0, false, s.fail(ErrMalformed, "an attribute that cannot be read")
		}
		i += value + 2
	}
}

// nameBytes has the bytes that may be in names; all of other alphabets may.
var nameBytes = func() (table [256]bool) {
	for c := range table {
		table[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == ':' || c == '-' || c == '.' || c >= 0x80
	}
	return table
}()

// nameLength returns the number of bytes at the beginning that may be in a name.
func nameLength(b []byte) int {
	for i, c := range b {
		if !nameBytes[c] {
			return i
		}
	}
	return len(b)
}

// isName reports whether b, whose bytes may be in names, is a name.
func isName(b []byte) bool {
	if len(b) == 0 || b[0] == '-' || b[0] == '.' || '0' <= b[0] && b[0] <= '9' {
		return false
	}
	for _, c := range b {
		if c >= 0x80 {
			return utf8.Valid(b)
		}
	}
	return true
}

// isValue reports whether b may be in the quotes of an attribute.
func (s *scanner) isValue(b []byte) bool {
	for _, c := range b {
		if !plain[c] {
			if bytes.IndexByte(b, '<') >= 0 {
				return false
			}
			var ok bool
			s.scratch, ok = appendUnescaped(s.scratch[:0], b)
			return ok
		}
	}
	return true
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
