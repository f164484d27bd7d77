package flow

import (
	"context"
	"errors"
	"time"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/internal/pace"
)

// PacedSender is an optional interface of a [Sender] whose calls wait for their turns, as those of an
// [*appio.Client] wait for its Pace. With it, a [Dispatcher] claims no more notifications than can be
// sent soon. A Sender that embeds a client, and makes other calls than the client's, has the methods
// of the client, which is right if both keep one pace.
type PacedSender interface {
	Sender
	// Reserve announces up to n calls of Submit that can start within a time, besides calls that
	// wait already or were announced before, by any Sender that shares the pace. It returns how many
	// it announced, and when the next call behind all of them can start. The dispatcher calls it
	// before it claims. It must not block.
	Reserve(n int, within time.Duration) (reserved int, next time.Time)
	// Release ends the announcement of n calls: they are about to be made, or are given up.
	Release(n int)
}

// sender submits notifications to the platform, through the exported Sender of each service, which
// callers provide. It is safe for concurrent use.
type sender struct {
	senders       SenderFor
	checkProfiles bool
	observer      *Observer
}

// messenger returns the Sender of a service.
func (s sender) messenger(ctx context.Context, service string) (Sender, error) {
	m, err := s.senders(ctx, service)
	if client, ok := m.(*appio.Client); err == nil && (m == nil || ok && client == nil) {
		err = errors.New("no sender")
	}
	if err != nil && explained(err) == "" && ctx.Err() == nil {
		err = &flussi.Error{Package: "flow", Operation: "find sender", Err: err,
			Reason: "Il servizio non può inviare messaggi: verificare la configurazione del servizio."}
	}
	return m, err
}

// submit sends a notification, and reports the submission to the observer. known may be nil.
func (s sender) submit(ctx context.Context, m Sender, n Notification, known *profiles) (o outcome) {
	if s.observer.receivesSubmissions() {
		observed, end := s.observer.submission(ctx, Submission{n.ID, n.FlowID, n.Service})
		ctx = observed
		defer func() { end(o) }()
	}
	if s.checkProfiles {
		if known == nil {
			known = &profiles{}
		}
		found, err := known.of(ctx, m, n.Recipient)
		if err != nil {
			o = notSent(n, err)
			o.attempts = 0 // to send it
			return o
		}
		if found.reachability != ReachabilityYes {
			return outcome{action: NotificationFail, code: CodeUnreachable}
		}
	}
	if err := pace.MayStart(ctx); err != nil { // the call for the profile may have taken long
		return notSent(n, err)
	}
	receipt, err := m.Submit(ctx, n.Message())
	return outcomeOf(n, receipt, err)
}
