package flussi_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestParseCents(t *testing.T) {
	for input, want := range map[string]flussi.Cents{
		"1.234,56":                  123456,
		"€ 12,50":                   1250,
		"12,5":                      1250,
		"12":                        1200,
		"0":                         0,
		"0,01":                      1,
		"0,00":                      0,
		"19.99":                     1999,
		"4.35":                      435,
		"1234.5":                    123450,
		"1.234.567":                 123456700,
		"1.234.567,8":               123456780,
		"12,50 €":                   1250,
		"12,50€":                    1250,
		"€12,50":                    1250,
		"EUR 12,50":                 1250,
		"12,50 eur":                 1250,
		"euro 12,50":                1250,
		"12,50 Euro":                1250,
		"€\u00a012,50":              1250,
		"12,50\u202f€":              1250,
		"007":                       700,
		"99.999.999,99":             9_999_999_999,
		"92.233.720.368.547.758,07": math.MaxInt64,
	} {
		t.Run(input, func(t *testing.T) {
			assert.Equal(t, want, must.Get(flussi.ParseCents(input))(t))
		})
	}
}

func TestParseCentsRefuses(t *testing.T) {
	checkParse(t, "Cents", flussi.ParseCents, flussi.Cents.String, map[string]parsing{
		"no text":                        {"", flussi.ErrEmpty, 0, "Manca l'importo."},
		"only the euro sign":             {"€", flussi.ErrEmpty, 0, "Manca l'importo."},
		"a negative amount":              {"-5", flussi.ErrRange, 1, "non può essere negativo"},
		"a negative amount in euros":     {"€ -5", flussi.ErrRange, 3, "non può essere negativo"},
		"a typographic minus":            {"−5,00", flussi.ErrRange, 1, "non può essere negativo"},
		"a plus":                         {"+5", flussi.ErrCharacter, 1, "posizione 1"},
		"English notation":               {"1,234.56", flussi.ErrNotation, 0, "1.234,56"},
		"two commas":                     {"1,234,56", flussi.ErrNotation, 0, "1.234,56"},
		"three decimals":                 {"12,345", flussi.ErrDecimals, 0, "più di due decimali"},
		"three decimals behind a zero":   {"0.234", flussi.ErrDecimals, 0, "più di due decimali"},
		"three decimals behind 4 digits": {"1234.567", flussi.ErrDecimals, 0, "più di due decimali"},
		"the digits of a float":          {"0.57999999999999996", flussi.ErrDecimals, 0, "più di due decimali"},
		"no digits before the comma":     {",50", flussi.ErrNotation, 0, "1.234,56"},
		"no digits before the point":     {".50", flussi.ErrNotation, 0, "1.234,56"},
		"no digits after the comma":      {"12,", flussi.ErrNotation, 0, "1.234,56"},
		"no digits after the point":      {"12.", flussi.ErrNotation, 0, "1.234,56"},
		"no first group":                 {".123.456", flussi.ErrNotation, 0, "1.234,56"},
		"a dash":                         {"–5", flussi.ErrRange, 1, "negativo"},
		"a minus inside":                 {"5-", flussi.ErrCharacter, 2, "posizione 2"},
		"a sign and a letter":            {"€O,50", flussi.ErrCharacter, 2, "posizione 2"},
		"only signs":                     {"€€", flussi.ErrCharacter, 2, "posizione 2"},
		"signs apart":                    {"€ €", flussi.ErrCharacter, 3, "posizione 3"},
		"words apart":                    {"EUR EUR", flussi.ErrCharacter, 5, "posizione 5"},
		"groups of two":                  {"12.34.56", flussi.ErrNotation, 0, "1.234,56"},
		"a first group of four":          {"1234.567.890", flussi.ErrNotation, 0, "1.234,56"},
		"a first group of zero":          {"0.123.456", flussi.ErrNotation, 0, "1.234,56"},
		"wrong groups before a comma":    {"1.23,45", flussi.ErrNotation, 0, "1.234,56"},
		"a space inside":                 {"1 234,56", flussi.ErrCharacter, 2, "spazio"},
		"an exponent":                    {"1E5", flussi.ErrCharacter, 2, "posizione 2"},
		"a word":                         {"dodici", flussi.ErrCharacter, 1, "posizione 1"},
		"two euro signs":                 {"€ 12 €", flussi.ErrCharacter, 5, "spazio"},
		"another currency":               {"12 USD", flussi.ErrCharacter, 3, "spazio"},
		"digits outside ASCII":           {"１２", flussi.ErrCharacter, 1, "posizione 1"},
		"one cent too many for int64":    {"92233720368547758,08", flussi.ErrRange, 0, "troppo grande"},
		"a hundred digits":               {fmt.Sprintf("%0100d", 0) + "1" + fmt.Sprintf("%020d", 0), flussi.ErrRange, 0, "troppo grande"},
	})
}

func TestAnAmbiguousAmountShowsBothReadings(t *testing.T) {
	for input, readings := range map[string][]string{
		"1.234":   {"1.234,00 €", "1,234 €"},
		"123.000": {"123.000,00 €", "123,000 €"},
		"€ 1.000": {"1.000,00 €", "1,000 €"},
	} {
		_, err := flussi.ParseCents(input)
		assertValueError(t, err, "Cents", flussi.ErrAmbiguous, 0, "due modi")
		e := must.As[*flussi.ValueError](t, err)
		assert.Equal(t, readings, e.Readings)
		for _, reading := range readings {
			assert.Contains(t, err.Error(), reading)
			assert.Contains(t, flussi.Explain(err), reading)
		}
	}
}

func TestReadCents(t *testing.T) {
	r := must.Get(flussi.ReadCents(" \u00a0€\u200b 1.234,56\t"))(t)
	assert.Equal(t, flussi.Cents(123456), r.Value)
	assert.ElementsMatch(t, []flussi.Change{
		{Kind: flussi.RemovedInvisible, Count: 1}, {Kind: flussi.RemovedSpaces, Count: 2}, {Kind: flussi.RemovedHardSpaces, Count: 1},
	}, r.Changes)
	_, err := flussi.ReadCents("12 50")
	assert.ErrorIs(t, err, flussi.ErrCharacter, "nobody can tell what a space between digits meant")
	for _, text := range []string{"12\u00a050", "12\u202f50", "\u202e12,50", "\u00ad5,00", "\u20665\u2069", "5'0"} {
		_, err = flussi.ReadCents(text)
		assert.ErrorIs(t, err, flussi.ErrCharacter, "%+q", text)
	}
	r = must.Get(flussi.ReadCents(" '12,50"))(t)
	assert.Equal(t, []flussi.Change{{Kind: flussi.RemovedSpaces, Count: 1}, {Kind: flussi.RemovedApostrophes, Count: 1}}, r.Changes)
	r = must.Get(flussi.ReadCents("12,50"))(t)
	assert.Empty(t, r.Changes)
}

func TestCentsCheck(t *testing.T) {
	for amount, payable := range map[flussi.Cents]bool{
		-1: false, 0: false, 1: true, 9_999_999_999: true, 10_000_000_000: false,
	} {
		err := amount.Check()
		if payable {
			assert.NoError(t, err)
			continue
		}
		assertValueError(t, err, "Cents", flussi.ErrRange, 0, "fra 0,01 € e 99.999.999,99 €")
	}
}

func TestCentsPrint(t *testing.T) {
	for amount, want := range map[flussi.Cents]string{
		0: "0,00", 5: "0,05", 1250: "12,50", 123456: "1.234,56", 100000000: "1.000.000,00",
		-5: "-0,05", -123456: "-1.234,56", math.MinInt64: "-92.233.720.368.547.758,08",
	} {
		assert.Equal(t, want, amount.String())
		assert.Equal(t, want+" €", amount.Euro())
		assert.Equal(t, want, fmt.Sprint(amount))
	}
}

func TestCentsMarshalAsAWholeNumber(t *testing.T) {
	text := must.Get(json.Marshal(struct{ Amount flussi.Cents }{1999}))(t)
	assert.JSONEq(t, `{"Amount":1999}`, string(text))
	var back struct{ Amount flussi.Cents }
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, flussi.Cents(1999), back.Amount)
	assert.Error(t, json.Unmarshal([]byte(`{"Amount":19.99}`), &back))
}

func FuzzParseCents(f *testing.F) {
	for _, seed := range []string{"1.234,56", "€ 12,50", "12,5 EUR", "1.234", "1,234.56", "-5", "92.233.720.368.547.758,07", ".", ",", "€€", "euroeuro", "\u00a0", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		parses(t, input, flussi.ParseCents, flussi.Cents.String)
		parses(t, input, flussi.ParseCents, flussi.Cents.Euro)
		amount, err := flussi.ParseCents(input)
		r, readErr := flussi.ReadCents(input)
		if err == nil {
			require.NoError(t, readErr, "Read must take what Parse takes")
			assert.Equal(t, amount, r.Value)
		}
		if readErr == nil {
			assert.GreaterOrEqual(t, r.Value, flussi.Cents(0))
		}
	})
}
