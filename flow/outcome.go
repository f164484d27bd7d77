package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// outcome (esito) is what came of sending a notification.
type outcome struct {
	action   NotificationAction // Accept, Fail, or Release if the message surely was not sent
	receipt  appio.Receipt      // of an accepted message
	attempts int                // requests
	code     ErrorCode          // of a failed one
	text     string             // of a failed one, if it says more than the code
	err      error              // what the messenger returned
	stops    bool               // the service cannot send to anybody
	shaky    bool               // the platform did not do its work: after several in a row, it is down
	answered bool               // the platform took or refused the message: it works
	payee    bool               // not permitted, perhaps because of the payee only
}

// judge reads what the messenger returned for a submission.
func judge(n Notification, receipt appio.Receipt, err error) outcome {
	o := outcome{err: err, attempts: attempts(err)}
	if err == nil {
		o.action, o.receipt, o.attempts, o.answered = NotificationAccept, receipt, receipt.Attempts, true
		return o
	}
	var invalid *flussi.InvalidError
	switch flussi.OutcomeOf(err) {
	case flussi.OutcomeNotDone:
		o.action, o.shaky = NotificationRelease, true
	case flussi.OutcomeRefused:
		switch {
		case errors.As(err, &invalid):
			o.action, o.code, o.text = NotificationFail, CodeInvalid, CodeInvalid.Italian()+" "+invalid.Italian()
		case errors.Is(err, flussi.ErrRemoteForbidden) && !n.Payee.IsZero():
			// The service is not enabled, or only may not name this payee: others will tell.
			o.action, o.shaky, o.payee = NotificationRelease, true, true
		case errors.Is(err, flussi.ErrRemoteInvalid):
			o.action, o.code, o.answered = NotificationFail, CodeRefused, true
		default:
			o.action, o.stops = NotificationRelease, true
		}
	default:
		o.action, o.code, o.shaky = NotificationFail, CodeOutcomeUnknown, true
	}
	return o
}

// attempts returns how many requests an error of a client took.
func attempts(err error) int {
	if err == nil {
		return 0 // as usual, and quick
	}
	var e *flussi.RemoteError
	if errors.As(err, &e) {
		return e.Attempts
	}
	return 0
}

// apply writes the outcome into a notification, in the name of whoever sent it.
func (o outcome) apply(n Notification, by string) (NotificationChange, error) {
	from := n.State
	if err := n.advance(o.action); err != nil {
		return NotificationChange{}, err
	}
	n.Transmission.Attempts += o.attempts
	n.AllowDuplicate = n.AllowDuplicate && o.action == NotificationRelease // any other outcome uses up the operator's order
	reason := ""
	switch o.action {
	case NotificationAccept:
		n.Transmission.MessageID = o.receipt.ID
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

// neverReported is the outcome of a notification whose sender is not heard of any more.
func neverReported() outcome {
	return outcome{action: NotificationFail, code: CodeOutcomeUnknown}
}

// errOvertaken: the notification went on without its sender, whose outcome comes too late.
var errOvertaken = errors.New("overtaken")

// settle stores an outcome once, with the notification's flow. If the lease was over and
// somebody made the outcome unknown, what the sender knows still counts.
func settle(ctx context.Context, store Store, by string, n Notification, o outcome) (Notification, error) {
	var f *Flow
	if n.FlowID != uuid.Nil {
		read, err := store.Flow(ctx, n.FlowID)
		if err != nil {
			return n, err
		}
		f = &read
	}
	change, err := o.apply(n, by)
	if err != nil {
		return n, err
	}
	stored, err := together(ctx, store, by, f, n, change)
	if err == nil {
		return stored, nil
	}
	if !errors.Is(err, flussi.ErrConflict) {
		return n, err
	}
	return overtaken(ctx, store, by, n, change, o)
}

// overtaken looks at a notification whose outcome met a conflict. It is an ErrConflict if the
// notification itself is as it was: then it is tried once more.
func overtaken(ctx context.Context, store Store, by string, n Notification, wanted NotificationChange, o outcome) (Notification, error) {
	current, err := store.Notification(ctx, n.ID)
	if err != nil {
		return n, err
	}
	is, want := current, wanted.Notification
	switch {
	case current.Version == n.Version:
		return n, flussi.ErrConflict
	case is.State == want.State && is.Transmission.MessageID == want.Transmission.MessageID && is.Transmission.ErrorCode == want.Transmission.ErrorCode:
		return current, nil // it was stored, though the store said otherwise
	case o.action == NotificationAccept && is.State == NotificationFailed && is.Transmission.ErrorCode == CodeOutcomeUnknown:
		return settle(ctx, store, by, current, o)
	case o.action == NotificationAccept && is.State == NotificationSent && is.Transmission.MessageID == "":
		// An operator confirmed it in the meantime; the ID is worth having.
		is.Transmission.MessageID = want.Transmission.MessageID
		return is, store.SaveNotifications(ctx, is.change(NotificationVerify, is.State, by, "«ID Consegna App.IO» arrivato in ritardo."))
	}
	return current, fmt.Errorf("%w: it is %s", errOvertaken, current.State)
}
