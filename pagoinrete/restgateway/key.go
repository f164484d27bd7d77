package restgateway

import (
	"fmt"
	"log/slog"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/private"
)

// Key (credenziale) is the secret that a school calls Pago In Rete with. It masks itself when
// printed, logged or marshalled: a key is not data. The zero Key is "no key".
type Key struct {
	text private.Text
}

// ParseKey takes the text of a key, without the white space around it that files and
// variables bring along. The error is a [*flussi.ValueError] with [flussi.ErrEmpty], or
// [flussi.ErrCharacter] for what cannot stand in an HTTP header; it does not hold the text.
func ParseKey(s string) (Key, error) {
	text, position := private.Credential(s)
	switch {
	case position > 0:
		return Key{}, &flussi.ValueError{Type: "Key", Err: flussi.ErrCharacter, Position: position,
			Reason: "La credenziale di Pago In Rete contiene un carattere non ammesso."}
	case text.IsZero():
		return Key{}, &flussi.ValueError{Type: "Key", Err: flussi.ErrEmpty, Reason: "Manca la credenziale della scuola per Pago In Rete."}
	}
	return Key{text}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.text.IsZero() }

// String returns a mask.
func (k Key) String() string { return k.text.Mask("Key") }

// Format writes a mask for every verb.
func (k Key) Format(f fmt.State, verb rune) { k.text.WriteMask(f, verb, "restgateway.", "Key") }

// MarshalText returns a mask.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue returns a mask.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
