package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// anonymised is how many notifications are anonymised in a transaction.
const anonymised = 500

// Anonymise erases the personal data of a service's notifications that were sent before a
// time, or have been since in Errore, for another reason than an unknown outcome, or
// disabled before they were sent. It returns how many there were.
//
//   - Of a notification it erases the fiscal code, the texts and options, the notice number, the
//     reference, the occasion, and what the platform said about it, also in its records.
//   - Of a flow with one of these notifications it erases what the platform said, in its Error and
//     its records, since that may be about these notifications.
//   - Dates, amounts, the payee, the platform's IDs, states, error codes and Counts remain. So do
//     the records, with the reasons that operators gave and the occasion of a new notification, and
//     the [Details] of flows, with the texts of buttons: keep personal data out of these.
//
// A time that is not in the past is refused with [flussi.ErrRange]. It cannot be undone. An
// anonymised notification can be looked at, and nothing else. Notifications are anonymised in
// groups, so an error, or a context that ends, leaves those before as they are; call it again for
// the others.
//
// Copies of the database keep the data, and so may the database itself, for a while: docs/stores.md
// says where.
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
	flows := map[uuid.UUID]bool{uuid.Nil: true} // flows whose answers are erased; Nil is of notifications without a flow
	for group, err := range pages(ctx, s.store, NotificationFilter{Services: []string{service}, ClosedBefore: before}, anonymised) {
		// The flows come first: anonymised notifications are not listed again, so after an error
		// no call would find their flows.
		for _, n := range group {
			if err == nil && !flows[n.FlowID] {
				err = s.eraseAnswers(ctx, by, n.FlowID)
				flows[n.FlowID] = true
			}
		}
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

// eraseAnswers erases what the platform said from a flow and its records.
func (s *Service) eraseAnswers(ctx context.Context, by flussi.Actor, id uuid.UUID) error {
	for tries := (core.Tries{}); ; {
		f, err := s.store.Flow(ctx, id)
		if err != nil {
			return err
		}
		records, err := s.store.FlowHistory(ctx, id)
		answered := func(r FlowRecord) bool { return !r.Answer.IsZero() }
		if err != nil || f.Answer.IsZero() && !slices.ContainsFunc(records, answered) {
			return err
		}
		f.Error, f.Answer = withoutAnswer(f.Error, f.Answer), flussi.Text{}
		err = s.store.SaveFlow(ctx, f.change(FlowAnonymise, f.State, by.ID, ""), nil)
		if err == nil {
			return nil
		}
		if err := tries.Again(ctx, err); err != nil {
			return err
		}
	}
}

// erase erases the personal data of a group. It skips notifications that another user changes at
// the same moment.
func (s *Service) erase(ctx context.Context, by flussi.Actor, found []Notification) (int, error) {
	changes := make([]NotificationChange, len(found))
	for i, n := range found {
		n.Draft = Draft{DueDate: n.DueDate, Amount: n.Amount, IsPayment: n.IsPayment, PayableAfterDue: n.PayableAfterDue, Payee: n.Payee}
		t := &n.Transmission
		t.Error, t.Answer = withoutAnswer(t.Error, t.Answer), flussi.Text{}
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
