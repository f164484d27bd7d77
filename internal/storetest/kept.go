package storetest

import (
	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) newStoresAreEmpty() {
	if len(s.Parents.Page(s.Parents.ByID(), flussi.Page{Limit: 1})) != 0 {
		s.Fail("a store that was just opened has %s: each rule needs an empty one", s.Parents.Name.Many())
	}
	if len(s.Children.Page(s.Children.ByID(), flussi.Page{Limit: 1})) != 0 {
		s.Fail("a store that was just opened has %s: each rule needs an empty one", s.Children.Name.Many())
	}
}

func (s *Suite[P, C]) parentsAreKept() {
	other := s.SetParent(s.FullParent())
	full := s.SetParent(s.FullParent())
	s.Parents.IsRead("with all fields", full)
	changed := s.SetParent(s.Parents.Changed(full))
	s.Parents.IsRead("with all fields changed", changed)
	s.Parents.IsRead("with as little as may be", s.SetParent(s.Parents.Bare(changed)))
	s.Parents.IsRead("that nobody changed", other)
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
	}{{s.childMethod(), s.Children.Set}, {s.parentMethod(), byParent}} {
		for _, owner := range owners {
			other := way.set(s.FullChild(owner))
			full := way.set(s.FullChild(owner))
			s.Children.IsRead("with all fields, stored by "+way.method, full)
			changed := way.set(s.Children.Changed(full))
			s.Children.IsRead("with all fields changed, stored by "+way.method, changed)
			s.Children.IsRead("with as little as may be, stored by "+way.method, way.set(s.Children.Bare(changed)))
			s.Children.IsRead("that nobody changed, stored by "+way.method, other)
		}
	}
}

func (s *Suite[P, C]) missingParentsAreNotFound() {
	s.Parents.notFound()
	parent := s.SetParent(s.NewParent())
	child := s.Children.Set(s.NewChild(s.owner(parent)))
	s.Parents.notFound(idOf(child))
}

func (s *Suite[P, C]) missingChildrenAreNotFound() {
	parent := s.SetParent(s.NewParent())
	s.Children.notFound(idOf(parent))
	s.SetChildren(s.NewChild(parent))
	s.Children.notFound(idOf(parent))
}

// notFound checks that nothing is found by IDs that entities of a kind do not have: the ones
// given, which are of others, and some that nothing has.
func (k *Kind[E]) notFound(ofOthers ...uuid.UUID) {
	for _, id := range append(ofOthers, k.ID(), uuid.Nil) {
		_, err := k.Get(k.Ctx, id)
		k.Wants(flussi.ErrNotFound, err, k.Name.Get()+" of an ID that no "+string(k.Name)+" was stored with")
	}
	if listed := k.Page(k.ByID(k.ID()), flussi.Page{Limit: 1}); len(listed) != 0 {
		k.Fail("%s gives %d with an ID that was never stored", k.Name.List(), len(listed))
	}
}
