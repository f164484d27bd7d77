package xlsx

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// plain has the bytes that need no escape in the text of an element.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>' || c == '\t' || c == '\n'
	}
	return table
}()

// noEscape has the bytes that need no decoding in a text, if the text is valid UTF-8.
var noEscape = func() (table [256]bool) {
	for c := range table {
		table[c] = plain[c] || c >= 0x80 && c != 0xEF // the first byte of U+FFFE and U+FFFF
	}
	return table
}()

// unescaped returns the length of the text at the beginning of b that needs no decoding. It reports
// whether the text is valid UTF-8.
func unescaped(b []byte) (length int, valid bool) {
	var bits byte // of all bytes
	for length < len(b) && noEscape[b[length]] {
		bits |= b[length]
		length++
	}
	return length, bits < 0x80 || utf8.Valid(b[:length])
}

// validText reports whether b is UTF-8 that XML allows.
func validText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for i, c := range b {
		if noEscape[c] {
			continue
		}
		if c < 0x20 && c != '\r' || c == 0xEF && b[i+1] == 0xBF && b[i+2] >= 0xBE { // U+FFFE, U+FFFF
			return false
		}
	}
	return true
}

// appendUnescaped appends raw character data to dst: entities resolved, line ends
// made "\n". It reports whether all of it is allowed.
func appendUnescaped(dst, raw []byte) ([]byte, bool) {
	i, valid := unescaped(raw)
	if valid && i == len(raw) {
		return append(dst, raw...), true
	}
	if !validText(raw) {
		return dst, false
	}
	dst = append(dst, raw[:i]...)
	for raw = raw[i:]; len(raw) > 0; {
		switch raw[0] {
		case '&':
			length := bytes.IndexByte(raw, ';')
			if length < 0 {
				return dst, false
			}
			r, ok := entity(raw[1:length])
			if !ok {
				return dst, false
			}
			dst = utf8.AppendRune(dst, r)
			raw = raw[length+1:]
		case '\r':
			dst = append(dst, '\n')
			raw = raw[1:]
			if len(raw) > 0 && raw[0] == '\n' {
				raw = raw[1:]
			}
		default:
			length := bytes.IndexAny(raw, "&\r")
			if length < 0 {
				length = len(raw)
			}
			dst = append(dst, raw[:length]...)
			raw = raw[length:]
		}
	}
	return dst, true
}

// entity resolves what is between & and ;. Only XML's own entities exist.
func entity(name []byte) (rune, bool) {
	switch string(name) {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || len(name) > 10 || name[0] != '#' {
		return 0, false
	}
	base, digits := rune(10), name[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	var r rune
	for _, c := range digits {
		d := hexValue(c)
		if d < 0 || d >= base {
			return 0, false
		}
		r = r*base + d
		if r > utf8.MaxRune {
			return 0, false
		}
	}
	allowed := r >= 0x20 || r == '\t' || r == '\n' || r == '\r'
	return r, len(digits) > 0 && allowed && utf8.ValidRune(r) && r != 0xFFFE && r != 0xFFFF
}

func hexValue(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// decodeEscapes resolves in place the escapes with which workbooks write what XML
// cannot hold: _x000D_ is a carriage return. It returns the shortened text.
func decodeEscapes(b []byte) []byte {
	i := bytes.Index(b, []byte("_x"))
	if i < 0 {
		return b
	}
	out := b[:i]
	for i < len(b) {
		unit, ok := escapeAt(b[i:])
		if !ok {
			out = append(out, b[i])
			i++
			continue
		}
		r := rune(unit)
		length := 7
		if utf16.IsSurrogate(r) {
			low, _ := escapeAt(b[i+7:])
			r = utf16.DecodeRune(r, rune(low))
			length = 14
		}
		if r == utf8.RuneError && unit != utf8.RuneError { // half a pair remains as it is written
			out = append(out, b[i])
			i++
			continue
		}
		i += length
		out = utf8.AppendRune(out, r) // shorter than what it encodes
	}
	return out
}

// escapeAt returns the code unit of the escape with which b begins.
func escapeAt(b []byte) (uint16, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	unit := uint16(0)
	for _, c := range b[2:6] {
		d := hexValue(c)
		if d < 0 {
			return 0, false
		}
		unit = unit<<4 | uint16(d)
	}
	return unit, true
}

// likeEscape reports whether text would begin with an escape if "_" came next.
func likeEscape(text string) bool {
	return len(text) >= 6 && text[1] == 'x' && hexValue(text[2]) >= 0 && hexValue(text[3]) >= 0 &&
		hexValue(text[4]) >= 0 && hexValue(text[5]) >= 0
}

// appendEscaped appends a cell's text to dst as a workbook holds it. The text has to
// be valid UTF-8.
func appendEscaped(dst []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	unit := func(u uint16) {
		dst = append(dst, '_', 'x', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15], '_')
	}
	from := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if plain[c] && c != '_' || c >= 0x80 && c != 0xEF {
			continue
		}
		switch {
		case c == '_':
			if !likeEscape(text[i:]) {
				continue
			}
			dst = append(dst, text[from:i]...)
			unit('_')
		case c == 0xEF:
			if i+2 >= len(text) || text[i+1] != 0xBF || text[i+2] < 0xBE {
				continue
			}
			dst = append(dst, text[from:i]...)
			unit(0xFF00 | uint16(text[i+2]) + 0x40) // U+FFFE, U+FFFF
			i += 2
		default:
			dst = append(dst, text[from:i]...)
			switch c {
			case '&':
				dst = append(dst, "&amp;"...)
			case '<':
				dst = append(dst, "&lt;"...)
			case '>':
				dst = append(dst, "&gt;"...)
			default:
				unit(uint16(c))
			}
		}
		from = i + 1
	}
	return append(dst, text[from:]...)
}
