package storetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) versionsHaveRecords() {
	parent, other := s.NewParent(), s.SetParent(s.NewParent())
	child, otherChild := s.NewChild(s.owner(parent)), s.Children.Set(s.NewChild(s.owner(other)))
	var parentRecords, childRecords []Record
	for i := range 12 {
		parentStored, childStored := s.Parents.Change(parent), s.Children.Change(child)
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
			}), s.parentMethod()+" with "+s.Children.Name.An())
		}
		parent, child = Next(parent), Next(child)
		parentRecords = append(parentRecords, parentStored.Record)
		childRecords = append(childRecords, childStored.Record)
		s.Parents.HasRecords(idOf(parent), parentRecords...)
		s.Children.HasRecords(idOf(child), childRecords...)
	}
	for range 48 { // a history has no end
		parentRecords = append(parentRecords, s.Parents.Change(parent).Record)
		childRecords = append(childRecords, s.Children.Change(child).Record)
		parent, child = s.SetParent(parent), s.Children.Set(child)
	}
	s.Parents.HasRecords(idOf(parent), parentRecords...)
	s.Children.HasRecords(idOf(child), childRecords...)
	s.Parents.HasRecords(idOf(other), s.Parents.Change(WithVersion(other, 0)).Record)
	s.Children.HasRecords(idOf(otherChild), s.Children.Change(WithVersion(otherChild, 0)).Record)
}

func (s *Suite[P, C]) missingHasNoHistory() {
	parent := s.NewParent()
	s.SetParent(parent, s.NewChild(s.owner(parent)))
	for _, id := range []uuid.UUID{s.ID(), uuid.Nil} {
		s.Parents.hasNoHistory("with an ID that nothing has", id)
		s.Children.hasNoHistory("with an ID that nothing has", id)
	}
	refused := s.NewParent()
	good, bad := s.NewChild(refused), WithVersion(s.NewChild(refused), 5)
	err := s.SaveParent(s.Ctx, s.Parents.Change(refused), s.Sequence(good, bad))
	doing := s.parentMethod() + " with " + s.Children.Name.An() + " of version 5 that is not there"
	s.Wants(flussi.ErrConflict, err, doing)
	s.Parents.hasNoHistory(doing, idOf(refused))
	s.Children.hasNoHistory(doing, idOf(good))
}
