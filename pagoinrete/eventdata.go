package pagoinrete

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// EventData is what the office writes about an event.
type EventData struct {
	Name          string       // nome: as the office and the families see it; required
	Causale       string       // causale: what payers read on their statement; required
	Category      string       // categoria, such as "Visite e viaggi"; may be empty
	SchoolYear    SchoolYear   // anno scolastico; required
	FinancialYear int          // esercizio finanziario, such as 2026; required
	Account       string       // the school's bank account, an IBAN of 27 characters without spaces; required
	Amount        flussi.Cents // importo: what each debtor owes in all instalments together; 0 if Flexible
	Flexible      bool         // importo flessibile: of a fee, each notice says its own; of a donation, the payer chooses
	Instalments   []Instalment // rate, in the order of their due dates; at least one for a fee, at most one for a donation
	Binding       bool         // scadenza vincolante: what is not paid by the due date cannot be paid any more
	Repeatable    bool         // of a donation: the same payer may give more than once
}

// Instalment (rata) is a part of what each debtor owes.
type Instalment struct {
	DueDate time.Time    // scadenza, UTC: see [flussi.EndOfDay]; the zero time only for a donation without one
	Amount  flussi.Cents // 0 if the amount of the event is flexible
}

// SchoolYear (anno scolastico) is a school year, by the year in which it begins: 2026 is
// 2026/2027.
type SchoolYear int

// String returns the year as schools write it: "2026/2027".
func (y SchoolYear) String() string { return fmt.Sprintf("%d/%d", int(y), int(y)+1) }

// known reports whether it can be the year of an event.
func (y SchoolYear) known() bool { return plausible(int(y)) }

// plausible reports whether a document may have a date of the year.
func plausible(year int) bool { return year >= 2000 && year <= 2999 }

// The longest texts of [EventData], in UTF-16 code units.
const (
	MaxName        = 100
	MaxCausale     = 140 // as pagoPA carries it
	MaxCategory    = 100
	MaxReference   = 255 // of a notice
	MaxInstalments = 24
)

// invalid collects what is wrong with an entity, field by field.
type invalid struct{ core.Invalid }

// text checks a text of one line that may be empty unless it is needed.
func (e *invalid) text(field, name, text string, most int, needed bool) {
	e.Text(core.TextRule{Field: field, Name: name, Max: most, Required: needed, OneLine: true}, text)
}

// date checks the date of a document.
func (e *invalid) date(name string, date time.Time) {
	if year := date.Year(); date.IsZero() {
		e.Fail("Date", flussi.ErrEmpty, "Manca %s.", name)
	} else if !plausible(year) {
		e.Fail("Date", flussi.ErrDate, "%s non è valida: verificare l'anno.", italian.Capital(name))
	}
}

// Validate returns a [*flussi.InvalidError] with everything that is wrong with the data of an
// event of a kind, or nil. The amounts of the instalments have to add up to that of the
// event.
func (d EventData) Validate(kind EventKind) error {
	e := &invalid{}
	e.text("Name", "il nome dell'evento", d.Name, MaxName, true)
	e.text("Causale", "la causale", d.Causale, MaxCausale, true)
	e.text("Category", "la categoria", d.Category, MaxCategory, false)
	if !d.SchoolYear.known() {
		e.Fail("SchoolYear", flussi.ErrRange, "Manca l'anno scolastico, oppure non è valido.")
	}
	if !plausible(d.FinancialYear) {
		e.Fail("FinancialYear", flussi.ErrRange, "Manca l'esercizio finanziario, oppure non è valido.")
	}
	e.account(d.Account)
	if kind == Donation {
		d.validateDonation(e)
	} else {
		d.validateFee(e)
	}
	for i, part := range d.Instalments {
		if i > 0 && part.DueDate.Before(d.Instalments[i-1].DueDate) {
			e.Fail("Instalments", flussi.ErrDate, "La rata %d scade prima della rata %d.", i+1, i)
		}
		if year := part.DueDate.Year(); !part.DueDate.IsZero() && !plausible(year) {
			e.Fail("Instalments", flussi.ErrDate, "La scadenza della rata %d non è valida.", i+1)
		}
	}
	return e.OrNil()
}

func (d EventData) validateFee(e *invalid) {
	if d.Repeatable {
		e.Fail("Repeatable", flussi.ErrRange, "Solo un'erogazione liberale può essere ripetuta.")
	}
	switch n := len(d.Instalments); {
	case n == 0:
		e.Fail("Instalments", flussi.ErrEmpty, "Manca la rata: anche un pagamento unico ne ha una.")
	case n > MaxInstalments:
		e.Fail("Instalments", flussi.ErrRange, "Le rate sono %s: possono essere al massimo %d.", italian.Number(n), MaxInstalments)
	}
	var sum flussi.Cents
	for i, part := range d.Instalments {
		if part.DueDate.IsZero() {
			e.Fail("Instalments", flussi.ErrEmpty, "Manca la scadenza della rata %d.", i+1)
		}
		switch {
		case d.Flexible && part.Amount != 0:
			e.Fail("Instalments", ErrAmount, "Importo flessibile: lasciare vuoto l'importo della rata %d.", i+1)
		case !d.Flexible && part.Amount.Check() != nil:
			e.Fail("Instalments", flussi.ErrRange, "L'importo della rata %d non è valido: deve essere da %s a %s.", i+1, flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
			return
		}
		sum += part.Amount
	}
	switch {
	case d.Flexible && d.Amount != 0:
		e.Fail("Amount", ErrAmount, "Importo flessibile: lasciare vuoto il campo.")
	case d.Flexible:
	case d.Amount.Check() != nil:
		e.Fail("Amount", flussi.ErrRange, "L'importo dell'evento non è valido: deve essere da %s a %s.", flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
	case len(d.Instalments) > 0 && sum != d.Amount:
		e.Fail("Instalments", ErrAmount, "La somma delle rate è %s, l'importo dell'evento è %s.", sum.Euro(), d.Amount.Euro())
	}
}

func (d EventData) validateDonation(e *invalid) {
	switch {
	case d.Flexible && d.Amount != 0:
		e.Fail("Amount", ErrAmount, "Importo libero: lasciare vuoto il campo.")
	case !d.Flexible && d.Amount.Check() != nil:
		e.Fail("Amount", flussi.ErrRange, "L'importo dell'erogazione non è valido: deve essere da %s a %s.", flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
	}
	if len(d.Instalments) > 1 {
		e.Fail("Instalments", flussi.ErrRange, "Un'erogazione liberale non ha rate: indicare al massimo una scadenza.")
	}
	for _, part := range d.Instalments {
		if part.Amount != 0 && part.Amount != d.Amount {
			e.Fail("Instalments", ErrAmount, "L'importo della scadenza è %s, quello dell'erogazione è %s.", part.Amount.Euro(), d.Amount.Euro())
		}
	}
}

// account checks an Italian IBAN: IT, 2 check digits, a letter, 22 letters and digits.
func (e *invalid) account(iban string) {
	switch {
	case iban == "":
		e.Fail("Account", flussi.ErrEmpty, "Manca l'IBAN del conto della scuola.")
		return
	case len(iban) != 27 || !strings.HasPrefix(iban, "IT"):
		e.Fail("Account", flussi.ErrLength, "L'IBAN deve iniziare con IT e avere 27 caratteri, senza spazi.")
		return
	}
	rest := 0
	for _, r := range iban[4:] + iban[:4] {
		switch {
		case r >= '0' && r <= '9':
			rest = (rest*10 + int(r-'0')) % 97
		case r >= 'A' && r <= 'Z':
			rest = (rest*100 + int(r-'A') + 10) % 97
		default:
			e.Fail("Account", flussi.ErrCharacter, "L'IBAN può avere solo lettere maiuscole e cifre.")
			return
		}
	}
	if rest != 1 {
		e.Fail("Account", flussi.ErrCheckDigits, "L'IBAN non è valido: verificarlo, perché i caratteri di controllo non sono corretti.")
	}
}

// normal returns the data as stores keep them; they share nothing with the given ones.
func (d EventData) normal() EventData {
	d.Instalments = slices.Clone(d.Instalments)
	for i, part := range d.Instalments {
		if !part.DueDate.IsZero() {
			d.Instalments[i].DueDate = core.Stored(part.DueDate)
		}
	}
	return d
}

// fixes reports whether two data ask for the same amounts by the same dates: what notices
// are made of.
func (d EventData) fixes(other EventData) bool {
	return d.Amount == other.Amount && d.Flexible == other.Flexible && d.Binding == other.Binding &&
		slices.EqualFunc(d.Instalments, other.Instalments, func(a, b Instalment) bool {
			return a.Amount == b.Amount && a.DueDate.Equal(b.DueDate)
		})
}
