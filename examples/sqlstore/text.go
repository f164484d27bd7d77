package sqlstore

import (
	"strings"
	"unicode/utf8"
)

// Databases hold text that is valid UTF-8 and has no NUL; some of what a program is given is
// neither. Each byte that they do not hold is kept as two characters, one for each half of it,
// out of the 32 that Unicode keeps free for the use of programs, U+FDD0 to U+FDEF. Where these
// characters themselves occur, their bytes are kept in the same way, so that everything comes
// back as it was. What is equal stays equal, and a part of a text stays a part of it.
const (
	highHalf = 0xFDD0
	lowHalf  = 0xFDE0
	lastHalf = 0xFDEF
	halfLead = "\xef\xb7" // with which the halves begin in UTF-8, and little else
)

// held returns a text as databases hold it, which nearly always is as it is.
func held(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.Contains(s, halfLead) {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r != 0 && (r != utf8.RuneError || size > 1) && (r < highHalf || r > lastHalf) {
			b.WriteString(rest[:size])
		} else {
			for _, c := range []byte(rest[:size]) {
				b.WriteRune(highHalf + rune(c>>4))
				b.WriteRune(lowHalf + rune(c&0xF))
			}
		}
		rest = rest[size:]
	}
	return b.String()
}

// given returns a text as it was before it was held.
func given(s string) string {
	if !strings.Contains(s, halfLead) {
		return s
	}
	var b strings.Builder
	var high rune
	for _, r := range s {
		switch {
		case r < highHalf || r > lastHalf:
			b.WriteRune(r)
		case r < lowHalf:
			high = r - highHalf
		default:
			b.WriteByte(byte(high<<4 | (r - lowHalf)))
		}
	}
	return b.String()
}
