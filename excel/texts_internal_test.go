package excel

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
)

func TestTheListSaysHowManyErrorsItLeavesOut(t *testing.T) {
	for want, c := range map[string][2]int{
		"Gli errori non sono elencati.":                                   {0, 5},
		"Qui è elencato il primo errore: ce n'è un altro.":                {1, 1},
		"Qui è elencato il primo errore: ce ne sono altri 2.":             {1, 2},
		"Qui sono elencati i primi 1.000 errori: ce n'è un altro.":        {1000, 1},
		"Qui sono elencati i primi 1.000 errori: ce ne sono altri 1.234.": {1000, 1234},
	} {
		assert.Equal(t, want, moreErrors(c[0], c[1]))
	}
}

func TestReportsAgreeWithTheirNumbers(t *testing.T) {
	report := func(n int) string {
		empty := &CellError{Row: 2, Column: "A", Header: "Codice", Err: wrong("Code", flussi.ErrEmpty, "Il codice è vuoto.")}
		r := Report{Complete: true, Rows: n, Invalid: n, Hidden: n, MoreNotes: n, limit: 1,
			Notes: []Note{{Row: 3, Column: "A", Header: "Codice", Warnings: []error{wrong("Code", flussi.ErrEmpty, "Da controllare.")}}}}
		for i := range min(n, 3) {
			r.Missing = append(r.Missing, []string{"Somma", "Scadenza", "Canale"}[i])
			r.Unknown = append(r.Unknown, UnknownColumn{Column: []string{"L", "O", "N"}[i]})
			r.Ignored = append(r.Ignored, flussi.NewText(strconv.Itoa(i)))
		}
		return r.Italian(&RowsError{Rows: []*flussi.RowError{{Row: 2, Err: CellErrors{empty, empty}}}, Invalid: n}, 0)
	}
	assert.Equal(t, `Righe senza errori: 1. Righe con errori: 1. Righe nascoste non lette: 1.
Colonna facoltativa mancante: «Somma».
Colonna non letta: L.
1 altro foglio non letto.

Da correggere (righe con errori):
- Riga 2, colonna A (Codice): Il codice è vuoto.
… e 1 altro errore.

Da verificare (righe senza errori):
- Riga 3, colonna A (Codice): Da controllare.
… e 1 altra osservazione.
`, report(1))
	assert.Equal(t, `Righe senza errori: 1.000. Righe con errori: 1.000. Righe nascoste non lette: 1.000.
Colonne facoltative mancanti: «Somma», «Scadenza» e «Canale».
Colonne non lette: L, N, O.
3 altri fogli non letti.

Da correggere (righe con errori):
- Riga 2, colonna A (Codice): Il codice è vuoto.
… e 1.000 altri errori.

Da verificare (righe senza errori):
- Riga 3, colonna A (Codice): Da controllare.
… e 1.000 altre osservazioni.
`, report(1000))
}

func TestUnreadColumnsAreListedInOrder(t *testing.T) {
	for want, letters := range map[string][]string{
		"D": {"D"}, "L, M": {"M", "L"}, "L, M, O–W": {"L", "M", "O", "P", "Q", "R", "S", "T", "U", "V", "W"},
		"Y–AB, XFD": {"XFD", "Z", "Y", "AA", "AB"},
	} {
		var columns []UnknownColumn
		for _, l := range letters {
			columns = append(columns, UnknownColumn{Column: l})
		}
		assert.Equal(t, want, columnList(columns))
	}
}

func TestLongListsOfChoicesEndInTheirNumber(t *testing.T) {
	labels := make([]string, 1012)
	for i := range labels {
		labels[i] = "x"
	}
	for n, want := range map[int]string{
		2: "x, x", 13: "x, x, x, x, x, x, x, x, x, x, x, x e un altro", 14: "x, x, x, x, x, x, x, x, x, x, x, x e 2 altri",
		1012: "x, x, x, x, x, x, x, x, x, x, x, x e 1.000 altri",
	} {
		assert.Equal(t, want, listing(labels[:n]))
	}
}

func TestLengthsOfCellsAreInWholeSentences(t *testing.T) {
	for want, c := range map[string]struct {
		text        string
		least, most int
	}{
		"Il codice è vuoto.":                                                {"", 1, 10},
		"Il codice ha 1 carattere: devono essere da 2 a 3.":                 {"a", 2, 3},
		"Il codice ha 2 caratteri: può essere al massimo 1.":                {"aa", 0, 1},
		"Il codice ha 3 caratteri (ogni emoji conta due): devono essere 2.": {"a😀", 2, 2},
	} {
		assert.Equal(t, want, flussi.Explain(checkLength(c.text, c.least, c.most, "Code", "Il codice")))
	}
	for want, c := range map[string][2]int{
		"1 carattere": {1, 1}, "3 caratteri": {3, 3}, "al massimo 1 carattere": {0, 1}, "al massimo 1.000 caratteri": {1, 1000}, "da 120 a 10.000 caratteri": {120, 10_000},
	} {
		assert.Equal(t, want, lengthRule(c[0], c[1]))
	}
}
