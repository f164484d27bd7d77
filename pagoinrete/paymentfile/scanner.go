package paymentfile

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
)

// scanner reads an XML document as a stream. It refuses document types, entities other than the
// five of XML, and processing instructions. Names are compared without their prefix.
type scanner struct {
	src    *source
	dec    *xml.Decoder
	limits Limits
	outer  *scanner // of the document around it; nil if there is none
	depth  int
	begun  bool // a token was read
	rooted bool // the root element was begun
	signed bool // a signature was skipped
	row    int  // the last that was begun; 0 before the first
	format Format
}

func newScanner(src *source, limits Limits) *scanner {
	s := &scanner{src: src, dec: xml.NewDecoder(src), limits: limits}
	s.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded before
	return s
}

// fail makes an error at the current position.
func (s *scanner) fail(err error) error {
	e := newError(err, s.src.next)
	e.Row, e.Format = s.row, s.format
	return e
}

// next returns the next token that matters, or io.EOF behind the root element.
func (s *scanner) next() (xml.Token, error) {
	for {
		s.src.refill(s.limits.TextBytes)
		token, err := s.dec.Token()
		if err != nil {
			return nil, s.tokenError(err)
		}
		switch t := token.(type) {
		case xml.Comment:
			continue
		case xml.Directive:
			return nil, s.fail(ErrUnsafe)
		case xml.ProcInst:
			if t.Target != "xml" || s.begun {
				return nil, s.fail(ErrUnsafe)
			}
			s.begun = true
			continue
		case xml.CharData:
			if s.depth == 0 {
				if strings.TrimSpace(string(t)) != "" {
					return nil, s.fail(ErrMalformed)
				}
				continue
			}
		case xml.StartElement:
			if s.depth == 0 && s.rooted {
				return nil, s.fail(ErrMalformed) // a second root
			}
			s.rooted = true
			s.signed = s.signed || t.Name.Local == "Signature"
			if s.depth++; s.depth > s.limits.Depth {
				return nil, s.fail(ErrLimit)
			}
		case xml.EndElement:
			s.depth--
		}
		s.begun = true
		return token, nil
	}
}

// tokenError returns the error for what the decoder returned. Its text may quote the file, so it is
// not wrapped.
func (s *scanner) tokenError(err error) error {
	switch {
	case s.src.err != nil:
		err := s.src.readError(s.src.err)
		if file := (*FileError)(nil); errors.As(err, &file) {
			file.Row, file.Format = s.row, s.format
		}
		return err
	case err == io.EOF && s.rooted:
		return io.EOF
	case s.src.ended:
		return s.fail(ErrTruncated)
	}
	return s.fail(ErrMalformed)
}

// child returns the name of the next element within the one that is depth deep, or "" at its end.
// The caller reads or skips that element before it calls child again.
func (s *scanner) child(depth int) (string, error) {
	for {
		token, err := s.next()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Local == "Signature" {
				if err := s.skip(); err != nil {
					return "", err
				}
				continue
			}
			return t.Name.Local, nil
		case xml.EndElement:
			if s.depth < depth {
				return "", nil
			}
		}
	}
}

// skip reads to the end of the element that was begun last.
func (s *scanner) skip() error {
	for depth := s.depth; s.depth >= depth; {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// text returns the text of the element that was begun last, without the white space around it.
// Texts of elements within it are separated by blanks.
func (s *scanner) text() (string, error) {
	text, _, err := s.content()
	return text, err
}

// content returns the text as text does, and whether there are elements in it.
func (s *scanner) content() (text string, nested bool, err error) {
	var b strings.Builder
	for depth := s.depth; s.depth >= depth; {
		token, err := s.next()
		if err != nil {
			return "", nested, err
		}
		switch t := token.(type) {
		case xml.CharData:
			if b.Len()+len(t) > s.limits.TextBytes {
				return "", nested, s.fail(ErrLimit)
			}
			b.Write(t)
		case xml.StartElement:
			nested = true
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String()), nested, nil
}

// fields calls set with the name and text of each element within the one that was begun last.
func (s *scanner) fields(set func(name, text string)) error {
	for depth := s.depth; ; {
		name, err := s.child(depth)
		if name == "" || err != nil {
			return err
		}
		text, err := s.text()
		if err != nil {
			return err
		}
		set(name, text)
	}
}

// paths reads the element that was begun last. For each element in it, at any depth, that has no
// elements itself, it calls set with the name of the element around it, its name and its text. Use
// it for small parts of a document: all texts together are limited.
func (s *scanner) paths(around string, set func(around, name, text string)) error {
	names := []string{around}
	var text strings.Builder
	total, leaf := 0, false
	for depth := s.depth; s.depth >= depth; {
		token, err := s.next()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			names = append(names, t.Name.Local)
			text.Reset()
			leaf = true
		case xml.CharData:
			if total += len(t); total > s.limits.TextBytes {
				return s.fail(ErrLimit)
			}
			text.Write(t)
		case xml.EndElement:
			last := len(names) - 1
			if leaf && last > 0 {
				set(names[last-1], names[last], strings.TrimSpace(text.String()))
			}
			names, leaf = names[:last], false
		}
	}
	return nil
}

// end skips the rest of the document. It refuses a second document in a message, which would
// otherwise be skipped unnoticed.
func (s *scanner) end() error {
	for {
		token, err := s.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if start, ok := token.(xml.StartElement); ok && isDocument(start.Name.Local) {
			e := newError(ErrFormat, s.src.tag)
			e.Format, e.Row = s.format, s.row
			e.Reason = "il file contiene più di un documento. Caricare i documenti uno alla volta."
			return e
		}
	}
}

// isDocument reports whether an element is a document that this package reads, or has one in
// base64.
func isDocument(name string) bool {
	switch name {
	case "FlussoRiversamento", "flusso_giornale_di_cassa", "receipt", "RT", "xmlRendicontazione", "rt":
		return true
	}
	return false
}

// embedded returns the document in base64 in the element that was begun last. Read the document to
// its end before the next call of the scanner.
func (s *scanner) embedded() (*source, error) {
	s.src.refill(math.MaxInt)
	inner, err := newSource(base64.NewDecoder(base64.StdEncoding, &base64Text{src: s.src}), true)
	if file := (*FileError)(nil); errors.As(err, &file) {
		file.Format, file.Row = s.format, s.row
	}
	return inner, err
}

// base64Text is base64 within an element, without its white space, to the next tag.
type base64Text struct {
	src   *source
	cdata bool // the text is in a CDATA section
}

// Read implements [io.Reader].
func (b *base64Text) Read(p []byte) (int, error) {
	for n := range p {
		c, err := b.next()
		if err != nil {
			return n, err
		}
		p[n] = c
	}
	return len(p), nil
}

// next returns the next character that is not white space, or io.EOF before a tag and at the end.
func (b *base64Text) next() (byte, error) {
	for {
		ahead, err := b.src.r.Peek(1)
		if err != nil {
			return 0, err
		}
		switch c := ahead[0]; {
		case c == '<' && !b.cdata:
			if start, _ := b.src.r.Peek(len("<![CDATA[")); string(start) != "<![CDATA[" {
				return 0, io.EOF
			}
			b.cdata = true
			b.discard(len("<![CDATA["))
		case c == ']' && b.cdata:
			if end, _ := b.src.r.Peek(len("]]>")); string(end) != "]]>" {
				return 0, newError(ErrMalformed, b.src.next)
			}
			b.cdata = false
			b.discard(len("]]>"))
		case c == '&' && !b.cdata:
			if !b.blankReference() {
				return 0, newError(ErrMalformed, b.src.next)
			}
		default:
			if c, err = b.src.ReadByte(); err != nil {
				return 0, err
			}
			if strings.IndexByte(" \t\r\n", c) < 0 {
				return c, nil
			}
		}
	}
}

// blankReference reads a reference to white space, such as the &#13; that programs write at the
// ends of lines.
func (b *base64Text) blankReference() bool {
	ahead, _ := b.src.r.Peek(len("&#xD;"))
	for _, known := range []string{"&#13;", "&#10;", "&#xD;", "&#xA;", "&#xd;", "&#xa;", "&#9;", "&#x9;", "&#32;"} {
		if strings.HasPrefix(string(ahead), known) {
			b.discard(len(known))
			return true
		}
	}
	return false
}

func (b *base64Text) discard(n int) {
	for range n {
		_, _ = b.src.ReadByte()
	}
}
