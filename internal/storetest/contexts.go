package storetest

import (
	"context"
	"time"

	"github.com/flussi-go/flussi"
)

// Call is a call of one method of a store.
type Call struct {
	Doing string                      // such as "SaveFlow of a new flow"
	With  func(context.Context) error // calls it
}

// RefusesEnded checks that calls return the error of a context that has ended, and that nothing
// changes.
func (s *Suite[P, C]) RefusesEnded(calls ...Call) {
	cancelled, cancel := context.WithCancel(s.Ctx)
	cancel()
	late, cancel := context.WithDeadline(s.Ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		for _, call := range calls {
			before, what := s.Snapshot(), call.Doing+" with a context that has ended"
			s.Wants(ctx.Err(), call.With(ctx), what)
			s.Unchanged(before, what)
		}
	}
}

func (s *Suite[P, C]) endedContextsAreRefused() {
	parent := s.NewParent()
	child := s.NewChild(parent)
	parent, child = s.SetParent(parent, child), Next(child)
	s.RefusesEnded(reading(s.ParentName, s.Parents, parent, s.ParentsByID())...)
	s.RefusesEnded(reading(s.ChildName, s.Children, child, s.ChildrenByID())...)
	setParent, setChildren := saveParent(s.ParentName), saveChildren(s.ChildName)
	s.RefusesEnded(
		Call{setParent + " of a new " + string(s.ParentName), func(ctx context.Context) error {
			return s.SaveParent(ctx, s.ParentChange(s.NewParent()), nil)
		}},
		Call{setParent + " with " + s.ChildName.An(), func(ctx context.Context) error {
			return s.SaveParent(ctx, s.ParentChange(parent), s.Sequence(child))
		}},
		Call{setChildren + " of a new one", func(ctx context.Context) error {
			return s.SaveChildren(ctx, s.ChildChange(s.NewChild(parent)))
		}},
		Call{setChildren, func(ctx context.Context) error {
			return s.SaveChildren(ctx, s.ChildChange(child))
		}},
	)
}

// reading is calls of all methods that read.
func reading[E Placed](name Name, m Methods[E], one E, all Filter) []Call {
	return []Call{
		{name.Get(), func(ctx context.Context) error {
			_, err := m.Get(ctx, idOf(one))
			return err
		}},
		{name.List(), func(ctx context.Context) error {
			_, err := m.List(ctx, all, flussi.Page{Limit: 1})
			return err
		}},
		{name.History(), func(ctx context.Context) error {
			_, err := m.History(ctx, idOf(one))
			return err
		}},
	}
}

func (s *Suite[P, C]) contextsEndTheSequence() {
	there := s.NewParent()
	there = s.SetParent(there, s.NewChild(there))
	for _, parent := range []P{s.ChangedParent(there), s.NewParent()} {
		ctx, cancel := context.WithCancel(s.Ctx)
		defer cancel()
		before, what := s.Snapshot(), saveParent(s.ParentName)+" with a context that ends in the sequence"
		err := s.SaveParent(ctx, s.ParentChange(parent), func(yield func(Change[C], error) bool) {
			if s.yields(parent, 200, yield) {
				cancel()
				s.yields(parent, 100, yield)
			}
		})
		s.Wants(context.Canceled, err, what)
		s.Unchanged(before, what)
	}
}
