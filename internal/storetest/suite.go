package storetest

import (
	"iter"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// Suite tests one shared rule on one store: it is a probe that knows the store's methods and
// how to make its entities. P are the parents, C their children. Its methods end the test when
// the store fails at what the rule is not about.
type Suite[P, C Placed] struct {
	*Probe
	Store[P, C]
	ParentName, ChildName Name // as in the rules

	// NewParent makes a parent with what every one has, FullParent one with all fields. Neither is
	// stored.
	NewParent, FullParent func() P
	// ChangedParent returns a parent of which all fields are others that may change, BareParent one
	// of which all are zero that may be.
	ChangedParent, BareParent func(P) P

	// NewChild makes a child with what every one has, FullChild one with all fields. The parent is
	// the zero value for a child that stands alone.
	NewChild, FullChild func(of P) C
	// ChangedChild and BareChild return what ChangedParent and BareParent do, of a child.
	ChangedChild, BareChild func(C) C
	// Alone reports whether children may stand alone.
	Alone bool

	// States are three in which children are counted each for itself, the first that of new ones.
	States [3]string
	// Count returns a parent with the counts that it has with its children among these, and no
	// others.
	Count func(P, ...C) P

	// ParentChange is the storing of a parent, with a record of what was done.
	ParentChange func(P) Change[P]
	// ChildChange is the same of a child.
	ChildChange func(C) Change[C]

	// ParentsByID and ChildrenByID are filters: of all there are if no ID is given.
	ParentsByID, ChildrenByID func(ids ...uuid.UUID) Filter
	// ChildrenOf is the filter of a parent's children.
	ChildrenOf func(P) Filter

	// OtherReads are other methods that give a parent as it is stored, by their names.
	OtherReads map[string]func(id uuid.UUID) P
}

// SetParent stores a parent, and children with it, and returns it as it is stored now, but for
// its counts.
func (s *Suite[P, C]) SetParent(parent P, with ...C) P {
	s.Must(s.SaveParent(s.Ctx, s.ParentChange(parent), s.Sequence(with...)), saveParent(s.ParentName))
	return Next(parent)
}

// SetChild stores a child, and returns it as it is stored now.
func (s *Suite[P, C]) SetChild(child C) C {
	s.SetChildren(child)
	return Next(child)
}

// SetChildren stores children together.
func (s *Suite[P, C]) SetChildren(all ...C) {
	s.Must(s.SaveChildren(s.Ctx, Map(all, s.ChildChange)...), saveChildren(s.ChildName))
}

// Parent reads a parent.
func (s *Suite[P, C]) Parent(id uuid.UUID) P { return read(s, s.ParentName, s.Parents, id) }

// Child reads a child.
func (s *Suite[P, C]) Child(id uuid.UUID) C { return read(s, s.ChildName, s.Children, id) }

// ParentPage reads a page of parents.
func (s *Suite[P, C]) ParentPage(filter Filter, page flussi.Page) []P {
	return list(s, s.ParentName, s.Parents, filter, page)
}

// ChildPage reads a page of children.
func (s *Suite[P, C]) ChildPage(filter Filter, page flussi.Page) []C {
	return list(s, s.ChildName, s.Children, filter, page)
}

// HasParentRecords checks that these are the records of a parent, but for their versions,
// which count.
func (s *Suite[P, C]) HasParentRecords(id uuid.UUID, want ...Record) {
	SameRecords(s.Probe, s.ParentName.History(), history(s, s.ParentName, s.Parents, id), want)
}

// HasChildRecords checks the same of a child.
func (s *Suite[P, C]) HasChildRecords(id uuid.UUID, want ...Record) {
	SameRecords(s.Probe, s.ChildName.History(), history(s, s.ChildName, s.Children, id), want)
}

func read[E any, P, C Placed](s *Suite[P, C], name Name, m Methods[E], id uuid.UUID) E {
	one, err := m.Get(s.Ctx, id)
	s.Must(err, name.Get())
	return one
}

func list[E any, P, C Placed](
	s *Suite[P, C], name Name, m Methods[E], filter Filter, page flussi.Page,
) []E {
	all, err := m.List(s.Ctx, filter, page)
	s.Must(err, name.List())
	return all
}

func history[E any, P, C Placed](s *Suite[P, C], name Name, m Methods[E], id uuid.UUID) []Record {
	records, err := m.History(s.Ctx, id)
	s.Must(err, name.History())
	return records
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
			if !yield(s.ChildChange(child), nil) {
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

// entry is what a store has of one entity.
type entry[E any] struct {
	Listed, Read E // by the method that lists, and by the one that reads one
	Records      []Record
}

// Snapshot reads all there is, and shares nothing with the store.
func (s *Suite[P, C]) Snapshot() Snapshot[P, C] {
	return Snapshot[P, C]{
		entries(s, s.ParentName, s.Parents, s.ParentsByID()),
		entries(s, s.ChildName, s.Children, s.ChildrenByID()),
	}
}

func entries[E Placed, P, C Placed](
	s *Suite[P, C], name Name, m Methods[E], all Filter,
) map[uuid.UUID]entry[E] {
	found := map[uuid.UUID]entry[E]{}
	for _, one := range list(s, name, m, all, flussi.Page{Limit: Everything}) {
		id := idOf(one)
		found[id] = Clone(entry[E]{one, read(s, name, m, id), history(s, name, m, id)})
	}
	return found
}

// Unchanged notes what is not as it was before something happened: entities, those that are gone
// or have appeared, and their records. Nor must there be records of entities that are not there.
func (s *Suite[P, C]) Unchanged(before Snapshot[P, C], happened string) {
	after := s.Snapshot()
	EqualAll(s.Probe, happened+": the "+string(s.ParentName), after.parents, before.parents)
	EqualAll(s.Probe, happened+": the "+string(s.ChildName), after.children, before.children)
	for _, id := range s.newIDs() {
		if _, there := after.parents[id]; !there {
			hasNoHistory(s, happened, s.ParentName, s.Parents, id)
		}
		if _, there := after.children[id]; !there {
			hasNoHistory(s, happened, s.ChildName, s.Children, id)
		}
	}
}

func idOf[E Placed](e E) uuid.UUID { return e.Cursor().ID }
