package brokenstore

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// parentID is the ID of a child's parent.
func parentID[C any](parent storetest.Name, child C) uuid.UUID {
	return *storetest.FieldOf[uuid.UUID](&child, parent.Get()+"ID")
}

// ofParents breaks how parents are stored, with their children.
func ofParents[P, C storetest.Placed](
	parent, child storetest.Name, save string,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	children := child.Many()
	save, _ = storetest.Saves(save, parent, child)
	failureRule := "an error in the " + children + " of " + save + " undoes everything, and is returned"
	return []Breaker[store]{
		{children + " are stored with " + parent.An() + " row by row", "a conflict in the " + children + " of " + save + " undoes everything", rowByRow[P, C]},
		{save + " that fails keeps its " + children, failureRule, rowByRow[P, C]},
		{
			save + " goes on when its context has ended",
			"a context that ends while " + save + " pulls its " + children + " undoes everything", rowByRow[P, C],
		},
		{"a row that fails is left out", failureRule, func(s store) store {
			return pulled(s, func(children sequence[C]) sequence[C] {
				return func(yield func(storetest.Change[C], error) bool) {
					for c, err := range children {
						if err == nil && !yield(c, nil) {
							return
						}
					}
				}
			})
		}},
		{
			children + " are pulled before the " + string(parent) + " is checked",
			save + " of " + parent.An() + " that is in conflict pulls no " + children,
			func(s store) store {
				return pulled(s, func(children sequence[C]) sequence[C] {
					var rows []storetest.Change[C]
					var failure error
					for c, err := range children {
						if failure = err; err != nil {
							break
						}
						rows = append(rows, c)
					}
					return func(yield func(storetest.Change[C], error) bool) {
						for _, c := range rows {
							if !yield(c, nil) {
								return
							}
						}
						if failure != nil {
							yield(storetest.Change[C]{}, failure)
						}
					}
				})
			},
		},
		{children + " are pulled twice", save + " pulls its " + children + " once, to their end", func(s store) store {
			return savesParents(s, func(w write[P, C]) error {
				if w.rows != nil && current(s.Parents, w.parent.Entity) == storetest.Version(w.parent.Entity) {
					for range w.rows { // to count them
					}
				}
				return w.do()
			})
		}},
		{save + " stores 1,000 at most", save + " stores thousands of " + children + " whole", func(s store) store {
			return pulled(s, func(children sequence[C]) sequence[C] {
				return func(yield func(storetest.Change[C], error) bool) {
					rows := 0
					for c, err := range children {
						if rows++; rows <= 1000 && !yield(c, err) {
							return
						}
					}
				}
			})
		}},
		{"what is stored with " + parent.An() + " has no record", recordsRule, func(s store) store {
			var mu sync.Mutex
			with := map[uuid.UUID]bool{}
			history := s.Children.History
			s = pulled(s, func(children sequence[C]) sequence[C] {
				return storetest.SequenceAs(children, func(c storetest.Change[C]) storetest.Change[C] {
					mu.Lock()
					defer mu.Unlock()
					with[idOf(c.Entity)] = true
					return c
				})
			})
			s.Children.History = func(ctx context.Context, id uuid.UUID) ([]storetest.Record, error) {
				records, err := history(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if with[id] && len(records) > 0 {
					records = records[:len(records)-1]
				}
				return records, err
			}
			return s
		}},
		{save + " does not look at its context", endedRule, func(s store) store {
			return savesParents(s, unheeding[P, C])
		}},
		{"of those who create, all succeed", creatorRule, func(s store) store {
			return savesParents(s, func(w write[P, C]) error {
				err := w.do()
				if errors.Is(err, flussi.ErrConflict) && storetest.Version(w.parent.Entity) == 0 {
					return nil
				}
				return err
			})
		}},
	}
}

// rowByRow stores a parent, and then its children one after the other.
func rowByRow[P, C any](s storetest.Store[P, C]) storetest.Store[P, C] {
	return savesParents(s, func(w write[P, C]) error {
		rows := w.rows
		w.rows = nil
		if err := w.do(); err != nil || rows == nil {
			return err
		}
		for c, err := range rows {
			if err == nil {
				err = s.SaveChildren(w.ctx, c)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// unheeding does not look at the context of a write.
func unheeding[P, C any](w write[P, C]) error {
	w.ctx = context.WithoutCancel(w.ctx)
	return w.do()
}

// ofChildren breaks how children are stored by themselves.
func ofChildren[P, C storetest.Placed](
	parent, child storetest.Name, save string,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	saving := func(other func(write[P, C]) error) func(store) store {
		return func(s store) store { return savesChildren(s, other) }
	}
	_, save = storetest.Saves(save, parent, child)
	wholeRule := save + " stores a thousand " + child.Many() + " whole"
	togetherRule := child.Many() + " are stored together or not at all"
	return []Breaker[store]{
		{
			child.An() + " changes the version of its " + string(parent),
			"the version of " + parent.An() + " does not change with its " + child.Many(),
			saving(func(w write[P, C]) error {
				err := w.do()
				for _, c := range w.all {
					one, missing := w.store.Parents.Get(w.ctx, parentID(parent, c.Entity))
					if err == nil && missing == nil {
						_ = w.store.SaveParent(w.ctx, storetest.Change[P]{Entity: one}, nil)
					}
				}
				return err
			}),
		},
		{"a conflict is nobody's error", lateRule, saving(func(w write[P, C]) error {
			if err := w.do(); !errors.Is(err, flussi.ErrConflict) {
				return err
			}
			return nil
		})},
		{"of one entity twice, the second is stored", twiceRule, saving(func(w write[P, C]) error {
			byID := map[uuid.UUID]storetest.Change[C]{}
			for _, c := range w.all {
				byID[idOf(c.Entity)] = c
			}
			w.all = slices.Collect(maps.Values(byID))
			return w.do()
		})},
		{child.Many() + " are stored one by one", togetherRule, saving(func(w write[P, C]) error {
			for _, c := range w.all {
				if err := w.store.SaveChildren(w.ctx, c); err != nil {
					return err
				}
			}
			return w.ctx.Err()
		})},
		{save + " stores 400 at most", wholeRule, saving(func(w write[P, C]) error {
			w.all = w.all[:min(len(w.all), 400)]
			return w.do()
		})},
		{save + " changes 400 at most", wholeRule, saving(func(w write[P, C]) error {
			if len(w.all) > 400 && storetest.Version(w.all[0].Entity) > 0 {
				w.all = w.all[:400]
			}
			return w.do()
		})},
		{"a field that changes alone is not stored", aloneRule, saving(func(w write[P, C]) error {
			for i, c := range w.all {
				stored, err := w.store.Children.Get(w.ctx, idOf(c.Entity))
				if err == nil && len(storetest.Differences(stored, c.Entity)) == 1 {
					w.all[i].Entity = stored
				}
			}
			return w.do()
		})},
		{"to store nothing is an error", nothingRule, saving(func(w write[P, C]) error {
			if len(w.all) == 0 {
				return errors.New("syntax error near VALUES")
			}
			return w.do()
		})},
		{save + " does not look at its context", endedRule, saving(unheeding[P, C])},
		{"the end of a context is looked at too late", endedRule, saving(func(w write[P, C]) error {
			return errors.Join(unheeding(w), w.ctx.Err())
		})},
		{"the " + child.Many() + " of " + parent.An() + " come in the order of their IDs", sortedRule, ofReads[P](nil, lists(func(l listCall[C]) ([]C, error) {
			all, err := l.do()
			if !reflect.ValueOf(l.filter).FieldByName(parent.Get()).IsZero() {
				slices.SortFunc(all, func(a, b C) int { return strings.Compare(idOf(a).String(), idOf(b).String()) })
			}
			return all, err
		}))},
		{"the version is looked at first, and written later", winnerRule, saving(func(w write[P, C]) error {
			// All that come within a moment have seen the same version.
			for _, c := range w.all {
				if storetest.Version(c.Entity) != current(w.store.Children, c.Entity) {
					return flussi.ErrConflict
				}
				time.Sleep(Moment)
				for {
					setVersion(&c, current(w.store.Children, c.Entity))
					if err := w.store.SaveChildren(w.ctx, c); !errors.Is(err, flussi.ErrConflict) {
						break
					}
				}
			}
			return w.ctx.Err()
		})},
		{"who comes at the same time is turned away", othersRule, func(s store) store {
			var busy sync.Mutex
			return savesChildren(s, func(w write[P, C]) error {
				if !busy.TryLock() {
					return errors.New("database is locked")
				}
				defer busy.Unlock()
				time.Sleep(Moment)
				return w.do()
			})
		}},
		{
			"a change of " + child.An() + " is a conflict with one of its " + string(parent), othersRule,
			func(s store) store {
				s = Late(s)
				version := func(c storetest.Change[C]) int64 {
					one, _ := s.Parents.Get(context.Background(), parentID(parent, c.Entity))
					return storetest.Version(one)
				}
				return savesChildren(s, func(w write[P, C]) error {
					before := storetest.Map(w.all, version)
					time.Sleep(2 * Moment)
					if !slices.Equal(before, storetest.Map(w.all, version)) {
						return flussi.ErrConflict
					}
					return w.do()
				})
			},
		},
	}
}
