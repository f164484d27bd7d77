package storetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) newStoresAreEmpty() {
	if len(s.ParentPage(s.ParentsByID(), flussi.Page{Limit: 1})) != 0 {
		s.Fail("a store that was just opened has %s: each rule needs an empty one", s.ParentName.Many())
	}
	if len(s.ChildPage(s.ChildrenByID(), flussi.Page{Limit: 1})) != 0 {
		s.Fail("a store that was just opened has %s: each rule needs an empty one", s.ChildName.Many())
	}
}

func (s *Suite[P, C]) parentsAreKept() {
	other := s.SetParent(s.FullParent())
	full := s.SetParent(s.FullParent())
	s.ReadsParent("with all fields", full)
	changed := s.SetParent(s.ChangedParent(full))
	s.ReadsParent("with all fields changed", changed)
	s.ReadsParent("with as little as may be", s.SetParent(s.BareParent(changed)))
	s.ReadsParent("that nobody changed", other)
}

// childrenAreKept stores children in both ways, of a parent and alone.
func (s *Suite[P, C]) childrenAreKept() {
	parent := s.SetParent(s.NewParent())
	byParent := func(child C) C {
		parent = s.SetParent(parent, child)
		return Next(child)
	}
	owners := []P{parent}
	if s.Alone {
		owners = append(owners, s.owner(parent))
	}
	for _, way := range []struct {
		method string
		set    func(C) C
	}{{saveChildren(s.ChildName), s.SetChild}, {saveParent(s.ParentName), byParent}} {
		for _, owner := range owners {
			other := way.set(s.FullChild(owner))
			full := way.set(s.FullChild(owner))
			s.ReadsChild("with all fields, stored by "+way.method, full)
			changed := way.set(s.ChangedChild(full))
			s.ReadsChild("with all fields changed, stored by "+way.method, changed)
			s.ReadsChild("with as little as may be, stored by "+way.method, way.set(s.BareChild(changed)))
			s.ReadsChild("that nobody changed, stored by "+way.method, other)
		}
	}
}

// ReadsParent checks that a parent is read as it should be, in every way.
func (s *Suite[P, C]) ReadsParent(what string, want P) {
	id := idOf(want)
	s.Equal(s.ParentName.Get()+" "+what, s.Parent(id), want)
	reads(s, s.ParentName, s.ParentPage(s.ParentsByID(id), flussi.Page{Limit: 2}), what, want)
	for name, read := range s.OtherReads {
		s.Equal(name+", the "+string(s.ParentName)+" "+what, read(id), want)
	}
}

// ReadsChild checks the same of a child.
func (s *Suite[P, C]) ReadsChild(what string, want C) {
	id := idOf(want)
	s.Equal(s.ChildName.Get()+" "+what, s.Child(id), want)
	reads(s, s.ChildName, s.ChildPage(s.ChildrenByID(id), flussi.Page{Limit: 2}), what, want)
}

// reads checks what was listed by the ID of the one that is wanted.
func reads[E any, P, C Placed](s *Suite[P, C], name Name, listed []E, what string, want E) {
	if len(listed) != 1 {
		s.Fail("%s gives %d %s with the ID of the one %s, not 1",
			name.List(), len(listed), name.Many(), what)
		return
	}
	s.Equal(name.List()+", the one "+what, listed[0], want)
}

func (s *Suite[P, C]) missingParentsAreNotFound() {
	notFound(s, s.ParentName, s.Parents, s.ParentsByID)
	parent := s.SetParent(s.NewParent())
	child := s.SetChild(s.NewChild(s.owner(parent)))
	notFound(s, s.ParentName, s.Parents, s.ParentsByID, idOf(child))
}

func (s *Suite[P, C]) missingChildrenAreNotFound() {
	parent := s.SetParent(s.NewParent())
	notFound(s, s.ChildName, s.Children, s.ChildrenByID, idOf(parent))
	s.SetChildren(s.NewChild(parent))
	notFound(s, s.ChildName, s.Children, s.ChildrenByID, idOf(parent))
}

// notFound checks that nothing is found by IDs that entities of a kind do not have: the ones
// given, which are of others, and some that nothing has.
func notFound[E any, P, C Placed](
	s *Suite[P, C], name Name, m Methods[E], byID func(...uuid.UUID) Filter, ofOthers ...uuid.UUID,
) {
	for _, id := range append(ofOthers, s.ID(), uuid.Nil) {
		_, err := m.Get(s.Ctx, id)
		s.Wants(flussi.ErrNotFound, err, name.Get()+" of an ID that no "+string(name)+" was stored with")
	}
	if listed := list(s, name, m, byID(s.ID()), flussi.Page{Limit: 1}); len(listed) != 0 {
		s.Fail("%s gives %d with an ID that was never stored", name.List(), len(listed))
	}
}
