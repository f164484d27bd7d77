package flow

import (
	"context"
	"errors"
	"time"

	"github.com/flussi-go/flussi"
)

// anonymised is how many notifications are anonymised in a transaction.
const anonymised = 500

// Anonymise erases the personal data of a service's notifications that were sent before a
// time, or have been since in Errore, for another reason than an unknown outcome, or
// disabled before they were sent: the fiscal code, the texts, the notice number, the
// reference, and what the platform said about them. Counts, dates, amounts, the platform's IDs and
// histories remain. It returns how many there were.
//
// A time that is not in the past is refused with [flussi.ErrRange]. It cannot be undone. An
// anonymised notification can be looked at, and nothing else. Notifications are anonymised in
// groups, so an error, or a context that ends, leaves those before as they are; call it again for
// the others.
func (s *Service) Anonymise(ctx context.Context, by flussi.Actor, service string, before time.Time) (int, error) {
	const op = "anonymise"
	if err := s.admitOperator(ctx, by, service); err != nil {
		return 0, failure(op, err)
	}
	if before.IsZero() || before.After(time.Now()) {
		return 0, failure(op, &flussi.ValueError{Type: "Before", Err: flussi.ErrRange,
			Reason: "La data prima della quale cancellare i dati personali deve essere nel passato."})
	}
	done := 0
	for group, err := range pages(ctx, s.store, NotificationFilter{Services: []string{service}, ClosedBefore: before}, anonymised) {
		erased := 0
		if err == nil {
			erased, err = s.erase(ctx, by, group)
			done += erased
		}
		if err != nil {
			return done, failure(op, err)
		}
	}
	return done, nil
}

// erase erases the personal data of a group. It skips notifications that another user changes at
// the same moment.
func (s *Service) erase(ctx context.Context, by flussi.Actor, found []Notification) (int, error) {
	changes := make([]NotificationChange, len(found))
	for i, n := range found {
		n.Draft = Draft{DueDate: n.DueDate, Amount: n.Amount, IsPayment: n.IsPayment, PayableAfterDue: n.PayableAfterDue, Payee: n.Payee}
		if t := &n.Transmission; !t.Answer.IsZero() {
			t.Answer, t.Error = flussi.Text{}, t.ErrorCode.Italian()
		}
		n.AnonymisedAt = now()
		changes[i] = n.change(NotificationAnonymise, n.State, by.ID, "")
	}
	err := s.store.SaveNotifications(ctx, changes...)
	if err == nil {
		return len(changes), nil
	}
	if !errors.Is(err, flussi.ErrConflict) {
		return 0, err
	}
	done := 0
	for _, c := range changes {
		switch err := s.store.SaveNotifications(ctx, c); {
		case err == nil:
			done++
		case !errors.Is(err, flussi.ErrConflict):
			return done, err
		}
	}
	return done, nil
}
