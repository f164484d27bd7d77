package flussi

import (
	"database/sql/driver"
	"fmt"
	"log/slog"

	"github.com/flussi-go/flussi/internal/private"
)

// Text (testo) is text for a citizen's eyes, such as the subject or the content of a
// message. It may be any text in UTF-8. The zero Text is the empty text.
//
// It masks itself when printed or logged; [Text.Reveal] gives the text. JSON, XML
// and SQL carry it whole: "" or NULL for the zero value. Equal texts share one copy
// in memory, so a message to many is held once.
type Text struct {
	text private.Text
}

// NewText returns the text s, as it is. What is not valid UTF-8 would not survive JSON.
func NewText(s string) Text { return Text{private.Of(s)} }

// Length counts the text in UTF-16 code units, as the platforms do: most characters
// count 1, an emoji counts 2.
func (t Text) Length() int {
	units := 0
	for _, r := range t.text.Reveal() {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return units
}

// IsZero reports whether the text is empty; encoding/json's omitzero uses it.
func (t Text) IsZero() bool { return t.text.IsZero() }

// Reveal returns the text itself. Keep it out of logs and errors.
func (t Text) Reveal() string { return t.text.Reveal() }

// String returns a mask.
func (t Text) String() string { return t.text.Mask("Text") }

// Format writes a mask for every verb.
func (t Text) Format(f fmt.State, verb rune) { t.text.WriteMask(f, verb, "flussi.", "Text") }

// LogValue returns a mask.
func (t Text) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText returns the whole text.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.text.Reveal()), nil }

// UnmarshalText takes any text.
func (t *Text) UnmarshalText(text []byte) error { return unmarshal(t, string(text), parseText) }

// Value gives a database the whole text, or NULL for the zero value.
func (t Text) Value() (driver.Value, error) { return sqlValue(t.text) }

// Scan takes any text, or NULL for the zero value. A column that is not text is
// refused with [ErrDigitsLost].
func (t *Text) Scan(src any) error { return scan(t, src, "Text", parseText) }

func parseText(s string) (Text, error) { return NewText(s), nil }
