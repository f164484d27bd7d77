package flussi_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestParseFiscalCode(t *testing.T) {
	checkParse(t, "FiscalCode", flussi.ParseFiscalCode, flussi.FiscalCode.Reveal, map[string]parsing{
		"plain":                           {input: "MSCMHL68P18H211K"},
		"omocodia in the last digit":      {input: "MSCMHL68P18H21MC"},
		"omocodia in all digits":          {input: "MSCMHLSUPMUHNMMT"},
		"another":                         {input: "RSSMRA80A01H501U"},
		"the test recipient":              {input: "AAAAAA00A00A000A"},
		"a wrong check character":         {input: "MSCMHL68P18H211A"},
		"no text":                         {"", flussi.ErrEmpty, 0, "Manca il codice fiscale."},
		"15 characters":                   {"MSCMHL68P18H211", flussi.ErrLength, 0, "questo ne ha 15"},
		"17 characters":                   {"MSCMHL68P18H211KK", flussi.ErrLength, 0, "questo ne ha 17"},
		"an organization's 11 digits":     {"80185250588", flussi.ErrNotPersonal, 0, "serve il codice fiscale di 16 caratteri"},
		"10 digits, a zero lost":          {"1234567890", flussi.ErrLength, 0, "zeri iniziali"},
		"11 letters":                      {"MSCMHLABCDE", flussi.ErrLength, 0, "questo ne ha 11"},
		"15 characters with signs":        {"MSC-MHL-68P18-", flussi.ErrLength, 0, "contando anche i segni"},
		"lower case":                      {"mscmhl68p18h211k", flussi.ErrCharacter, 1, "serve una lettera maiuscola"},
		"a space inside":                  {"MSCMHL68P18 211K", flussi.ErrCharacter, 12, "posizione 12"},
		"letter O for digit 0":            {"RSSMRA8OA01H501U", flussi.ErrCharacter, 8, "lettera O, forse al posto della cifra 0"},
		"letter I for digit 1":            {"RSSMRA80A0IH501U", flussi.ErrCharacter, 11, "lettera I, forse al posto della cifra 1"},
		"digit 0 for letter O":            {"R0SMRA80A01H501U", flussi.ErrCharacter, 2, "cifra 0, forse al posto della lettera O"},
		"digit 1 for letter I":            {"RSSMRA80A01150IU", flussi.ErrCharacter, 12, "cifra 1, forse al posto della lettera I"},
		"a letter that is no month":       {"RSSMRA80F01H501U", flussi.ErrCharacter, 9, "lettera di un mese"},
		"a letter that is no omocodia":    {"RSSMRA8WA01H501U", flussi.ErrCharacter, 8, "serve una cifra"},
		"a letter outside ASCII":          {"RSSMRÀ80A01H501U", flussi.ErrCharacter, 6, "posizione 6"},
		"a digit outside ASCII":           {"RSSMRA٨0A01H501U", flussi.ErrCharacter, 7, "posizione 7"},
		"a digit for the check character": {"RSSMRA80A01H5018", flussi.ErrCharacter, 16, "lettera maiuscola"},
		"a broken encoding":               {"RSSMRA80A01H501\xff", flussi.ErrCharacter, 16, "posizione 16"},
	})
}

// parsing is what comes of a text: an error of a kind, at a position, that explains itself in Italian;
// or, without a kind, the value that formats to the text.
type parsing struct {
	input    string
	want     error
	position int
	italian  string
}

func checkParse[T comparable](t *testing.T, typ string, parse func(string) (T, error), format func(T) string, cases map[string]parsing) {
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			value, err := parse(test.input)
			if test.want == nil {
				require.NoError(t, err)
				assert.Equal(t, test.input, format(value))
				return
			}
			assert.Zero(t, value)
			assertValueError(t, err, typ, test.want, test.position, test.italian)
			if len(test.input) > 2 && typ != "Cents" { // an error shows the readings of an amount
				assert.NotContains(t, err.Error()+flussi.Explain(err), test.input)
			}
		})
	}
}

// assertValueError checks a refusal: its type, kind, place and words.
func assertValueError(t *testing.T, err error, typ string, kind error, position int, italian string) {
	t.Helper()
	e := must.As[*flussi.ValueError](t, err)
	assert.ErrorIs(t, err, kind)
	assert.Equal(t, typ, e.Type)
	assert.Equal(t, position, e.Position)
	assert.Contains(t, flussi.Explain(err), italian)
	assert.True(t, strings.HasPrefix(err.Error(), "flussi: "+typ+": "), err.Error())
}

func TestFiscalCodeCheck(t *testing.T) {
	for name, test := range map[string]struct {
		input string
		want  []error
	}{
		"right":                        {"MSCMHL68P18H211K", nil},
		"right with omocodia":          {"MSCMHL68P18H21MC", nil},
		"right with omocodia all over": {"MSCMHLSUPMUHNMMT", nil},
		"right, another":               {"RSSMRA80A01H501U", nil},
		"the test recipient":           {"AAAAAA00A00A000A", nil},
		"29 February of a leap year":   {"RSSMRA80B29H501Q", nil},
		"wrong check character":        {"RSSMRA80A01H501V", []error{flussi.ErrCheckDigits}},
		"29 February of another year":  {"RSSMRA81B29H501R", []error{flussi.ErrBirthDate}},
		"31 April":                     {"RSSMRA80D31H501D", []error{flussi.ErrBirthDate}},
		"day 0, wrong check character": {"RSSMRA80A00H501U", []error{flussi.ErrCheckDigits, flussi.ErrBirthDate}},
		"day 32 to 40":                 {"RSSMRA80A40H501Z", []error{flussi.ErrBirthDate}},
		"day beyond a woman's 31":      {"RSSMRA80A72H501G", []error{flussi.ErrBirthDate}},
	} {
		t.Run(name, func(t *testing.T) {
			code := must.Get(flussi.ParseFiscalCode(test.input))(t)
			doubts := code.Check()
			if test.want == nil {
				assert.NoError(t, doubts)
			}
			for _, want := range test.want {
				assert.ErrorIs(t, doubts, want)
			}

			assert.Len(t, must.Get(flussi.ReadFiscalCode(test.input, flussi.Lenient))(t).Warnings, len(test.want))
			strict, err := flussi.ReadFiscalCode(test.input, flussi.Strict)
			if test.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, test.want[0])
			assert.Zero(t, strict)
			assert.NotEqual(t, "Errore imprevisto: rivolgersi all'assistenza.", flussi.Explain(err))
		})
	}
	assert.NoError(t, flussi.FiscalCode{}.Check())
}

func TestFiscalCodeParts(t *testing.T) {
	asOf := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		input     string
		birth     string
		sex       flussi.Sex
		place     string
		omocodic  bool
		recipient bool
	}{
		"a man":                       {input: "MSCMHL68P18H211K", birth: "1968-09-18", sex: flussi.Male, place: "H211"},
		"omocodia":                    {input: "MSCMHLSUPMUHNMMT", birth: "1968-09-18", sex: flussi.Male, place: "H211", omocodic: true},
		"a woman":                     {input: "RSSMRA80A41H501Y", birth: "1980-01-01", sex: flussi.Female, place: "H501"},
		"born this century":           {input: "RSSMRA24T31Z404U", birth: "2024-12-31", sex: flussi.Male, place: "Z404"},
		"born on the day":             {input: "RSSMRA25C01H501U", birth: "2025-03-01", sex: flussi.Male, place: "H501"},
		"not born yet, so a century":  {input: "RSSMRA25C02H501U", birth: "1925-03-02", sex: flussi.Male, place: "H501"},
		"29 February, year 00":        {input: "RSSMRA00B29H501U", birth: "2000-02-29", sex: flussi.Male, place: "H501"},
		"the test recipient, no date": {input: "AAAAAA00A00A000A", sex: flussi.Male, place: "A000", recipient: true},
	} {
		t.Run(name, func(t *testing.T) {
			code := must.Get(flussi.ParseFiscalCode(test.input))(t)
			birth, err := code.BirthDate(asOf)
			if test.birth == "" {
				assert.ErrorIs(t, err, flussi.ErrBirthDate)
			} else {
				require.NoError(t, err)
				assert.Equal(t, test.birth, birth.Format(time.DateOnly))
				assert.Equal(t, time.UTC, birth.Location())
			}
			assert.Equal(t, test.sex, code.Sex())
			assert.Equal(t, test.place, code.PlaceCode())
			assert.Equal(t, test.omocodic, code.IsOmocodic())
			assert.Equal(t, test.recipient, code.IsTestRecipient())
		})
	}
	var none flussi.FiscalCode
	_, err := none.BirthDate(asOf)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	assert.Zero(t, none.Sex())
	assert.Zero(t, none.PlaceCode())
	assert.False(t, none.IsOmocodic())
	assert.False(t, none.IsTestRecipient())
	assert.True(t, flussi.TestRecipient().IsTestRecipient())
}

// 29 February 1900 did not exist; the code can only mean 2000, so before that it
// means nothing.
func TestFiscalCodeBirthDateBeforeTheOnlyYearThatHasIt(t *testing.T) {
	code := must.Get(flussi.ParseFiscalCode("RSSMRA00B29H501U"))(t)
	assert.Equal(t, 1600, must.Get(code.BirthDate(time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)))(t).Year())
}

func FuzzParseFiscalCode(f *testing.F) {
	for _, seed := range []string{"MSCMHL68P18H211K", "MSCMHLSUPMUHNMMT", "AAAAAA00A00A000A", "80185250588", " rssmra80a01\u00a0h501u", "RSSMRA8OA01H501U", "\xff", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		parses(t, input, flussi.ParseFiscalCode, flussi.FiscalCode.Reveal)
		r, err := flussi.ReadFiscalCode(input, flussi.Lenient)
		if err != nil {
			assert.NotEmpty(t, flussi.Explain(err))
			return
		}
		again := must.Get(flussi.ReadFiscalCode(r.Value.Reveal(), flussi.Lenient))(t)
		assert.Equal(t, r.Value, again.Value)
		assert.Empty(t, again.Changes, "a canonical text must not change")
		r.Value.Check()
		r.Value.Sex()
		r.Value.PlaceCode()
		_, _ = r.Value.BirthDate(time.Now())
	})
}

// parses checks that what a parser accepts formats to a text that it reads as the
// same value.
func parses[T comparable](t *testing.T, input string, parse func(string) (T, error), format func(T) string) {
	t.Helper()
	value, err := parse(input)
	if err != nil {
		e := must.As[*flussi.ValueError](t, err)
		assert.NotEmpty(t, e.Italian())
		assert.Zero(t, value)
		return
	}
	again := must.Get(parse(format(value)))(t)
	assert.Equal(t, value, again)
	assert.Equal(t, format(value), format(again))
}

// The values of the check sum, typed once more character by character.
func TestFiscalCodeCheckCharacterOfRandomCodes(t *testing.T) {
	odd := map[byte]int{
		'0': 1, '1': 0, '2': 5, '3': 7, '4': 9, '5': 13, '6': 15, '7': 17, '8': 19, '9': 21,
		'A': 1, 'B': 0, 'C': 5, 'D': 7, 'E': 9, 'F': 13, 'G': 15, 'H': 17, 'I': 19, 'J': 21,
		'K': 2, 'L': 4, 'M': 18, 'N': 20, 'O': 11, 'P': 3, 'Q': 6, 'R': 8, 'S': 12, 'T': 14,
		'U': 16, 'V': 10, 'W': 22, 'X': 25, 'Y': 24, 'Z': 23,
	}
	months := map[byte]time.Month{
		'A': 1, 'B': 2, 'C': 3, 'D': 4, 'E': 5, 'H': 6, 'L': 7, 'M': 8, 'P': 9, 'R': 10, 'S': 11, 'T': 12,
	}
	omocodia := map[byte]int{'L': 0, 'M': 1, 'N': 2, 'P': 3, 'Q': 4, 'R': 5, 'S': 6, 'T': 7, 'U': 8, 'V': 9}
	random := rand.New(rand.NewPCG(1, 2))
	letter := func() byte { return byte('A' + random.IntN(26)) }
	digit := func(most int) (byte, int) {
		n := random.IntN(most + 1)
		for l, value := range omocodia {
			if value == n && random.IntN(2) == 0 {
				return l, n
			}
		}
		return byte('0' + n), n
	}
	for range 5000 {
		var code [16]byte
		for i := range 6 {
			code[i] = letter()
		}
		var y1, y2, d1, d2, p1, p2, p3, sum int
		code[6], y1 = digit(9)
		code[7], y2 = digit(9)
		for code[8] = letter(); months[code[8]] == 0; code[8] = letter() {
		}
		code[9], d1 = digit(1)
		code[10], d2 = digit(8)
		code[11] = letter()
		code[12], p1 = digit(9)
		code[13], p2 = digit(9)
		code[14], p3 = digit(9)
		for i, c := range code[:15] {
			switch {
			case i%2 == 0:
				sum += odd[c]
			case c <= '9':
				sum += int(c - '0')
			default:
				sum += int(c - 'A')
			}
		}
		code[15] = byte('A' + sum%26)
		value := must.Get(flussi.ParseFiscalCode(string(code[:])))(t)
		assert.NotErrorIs(t, value.Check(), flussi.ErrCheckDigits)
		assert.Equal(t, fmt.Sprintf("%c%d%d%d", code[11], p1, p2, p3), value.PlaceCode())
		if d1+d2 == 0 {
			assert.ErrorIs(t, value.Check(), flussi.ErrBirthDate)
			continue
		}
		birth := must.Get(value.BirthDate(time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC)))(t)
		assert.Equal(t, time.Date(2000+10*y1+y2, months[code[8]], 10*d1+d2, 0, 0, 0, 0, time.UTC), birth)

		code[15] = byte('A' + (sum+1)%26)
		value = must.Get(flussi.ParseFiscalCode(string(code[:])))(t)
		doubt := must.As[*flussi.ValueError](t, value.Check())
		assert.ErrorIs(t, doubt, flussi.ErrCheckDigits)
		assert.Equal(t, 16, doubt.Position)
	}
}

func TestFiscalCodeBirthDateGoesByTheDayWhereItIsAsked(t *testing.T) {
	code := must.Get(flussi.ParseFiscalCode("RSSMRA25C01H501U"))(t)
	auckland := time.FixedZone("", 13*60*60)
	birth, err := code.BirthDate(time.Date(2025, 3, 1, 1, 0, 0, 0, auckland)) // still February in UTC
	require.NoError(t, err)
	assert.Equal(t, 2025, birth.Year())
	leap := must.Get(flussi.ParseFiscalCode("RSSMRA00B29H501U"))(t)
	assert.NotErrorIs(t, leap.Check(), flussi.ErrBirthDate, "2000 was a leap year")
	_, err = leap.BirthDate(time.Time{})
	assert.ErrorIs(t, err, flussi.ErrBirthDate)
}
