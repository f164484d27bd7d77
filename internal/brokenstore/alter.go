package brokenstore

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// sequence is the children that are stored with a parent.
type sequence[C any] = iter.Seq2[storetest.Change[C], error]

// write is a call of one of the methods that write, and the store that does it as it should.
type write[P, C any] struct {
	ctx   context.Context
	store storetest.Store[P, C]

	parent *storetest.Change[P]  // of SaveParent
	rows   sequence[C]           // of SaveParent
	all    []storetest.Change[C] // of SaveChildren
}

// do makes the call.
func (w write[P, C]) do() error {
	if w.parent != nil {
		return w.store.SaveParent(w.ctx, *w.parent, w.rows)
	}
	return w.store.SaveChildren(w.ctx, w.all...)
}

// savesParents is a store that stores parents in another way.
func savesParents[P, C any](s storetest.Store[P, C], other func(write[P, C]) error) storetest.Store[P, C] {
	broken := s
	broken.SaveParent = func(ctx context.Context, c storetest.Change[P], rows sequence[C]) error {
		return other(write[P, C]{ctx: ctx, store: s, parent: &c, rows: rows})
	}
	return broken
}

// savesChildren is a store that stores children in another way.
func savesChildren[P, C any](s storetest.Store[P, C], other func(write[P, C]) error) storetest.Store[P, C] {
	broken := s
	broken.SaveChildren = func(ctx context.Context, changes ...storetest.Change[C]) error {
		return other(write[P, C]{ctx: ctx, store: s, all: changes})
	}
	return broken
}

// writtenParents is a store that changes the parents that it is given before it stores them. Old
// is the one that is stored, the zero value if there is none.
func writtenParents[P, C any](
	s storetest.Store[P, C], change func(c *storetest.Change[P], old P),
) storetest.Store[P, C] {
	return savesParents(s, func(w write[P, C]) error {
		w.parent.Entity = storetest.Clone(w.parent.Entity)
		change(w.parent, stored(s.Parents, w.parent.Entity))
		return w.do()
	})
}

// WrittenChildren is a store that changes the children that it is given before it stores them.
// Old is the one that is stored, the zero value if there is none.
func WrittenChildren[P, C any](
	s storetest.Store[P, C], change func(c *storetest.Change[C], old C),
) storetest.Store[P, C] {
	changed := func(c storetest.Change[C]) storetest.Change[C] {
		change(&c, stored(s.Children, c.Entity))
		return c
	}
	s = pulled(s, func(children sequence[C]) sequence[C] {
		return storetest.SequenceAs(children, changed)
	})
	return savesChildren(s, func(w write[P, C]) error {
		w.all = storetest.Map(w.all, changed)
		return w.do()
	})
}

// pulled is a store that pulls another sequence than the one that it is given, if it is given
// one.
func pulled[P, C any](
	s storetest.Store[P, C], other func(sequence[C]) sequence[C],
) storetest.Store[P, C] {
	return savesParents(s, func(w write[P, C]) error {
		if w.rows != nil {
			w.rows = other(w.rows)
		}
		return w.do()
	})
}

// breaking makes broken methods of good ones.
type breaking[E any] = func(storetest.Methods[E]) storetest.Methods[E]

// Reads changes what is returned of the entities of one kind.
func Reads[E any](change func(*E)) breaking[E] {
	return func(m storetest.Methods[E]) storetest.Methods[E] {
		get := m.Get
		m.Get = func(ctx context.Context, id uuid.UUID) (E, error) {
			one, err := get(ctx, id)
			change(&one)
			return one, err
		}
		return listed(func(all []E, _ flussi.Page) []E {
			for i := range all {
				change(&all[i])
			}
			return all
		})(m)
	}
}

// listCall is a call of a method that lists.
type listCall[E any] struct {
	own    func(context.Context, storetest.Filter, flussi.Page) ([]E, error) // the store's method
	ctx    context.Context
	filter storetest.Filter
	page   flussi.Page
}

// do makes the call.
func (l listCall[E]) do() ([]E, error) { return l.own(l.ctx, l.filter, l.page) }

// lists makes a list in another way.
func lists[E any](other func(listCall[E]) ([]E, error)) breaking[E] {
	return func(m storetest.Methods[E]) storetest.Methods[E] {
		own := m.List
		m.List = func(ctx context.Context, filter storetest.Filter, page flussi.Page) ([]E, error) {
			return other(listCall[E]{own, ctx, filter, page})
		}
		return m
	}
}

// listed changes what is returned of a page.
func listed[E any](change func([]E, flussi.Page) []E) breaking[E] {
	return lists(func(l listCall[E]) ([]E, error) {
		all, err := l.do()
		return change(all, l.page), err
	})
}

// paged looks for another page than it is asked for.
func paged[E any](change func(*flussi.Page)) breaking[E] {
	return lists(func(l listCall[E]) ([]E, error) {
		change(&l.page)
		return l.do()
	})
}

// recorded changes what is returned of a history.
func recorded[E any](change func([]storetest.Record) ([]storetest.Record, error)) breaking[E] {
	return func(m storetest.Methods[E]) storetest.Methods[E] {
		history := m.History
		m.History = func(ctx context.Context, id uuid.UUID) ([]storetest.Record, error) {
			records, err := history(ctx, id)
			if err != nil {
				return nil, err
			}
			return change(records)
		}
		return m
	}
}

// asked looks for something else than it is asked for. It gives a pointer to the filter.
func asked[E any](change func(pointer any)) breaking[E] {
	return lists(func(l listCall[E]) ([]E, error) {
		pointer := reflect.New(reflect.TypeOf(l.filter))
		pointer.Elem().Set(reflect.ValueOf(l.filter))
		change(pointer.Interface())
		return l.own(l.ctx, pointer.Elem().Interface(), l.page)
	})
}

// Asks looks for something else than it is asked for. Q is the store's own filter.
func Asks[E, Q any](change func(*Q)) breaking[E] {
	return asked[E](func(filter any) { change(filter.(*Q)) })
}

// Searches finds in its own way, by looking at everything that the rest of the filter finds. It
// is asked with the filter of each search, takes from it what it looks at itself, and returns
// what matches; nil leaves the search to the store.
func Searches[E, Q any](by func(*Q) (matches func(E) bool)) breaking[E] {
	return lists(func(l listCall[E]) ([]E, error) {
		rest := l.filter.(Q)
		matches := by(&rest)
		if matches == nil {
			return l.do()
		}
		all, err := l.own(l.ctx, rest, flussi.Page{After: l.page.After, OldestFirst: l.page.OldestFirst})
		all = slices.DeleteFunc(all, func(one E) bool { return !matches(one) })
		return all[:min(len(all), l.page.Limit)], err
	})
}

// OwnSlice is a history that returns the slice that the store goes on with.
func OwnSlice[R any](
	history func(context.Context, uuid.UUID) ([]R, error),
) func(context.Context, uuid.UUID) ([]R, error) {
	var mu sync.Mutex
	kept := map[uuid.UUID][]R{}
	return func(ctx context.Context, id uuid.UUID) ([]R, error) {
		records, err := history(ctx, id)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && len(kept[id]) < len(records) {
			kept[id] = records
		}
		return kept[id], err
	}
}

// Like matches as SQL's LIKE does, if nobody thinks of its wildcards.
func Like(stored, wanted string) bool {
	pattern := regexp.QuoteMeta(strings.ToLower(wanted))
	pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
	return regexp.MustCompile("(?s)" + pattern).MatchString(strings.ToLower(stored))
}

// InEnglish matches as a database does that knows the lower case of English letters only.
func InEnglish(stored, wanted string) bool {
	return strings.Contains(EnglishLower(stored), EnglishLower(wanted))
}

// EnglishLower is lower case to such a database.
func EnglishLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// LockingOneByOne is a store that locks what it writes one after the other, and gives up when
// another has what it waits for, as a database does that finds a deadlock.
func LockingOneByOne[P, C storetest.Placed](s storetest.Store[P, C]) storetest.Store[P, C] {
	var mu sync.Mutex
	locked := map[uuid.UUID]bool{}
	lock := func(ids ...uuid.UUID) (func(), error) {
		var ours []uuid.UUID
		unlock := func() {
			mu.Lock()
			defer mu.Unlock()
			for _, id := range ours {
				delete(locked, id)
			}
		}
		for _, id := range ids {
			mu.Lock()
			taken := locked[id]
			if !taken {
				locked[id] = true
				ours = append(ours, id)
			}
			mu.Unlock()
			if taken {
				unlock()
				return nil, errors.New("deadlock detected")
			}
			time.Sleep(Moment)
		}
		return unlock, nil
	}
	return savesParents(savesChildren(s, func(w write[P, C]) error {
		unlock, err := lock(storetest.Map(w.all, func(c storetest.Change[C]) uuid.UUID { return idOf(c.Entity) })...)
		if err != nil {
			return err
		}
		defer unlock()
		return w.do()
	}), func(w write[P, C]) error {
		unlock, err := lock(idOf(w.parent.Entity))
		if err != nil {
			return err
		}
		defer unlock()
		return w.do()
	})
}

// Moment is how long somebody waits for all others to come along. In a bubble of package
// synctest, time goes on once everybody waits: what takes one moment is over before what takes
// two, however many processors there are.
const Moment = time.Microsecond

// Late is a store that writes a moment after it is asked to.
func Late[P, C any](s storetest.Store[P, C]) storetest.Store[P, C] {
	late := func(w write[P, C]) error {
		time.Sleep(Moment)
		return w.do()
	}
	return savesParents(savesChildren(s, late), late)
}

func idOf[E storetest.Placed](one E) uuid.UUID { return one.Cursor().ID }

// stored returns the entity as it is in the store; the zero value if it is not there.
func stored[E any](m storetest.Methods[E], one E) E {
	old, err := m.Get(context.Background(), *storetest.FieldOf[uuid.UUID](&one, "ID"))
	if err != nil {
		var none E
		return none
	}
	return old
}

// current is the version that an entity has in the store; 0 if it is not there.
func current[E any](m storetest.Methods[E], one E) int64 {
	return storetest.Version(stored(m, one))
}

func setVersion[E any](c *storetest.Change[E], version int64) {
	c.Entity = storetest.WithVersion(c.Entity, version)
}
