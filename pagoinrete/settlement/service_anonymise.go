package settlement

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// Anonymise erases the texts of those movements of a body whose rows are all of days before a time,
// and returns the number of these movements. The texts are the causale and what the bank repeats of
// it; nothing else about payers is stored. Amounts, states, identifiers, what a causale names,
// decisions and histories remain, also the reasons that operators wrote.
//
// Matching goes on as before. When a later journal repeats an anonymised movement or adds a row to
// it, the texts of that journal are not stored.
//
// A time that is not in the past is refused with [flussi.ErrRange]. Anonymising cannot be undone.
// Movements are anonymised in groups: after an error, call Anonymise again for the others.
func (s *Service) Anonymise(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode, before time.Time) (int, error) {
	done, err := s.anonymise(ctx, by, body, before)
	return done, failed("anonymise", "", uuid.Nil, err)
}

func (s *Service) anonymise(ctx context.Context, by flussi.Actor, body flussi.OrganizationCode, before time.Time) (int, error) {
	if err := s.admit(ctx, by, body); err != nil {
		return 0, err
	}
	if before.IsZero() || before.After(time.Now()) {
		return 0, &flussi.ValueError{Type: "Before", Err: flussi.ErrRange,
			Reason: "La data prima della quale cancellare le causali deve essere nel passato."}
	}
	list := func(ctx context.Context, page Page) ([]Movement, error) {
		return s.store.Movements(ctx, MovementFilter{Bodies: []flussi.OrganizationCode{body}}, page)
	}
	done := 0
	for page, err := range core.Pages(ctx, maxReferences, list) {
		if err != nil {
			return done, err
		}
		var old []uuid.UUID
		for _, m := range page {
			if m.hasTextsBefore(before) {
				old = append(old, m.ID)
			}
		}
		if len(old) == 0 {
			continue
		}
		erased := 0
		err := s.write(ctx, body, step{action: ActionAnonymise, by: by}, func(w *work) error {
			var err error
			erased, err = w.erase(ctx, old, before)
			return err
		})
		if err != nil {
			return done, err
		}
		done += erased
	}
	return done, nil
}

// hasTextsBefore reports whether a movement has texts, and all of its rows are of days before a
// time. For a row without a day, the time at which the movement was first stored counts.
func (m *Movement) hasTextsBefore(before time.Time) bool {
	return m.AnonymisedAt.IsZero() && !slices.ContainsFunc(m.Entries, func(e Entry) bool {
		day := e.Date
		if day.IsZero() {
			day = m.CreatedAt
		}
		return !day.Before(before)
	})
}

// erase erases the texts of movements, and returns the number of these. It checks the days again,
// since a movement may have got another row after it was listed.
func (w *work) erase(ctx context.Context, ids []uuid.UUID, before time.Time) (int, error) {
	if _, err := w.readMovements(ctx, MovementFilter{IDs: ids}); err != nil {
		return 0, err
	}
	erased := 0
	for _, id := range ids {
		m := w.facts.movements[id]
		if !m.hasTextsBefore(before) {
			continue
		}
		m.Entries = slices.Clone(m.Entries)
		for i := range m.Entries {
			m.Entries[i].erase()
		}
		m.AnonymisedAt = core.Now()
		w.facts.movements[id], w.done[id] = m, true
		erased++
	}
	return erased, nil
}
