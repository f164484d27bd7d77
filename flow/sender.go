package flow

import (
	"context"
	"errors"
	"fmt"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// sender sends claimed notifications, one at a time, and says what that means for them.
type sender struct {
	messengers    Messengers
	checkProfiles bool
}

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

// messenger returns the messenger of a service.
func (s sender) messenger(ctx context.Context, service string) (Messenger, error) {
	m, err := s.messengers(ctx, service)
	if client, ok := m.(*appio.Client); err == nil && (m == nil || ok && client == nil) {
		err = errors.New("no messenger")
	}
	if err != nil && explained(err) == "" && ctx.Err() == nil {
		err = &Error{Operation: "find messenger", Err: err,
			Reason: "Il servizio non può inviare messaggi: verificare la sua configurazione."}
	}
	return m, err
}

// submit sends a notification.
func (s sender) submit(ctx context.Context, m Messenger, n Notification, known *profiles) outcome {
	if s.checkProfiles {
		if o, unreachable := reach(ctx, m, n, known); unreachable {
			return o
		}
	}
	receipt, err := m.Submit(ctx, n.Message())
	return judge(n, receipt, err)
}

// judge reads what the messenger returned for a submission.
func judge(n Notification, receipt appio.Receipt, err error) outcome {
	o := outcome{err: err, attempts: attempts(err)}
	var invalid *appio.InvalidError
	switch appio.OutcomeOf(err) {
	case appio.Accepted:
		o.action, o.receipt, o.attempts, o.answered = NotificationAccept, receipt, receipt.Attempts, true
	case appio.NotSent:
		o.action, o.shaky = NotificationRelease, true
	case appio.Refused:
		switch {
		case errors.As(err, &invalid):
			o.action, o.code, o.text = NotificationFail, ErrorInvalid, ErrorInvalid.Italian()+" "+invalid.Italian()
		case errors.Is(err, appio.ErrForbidden) && !n.Payee.IsZero():
			// The service is not enabled, or only may not name this payee: others will tell.
			o.action, o.shaky, o.payee = NotificationRelease, true, true
		case errors.Is(err, appio.ErrInvalid):
			o.action, o.code, o.answered = NotificationFail, ErrorRefused, true
		default:
			o.action, o.stops = NotificationRelease, true
		}
	default:
		o.action, o.code, o.shaky = NotificationFail, ErrorOutcomeUnknown, true
	}
	return o
}

// reach asks whether a citizen takes messages of the service.
func reach(ctx context.Context, m Messenger, n Notification, known *profiles) (outcome, bool) {
	takes, asked := known.get(n.Recipient)
	if !asked {
		profile, err := m.Profile(ctx, n.Recipient)
		switch {
		case err == nil:
			takes = profile.SenderAllowed
		case errors.Is(err, appio.ErrNotFound):
			takes = false
		case errors.Is(err, appio.ErrInvalid):
			return outcome{action: NotificationFail, code: ErrorRefused, err: err, attempts: attempts(err), answered: true}, true
		default:
			// Nothing was sent, whatever happened.
			o := outcome{action: NotificationRelease, err: err}
			o.stops = errors.Is(err, appio.ErrUnauthorized) || errors.Is(err, appio.ErrForbidden)
			o.shaky = !o.stops
			return o, true
		}
		known.put(n.Recipient, takes)
	}
	return outcome{action: NotificationFail, code: ErrorUnreachable}, !takes
}

// attempts returns how many requests an error of a client took.
func attempts(err error) int {
	var e *appio.Error
	if errors.As(err, &e) {
		return e.Attempts
	}
	return 0
}

// apply writes the outcome into a notification, in the name of whoever sent it.
func (o outcome) apply(ctx context.Context, n Notification, by string) (NotificationChange, error) {
	from := n.State
	if err := n.Fire(ctx, o.action, asSystem(by)); err != nil {
		return NotificationChange{}, err
	}
	n.Transmission.Attempts += o.attempts
	reason := ""
	switch o.action {
	case NotificationAccept:
		n.Transmission.MessageID, n.Transmission.SentAt = o.receipt.ID, now()
		n.Transmission.ErrorCode, n.Transmission.Error = "", ""
		n.Delivery = Delivery{}
	case NotificationFail:
		n.Transmission.ErrorCode, n.Transmission.Error = o.code, o.text
		if o.text == "" {
			n.Transmission.Error = o.code.Italian()
		}
		if o.code == ErrorOutcomeUnknown {
			n.Transmission.SentAt = now()
		}
		reason = n.Transmission.Error
	case NotificationRelease:
		if o.err != nil {
			reason = (&Error{Err: o.err}).Italian()
		}
	}
	return n.change(o.action, from, by, reason), nil
}

// neverReported is the outcome of a notification whose sender is not heard of any more.
func neverReported() outcome {
	return outcome{action: NotificationFail, code: ErrorOutcomeUnknown}
}

// why says in Italian why a service cannot send.
func why(err error) string {
	return "Invio fermato. " + (&Error{Err: err}).Italian()
}

// explained is the explanation of an error that has one.
func explained(err error) string {
	var e flussi.Explainer
	if !errors.As(err, &e) {
		return ""
	}
	return flussi.Explain(err)
}

// whyDown says in Italian why the platform counts as down.
func whyDown(inRow int, last outcome) string {
	if last.code == ErrorOutcomeUnknown {
		return fmt.Sprintf("Invio fermato dopo %s senza una risposta certa della piattaforma. Riprendere l'invio quando App IO funziona di nuovo.",
			counted(inRow, "invio", "invii consecutivi"))
	}
	text := explained(last.err)
	if text == "" {
		text = "App IO non è raggiungibile o non funziona: riprovare più tardi."
	}
	return fmt.Sprintf("Invio fermato dopo %s. %s", counted(inRow, "invio non riuscito", "invii consecutivi non riusciti"), text)
}
