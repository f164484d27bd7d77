package storetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// EachConflict tests with children one of which cannot be stored, for whatever reason and at
// several positions.
func (s *Suite[P, C]) EachConflict(owner P, test func(all []C, why string)) {
	for _, position := range []int{0, 2, 4} {
		for _, reason := range []struct {
			why  string
			give func(at *C)
		}{
			{"is there already", func(at *C) { *at = WithVersion(s.Children.Set(*at), 0) }},
			{"is not there", func(at *C) { *at = WithVersion(s.NewChild(owner), 1) }},
			{"has changed since", func(at *C) { *at = s.Children.Set(s.NewChild(owner)); s.Children.Set(*at) }},
		} {
			all := s.NewChildren(owner, 5)
			all[1] = s.Children.Set(all[1]) // not all are new
			reason.give(&all[position])
			test(Map(all, s.Children.Changed), fmt.Sprintf("number %d of 5 %s", position+1, reason.why))
		}
	}
}

func (s *Suite[P, C]) childrenGoTogether() {
	parent := s.SetParent(s.NewParent())
	s.EachConflict(parent, func(all []C, why string) {
		before, what := s.Snapshot(), s.childMethod()+", of which "+why
		s.Wants(flussi.ErrConflict, s.SaveChildren(s.Ctx, Map(all, s.Children.Change)...), what)
		s.Unchanged(before, what)
	})
	// Together, whatever parents they belong to.
	other := s.SetParent(s.NewParent())
	all := []C{s.NewChild(parent), s.NewChild(other), s.NewChild(s.owner(parent))}
	s.SetChildren(all...)
	for _, child := range all {
		s.Children.IsRead("stored with others", Next(child))
	}
}

func (s *Suite[P, C]) conflictsUndoEverything() {
	parent := s.SetParent(s.NewParent())
	method, children := s.parentMethod(), " with "+s.Children.Name.Many()+" of which "
	s.EachConflict(parent, func(all []C, why string) {
		before := s.Snapshot()
		s.parentConflicts(before, method+children+why, s.Parents.Changed(parent), all...)
		s.parentConflicts(before, method+" of a new "+string(s.Parents.Name)+","+children+why, s.NewParent(), all...)
	})
}

func (s *Suite[P, C]) errorsUndoEverything() {
	parent := s.SetParent(s.NewParent())
	s.SetChildren(s.NewChild(s.owner(parent)))
	failure := errors.New("row 3 cannot be read")
	for _, count := range []int{0, 2, 300} {
		for _, stored := range []P{s.Parents.Changed(parent), s.NewParent()} {
			what := fmt.Sprintf("%s of %s of version %d, with %s of which number %d is an error",
				s.parentMethod(), s.Parents.Name.An(), Version(stored), s.Children.Name.Many(), count+1)
			before := s.Snapshot()
			err := s.SaveParent(s.Ctx, s.Parents.Change(stored), func(yield func(Change[C], error) bool) {
				if s.yields(stored, count, yield) {
					yield(Change[C]{}, failure)
				}
			})
			s.Wants(failure, err, what)
			s.Unchanged(before, what)
		}
	}
}

// yields yields so many new children, and reports whether all were pulled.
func (s *Suite[P, C]) yields(of P, count int, yield func(Change[C], error) bool) bool {
	for range count {
		if !yield(s.Children.Change(s.NewChild(of)), nil) {
			return false
		}
	}
	return true
}

func (s *Suite[P, C]) conflictsPullNothing() {
	stored := s.SetParent(s.NewParent())
	late := s.SetParent(stored)
	for what, conflict := range map[string]P{
		"a new " + string(s.Parents.Name) + " that is there": WithVersion(stored, 0),
		s.Parents.Name.An() + " that is not there":           WithVersion(s.NewParent(), 1),
		s.Parents.Name.An() + " that has changed since":      WithVersion(late, 1),
	} {
		doing := s.parentMethod() + " of " + what
		err := s.SaveParent(s.Ctx, s.Parents.Change(conflict), func(func(Change[C], error) bool) {
			s.Note("%s pulls %s", doing, s.Children.Name.Many())
		})
		s.Wants(flussi.ErrConflict, err, doing)
	}
}

func (s *Suite[P, C]) sequencesArePulledOnce() {
	for _, count := range []int{0, 1, 300} {
		parent := s.NewParent()
		begun, ended := 0, 0
		err := s.SaveParent(s.Ctx, s.Parents.Change(parent), func(yield func(Change[C], error) bool) {
			begun++
			if s.yields(parent, count, yield) {
				ended++
			}
		})
		s.Must(err, s.parentMethod())
		if begun != 1 || ended != 1 {
			s.Fail("%s began to pull %d %s %d times, and pulled them to their end %d times, not once",
				s.parentMethod(), count, s.Children.Name.Many(), begun, ended)
		}
	}
}

func (s *Suite[P, C]) longSequencesAreStored() {
	const count = 5000
	parent := s.NewParent()
	all := s.NewChildren(parent, count)
	parent = s.SetParent(parent, all...)
	s.counts(fmt.Sprintf("after %s of %d", s.parentMethod(), count), parent, all...)
	page := flussi.Page{Limit: Everything, OldestFirst: true}
	read := s.Children.walk(s.ChildrenOf(parent), page, count)
	if !slices.Equal(idsOf(read), idsOf(all)) {
		s.Fail("of %d %s that were stored with %s, its list has %d, or others, or in another order",
			count, s.Children.Name.Many(), s.Parents.Name.An(), len(read))
	}
}

// walk reads page after page, until it has so many or there are no more.
func (k *Kind[E]) walk(filter Filter, page flussi.Page, most int) []E {
	var read []E
	for len(read) < most {
		got := k.Page(filter, page)
		if len(got) == 0 {
			break
		}
		read = append(read, got...)
		page.After = read[len(read)-1].Cursor()
	}
	return read
}

// longWritesAreStored stores as many children in one write as a page may have, and one more.
func (s *Suite[P, C]) longWritesAreStored() {
	const count = flussi.MaxPage + 1
	parent := s.SetParent(s.NewParent())
	all := s.NewChildren(parent, count)
	for _, how := range []string{"new ones", "ones that are there"} {
		what := fmt.Sprintf("%s of %d, %s", s.childMethod(), count, how)
		s.SetChildren(all...)
		all = Map(all, Next[C])
		s.counts("after "+what, parent, all...)
		page := flussi.Page{Limit: 500, OldestFirst: true}
		read := s.Children.walk(s.ChildrenOf(parent), page, count)
		if len(read) != count {
			s.Fail("%s: want all in the list of their %s, got %d", what, s.Parents.Name, len(read))
			return
		}
		for i, child := range all {
			s.Equal(fmt.Sprintf("%s, number %d", what, i+1), read[i], child)
		}
		all = Map(all, s.Children.Changed)
	}
}

func idsOf[E Placed](all []E) []uuid.UUID { return Map(all, idOf[E]) }

func (s *Suite[P, C]) nothingIsStored() {
	parent := s.NewParent()
	child := s.NewChild(s.owner(parent))
	parent, child = s.SetParent(parent, child), Next(child)
	before, what := s.Snapshot(), s.childMethod()+" without any"
	s.Must(s.SaveChildren(s.Ctx), what)
	s.Unchanged(before, what)
	for how, sequence := range map[string]iter.Seq2[Change[C], error]{
		" without a sequence":     nil,
		" with an empty sequence": func(func(Change[C], error) bool) {},
	} {
		s.Must(s.SaveParent(s.Ctx, s.Parents.Change(parent), sequence), s.parentMethod()+how)
		parent = Next(parent)
		s.Parents.IsRead("stored"+how, s.Count(parent, child))
	}
}
