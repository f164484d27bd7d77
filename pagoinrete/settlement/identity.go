package settlement

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// space is the namespace of the IDs that are derived from what identifies an entity.
var space = uuid.MustParse("5f6b1d1e-7a51-4c0b-9a35-0c6e2b8f4d17")

func derived(parts ...string) uuid.UUID {
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "\x00")))
}

// SettlementID returns the ID of a settlement: of a body, by the code of the PSP and the
// identifier (identificativoFlusso).
func SettlementID(body flussi.OrganizationCode, psp, flowID string) uuid.UUID {
	return derived("settlement", body.String(), psp, flowID)
}

// paymentID returns the ID of a payment by what identifies it.
func paymentID(p Payment) uuid.UUID {
	return derived("payment", p.Settlement.String(), p.Reference.Reveal(), p.IUR, strconv.Itoa(p.Index), strconv.Itoa(p.Repetition))
}

// MovementID returns the ID of a movement: of a body and its bank (codice ABI), by the financial
// year, the account and the number of the sospeso.
func MovementID(body flussi.OrganizationCode, bank string, year int, account, number string) uuid.UUID {
	return derived("movement", body.String(), bank, strconv.Itoa(year), account, number)
}

// entryKey returns what identifies a row of a journal. Several equal rows of one journal have the
// same key. Journals of different periods repeat rows, so the journal is not part of it.
func entryKey(m paymentfile.Movement) string {
	return strings.Join([]string{m.Date.String(), string(m.Operation), m.Amount.String(), m.FlowID, m.Number,
		m.SlipNumber, m.ReversedSlip, m.PayerNumber}, "|")
}
