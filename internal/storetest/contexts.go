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
	s.RefusesEnded(s.Parents.reading(parent)...)
	s.RefusesEnded(s.Children.reading(child)...)
	setParent, setChildren := s.parentMethod(), s.childMethod()
	s.RefusesEnded(
		Call{setParent + " of a new " + string(s.Parents.Name), func(ctx context.Context) error {
			return s.SaveParent(ctx, s.Parents.Change(s.NewParent()), nil)
		}},
		Call{setParent + " with " + s.Children.Name.An(), func(ctx context.Context) error {
			return s.SaveParent(ctx, s.Parents.Change(parent), s.Sequence(child))
		}},
		Call{setChildren + " of a new one", func(ctx context.Context) error {
			return s.SaveChildren(ctx, s.Children.Change(s.NewChild(parent)))
		}},
		Call{setChildren, func(ctx context.Context) error {
			return s.SaveChildren(ctx, s.Children.Change(child))
		}},
	)
}

// reading is calls of all methods that read.
func (k *Kind[E]) reading(one E) []Call {
	return []Call{
		{k.Name.Get(), func(ctx context.Context) error {
			_, err := k.Get(ctx, idOf(one))
			return err
		}},
		{k.Name.List(), func(ctx context.Context) error {
			_, err := k.List(ctx, k.ByID(), flussi.Page{Limit: 1})
			return err
		}},
		{k.Name.History(), func(ctx context.Context) error {
			_, err := k.History(ctx, idOf(one))
			return err
		}},
	}
}

func (s *Suite[P, C]) contextsEndTheSequence() {
	there := s.NewParent()
	there = s.SetParent(there, s.NewChild(there))
	for _, parent := range []P{s.Parents.Changed(there), s.NewParent()} {
		ctx, cancel := context.WithCancel(s.Ctx)
		defer cancel()
		before, what := s.Snapshot(), s.parentMethod()+" with a context that ends while it pulls its "+s.Children.Name.Many()
		err := s.SaveParent(ctx, s.Parents.Change(parent), func(yield func(Change[C], error) bool) {
			if s.yields(parent, 200, yield) {
				cancel()
				s.yields(parent, 100, yield)
			}
		})
		s.Wants(context.Canceled, err, what)
		s.Unchanged(before, what)
	}
}
