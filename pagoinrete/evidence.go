package pagoinrete

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Evidence is what shows that a notice was paid, one proof for each kind of evidence; the
// zero Proof where there is none.
type Evidence struct {
	Receipt    Proof `json:",omitzero"` // RT: the receipt of a payment online; of [NoticePaidOnline]
	Settlement Proof `json:",omitzero"` // the PSP's settlement (flusso di riversamento) that has it; of [NoticeConfirmed]
	Movement   Proof `json:",omitzero"` // the movement of the treasury journal (OIL); of [NoticeReconciled] and [NoticeReconciledManually]
	Manual     Proof `json:",omitzero"` // what the school verified itself; of [NoticePaidManually]
	Refund     Proof `json:",omitzero"` // the refund order (mandato di rimborso); of [NoticeRefunded]
}

// Proof is a piece of evidence.
type Proof struct {
	Reference string       // its identifier, such as that of the receipt, the settlement or the movement; no personal data
	Amount    flussi.Cents // what was found
	Date      time.Time    // when, UTC
	By        string       // the user who matched it by hand; "" if found automatically

	// ID, IUR and Index identify the payment or the movement in package settlement, if the proof came
	// from [Dues]. If there are several transfers or movements, it is the first one.
	ID    uuid.UUID `json:",omitzero"`  // zero if the proof did not come from [Dues]
	IUR   string    `json:",omitempty"` // of the payment
	Index int       `json:",omitempty"` // of the payment: which transfer; 0 if its file does not say
}

// IsZero reports whether there is no proof; encoding/json's omitzero uses it.
func (p Proof) IsZero() bool { return p == Proof{} }

// check refuses a proof that proves nothing, or another amount than is due.
func (p Proof) check(due flussi.Cents) error {
	e := &invalid{}
	e.text("Reference", "il riferimento della prova di pagamento", p.Reference, MaxReference, true)
	e.date("la data della prova di pagamento", p.Date)
	if err := e.OrNil(); err != nil {
		return err
	}
	if p.Amount != due {
		return &flussi.ValueError{Type: "Amount", Err: ErrAmount,
			Reason: fmt.Sprintf("L'importo è %s, quello dovuto è %s.", p.Amount.Euro(), due.Euro())}
	}
	return nil
}

// normal returns the proof as stores keep it. by is the ID of the user who matched it; "" when
// automatic.
func (p Proof) normal(by string) Proof {
	p.Date, p.By = core.Stored(p.Date), by
	return p
}

// merge takes over what is known elsewhere, where nothing is known here.
func (e *Evidence) merge(known Evidence) {
	for _, pair := range []struct{ own, other *Proof }{
		{&e.Receipt, &known.Receipt}, {&e.Settlement, &known.Settlement}, {&e.Movement, &known.Movement},
		{&e.Manual, &known.Manual}, {&e.Refund, &known.Refund},
	} {
		if pair.own.IsZero() {
			*pair.own = *pair.other
		}
	}
}

// other returns the first amount in the proofs that is neither the amount due with a notice nor the
// sum of some of its transfers, and whether there is one.
func (e Evidence) other(of NoticeData) (flussi.Cents, bool) {
	for _, proof := range []Proof{e.Receipt, e.Settlement, e.Movement, e.Manual, e.Refund} {
		if !proof.IsZero() && proof.Amount != of.Due() && !of.Transfers.have(proof.Amount) {
			return proof.Amount, true
		}
	}
	return 0, false
}

// Discrepancy is what contradicts an event or a notice. An operator has to look at it. It
// overwrites nothing, and remains until it is resolved or a poll no longer finds it.
type Discrepancy struct {
	Kind     DiscrepancyKind // "" if there is none
	State    string          // the state that Pago In Rete reports, an [EventState] or a [NoticeState]; "" if it is not about that
	Amount   flussi.Cents    // that was found; 0 if it is not about that
	Source   string          // the payments by settlement and IUR, or the numbers of the sospesi; "" if it did not come from [Dues]
	At       time.Time       // when it was found first, UTC
	Resolved bool            // an operator resolved it: the same is not reported again
}

// DiscrepancyKind says what contradicts.
type DiscrepancyKind string

// The kinds of discrepancies.
const (
	// DiscrepancyEventState: Pago In Rete reports a state of the event that cannot follow ours.
	DiscrepancyEventState DiscrepancyKind = "event_state"
	// DiscrepancyState: the same of a notice.
	DiscrepancyState DiscrepancyKind = "state"
	// DiscrepancyMissing: Pago In Rete does not know what was transmitted.
	DiscrepancyMissing DiscrepancyKind = "missing"
	// DiscrepancyNumber: Pago In Rete reports another notice number.
	DiscrepancyNumber DiscrepancyKind = "number"
	// DiscrepancyAmount: another amount was paid than is due.
	DiscrepancyAmount DiscrepancyKind = "amount"
	// DiscrepancyPaidTwice: it was paid more than once, such as by hand and online.
	DiscrepancyPaidTwice DiscrepancyKind = "paid_twice"
	// DiscrepancyPaid: it was paid although it was cancelled, or after it was refunded.
	DiscrepancyPaid DiscrepancyKind = "paid"
	// DiscrepancyReversed: the payment of a notice was revoked.
	DiscrepancyReversed DiscrepancyKind = "reversed"
	// DiscrepancyUnpaid: it was refunded, and the settlement that showed that it was paid no longer
	// has it.
	DiscrepancyUnpaid DiscrepancyKind = "unpaid"
	// DiscrepancyNotPayable: it was paid although its event is not Notificato here. Once a
	// verification finds that the event is, the notice gets the state that files show.
	DiscrepancyNotPayable DiscrepancyKind = "not_payable"
	// DiscrepancySharedIUV: it was paid, and other notices have the same IUV.
	DiscrepancySharedIUV DiscrepancyKind = "shared"
)

// isTold reports whether the discrepancy comes from what [Dues] were told.
func (d Discrepancy) isTold() bool {
	switch d.Kind {
	case DiscrepancyUnpaid, DiscrepancyNotPayable, DiscrepancySharedIUV:
		return true
	}
	return d.Source != ""
}

// stays reports whether a poll leaves it as it is: it is not resolved, and comes from a file that is
// not read again.
func (d Discrepancy) stays() bool { return d.Open() && d.isTold() }

// Open reports whether there is a discrepancy that is not resolved.
func (d Discrepancy) Open() bool { return d.Kind != "" && !d.Resolved }

// same reports whether it is the same that was found again.
func (d Discrepancy) same(other Discrepancy) bool {
	return d.Kind == other.Kind && d.State == other.State && d.Amount == other.Amount &&
		(d.Source == other.Source || d.Source == "" || other.Source == "")
}

// Italian describes the discrepancy for the operator; "" if there is none.
func (d Discrepancy) Italian() string {
	switch d.Kind {
	case "":
		return ""
	case DiscrepancyMissing:
		return "Quanto era stato trasmesso non risulta su Pago In Rete: verificare su Pago In Rete, poi eseguire di nuovo «Verifica stato» o archiviare la discrepanza."
	case DiscrepancyNumber:
		return "Su Pago In Rete l'avviso ha un altro numero: verificare quale ha ricevuto chi deve pagare, poi archiviare la discrepanza."
	case DiscrepancyAmount:
		return fmt.Sprintf("L'importo pagato è %s, diverso da quello dovuto: verificare con la banca o con il PSP, poi abbinare il pagamento a mano o archiviare la discrepanza.", d.Amount.Euro())
	case DiscrepancyPaidTwice:
		return "L'avviso risulta pagato più di una volta: verificare e, se confermato, disporre il rimborso."
	case DiscrepancyPaid:
		return "L'avviso risulta pagato, anche se è annullato o rimborsato: verificare e, se confermato, disporre il rimborso."
	case DiscrepancyReversed:
		return "Il pagamento risulta revocato: verificare con la banca o con il PSP, poi archiviare la discrepanza."
	case DiscrepancyUnpaid:
		return "L'avviso è rimborsato, ma il suo pagamento non risulta più: verificare con la banca o con il PSP se il rimborso era dovuto, poi archiviare la discrepanza."
	case DiscrepancyNotPayable:
		return fmt.Sprintf("L'avviso risulta pagato, ma il suo evento non è nello stato «%s»: eseguire «Verifica stato» dell'evento.", EventNotified.Label())
	case DiscrepancySharedIUV:
		return "L'avviso risulta pagato, ma altri avvisi hanno lo stesso IUV: verificare quale è stato pagato, poi archiviare la discrepanza."
	}
	return fmt.Sprintf("Su Pago In Rete lo stato è «%s», che non può seguire quello registrato: "+
		"verificare su Pago In Rete, poi eseguire di nuovo «Verifica stato» o archiviare la discrepanza.", d.label())
}

// label is the name of the state that Pago In Rete says.
func (d Discrepancy) label() string {
	if d.Kind == DiscrepancyEventState {
		return EventState(d.State).Label()
	}
	return NoticeState(d.State).Label()
}
