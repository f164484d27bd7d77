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
)

// Flow (flusso) is one bulk sending of one App IO service. It is plain data: it is
// not safe for concurrent use, and two values that went separate ways are told
// apart by their Version.
type Flow struct {
	ID         uuid.UUID   // UUID, version 7
	Service    string      // Servizio: the App IO service that sends
	State      FlowState   // Stato
	Note       flussi.Text // Note: free text of the operators
	AppContext string      // Contesto Applicativo: where in the suite the flow comes from
	AppKey     string      // Chiave Applicativo: what it belongs to there
	Error      string      // Errore: why the sending stopped, in Italian; "" if it did not
	Disabled   bool        // Dis.: set aside by an operator, whatever its state
	CreatedAt  time.Time   // Data, Ora; UTC
	UpdatedAt  time.Time   // Data mod.; UTC
	UpdatedBy  string      // Utente mod.: the ID of the last actor
	Version    int64       // counts the stored changes, for optimistic locking; 0: not stored yet
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
	// FlowActivate. Left by FlowSend, or by FlowDeactivate while nothing is sent.
	FlowActive FlowState = "active"
	// FlowSending (In invio): the sending is under way. Entered by FlowSend. Left by
	// FlowComplete or FlowFallShort when nothing is left to send or the sending
	// stopped; an operator cannot leave it.
	FlowSending FlowState = "sending"
	// FlowSent (Inviato): all recipients were sent their message. Entered by
	// FlowComplete at the end of a sending, or when the last notification in error was
	// resolved without one. Left by FlowFallShort if the platform rejects a message
	// later on.
	FlowSent FlowState = "sent"
	// FlowIncomplete (Invio incompleto): the sending is over, with negative outcomes
	// for some recipients, or it stopped before the end. Entered by FlowFallShort. Left
	// by FlowSend once something was corrected or the cause of the stop was mended, or
	// by FlowComplete if nothing remains in error.
	FlowIncomplete FlowState = "incomplete"
)

// FlowAction is something that may happen to a flow.
type FlowAction string

// The actions on a flow.
const (
	FlowImport     FlowAction = "import"     // Importa da File Excel: notifications are added
	FlowEdit       FlowAction = "edit"       // Aggiorna: note, context and key change
	FlowActivate   FlowAction = "activate"   // Attiva
	FlowDeactivate FlowAction = "deactivate" // Riporta a Inattivo
	FlowSend       FlowAction = "send"       // Invia Flusso: also goes on after a stop or corrections
	FlowComplete   FlowAction = "complete"   // by the system: everything is sent
	FlowFallShort  FlowAction = "fall_short" // by the system: over, but not everything is sent
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
			{Event: FlowImport, From: states{FlowInactive}, To: FlowInactive, Label: "Importa da File Excel", Roles: operator},
			{Event: FlowActivate, From: states{FlowInactive}, To: FlowActive, Label: "Attiva", Roles: operator},
			{Event: FlowDeactivate, From: states{FlowActive}, To: FlowInactive, Label: "Riporta a Inattivo", Roles: operator},
			{Event: FlowSend, From: states{FlowActive, FlowIncomplete}, To: FlowSending, Label: "Invia Flusso", Roles: operator},
			{Event: FlowComplete, From: states{FlowSending, FlowIncomplete}, To: FlowSent, Label: "Concludi: tutto inviato", Roles: system},
			{Event: FlowFallShort, From: states{FlowSending, FlowSent}, To: FlowIncomplete, Label: "Concludi: esiti negativi", Roles: system},
			{Event: FlowEdit, From: states{FlowInactive}, To: FlowInactive, Label: "Aggiorna", Roles: operator},
			{Event: FlowEdit, From: states{FlowActive}, To: FlowActive, Label: "Aggiorna", Roles: operator},
			{Event: FlowEdit, From: states{FlowSent}, To: FlowSent, Label: "Aggiorna", Roles: operator},
			{Event: FlowEdit, From: states{FlowIncomplete}, To: FlowIncomplete, Label: "Aggiorna", Roles: operator},
		},
	})
})

// Label returns the guide's name of the state; of an unknown state, its own text.
func (s FlowState) Label() string { return FlowMachine().Label(s) }

// Label returns the Italian name of the action; of an unknown action, its own text.
func (a FlowAction) Label() string { return FlowMachine().EventLabel(a) }

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
// [*fsm.TransitionError] the flow is unchanged. It touches no other field, and looks
// at none: what an action needs of the flow's notifications, and that it is not
// disabled, is up to the caller's guards. See [fsm.Machine.Fire] for guards and
// contexts; for hooks, fire FlowMachine().With(…) and set the State.
func (f *Flow) Fire(ctx context.Context, action FlowAction, by flussi.Actor, guards ...fsm.Guard[FlowState, FlowAction]) error {
	to, err := FlowMachine().Fire(ctx, f.State, action, by, guards...)
	if err != nil {
		return err
	}
	f.State = to
	return nil
}

// Allowed returns what somebody who holds the roles may do with the flow now, in the
// order of the table; nothing for somebody without a role.
func (f *Flow) Allowed(roles ...flussi.Role) []FlowAction {
	return FlowMachine().Allowed(f.State, roles...)
}

// LogValue returns what may be logged of a flow: no note and no error text.
func (f Flow) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", f.ID.String()),
		slog.String("service", f.Service),
		slog.String("state", string(f.State)),
		slog.Bool("disabled", f.Disabled),
		slog.Int64("version", f.Version),
	)
}
