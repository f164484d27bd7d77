package pagoinrete

import (
	"math/big"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/italian"
)

// NoticeDraft (bozza) is what one debtor owes, as the office or a row of a workbook sets it: one
// notice, or one for each instalment of the event.
type NoticeDraft struct {
	Debtor     flussi.FiscalCode // the pupil or member of staff who owes; required
	DebtorKind DebtorKind        // defaults to [DebtorPupil]
	DebtorName flussi.Text       // surname and name; may be empty
	Payer      flussi.FiscalCode // versante: who pays for a pupil; zero: none is associated
	Instalment int               // rata: which one, from 1; 0: a notice for each
	Amount     flussi.Cents      // of all its notices together; 0: that of the event, if it is not flexible
	Discount   flussi.Cents      // sconto, of all its notices together: each has its part, in proportion to its amount
	DueDate    time.Time         // scadenza of a single notice; the zero time: that of its instalment
	Transfers  Transfers         // how the amount of a single notice is divided; none: the school gets all
	Reference  string            // the caller's own key, without personal data
}

// part is one of the notices that a draft describes.
type part struct {
	instalment int
	data       NoticeData
}

// parts returns the notices that the draft describes, by instalment, in an event: the amounts add
// up to that of the draft, or of the event, and the discounts to the draft's. The error is a
// [*flussi.InvalidError].
func (d NoticeDraft) parts(e Event) ([]part, error) {
	fault := &invalid{}
	first, last := d.Instalment, d.Instalment
	if d.Instalment == 0 {
		first, last = 1, len(e.Instalments)
	}
	if first < 1 || last < first || last > len(e.Instalments) {
		fault.Fail("Instalment", flussi.ErrRange, "La rata non esiste: l'evento ha %s.", italian.Count(len(e.Instalments), "rata", "rate"))
		return nil, fault.OrNil()
	}
	if first != last && !d.DueDate.IsZero() {
		fault.Fail("DueDate", flussi.ErrRange, "Con la scadenza va indicata anche la rata.")
	}
	if first != last && d.Transfers != (Transfers{}) {
		fault.Fail("Transfers", flussi.ErrRange, "Con i versamenti va indicata anche la rata.")
	}
	wanted := e.Instalments[first-1 : last]
	amounts := make([]flussi.Cents, len(wanted))
	var sum flussi.Cents
	for i, instalment := range wanted {
		amounts[i] = instalment.Amount
		sum += instalment.Amount
	}
	switch {
	case e.Flexible && d.Amount == 0:
		fault.Fail("Amount", flussi.ErrEmpty, "Importo flessibile: indicare l'importo dell'avviso.")
	case e.Flexible && d.Amount.Check() != nil:
		fault.Fail("Amount", flussi.ErrRange, "L'importo non è valido: deve essere da %s a %s.", flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
	case e.Flexible:
		for i := range amounts {
			amounts[i] = 1
		}
		amounts = share(d.Amount, amounts)
	case d.Amount != 0 && d.Amount != sum:
		fault.Fail("Amount", ErrAmount, "L'importo è %s, quello previsto %s.", d.Amount.Euro(), sum.Euro())
	}
	if err := fault.OrNil(); err != nil {
		return nil, err
	}
	if d.Discount < 0 || d.Discount > flussi.MaxPayable {
		fault.Fail("Discount", flussi.ErrRange, "Lo sconto non è valido: deve essere da %s a %s.", flussi.Cents(0).Euro(), flussi.MaxPayable.Euro())
		return nil, fault.OrNil()
	}
	discounts := share(d.Discount, amounts)
	parts := make([]part, len(wanted))
	for i, instalment := range wanted {
		data := NoticeData{
			Debtor: d.Debtor, DebtorKind: d.DebtorKind, DebtorName: d.DebtorName, Payer: d.Payer,
			Amount: amounts[i], Discount: discounts[i], DueDate: d.DueDate, Transfers: d.Transfers, Reference: d.Reference,
		}
		if data.DebtorKind == "" {
			data.DebtorKind = DebtorPupil
		}
		if data.DueDate.IsZero() {
			data.DueDate = instalment.DueDate
		}
		if err := data.Validate(); err != nil {
			return nil, err
		}
		parts[i] = part{first + i, data}
	}
	return parts, nil
}

// share divides an amount in proportion to weights, none negative and not all 0. The shares
// add up to it, and each is at most a cent away from its exact part: what the division leaves
// goes to the first ones, a cent each.
func share(amount flussi.Cents, weights []flussi.Cents) []flussi.Cents {
	var total int64
	for _, w := range weights {
		total += int64(w)
	}
	shares := make([]flussi.Cents, len(weights))
	left := amount
	var product, quotient big.Int // amount times weight may need more than 64 bits
	for i, w := range weights {
		product.Mul(big.NewInt(int64(amount)), big.NewInt(int64(w)))
		shares[i] = flussi.Cents(quotient.Quo(&product, big.NewInt(total)).Int64())
		left -= shares[i]
	}
	for i := 0; left > 0; i = (i + 1) % len(shares) {
		if weights[i] > 0 {
			shares[i]++
			left--
		}
	}
	return shares
}
