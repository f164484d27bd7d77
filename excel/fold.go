package excel

import (
	"strings"
	"unicode"
)

// unaccent writes the accented letters of European languages without their accents.
var unaccent = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ä", "a", "ã", "a", "å", "a",
	"è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i",
	"ò", "o", "ó", "o", "ô", "o", "ö", "o", "õ", "o",
	"ù", "u", "ú", "u", "û", "u", "ü", "u",
	"ç", "c", "ñ", "n", "ß", "ss",
)

// lower makes a text lower-case and takes its accents off, also those that are
// characters of their own.
func lower(s string) string {
	s = unaccent.Replace(strings.ToLower(s))
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
}

// fold reduces a header or a choice to what counts: letters and digits, without case
// and accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, lower(s))
}

// similar reports whether a folded header is most probably a misspelling of another:
// one or two characters apart, in words that are longer than that.
func similar(a, b string) bool {
	x, y := []rune(a), []rune(b)
	short := min(len(x), len(y))
	if short < 4 || max(len(x), len(y)) > 64 {
		return false
	}
	return distance(x, y) <= min(2, short/4)
}

// distance counts the characters to be changed, added, left out or swapped with the
// next one to make y of x.
func distance(x, y []rune) int {
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// isBlank reports whether a text shows nothing.
func isBlank(s string) bool {
	for _, r := range s {
		if ' ' < r && r < 0x7F { // most texts end here
			return false
		}
		if !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Cc, r) {
			return false
		}
	}
	return true
}
