package storetest

import "time"

func (s *Suite[P, C]) textsAreKept(texts [][2]string) {
	for _, text := range texts {
		fill := func(pointer any) { SetTexts(pointer, text[0], text[1]) }
		parent := s.FullParent()
		fill(&parent)
		child := s.FullChild(s.owner(parent))
		fill(&child)
		parent, child = s.SetParent(parent, child), Next(child)
		s.Parents.IsRead("with odd texts", s.Count(parent, child))
		s.Children.IsRead("with odd texts", child)

		parent = s.NewParent()
		child = s.NewChild(s.owner(parent))
		parentStored, childStored := s.Parents.Change(parent), s.Children.Change(child)
		fill(&parentStored.Record)
		fill(&childStored.Record)
		s.storesEach(parentStored, childStored)
		s.Parents.HasRecords(idOf(parent), parentStored.Record)
		s.Children.HasRecords(idOf(child), childStored.Record)
	}
}

// storesEach stores a parent and a child, each by itself.
func (s *Suite[P, C]) storesEach(parent Change[P], child Change[C]) {
	s.Must(s.SaveParent(s.Ctx, parent, nil), s.parentMethod())
	s.Must(s.SaveChildren(s.Ctx, child), s.childMethod())
}

func (s *Suite[P, C]) timesAreKept() {
	for _, given := range Moments() {
		parent := s.FullParent()
		child := s.FullChild(s.owner(parent))
		SetTimes(&parent, given)
		SetTimes(&child, given)
		s.SetParent(parent, child)
		parent, child = s.Parents.One(idOf(parent)), s.Children.One(idOf(child))
		s.HasTimes(s.Parents.Name.Get(), &parent, given)
		s.HasTimes(s.Children.Name.Get(), &child, given)
		for _, r := range s.Parents.Records(idOf(parent)) {
			s.HasTimes("a record of "+s.Parents.Name.History(), &r, given)
		}
		for _, r := range s.Children.Records(idOf(child)) {
			s.HasTimes("a record of "+s.Children.Name.History(), &r, given)
		}
	}
}

func (s *Suite[P, C]) zeroTimesAreKept() {
	const cleared, never = "with times that were set, and are zero", "with times that were always zero"
	for _, what := range []string{cleared, never} {
		parent := s.FullParent()
		child := s.FullChild(s.owner(parent))
		if what == cleared {
			parent, child = s.SetParent(parent, child), Next(child)
		}
		clearTimes(&parent)
		clearTimes(&child)
		parent, child = s.SetParent(parent, child), Next(child)
		s.Parents.IsRead(what, s.Count(parent, child))
		s.Children.IsRead(what, child)
	}
}

// clearTimes takes each time of a struct away, but for those that every entity has.
func clearTimes(pointer any) {
	for _, field := range Fields(pointer) {
		if t, ok := field.Pointer.(*time.Time); ok && field.Name != "CreatedAt" && field.Name != "UpdatedAt" {
			*t = time.Time{}
		}
	}
}

// KeepsWords checks that what has words that no store knows is kept, and so are those of its
// records.
func (s *Suite[P, C]) KeepsWords(parent P, child C) {
	parentStored, childStored := s.Parents.Change(parent), s.Children.Change(child)
	parentStored.Record.Action, parentStored.Record.From = "archive", "parked"
	childStored.Record.Action, childStored.Record.From = "suspend", "parked"
	s.storesEach(parentStored, childStored)
	parent, child = Next(parent), Next(child)
	s.Parents.IsRead("with unknown words", s.Count(parent, child))
	s.Children.IsRead("with unknown words", child)
	s.Parents.HasRecords(idOf(parent), parentStored.Record)
	s.Children.HasRecords(idOf(child), childStored.Record)
}
