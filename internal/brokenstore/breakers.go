package brokenstore

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// Breakers is what breaks the shared rules, in the words of a suite. The method save stores both
// kinds; "" if each has its own.
func Breakers[P, C storetest.Placed](
	parent, child storetest.Name, save string,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	var all []Breaker[store]
	for _, b := range ofMethods[P](parent) {
		all = append(all, Breaker[store]{parent.Many() + ": " + b.Name, b.Rule, ofReads[P, C](b.Break, nil)})
	}
	for _, b := range ofMethods[C](child) {
		all = append(all, Breaker[store]{child.Many() + ": " + b.Name, b.Rule, ofReads[P](nil, b.Break)})
	}
	for _, b := range ofVersions {
		all = append(all,
			Breaker[store]{parent.Many() + ": " + b.name, b.rule, func(s store) store {
				return writtenParents(s, func(c *storetest.Change[P], old P) {
					setVersion(c, b.takes(storetest.Version(c.Entity), storetest.Version(old)))
				})
			}},
			Breaker[store]{child.Many() + ": " + b.name, b.rule, func(s store) store {
				return WrittenChildren(s, func(c *storetest.Change[C], old C) {
					setVersion(c, b.takes(storetest.Version(c.Entity), storetest.Version(old)))
				})
			}},
		)
	}
	all = append(all, Breaker[store]{
		"two who lock in another order are a deadlock", winnerRule, LockingOneByOne[P, C],
	})
	return slices.Concat(all, ofRefusals[P, C](parent, child),
		ofCounts[P, C](parent, child), ofParents[P, C](parent, child, save), ofChildren[P, C](parent, child, save))
}

// ofVersions breaks the check of versions, by taking what is stored for another version than the
// given one. The current one is 0 if nothing is there.
var ofVersions = []struct {
	name, rule string
	takes      func(given, current int64) int64
}{
	{"to create what is there overwrites it", newRule, func(given, current int64) int64 {
		if given == 0 {
			return current
		}
		return given
	}},
	{"to change what is not there creates it", oldRule, func(given, current int64) int64 {
		if current == 0 {
			return 0
		}
		return given
	}},
	{"the last one wins", lateRule, func(given, current int64) int64 {
		if given > 0 {
			return current
		}
		return given
	}},
}

// counts returns the counts of a parent, to be set.
func counts[P any](parent *P) reflect.Value {
	return reflect.ValueOf(parent).Elem().FieldByName("Counts")
}

func ofCounts[P, C storetest.Placed](
	parent, child storetest.Name,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	ofChildren := "the counts of " + parent.An() + " are those of its " + child.Many()
	return []Breaker[store]{
		{"counts are those of the first reading", ofChildren, func(s store) store {
			var mu sync.Mutex
			first := map[uuid.UUID]reflect.Value{}
			get := s.Parents.Get
			s.Parents.Get = func(ctx context.Context, id uuid.UUID) (P, error) {
				mu.Lock()
				defer mu.Unlock()
				one, err := get(ctx, id)
				if known, there := first[id]; there {
					counts(&one).Set(known)
				}
				first[id] = reflect.ValueOf(counts(&one).Interface())
				return one, err
			}
			return s
		}},
		{"lists have no counts", ofChildren, ofReads[P, C](listed(func(all []P, _ flussi.Page) []P {
			for i := range all {
				counts(&all[i]).SetZero()
			}
			return all
		}), nil)},
		{"counts are written", "the counts of " + parent.An() + " are not written", func(s store) store {
			var mu sync.Mutex
			given := map[uuid.UUID]reflect.Value{}
			broken := writtenParents(s, func(c *storetest.Change[P], _ P) {
				mu.Lock()
				defer mu.Unlock()
				given[idOf(c.Entity)] = reflect.ValueOf(counts(&c.Entity).Interface())
			})
			broken.Parents.Get = func(ctx context.Context, id uuid.UUID) (P, error) {
				one, err := s.Parents.Get(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if counts, there := given[id], counts(&one); there.IsZero() && counts.IsValid() {
					there.Set(counts)
				}
				return one, err
			}
			return broken
		}},
	}
}
