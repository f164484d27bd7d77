package flussi

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxAnswer is the longest text of [Problem.Answer], in characters.
const MaxAnswer = 500

// Problem is what a platform or its gateway says about a refusal (RFC 9457). Its texts may quote
// the request, so they mask themselves. Show [Problem.Answer] to people; Reveal nothing in a log.
type Problem struct {
	Status int  // of HTTP: as in the body, or of the reply if the body has none
	Type   Text // a URI that identifies the kind of problem
	Title  Text // a summary
	Detail Text // about this occurrence
}

// Answer returns what the platform said, for an operator and for a store: «title: detail (HTTP
// status)», on one line, at most [MaxAnswer] characters; "" for nil, and if there is neither
// a title nor a detail. It has no control characters, terminal escapes or invisible characters.
//
// It shows *** in place of
//
//   - the texts to hide, which are those of the request, such as the fiscal code, the subject and
//     the content; each of their lines; and each part of them of 8 characters or more. Case, white
//     space and the escapes of JSON and HTML make no difference. A text of one character is not
//     hidden, and one of 2 to 7 only if it is a whole word;
//   - what looks like a fiscal code, also with letters in place of digits, or blanks between;
//   - numbers of 11 digits or more;
//   - e-mail addresses.
func (p *Problem) Answer(hide ...string) string {
	if p == nil {
		return ""
	}
	hidden := hiddenTexts(hide)
	title, detail := hidden.mask(plainWords(p.Title.Reveal())), hidden.mask(plainWords(p.Detail.Reveal()))
	text := title
	switch {
	case title == "":
		text = detail
	case detail != "" && detail != title:
		text = strings.TrimRight(title, ":. ") + ": " + detail
	}
	if text == "" {
		return ""
	}
	status := ""
	if p.Status >= 100 && p.Status <= 999 {
		status = fmt.Sprintf(" (HTTP %d)", p.Status)
	}
	return shortened(text, MaxAnswer-len(status)) + status
}

// shortened cuts a text to a number of characters.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return strings.TrimRight(string(runes[:most-1]), " ") + "…"
}

// maxProblemText limits how much of a title or a detail is searched, in bytes. It is more than is
// shown.
const maxProblemText = 4 << 10

// Escapes to undo before a text is searched, since platforms quote JSON.
var (
	jsonUnicode = regexp.MustCompile(`(?:\\u[0-9A-Fa-f]{4})+`)
	jsonEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, `/`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\b`, " ", `\f`, " ")
)

// terminalEscape matches control sequences of terminals: CSI, OSC and the other control strings up
// to their end, and escapes of one character. It also matches the one-character forms, such as
// U+009B for CSI.
var terminalEscape = regexp.MustCompile(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?` +
	`|(?:\x1b[\]PX^_]|[\x{90}\x{98}\x{9d}-\x{9f}])[^\x07\x1b\x{9c}]*(?:\x07|\x1b\\|\x{9c})?` +
	`|\x1b[ -/]*[0-~]?`)

// plainWords returns a text on one line, without characters that do not print. It undoes the
// escapes of JSON and HTML, since a platform may quote the request with them.
func plainWords(s string) string {
	if len(s) > maxProblemText {
		s = s[:maxProblemText]
		s = s[:strings.LastIndexAny(s, " \n\t")+1] // part of a word would not be recognised and masked
	}
	s = strings.ToValidUTF8(s, "")
	for range 4 { // JSON may be quoted in JSON
		before := s
		s = jsonEscapes.Replace(jsonUnicode.ReplaceAllStringFunc(s, unescapeUnicode))
		s = html.UnescapeString(s)
		if s == before {
			break
		}
	}
	s = terminalEscape.ReplaceAllString(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func unescapeUnicode(escapes string) string {
	var units []uint16
	for ; escapes != ""; escapes = escapes[6:] {
		var unit uint16
		_, _ = fmt.Sscanf(escapes[2:6], "%04x", &unit) // four hexadecimal digits
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}

// personal matches what is always masked, even if the request did not have it: fiscal codes with
// the letters or digits next to them, long numbers, e-mail addresses.
var personal = regexp.MustCompile(`(?i)[0-9a-z]*[a-z]{3}[ ._-]?[a-z]{3}[ ._-]?[0-9lmnpqrstuv]{2}[a-z][0-9lmnpqrstuv]{2}[ ._-]?[a-z][0-9lmnpqrstuv]{3}[ ._-]?[a-z][0-9a-z]*` +
	`|[0-9](?:[ ./-]?[0-9]){10,}` +
	`|(?:"[^"]*"|[^\s@<>()\[\]{}"',;:]+)(?:@|%40)[^\s@<>()\[\]{}"',;:]+`)

// minFragment is the length in characters from which a part of a hidden text is masked.
const minFragment = 8

// hiddenTexts are texts to be masked, plain and in lower case.
func hiddenTexts(texts []string) hidden {
	var all hidden
	add := func(text string) {
		if folded := foldCase(plainWords(text)); len(folded) >= 2 {
			all = append(all, string(folded))
		}
	}
	for _, text := range texts {
		if strings.Contains(text, "\n") { // lines alone may be short; the whole text finds parts that cross a line end
			for line := range strings.Lines(text) {
				add(line)
			}
		}
		for len(text) > maxProblemText {
			add(text[:maxProblemText])
			text = text[maxProblemText-4*minFragment:]
		}
		add(text)
	}
	return all
}

type hidden []string

// mask replaces in a plain text what is hidden or personal.
func (h hidden) mask(text string) string {
	runes := []rune(text)
	folded := foldCase(text)
	masked := make([]bool, len(runes))
	mark := func(from, to int) {
		for i := from; i < to; i++ {
			masked[i] = true
		}
	}
	at := make([]int, 0, len(text)+1) // the character at each byte
	for i, r := range runes {
		for range len(string(r)) {
			at = append(at, i)
		}
	}
	at = append(at, len(runes))
	for _, found := range personal.FindAllStringIndex(text, -1) {
		mark(at[found[0]], at[found[1]])
	}
	for _, secret := range h {
		size := min(len([]rune(secret)), minFragment)
		for i := 0; i+size <= len(folded); i++ {
			window := string(folded[i : i+size])
			if size < minFragment && (window != secret || inWord(folded, i-1) || inWord(folded, i+size)) {
				continue
			}
			if strings.Contains(secret, window) {
				mark(i, i+size)
			}
		}
	}
	for i, r := range runes { // do not mask spaces at the edges of a masked part
		if r == ' ' && (i == 0 || i == len(runes)-1 || !masked[i-1] || !masked[i+1]) {
			masked[i] = false
		}
	}
	var b strings.Builder
	for i, r := range runes {
		switch {
		case !masked[i]:
			b.WriteRune(r)
		case i == 0 || !masked[i-1]:
			b.WriteString("***")
		}
	}
	return b.String()
}

// inWord reports whether the character at i belongs to a word.
func inWord(text []rune, i int) bool {
	return i >= 0 && i < len(text) && (unicode.IsLetter(text[i]) || unicode.IsDigit(text[i]))
}

// foldCase returns the characters of a text in one case. Their number does not change.
func foldCase(text string) []rune {
	runes := []rune(text)
	for i, r := range runes {
		runes[i] = unicode.ToLower(unicode.ToUpper(r))
	}
	return runes
}
