// Package terminal has the list of what may be written to a terminal or a log, and cleans texts that
// come from elsewhere: names of files, values of flags, cells of workbooks, a platform's words.
//
// Graphic characters of Unicode may be written: letters, marks, numbers, punctuation, symbols and
// spaces. Anything else is not:
//
//   - control characters, C0 and C1, which begin the escape sequences that move the cursor, set the
//     title or write to the clipboard
//   - format characters: those that change the direction of text, and invisible ones
//   - the separators of lines and paragraphs
//   - private, unassigned and half characters
//   - bytes that are not UTF-8, which some terminals read as C1
//
// Such characters are replaced, not removed: two names that differ only in them look different from
// any other name.
package terminal

import (
	"strings"
	"unicode"
)

// replacement stands in place of what may not be written.
const replacement = '\uFFFD'

// Text returns a text of any number of lines as it may be written. Line ends and tabs remain.
func Text(s string) string { return clean(s, "\n\t") }

// Line returns a text as it may be written within a line.
func Line(s string) string { return clean(s, "") }

// Drawing returns what draws on a line, such as a progress bar, as it may be written. Carriage
// returns remain, too.
func Drawing(s string) string { return clean(s, "\n\t\r") }

func clean(s, permitted string) string {
	if strings.IndexFunc(s, func(r rune) bool { return !mayBeWritten(r, permitted) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if mayBeWritten(r, permitted) {
			return r
		}
		return replacement
	}, s)
}

// mayBeWritten reports whether a character may be written. A byte that is not UTF-8 comes as the
// replacement character; strings.Map writes that in its place.
func mayBeWritten(r rune, permitted string) bool {
	return r != replacement && unicode.IsGraphic(r) || strings.ContainsRune(permitted, r)
}
