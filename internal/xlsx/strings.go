package xlsx

import "encoding/binary"

// stringTable holds the shared strings in chunks of text, each string with its length
// in front, and one offset for each: little more than the texts themselves.
type stringTable struct {
	chunks  []string
	offsets []uint32
}

const chunkSize = 1 << 20

// get returns a string by its index.
func (t *stringTable) get(index int) (string, bool) {
	if t == nil || index >= len(t.offsets) {
		return "", false
	}
	offset := t.offsets[index]
	chunk := t.chunks[offset/chunkSize][offset%chunkSize:]
	length, shift, i := 0, 0, 0
	for ; chunk[i] >= 0x80; i++ {
		length |= int(chunk[i]&0x7F) << shift
		shift += 7
	}
	length |= int(chunk[i]) << shift
	return chunk[i+1 : i+1+length], true
}

func (a *archive) readStrings(name string) (*stringTable, error) {
	file := a.file(name)
	limit := min(a.limits.Strings, a.limits.Unpacked)
	t := &stringTable{}
	chunk := make([]byte, 0, min(chunkSize, int(file.UncompressedSize64)+16))
	var text []byte
	var length [binary.MaxVarintLen64]byte
	err := a.each(file, SharedStrings, limit, func(s *scanner) error {
		switch {
		case s.depth == 1 && !s.is("sst"):
			return s.fail(ErrMalformed, "the part is not a table of strings")
		case s.depth == 1:
			// The count is often wrong, and only says how much memory to take. No string takes
			// less than "<si/>".
			raw, _ := s.attribute("uniqueCount")
			if count, ok := parseNumber(raw, 1<<31-1); ok {
				t.offsets = make([]uint32, 0, min(count, int(file.UncompressedSize64)/5))
			}
			return nil
		case !s.is("si") || s.depth != 2:
			return nil
		}
		var err error
		if text, err = s.richText(text[:0]); err != nil {
			return err
		}
		if len(text) > MaxText*4 || !fits(text, a.limits.Cell) {
			return s.fail(ErrLimit, "a text is too long for a cell")
		}
		prefix := binary.PutUvarint(length[:], uint64(len(text)))
		if len(chunk)+prefix+len(text) > chunkSize {
			t.chunks = append(t.chunks, string(chunk))
			chunk = chunk[:0]
		}
		offset := uint64(len(t.chunks))*chunkSize + uint64(len(chunk))
		if offset > 1<<32-1 {
			return s.fail(ErrLimit, "too many strings")
		}
		t.offsets = append(t.offsets, uint32(offset))
		chunk = append(append(chunk, length[:prefix]...), text...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.chunks = append(t.chunks, string(chunk))
	return t, nil
}

// richText appends the text of the si or is element whose start tag was the last
// token, all its runs together, without hints of pronunciation, and leaves it.
func (s *scanner) richText(dst []byte) ([]byte, error) {
	begin := len(dst)
	text, only := s.only("si", "<t>", "</t></si>")
	if !only {
		text, only = s.only("si", `<t xml:space="preserve">`, "</t></si>")
	}
	if only {
		dst = append(dst, text...)
		return dst[:begin+len(decodeEscapes(dst[begin:]))], nil
	}
	for depth := s.depth; ; {
		err := s.next()
		if err != nil {
			return dst, err
		}
		switch {
		case s.kind == endTag && s.depth < depth:
			return dst, nil
		case s.kind == charData && !isBlank(s.text):
			return dst, s.fail(ErrMalformed, "text outside a run of text")
		case s.kind != startTag || s.is("r"):
		case s.is("t"):
			from := len(dst)
			if dst, err = s.elementText(dst); err != nil {
				return dst, err
			}
			dst = dst[:from+len(decodeEscapes(dst[from:]))]
			if len(dst)-begin > maxRaw {
				return dst, s.fail(ErrLimit, "a text is too long for a cell")
			}
		default:
			if err := s.skip(); err != nil {
				return dst, err
			}
		}
	}
}

// fits reports whether a text has at most limit UTF-16 code units.
func fits[Bytes string | []byte](text Bytes, limit int) bool {
	return len(text) <= limit || Length(text) <= limit
}

// Length counts a text in UTF-16 code units, as workbooks and platforms do.
func Length[Bytes string | []byte](text Bytes) int {
	units := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 0xF0:
			units += 2 // the first of four bytes, written as two units
		case c < 0x80 || c >= 0xC0:
			units++
		}
	}
	return units
}
