// Package italian makes the texts for operators that are put together from pieces: numbers,
// counts, lists, quoted names, and what agrees in gender and number with a noun. It knows no
// entity of another package.
package italian

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/terminal"
)

// Number writes a whole number with points between the thousands: 1234 is "1.234".
func Number[N ~int | ~int64](n N) string {
	digits, sign := strconv.FormatInt(int64(n), 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "." + digits[i:]
	}
	return sign + digits
}

// Count writes a number and what is counted: "0 righe", "1 riga", "1.234 righe".
func Count[N ~int | ~int64](n N, one, many string) string {
	return Number(n) + " " + Choose(n, one, many)
}

// Choose returns the first text for 1, and the second for every other number.
func Choose[N ~int | ~int64](n N, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Quote writes a name in «», without what must not reach a terminal: a name may come from a file.
func Quote[S ~string](name S) string { return "«" + terminal.Line(string(name)) + "»" }

// WithAnswer adds to whole sentences what a platform said; nothing if it said nothing.
func WithAnswer(text, answer string) string {
	if answer == "" {
		return text
	}
	if text != "" {
		text += " "
	}
	return text + "Risposta della piattaforma: " + Quote(answer) + "."
}

// WithoutAnswer removes from a text what WithAnswer added to it.
func WithoutAnswer(text, answer string) string {
	if answer == "" {
		return text
	}
	return strings.Replace(text, " "+WithAnswer("", answer), "", 1)
}

// And writes a list as "a, b e c".
func And(items ...string) string { return list(items, " e ") }

// Or writes a list as "a, b o c".
func Or(items ...string) string { return list(items, " o ") }

// Quoted writes a list of names as "«a», «b» e «c»".
func Quoted[S ~string](names []S) string { return And(quoted(names)...) }

// QuotedOr writes a list of names as "«a», «b» o «c»".
func QuotedOr[S ~string](names []S) string { return Or(quoted(names)...) }

func quoted[S ~string](names []S) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = Quote(name)
	}
	return all
}

func list(items []string, last string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	n := len(items) - 1
	return strings.Join(items[:n], ", ") + last + items[n]
}

// Capital writes a text with a capital first letter.
func Capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// Reserved says who may do something, whose name is feminine: "L'azione «Approva» è riservata al
// ruolo «DS».", "L'operazione è riservata ai ruoli «DSGA» e «A.A.».".
func Reserved(action string, roles []string) string {
	return action + " è riservata " + Choose(len(roles), "al ruolo ", "ai ruoli ") + Quoted(roles) + "."
}

// Length says that a text of n characters is too short or too long, from least to most of which are
// wanted: "L'oggetto ha 12.000 caratteri: devono essere da 120 a 10.000." A note, "" for none, is
// in parentheses after the characters. A text without characters is "vuoto", so its name is
// masculine.
func Length(name string, n, least, most int, note string) string {
	if n == 0 {
		return name + " è vuoto."
	}
	if note != "" {
		note = " (" + note + ")"
	}
	need := "devono essere da " + Number(least) + " a " + Number(most)
	switch {
	case least == most:
		need = Choose(most, "deve essere ", "devono essere ") + Number(most)
	case least <= 1:
		need = Choose(most, "può essere", "possono essere") + " al massimo " + Number(most)
	}
	return name + " ha " + Character.Count(n) + note + ": " + need + "."
}

// Visible returns a text without the blanks and the invisible characters at its ends. They do not
// count for the least length of a text.
func Visible(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) })
}

// TrimmedNote is the note of [Length] for a number of characters that leaves out those that
// [Visible] removes.
const TrimmedNote = "senza gli spazi iniziali e finali"

// Moment writes a time in Italy: "30/11/2026 alle 07:14".
func Moment(t time.Time) string { return inItaly(t).Format("02/01/2006 alle 15:04") }

// Day writes the day of a time in Italy: "30/11/2026".
func Day(t time.Time) string { return inItaly(t).Format("02/01/2006") }

func inItaly(t time.Time) time.Time {
	zone, err := time.LoadLocation("Europe/Rome") // package flussi links the zone data
	if err != nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// NoticeOf names a notice by its reference and the number of its instalment, as far as it has them,
// and by its ID: "avviso «GITA-1», rata 2 (ID)", "avviso della rata 2 (ID)", "avviso ID".
func NoticeOf(reference string, instalment int, id string) string {
	switch {
	case reference != "" && instalment != 0:
		return "avviso " + Quote(reference) + ", rata " + Number(instalment) + " (" + id + ")"
	case reference != "":
		return "avviso " + Quote(reference) + " (" + id + ")"
	case instalment != 0:
		return "avviso della rata " + Number(instalment) + " (" + id + ")"
	}
	return "avviso " + id
}
