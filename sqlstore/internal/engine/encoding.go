package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
)

// Databases store only text that is valid UTF-8 and has no NUL. Callers may pass other text. Each
// byte that databases do not store is encoded as two of the 32 noncharacters U+FDD0 to U+FDEF, one
// for each half of the byte. If a text contains noncharacters itself, their bytes are encoded in
// the same way. Encoded texts are equal, or contain each other, if the texts do.
const (
	highHalf = 0xFDD0
	lowHalf  = 0xFDE0
	lastHalf = 0xFDEF
	halfLead = "\xef\xb7" // the first bytes of these characters in UTF-8
)

// encode returns a text as databases store it: nearly always the same text.
func encode[T ~string](text T) string {
	s := string(text)
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 && !strings.Contains(s, halfLead) {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r != 0 && (r != utf8.RuneError || size > 1) && (r < highHalf || r > lastHalf) {
			b.WriteString(rest[:size])
		} else {
			for _, c := range []byte(rest[:size]) {
				b.WriteRune(highHalf + rune(c>>4))
				b.WriteRune(lowHalf + rune(c&0xF))
			}
		}
		rest = rest[size:]
	}
	return b.String()
}

// decode reverses encode.
func decode(s string) string {
	if !strings.Contains(s, halfLead) {
		return s
	}
	var b strings.Builder
	var high rune
	for _, r := range s {
		switch {
		case r < highHalf || r > lastHalf:
			b.WriteRune(r)
		case r < lowHalf:
			high = r - highHalf
		default:
			b.WriteByte(byte(high<<4 | (r - lowHalf)))
		}
	}
	return b.String()
}

// encodeAll returns texts as arguments.
func encodeAll[T ~string](texts []T) []any {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = encode(text)
	}
	return args
}

// searchable returns a text as searches compare it: in lower case, and encoded.
func searchable(text string) string { return encode(strings.ToLower(text)) }

// micros returns a time as databases store it: in microseconds since 1970; NULL for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// ceiling returns the first microsecond that is not before a time.
func ceiling(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// timeField scans a time.
type timeField struct{ to *time.Time }

// Scan implements sql.Scanner.
func (f timeField) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*f.to = time.Time{}
	case int64:
		*f.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", src)
	}
	return nil
}

// stringField scans an encoded string.
type stringField[T ~string] struct{ to *T }

// stringTo returns a field that scans into a string.
func stringTo[T ~string](to *T) stringField[T] { return stringField[T]{to} }

// Scan implements sql.Scanner.
func (f stringField[T]) Scan(src any) error {
	text, err := textOf(src)
	*f.to = T(decode(text))
	return err
}

// textField scans an encoded text into a [flussi.Text].
type textField struct{ to *flussi.Text }

// Scan implements sql.Scanner.
func (f textField) Scan(src any) error {
	text, err := textOf(src)
	*f.to = flussi.NewText(decode(text))
	return err
}

// textOf returns a column as text.
func textOf(src any) (string, error) {
	switch v := src.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("a text is stored as %T", src)
}

// toJSON encodes a value of a type that encoding/json never refuses.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// fromJSON decodes a column into a value; "" changes nothing. Texts in it remain encoded.
func fromJSON(src, to any) error {
	text, err := textOf(src)
	if err != nil || text == "" {
		return err
	}
	return json.Unmarshal([]byte(text), to)
}

// jsonTime returns a time as it is stored in JSON.
func jsonTime(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	at := t.UnixMicro()
	return &at
}

// timeOfJSON returns a time that is stored in JSON.
func timeOfJSON(at *int64) time.Time {
	if at == nil {
		return time.Time{}
	}
	return time.UnixMicro(*at).UTC()
}
