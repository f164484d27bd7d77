package storetest

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

func (s *Suite[P, C]) changesHaveOneWinner() {
	parent, other := s.SetParent(s.NewParent()), s.SetParent(s.NewParent())
	a, b := s.Children.Set(s.NewChild(parent)), s.Children.Set(s.NewChild(s.owner(other)))
	for version := int64(1); version <= 5; version++ {
		parent, a, b := WithVersion(parent, version), WithVersion(a, version), WithVersion(b, version)
		s.OneWins(s.parentMethod()+" of one version", s.Together(func(i int) error {
			return s.SaveParent(s.Ctx, s.Parents.Change(by(parent, fmt.Sprint(i))), nil)
		}), flussi.ErrConflict)
		// Two together, in either order: who locks them, or the counts of their parents, one by one
		// would wait for ever.
		s.OneWins(s.childMethod()+" of one version", s.Together(func(i int) error {
			user := fmt.Sprint(i)
			a := s.Children.Change(withState(by(a, user), s.States[i%3]))
			b := s.Children.Change(withState(by(b, user), s.States[(i+1)%3]))
			if i%2 == 0 {
				return s.SaveChildren(s.Ctx, a, b)
			}
			return s.SaveChildren(s.Ctx, b, a)
		}), flussi.ErrConflict)
		if lastBy(s.Children.One(idOf(a))) != lastBy(s.Children.One(idOf(b))) {
			s.Fail("two %s that were stored together are from different changes", s.Children.Name.Many())
		}
		s.Parents.wonOnce(parent)
		s.Children.wonOnce(a)
		s.Children.wonOnce(b)
		s.counts("after many changed "+s.Children.Name.An()+" at once", parent, s.Children.One(idOf(a)))
	}
}

// wonOnce checks that what many changed at once has got one version more.
func (k *Kind[E]) wonOnce(one E) {
	want := Version(one) + 1
	version, records := Version(k.One(idOf(one))), int64(len(k.Records(idOf(one))))
	if version != want || records != want {
		k.Fail("%s that many changed at once has the version %d and %d records, not %d",
			k.Name.An(), version, records, want)
	}
}

// Meanwhile reads an entity in both ways, while others write it, and checks what it gets. Nothing
// else may be listed.
func (k *Kind[E]) Meanwhile(id uuid.UUID, check func(what string, one E) error) error {
	one, err := k.Get(k.Ctx, id)
	if err != nil {
		return err
	}
	listed, err := k.List(k.Ctx, k.ByID(), flussi.Page{Limit: 1})
	if err != nil {
		return err
	}
	errs := []error{check(k.Name.Get(), one)}
	for _, one := range listed {
		errs = append(errs, check(k.Name.List(), one))
	}
	return errors.Join(errs...)
}

func (s *Suite[P, C]) creationsHaveOneWinner() {
	there := s.newOwner()
	for range 5 {
		parent, child := s.NewParent(), s.NewChild(there)
		with := s.NewChild(parent)
		s.OneWins(s.parentMethod()+" of one new "+string(s.Parents.Name), s.Together(func(int) error {
			return s.SaveParent(s.Ctx, s.Parents.Change(parent), s.Sequence(with))
		}), flussi.ErrConflict)
		s.OneWins(s.childMethod()+" of a new one", s.Together(func(int) error {
			return s.SaveChildren(s.Ctx, s.Children.Change(child))
		}), flussi.ErrConflict)
		s.Parents.IsRead("that many created at once", s.Count(Next(parent), with))
		s.Children.IsRead("that many created at once", Next(child))
	}
}

// othersDoNotMatter lets each of a crowd change children of its own, of two parents, while one
// changes a parent.
func (s *Suite[P, C]) othersDoNotMatter() {
	const rounds = 5
	parent, other := s.NewParent(), s.NewParent()
	all, others := s.NewChildren(parent, Crowd), s.NewChildren(other, Crowd)
	parent, other = s.SetParent(parent, all...), s.SetParent(other, others...)
	fresh := s.NewChildren(parent, Crowd)
	for _, err := range s.Together(func(i int) error {
		if i == 0 { // the parent itself, meanwhile
			for range rounds {
				if err := s.SaveParent(s.Ctx, s.Parents.Change(parent), nil); err != nil {
					return err
				}
				parent = Next(parent)
			}
		}
		for round := range rounds {
			state, otherState := s.States[1], s.States[2]
			if round == rounds-1 {
				state, otherState = s.States[2], s.States[1]
			}
			all[i], others[i] = withState(Next(all[i]), state), withState(Next(others[i]), otherState)
			changes := []Change[C]{s.Children.Change(all[i]), s.Children.Change(others[i])}
			if i%2 == 0 {
				changes[0], changes[1] = changes[1], changes[0]
			}
			if err := s.SaveChildren(s.Ctx, changes...); err != nil {
				return err
			}
		}
		return s.SaveChildren(s.Ctx, s.Children.Change(fresh[i]))
	}) {
		if err != nil {
			s.Fail("one of %d who each change something else at once: %w", Crowd, err)
		}
	}
	when := fmt.Sprintf("after %d changed %s of two %s at once",
		Crowd, s.Children.Name.Many(), s.Parents.Name.Many())
	s.counts(when, parent, append(all, fresh...)...)
	s.counts(when, other, others...)
}
