package storetest

import (
	"iter"

	"github.com/google/uuid"
)

// Suite tests one shared rule on one store: it is a probe that knows the store's methods and
// how to make its entities. P are the parents, C their children. Its methods end the test when
// the store fails at what the rule is not about.
type Suite[P, C Placed] struct {
	*Probe
	Store[P, C]
	Parents  *Kind[P] // how they are read, stored and made
	Children *Kind[C] // the same

	// Save is the method that stores both; "" if each kind has its own.
	Save string
	// NewParent makes a parent with what every one has, FullParent one with all fields. Neither is
	// stored.
	NewParent, FullParent func() P
	// NewChild makes a child with what every one has, FullChild one with all fields. The parent is
	// the zero value for a child that stands alone.
	NewChild, FullChild func(of P) C
	// ChildrenOf is the filter of a parent's children.
	ChildrenOf func(P) Filter
	// Alone reports whether children may stand alone.
	Alone bool
	// States are three in which children are counted each for itself, the first that of new ones.
	States [3]string
	// Count returns a parent with the counts that it has with its children among these, and no
	// others.
	Count func(P, ...C) P
}

// Start returns the suite with a probe, and a store to test.
func (s Suite[P, C]) Start(p *Probe, store Store[P, C]) *Suite[P, C] {
	s.Probe, s.Store = p, store
	s.Parents.Probe, s.Parents.Methods = p, store.Parents
	s.Children.Probe, s.Children.Methods = p, store.Children
	s.Parents.save = func(c Change[P]) error { return store.SaveParent(p.Ctx, c, nil) }
	s.Children.save = func(c Change[C]) error { return store.SaveChildren(p.Ctx, c) }
	return &s
}

// parentMethod and childMethod return the names of the methods that write. A parent is stored with
// children, children are stored together.
func (s *Suite[P, C]) parentMethod() string {
	method, _ := Saves(s.Save, s.Parents.Name, s.Children.Name)
	return method
}

func (s *Suite[P, C]) childMethod() string {
	_, method := Saves(s.Save, s.Parents.Name, s.Children.Name)
	return method
}

// SetParent stores a parent, and children with it, and returns it as it is stored now, but for
// its counts.
func (s *Suite[P, C]) SetParent(parent P, with ...C) P {
	s.Must(s.SaveParent(s.Ctx, s.Parents.Change(parent), s.Sequence(with...)), s.parentMethod())
	return Next(parent)
}

// SetChildren stores children together.
func (s *Suite[P, C]) SetChildren(all ...C) {
	s.Must(s.SaveChildren(s.Ctx, Map(all, s.Children.Change)...), s.childMethod())
}

// NewChildren returns some new children, each younger than the one before.
func (s *Suite[P, C]) NewChildren(of P, count int) []C {
	all := make([]C, count)
	for i := range all {
		all[i] = s.NewChild(of)
	}
	return all
}

// owner is whose children a rule stores that is not about their parent: nobody's if they may
// stand alone.
func (s *Suite[P, C]) owner(parent P) P {
	if s.Alone {
		var nobody P
		return nobody
	}
	return parent
}

// newOwner stores a parent to be the owner.
func (s *Suite[P, C]) newOwner() P { return s.owner(s.SetParent(s.NewParent())) }

// Sequence yields children to be stored with a parent; nil if there are none.
func (s *Suite[P, C]) Sequence(all ...C) iter.Seq2[Change[C], error] {
	if len(all) == 0 {
		return nil
	}
	return func(yield func(Change[C], error) bool) {
		for _, child := range all {
			if !yield(s.Children.Change(child), nil) {
				return
			}
		}
	}
}

// Snapshot is all that a store has of its entities.
type Snapshot[P, C any] struct {
	parents  map[uuid.UUID]entry[P]
	children map[uuid.UUID]entry[C]
}

// Snapshot reads all there is.
func (s *Suite[P, C]) Snapshot() Snapshot[P, C] {
	return Snapshot[P, C]{s.Parents.entries(), s.Children.entries()}
}

// Unchanged notes what is not as it was before something happened: entities, those that are gone
// or have appeared, and their records. Nor must there be records of entities that are not there.
func (s *Suite[P, C]) Unchanged(before Snapshot[P, C], happened string) {
	after := s.Snapshot()
	EqualAll(s.Probe, happened+": the "+string(s.Parents.Name), after.parents, before.parents)
	EqualAll(s.Probe, happened+": the "+string(s.Children.Name), after.children, before.children)
	for _, id := range s.newIDs() {
		if _, there := after.parents[id]; !there {
			s.Parents.hasNoHistory(happened, id)
		}
		if _, there := after.children[id]; !there {
			s.Children.hasNoHistory(happened, id)
		}
	}
}
