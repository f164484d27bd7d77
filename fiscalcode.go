package flussi

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flussi-go/flussi/internal/italian"
	"github.com/flussi-go/flussi/internal/private"
)

// FiscalCode (codice fiscale) is the 16-character tax code of a person: six letters
// of the name, year, month and day of birth with the sex, place of birth, check
// character. Where two persons would share a code, digits are replaced by letters
// (omocodia). The zero FiscalCode is "no code".
//
// It masks itself when printed or logged; [FiscalCode.Reveal] gives the text.
// JSON, XML and SQL carry the whole text: "" or NULL for the zero value.
type FiscalCode struct {
	code private.Code
}

// Where the parts of a fiscal code are, counted from 0.
const (
	fiscalCodeLength = 16
	testRecipient    = "AAAAAA00A00A000A"
	fiscalMonths     = "ABCDEHLMPRST"
	fiscalOmocodia   = "LMNPQRSTUV" // the letters that replace the digits 0 to 9
	femaleDayOffset  = 40
)

// fiscalOddValues is what a digit 0–9, or a letter A–Z, counts in the check sum at
// the first, third, … position; a letter A–J counts as the digit of its rank.
var fiscalOddValues = [26]int{
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18,
	20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
}

// ParseFiscalCode takes a code in its canonical form, 16 upper-case characters. It
// checks the form only: letters, digits or their omocodia letters, and the letter
// of the month each in their place. [FiscalCode.Check] judges the check character
// and the date. The error is a [*ValueError] with [ErrEmpty], [ErrLength],
// [ErrCharacter], or [ErrNotPersonal] for the 11 digits of an organization, which
// App IO cannot reach. The pattern is the App IO platform's.
func ParseFiscalCode(s string) (FiscalCode, error) {
	return parseFiscalCode(s, nil)
}

func parseFiscalCode(s string, from origin) (FiscalCode, error) {
	if err := fiscalCodeForm(s, from); err != nil {
		return FiscalCode{}, err
	}
	return FiscalCode{private.CodeOf(s)}, nil
}

// ReadFiscalCode reads a code as a person typed it: it cleans the text as
// [NormalizeCode] does and reports the changes; a wrong check character or an
// impossible date of birth is a warning under [Lenient], an error under [Strict].
// The errors are those of [ParseFiscalCode], and under [Strict] also
// [ErrCheckDigits] and [ErrBirthDate], joined if both.
func ReadFiscalCode(input string, p Policy) (Reading[FiscalCode], error) {
	return read(input, p, parseFiscalCode)
}

// TestRecipient returns AAAAAA00A00A000A, the recipient that App IO provides for
// tests. Its check character and its date are wrong, and it is valid.
func TestRecipient() FiscalCode { return FiscalCode{private.CodeOf(testRecipient)} }

// fiscalCodeForm checks the form of a code.
func fiscalCodeForm(s string, from origin) error {
	fail := func(err error, position int, italian string) error {
		return &ValueError{Type: "FiscalCode", Position: position, Err: err, Reason: italian}
	}
	length := utf8.RuneCountInString(s)
	switch {
	case length == 0:
		return fail(ErrEmpty, 0, "Manca il codice fiscale.")
	case length == organizationCodeLength && allDigits(s):
		return fail(ErrNotPersonal, 0, "È il codice di 11 cifre di un ente o di un'impresa: serve il codice fiscale di 16 caratteri di una persona.")
	case length < organizationCodeLength && allDigits(s):
		return fail(ErrLength, 0, fmt.Sprintf(
			"Il codice fiscale ha %s: forse un foglio di calcolo ha tolto gli zeri iniziali. Servono i 16 caratteri di una persona.", italian.Count(length, "cifra", "cifre")))
	case length != fiscalCodeLength:
		return fail(ErrLength, 0, fmt.Sprintf("Il codice fiscale deve avere 16 caratteri fra lettere e cifre, questo ne ha %s%s.", italian.Number(length), signs(s)))
	}
	position := 0
	for _, r := range s {
		position++
		if hint, ok := fiscalCharacter(position, r); !ok {
			typed := from.of(position)
			return fail(ErrCharacter, typed, fmt.Sprintf("Il codice fiscale ha un carattere non ammesso in posizione %d: %s.", typed, hint))
		}
	}
	return nil
}

// fiscalCharacter reports whether r may be at the position, counted from 1; if not, it says what
// belongs there.
func fiscalCharacter(position int, r rune) (hint string, ok bool) {
	upper, digit := 'A' <= r && r <= 'Z', '0' <= r && r <= '9'
	switch position {
	case 7, 8, 10, 11, 13, 14, 15:
		switch {
		case digit || upper && strings.ContainsRune(fiscalOmocodia, r):
			return "", true
		case r == 'O':
			return "c'è la lettera O, forse al posto della cifra 0", false
		case r == 'I':
			return "c'è la lettera I, forse al posto della cifra 1", false
		}
		return "serve una cifra", false
	case 9:
		if strings.ContainsRune(fiscalMonths, r) {
			return "", true
		}
		return "serve la lettera di un mese (" + fiscalMonths + ")", false
	}
	switch {
	case upper:
		return "", true
	case r == '0':
		return "c'è la cifra 0, forse al posto della lettera O", false
	case r == '1':
		return "c'è la cifra 1, forse al posto della lettera I", false
	}
	return "serve una lettera maiuscola", false
}

// Check returns what is doubtful about the code: [ErrCheckDigits] and
// [ErrBirthDate], joined if both; nil if nothing is. The platforms accept such
// codes. The zero value and the test recipient have no doubts.
func (c FiscalCode) Check() error { return errors.Join(c.judge(c.code.Reveal())...) }

func (FiscalCode) judge(s string) []error {
	if s == "" || s == testRecipient {
		return nil
	}
	var doubts []error
	if fiscalCheckCharacter(s) != s[15] {
		doubts = append(doubts, &ValueError{Type: "FiscalCode", Position: fiscalCodeLength, Err: ErrCheckDigits,
			Reason: "Il carattere di controllo del codice fiscale non è corretto: verificare il codice."})
	}
	if !fiscalValidDay(s) {
		doubts = append(doubts, &ValueError{Type: "FiscalCode", Position: 10, Err: ErrBirthDate,
			Reason: "La data di nascita nel codice fiscale non esiste: verificare il codice."})
	}
	return doubts
}

// fiscalCheckCharacter computes the 16th character from the first 15.
func fiscalCheckCharacter(s string) byte {
	sum := 0
	for i := range 15 {
		rank := int(s[i] - 'A')
		if s[i] <= '9' {
			rank = int(s[i] - '0')
		}
		if i%2 == 0 { // the first position is an odd one
			rank = fiscalOddValues[rank]
		}
		sum += rank
	}
	return byte('A' + sum%26)
}

// fiscalDigit decodes a digit, omocodia letters included.
func fiscalDigit(b byte) byte {
	if b > '9' {
		return byte('0' + strings.IndexByte(fiscalOmocodia, b))
	}
	return b
}

// fiscalDigits decodes the digits of a part.
func fiscalDigits(part string) string {
	plain := []byte(part)
	for i, b := range plain {
		plain[i] = fiscalDigit(b)
	}
	return string(plain)
}

// fiscalBirth decodes year of the century, month and day of a code, and whether the
// day says female.
func fiscalBirth(s string) (year, month, day int, female bool) {
	number := func(i int) int { return int(fiscalDigit(s[i])-'0')*10 + int(fiscalDigit(s[i+1])-'0') }
	year = number(6)
	month = 1 + strings.IndexByte(fiscalMonths, s[8])
	day = number(9)
	if day > femaleDayOffset {
		return year, month, day - femaleDayOffset, true
	}
	return year, month, day, false
}

// fiscalValidDay reports whether the day exists in some century: 29 February does in
// every year that divides by 4, at the latest in 2000.
func fiscalValidDay(s string) bool {
	year, month, day, _ := fiscalBirth(s)
	date := time.Date(2000+year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return date.Day() == day
}

// BirthDate (data di nascita) derives the date of birth, at midnight UTC. The code
// holds two digits of the year only, so the result is the latest such date that is
// not after the day of asOf: a person older than a hundred years comes out a
// hundred years too young. It returns a [*ValueError] with [ErrBirthDate] for a
// date that does not exist, or [ErrEmpty] for the zero value.
func (c FiscalCode) BirthDate(asOf time.Time) (time.Time, error) {
	if c.IsZero() {
		return time.Time{}, fiscalCodeForm("", nil)
	}
	year, month, day, _ := fiscalBirth(c.code.Reveal())
	limit := time.Date(asOf.Year(), asOf.Month(), asOf.Day(), 0, 0, 0, 0, time.UTC)
	for century := asOf.Year() / 100 * 100; century > asOf.Year()-500; century -= 100 {
		date := time.Date(century+year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if date.Day() == day && date.Year() > 0 && !date.After(limit) {
			return date, nil
		}
	}
	return time.Time{}, &ValueError{Type: "FiscalCode", Position: 10, Err: ErrBirthDate,
		Reason: "La data di nascita nel codice fiscale non esiste."}
}

// Sex is the sex that a fiscal code records.
type Sex string

// The sexes that a fiscal code can record.
const (
	Male   Sex = "M"
	Female Sex = "F"
)

// Sex derives the sex, "" for the zero value.
func (c FiscalCode) Sex() Sex {
	if c.IsZero() {
		return ""
	}
	if _, _, _, female := fiscalBirth(c.code.Reveal()); female {
		return Female
	}
	return Male
}

// PlaceCode (codice catastale, codice Belfiore) derives the code of the place of
// birth, a letter and three digits: H501 is Rome, codes with Z are countries. It is
// "" for the zero value. Whether the place exists is not checked.
func (c FiscalCode) PlaceCode() string {
	if c.IsZero() {
		return ""
	}
	s := c.code.Reveal()
	return s[11:12] + fiscalDigits(s[12:15])
}

// IsOmocodic reports whether letters replace digits (omocodia), as the tax agency does to
// distinguish persons who would share a code.
func (c FiscalCode) IsOmocodic() bool {
	s := c.code.Reveal()
	return s != "" && fiscalDigits(s[6:8]+s[9:11]+s[12:15]) != s[6:8]+s[9:11]+s[12:15]
}

// IsTestRecipient reports whether the code is [TestRecipient].
func (c FiscalCode) IsTestRecipient() bool { return c.code.Reveal() == testRecipient }

// IsZero reports whether there is no code; encoding/json's omitzero uses it.
func (c FiscalCode) IsZero() bool { return c.code.IsZero() }

// Reveal returns the code itself, "" for the zero value. What it returns is
// personal data: keep it out of logs and errors.
func (c FiscalCode) Reveal() string { return c.code.Reveal() }

// String returns a mask.
func (c FiscalCode) String() string { return c.code.Mask("FiscalCode") }

// Format writes a mask for every verb.
func (c FiscalCode) Format(f fmt.State, verb rune) {
	c.code.WriteMask(f, verb, "flussi.", "FiscalCode")
}

// LogValue returns a mask.
func (c FiscalCode) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText returns the whole code.
func (c FiscalCode) MarshalText() ([]byte, error) { return []byte(c.code.Reveal()), nil }

// UnmarshalText takes what [ParseFiscalCode] takes, or no text for the zero value.
func (c *FiscalCode) UnmarshalText(text []byte) error {
	return unmarshal(c, string(text), ParseFiscalCode)
}

// Value gives a database the whole code, or NULL for the zero value.
func (c FiscalCode) Value() (driver.Value, error) { return sqlValue(c.code) }

// Scan takes text as [FiscalCode.UnmarshalText] does, or NULL for the zero value.
func (c *FiscalCode) Scan(src any) error { return scan(c, src, "FiscalCode", ParseFiscalCode) }
