// Package markdown writes plain text as Markdown that shows it as it is.
package markdown

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lines returns Markdown that shows a plain text line by line. Each line becomes a paragraph, since
// the app joins the lines of a paragraph, and no other way to break them is documented. Blank
// lines, and blanks around a line, are not shown.
func Lines(text string) string {
	var b strings.Builder
	for _, line := range strings.FieldsFunc(text, breaksLine) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(Escape(line))
	}
	return b.String()
}

func breaksLine(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// address matches what a Markdown parser may turn into a link. In an address, the parser would read
// the backslash of an escape as a part of the link.
var address = regexp.MustCompile(`(?i)(?:https?://|ftp://|www\.)[^\s<>\x00-\x1F\x7F]+|[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+`)

// closing has the characters that do not belong to an address at its end.
const closing = ".,;:!?'\")]}*_~|&`\\"

// Escape returns Markdown that shows a text of one line, also if other text stands before it. The
// text has no control characters: no message may have any.
func Escape(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	start := 0
	for _, found := range address.FindAllStringIndex(text, -1) {
		link := strings.TrimRight(text[found[0]:found[1]], closing)
		end := found[0] + len(link)
		if link == "" || !strings.ContainsFunc(link, special) && !startsSpecial(text[end:]) {
			continue
		}
		escapeInto(&b, text[start:found[0]], start == 0)
		switch {
		case len(link) > 4 && strings.EqualFold(link[:4], "www."):
			b.WriteByte('[')
			escapeInto(&b, link, false)
			b.WriteString("](<http://" + link + ">)")
		default:
			b.WriteString("<" + link + ">")
		}
		start = end
	}
	escapeInto(&b, text[start:], start == 0)
	return b.String()
}

// special reports whether a character may have a meaning in Markdown at any place.
func special(r rune) bool { return strings.ContainsRune("\\`*_[]<>~|&", r) }

func startsSpecial(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return special(r)
}

// escapeInto writes a part of a text. At the beginning of the text, it also escapes what would
// begin a list or a heading.
func escapeInto(b *strings.Builder, text string, first bool) {
	numbered := first // so far there are digits only
	for i, r := range text {
		item := numbered && (r == '.' || r == ')') && endsMarker(text[i+1:])
		if item || special(r) || first && i == 0 && strings.ContainsRune("#-+=:!", r) {
			b.WriteByte('\\')
		}
		numbered = numbered && r >= '0' && r <= '9'
		b.WriteRune(r)
	}
}

// endsMarker reports whether the dot or parenthesis before a text may end the number of a list
// item.
func endsMarker(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text == "" || unicode.IsSpace(r)
}
