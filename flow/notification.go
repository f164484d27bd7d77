package flow

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/fsm"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/internal/italian"
)

// Notification (notifica) is one message to one citizen. It is plain data, not safe
// for concurrent use. Its personal data mask themselves when it is printed, and are
// left out when it is logged; JSON carries it whole.
type Notification struct {
	ID      uuid.UUID         // UUID, version 7
	FlowID  uuid.UUID         // the flow it belongs to; the zero UUID if it has no flow
	Service string            // Servizio: the App IO service that sends
	State   NotificationState // Stato
	Draft
	Transmission   Transmission // Stato della Trasmissione
	Delivery       Delivery     // Stato della Notifica
	Disabled       bool         // Dis.: set aside by an operator, whatever its state
	AllowDuplicate bool         // an operator ordered to send it although the citizen may have the message: see [Service.ResendNotification]; false again once it was sent
	AnonymisedAt   time.Time    // when its personal data were erased; UTC; zero: they were not
	CreatedAt      time.Time    // UTC
	UpdatedAt      time.Time    // Data mod.; UTC
	UpdatedBy      string       // Utente mod.: the ID of the last actor
	Version        int64        // counts the stored changes, for optimistic locking; 0: not stored yet
}

// Transmission (stato della trasmissione) is how the sending of a message went.
type Transmission struct {
	MessageID appio.MessageID // ID Consegna App.IO; "" if the platform gave none
	Attempts  int             // Tentativi Invio: the requests that were made
	SentAt    time.Time       // Data invio, Ora invio: when the platform accepted it; if the outcome is unknown, when it was tried; UTC
	ErrorCode ErrorCode       // Errore: why it is in Errore; "" in every other state. A list shows its Label
	Error     string          // Errore: the same for the operator, in Italian, with Answer; without personal data. A detail shows it
	EarlierID uuid.UUID       // for [CodeAlreadySent]: the notification with the same message; otherwise the zero UUID
	// Answer (risposta della piattaforma) is what the platform said when it refused the message,
	// with personal data masked. Error quotes it, too, so show it only in a column of its own. Zero if
	// it said nothing, or did not refuse.
	Answer flussi.Text
	// StoppedFlow: equal refusals, of which this was one, stopped the flow, and the notification
	// became Registrato again. If it is refused again, it becomes Errore, and does not count for
	// [DispatcherConfig].RefusalThreshold. False again once the message is accepted.
	StoppedFlow bool
}

// Delivery (stato della notifica) is what the platform last reported about a message. What it did
// not report is "".
type Delivery struct {
	Status    appio.MessageStatus // Stato Consegna
	Email     appio.ChannelStatus // Stato Mail
	Push      appio.ChannelStatus // Stato Push
	Read      appio.ReadStatus    // for ADVANCED messages only
	Payment   appio.PaymentStatus // for ADVANCED payment messages only
	CheckedAt time.Time           // when the platform last reported this; UTC; zero: never
}

// NotificationState (stato della notifica) is where a notification is in its life.
type NotificationState string

// The states of a notification, as the guide names them.
const (
	// NotificationRegistered (Registrato): to be sent. Entered when the notification is created,
	// when an operator sets it back after an error, or by NotificationRelease. Left by
	// NotificationClaim.
	NotificationRegistered NotificationState = "registered"
	// NotificationSending (In invio): a sender claimed it, and its message may be on the way.
	// Entered by NotificationClaim, before the request. Left when the outcome is known: by
	// NotificationAccept, NotificationFail, or NotificationRelease. If the sender dies, by
	// NotificationFail too: it is unknown whether the message left.
	NotificationSending NotificationState = "sending"
	// NotificationSent (Inviato): the platform accepted the message. Entered by NotificationAccept,
	// also when the answer comes after the outcome was made unknown, or by NotificationConfirm,
	// when an operator confirms it. Left only by NotificationReject, if the platform rejects the
	// message later on.
	NotificationSent NotificationState = "sent"
	// NotificationFailed (Errore): the message did not arrive, or that is unknown. Entered by
	// NotificationFail or NotificationReject, or by NotificationSkip instead of a claim, if the
	// citizen may have the message already. Left by an operator: by NotificationRegister after a
	// correction; by NotificationConfirm if the outcome is unknown; by NotificationResend if the
	// outcome is unknown or after NotificationSkip. Left by the system: by NotificationRelease if
	// its refusal stopped the flow, and by a late NotificationAccept.
	NotificationFailed NotificationState = "failed"
)

// NotificationAction is something that may happen to a notification.
type NotificationAction string

// The actions on a notification.
const (
	NotificationEdit     NotificationAction = "edit"     // Aggiorna: its data are corrected
	NotificationClaim    NotificationAction = "claim"    // by the system: it is about to be sent
	NotificationRelease  NotificationAction = "release"  // by the system: it was certainly not sent, or its refusal stopped the flow
	NotificationAccept   NotificationAction = "accept"   // by the system: the platform has it
	NotificationFail     NotificationAction = "fail"     // by the system: refused, or outcome unknown
	NotificationReject   NotificationAction = "reject"   // by the system: rejected after it was accepted
	NotificationSkip     NotificationAction = "skip"     // by the system: not sent, because the citizen may have the message already
	NotificationRegister NotificationAction = "register" // Registrato: to be sent again, after an error in which nothing arrived
	NotificationConfirm  NotificationAction = "confirm"  // outcome unknown: the operator knows it was sent
	NotificationResend   NotificationAction = "resend"   // outcome unknown, or already sent: sent again, perhaps twice, knowingly
	NotificationVerify   NotificationAction = "check"    // Verifica Stato: the platform is asked what became of it
	NotificationDisable  NotificationAction = "disable"  // Disabilita: set aside, and not sent
	NotificationEnable   NotificationAction = "enable"   // Riabilita

	// NotificationCreate and the following are no steps of the machine: only histories have them.
	NotificationCreate    NotificationAction = "create"    // Nuovo, or a row of an import: the first record
	NotificationAnonymise NotificationAction = "anonymise" // the personal data were erased: see [Store]

	// NotificationSend (Invia Messaggio) is a button, for [Service.NotificationActions]; in
	// histories and for the machine it is a claim by the operator.
	NotificationSend NotificationAction = "send"
)

// NotificationMachine returns the state machine of notifications. Only the system sends and
// stores outcomes. Only an operator sets a notification in Errore back to Registrato, so nothing is
// sent again without an order. The exception are notifications whose refusal stopped the flow: the
// system sets them back. The machine is built on first use.
func NotificationMachine() *fsm.Machine[NotificationState, NotificationAction] {
	return notificationMachine()
}

var notificationMachine = sync.OnceValue(func() *fsm.Machine[NotificationState, NotificationAction] {
	type states = []NotificationState
	operator, system := []flussi.Role{flussi.Operator}, []flussi.Role{flussi.System}
	return fsm.MustNew(fsm.Definition[NotificationState, NotificationAction]{
		Name:    "notification",
		Initial: NotificationRegistered,
		States: []fsm.State[NotificationState]{
			{Name: NotificationRegistered, Label: "Registrato"},
			{Name: NotificationSending, Label: "In invio"},
			{Name: NotificationSent, Label: "Inviato"},
			{Name: NotificationFailed, Label: "Errore"},
		},
		Transitions: []fsm.Transition[NotificationState, NotificationAction]{
			{Event: NotificationEdit, From: states{NotificationRegistered, NotificationFailed}, Stay: true, Label: "Aggiorna", Roles: operator},
			{Event: NotificationClaim, From: states{NotificationRegistered}, To: NotificationSending, Label: "Presa in carico", Roles: system},
			{Event: NotificationRelease, From: states{NotificationSending, NotificationFailed}, To: NotificationRegistered, Label: "Restituzione: non inviata", Roles: system},
			{Event: NotificationAccept, From: states{NotificationSending, NotificationFailed}, To: NotificationSent, Label: "Accettazione da parte di App IO", Roles: system},
			{Event: NotificationFail, From: states{NotificationSending}, To: NotificationFailed, Label: "Esito negativo o sconosciuto", Roles: system},
			{Event: NotificationSkip, From: states{NotificationRegistered}, To: NotificationFailed, Label: "Messaggio già inviato", Roles: system},
			{Event: NotificationReject, From: states{NotificationSent}, To: NotificationFailed, Label: "Rifiuto dopo l'invio", Roles: system},
			{Event: NotificationRegister, From: states{NotificationFailed}, To: NotificationRegistered, Label: "Riporta a Registrato", Roles: operator},
			{Event: NotificationConfirm, From: states{NotificationFailed}, To: NotificationSent, Label: "Conferma come inviata", Roles: operator},
			{Event: NotificationResend, From: states{NotificationFailed}, To: NotificationRegistered, Label: "Invia di nuovo, anche se forse già arrivata", Roles: operator},
			{Event: NotificationVerify, From: states{NotificationSent}, Stay: true, Label: "Verifica Stato", Roles: []flussi.Role{flussi.Operator, flussi.System}},
			{Event: NotificationDisable, From: states{NotificationRegistered, NotificationSent, NotificationFailed}, Stay: true, Label: "Disabilita", Roles: operator},
			{Event: NotificationEnable, From: states{NotificationRegistered, NotificationSent, NotificationFailed}, Stay: true, Label: "Riabilita", Roles: operator},
		},
	})
})

// Label returns the guide's name of the state; of an unknown state, its own text.
func (s NotificationState) Label() string { return NotificationMachine().Label(s) }

// Label returns the Italian name of the action; of an unknown action, its own text.
func (a NotificationAction) Label() string {
	switch a {
	case NotificationCreate:
		return "Nuovo"
	case NotificationAnonymise:
		return "Cancellazione dei dati personali"
	case NotificationSend:
		return "Invia Messaggio"
	}
	return NotificationMachine().EventLabel(a)
}

// NewNotification returns a notification to a citizen in its first state, created now by the actor,
// without a flow until it gets a FlowID. Nothing is stored, and the texts are yet to be filled in.
// The error is a [*flussi.ValueError] with [flussi.ErrEmpty] if the service, the recipient or the
// actor's ID is missing.
func NewNotification(service string, to flussi.FiscalCode, by flussi.Actor) (Notification, error) {
	if to.IsZero() {
		return Notification{}, fmt.Errorf("flow: new notification: %w", &flussi.ValueError{
			Type: "FiscalCode", Err: flussi.ErrEmpty, Reason: "Manca il codice fiscale del destinatario."})
	}
	id, now, err := newIdentity(service, by)
	if err != nil {
		return Notification{}, fmt.Errorf("flow: new notification: %w", err)
	}
	return Notification{
		ID: id, Service: service, State: NotificationMachine().Initial(), Draft: Draft{Recipient: to},
		CreatedAt: now, UpdatedAt: now, UpdatedBy: by.ID,
	}, nil
}

// Fire applies an action to the notification: on success its State is the new one, on
// a [*fsm.TransitionError] the notification is unchanged. It touches no other field.
//
// Besides the machine's table, Fire enforces the rules that keep a citizen from being notified
// twice:
//
//   - If the outcome of the message is unknown, NotificationRegister and NotificationEdit are
//     refused with [ErrMayHaveArrived]: an edit would hide who may have the message.
//     NotificationRelease is refused, too.
//   - If the outcome is known, NotificationConfirm and a late NotificationAccept are refused with
//     [ErrOutcomeKnown]; so is NotificationResend, except after [CodeAlreadySent].
//   - A Disabled notification is neither sent nor changed ([ErrDisabled]).
//   - An anonymised notification is not changed any more ([ErrAnonymised]).
//
// See [fsm.Machine.Fire] for guards and contexts.
func (n *Notification) Fire(ctx context.Context, action NotificationAction, by flussi.Actor, guards ...fsm.Guard[NotificationState, NotificationAction]) error {
	err := core.Fire(ctx, NotificationMachine(), &n.State, action, by, n.check, guards)
	return core.Offer(err, func() []NotificationAction { return n.Allowed(by.Roles...) })
}

// advance takes a step of the system, which has the role for it, as Fire does: the machine
// has no hooks, and senders take many steps.
func (n *Notification) advance(action NotificationAction) error {
	if err := n.check(action); err != nil {
		return err
	}
	to, err := NotificationMachine().Next(n.State, action)
	if err != nil {
		return err
	}
	n.State = to
	return nil
}

// check refuses what does not fit the notification's error code and flags.
func (n *Notification) check(action NotificationAction) error {
	switch action {
	case NotificationFail, NotificationReject:
		return nil // an outcome is a fact: no rule refuses it
	case NotificationRelease:
		return n.checkRelease()
	case NotificationAccept, NotificationConfirm, NotificationResend:
		code := n.Transmission.ErrorCode
		resendable := action == NotificationResend && code == CodeAlreadySent
		if n.State == NotificationFailed && code != CodeOutcomeUnknown && !resendable {
			return refuse(ErrOutcomeKnown,
				"L'esito dell'invio è noto, con l'errore «%s»: correggere la notifica se serve, riportarla a «Registrato» e inviarla di nuovo, da sola con «Invia Messaggio» o con il suo flusso con «Invia Flusso».", code.Label())
		}
		if action == NotificationAccept {
			return nil
		}
	case NotificationRegister, NotificationEdit:
		if n.State == NotificationFailed && n.Transmission.ErrorCode == CodeOutcomeUnknown {
			return refuse(ErrMayHaveArrived, "%s", CodeOutcomeUnknown.Italian())
		}
	}
	if !n.AnonymisedAt.IsZero() {
		return refuse(ErrAnonymised, "I dati personali della notifica sono stati cancellati: la notifica si può solo consultare.")
	}
	if action == NotificationVerify {
		return nil
	}
	return checkFlag(n.Disabled, string(action), italian.Notification)
}

// checkRelease refuses to set a notification in Errore back unless the platform refused its
// message.
func (n *Notification) checkRelease() error {
	switch code := n.Transmission.ErrorCode; {
	case n.State != NotificationFailed, code == CodeRefused, code == CodeNotPermitted:
		return nil
	case code == CodeOutcomeUnknown:
		return refuse(ErrMayHaveArrived, "%s", code.Italian())
	}
	return refuse(flussi.ErrState, "La notifica non è stata rifiutata da App IO.")
}

// Allowed returns what an actor with the roles may do with the notification now, in the order of
// the table; nothing without a role.
func (n *Notification) Allowed(roles ...flussi.Role) []NotificationAction {
	return core.Allowed(NotificationMachine(), n.State, n.check, roles)
}

// LogValue returns what may be logged of a notification: no personal data.
func (n Notification) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", n.ID.String()),
		slog.String("flow", n.FlowID.String()),
		slog.String("service", n.Service),
		slog.String("state", string(n.State)),
		slog.String("error", string(n.Transmission.ErrorCode)),
		slog.Bool("disabled", n.Disabled),
		slog.Int64("version", n.Version),
	)
}
