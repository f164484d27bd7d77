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
		"canonical":         {"ABC123", "ABC123", nil, ""},
		"no text":           {"", "", nil, ""},
		"lower case":        {"aBc", "ABC", []flussi.Change{{flussi.ChangedCase, 2}}, "2 lettere portate in maiuscolo"},
		"one letter":        {"aBC", "ABC", []flussi.Change{{flussi.ChangedCase, 1}}, "una lettera portata in maiuscolo"},
		"spaces":            {" A B\tC\r\n", "ABC", []flussi.Change{{flussi.RemovedSpaces, 5}}, "tolti 5 spazi"},
		"one space":         {"A B", "AB", []flussi.Change{{flussi.RemovedSpaces, 1}}, "tolto uno spazio"},
		"wide spaces":       {"A\u2003B\u3000C", "ABC", []flussi.Change{{flussi.RemovedSpaces, 2}}, "tolti 2 spazi"},
		"hard spaces":       {"A\u00a0B\u202fC\u2007", "ABC", []flussi.Change{{flussi.RemovedHardSpaces, 3}}, "tolti 3 spazi unificatori"},
		"zero width":        {"A\u200bB\u200dC\u2060\ufeff", "ABC", []flussi.Change{{flussi.RemovedInvisible, 4}}, "tolti 4 caratteri invisibili"},
		"soft hyphen":       {"A\u00adBC", "ABC", []flussi.Change{{flussi.RemovedInvisible, 1}}, "tolto un carattere invisibile"},
		"direction marks":   {"\u202aABC\u202c", "ABC", []flussi.Change{{flussi.RemovedInvisible, 2}}, "tolti 2 caratteri invisibili"},
		"an apostrophe":     {"'ABC", "ABC", []flussi.Change{{flussi.RemovedApostrophes, 1}}, "tolto l'apostrofo iniziale"},
		"apostrophes":       {"’ 'ABC", "ABC", []flussi.Change{{flussi.RemovedApostrophes, 2}, {flussi.RemovedSpaces, 1}}, "tolti 2 apostrofi iniziali"},
		"one inside stays":  {"A'BC", "A'BC", nil, ""},
		"dashes stay":       {"A-B.C", "A-B.C", nil, ""},
		"look-alikes stay":  {"ıſß", "ıſß", nil, ""},
		"in order of sight": {"a b", "AB", []flussi.Change{{flussi.ChangedCase, 2}, {flussi.RemovedSpaces, 1}}, "2 lettere portate in maiuscolo"},
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

func TestReadReportsWhatItChanged(t *testing.T) {
	r, err := flussi.ReadFiscalCode(" mscmhl68\u200bp18 h211k\u00a0", flussi.Strict)
	assert.NoError(t, err)
	assert.Equal(t, "MSCMHL68P18H211K", r.Value.Reveal())
	assert.Equal(t, []flussi.Change{
		{Kind: flussi.RemovedSpaces, Count: 2}, {Kind: flussi.ChangedCase, Count: 9},
		{Kind: flussi.RemovedInvisible, Count: 1}, {Kind: flussi.RemovedHardSpaces, Count: 1},
	}, r.Changes)
}
