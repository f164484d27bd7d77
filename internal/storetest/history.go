package storetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) versionsHaveRecords() {
	parent, other := s.NewParent(), s.SetParent(s.NewParent())
	child, otherChild := s.NewChild(s.owner(parent)), s.SetChild(s.NewChild(s.owner(other)))
	var parentRecords, childRecords []Record
	for i := range 12 {
		parentStored, childStored := s.ParentChange(parent), s.ChildChange(child)
		// The store gives the version, whatever the record has.
		for _, record := range []*Record{&parentStored.Record, &childStored.Record} {
			s.Fill(record, false)
			switch i % 3 {
			case 0: // what says nothing but what was done
				record.From, record.Reason = "", flussi.Text{}
			case 1: // times need not go forwards
				record.At = record.At.AddDate(-20, 0, 0)
			}
		}
		if i%2 == 0 {
			s.storesEach(parentStored, childStored)
		} else {
			s.Must(s.SaveParent(s.Ctx, parentStored, func(yield func(Change[C], error) bool) {
				yield(childStored, nil)
			}), saveParent(s.ParentName)+" with "+s.ChildName.An())
		}
		parent, child = Next(parent), Next(child)
		parentRecords = append(parentRecords, parentStored.Record)
		childRecords = append(childRecords, childStored.Record)
		s.HasParentRecords(idOf(parent), parentRecords...)
		s.HasChildRecords(idOf(child), childRecords...)
	}
	s.HasParentRecords(idOf(other), s.ParentChange(WithVersion(other, 0)).Record)
	s.HasChildRecords(idOf(otherChild), s.ChildChange(WithVersion(otherChild, 0)).Record)
}

func (s *Suite[P, C]) missingHasNoHistory() {
	parent := s.NewParent()
	s.SetParent(parent, s.NewChild(s.owner(parent)))
	for _, id := range []uuid.UUID{s.ID(), uuid.Nil} {
		hasNoHistory(s, "with an ID that nothing has", s.ParentName, s.Parents, id)
		hasNoHistory(s, "with an ID that nothing has", s.ChildName, s.Children, id)
	}
	refused := s.NewParent()
	good, bad := s.NewChild(refused), WithVersion(s.NewChild(refused), 5)
	err := s.SaveParent(s.Ctx, s.ParentChange(refused), s.Sequence(good, bad))
	doing := saveParent(s.ParentName) + " with " + s.ChildName.An() + " of version 5 that is not there"
	s.Wants(flussi.ErrConflict, err, doing)
	hasNoHistory(s, doing, s.ParentName, s.Parents, idOf(refused))
	hasNoHistory(s, doing, s.ChildName, s.Children, idOf(good))
}

func hasNoHistory[E any, P, C Placed](
	s *Suite[P, C], when string, name Name, m Methods[E], id uuid.UUID,
) {
	if records, err := m.History(s.Ctx, id); err != nil || len(records) != 0 {
		s.Fail("%s: %s of %s that is not there: want no records and no error, got %d and %w",
			when, name.History(), name.An(), len(records), OrNone(err))
	}
}
