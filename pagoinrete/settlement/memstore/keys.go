package memstore

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi/internal/memtable"
)

// keys lists the entities of a table that have a key, of which each may have several.
type keys[E, R any, K comparable] struct {
	of  func(*E) (uuid.UUID, []K)
	ids map[K][]uuid.UUID // with an ID for each time that the entity has the key
}

// newKeys adds keys to an empty table.
func newKeys[E, V, R any, K comparable](t *memtable.Table[E, V, R], of func(*E) (uuid.UUID, []K)) *keys[E, R, K] {
	k := &keys[E, R, K]{of: of, ids: map[K][]uuid.UUID{}}
	t.Follow(k)
	return k
}

// Enter adds an entity; the table calls it.
func (k *keys[E, R, K]) Enter(row *memtable.Row[E, R]) {
	id, all := k.of(&row.Entity)
	for _, key := range all {
		k.ids[key] = append(k.ids[key], id)
	}
}

// Leave takes an entity out; the table calls it.
func (k *keys[E, R, K]) Leave(row *memtable.Row[E, R]) {
	id, all := k.of(&row.Entity)
	for _, key := range all {
		ids := k.ids[key]
		if i := slices.Index(ids, id); i >= 0 {
			ids = slices.Delete(ids, i, i+1)
		}
		if k.ids[key] = ids; len(ids) == 0 {
			delete(k.ids, key)
		}
	}
}

// having returns the IDs of the entities that have one of the keys.
func (k *keys[E, R, K]) having(wanted ...K) []uuid.UUID {
	var all []uuid.UUID
	for _, key := range wanted {
		all = append(all, k.ids[key]...)
	}
	return all
}
