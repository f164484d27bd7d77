package xlsxtest

import "unicode/utf16"

// UTF16 encodes a text in UTF-16, big-endian or little-endian, with or without a byte order mark.
func UTF16(s string, big, mark bool) []byte {
	var b []byte
	if mark {
		s = "\uFEFF" + s
	}
	for _, unit := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(unit>>8), byte(unit))
		} else {
			b = append(b, byte(unit), byte(unit>>8))
		}
	}
	return b
}
