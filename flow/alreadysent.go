package flow

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Two notifications of a service never send the same message to the same citizen. The store
// enforces this in the transaction that makes a notification In invio: see [Store].

// MayHaveArrived reports whether the citizen may have the message of the notification: it is In
// invio, Inviato, or in Errore with an unknown outcome. It is false for an anonymised
// notification, whose message is erased. It needs State, AnonymisedAt and Transmission.ErrorCode.
func (n Notification) MayHaveArrived() bool {
	if !n.AnonymisedAt.IsZero() {
		return false
	}
	switch n.State {
	case NotificationSending, NotificationSent:
		return true
	case NotificationFailed:
		return n.Transmission.ErrorCode == CodeOutcomeUnknown
	}
	return false
}

// IsPending reports whether the notification waits to be sent: it is Registrato and not disabled,
// and its flow, if it has one, is not disabled. It needs State and Disabled.
func (n Notification) IsPending(flowDisabled bool) bool {
	return n.State == NotificationRegistered && !n.Disabled && !flowDisabled
}

// SkipAlreadySent returns the change that a store makes instead of a claim: the notification
// becomes Errore with [CodeAlreadySent], and its Transmission names the earlier notification. Its
// State, UpdatedAt and UpdatedBy are set, and the Record but for its Version; the notification's
// Version is the one it was read with. Of the earlier one, the ID, State, Transmission, CreatedAt
// and UpdatedAt are used.
func (n Notification) SkipAlreadySent(earlier Notification, at time.Time, by string) NotificationChange {
	from := n.State
	n.State = NotificationFailed
	n.AllowDuplicate = false
	n.Transmission.ErrorCode, n.Transmission.EarlierID = CodeAlreadySent, earlier.ID
	n.Transmission.Error = fmt.Sprintf("Non inviata: lo stesso messaggio per lo stesso cittadino è nella notifica %s. %s",
		described(earlier), alreadySentAdvice)
	change := n.change(NotificationSkip, from, by, n.Transmission.Error)
	change.Notification.UpdatedAt, change.Record.At = at, at
	return change
}

const alreadySentAdvice = "Se il messaggio non serve più, disabilitare la notifica; se è un nuovo invio, indicare un'occasione diversa; altrimenti inviarla di nuovo, sapendo che il cittadino potrebbe riceverla due volte."

// described returns the ID, date and state of an earlier notification, in Italian.
func described(earlier Notification) string {
	return fmt.Sprintf("%s del %s, nello stato «%s»", earlier.ID, day(sentOn(earlier)), earlier.State.Label())
}

// sentOn returns when a notification was sent; if it was not, when it was claimed or created.
func sentOn(n Notification) time.Time {
	switch {
	case !n.Transmission.SentAt.IsZero():
		return n.Transmission.SentAt
	case n.State == NotificationSending:
		return n.UpdatedAt
	}
	return n.CreatedAt
}

// day formats a date in Italian time.
func day(t time.Time) string { return t.In(italy()).Format("02/01/2006") }

// AlreadySentError is the error of a store that refuses to make a notification In invio, because
// the citizen may have the same message from an earlier one of the service. It wraps
// [flussi.ErrDuplicate].
type AlreadySentError struct {
	NotificationID uuid.UUID    // the refused one
	Earlier        Notification // at least its ID, State, CreatedAt, UpdatedAt and Transmission are set
}

// Error describes the refusal for programs and logs.
func (e *AlreadySentError) Error() string {
	return fmt.Sprintf("notification %s: already sent by %s", e.NotificationID, e.Earlier.ID)
}

// Unwrap returns [flussi.ErrDuplicate].
func (e *AlreadySentError) Unwrap() error { return flussi.ErrDuplicate }

// Italian describes the refusal for the operator.
func (e *AlreadySentError) Italian() string {
	return fmt.Sprintf("La notifica non è stata inviata: lo stesso messaggio per lo stesso cittadino è nella notifica %s. %s",
		described(e.Earlier), alreadySentAdvice)
}
