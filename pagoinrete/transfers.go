package pagoinrete

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

// MaxTransfers is how many transfers a payment can have.
const MaxTransfers = 5

// Transfers are what a payment with several beneficiaries (multibeneficiario) is divided into, from
// the one with the index 1 on; those after the last one are zero. They add up to what is due. The
// zero Transfers are none: the school gets all.
type Transfers [MaxTransfers]Transfer

// Transfer (singolo versamento) is what one beneficiary gets of a payment.
type Transfer struct {
	Beneficiary flussi.OrganizationCode // codice fiscale of the body; zero: the school
	Amount      flussi.Cents            // importo
}

// validate notes what is wrong with the transfers of what is due.
func (t Transfers) validate(e *invalid, due flussi.Cents) {
	if t == (Transfers{}) {
		return
	}
	var sum flussi.Cents
	for i, transfer := range t {
		switch {
		case transfer.Amount.Check() == nil:
			sum += transfer.Amount
		case transfer != (Transfer{}), i+1 < len(t) && t[i+1] != (Transfer{}):
			e.Fail("Transfers", flussi.ErrRange, "L'importo del versamento %d non è valido: deve essere da %s a %s.", i+1, flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
			return
		}
	}
	if sum != due {
		e.Fail("Transfers", ErrAmount, "La somma dei versamenti è %s, l'importo dovuto è %s.", sum.Euro(), due.Euro())
	}
}

// have reports whether an amount is the sum of some of the transfers, whoever gets them.
func (t Transfers) have(amount flussi.Cents) bool {
	if amount == 0 {
		return false
	}
	for some := range 1 << len(t) {
		var sum flussi.Cents
		for i, transfer := range t {
			if some>>i&1 == 1 {
				sum += transfer.Amount
			}
		}
		if sum == amount {
			return true
		}
	}
	return false
}

// expectation returns what a body expects of the notice.
func (n Notice) expectation(body flussi.OrganizationCode) settlement.Expectation {
	if n.Transfers == (Transfers{}) {
		return settlement.Expectation{Owner: settlement.OwnerBody, Amount: n.Due()}
	}
	expected := settlement.Expectation{Owner: settlement.OwnerBody, Transfers: map[int]flussi.Cents{}}
	for i, transfer := range n.Transfers {
		if transfer.Amount != 0 && (transfer.Beneficiary.IsZero() || transfer.Beneficiary == body) {
			expected.Transfers[i+1] = transfer.Amount
			expected.Amount += transfer.Amount
		}
	}
	return expected
}
