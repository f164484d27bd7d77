package flow

import (
	"context"
	"errors"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
)

// sender sends claimed notifications, one at a time, and says what that means for them.
type sender struct {
	messengers    SenderFor
	checkProfiles bool
}

// messenger returns the messenger of a service.
func (s sender) messenger(ctx context.Context, service string) (Sender, error) {
	m, err := s.messengers(ctx, service)
	if client, ok := m.(*appio.Client); err == nil && (m == nil || ok && client == nil) {
		err = errors.New("no messenger")
	}
	if err != nil && explained(err) == "" && ctx.Err() == nil {
		err = &flussi.Error{Package: "flow", Operation: "find messenger", Err: err,
			Reason: "Il servizio non può inviare messaggi: verificare la configurazione del servizio."}
	}
	return m, err
}

// submit sends a notification.
func (s sender) submit(ctx context.Context, m Sender, n Notification, known *profiles) outcome {
	if s.checkProfiles {
		if o, unreachable := reach(ctx, m, n, known); unreachable {
			return o
		}
	}
	receipt, err := m.Submit(ctx, n.Message())
	return judge(n, receipt, err)
}

// reach asks whether a citizen takes messages of the service.
func reach(ctx context.Context, m Sender, n Notification, known *profiles) (outcome, bool) {
	takes, asked := known.get(n.Recipient)
	if !asked {
		profile, err := m.Profile(ctx, n.Recipient)
		switch {
		case err == nil:
			takes = profile.SenderAllowed
		case errors.Is(err, flussi.ErrRemoteNotFound):
			takes = false
		case errors.Is(err, flussi.ErrInvalid):
			return outcome{action: NotificationFail, code: CodeRefused, err: err, attempts: attempts(err), answered: true}, true
		default:
			// Nothing was sent, whatever happened.
			o := outcome{action: NotificationRelease, err: err}
			o.stops = errors.Is(err, flussi.ErrUnauthorized) || errors.Is(err, flussi.ErrRemoteForbidden)
			o.shaky = !o.stops
			return o, true
		}
		known.put(n.Recipient, takes)
	}
	return outcome{action: NotificationFail, code: CodeUnreachable}, !takes
}
