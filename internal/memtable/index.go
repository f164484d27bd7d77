package memtable

import "slices"

// Index lists the rows of a table by a key. It is not safe for concurrent use.
type Index[E, R any, K comparable] struct {
	// SameKey reports whether two versions of an entity have the same key, for keys that take
	// long to compute. Defaults to comparing both keys.
	SameKey func(a, b *E) bool

	key      func(*E) (K, bool)
	lists    map[K]List[E, R] // without empty lists
	arriving []*Row[E, R]     // rows that settle adds to the lists
}

// NewIndex adds an index to an empty table. The key function returns false for an entity that
// has no key; such an entity is not listed.
func NewIndex[E, V, R any, K comparable](
	t *Table[E, V, R], key func(*E) (K, bool),
) *Index[E, R, K] {
	x := &Index[E, R, K]{key: key, lists: map[K]List[E, R]{}}
	t.indexes = append(t.indexes, x)
	return x
}

// Of returns the rows that have one of the keys. The caller holds the lock, and changes
// neither the list nor its rows.
func (x *Index[E, R, K]) Of(keys ...K) List[E, R] {
	if len(keys) == 1 {
		return x.lists[keys[0]]
	}
	var rows []*Row[E, R]
	for _, key := range keys {
		rows = append(rows, x.lists[key]...)
	}
	return listOf(rows)
}

// arrive notes a row that is to be listed.
func (x *Index[E, R, K]) arrive(row *Row[E, R]) { x.arriving = append(x.arriving, row) }

// leave removes a row whose next version has another key or place, and notes that it is to
// be listed again.
func (x *Index[E, R, K]) leave(row *Row[E, R], next *E, moved bool) {
	if !moved && x.sameKey(&row.Entity, next) {
		return
	}
	if key, listed := x.key(&row.Entity); listed {
		list := x.lists[key]
		list.remove(row)
		x.set(key, list)
	}
	x.arrive(row)
}

func (x *Index[E, R, K]) sameKey(a, b *E) bool {
	if x.SameKey != nil {
		return x.SameKey(a, b)
	}
	keyA, listedA := x.key(a)
	keyB, listedB := x.key(b)
	return listedA == listedB && keyA == keyB
}

// settle lists the rows that arrived. It adds neighbours that have the same key together, so
// that many older rows move the newer ones once.
func (x *Index[E, R, K]) settle() {
	if len(x.arriving) == 0 {
		return
	}
	slices.SortFunc(x.arriving, compare)
	for rest := x.arriving; len(rest) > 0; {
		key, listed := x.key(&rest[0].Entity)
		same := 1
		for same < len(rest) {
			if k, l := x.key(&rest[same].Entity); k != key || l != listed {
				break
			}
			same++
		}
		if listed {
			list := x.lists[key]
			list.merge(rest[:same])
			x.set(key, list)
		}
		rest = rest[same:]
	}
	x.arriving = nil // of an import it may be large
}

func (x *Index[E, R, K]) set(key K, list List[E, R]) {
	if len(list) > 0 {
		x.lists[key] = list
	} else {
		delete(x.lists, key)
	}
}
