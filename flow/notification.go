package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/fsm"
)

// Notification (notifica) is one message to one citizen. It is plain data, not safe
// for concurrent use. Its personal data mask themselves when it is printed, and are
// left out when it is logged; JSON carries it whole.
type Notification struct {
	ID              uuid.UUID               // UUID, version 7
	FlowID          uuid.UUID               // the flow it belongs to; the zero UUID if it stands alone
	Service         string                  // Servizio: the App IO service that sends
	State           NotificationState       // Stato
	Recipient       flussi.FiscalCode       // Codice Fiscale Destinatario
	ErrorCode       ErrorCode               // Errore: why it is in Errore; "" in every other state
	Subject         flussi.Text             // Oggetto
	Content         flussi.Text             // Contenuto, in Markdown
	DueDate         time.Time               // Scadenza; the zero time if there is none
	Amount          flussi.Cents            // Somma; 0 if it is no payment
	IsPayment       bool                    // Notifica Pagamento
	PayableAfterDue bool                    // Paga dopo la scadenza
	NoticeNumber    flussi.NoticeNumber     // codice avviso; zero if it is no payment
	Payee           flussi.OrganizationCode // Ente creditore; zero: the service's own body
	Reference       string                  // Riferimento: the caller's own key, without personal data
	Disabled        bool                    // Dis.: set aside by an operator, whatever its state
	CreatedAt       time.Time               // UTC
	UpdatedAt       time.Time               // Data mod.; UTC
	UpdatedBy       string                  // Utente mod.: the ID of the last actor
	Version         int64                   // counts the stored changes, for optimistic locking; 0: not stored yet
}

// NotificationState (stato della notifica) is where a notification is in its life.
type NotificationState string

// The states of a notification, as the guide names them.
const (
	// NotificationRegistered (Registrato): to be sent. Entered when the notification is
	// created, set back by an operator after an error, or given back by a sender that
	// surely did not send it. Left by NotificationClaim.
	NotificationRegistered NotificationState = "registered"
	// NotificationSending (In invio): a sender claimed it, and its message may be on
	// the way. Entered by NotificationClaim, before the request. Left when the outcome
	// is known: by NotificationAccept, NotificationFail, or NotificationRelease. If the
	// sender dies, by NotificationFail too: nobody knows whether the message left.
	NotificationSending NotificationState = "sending"
	// NotificationSent (Inviato): the platform accepted the message. Entered by
	// NotificationAccept, or by NotificationConfirm on an operator's word. Left only by
	// NotificationReject, if the platform rejects the message later on.
	NotificationSent NotificationState = "sent"
	// NotificationFailed (Errore): the message did not arrive, or nobody knows. Entered
	// by NotificationFail or NotificationReject. Left by an operator only: by
	// NotificationRegister after a correction, and where the outcome is unknown by
	// NotificationConfirm or NotificationResend.
	NotificationFailed NotificationState = "failed"
)

// NotificationAction is something that may happen to a notification.
type NotificationAction string

// The actions on a notification.
const (
	NotificationEdit     NotificationAction = "edit"     // Aggiorna: its data are corrected
	NotificationClaim    NotificationAction = "claim"    // by the system: it is about to be sent
	NotificationRelease  NotificationAction = "release"  // by the system: it surely was not sent
	NotificationAccept   NotificationAction = "accept"   // by the system: the platform has it
	NotificationFail     NotificationAction = "fail"     // by the system: refused, or outcome unknown
	NotificationReject   NotificationAction = "reject"   // by the system: rejected after it was accepted
	NotificationRegister NotificationAction = "register" // Registrato: to be sent again, after an error in which nothing arrived
	NotificationConfirm  NotificationAction = "confirm"  // outcome unknown: the operator knows it was sent
	NotificationResend   NotificationAction = "resend"   // outcome unknown: sent again, perhaps twice, knowingly
)

// NotificationMachine returns the table of what may happen to a notification. The
// system alone sends and learns outcomes; an operator alone leads out of an error,
// so nothing is ever sent again by itself. It is made on first use.
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
			{Event: NotificationEdit, From: states{NotificationRegistered}, To: NotificationRegistered, Label: "Aggiorna", Roles: operator},
			{Event: NotificationClaim, From: states{NotificationRegistered}, To: NotificationSending, Label: "Prendi in carico", Roles: system},
			{Event: NotificationRelease, From: states{NotificationSending}, To: NotificationRegistered, Label: "Restituisci: non inviata", Roles: system},
			{Event: NotificationAccept, From: states{NotificationSending}, To: NotificationSent, Label: "Accettata dalla piattaforma", Roles: system},
			{Event: NotificationFail, From: states{NotificationSending}, To: NotificationFailed, Label: "Esito negativo o ignoto", Roles: system},
			{Event: NotificationReject, From: states{NotificationSent}, To: NotificationFailed, Label: "Rifiutata in seguito", Roles: system},
			{Event: NotificationEdit, From: states{NotificationFailed}, To: NotificationFailed, Label: "Aggiorna", Roles: operator},
			{Event: NotificationRegister, From: states{NotificationFailed}, To: NotificationRegistered, Label: "Riporta a Registrato", Roles: operator},
			{Event: NotificationConfirm, From: states{NotificationFailed}, To: NotificationSent, Label: "Conferma come inviata", Roles: operator},
			{Event: NotificationResend, From: states{NotificationFailed}, To: NotificationRegistered, Label: "Invia di nuovo, anche se forse già arrivata", Roles: operator},
		},
	})
})

// Label returns the guide's name of the state; of an unknown state, its own text.
func (s NotificationState) Label() string { return NotificationMachine().Label(s) }

// Label returns the Italian name of the action; of an unknown action, its own text.
func (a NotificationAction) Label() string { return NotificationMachine().EventLabel(a) }

// NewNotification returns a notification to a citizen in its first state, created
// now by the actor, that stands alone until it gets a FlowID. Nothing is stored, and
// the texts are yet to be filled in. The error is a [*flussi.ValueError] with
// [flussi.ErrEmpty] if the service, the recipient or the actor's ID is missing.
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
		ID: id, Service: service, State: NotificationMachine().Initial(), Recipient: to,
		CreatedAt: now, UpdatedAt: now, UpdatedBy: by.ID,
	}, nil
}

// Fire applies an action to the notification: on success its State is the new one, on
// a [*fsm.TransitionError] the notification is unchanged. It touches no other field.
//
// Besides the table it holds the rule that keeps a citizen from being notified twice:
// while the ErrorCode is [ErrorOutcomeUnknown], NotificationRegister is refused with
// [ErrOutcomeUnknown]; otherwise NotificationConfirm and NotificationResend are, with
// [ErrOutcomeKnown]. That the notification is not disabled is up to the caller's
// guards. See [fsm.Machine.Fire] for guards and contexts.
func (n *Notification) Fire(ctx context.Context, action NotificationAction, by flussi.Actor, guards ...fsm.Guard[NotificationState, NotificationAction]) error {
	outcome := func(context.Context, fsm.Step[NotificationState, NotificationAction]) error {
		return n.checkOutcome(action)
	}
	to, err := NotificationMachine().Fire(ctx, n.State, action, by, append([]fsm.Guard[NotificationState, NotificationAction]{outcome}, guards...)...)
	if err != nil {
		return err
	}
	n.State = to
	return nil
}

// Why a way out of an error is refused. Both come inside a [*flussi.ValueError].
var (
	ErrOutcomeUnknown = errors.New("the message may have arrived")        // so it is not simply sent again
	ErrOutcomeKnown   = errors.New("the outcome of the message is known") // so there is nothing to decide
)

// checkOutcome refuses the ways out of an error that do not fit its code.
func (n *Notification) checkOutcome(action NotificationAction) error {
	unknown := n.ErrorCode == ErrorOutcomeUnknown
	switch {
	case action == NotificationRegister && unknown:
		return &flussi.ValueError{Type: "Notification", Err: ErrOutcomeUnknown, Reason: ErrorOutcomeUnknown.Italian()}
	case (action == NotificationConfirm || action == NotificationResend) && !unknown:
		return &flussi.ValueError{Type: "Notification", Err: ErrOutcomeKnown, Reason: "L'esito dell'invio è noto."}
	}
	return nil
}

// Allowed returns what somebody who holds the roles may do with the notification
// now, in the order of the table; nothing for somebody without a role.
func (n *Notification) Allowed(roles ...flussi.Role) []NotificationAction {
	return slices.DeleteFunc(NotificationMachine().Allowed(n.State, roles...), func(action NotificationAction) bool {
		return n.checkOutcome(action) != nil
	})
}

// LogValue returns what may be logged of a notification: no personal data.
func (n Notification) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", n.ID.String()),
		slog.String("flow", n.FlowID.String()),
		slog.String("service", n.Service),
		slog.String("state", string(n.State)),
		slog.String("error", string(n.ErrorCode)),
		slog.Bool("disabled", n.Disabled),
		slog.Int64("version", n.Version),
	)
}
