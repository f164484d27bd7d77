package flussi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestParseOrganizationCode(t *testing.T) {
	checkParse(t, "OrganizationCode", flussi.ParseOrganizationCode, flussi.OrganizationCode.String, map[string]parsing{
		"a body":                     {input: "80185250588"},
		"a company":                  {input: "15376371009"},
		"a wrong check digit":        {input: "15376371000"},
		"leading zeros":              {input: "00000000018"},
		"no text":                    {"", flussi.ErrEmpty, 0, "Manca"},
		"a leading zero lost":        {"1234567890", flussi.ErrLength, 0, "zeri iniziali"},
		"10 letters":                 {"ABCDEFGHIJ", flussi.ErrLength, 0, "ha 10 caratteri."},
		"12 digits":                  {"123456789012", flussi.ErrLength, 0, "12 caratteri"},
		"a person's code":            {"MSCMHL68P18H211K", flussi.ErrLength, 0, "16 caratteri"},
		"a letter":                   {"8018525058O", flussi.ErrCharacter, 11, "posizione 11"},
		"eleven zeros":               {"00000000000", flussi.ErrRange, 0, "soli zeri"},
		"a country prefix":           {"IT153763710", flussi.ErrCharacter, 1, "posizione 1"},
		"digits outside ASCII, wide": {"８０１８５２５０５８８", flussi.ErrCharacter, 1, "posizione 1"},
	})
}

func TestOrganizationCodeCheck(t *testing.T) {
	for input, want := range map[string]error{
		"80185250588": nil,
		"15376371009": nil,
		"15376371008": flussi.ErrCheckDigits,
		"10000000090": nil, // a check digit of zero
		"08185250588": flussi.ErrCheckDigits,
	} {
		code := must.Get(flussi.ParseOrganizationCode(input))(t)
		assert.ErrorIs(t, code.Check(), want, input)
		lenient := must.Get(flussi.ReadOrganizationCode(" "+input, flussi.Lenient))(t)
		assert.Equal(t, code, lenient.Value)
		assert.Equal(t, want == nil, len(lenient.Warnings) == 0)
		_, err := flussi.ReadOrganizationCode(input, flussi.Strict)
		assert.ErrorIs(t, err, want)
	}
	assert.NoError(t, flussi.OrganizationCode{}.Check())
}

func FuzzParseOrganizationCode(f *testing.F) {
	for _, seed := range []string{"80185250588", "00000000000", "1234567890", "８０", "", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		parses(t, input, flussi.ParseOrganizationCode, flussi.OrganizationCode.String)
	})
}
