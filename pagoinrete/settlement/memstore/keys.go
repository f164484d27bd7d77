package memstore

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
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

// Leave removes an entity; the table calls it.
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

// totals lists settlements by their total and then by their FlowID.
type totals map[flussi.Cents][]listed

// listed is a settlement in a list.
type listed struct {
	flowID string
	id     uuid.UUID
}

func (l listed) compare(other listed) int {
	return cmp.Or(strings.Compare(l.flowID, other.flowID), bytes.Compare(l.id[:], other.id[:]))
}

// Enter adds a settlement; the table calls it.
func (t totals) Enter(row *settlementRow) {
	e := &row.Entity
	one := listed{e.FlowID, e.ID}
	i, _ := slices.BinarySearchFunc(t[e.Total], one, listed.compare)
	t[e.Total] = slices.Insert(t[e.Total], i, one)
}

// Leave removes a settlement; the table calls it.
func (t totals) Leave(row *settlementRow) {
	e := &row.Entity
	if i, found := slices.BinarySearchFunc(t[e.Total], listed{e.FlowID, e.ID}, listed.compare); found {
		t[e.Total] = slices.Delete(t[e.Total], i, i+1)
	}
	if len(t[e.Total]) == 0 {
		delete(t, e.Total)
	}
}

// having returns the IDs of the settlements with one of the totals whose FlowID begins with a text.
func (t totals) having(wanted []flussi.Cents, prefix string) []uuid.UUID {
	var ids []uuid.UUID
	for _, total := range wanted {
		all := t[total]
		i, _ := slices.BinarySearchFunc(all, listed{flowID: prefix}, listed.compare)
		for ; i < len(all) && strings.HasPrefix(all[i].flowID, prefix); i++ {
			ids = append(ids, all[i].id)
		}
	}
	return ids
}
