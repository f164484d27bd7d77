package mailmerge

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/markdown"
)

// Field is a named place of a text.
type Field struct {
	Name     string // as the text and the header of a column have it
	Kind     Kind   // of its values
	Optional bool   // it may have no value
}

// Kind is the kind of a field's values.
type Kind string

// The kinds, and the types of their [Values].
const (
	KindText   Kind = "testo"   // a string or a [flussi.Text]
	KindAmount Kind = "importo" // a [flussi.Cents]
	KindDate   Kind = "data"    // a [time.Time]
	KindNumber Kind = "numero"  // an int or an int64
	KindFlag   Kind = "sì o no" // a bool; only for fields of [Config.Fields]
)

// Values are the values of a message by the names of the fields. An empty text, the zero time, and
// nil are no value; a number or an amount of 0 and false are values.
type Values map[string]any

// How values are passed to text/template, which compares strings, numbers and truth values, and
// calls String to write them. "" is no value.
type (
	escaped string // a text that a content shows as it is
	amount  flussi.Cents
	date    time.Time
	flag    bool
)

// String returns the text as Markdown.
func (e escaped) String() string { return markdown.Escape(string(e)) }

// String returns the amount with the euro sign.
func (a amount) String() string { return flussi.Cents(a).Euro() }

// String returns the day in Italy.
func (d date) String() string { return italian.Day(time.Time(d)) }

// String returns sì or no.
func (f flag) String() string {
	if f {
		return "sì"
	}
	return "no"
}

// pass returns a value as it is passed to text/template; false if it is of another kind.
func (k Kind) pass(v any, content bool) (any, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return passText(v, content), k == KindText
	case flussi.Text:
		return passText(v.Reveal(), content), k == KindText
	case flussi.Cents:
		return amount(v), k == KindAmount
	case time.Time:
		if v.IsZero() {
			return "", k == KindDate
		}
		return date(v), k == KindDate
	case int:
		return v, k == KindNumber
	case int64:
		return v, k == KindNumber
	case bool:
		return flag(v), k == KindFlag
	}
	return nil, false
}

func passText(text string, content bool) any {
	text = oneLine(text)
	if content && text != "" {
		return escaped(text)
	}
	return text
}

// oneLine returns a text in one line, without the signs that change the direction of others.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
