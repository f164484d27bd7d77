package flow

import (
	"errors"
	"net/http"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/pace"
)

// outcome (esito) is the result of sending a notification.
type outcome struct {
	action    NotificationAction // Accept, Fail, or Release if the message was certainly not sent
	messageID appio.MessageID    // of an accepted message
	attempts  int                // requests
	code      ErrorCode          // of a failed one
	text      string             // of a failed one, if it says more than the code
	answer    flussi.Text        // what the platform said about a refusal
	err       error              // what the Sender returned
	waitUntil time.Time          // until when the platform asked to wait; zero if it did not
	refusal   refusal            // of a refusedMessage
	signal    signal
}

// signal is what an outcome says about the service and the platform.
type signal int

const (
	indecisive     signal = iota // nothing
	accepted                     // the platform took the message: both work
	refusedMessage               // the platform works; it refused the message, or the service
	platformFailed               // it did not take the message, or did not answer
	serviceFailed                // the service cannot send at all
)

// outcomeOf returns the outcome of a submission.
func outcomeOf(n Notification, receipt appio.Receipt, err error) outcome {
	if err == nil {
		return outcome{
			action: NotificationAccept, messageID: receipt.ID, attempts: receipt.Attempts, signal: accepted,
		}
	}
	switch flussi.OutcomeOf(err) {
	case flussi.OutcomeNotDone, flussi.OutcomeRefused:
		return notSent(n, err)
	}
	return outcome{
		action: NotificationFail, code: CodeOutcomeUnknown,
		err: err, attempts: attempts(err), signal: platformFailed,
	}
}

// notSent returns the outcome of a message that was certainly not sent, by the error of submitting
// it, or of asking for the citizen's profile before.
func notSent(n Notification, err error) outcome {
	o := outcome{action: NotificationRelease, err: err, attempts: attempts(err), signal: platformFailed}
	if errors.Is(err, pace.ErrTooLate) { // the first half of the lease ended before the call began
		o.err, o.signal = nil, indecisive
		return o
	}
	var invalid *flussi.InvalidError
	if errors.As(err, &invalid) { // no call was made
		o.action, o.code, o.signal = NotificationFail, CodeInvalid, indecisive
		o.text = CodeInvalid.Italian() + " " + invalid.Italian()
		return o
	}
	var e *flussi.RemoteError
	if !errors.As(err, &e) {
		return o
	}
	switch {
	case refusesService(err) && !isUnexplained(e):
		o.signal, o.answer = serviceFailed, e.Answer
	case isRefusal(e):
		o.action, o.code, o.signal, o.answer = NotificationFail, refusalCode(e), refusedMessage, e.Answer
		o.text, o.refusal = refusalText(o.code, e), refusalOf(n, e)
	case errors.Is(err, flussi.ErrStoreUnavailable): // the pace got no turn, which says nothing about the platform
		o.signal = indecisive
	default:
		o.waitUntil = waitUntil(e)
	}
	return o
}

// refusesService reports whether the cause of a refusal is the service, not the message: the
// platform does not accept the key, or its gateway refused the call before the platform read the
// message.
func refusesService(err error) bool {
	if errors.Is(err, flussi.ErrUnauthorized) {
		return true
	}
	var e *flussi.RemoteError
	return errors.As(err, &e) && !e.FromService &&
		(e.Kind == flussi.ErrRemoteForbidden || e.Kind == flussi.ErrRemoteNotFound)
}

// isUnexplained reports whether a reply is a 403 without an explanation. A firewall in front of the
// platform may have refused the content of the message, so the refusal counts as the message's,
// unless several are equal.
func isUnexplained(e *flussi.RemoteError) bool {
	return e.Status == http.StatusForbidden && e.Problem == nil
}

// isRefusal reports whether the platform refused the call, and will refuse it again unless
// something changes.
func isRefusal(e *flussi.RemoteError) bool {
	switch e.Kind {
	case flussi.ErrRemoteInvalid, flussi.ErrRemoteForbidden, flussi.ErrRemoteNotFound, flussi.ErrRemoteState:
		return true
	}
	return e.Outcome == flussi.OutcomeRefused
}

// refusalCode returns the code of a refused message: [CodeRefused] if its data are at fault.
func refusalCode(e *flussi.RemoteError) ErrorCode {
	if e.Kind == flussi.ErrRemoteInvalid && e.Status != http.StatusUnprocessableEntity {
		return CodeRefused
	}
	return CodeNotPermitted
}

// refusalText says in Italian why a message was refused, with the text of the client, and how to
// send it again.
func refusalText(code ErrorCode, e *flussi.RemoteError) string {
	if e.Reason != "" {
		return e.Reason + " Il messaggio non è arrivato: per inviarlo di nuovo, " + sendAgain + "."
	}
	return code.Italian()
}

// longWait is the shortest wait for which operators read until when the platform asks to wait. It
// is the default of [appio.Config].MaxWait.
const longWait = time.Minute

// waitUntil returns until when the platform asked to wait because it received too many calls; zero
// if it did not.
func waitUntil(e *flussi.RemoteError) time.Time {
	if e.Kind != flussi.ErrRateLimited || e.RetryAfter <= 0 {
		return time.Time{}
	}
	if e.RetryAt.IsZero() {
		return time.Now().Add(e.RetryAfter)
	}
	return e.RetryAt
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
	t := &n.Transmission
	t.Attempts += o.attempts
	// Any other outcome uses up the operator's order.
	n.AllowDuplicate = n.AllowDuplicate && o.action == NotificationRelease
	switch o.action {
	case NotificationAccept:
		t.MessageID, t.StoppedFlow = o.messageID, false
		t.ErrorCode, t.Error, t.Answer = "", "", flussi.Text{}
		n.Delivery = Delivery{}
	case NotificationFail:
		t.ErrorCode, t.Error, t.Answer = o.code, o.explanation(), o.answer
	}
	change := n.change(o.action, from, by, o.reason())
	change.Record.Answer = o.answer
	if o.action == NotificationAccept || o.action == NotificationFail && o.code == CodeOutcomeUnknown {
		change.Notification.Transmission.SentAt = change.Record.At
	}
	return change, nil
}

// explanation is reason, with what the platform said.
func (o outcome) explanation() string { return withAnswer(o.reason(), o.answer) }

// reason says in Italian why the message was not sent, or why the outcome is unknown, without what
// the platform said. It is "" if the message was sent, or if sending was not begun.
func (o outcome) reason() string {
	switch {
	case o.text != "":
		return o.text
	case o.action == NotificationFail:
		return o.code.Italian()
	case o.err == nil:
		return ""
	case time.Until(o.waitUntil) >= longWait:
		return waitText(o.waitUntil) + ": riprovare dopo quel momento."
	}
	return causeOf(o.err)
}
