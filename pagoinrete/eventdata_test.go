package pagoinrete_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete"
)

// day is the end of a day of 2026 in Italy.
func day(month time.Month, d int) time.Time {
	at, _ := flussi.EndOfDay(2026, month, d) // cannot fail: the day exists
	return at
}

// trip is a fee of two instalments.
func trip() pagoinrete.EventData {
	return pagoinrete.EventData{
		Name: "Viaggio a Firenze", Causale: "Viaggio a Firenze classi seconde", Category: "Visite e viaggi",
		SchoolYear: 2026, FinancialYear: 2026, Account: "IT60X0542811101000000123456", Amount: 15_000,
		Instalments: []pagoinrete.Instalment{{DueDate: day(10, 31), Amount: 10_000}, {DueDate: day(12, 31), Amount: 5_000}},
	}
}

// gift is a donation.
func gift() pagoinrete.EventData {
	return pagoinrete.EventData{
		Name: "Ampliamento dell'offerta formativa", Causale: "Erogazione liberale", SchoolYear: 2026, FinancialYear: 2026,
		Account: "IT60X0542811101000000123456", Flexible: true, Repeatable: true,
	}
}

func TestEventDataIsChecked(t *testing.T) {
	require.NoError(t, trip().Validate(pagoinrete.Fee))
	require.NoError(t, gift().Validate(pagoinrete.Donation))
	for name, test := range map[string]struct {
		change func(*pagoinrete.EventData)
		want   error
		says   string
	}{
		"no name":                       {func(d *pagoinrete.EventData) { d.Name = " " }, flussi.ErrEmpty, "Manca il nome dell'evento."},
		"a long name":                   {func(d *pagoinrete.EventData) { d.Name = strings.Repeat("à", 101) }, flussi.ErrLength, "Il nome dell'evento ha 101 caratteri: possono essere al massimo 100."},
		"no causale":                    {func(d *pagoinrete.EventData) { d.Causale = "" }, flussi.ErrEmpty, "Manca la causale."},
		"a causale of two lines":        {func(d *pagoinrete.EventData) { d.Causale = "a\nb" }, flussi.ErrCharacter, "La causale contiene caratteri non validi."},
		"a long category":               {func(d *pagoinrete.EventData) { d.Category = strings.Repeat("x", 101) }, flussi.ErrLength, "La categoria ha 101 caratteri"},
		"no school year":                {func(d *pagoinrete.EventData) { d.SchoolYear = 0 }, flussi.ErrRange, "anno scolastico"},
		"a financial year of 2 digits":  {func(d *pagoinrete.EventData) { d.FinancialYear = 26 }, flussi.ErrRange, "esercizio finanziario"},
		"no account":                    {func(d *pagoinrete.EventData) { d.Account = "" }, flussi.ErrEmpty, "Manca l'IBAN"},
		"an account with spaces":        {func(d *pagoinrete.EventData) { d.Account = "IT60 X054 2811 1010 0000 0123 456" }, flussi.ErrLength, "27 caratteri, senza spazi"},
		"an account of another country": {func(d *pagoinrete.EventData) { d.Account = "DE89370400440532013000" }, flussi.ErrLength, "IT"},
		"an account with a wrong digit": {func(d *pagoinrete.EventData) { d.Account = "IT60X0542811101000000123457" }, flussi.ErrCheckDigits, "non sono corretti"},
		"an account in lower case":      {func(d *pagoinrete.EventData) { d.Account = "IT60x0542811101000000123456" }, flussi.ErrCharacter, "maiuscole"},
		"no instalment":                 {func(d *pagoinrete.EventData) { d.Instalments = nil }, flussi.ErrEmpty, "Manca la rata"},
		"too many instalments": {func(d *pagoinrete.EventData) {
			d.Instalments, d.Amount = make([]pagoinrete.Instalment, 25), 25
			for i := range d.Instalments {
				d.Instalments[i] = pagoinrete.Instalment{DueDate: day(10, 31), Amount: 1}
			}
		}, flussi.ErrRange, "Le rate sono 25"},
		"an instalment without a due date": {func(d *pagoinrete.EventData) { d.Instalments[0].DueDate = time.Time{} }, flussi.ErrEmpty, "Manca la scadenza della rata 1."},
		"instalments that run backwards":   {func(d *pagoinrete.EventData) { d.Instalments[1].DueDate = day(9, 1) }, flussi.ErrDate, "La rata 2 scade prima della rata 1."},
		"instalments that do not add up":   {func(d *pagoinrete.EventData) { d.Instalments[1].Amount = 4_999 }, pagoinrete.ErrAmount, "La somma delle rate è 149,99 €, l'importo dell'evento è 150,00 €."},
		"an instalment of nothing":         {func(d *pagoinrete.EventData) { d.Instalments[1].Amount = 0 }, flussi.ErrRange, "L'importo della rata 2 non è valido"},
		"an amount that is flexible too":   {func(d *pagoinrete.EventData) { d.Flexible = true }, pagoinrete.ErrAmount, "flessibile"},
		"a fee that can be repeated":       {func(d *pagoinrete.EventData) { d.Repeatable = true }, flussi.ErrRange, "erogazione liberale"},
	} {
		t.Run(name, func(t *testing.T) {
			d := trip()
			test.change(&d)
			err := d.Validate(pagoinrete.Fee)
			assert.ErrorIs(t, err, test.want)
			assert.Contains(t, flussi.Explain(err), test.says)
		})
	}
	for name, test := range map[string]struct {
		change func(*pagoinrete.EventData)
		says   string
	}{
		"an amount that is free too": {func(d *pagoinrete.EventData) { d.Amount = 100 }, "Importo libero: lasciare vuoto il campo."},
		"no amount, and none free":   {func(d *pagoinrete.EventData) { d.Flexible = false }, "L'importo dell'erogazione non è valido"},
		"instalments":                {func(d *pagoinrete.EventData) { d.Instalments = make([]pagoinrete.Instalment, 2) }, "Un'erogazione liberale non ha rate: indicare al massimo una scadenza."},
		"another amount in its rate": {func(d *pagoinrete.EventData) { d.Instalments = []pagoinrete.Instalment{{Amount: 5}} }, "L'importo della scadenza è 0,05 €"},
		"no name":                    {func(d *pagoinrete.EventData) { d.Name = "" }, "Manca il nome dell'evento."},
	} {
		t.Run("a donation with "+name, func(t *testing.T) {
			d := gift()
			test.change(&d)
			assert.Contains(t, flussi.Explain(d.Validate(pagoinrete.Donation)), test.says)
		})
	}
	assert.Equal(t, "2026/2027", pagoinrete.SchoolYear(2026).String())
	everything := pagoinrete.EventData{}.Validate(pagoinrete.Fee)
	var invalid *flussi.InvalidError
	require.ErrorAs(t, everything, &invalid)
	assert.Len(t, invalid.Fields, 7, "all that is wrong, at once")
}
