package flussi

import (
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/private"
)

// Key (chiave) is the secret that a client calls a platform with: the key of an App IO service,
// or a school's credential for Pago In Rete. The zero Key is "no key".
//
// It masks itself when printed, logged or marshalled, in JSON too: a key is not data. Only
// [Key.Reveal] gives it.
type Key struct {
	text private.Text
}

// ParseKey takes the text of a key, without the white space around it that files and environment
// variables add. The error is a [*ValueError] with [ErrEmpty], or with [ErrCharacter] for a
// character that an HTTP header cannot carry. It does not hold the text.
func ParseKey(s string) (Key, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return Key{}, &ValueError{Type: "Key", Err: ErrEmpty, Reason: "Manca la chiave di accesso alla piattaforma."}
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		position := utf8.RuneCountInString(s[:strings.Index(s, text)+i]) + 1
		return Key{}, &ValueError{Type: "Key", Err: ErrCharacter, Position: position,
			Reason: "La chiave di accesso alla piattaforma contiene un carattere non ammesso."}
	}
	return Key{private.Of(text)}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.text.IsZero() }

// Reveal returns the key itself. Keep it out of logs and errors.
func (k Key) Reveal() string { return k.text.Reveal() }

// String returns a mask.
func (k Key) String() string { return k.text.Mask("Key") }

// Format writes a mask for every verb.
func (k Key) Format(f fmt.State, verb rune) { k.text.WriteMask(f, verb, "flussi.", "Key") }

// MarshalText returns a mask.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns a mask.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
