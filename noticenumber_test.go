package flussi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

func TestParseNoticeNumber(t *testing.T) {
	checkParse(t, "NoticeNumber", flussi.ParseNoticeNumber, flussi.NoticeNumber.Reveal, map[string]parsing{
		"layout 3":               {input: "301005100001400678"},
		"layout 0":               {input: "001000000000000045"},
		"wrong check digits":     {input: "301005100001400679"},
		"no text":                {"", flussi.ErrEmpty, 0, "Manca il numero avviso."},
		"17 digits, not padded":  {"01005100001400678", flussi.ErrLength, 0, "IUV"},
		"accents count once":     {"30100510000140067é", flussi.ErrCharacter, 18, "posizione 18"},
		"17 letters":             {"ABCDEFGHIJKLMNOPQ", flussi.ErrLength, 0, "17 caratteri."},
		"19 digits":              {"3010051000014006780", flussi.ErrLength, 0, "19 caratteri"},
		"a spreadsheet's number": {"3,01005E+17", flussi.ErrDigitsLost, 0, "cella di tipo testo"},
		"another's":              {"3.01E17", flussi.ErrDigitsLost, 0, "cella di tipo testo"},
		"with hyphens":           {"3010-0510-0001-4006-78", flussi.ErrLength, 0, "22 caratteri (contando anche i segni)"},
		"a letter":               {"30100510000140067O", flussi.ErrCharacter, 18, "posizione 18"},
		"aux digit 4":            {"401005100001400678", flussi.ErrCharacter, 1, "0, 1, 2 o 3"},
		"spaces":                 {"3010 0510 0001 400", flussi.ErrCharacter, 5, "posizione 5"},
	})
}

func TestNoticeNumberLayouts(t *testing.T) {
	for name, test := range map[string]struct {
		input, iuv, application, segregation string
		aux                                  int
		wrong                                bool
	}{
		"3":                     {input: "301005100001400678", iuv: "01005100001400678", segregation: "01", aux: 3},
		"3, another":            {input: "301005100002676705", iuv: "01005100002676705", segregation: "01", aux: 3},
		"3, wrong check digits": {input: "301005100002676706", iuv: "01005100002676706", segregation: "01", aux: 3, wrong: true},
		"2":                     {input: "200000000000000019", iuv: "00000000000000019", aux: 2, wrong: true},
		"2, right":              {input: "200000000000000103", iuv: "00000000000000103", aux: 2},
		"1 has no check":        {input: "112345678901234567", iuv: "12345678901234567", aux: 1},
		"0":                     {input: "001234567890123413", iuv: "234567890123413", application: "01", aux: 0},
		"0, wrong check digits": {input: "001234567890123400", iuv: "234567890123400", application: "01", aux: 0, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			number := must.Get(flussi.ParseNoticeNumber(test.input))(t)
			assert.Equal(t, test.iuv, number.IUV().Reveal())
			assert.Equal(t, test.application, number.ApplicationCode())
			assert.Equal(t, test.segregation, number.SegregationCode())
			assert.Equal(t, test.aux, number.AuxDigit())

			r := must.Get(flussi.ReadNoticeNumber("'"+number.Grouped(), flussi.Lenient))(t)
			assert.Equal(t, number, r.Value)
			assert.Equal(t, []flussi.Change{{Kind: flussi.RemovedApostrophes, Count: 1}, {Kind: flussi.RemovedSpaces, Count: 4}}, r.Changes)
			_, strict := flussi.ReadNoticeNumber(test.input, flussi.Strict)
			if test.wrong {
				assertValueError(t, number.Check(), "NoticeNumber", flussi.ErrCheckDigits, 17, "non sono corrette")
				assert.Len(t, r.Warnings, 1)
				assert.ErrorIs(t, strict, flussi.ErrCheckDigits)
				return
			}
			assert.NoError(t, number.Check())
			assert.Empty(t, r.Warnings)
			assert.NoError(t, strict)

			assert.Equal(t, number.IUV(), must.Get(flussi.ParseIUV(test.iuv))(t), "equal values must compare equal")
		})
	}
	var none flussi.NoticeNumber
	assert.NoError(t, none.Check())
	assert.Equal(t, -1, none.AuxDigit())
	assert.True(t, none.IUV().IsZero())
	assert.Zero(t, none.ApplicationCode()+none.SegregationCode()+none.Grouped())
}

func TestNoticeNumberPrinted(t *testing.T) {
	number := must.Get(flussi.ParseNoticeNumber("301005100001400678"))(t)
	creditor := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	assert.Equal(t, "3010 0510 0001 4006 78", number.Grouped())
	for amount, want := range map[flussi.Cents]string{
		1:                 "PAGOPA|002|301005100001400678|80185250588|01",
		1250:              "PAGOPA|002|301005100001400678|80185250588|1250",
		flussi.MaxPayable: "PAGOPA|002|301005100001400678|80185250588|9999999999",
	} {
		assert.Equal(t, want, must.Get(number.QR(creditor, amount))(t))
	}
	_, err := number.QR(creditor, 0)
	assert.ErrorIs(t, err, flussi.ErrRange)
	_, err = number.QR(flussi.OrganizationCode{}, 1)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
	_, err = flussi.NoticeNumber{}.QR(creditor, 1)
	assert.ErrorIs(t, err, flussi.ErrEmpty)
}

func TestParseIUV(t *testing.T) {
	checkParse(t, "IUV", flussi.ParseIUV, flussi.IUV.Reveal, map[string]parsing{
		"15 digits":       {input: "234567890123496"},
		"17 digits":       {input: "01005100001400678"},
		"no text":         {"", flussi.ErrEmpty, 0, "Manca"},
		"accents":         {"0100510000140067é", flussi.ErrCharacter, 17, "posizione 17"},
		"18 letters":      {"ABCDEFGHIJKLMNOPQR", flussi.ErrLength, 0, "18 caratteri."},
		"16 digits":       {"1005100001400678", flussi.ErrLength, 0, "16 caratteri"},
		"a spreadsheet's": {"1,00510E+15", flussi.ErrDigitsLost, 0, "cella di tipo testo"},
		"a notice number": {"301005100001400678", flussi.ErrLength, 0, "è un numero avviso"},
		"a letter":        {"0100510000140067X", flussi.ErrCharacter, 17, "posizione 17"},
	})
	r := must.Get(flussi.ReadIUV(" 2345 6789 0123 496", flussi.Strict))(t)
	assert.Equal(t, "234567890123496", r.Value.Reveal())
	assert.Empty(t, r.Warnings)
}

func FuzzParseNoticeNumber(f *testing.F) {
	for _, seed := range []string{"301005100001400678", "001234567890123496", "112345678901234567", "401005100001400678", "3,01005E+17", "'301005100001400678", "", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		parses(t, input, flussi.ParseNoticeNumber, flussi.NoticeNumber.Reveal)
		parses(t, input, flussi.ParseIUV, flussi.IUV.Reveal)
		if r, err := flussi.ReadNoticeNumber(input, flussi.Lenient); err == nil {
			assert.Equal(t, r.Value, must.Get(flussi.ReadNoticeNumber(r.Value.Grouped(), flussi.Lenient))(t).Value)
			_, err = flussi.ParseIUV(r.Value.IUV().Reveal())
			assert.NoError(t, err)
		}
	})
}
