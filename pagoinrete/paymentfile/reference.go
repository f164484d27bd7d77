package paymentfile

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/flussi-go/flussi"
)

// MaxReference is the maximum length of a payment reference in the formats of pagoPA, in
// characters.
const MaxReference = 35

// ReferenceClass is the kind of a payment reference.
type ReferenceClass string

// The classes of payment references.
const (
	// ReferenceNone is no reference at all.
	ReferenceNone ReferenceClass = ""
	// ReferenceIUV is an IUV of 15 or 17 digits, as notice numbers of pagoPA have. Only such a
	// reference can be that of a notice of Pago In Rete.
	ReferenceIUV ReferenceClass = "iuv"
	// ReferenceCreditor is a creditor reference of ISO 11649: RF, two check digits, up to 21
	// letters and digits. Blanks in it are removed, and its letters are upper-case.
	ReferenceCreditor ReferenceClass = "rf"
	// ReferenceOther is anything else, such as an IUV that another intermediary made.
	ReferenceOther ReferenceClass = "other"
)

// Reference (identificativo univoco di versamento) is the payment reference of a row: an IUV like
// those of Pago In Rete, an RF reference, or the reference of another intermediary. It accepts any
// text, and reports its class. References can be compared with ==.
//
// It masks itself like a [flussi.IUV]; [Reference.Reveal] gives the text. JSON and SQL carry the
// whole text: "" or NULL for the zero value.
type Reference struct {
	iuv  flussi.IUV
	text flussi.Text // of the other classes
}

// NewReference returns the reference with a text. It accepts any text, and removes the white space
// around it.
func NewReference(s string) Reference {
	s = strings.TrimSpace(s)
	if iuv, err := flussi.ParseIUV(s); err == nil {
		return Reference{iuv: iuv}
	}
	if rf, ok := creditorReference(s); ok {
		s = rf
	}
	return Reference{text: flussi.NewText(s)}
}

// creditorReference normalises a reference of ISO 11649, if s has its form.
func creditorReference(s string) (string, bool) {
	if len(s) < 5 || s[0] != 'R' && s[0] != 'r' || s[1] != 'F' && s[1] != 'f' {
		return "", false
	}
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(s) < 5 || len(s) > 25 || !isDigit(s[2]) || !isDigit(s[3]) {
		return "", false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && (s[i] < 'A' || s[i] > 'Z') {
			return "", false
		}
	}
	return s, true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// Class returns the kind of the reference.
func (r Reference) Class() ReferenceClass {
	switch {
	case !r.iuv.IsZero():
		return ReferenceIUV
	case r.text.IsZero():
		return ReferenceNone
	}
	if _, ok := creditorReference(r.text.Reveal()); ok {
		return ReferenceCreditor
	}
	return ReferenceOther
}

// IUV returns the reference as an IUV, and whether it is of the class [ReferenceIUV].
func (r Reference) IUV() (flussi.IUV, bool) { return r.iuv, !r.iuv.IsZero() }

// Check checks the reference. Its error is a [*flussi.ValueError]:
// [flussi.ErrCheckDigits] for an RF reference with wrong check digits, [flussi.ErrLength] for more
// than [MaxReference] characters; otherwise nil.
func (r Reference) Check() error {
	text := r.text.Reveal()
	switch {
	case utf8.RuneCountInString(text) > MaxReference:
		return &flussi.ValueError{Type: "Reference", Err: flussi.ErrLength,
			Reason: fmt.Sprintf("Il codice del versamento (IUV) ha più di %d caratteri.", MaxReference)}
	case r.Class() == ReferenceCreditor && !rightCheckDigits(text):
		return &flussi.ValueError{Type: "Reference", Position: 3, Err: flussi.ErrCheckDigits,
			Reason: "Le cifre di controllo del riferimento RF non sono corrette. Verificare il riferimento."}
	}
	return nil
}

// rightCheckDigits computes ISO 7064 mod 97-10 of an RF reference: with its first four characters
// moved to the end, and A to Z as 10 to 35, the number gives the remainder 1.
func rightCheckDigits(rf string) bool {
	remainder := 0
	for _, c := range []byte(rf[4:] + rf[:4]) {
		if isDigit(c) {
			remainder = (remainder*10 + int(c-'0')) % 97
		} else {
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		}
	}
	return remainder == 1
}

// IsZero reports whether there is no reference; encoding/json's omitzero uses it.
func (r Reference) IsZero() bool { return r == Reference{} }

// Reveal returns the text, "" for the zero value. Keep it out of logs and errors.
func (r Reference) Reveal() string {
	if !r.iuv.IsZero() {
		return r.iuv.Reveal()
	}
	return r.text.Reveal()
}

// String returns a mask.
func (r Reference) String() string {
	if r.IsZero() {
		return "Reference()"
	}
	return "Reference(***)"
}

// Format writes a mask for every verb.
func (r Reference) Format(f fmt.State, verb rune) {
	switch mask := r.String(); {
	case verb == 'q':
		_, _ = fmt.Fprint(f, `"`+mask+`"`)
	case verb == 'v' && f.Flag('#'):
		_, _ = fmt.Fprint(f, "paymentfile."+mask)
	default:
		_, _ = fmt.Fprint(f, mask)
	}
}

// LogValue returns a mask.
func (r Reference) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText returns the whole text.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.Reveal()), nil }

// UnmarshalText takes what [NewReference] takes.
func (r *Reference) UnmarshalText(text []byte) error {
	*r = NewReference(string(text))
	return nil
}

// Value gives a database the whole text, or NULL for the zero value.
func (r Reference) Value() (driver.Value, error) {
	if r.IsZero() {
		return nil, nil
	}
	return r.Reveal(), nil
}

// Scan takes text as [NewReference] does, or NULL for the zero value. A numeric column is refused
// with [flussi.ErrDigitsLost].
func (r *Reference) Scan(src any) error {
	var text flussi.Text
	if err := text.Scan(src); err != nil {
		return err
	}
	*r = NewReference(text.Reveal())
	return nil
}
