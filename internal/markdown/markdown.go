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
var address = regexp.MustCompile(`(?i)(?:https?://|ftp://|www\.)[^\s<>\x00-\x1F\x7F]*` +
	`|[a-z0-9._+-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+`)

// linkable matches the addresses that Escape writes as links. The others could be shown in another
// way: with a part of them as an image, or with a character that they do not have.
var linkable = regexp.MustCompile("(?i)^(?:(?:https?|ftp)://[^\\[\\]!`\\\\|;/][^\\[\\]!`\\\\|;]*|www\\.[^\\[\\]!`\\\\|;]+|[a-z0-9._+-]+@[a-z0-9.-]+)$")

// closing has the characters that do not belong to an address at its end.
const closing = ".,;:!?'\")]}*_~|&`\\"

// Escape returns Markdown that shows a text of one line, also if other text stands before it; one
// that ends with an exclamation mark has to end with [Exclamation] instead if the result begins with
// a bracket. The text has no control characters: no message may have any.
func Escape(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	start := 0
	for _, found := range address.FindAllStringIndex(text, -1) {
		whole := text[found[0]:found[1]]
		link := strings.TrimRight(whole, closing)
		behind := text[found[0]+len(link):]
		if i := strings.IndexFunc(behind, unicode.IsSpace); i >= 0 {
			behind = behind[:i]
		}
		if !strings.ContainsFunc(link, special) && !strings.ContainsFunc(behind, special) {
			continue // a parser finds its end
		}
		before := text[start:found[0]]
		if isWWW := len(link) > 4 && strings.EqualFold(link[:4], "www."); !linkable.MatchString(link) {
			escapeInto(&b, before, start == 0)
			escapeAll(&b, whole)
			link = whole
		} else if isWWW {
			marked := strings.HasSuffix(before, "!")
			escapeInto(&b, strings.TrimSuffix(before, "!"), start == 0)
			if marked {
				b.WriteString(Exclamation)
			}
			b.WriteByte('[')
			escapeInto(&b, link, false)
			b.WriteString("](<http://" + link + ">)")
		} else {
			escapeInto(&b, before, start == 0)
			b.WriteString("<" + link + ">")
		}
		start = found[0] + len(link)
	}
	escapeInto(&b, text[start:], start == 0)
	return b.String()
}

// Exclamation is an exclamation mark that makes no image of the link behind it. A backslash before
// the mark would not do: the app looks for images before it reads the backslashes.
const Exclamation = "&#33;"

// escapeAll writes an address so that no parser takes it for one.
func escapeAll(b *strings.Builder, text string) {
	for _, r := range text {
		if special(r) || strings.ContainsRune(".:@!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
}

// special reports whether a character may have a meaning in Markdown at any place.
func special(r rune) bool { return strings.ContainsRune("\\`*_[]<>~|&", r) }

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
