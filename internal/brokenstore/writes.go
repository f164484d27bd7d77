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
	parent, child storetest.Name,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	return []Breaker[store]{
		{child.Many() + " are stored with " + parent.An() + " row by row", conflictRule, rowByRow[P, C]},
		{"an import that fails keeps its rows", failureRule, rowByRow[P, C]},
		{"an import goes on when its context has ended", endingRule, rowByRow[P, C]},
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
			"the sequence is pulled before the " + string(parent) + " is checked",
			"the sequence of " + parent.An() + " that is in conflict is not pulled",
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
		{"the sequence is pulled twice", pulledRule, func(s store) store {
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c storetest.Change[P], children sequence[C]) error {
				if children != nil && current(s.Parents, c.Entity) == storetest.Version(c.Entity) {
					for range children { // to count them
					}
				}
				return save(ctx, c, children)
			}
			return s
		}},
		{"a sequence has 1,000 rows at most", longRule, func(s store) store {
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
		{"Save" + parent.Get() + " does not look at its context", endedRule, func(s store) store {
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c storetest.Change[P], children sequence[C]) error {
				return save(context.WithoutCancel(ctx), c, children)
			}
			return s
		}},
		{"of those who create, all succeed", creatorRule, func(s store) store {
			save := s.SaveParent
			s.SaveParent = func(ctx context.Context, c storetest.Change[P], children sequence[C]) error {
				err := save(ctx, c, children)
				if errors.Is(err, flussi.ErrConflict) && storetest.Version(c.Entity) == 0 {
					return nil
				}
				return err
			}
			return s
		}},
	}
}

// rowByRow stores a parent, and then its children one after the other.
func rowByRow[P, C any](s storetest.Store[P, C]) storetest.Store[P, C] {
	save := s.SaveParent
	s.SaveParent = func(ctx context.Context, c storetest.Change[P], children sequence[C]) error {
		if err := save(ctx, c, nil); err != nil || children == nil {
			return err
		}
		for c, err := range children {
			if err == nil {
				err = s.SaveChildren(ctx, c)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

// ofChildren breaks how children are stored by themselves.
func ofChildren[P, C storetest.Placed](
	parent, child storetest.Name,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	type save = func(context.Context, ...storetest.Change[C]) error
	saving := func(other func(s store, save save) save) func(store) store {
		return func(s store) store {
			s.SaveChildren = other(s, s.SaveChildren)
			return s
		}
	}
	togetherRule := child.Many() + " are stored together or not at all"
	return []Breaker[store]{
		{
			child.An() + " changes the version of its " + string(parent),
			"the version of " + parent.An() + " does not change with its " + child.Many(),
			saving(func(s store, save save) save {
				return func(ctx context.Context, changes ...storetest.Change[C]) error {
					err := save(ctx, changes...)
					for _, c := range changes {
						one, missing := s.Parents.Get(ctx, parentID(parent, c.Entity))
						if err == nil && missing == nil {
							_ = s.SaveParent(ctx, storetest.Change[P]{Entity: one}, nil)
						}
					}
					return err
				}
			}),
		},
		{"a conflict is nobody's error", lateRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				if err := save(ctx, changes...); !errors.Is(err, flussi.ErrConflict) {
					return err
				}
				return nil
			}
		})},
		{"of one entity twice, the second is stored", twiceRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				byID := map[uuid.UUID]storetest.Change[C]{}
				for _, c := range changes {
					byID[idOf(c.Entity)] = c
				}
				return save(ctx, slices.Collect(maps.Values(byID))...)
			}
		})},
		{child.Many() + " are stored one by one", togetherRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				for _, c := range changes {
					if err := save(ctx, c); err != nil {
						return err
					}
				}
				return ctx.Err()
			}
		})},
		{"to store nothing is an error", nothingRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				if len(changes) == 0 {
					return errors.New("syntax error near VALUES")
				}
				return save(ctx, changes...)
			}
		})},
		{"Save" + child.List() + " does not look at its context", endedRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				return save(context.WithoutCancel(ctx), changes...)
			}
		})},
		{"the end of a context is looked at too late", endedRule, saving(func(_ store, save save) save {
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				return errors.Join(save(context.WithoutCancel(ctx), changes...), ctx.Err())
			}
		})},
		{"the " + child.Many() + " of " + parent.An() + " come in the order of their IDs", sortedRule, func(s store) store {
			list := s.Children.List
			s.Children.List = func(ctx context.Context, q storetest.Filter, page flussi.Page) ([]C, error) {
				all, err := list(ctx, q, page)
				if !reflect.ValueOf(q).FieldByName(parent.Get()).IsZero() {
					slices.SortFunc(all, func(a, b C) int {
						return strings.Compare(idOf(a).String(), idOf(b).String())
					})
				}
				return all, err
			}
			return s
		}},
		{"the version is looked at first, and written later", winnerRule, saving(func(s store, save save) save {
			// All that come within a moment have seen the same version.
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				changes = slices.Clone(changes)
				for i, c := range changes {
					if storetest.Version(c.Entity) != current(s.Children, c.Entity) {
						return flussi.ErrConflict
					}
					time.Sleep(Moment)
					for {
						setVersion(&changes[i], current(s.Children, c.Entity))
						if err := save(ctx, changes[i]); !errors.Is(err, flussi.ErrConflict) {
							break
						}
					}
				}
				return ctx.Err()
			}
		})},
		{"who comes at the same time is turned away", othersRule, saving(func(_ store, save save) save {
			var busy sync.Mutex
			return func(ctx context.Context, changes ...storetest.Change[C]) error {
				if !busy.TryLock() {
					return errors.New("database is locked")
				}
				defer busy.Unlock()
				time.Sleep(Moment)
				return save(ctx, changes...)
			}
		})},
		{
			"a change of " + child.An() + " is a conflict with one of its " + string(parent), othersRule,
			func(s store) store {
				s = Late(s)
				version := func(c storetest.Change[C]) int64 {
					one, _ := s.Parents.Get(context.Background(), parentID(parent, c.Entity))
					return storetest.Version(one)
				}
				save := s.SaveChildren
				s.SaveChildren = func(ctx context.Context, changes ...storetest.Change[C]) error {
					before := storetest.Map(changes, version)
					time.Sleep(2 * Moment)
					if !slices.Equal(before, storetest.Map(changes, version)) {
						return flussi.ErrConflict
					}
					return save(ctx, changes...)
				}
				return s
			},
		},
	}
}
