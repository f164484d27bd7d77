package storetest

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) versionsCount() {
	parent := s.NewParent()
	child := s.NewChild(s.owner(parent))
	for version := int64(1); version <= 4; version++ {
		parent = s.SetParent(parent)
		child = s.Children.Set(child)
		what := fmt.Sprintf("that was stored %d times", version)
		s.Parents.hasVersion(what, idOf(parent), version)
		s.Children.hasVersion(what, idOf(child), version)
	}
	parent, child = s.SetParent(parent, child), Next(child)
	s.Children.hasVersion("that was stored with its "+string(s.Parents.Name), idOf(child), Version(child))
	s.SetParent(parent)
	s.Children.hasVersion("without which its "+string(s.Parents.Name)+" was stored", idOf(child), Version(child))
}

func (k *Kind[E]) hasVersion(what string, id uuid.UUID, want int64) {
	if got := Version(k.One(id)); got != want {
		k.Fail("%s %s has the version %d, not %d", k.Name.An(), what, got, want)
	}
}

// Conflicts checks that children are refused, in every way to store them, and that nothing
// changes.
func (s *Suite[P, C]) Conflicts(what string, all ...C) {
	before, doing := s.Snapshot(), s.childMethod()+" of "+what
	s.Wants(flussi.ErrConflict, s.SaveChildren(s.Ctx, Map(all, s.Children.Change)...), doing)
	s.Unchanged(before, doing)
	s.parentConflicts(before, s.parentMethod()+" with "+what, s.NewParent(), all...)
}

// ParentConflicts checks that a parent is refused, with a child and without, and that nothing
// changes.
func (s *Suite[P, C]) ParentConflicts(what string, parent P) {
	before, doing := s.Snapshot(), s.parentMethod()+" of "+what
	s.parentConflicts(before, doing, parent)
	s.parentConflicts(before, doing+", with "+s.Children.Name.An(), parent, s.NewChild(parent))
}

func (s *Suite[P, C]) parentConflicts(before Snapshot[P, C], doing string, parent P, with ...C) {
	s.Wants(flussi.ErrConflict, s.SaveParent(s.Ctx, s.Parents.Change(parent), s.Sequence(with...)), doing)
	s.Unchanged(before, doing)
}

func (s *Suite[P, C]) newIsNew() {
	parent := s.FullParent()
	child := s.FullChild(s.owner(parent))
	s.SetParent(parent)
	s.SetChildren(child)
	s.ParentConflicts("a new "+string(s.Parents.Name)+" with an ID that is there", s.Parents.Changed(parent))
	s.Conflicts("a new "+string(s.Children.Name)+" with an ID that is there", s.Children.Changed(child))
}

func (s *Suite[P, C]) oldIsThere() {
	there := s.SetParent(s.NewParent())
	s.SetChildren(s.NewChild(s.owner(there)))
	for _, version := range []int64{1, 7, -1} {
		parent := WithVersion(s.NewParent(), version)
		child := WithVersion(s.NewChild(s.owner(there)), version)
		what := fmt.Sprintf(" with the version %d that is not there", version)
		s.ParentConflicts(s.Parents.Name.An()+what, parent)
		s.Conflicts(s.Children.Name.An()+what, child)
	}
}

func (s *Suite[P, C]) lateChangesAreRefused() {
	parent := s.SetParent(s.NewParent())
	child := s.Children.Set(s.NewChild(parent))
	parent = s.SetParent(s.SetParent(parent))
	child = s.Children.Set(s.Children.Set(child))
	for _, version := range []int64{0, 1, 2, 4, 99} {
		what := fmt.Sprintf(" with the version %d instead of 3", version)
		s.ParentConflicts(s.Parents.Name.An()+what, WithVersion(s.Parents.Changed(parent), version))
		s.Conflicts(s.Children.Name.An()+what, WithVersion(s.Children.Changed(child), version))
	}
	s.SetParent(parent, child)
	what := s.Children.Name.An() + " that was stored with its " + string(s.Parents.Name) + " in the meantime"
	s.Conflicts(what, s.Children.Changed(child))
}

func (s *Suite[P, C]) twiceIsAConflict() {
	owner := s.newOwner()
	child := s.NewChild(owner)
	s.Conflicts("a new "+string(s.Children.Name)+" twice", child, s.NewChild(owner), child)
	child = s.Children.Set(child)
	s.Conflicts(s.Children.Name.An()+" twice", child, child)
	s.Conflicts(s.Children.Name.An()+" twice, with the version that the first one makes", child, Next(child))
}
