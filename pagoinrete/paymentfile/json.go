package paymentfile

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
)

// jsonScanner reads a JSON document as a stream, with its positions.
type jsonScanner struct {
	in     *jsonText
	dec    *json.Decoder
	limits Limits
	depth  int
	row    int
	format Format
}

func newJSONScanner(src *source, limits Limits) *jsonScanner {
	in := &jsonText{src: src, limit: limits.TextBytes, position: src.next}
	s := &jsonScanner{in: in, dec: json.NewDecoder(in), limits: limits}
	s.dec.UseNumber() // amounts are never floats
	return s
}

// fail makes an error at the end of the last token.
func (s *jsonScanner) fail(err error) error {
	e := newError(err, s.in.position)
	e.Row, e.Format = s.row, s.format
	return e
}

// next returns the next token.
func (s *jsonScanner) next() (json.Token, error) {
	token, err := s.dec.Token()
	s.in.advance(s.dec.InputOffset())
	switch {
	case s.in.err != nil:
		err := s.in.src.readError(s.in.err)
		if file := (*FileError)(nil); errors.As(err, &file) {
			file.Row, file.Format, file.Position = s.row, s.format, s.in.position
		}
		return nil, err
	case err == io.EOF && s.depth == 0:
		return nil, io.EOF
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		s.in.advance(math.MaxInt64)
		return nil, s.fail(ErrTruncated)
	case err != nil: // its text may quote the file, so it is not wrapped
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			s.in.advance(syntax.Offset - 1)
		}
		return nil, s.fail(ErrMalformed)
	}
	if text, ok := token.(string); ok && strings.ContainsFunc(text, isForbidden) {
		return nil, s.fail(ErrMalformed)
	}
	switch token {
	case json.Delim('{'), json.Delim('['):
		if s.depth++; s.depth > s.limits.Depth {
			return nil, s.fail(ErrLimit)
		}
	case json.Delim('}'), json.Delim(']'):
		s.depth--
	}
	return token, nil
}

// isForbidden reports whether XML does not allow a character. JSON allows it, but databases cannot
// store it.
func isForbidden(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '\uFFFE' || c == '\uFFFF'
}

// key returns the next key of the object that was begun last, or false at its end. The caller reads
// the value before it calls key again.
func (s *jsonScanner) key() (string, bool, error) {
	token, err := s.next()
	key, ok := token.(string)
	return key, ok, err
}

// rest reads to the end of the object or list that was begun last.
func (s *jsonScanner) rest() error {
	for depth := s.depth; s.depth >= depth; {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// value reads the next value and calls set with its name and its text. For an object, it calls set
// for each field, with a name such as sender.pspId. Numbers are as the file writes them. Lists,
// null, true and false are left out.
func (s *jsonScanner) value(name string, set func(name, text string)) error {
	token, err := s.next()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case string:
		set(name, t)
	case json.Number:
		set(name, t.String())
	case json.Delim:
		if t == '{' {
			return s.object(name+".", set)
		}
		return s.rest()
	}
	return nil
}

// object calls set for the fields of the object that was begun last. A key that comes twice is an
// error, since it is not clear which value counts.
func (s *jsonScanner) object(within string, set func(name, text string)) error {
	seen := map[string]bool{}
	for {
		key, ok, err := s.key()
		if err != nil || !ok {
			return err
		}
		if err := s.checkKey(seen, key); err != nil {
			return err
		}
		if err := s.value(within+key, set); err != nil {
			return err
		}
	}
}

// checkKey refuses a key that comes twice, and more or longer keys than an object of these formats
// has.
func (s *jsonScanner) checkKey(seen map[string]bool, key string) error {
	switch {
	case seen[key]:
		return s.fail(ErrMalformed)
	case len(seen) == 1000 || len(key) > 1000:
		return s.fail(ErrLimit)
	}
	seen[key] = true
	return nil
}

// jsonText reads the text of a document ahead of the decoder, and finds the positions of tokens.
type jsonText struct {
	src      *source
	limit    int
	ahead    []byte // what was read
	passed   int    // how much of it is before the end of the last token
	offset   int64  // of the end of the last token
	position Position
	err      error // of reading, other than io.EOF; or errTooLong
}

// Read implements [io.Reader].
func (t *jsonText) Read(p []byte) (int, error) {
	t.ahead = append(t.ahead[:0], t.ahead[t.passed:]...)
	t.passed = 0
	if len(t.ahead) > t.limit {
		t.err = errTooLong
		return 0, t.err
	}
	n, err := t.src.r.Read(p[:min(len(p), 32<<10)])
	t.ahead = append(t.ahead, p[:n]...)
	if err != nil && err != io.EOF {
		t.err = err
	}
	return n, err
}

// advance moves the position to an offset, or to the end of what was read.
func (t *jsonText) advance(offset int64) {
	n := int(max(0, min(offset-t.offset, int64(len(t.ahead)-t.passed))))
	for _, b := range t.ahead[t.passed : t.passed+n] {
		switch {
		case b == '\n':
			t.position.Line, t.position.Column = t.position.Line+1, 1
		case b&0xC0 != 0x80:
			t.position.Column++
		}
	}
	t.passed += n
	t.offset += int64(n)
}
