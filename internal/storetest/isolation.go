package storetest

import (
	"context"

	"github.com/google/uuid"
)

// LeavesChanges checks that children are stored from changes of the store's own type, that these
// are as they were afterwards, and that what was stored does not change with them.
func LeavesChanges[P, C Placed, O any](
	s *Suite[P, C], all []C, own func(C) O, save func([]O) error,
) {
	changes := Map(all, own)
	s.Must(save(changes), s.childMethod())
	for i, change := range changes {
		s.Equal("a change that was stored", change, own(all[i]))
	}
	Spoil(s.Probe, changes)
	for _, child := range all {
		s.Children.IsRead("whose change was altered after it was stored", Next(child))
	}
}

// SpoilHistory changes the records that a store returns.
func SpoilHistory[R any](
	p *Probe, history func(context.Context, uuid.UUID) ([]R, error), id uuid.UUID,
) {
	records, err := history(p.Ctx, id)
	p.Must(err, "the history")
	Spoil(p, records)
}
