package pagoinrete

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// Event (evento di pagamento, tassa) is a fee that many have to pay, or a donation.
// It is plain data, not safe for concurrent use.
type Event struct {
	ID     uuid.UUID  // UUID, version 7: also what Pago In Rete recognises a repeated transmission by
	Kind   EventKind  // a fee or a donation
	School string     // codice meccanografico, 10 characters
	State  EventState // stato
	EventData
	Rejection   flussi.Text  // why the principal rejected it the last time; "" if never rejected
	RemoteID    string       // the identifier in Pago In Rete, "" before it is transmitted
	Discrepancy Discrepancy  // what contradicts it; zero if nothing
	Counts      NoticeCounts // how many notices there are, as the store counts them; not written
	CreatedAt   time.Time    // UTC
	UpdatedAt   time.Time    // UTC
	UpdatedBy   string       // the ID of the last actor
	Version     int64        // counts the stored changes, for optimistic locking; 0: not stored yet
}

// NoticeCounts says how many notices an event has, by their macro-state: each is counted once, and
// once more if it has a discrepancy that is not resolved.
type NoticeCounts struct {
	NotLinked     int // Non collegato a Pago in Rete
	Unpaid        int // Non pagato
	Paid          int // Pagato
	Cancelled     int // Annullato
	Refunded      int // Rimborsato
	Discrepancies int // to be looked at
}

// Total is the number of notices.
func (c NoticeCounts) Total() int { return c.NotLinked + c.Unpaid + c.Paid + c.Cancelled + c.Refunded }

// NotCancelled is the number of notices that are not cancelled.
func (c NoticeCounts) NotCancelled() int { return c.Total() - c.Cancelled }

// Add adds a notice to the counts, or removes it with -1. Stores and fakes use it. One in a state
// that is not known counts as Unpaid.
func (c *NoticeCounts) Add(n Notice, by int) {
	switch n.State {
	case NoticeNotLinked:
		c.NotLinked += by
	case NoticeCancelled:
		c.Cancelled += by
	case NoticeRefunded:
		c.Refunded += by
	case NoticePaidOnline, NoticePaidManually, NoticeConfirmed, NoticeReconciled, NoticeReconciledManually:
		c.Paid += by
	default:
		c.Unpaid += by
	}
	if n.Discrepancy.Open() {
		c.Discrepancies += by
	}
}

// EventKind is a fee or a donation.
type EventKind string

// The kinds of events.
const (
	// Fee (tassa): pupils are assigned notices.
	Fee EventKind = "fee"
	// Donation (erogazione liberale): anyone may pay; there are no notices to transmit.
	Donation EventKind = "donation"
)

// known reports whether the kind is one of this package.
func (k EventKind) known() bool { return k == Fee || k == Donation }

// EventState (stato dell'evento di pagamento) is where an event is in its life.
type EventState string

// The states of an event, as the guide names and orders them.
const (
	// EventBlank (vuoto): the form before it is saved for the first time. Left by
	// EventSave.
	EventBlank EventState = "blank"
	// EventNotTransmitted (Non trasmesso a Pago in Rete): created here, unknown there.
	// Entered by EventSave. Left by EventTransmit.
	EventNotTransmitted EventState = "not_transmitted"
	// EventSimulated (Simulato): known to Pago In Rete; the office edits it, which transmits the
	// notices now. Entered by EventTransmit. Left by EventSubmit or EventDelete.
	EventSimulated EventState = "simulated"
	// EventToApprove (Da approvare): the principal decides. Entered by EventSubmit. Left by
	// EventApprove or EventReject.
	EventToApprove EventState = "to_approve"
	// EventToNotify (Da notificare): approved; the office notifies it. Entered by EventApprove.
	// Left by EventNotify.
	EventToNotify EventState = "to_notify"
	// EventRejected (Rifiutato): the principal sent it back; as EventSimulated in all
	// that may be done. Entered by EventReject. Left by EventSubmit or EventDelete.
	EventRejected EventState = "rejected"
	// EventNotified (Notificato): families can view and pay it; its data are fixed. Entered by
	// EventNotify. Final.
	EventNotified EventState = "notified"
	// EventDeleted (Cancellato): withdrawn by the office. Entered by EventDelete. Final.
	EventDeleted EventState = "deleted"
)

// EventAction is something that may happen to an event.
type EventAction string

// The actions on an event, with the roles that may take them. The first ten are the guide's
// operations, in its order; those that do not lead to another state of the event are about
// its notices.
const (
	EventSave            EventAction = "save"             // Salva, of the blank form: DSGA, A.A.
	EventTransmit        EventAction = "transmit"         // Salva e trasmetti: DSGA, A.A.
	EventAddNotices      EventAction = "add_notices"      // Creazione pagamenti: DSGA, A.A.
	EventTransmitNotices EventAction = "transmit_notices" // Trasmissione avvisi di pagamento: DSGA, A.A.
	EventSubmit          EventAction = "submit"           // Rendi "da approvare": DSGA, A.A.
	EventApprove         EventAction = "approve"          // Approva: DS
	EventReject          EventAction = "reject"           // Rifiuta: DS
	EventNotify          EventAction = "notify"           // Notifica: DSGA, A.A.
	EventDownload        EventAction = "download"         // Scarico file .pdf degli avvisi: DSGA, A.A.
	EventShow            EventAction = "show"             // Rendere visibile in Area Tutore: DSGA, A.A.
	EventVerify          EventAction = "verify"           // Verifica stato: DSGA, A.A.

	EventEdit               EventAction = "edit"   // Modifica: DSGA, A.A.
	EventDelete             EventAction = "delete" // Cancella: DSGA, A.A.
	EventResolveDiscrepancy EventAction = "settle" // Archivia la discrepanza: DSGA, A.A.
	EventRecordDiscrepancy  EventAction = "differ" // by the system: something contradicts it
)

// EventMachine returns the table of what may happen to an event, with the SIDI role
// for each action. It is made on first use.
func EventMachine() *fsm.Machine[EventState, EventAction] { return eventMachine() }

var eventMachine = sync.OnceValue(func() *fsm.Machine[EventState, EventAction] {
	type states = []EventState
	office, principal, system := officeRoles(), []flussi.Role{flussi.Principal}, []flussi.Role{flussi.System}
	return fsm.MustNew(fsm.Definition[EventState, EventAction]{
		Name:    "payment event",
		Initial: EventBlank,
		States: []fsm.State[EventState]{
			{Name: EventBlank, Label: "(vuoto)"},
			{Name: EventNotTransmitted, Label: "Non trasmesso a Pago in Rete"},
			{Name: EventSimulated, Label: "Simulato"},
			{Name: EventToApprove, Label: "Da approvare"},
			{Name: EventToNotify, Label: "Da notificare"},
			{Name: EventRejected, Label: "Rifiutato"},
			{Name: EventNotified, Label: "Notificato", Final: true},
			{Name: EventDeleted, Label: "Cancellato", Final: true},
		},
		Transitions: []fsm.Transition[EventState, EventAction]{
			{Event: EventSave, From: states{EventBlank}, To: EventNotTransmitted, Label: "Salva", Roles: office},
			{Event: EventTransmit, From: states{EventNotTransmitted}, To: EventSimulated, Label: "Salva e trasmetti l'evento di pagamento a Pago in Rete", Roles: office},
			{Event: EventAddNotices, From: states{EventSimulated, EventRejected}, Stay: true, Label: "Crea i pagamenti", Roles: office},
			{Event: EventTransmitNotices, From: states{EventSimulated, EventRejected}, Stay: true, Label: "Trasmetti gli avvisi di pagamento a Pago in Rete", Roles: office},
			{Event: EventSubmit, From: states{EventSimulated, EventRejected}, To: EventToApprove, Label: `Rendi l'evento "da approvare" dal DS su Pago in Rete`, Roles: office},
			{Event: EventApprove, From: states{EventToApprove}, To: EventToNotify, Label: "Approva l'evento di pagamento su Pago in Rete", Roles: principal},
			{Event: EventReject, From: states{EventToApprove}, To: EventRejected, Label: "Rifiuta l'evento di pagamento su Pago in Rete", Roles: principal},
			{Event: EventNotify, From: states{EventToNotify}, To: EventNotified, Label: "Notifica l'evento di pagamento su Pago in Rete", Roles: office},
			{Event: EventDownload, From: states{EventNotified}, Stay: true, Label: "Scarica i file .pdf degli avvisi di pagamento", Roles: office},
			{Event: EventShow, From: states{EventNotified}, Stay: true, Label: "Rendi visibile il pagamento in Area Tutore", Roles: office},
			{Event: EventVerify, From: states{EventNotTransmitted, EventSimulated, EventToApprove, EventToNotify, EventRejected, EventNotified}, Stay: true, Label: "Verifica stato", Roles: office},
			{Event: EventDelete, From: states{EventSimulated, EventRejected}, To: EventDeleted, Label: "Cancella", Roles: office},
			{Event: EventEdit, From: states{EventNotTransmitted, EventSimulated, EventRejected}, Stay: true, Label: "Modifica", Roles: office},
			{Event: EventResolveDiscrepancy, From: remoteEvents, Stay: true, Label: "Archivia la discrepanza", Roles: office},
			{Event: EventRecordDiscrepancy, From: remoteEvents, Stay: true, Label: "Segnalazione di una discrepanza", Roles: system},
		},
	})
})

// remoteEvents are the states in which Pago In Rete may report an event.
var remoteEvents = []EventState{EventSimulated, EventToApprove, EventToNotify, EventRejected, EventNotified, EventDeleted}

// officeRoles are the roles of the school's office (segreteria).
func officeRoles() []flussi.Role { return []flussi.Role{flussi.AdminDirector, flussi.AdminAssistant} }

// Label returns the guide's name of the state; of an unknown state, its own text.
func (s EventState) Label() string { return EventMachine().Label(s) }

// Label returns the guide's name of the action; of an unknown action, its own text.
func (a EventAction) Label() string { return EventMachine().EventLabel(a) }

// NewEvent returns the blank form of an event of a school, made now by the actor;
// [EventSave] makes it an event. Nothing is stored. The school is its codice
// meccanografico, 10 upper-case letters and digits. The error is a
// [*flussi.ValueError]: with [flussi.ErrEmpty] if there is no school or the actor has
// no ID, [flussi.ErrLength] or [flussi.ErrCharacter] for another school's code,
// [flussi.ErrRange] for another kind.
func NewEvent(kind EventKind, school string, by flussi.Actor) (Event, error) {
	if !kind.known() {
		return Event{}, fmt.Errorf("pagoinrete: new event: %w", &flussi.ValueError{
			Type: "EventKind", Err: flussi.ErrRange, Reason: "L'evento deve essere una tassa o un'erogazione liberale."})
	}
	if err := CheckSchool(school); err != nil {
		return Event{}, fmt.Errorf("pagoinrete: new event: %w", err)
	}
	id, now, err := newIdentity(by)
	if err != nil {
		return Event{}, fmt.Errorf("pagoinrete: new event: %w", err)
	}
	return Event{
		ID: id, Kind: kind, School: school, State: EventMachine().Initial(),
		CreatedAt: now, UpdatedAt: now, UpdatedBy: by.ID,
	}, nil
}

// CheckSchool returns a [*flussi.ValueError] if a text is not a codice meccanografico: 10 capital
// letters and digits.
func CheckSchool(code string) error {
	fail := func(err error, position int, italian string) error {
		return &flussi.ValueError{Type: "School", Err: err, Position: position, Reason: italian}
	}
	if code == "" {
		return fail(flussi.ErrEmpty, 0, "Manca il codice meccanografico della scuola.")
	}
	for i, r := range code {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return fail(flussi.ErrCharacter, i+1, "Il codice meccanografico della scuola può avere solo lettere maiuscole e cifre.")
		}
	}
	if len(code) != 10 {
		return fail(flussi.ErrLength, 0, fmt.Sprintf("Il codice meccanografico della scuola deve avere 10 caratteri, questo ne ha %s.", italian.Number(len(code))))
	}
	return nil
}

// Fire applies an action to the event: on success its State is the new one, on a
// [*fsm.TransitionError] the event is unchanged. It touches no other field, and does
// not look at the event's notices. See [fsm.Machine.Fire] for guards and contexts; for
// hooks, fire EventMachine().With(…) and set the State.
func (e *Event) Fire(ctx context.Context, action EventAction, by flussi.Actor, guards ...fsm.Guard[EventState, EventAction]) error {
	return core.Fire(ctx, EventMachine(), &e.State, action, by, nil, guards)
}

// Allowed returns what an actor with the roles may do with the event by its state, in the order of
// the table; nothing without a role. The buttons to show are fewer: see [Event.Actions].
func (e *Event) Allowed(roles ...flussi.Role) []EventAction {
	return EventMachine().Allowed(e.State, roles...)
}

// LogValue returns what may be logged of an event: no free text.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", e.ID.String()),
		slog.String("kind", string(e.Kind)),
		slog.String("school", e.School),
		slog.String("state", string(e.State)),
		slog.Int64("version", e.Version),
	)
}
