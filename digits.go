package flussi

import (
	"regexp"
	"strings"
	"unicode"
)

// allDigits reports whether s holds nothing but the digits 0 to 9.
func allDigits(s string) bool { return firstNonDigit(s) == 0 }

// firstNonDigit returns the position, in characters counted from 1, of the first
// character that is not a digit, or 0.
func firstNonDigit(s string) int {
	position := 0
	for _, r := range s {
		position++
		if r < '0' || r > '9' {
			return position
		}
	}
	return 0
}

// scientific reports whether s is a number as spreadsheets show long ones.
func scientific(s string) bool {
	return strings.ContainsAny(s, "eE") && scientificNotation.MatchString(s)
}

var scientificNotation = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+?[0-9]{1,3}$`)

// signs returns a hint for operators if a code of the wrong length holds something
// other than letters and digits.
func signs(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return " (contando anche i segni)"
	}
	return ""
}
