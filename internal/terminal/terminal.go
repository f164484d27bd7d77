// Package terminal defines what may be written to a terminal or a log, and cleans texts that come
// from outside the program: names of files, values of flags, cells of workbooks, a platform's
// words.
//
// Graphic characters of Unicode may be written: letters, marks, numbers, punctuation, symbols and
// spaces. Anything else is not:
//
//   - control characters, C0 and C1, which begin the escape sequences that move the cursor, set the
//     title or write to the clipboard
//   - format characters: those that change the direction of text, and invisible ones
//   - the separators of lines and paragraphs
//   - private-use and unassigned characters, and surrogates
//   - bytes that are not UTF-8, which some terminals read as C1
//
// Each such character is replaced by U+FFFD, not removed: a name that has one does not look like
// the name without it.
package terminal

import (
	"strings"
	"unicode"
)

// replacement is written in place of a character that may not be written.
const replacement = '\uFFFD'

// Text cleans a text of any number of lines. Line ends and tabs remain.
func Text(s string) string { return clean(s, "\n\t") }

// Line cleans a text that is written within a line: line ends and tabs are replaced, too.
func Line(s string) string { return clean(s, "") }

// Drawing cleans a text as Text does, but carriage returns remain, such as those of a progress bar.
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

// mayBeWritten reports whether a character may be written. For a byte that is
// not UTF-8, package strings passes the replacement character.
func mayBeWritten(r rune, permitted string) bool {
	return r != replacement && unicode.IsGraphic(r) || strings.ContainsRune(permitted, r)
}
