package flussi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

func TestNormalizeCode(t *testing.T) {
	for name, test := range map[string]struct {
		input, want string
		changes     []flussi.Change
		italian     string
	}{
		"canonical":          {"ABC123", "ABC123", nil, ""},
		"no text":            {"", "", nil, ""},
		"lower case":         {"aBc", "ABC", []flussi.Change{{flussi.ChangedCase, 2}}, "2 lettere portate in maiuscolo"},
		"one letter":         {"aBC", "ABC", []flussi.Change{{flussi.ChangedCase, 1}}, "una lettera portata in maiuscolo"},
		"spaces":             {" A B\tC\r\n", "ABC", []flussi.Change{{flussi.RemovedSpaces, 5}}, "tolti 5 spazi"},
		"one space":          {"A B", "AB", []flussi.Change{{flussi.RemovedSpaces, 1}}, "tolto uno spazio"},
		"wide spaces":        {"A\u2003B\u3000C", "ABC", []flussi.Change{{flussi.RemovedSpaces, 2}}, "tolti 2 spazi"},
		"hard spaces":        {"A\u00a0B\u202fC\u2007", "ABC", []flussi.Change{{flussi.RemovedHardSpaces, 3}}, "tolti 3 spazi unificatori"},
		"zero width":         {"A\u200bB\u200dC\u2060\ufeff", "ABC", []flussi.Change{{flussi.RemovedInvisible, 4}}, "tolti 4 caratteri invisibili"},
		"soft hyphen":        {"A\u00adBC", "ABC", []flussi.Change{{flussi.RemovedInvisible, 1}}, "tolto un carattere invisibile"},
		"direction marks":    {"\u202aABC\u202c", "ABC", []flussi.Change{{flussi.RemovedInvisible, 2}}, "tolti 2 caratteri invisibili"},
		"an apostrophe":      {"'ABC", "ABC", []flussi.Change{{flussi.RemovedApostrophes, 1}}, "tolto l'apostrofo iniziale"},
		"apostrophes":        {"’ 'ABC", "ABC", []flussi.Change{{flussi.RemovedApostrophes, 2}, {flussi.RemovedSpaces, 1}}, "tolti 2 apostrofi iniziali"},
		"another apostrophe": {"‘ABC", "ABC", []flussi.Change{{flussi.RemovedApostrophes, 1}}, "tolto l'apostrofo iniziale"},
		"joiners":            {"A\u034fBC\ufe0f", "ABC", []flussi.Change{{flussi.RemovedInvisible, 2}}, "tolti 2 caratteri invisibili"},
		"controls stay":      {"A\x00B", "A\x00B", nil, ""},
		"one inside stays":   {"A'BC", "A'BC", nil, ""},
		"dashes stay":        {"A-B.C", "A-B.C", nil, ""},
		"look-alikes stay":   {"ıſß", "ıſß", nil, ""},
		"in order of sight":  {"a b", "AB", []flussi.Change{{flussi.ChangedCase, 2}, {flussi.RemovedSpaces, 1}}, "2 lettere portate in maiuscolo"},
	} {
		t.Run(name, func(t *testing.T) {
			clean, changes := flussi.NormalizeCode(test.input)
			assert.Equal(t, test.want, clean)
			assert.Equal(t, test.changes, changes)
			if len(changes) > 0 {
				assert.Equal(t, test.italian, changes[0].Italian())
			}
		})
	}
	assert.Equal(t, "altro", flussi.Change{Kind: "altro", Count: 2}.Italian())
}

// The operator looks at what was typed, not at what was made of it.
func TestPositionsAreThoseOfTheTextAsTyped(t *testing.T) {
	_, code := flussi.ReadFiscalCode("rss mra 8O a01 h501u", flussi.Lenient)
	assertValueError(t, code, "FiscalCode", flussi.ErrCharacter, 10, "posizione 10")
	_, number := flussi.ReadNoticeNumber("' 4010 0510 0001 4006 78", flussi.Lenient)
	assertValueError(t, number, "NoticeNumber", flussi.ErrCharacter, 3, "0, 1, 2 o 3")
	_, number = flussi.ReadNoticeNumber("3010 0510 0001 4006 7\u00ad\u00adX", flussi.Lenient)
	assertValueError(t, number, "NoticeNumber", flussi.ErrCharacter, 24, "posizione 24")
	_, iuv := flussi.ReadIUV(" 0100510000140067X", flussi.Lenient)
	assertValueError(t, iuv, "IUV", flussi.ErrCharacter, 18, "posizione 18")
	_, organization := flussi.ReadOrganizationCode("801 852 5058O", flussi.Lenient)
	assertValueError(t, organization, "OrganizationCode", flussi.ErrCharacter, 13, "posizione 13")
	_, amount := flussi.ReadCents("  € 1 234,50")
	assertValueError(t, amount, "Cents", flussi.ErrCharacter, 6, "posizione 6")
	_, amount = flussi.ReadCents("\u200b -5")
	assertValueError(t, amount, "Cents", flussi.ErrRange, 3, "negativo")
}

func TestStrictReportsAllDoubts(t *testing.T) {
	_, err := flussi.ReadFiscalCode("RSSMRA80A00H501U", flussi.Strict)
	assert.ErrorIs(t, err, flussi.ErrCheckDigits)
	assert.ErrorIs(t, err, flussi.ErrBirthDate)
}

func TestReadReportsWhatItChanged(t *testing.T) {
	r, err := flussi.ReadFiscalCode(" mscmhl68\u200bp18 h211k\u00a0", flussi.Strict)
	assert.NoError(t, err)
	assert.Equal(t, "MSCMHL68P18H211K", r.Value.Reveal())
	assert.Equal(t, []flussi.Change{
		{Kind: flussi.RemovedSpaces, Count: 2}, {Kind: flussi.ChangedCase, Count: 9},
		{Kind: flussi.RemovedInvisible, Count: 1}, {Kind: flussi.RemovedHardSpaces, Count: 1},
	}, r.Changes)
}
