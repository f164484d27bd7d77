package flussi

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/private"
)

// IUV (identificativo univoco di versamento) identifies a payment in receipts and
// settlements: the 15 or 17 digits that [NoticeNumber.IUV] derives. The zero IUV is
// "no identifier".
//
// It masks itself like a [NoticeNumber]; [IUV.Reveal] gives the text. JSON, XML and
// SQL carry the whole text: "" or NULL for the zero value.
type IUV struct {
	code private.Code
}

// ParseIUV takes exactly 15 or 17 digits. The error is a [*ValueError] with [ErrEmpty], [ErrLength]
// or [ErrCharacter], or [ErrDigitsLost] for what a spreadsheet makes of it; a short one is never
// padded. An IUV does not show its layout, so its check digits cannot be checked.
func ParseIUV(s string) (IUV, error) {
	return parseIUV(s, nil)
}

func parseIUV(s string, from origin) (IUV, error) {
	fail := func(err error, position int, italian string) (IUV, error) {
		return IUV{}, &ValueError{Type: "IUV", Position: position, Err: err, Reason: italian}
	}
	length := utf8.RuneCountInString(s)
	switch {
	case length == 0:
		return fail(ErrEmpty, 0, "Manca lo IUV.")
	case scientific(s):
		return fail(ErrDigitsLost, 0, "Il foglio di calcolo ha trasformato lo IUV in un numero e ne ha perso le cifre: riscriverlo in una cella di tipo testo.")
	case length == noticeNumberLength && allDigits(s):
		return fail(ErrLength, 0, "Un codice di 18 cifre è un numero avviso: lo IUV ha 15 o 17 cifre.")
	case length != 15 && length != 17:
		return fail(ErrLength, 0, fmt.Sprintf("Lo IUV deve avere 15 o 17 cifre, questo ha %s%s.", italian.Character.Count(length), signs(s)))
	}
	if position := from.of(firstNonDigit(s)); position > 0 {
		return fail(ErrCharacter, position, fmt.Sprintf("Lo IUV ha in posizione %d un carattere che non è una cifra.", position))
	}
	return IUV{private.CodeOf(s)}, nil
}

// ReadIUV reads an IUV as a person typed it: it cleans the text as [NormalizeCode]
// does and reports the changes. There are no doubts, so both policies read alike.
func ReadIUV(input string, p Policy) (Reading[IUV], error) { return read(input, p, parseIUV) }

// Check returns nil: nothing about an IUV can be judged by itself. It is there so that
// all codes are checked alike.
func (v IUV) Check() error { return nil }

func (IUV) judge(string) []error { return nil }

// IsZero reports whether there is no identifier; encoding/json's omitzero uses it.
func (v IUV) IsZero() bool { return v.code.IsZero() }

// Reveal returns the digits, "" for the zero value. Keep them out of logs and errors.
func (v IUV) Reveal() string { return v.code.Reveal() }

// String returns a mask.
func (v IUV) String() string { return v.code.Mask("IUV") }

// Format writes a mask for every verb.
func (v IUV) Format(f fmt.State, verb rune) { v.code.WriteMask(f, verb, "flussi.", "IUV") }

// LogValue returns a mask.
func (v IUV) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalText returns the whole identifier.
func (v IUV) MarshalText() ([]byte, error) { return []byte(v.code.Reveal()), nil }

// UnmarshalText takes what [ParseIUV] takes, or no text for the zero value.
func (v *IUV) UnmarshalText(text []byte) error { return unmarshal(v, string(text), ParseIUV) }

// Value gives a database the whole identifier as text, or NULL for the zero value.
func (v IUV) Value() (driver.Value, error) { return sqlValue(v.code) }

// Scan takes text as [IUV.UnmarshalText] does, or NULL for the zero value. A numeric
// column is refused with [ErrDigitsLost].
func (v *IUV) Scan(src any) error { return scan(v, src, "IUV", ParseIUV) }
