package xlsx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// errUTF16: a text in UTF-16 has half a pair of surrogates.
var errUTF16 = errors.New("half a character")

// utf16Order returns the order of the bytes of a part in UTF-16, and nil for a part in another
// encoding. A part begins with a byte order mark or with "<".
func utf16Order(head []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("<\x00")):
		return binary.LittleEndian
	case bytes.HasPrefix(head, []byte("\xFE\xFF")), bytes.HasPrefix(head, []byte("\x00<")):
		return binary.BigEndian
	}
	return nil
}

// utf16Reader reads a text in UTF-16 as UTF-8, without its byte order mark.
type utf16Reader struct {
	r     io.Reader
	order binary.ByteOrder
	in    []byte // read and not decoded yet
	out   []byte // decoded and not returned yet
	begun bool
	err   error
	space [4096]byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		n, err := u.r.Read(u.space[len(u.in):])
		u.in = u.space[:len(u.in)+n]
		u.out, u.err = u.decode(u.out[:0], err)
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// decode appends to dst what was read. Err is what the reader returned.
func (u *utf16Reader) decode(dst []byte, err error) ([]byte, error) {
	in := u.in
	for len(in) >= 2 {
		r, size := rune(u.order.Uint16(in)), 2
		if utf16.IsSurrogate(r) {
			if len(in) < 4 && err == nil {
				break
			}
			if len(in) >= 4 {
				r, size = utf16.DecodeRune(r, rune(u.order.Uint16(in[2:]))), 4
			}
			if size == 2 || r == utf8.RuneError {
				return dst, errUTF16
			}
		}
		if r != '\uFEFF' || u.begun {
			dst = utf8.AppendRune(dst, r)
		}
		u.begun = true
		in = in[size:]
	}
	if err == io.EOF && len(in) > 0 {
		err = io.ErrUnexpectedEOF
	}
	u.in = u.space[:copy(u.space[:], in)]
	return dst, err
}
