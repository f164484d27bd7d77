package flow

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

// Flow (flusso) is one bulk sending of one App IO service. It is plain data: it is not safe for
// concurrent use. Two copies that changed differently differ in their Version when they are stored.
type Flow struct {
	ID      uuid.UUID // UUID, version 7
	Service string    // Servizio: the App IO service that sends
	State   FlowState // Stato
	Details
	Error string // Errore: why the sending stopped, in Italian, including Answer; "" if it did not stop
	// Answer (risposta della piattaforma) is what the platform said, if that stopped the sending, with
	// personal data masked. Error quotes it, too. Zero if it said nothing, or once notifications of
	// the flow are anonymised.
	Answer flussi.Text
	// NotBefore (Non prima di) is when a [Dispatcher] begins to send the flow, which is Attivo until
	// then; UTC. Zero: the flow is not scheduled.
	NotBefore   time.Time
	ScheduledBy string    // the ID of who ordered the sending at NotBefore; "" if it is not scheduled
	Counts      Counts    // Messaggi: how many notifications there are, as the store counts them; not written
	Disabled    bool      // Dis.: set aside by an operator, whatever its state
	CreatedAt   time.Time // Data, Ora; UTC
	UpdatedAt   time.Time // Data mod.; UTC
	UpdatedBy   string    // Utente mod.: the ID of the last actor
	Version     int64     // counts the stored changes, for optimistic locking; 0: not stored yet
}

// Details are what an operator or a program writes about a flow. A program that makes flows
// identifies them by AppContext and AppKey, and finds them by the same fields of [FlowFilter],
// which compare them exactly. Citizens see neither. Both are at most [MaxKey] characters, without
// personal data, which anonymising would leave there.
type Details struct {
	Note flussi.Text // Note: free text of the operators
	// AppContext (Contesto Applicativo) names the program or the job that made the flow, such as
	// "tari". All its flows have the same one: by it, the job finds those that it has to finish.
	AppContext string
	// AppKey (Chiave Applicativo) identifies what the flow is for within its AppContext: the number
	// of a protocol record, the ID of an event. Few flows have the same one: by it, a screen of the
	// program finds the flow that belongs to a record.
	AppKey string
	// Options (Opzioni) are those of the rows that are added, where they leave them open.
	Options Options
}

// Counts says how many notifications a flow has. Each is counted once: by its state,
// or as disabled whatever its state.
type Counts struct {
	Registered int // Registrato: to be sent
	Sending    int // In invio
	Sent       int // Inviato
	Failed     int // Errore
	Disabled   int // set aside
}

// Total is the number of notifications.
func (c Counts) Total() int { return c.Registered + c.Sending + c.Sent + c.Failed + c.Disabled }

// Pending is the number of notifications whose sending is not over.
func (c Counts) Pending() int { return c.Registered + c.Sending }

// Add adds a notification to the counts, or removes it with -1. Stores and fakes use it.
func (c *Counts) Add(n Notification, by int) {
	switch {
	case n.Disabled:
		c.Disabled += by
	case n.State == NotificationRegistered:
		c.Registered += by
	case n.State == NotificationSending:
		c.Sending += by
	case n.State == NotificationSent:
		c.Sent += by
	case n.State == NotificationFailed:
		c.Failed += by
	}
}

// FlowState (stato del flusso) is where a flow is in its life.
type FlowState string

// The states of a flow, as the guide names them.
const (
	// FlowInactive (Inattivo): in preparation; the only state in which notifications
	// are added. Entered when the flow is created, or set back from FlowActive. Left
	// by FlowActivate.
	FlowInactive FlowState = "inactive"
	// FlowActive (Attivo): ready to be sent; its notifications are fixed. Entered by
	// FlowActivate. Left by FlowSend, by FlowBegin at the time that FlowSchedule set, or by
	// FlowDeactivate while nothing is sent.
	FlowActive FlowState = "active"
	// FlowSending (In invio): the sending is under way. Entered by FlowSend or FlowBegin. Left by
	// FlowComplete or FlowEndIncomplete when nothing is left to send or the sending
	// stopped; an operator cannot leave it.
	FlowSending FlowState = "sending"
	// FlowSent (Inviato): all recipients were sent their message. Entered by
	// FlowComplete at the end of a sending, or when the last notification in error was
	// resolved without one. Left by FlowEndIncomplete if the platform rejects a message
	// later on.
	FlowSent FlowState = "sent"
	// FlowIncomplete (Invio incompleto): the sending is over, with negative outcomes for some
	// recipients, or it stopped before the end. Entered by FlowEndIncomplete. Left by FlowSend
	// after corrections, or when the cause of the stop is gone, or by FlowComplete if nothing
	// remains in error.
	FlowIncomplete FlowState = "incomplete"
)

// FlowAction is something that may happen to a flow.
type FlowAction string

// The actions on a flow.
const (
	FlowImport        FlowAction = "import"     // Importa da File Excel: notifications are added
	FlowEdit          FlowAction = "edit"       // Aggiorna: note, context and key change
	FlowActivate      FlowAction = "activate"   // Attiva
	FlowDeactivate    FlowAction = "deactivate" // Riporta a Inattivo
	FlowSend          FlowAction = "send"       // Invia Flusso: also goes on after a stop or corrections
	FlowSchedule      FlowAction = "schedule"   // Programma Invio: the flow is sent at a later time, which may be replaced
	FlowBegin         FlowAction = "begin"      // by the system: the time has come
	FlowComplete      FlowAction = "complete"   // by the system: everything is sent
	FlowEndIncomplete FlowAction = "fall_short" // by the system: over, but not everything is sent
	FlowStop          FlowAction = "stop"       // by the system: the service or the platform fails; nothing more is sent
	FlowVerify        FlowAction = "verify"     // Verifica Stato: the platform is asked what became of the messages
	FlowDisable       FlowAction = "disable"    // Disabilita: set aside; a sending under way ends
	FlowEnable        FlowAction = "enable"     // Riabilita

	// FlowCreate and the following are no steps of the machine: only histories have them.
	FlowCreate              FlowAction = "create"    // Nuovo: the first record
	FlowNotificationChanged FlowAction = "touch"     // one of its notifications changed; the reason says which
	FlowAnonymise           FlowAction = "anonymise" // what the platform said was erased, with the personal data of notifications
)

// FlowMachine returns the table of what may happen to a flow. Operators prepare,
// activate and send; only the system concludes. It is made on first use.
func FlowMachine() *fsm.Machine[FlowState, FlowAction] { return flowMachine() }

var flowMachine = sync.OnceValue(func() *fsm.Machine[FlowState, FlowAction] {
	type states = []FlowState
	operator, system := []flussi.Role{flussi.Operator}, []flussi.Role{flussi.System}
	return fsm.MustNew(fsm.Definition[FlowState, FlowAction]{
		Name:    "flow",
		Initial: FlowInactive,
		States: []fsm.State[FlowState]{
			{Name: FlowInactive, Label: "Inattivo"},
			{Name: FlowActive, Label: "Attivo"},
			{Name: FlowSending, Label: "In invio"},
			{Name: FlowSent, Label: "Inviato"},
			{Name: FlowIncomplete, Label: "Invio incompleto"},
		},
		Transitions: []fsm.Transition[FlowState, FlowAction]{
			{Event: FlowImport, From: states{FlowInactive}, Stay: true, Label: "Importa da File Excel", Roles: operator},
			{Event: FlowActivate, From: states{FlowInactive}, To: FlowActive, Label: "Attiva", Roles: operator},
			{Event: FlowDeactivate, From: states{FlowActive}, To: FlowInactive, Label: "Riporta a Inattivo", Roles: operator},
			{Event: FlowSend, From: states{FlowActive, FlowIncomplete}, To: FlowSending, Label: "Invia Flusso", Roles: operator},
			{Event: FlowSchedule, From: states{FlowActive}, Stay: true, Label: "Programma Invio", Roles: operator},
			{Event: FlowBegin, From: states{FlowActive}, To: FlowSending, Label: "Avvio all'ora programmata", Roles: system},
			{Event: FlowComplete, From: states{FlowSending, FlowIncomplete}, To: FlowSent, Label: "Conclusione: tutto inviato", Roles: system},
			{Event: FlowEndIncomplete, From: states{FlowSending, FlowSent}, To: FlowIncomplete, Label: "Conclusione: esiti negativi", Roles: system},
			{Event: FlowEdit, From: states{FlowInactive, FlowActive, FlowSent, FlowIncomplete}, Stay: true, Label: "Aggiorna", Roles: operator},
			{Event: FlowStop, From: states{FlowSending}, Stay: true, Label: "Arresto dell'invio", Roles: system},
			{Event: FlowVerify, From: states{FlowSending, FlowSent, FlowIncomplete}, Stay: true, Label: "Verifica Stato", Roles: operator},
			{Event: FlowDisable, From: states{FlowInactive, FlowActive, FlowSending, FlowSent, FlowIncomplete}, Stay: true, Label: "Disabilita", Roles: operator},
			{Event: FlowEnable, From: states{FlowInactive, FlowActive, FlowSending, FlowSent, FlowIncomplete}, Stay: true, Label: "Riabilita", Roles: operator},
		},
	})
})

// Label returns the guide's name of the state; of an unknown state, its own text.
func (s FlowState) Label() string { return FlowMachine().Label(s) }

// Label returns the Italian name of the action; of an unknown action, its own text.
func (a FlowAction) Label() string {
	switch a {
	case FlowCreate:
		return "Nuovo"
	case FlowNotificationChanged:
		return "Modifica di una notifica"
	case FlowAnonymise:
		return "Cancellazione dei dati personali"
	}
	return FlowMachine().EventLabel(a)
}

// NewFlow returns a flow of a service in its first state, created now by the actor.
// Nothing is stored. The error is a [*flussi.ValueError] with [flussi.ErrEmpty] if
// there is no service or the actor has no ID.
func NewFlow(service string, by flussi.Actor) (Flow, error) {
	id, now, err := newIdentity(service, by)
	if err != nil {
		return Flow{}, fmt.Errorf("flow: new flow: %w", err)
	}
	return Flow{
		ID: id, Service: service, State: FlowMachine().Initial(),
		CreatedAt: now, UpdatedAt: now, UpdatedBy: by.ID,
	}, nil
}

// Fire applies an action to the flow: on success its State is the new one, on a
// [*fsm.TransitionError] the flow is unchanged. It touches no other field. While the
// flow is Disabled, what an operator may do is refused with [ErrDisabled], but for
// enabling and verifying it. What an action needs of the flow's notifications is up to
// the caller's guards. See [fsm.Machine.Fire] for guards and contexts; for hooks, fire
// FlowMachine().With(…) and set the State.
func (f *Flow) Fire(ctx context.Context, action FlowAction, by flussi.Actor, guards ...fsm.Guard[FlowState, FlowAction]) error {
	err := core.Fire(ctx, FlowMachine(), &f.State, action, by, f.check, guards)
	return core.Offer(err, func() []FlowAction { return f.Allowed(by.Roles...) })
}

// check refuses what does not fit the flow's flag.
func (f *Flow) check(action FlowAction) error {
	switch action {
	case FlowComplete, FlowEndIncomplete, FlowStop, FlowVerify:
		return nil
	}
	return checkFlag(f.Disabled, string(action), italian.Flow)
}

// checkFlag refuses an action that does not fit the flag of a flow or a notification: enabling
// what is enabled, and everything else while it is disabled.
func checkFlag(disabled bool, action string, noun italian.Noun) error {
	enable, disable := action == string(FlowEnable), action == string(FlowDisable) // of both machines
	if disabled == enable {
		return nil
	}
	what, state := italian.Capital(noun.The()), noun.Agree(1, "disabilitat")
	switch {
	case enable:
		return refuse(ErrNotDisabled, "%s non è %s.", what, state)
	case disable:
		return refuse(ErrDisabled, "%s è già %s.", what, state)
	}
	return refuse(ErrDisabled, "%s è %s: %s prima.", what, state, noun.Object(1, "riabilitar"))
}

// Allowed returns what an actor with the roles may do with the flow now, in the order of the table;
// nothing without a role.
func (f *Flow) Allowed(roles ...flussi.Role) []FlowAction {
	return core.Allowed(FlowMachine(), f.State, f.check, roles)
}

// clearError removes the reason why the last sending stopped.
func (f *Flow) clearError() { f.Error, f.Answer = "", flussi.Text{} }

// LogValue returns what may be logged of a flow: no note and no error text.
func (f Flow) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", f.ID.String()),
		slog.String("service", f.Service),
		slog.String("state", string(f.State)),
		slog.Int("messages", f.Counts.Total()),
		slog.Bool("disabled", f.Disabled),
		slog.Int64("version", f.Version),
	)
}
