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
	Name     string // in the text, and in the header of a column
	Kind     Kind   // of its values
	Optional bool   // a message may have no value for it

	// AnyKind: the text only shows the value, or asks whether there is one, so [Text.Execute] takes
	// a value of any kind, and writes it in the format of its kind. Kind is KindText then. It is false
	// for the fields of [Config].
	AnyKind bool
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

// Values are the values for one message, by field name. An empty text, the zero time and nil count
// as no value. A number of 0, an amount of 0 and false are values, which a required field may have;
// for a condition such as {{if .Sconto}}, they are none.
type Values map[string]any

// The types in which text/template gets values. It compares strings, numbers and booleans, and
// calls String to write a value. It gets "" for a missing value.
type (
	escaped string // a text whose Markdown characters String escapes
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

// convert converts a value of the field for text/template. It returns false if the value is not of
// the field's kind.
func (f Field) convert(v any, content bool) (any, bool) {
	value, kind := convertValue(v, content)
	return value, value != nil && (kind == "" || kind == f.Kind || f.AnyKind)
}

// convertValue converts a value for text/template, and returns its kind: "" for no value. It
// returns nil for a value of an unknown type.
func convertValue(v any, content bool) (any, Kind) {
	switch v := v.(type) {
	case nil:
		return "", ""
	case string:
		return convertText(v, content), KindText
	case flussi.Text:
		return convertText(v.Reveal(), content), KindText
	case flussi.Cents:
		return amount(v), KindAmount
	case time.Time:
		if v.IsZero() {
			return "", KindDate
		}
		return date(v), KindDate
	case int:
		return v, KindNumber
	case int64:
		return v, KindNumber
	case bool:
		return flag(v), KindFlag
	}
	return nil, ""
}

func convertText(text string, content bool) any {
	text = oneLine(text)
	if content && text != "" {
		return escaped(text)
	}
	return text
}

// oneLine joins the lines of a text, and removes the characters that change the direction of text.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
