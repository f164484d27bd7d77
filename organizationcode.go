package flussi

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
)

// OrganizationCode (codice fiscale dell'ente, partita IVA) is the 11-digit tax code
// of a body or a company, such as the creditor of a payment. It is public, so it
// prints whole. The zero OrganizationCode is "no code". App IO cannot send messages
// to it.
type OrganizationCode struct {
	digits string
}

const organizationCodeLength = 11

// ParseOrganizationCode takes exactly 11 digits, not all of them zero.
// [OrganizationCode.Check] judges the check digit. The error is a [*ValueError]
// with [ErrEmpty], [ErrLength], [ErrCharacter], or [ErrRange] for eleven zeros.
func ParseOrganizationCode(s string) (OrganizationCode, error) {
	return parseOrganizationCode(s, nil)
}

func parseOrganizationCode(s string, from origin) (OrganizationCode, error) {
	fail := func(err error, position int, italian string) (OrganizationCode, error) {
		return OrganizationCode{}, &ValueError{Type: "OrganizationCode", Position: position, Err: err, Reason: italian}
	}
	length := utf8.RuneCountInString(s)
	switch {
	case length == 0:
		return fail(ErrEmpty, 0, "Manca il codice fiscale dell'ente.")
	case length < organizationCodeLength && allDigits(s):
		return fail(ErrLength, 0, fmt.Sprintf("Il codice fiscale dell'ente deve avere 11 cifre, questo ne ha %d: forse un foglio di calcolo ha tolto gli zeri iniziali.", length))
	case length != organizationCodeLength:
		return fail(ErrLength, 0, fmt.Sprintf("Il codice fiscale dell'ente deve avere 11 cifre, questo ha %s%s.", italian.Character.Count(length), signs(s)))
	}
	if position := from.of(firstNonDigit(s)); position > 0 {
		return fail(ErrCharacter, position, fmt.Sprintf("Il codice fiscale dell'ente ha in posizione %d un carattere che non è una cifra.", position))
	}
	if s == "00000000000" {
		return fail(ErrRange, 0, "Il codice fiscale dell'ente non può essere fatto di soli zeri.")
	}
	return OrganizationCode{s}, nil
}

// ReadOrganizationCode reads a code as a person typed it: it cleans the text as
// [NormalizeCode] does and reports the changes; a wrong check digit is a warning
// under [Lenient], an error with [ErrCheckDigits] under [Strict].
func ReadOrganizationCode(input string, p Policy) (Reading[OrganizationCode], error) {
	return read(input, p, parseOrganizationCode)
}

// Check returns a [*ValueError] with [ErrCheckDigits] if the last digit is not the
// check digit of the others; nil for the zero value.
func (c OrganizationCode) Check() error { return errors.Join(c.judge(c.digits)...) }

func (OrganizationCode) judge(s string) []error {
	if s == "" || organizationCheckDigit(s) == s[10] {
		return nil
	}
	return []error{&ValueError{Type: "OrganizationCode", Position: organizationCodeLength, Err: ErrCheckDigits,
		Reason: "La cifra di controllo del codice fiscale dell'ente non è corretta: verificare il codice."}}
}

// organizationCheckDigit computes the 11th digit from the first 10.
func organizationCheckDigit(s string) byte {
	sum := 0
	for i := range 10 {
		digit := int(s[i] - '0')
		if i%2 == 1 { // the second, fourth, … digit counts twice
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return byte('0' + (10-sum%10)%10)
}

// IsZero reports whether there is no code; encoding/json's omitzero uses it.
func (c OrganizationCode) IsZero() bool { return c == OrganizationCode{} }

// String returns the 11 digits, "" for the zero value.
func (c OrganizationCode) String() string { return c.digits }

// MarshalText returns the 11 digits.
func (c OrganizationCode) MarshalText() ([]byte, error) { return []byte(c.digits), nil }

// UnmarshalText takes what [ParseOrganizationCode] takes, or no text for the zero value.
func (c *OrganizationCode) UnmarshalText(text []byte) error {
	return unmarshal(c, string(text), ParseOrganizationCode)
}

// Value gives a database the 11 digits, or NULL for the zero value.
func (c OrganizationCode) Value() (driver.Value, error) {
	if c.IsZero() {
		return nil, nil
	}
	return c.digits, nil
}

// Scan takes text as [OrganizationCode.UnmarshalText] does, or NULL for the zero value.
func (c *OrganizationCode) Scan(src any) error {
	return scan(c, src, "OrganizationCode", ParseOrganizationCode)
}
