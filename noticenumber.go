package flussi

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/private"
)

// NoticeNumber (codice avviso, NAV) is the 18-digit number of a payment notice of
// pagoPA. It is text, never a number: a float cannot hold it, and it may begin with
// zero. The zero NoticeNumber is "no number".
//
// The first digit (aux digit) says how the other digits are laid out:
//
//	0   0 + application code (2) + 13 digits + check (2)     IUV: the last 15
//	1   1 + 17 digits                                        IUV: the last 17
//	2   2 + 15 digits + check (2)                            IUV: the last 17
//	3   3 + segregation code (2) + 13 digits + check (2)     IUV: the last 17
//
// It masks itself when printed or logged, since with the creditor's code it opens a
// citizen's debt to anyone; [NoticeNumber.Reveal] gives the text. JSON, XML and SQL
// carry the whole text: "" or NULL for the zero value.
type NoticeNumber struct {
	code private.Code
}

const noticeNumberLength = 18

// ParseNoticeNumber takes exactly 18 digits of which the first is 0 to 3.
// [NoticeNumber.Check] judges the check digits. The error is a [*ValueError] with
// [ErrEmpty], [ErrLength] or [ErrCharacter], or [ErrDigitsLost] for what a spreadsheet
// makes of it, such as 3,01005E+17; a short number is never padded.
func ParseNoticeNumber(s string) (NoticeNumber, error) {
	return parseNoticeNumber(s, nil)
}

func parseNoticeNumber(s string, from origin) (NoticeNumber, error) {
	fail := func(err error, position int, italian string) (NoticeNumber, error) {
		return NoticeNumber{}, &ValueError{Type: "NoticeNumber", Position: position, Err: err, Reason: italian}
	}
	length := utf8.RuneCountInString(s)
	switch {
	case length == 0:
		return fail(ErrEmpty, 0, "Manca il numero avviso.")
	case scientific(s):
		return fail(ErrDigitsLost, 0, "Il foglio di calcolo ha trasformato il numero avviso in un numero e ne ha perso le cifre: riscriverlo in una cella di tipo testo.")
	case length == 17 && allDigits(s):
		return fail(ErrLength, 0, "Il numero avviso deve avere 18 cifre, questo ne ha 17: forse manca lo zero iniziale, o è uno IUV.")
	case length != noticeNumberLength:
		return fail(ErrLength, 0, fmt.Sprintf("Il numero avviso deve avere 18 cifre, questo ha %s%s.", italian.Character.Count(length), signs(s)))
	}
	if position := from.of(firstNonDigit(s)); position > 0 {
		return fail(ErrCharacter, position, fmt.Sprintf("Il numero avviso ha in posizione %d un carattere che non è una cifra.", position))
	}
	if s[0] > '3' {
		return fail(ErrCharacter, from.of(1), "Il numero avviso deve cominciare con 0, 1, 2 o 3.")
	}
	return NoticeNumber{private.CodeOf(s)}, nil
}

// ReadNoticeNumber reads a number as a person typed it: it cleans the text as
// [NormalizeCode] does and reports the changes; wrong check digits are a warning
// under [Lenient], an error with [ErrCheckDigits] under [Strict].
func ReadNoticeNumber(input string, p Policy) (Reading[NoticeNumber], error) {
	return read(input, p, parseNoticeNumber)
}

// Check returns a [*ValueError] with [ErrCheckDigits] if the last two digits are not
// the first sixteen modulo 93. Layout 1 has no check digits; the zero value has no
// doubts.
func (n NoticeNumber) Check() error { return errors.Join(n.judge(n.code.Reveal())...) }

func (NoticeNumber) judge(s string) []error {
	if s == "" || s[0] == '1' || noticeCheckDigits(s[:16]) == s[16:] {
		return nil
	}
	return []error{&ValueError{Type: "NoticeNumber", Position: 17, Err: ErrCheckDigits,
		Reason: "Le ultime due cifre del numero avviso, quelle di controllo, non sono corrette: verificare il numero avviso."}}
}

// noticeCheckDigits computes the check digits of 16 digits.
func noticeCheckDigits(s string) string {
	sum := 0
	for i := range len(s) {
		sum = (sum*10 + int(s[i]-'0')) % 93
	}
	return string([]byte{byte('0' + sum/10), byte('0' + sum%10)})
}

// AuxDigit returns the first digit, 0 to 3, which names the layout; −1 for the zero
// value.
func (n NoticeNumber) AuxDigit() int {
	if n.IsZero() {
		return -1
	}
	return int(n.code.Reveal()[0] - '0')
}

// ApplicationCode returns the two digits of the creditor's application in layout 0,
// "" in the other layouts.
func (n NoticeNumber) ApplicationCode() string { return n.secondPart(0) }

// SegregationCode (codice di segregazione) returns the two digits that distinguish a creditor's
// collecting systems in layout 3, "" in the other layouts.
func (n NoticeNumber) SegregationCode() string { return n.secondPart(3) }

func (n NoticeNumber) secondPart(auxDigit int) string {
	if n.AuxDigit() != auxDigit {
		return ""
	}
	return n.code.Reveal()[1:3]
}

// IUV derives the payment's identifier: the last 15 digits in layout 0, the last 17
// in the others; the zero IUV for the zero value.
func (n NoticeNumber) IUV() IUV {
	switch n.AuxDigit() {
	case -1:
		return IUV{}
	case 0:
		return IUV{private.CodeOf(n.code.Reveal()[3:])}
	}
	return IUV{private.CodeOf(n.code.Reveal()[1:])}
}

// Grouped returns the number in groups of four, as printed on notices:
// "3010 0510 0001 4006 78"; "" for the zero value. It reveals the number.
func (n NoticeNumber) Grouped() string {
	s := n.code.Reveal()
	if s == "" {
		return ""
	}
	return s[:4] + " " + s[4:8] + " " + s[8:12] + " " + s[12:16] + " " + s[16:]
}

// QR returns the text of the QR code on a printed notice,
// PAGOPA|002|number|creditor|cents. It reveals the number. The error is a
// [*ValueError] with [ErrEmpty] if the number or the creditor is missing, or
// [ErrRange] if the amount cannot be paid.
func (n NoticeNumber) QR(creditor OrganizationCode, amount Cents) (string, error) {
	if n.IsZero() {
		_, err := ParseNoticeNumber("")
		return "", err
	}
	if creditor.IsZero() {
		_, err := ParseOrganizationCode("")
		return "", err
	}
	if err := amount.Check(); err != nil {
		return "", err
	}
	return fmt.Sprintf("PAGOPA|002|%s|%s|%02d", n.code.Reveal(), creditor, int64(amount)), nil
}

// IsZero reports whether there is no number; encoding/json's omitzero uses it.
func (n NoticeNumber) IsZero() bool { return n.code.IsZero() }

// Reveal returns the 18 digits, "" for the zero value. Keep them out of logs and
// errors.
func (n NoticeNumber) Reveal() string { return n.code.Reveal() }

// String returns a mask.
func (n NoticeNumber) String() string { return n.code.Mask("NoticeNumber") }

// Format writes a mask for every verb.
func (n NoticeNumber) Format(f fmt.State, verb rune) {
	n.code.WriteMask(f, verb, "flussi.", "NoticeNumber")
}

// LogValue returns a mask.
func (n NoticeNumber) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalText returns the whole number.
func (n NoticeNumber) MarshalText() ([]byte, error) { return []byte(n.code.Reveal()), nil }

// UnmarshalText takes what [ParseNoticeNumber] takes, or no text for the zero value.
func (n *NoticeNumber) UnmarshalText(text []byte) error {
	return unmarshal(n, string(text), ParseNoticeNumber)
}

// Value gives a database the whole number as text, or NULL for the zero value.
func (n NoticeNumber) Value() (driver.Value, error) { return sqlValue(n.code) }

// Scan takes text as [NoticeNumber.UnmarshalText] does, or NULL for the zero value.
// A numeric column is refused with [ErrDigitsLost].
func (n *NoticeNumber) Scan(src any) error { return scan(n, src, "NoticeNumber", ParseNoticeNumber) }
