package pagoinrete

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
)

// Notice (avviso di pagamento) is one amount due from one pupil or member of staff.
// It is plain data, not safe for concurrent use. Its personal data mask themselves when it is
// printed, and are left out when it is logged; JSON carries it whole.
type Notice struct {
	ID         uuid.UUID   // UUID, version 7: also what Pago In Rete recognises a repeated transmission by
	EventID    uuid.UUID   // the payment event it belongs to
	School     string      // codice meccanografico, that of its event
	State      NoticeState // stato
	BaseState  NoticeState // the State without the files of package settlement; the notice returns to it if files withdraw a payment; "" if files show nothing
	Instalment int         // rata: which of the event's, from 1
	NoticeData
	Number          flussi.NoticeNumber // codice avviso; zero before it is transmitted
	RemoteID        string              // the identifier in Pago In Rete, "" before it is transmitted
	PayerRegistered bool                // a payer is registered with Pago In Rete
	PayerLoggedIn   bool                // and has logged in there
	Visible         bool                // shown in the guardians' area (Area Tutore)
	Evidence        Evidence            // of each paid state
	Discrepancy     Discrepancy         // what contradicts it and has to be looked at; zero if nothing
	Error           string              // why the last transmission was refused, in Italian; "" if it was not
	CreatedAt       time.Time           // UTC
	UpdatedAt       time.Time           // UTC
	UpdatedBy       string              // the ID of the last actor
	Version         int64               // counts the stored changes, for optimistic locking; 0: not stored yet
}

// NoticeData is what the office writes about a notice.
type NoticeData struct {
	Debtor     flussi.FiscalCode // the pupil or member of staff who owes
	DebtorKind DebtorKind        // which of the two
	DebtorName flussi.Text       // surname and name; may be empty
	Payer      flussi.FiscalCode // versante: who pays for a pupil; zero: none is associated
	Amount     flussi.Cents      // importo, before the discount
	Discount   flussi.Cents      // sconto
	DueDate    time.Time         // scadenza, UTC
	Transfers  Transfers         `json:",omitzero"` // how the amount due is divided; empty if the school gets all of it
	Reference  string            // the caller's own key, without personal data
}

// DebtorKind is a pupil or a member of staff.
type DebtorKind string

// The kinds of debtors.
const (
	DebtorPupil DebtorKind = "pupil" // alunno
	DebtorStaff DebtorKind = "staff" // personale
)

// Label returns the Italian name of the kind; of an unknown kind, its own text.
func (k DebtorKind) Label() string {
	switch k {
	case DebtorPupil:
		return "alunno"
	case DebtorStaff:
		return "personale"
	}
	return string(k)
}

// Due is what has to be paid: the amount without the discount.
func (d NoticeData) Due() flussi.Cents { return d.Amount - d.Discount }

// IUV returns the payment's identifier in settlements and journals; zero before the notice is
// transmitted.
func (n Notice) IUV() flussi.IUV { return n.Number.IUV() }

// NoticeState (stato dell'avviso di pagamento) is where a notice is in its life.
type NoticeState string

// The states of a notice, as the guide names and orders them.
const (
	// NoticeNotLinked (Non collegato a Pago in Rete): created here, unknown there.
	// Entered when the notice is created. Left by NoticeTransmit or NoticeCancel.
	NoticeNotLinked NoticeState = "not_linked"
	// NoticeNotNotified (Non pagato, Non notificato): no payer that is associated with
	// it has registered with Pago In Rete and logged in. Entered by NoticeTransmit, or by
	// NoticeUnnotify.
	// Left by NoticeNotify, NoticePayManually or NoticeCancel.
	NoticeNotNotified NoticeState = "not_notified"
	// NoticeNotified (Non pagato, Notificato): the event is notified, and a payer has
	// logged in. Entered by NoticeNotify, by NoticeFail after a payment that came to
	// nothing, or by NoticeUnpay. Left by NoticeRequest, NoticePayManually, NoticeUnnotify or
	// NoticeCancel.
	NoticeNotified NoticeState = "notified"
	// NoticeAwaitingReceipt (Non pagato, RPT inviata in attesa di RT): a payment is
	// under way, so it cannot be cancelled or paid otherwise. Entered by NoticeRequest.
	// Left by NoticePay or NoticeFail.
	NoticeAwaitingReceipt NoticeState = "awaiting_receipt"
	// NoticePaidOnline (Pagato online): the receipt is there, found neither in a PSP
	// settlement nor in the treasury journal yet. Entered by NoticePay, or by
	// NoticeUnconfirm. Left by NoticeConfirm, NoticeReconcile, NoticeUnpay or NoticeRefund.
	NoticePaidOnline NoticeState = "paid_online"
	// NoticePaidManually (Pagato manualmente): paid outside Pago In Rete, as the school
	// could verify. Entered by NoticePayManually. Left by NoticeReconcileManually or
	// NoticeRefund.
	NoticePaidManually NoticeState = "paid_manually"
	// NoticeConfirmed (Pagamento confermato): found in a PSP settlement. Entered by
	// NoticeConfirm, or by NoticeUnreconcile. Left by NoticeReconcile, NoticeUnconfirm or
	// NoticeRefund.
	NoticeConfirmed NoticeState = "confirmed"
	// NoticeReconciled (Pagamento riscontrato automaticamente): matched to a movement
	// of the treasury journal (OIL). Entered by NoticeReconcile. Left by NoticeUnreconcile or
	// NoticeRefund.
	NoticeReconciled NoticeState = "reconciled"
	// NoticeReconciledManually (Pagamento riscontrato manualmente): paid outside Pago
	// In Rete and matched by the school to a movement of the treasury journal (OIL).
	// Entered by NoticeReconcileManually. Left by NoticeRefund.
	NoticeReconciledManually NoticeState = "reconciled_manually"
	// NoticeCancelled (Annullato): not paid, and cancelled by the office. Entered by
	// NoticeCancel. Final: a payment that is found later is a discrepancy.
	NoticeCancelled NoticeState = "cancelled"
	// NoticeRefunded (Rimborsato): paid, and the school issued a refund order. Entered
	// by NoticeRefund. Final.
	NoticeRefunded NoticeState = "refunded"
)

// NoticeAction is something that may happen to a notice.
type NoticeAction string

// The actions on a notice. The office takes its own; the system's are learned from
// Pago In Rete, from settlements and from the treasury journal.
const (
	NoticeEdit               NoticeAction = "edit"               // DSGA, A.A., before it is transmitted
	NoticeTransmit           NoticeAction = "transmit"           // DSGA, A.A.
	NoticeNotify             NoticeAction = "notify"             // by the system: the event is notified and a payer has logged in
	NoticeRequest            NoticeAction = "request"            // by the system: a payment request (RPT) was sent
	NoticeFail               NoticeAction = "fail"               // by the system: the payment came to nothing
	NoticePay                NoticeAction = "pay"                // by the system: the receipt (RT) of the payment arrived
	NoticeConfirm            NoticeAction = "confirm"            // by the system: found in a PSP settlement
	NoticeReconcile          NoticeAction = "reconcile"          // by the system: matched to the treasury journal
	NoticePayManually        NoticeAction = "pay_manually"       // DSGA, A.A.
	NoticeReconcileManually  NoticeAction = "reconcile_manually" // DSGA, A.A.
	NoticeCancel             NoticeAction = "cancel"             // DSGA, A.A.
	NoticeRefund             NoticeAction = "refund"             // DSGA, A.A.
	NoticeShow               NoticeAction = "show"               // DSGA, A.A.: in the guardians' area
	NoticeHide               NoticeAction = "hide"               // DSGA, A.A.
	NoticeVerify             NoticeAction = "verify"             // DSGA, A.A.: asks Pago In Rete
	NoticeResolveDiscrepancy NoticeAction = "settle"             // DSGA, A.A.: a discrepancy was looked at
	NoticeRecordDiscrepancy  NoticeAction = "differ"             // by the system: something contradicts it
	NoticeRefuse             NoticeAction = "refuse"             // by the system: Pago In Rete refused it
	NoticeUnreconcile        NoticeAction = "unreconcile"        // by the system: the treasury journal no longer has it
	NoticeUnconfirm          NoticeAction = "unconfirm"          // by the system: no PSP settlement has it any more
	NoticeUnpay              NoticeAction = "unpay"              // by the system: nothing else showed that it was paid
	NoticeUnnotify           NoticeAction = "unnotify"           // by the system: only its payment showed that a payer had logged in

	// NoticeCreate is no step of the machine: only histories have it.
	NoticeCreate NoticeAction = "create" // the first record
)

// NoticeMachine returns the table of what may happen to a notice. It is made on
// first use. The labels of its states are those for the school.
func NoticeMachine() *fsm.Machine[NoticeState, NoticeAction] { return noticeMachine() }

var noticeMachine = sync.OnceValue(func() *fsm.Machine[NoticeState, NoticeAction] {
	type states = []NoticeState
	office, system := officeRoles(), []flussi.Role{flussi.System}
	unpaid := states{NoticeNotNotified, NoticeNotified}
	paid := states{NoticePaidOnline, NoticePaidManually, NoticeConfirmed, NoticeReconciled, NoticeReconciledManually}
	linked := slices.Concat(unpaid, states{NoticeAwaitingReceipt}, paid, states{NoticeCancelled, NoticeRefunded})
	return fsm.MustNew(fsm.Definition[NoticeState, NoticeAction]{
		Name:    "payment notice",
		Initial: NoticeNotLinked,
		States: []fsm.State[NoticeState]{
			{Name: NoticeNotLinked, Label: NoticeNotLinked.Labels().School},
			{Name: NoticeNotNotified, Label: NoticeNotNotified.Labels().School},
			{Name: NoticeNotified, Label: NoticeNotified.Labels().School},
			{Name: NoticeAwaitingReceipt, Label: NoticeAwaitingReceipt.Labels().School},
			{Name: NoticePaidOnline, Label: NoticePaidOnline.Labels().School},
			{Name: NoticePaidManually, Label: NoticePaidManually.Labels().School},
			{Name: NoticeConfirmed, Label: NoticeConfirmed.Labels().School},
			{Name: NoticeReconciled, Label: NoticeReconciled.Labels().School},
			{Name: NoticeReconciledManually, Label: NoticeReconciledManually.Labels().School},
			{Name: NoticeCancelled, Label: NoticeCancelled.Labels().School, Final: true},
			{Name: NoticeRefunded, Label: NoticeRefunded.Labels().School, Final: true},
		},
		Transitions: []fsm.Transition[NoticeState, NoticeAction]{
			{Event: NoticeEdit, From: states{NoticeNotLinked}, To: NoticeNotLinked, Label: "Modifica", Roles: office},
			{Event: NoticeTransmit, From: states{NoticeNotLinked}, To: NoticeNotNotified, Label: "Trasmetti l'avviso di pagamento a Pago in Rete", Roles: office},
			{Event: NoticeRefuse, From: states{NoticeNotLinked}, To: NoticeNotLinked, Label: "Trasmissione rifiutata", Roles: system},
			{Event: NoticeNotify, From: states{NoticeNotNotified}, To: NoticeNotified, Label: "Notifica", Roles: system},
			{Event: NoticeRequest, From: states{NoticeNotified}, To: NoticeAwaitingReceipt, Label: "RPT inviata", Roles: system},
			{Event: NoticeFail, From: states{NoticeAwaitingReceipt}, To: NoticeNotified, Label: "Pagamento non riuscito", Roles: system},
			{Event: NoticePay, From: states{NoticeAwaitingReceipt}, To: NoticePaidOnline, Label: "RT ricevuta", Roles: system},
			{Event: NoticeConfirm, From: states{NoticePaidOnline}, To: NoticeConfirmed, Label: "Riscontro con i flussi di riversamento PSP", Roles: system},
			{Event: NoticeConfirm, From: states{NoticeReconciled}, To: NoticeReconciled, Label: "Riscontro con i flussi di riversamento PSP", Roles: system},
			{Event: NoticeReconcile, From: states{NoticePaidOnline, NoticeConfirmed}, To: NoticeReconciled, Label: "Riconciliazione con i movimenti del file OIL", Roles: system},
			{Event: NoticeUnreconcile, From: states{NoticeReconciled}, To: NoticeConfirmed, Label: "Annullamento della riconciliazione con il file OIL", Roles: system},
			{Event: NoticeUnconfirm, From: states{NoticeConfirmed}, To: NoticePaidOnline, Label: "Annullamento del riscontro con i flussi di riversamento PSP", Roles: system},
			{Event: NoticeUnpay, From: states{NoticePaidOnline}, To: NoticeNotified, Label: "Pagamento non più riportato", Roles: system},
			{Event: NoticeUnnotify, From: states{NoticeNotified}, To: NoticeNotNotified, Label: "Notifica non più riportata", Roles: system},
			{Event: NoticePayManually, From: unpaid, To: NoticePaidManually, Label: "Riscontra il pagamento manualmente", Roles: office},
			{Event: NoticeReconcileManually, From: states{NoticePaidManually}, To: NoticeReconciledManually, Label: "Riconcilia manualmente con il file OIL", Roles: office},
			{Event: NoticeCancel, From: append(states{NoticeNotLinked}, unpaid...), To: NoticeCancelled, Label: "Annulla", Roles: office},
			{Event: NoticeRefund, From: paid, To: NoticeRefunded, Label: "Rimborsa", Roles: office},
			{Event: NoticeShow, From: linked, Stay: true, Label: "Rendi visibile in Area Tutore", Roles: office},
			{Event: NoticeHide, From: linked, Stay: true, Label: "Nascondi in Area Tutore", Roles: office},
			{Event: NoticeVerify, From: linked, Stay: true, Label: "Verifica stato", Roles: office},
			{Event: NoticeResolveDiscrepancy, From: linked, Stay: true, Label: "Archivia la discrepanza", Roles: office},
			{Event: NoticeRecordDiscrepancy, From: linked, Stay: true, Label: "Segnalazione di una discrepanza", Roles: system},
		},
	})
})

// takesBack are the actions that undo what settlements and the treasury showed. A report of Pago In
// Rete never causes them.
var takesBack = []NoticeAction{NoticeUnreconcile, NoticeUnconfirm, NoticeUnpay, NoticeUnnotify}

// forward returns the steps from one state to another, none of which takes something back.
func forward(from, to NoticeState) ([]NoticeAction, error) {
	return NoticeMachine().Path(from, to, takesBack...)
}

// NoticeLabels are the Italian names of a notice's state, one for each audience.
type NoticeLabels struct {
	Macro  string // Macrostato Scuola: several states share one
	School string // Stato utente Scuola
	Family string // Stato utente Famiglia
}

// Labels returns the guide's names of the state for each audience; of an unknown
// state, its own text three times.
func (s NoticeState) Labels() NoticeLabels {
	const unpaid, paid = "Non pagato", "Pagato"
	everywhere := func(name string) NoticeLabels { return NoticeLabels{name, name, name} }
	switch s {
	case NoticeNotLinked:
		return everywhere("Non collegato a Pago in Rete")
	case NoticeNotNotified:
		return NoticeLabels{unpaid, "Non pagato (Non notificato)", "Da pagare"}
	case NoticeNotified:
		return NoticeLabels{unpaid, "Non pagato (Notificato)", "Da pagare"}
	case NoticeAwaitingReceipt:
		return NoticeLabels{unpaid, "Non pagato (RPT inviata in attesa di RT)", "In attesa di ricevuta"}
	case NoticePaidOnline:
		return NoticeLabels{paid, "Pagato (Pagato online)", paid}
	case NoticePaidManually:
		return NoticeLabels{paid, "Pagato manualmente", paid}
	case NoticeConfirmed:
		return NoticeLabels{paid, "Pagamento confermato", paid}
	case NoticeReconciled:
		return NoticeLabels{paid, "Pagamento riscontrato automaticamente", paid}
	case NoticeReconciledManually:
		return NoticeLabels{paid, "Pagamento riscontrato manualmente", paid}
	case NoticeCancelled:
		return everywhere("Annullato")
	case NoticeRefunded:
		return everywhere("Rimborsato")
	}
	return everywhere(string(s))
}

// Label returns the name of the state for the school (Stato utente Scuola); of an
// unknown state, its own text.
func (s NoticeState) Label() string { return s.Labels().School }

// Label returns the Italian name of the action; of an unknown action, its own text.
func (a NoticeAction) Label() string {
	if a == NoticeCreate {
		return "Crea il pagamento"
	}
	return NoticeMachine().EventLabel(a)
}

// NewNotice returns a notice of an event in its first state, made now by the actor, for one of
// the event's instalments. Nothing is stored. The error is a [*flussi.InvalidError] for the data,
// see [NoticeData.Validate], or a [*flussi.ValueError] with [flussi.ErrEmpty] if the event
// or the actor's ID is missing.
func NewNotice(e Event, instalment int, d NoticeData, by flussi.Actor) (Notice, error) {
	if e.ID == uuid.Nil {
		return Notice{}, fmt.Errorf("pagoinrete: new notice: %w", &flussi.ValueError{
			Type: "Event", Err: flussi.ErrEmpty, Reason: "Manca l'evento di pagamento dell'avviso."})
	}
	if err := d.Validate(); err != nil {
		return Notice{}, fmt.Errorf("pagoinrete: new notice: %w", err)
	}
	id, now, err := newIdentity(by)
	if err != nil {
		return Notice{}, fmt.Errorf("pagoinrete: new notice: %w", err)
	}
	return Notice{
		ID: id, EventID: e.ID, School: e.School, State: NoticeMachine().Initial(), Instalment: instalment, NoticeData: d.normal(),
		CreatedAt: now, UpdatedAt: now, UpdatedBy: by.ID,
	}, nil
}

// Validate returns a [*flussi.InvalidError] with everything that is wrong with the data, or nil:
// [flussi.ErrEmpty] for a missing debtor or due date, [flussi.ErrRange] for an unknown kind,
// a discount that leaves nothing to pay, or an amount that pagoPA cannot collect, and what
// texts can have.
func (d NoticeData) Validate() error {
	e := &invalid{}
	if d.Debtor.IsZero() {
		e.Fail("Debtor", flussi.ErrEmpty, "Manca il codice fiscale del debitore.")
	}
	if d.DebtorKind != DebtorPupil && d.DebtorKind != DebtorStaff {
		e.Fail("DebtorKind", flussi.ErrRange, "Il debitore deve essere un alunno o un membro del personale.")
	}
	e.text("DebtorName", "il nome del debitore", d.DebtorName.Reveal(), MaxName, false)
	switch {
	case d.Amount.Check() != nil:
		e.Fail("Amount", flussi.ErrRange, "L'importo dell'avviso non è valido: deve essere da %s a %s.", flussi.MinPayable.Euro(), flussi.MaxPayable.Euro())
	case d.Discount < 0:
		e.Fail("Discount", flussi.ErrRange, "Lo sconto non può essere negativo.")
	case d.Discount >= d.Amount:
		e.Fail("Discount", flussi.ErrRange, "Lo sconto è %s e l'importo %s: non resterebbe nulla da pagare.", d.Discount.Euro(), d.Amount.Euro())
	}
	if year := d.DueDate.Year(); d.DueDate.IsZero() {
		e.Fail("DueDate", flussi.ErrEmpty, "Manca la scadenza dell'avviso.")
	} else if !plausible(year) {
		e.Fail("DueDate", flussi.ErrDate, "La scadenza dell'avviso non è valida.")
	}
	e.text("Reference", "il riferimento", d.Reference, MaxReference, false)
	d.Transfers.validate(e, d.Due())
	return e.OrNil()
}

// normal returns the data as stores keep them.
func (d NoticeData) normal() NoticeData {
	d.DueDate = core.Stored(d.DueDate)
	return d
}

// Fire applies an action to the notice: on success its State is the new one, on a
// [*fsm.TransitionError] the notice is unchanged. It touches no other field, and does
// not look at the notice's event. See [fsm.Machine.Fire] for guards and contexts; for
// hooks, fire NoticeMachine().With(…) and set the State.
func (n *Notice) Fire(ctx context.Context, action NoticeAction, by flussi.Actor, guards ...fsm.Guard[NoticeState, NoticeAction]) error {
	return core.Fire(ctx, NoticeMachine(), &n.State, action, by, nil, guards)
}

// Allowed returns what an actor with the roles may do with the notice by its state, in the order of
// the table; nothing without a role. The buttons to show are fewer: see [Notice.Actions].
func (n *Notice) Allowed(roles ...flussi.Role) []NoticeAction {
	return NoticeMachine().Allowed(n.State, roles...)
}

// LogValue returns what may be logged of a notice: no personal data.
func (n Notice) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", n.ID.String()),
		slog.String("event", n.EventID.String()),
		slog.String("state", string(n.State)),
		slog.Int64("version", n.Version),
	)
}
