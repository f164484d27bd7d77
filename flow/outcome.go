package flow

import (
	"errors"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// outcome (esito) is what came of sending a notification.
type outcome struct {
	action    NotificationAction // Accept, Fail, or Release if the message was certainly not sent
	messageID appio.MessageID    // of an accepted message
	attempts  int                // requests
	code      ErrorCode          // of a failed one
	text      string             // of a failed one, if it says more than the code
	err       error              // what the Sender returned
	signal    signal
}

// signal is what an outcome says about the service and the platform.
type signal int

const (
	indecisive     signal = iota // nothing
	decisive                     // the platform took or refused the message: both work
	platformFailed               // it did not take the message, or did not answer
	payeeForbidden               // the service is not enabled, or only may not name this payee
	serviceFailed                // the service cannot send at all
)

// outcomeOf returns the outcome of a submission.
func outcomeOf(n Notification, receipt appio.Receipt, err error) outcome {
	if err == nil {
		return outcome{
			action: NotificationAccept, messageID: receipt.ID, attempts: receipt.Attempts, signal: decisive,
		}
	}
	o := outcome{err: err, attempts: attempts(err)}
	var invalid *flussi.InvalidError
	switch flussi.OutcomeOf(err) {
	case flussi.OutcomeNotDone:
		o.action, o.signal = NotificationRelease, platformFailed
	case flussi.OutcomeRefused:
		switch {
		case errors.As(err, &invalid):
			o.action, o.code = NotificationFail, CodeInvalid
			o.text = CodeInvalid.Italian() + " " + invalid.Italian()
		case errors.Is(err, flussi.ErrRemoteForbidden) && !n.Payee.IsZero():
			o.action, o.signal = NotificationRelease, payeeForbidden
		case errors.Is(err, flussi.ErrRemoteInvalid):
			o.action, o.code, o.signal = NotificationFail, CodeRefused, decisive
		default:
			o.action, o.signal = NotificationRelease, serviceFailed
		}
	default:
		o.action, o.code, o.signal = NotificationFail, CodeOutcomeUnknown, platformFailed
	}
	return o
}

// attempts returns how many requests an error of a client took.
func attempts(err error) int {
	var e *flussi.RemoteError
	if errors.As(err, &e) {
		return e.Attempts
	}
	return 0
}

// change returns the notification with the outcome, in the name of its sender.
func (o outcome) change(n Notification, by string) (NotificationChange, error) {
	from := n.State
	if err := n.advance(o.action); err != nil {
		return NotificationChange{}, err
	}
	n.Transmission.Attempts += o.attempts
	// Any other outcome uses up the operator's order.
	n.AllowDuplicate = n.AllowDuplicate && o.action == NotificationRelease
	reason := ""
	switch o.action {
	case NotificationAccept:
		n.Transmission.MessageID = o.messageID
		n.Transmission.ErrorCode, n.Transmission.Error = "", ""
		n.Delivery = Delivery{}
	case NotificationFail:
		n.Transmission.ErrorCode, n.Transmission.Error = o.code, o.text
		if o.text == "" {
			n.Transmission.Error = o.code.Italian()
		}
		reason = n.Transmission.Error
	case NotificationRelease:
		if o.err != nil {
			reason = (&flussi.Error{Package: "flow", Err: o.err}).Italian()
		}
	}
	change := n.change(o.action, from, by, reason)
	if o.action == NotificationAccept || o.action == NotificationFail && o.code == CodeOutcomeUnknown {
		change.Notification.Transmission.SentAt = change.Record.At
	}
	return change, nil
}
