package memtable

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

// entity is what the tables of the tests keep, as parents and as children.
type entity struct {
	id, parent uuid.UUID
	created    time.Time
	version    int64
	key        string // "": none
	tags       []string
}

type record struct {
	version int64
	text    string
}

type (
	entityRow = Row[entity, record]
	testTable = Table[entity, entity, record]
)

// store has two tables, as the stores have.
type store struct {
	db                DB
	parents, children *testTable
	byKey             *Index[entity, record, string]
	byParent          *Index[entity, record, uuid.UUID]
	counts            *Counts[entity, record, int]
}

func newStore() *store {
	s := &store{}
	kind := Kind[entity, entity, record]{
		Place:         func(e *entity) flussi.Cursor { return flussi.Cursor{At: e.created, ID: e.id} },
		Version:       func(e *entity) *int64 { return &e.version },
		RecordVersion: func(r *record) *int64 { return &r.version },
		View:          func(e *entity) *entity { return e },
		Complete: func(view entity) entity {
			view.tags = slices.Clone(view.tags)
			return view
		},
	}
	s.parents, s.children = New(&s.db, kind), New(&s.db, kind)
	s.byKey = NewIndex(s.children, func(e *entity) (string, bool) { return e.key, e.key != "" })
	s.byParent = NewIndex(s.children, func(e *entity) (uuid.UUID, bool) { return e.parent, true })
	s.counts = NewCounts(s.children, func(e *entity) uuid.UUID { return e.parent }, func(c *int, _ *entity, by int) { *c += by })
	return s
}

var op = Operation{Name: "save"}

func newEntity() entity { return entity{id: uuid.New(), created: start, key: "a"} }

func rowOf(e entity) *entityRow {
	return &entityRow{Entity: e, History: []record{{text: "because"}}}
}

// save stores children, and fails the test if it cannot.
func (s *store) save(t *testing.T, children ...entity) {
	require.NoError(t, s.db.Save(t.Context(), op, s.children.Write(Rows(children, rowOf)...)))
}

// found returns the IDs of a list of children.
func (s *store) found(t *testing.T, list List[entity, record]) []uuid.UUID {
	page, err := s.children.Page(t.Context(), "list", Range{Page: flussi.Page{OldestFirst: true}},
		func() List[entity, record] { return list }, func(*entity) bool { return true })
	require.NoError(t, err)
	var ids []uuid.UUID
	for _, e := range page {
		ids = append(ids, e.id)
	}
	return ids
}

func TestWriteChecksVersions(t *testing.T) {
	for _, test := range []struct {
		rule     string
		stored   int64   // the version that is stored; 0: none
		written  []int64 // those of the rows of a write
		conflict bool
	}{
		{"a new entity has version 0", 0, []int64{0}, false},
		{"the next version has the stored one", 2, []int64{2}, false},
		{"an entity that exists is not new", 1, []int64{0}, true},
		{"an entity that is not new exists", 0, []int64{1}, true},
		{"an older version is a conflict", 2, []int64{1}, true},
		{"a later version is a conflict", 1, []int64{2}, true},
		{"a new entity is not written twice", 0, []int64{0, 0}, true},
		{"a new entity is not changed by the same write", 0, []int64{0, 1}, true},
		{"an entity is not changed twice", 1, []int64{1, 1}, true},
		{"an entity is not changed twice in a row", 1, []int64{1, 2}, true},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s, e := newStore(), newEntity()
			for version := range test.stored {
				e.version = version
				s.save(t, e)
			}
			other := newEntity()
			rows := []*entityRow{rowOf(other)}
			for _, version := range test.written {
				e.version, e.key = version, "b"
				rows = append(rows, rowOf(e))
			}
			parent := newEntity()
			err := s.db.Save(t.Context(), op, s.parents.Write(rowOf(parent)), s.children.Write(rows...))
			version := test.stored
			if test.conflict {
				assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "save", ID: e.id, Err: flussi.ErrConflict}, err)
				assert.Nil(t, s.children.Row(other.id), "a row before the conflict")
				assert.Nil(t, s.parents.Row(parent.id), "a part before the conflict")
				assert.Empty(t, s.byKey.Of("b"))
				assert.Equal(t, min(int(test.stored), 1), s.counts.Of(uuid.Nil))
			} else {
				require.NoError(t, err)
				version++
				assert.Equal(t, []uuid.UUID{e.id}, s.found(t, s.byKey.Of("b")))
				assert.Equal(t, 2, s.counts.Of(uuid.Nil))
			}
			history := must.Get(s.children.History(t.Context(), "read history", e.id))(t)
			require.Len(t, history, int(version))
			for i, r := range history {
				assert.Equal(t, record{int64(i + 1), "because"}, r)
			}
		})
	}
}

// lastPart is a part that may refuse a write, and notes that it was put.
type lastPart struct {
	err error
	put bool
}

func (p *lastPart) Check(Operation) error { return p.err }

func (p *lastPart) Put() { p.put = true }

func TestSaveStoresAllPartsOrNone(t *testing.T) {
	for _, test := range []struct {
		rule string
		err  error // of the last part
	}{
		{"if no part refuses, all are stored", nil},
		{"if the last part refuses, none is stored", errors.New("refused")},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s, parent, child, last := newStore(), newEntity(), newEntity(), &lastPart{err: test.err}
			err := s.db.Save(t.Context(), op, s.parents.Write(rowOf(parent)), s.children.Write(rowOf(child)), last)
			assert.Equal(t, test.err, err)
			assert.Equal(t, err == nil, s.parents.Row(parent.id) != nil)
			assert.Equal(t, err == nil, s.children.Row(child.id) != nil)
			assert.Equal(t, err == nil, last.put)
		})
	}
}

func TestPullReturnsAllRowsOrAnError(t *testing.T) {
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entities := func(errs ...error) iter.Seq2[entity, error] {
		return func(yield func(entity, error) bool) {
			for _, err := range errs {
				if errors.Is(err, context.Canceled) {
					cancel()
					err = nil
				}
				if !yield(newEntity(), err) {
					return
				}
			}
			t.Log("pulled to its end")
		}
	}
	for _, test := range []struct {
		rule     string
		sequence iter.Seq2[entity, error]
		rows     int
		want     error
	}{
		{"nil stands for no rows", nil, 0, nil},
		{"all rows are returned", entities(nil, nil, nil), 3, nil},
		{"an error of the sequence is returned as it is", entities(nil, broken, nil), 0, broken},
		{"the context is checked for each row", entities(nil, context.Canceled, nil), 0, context.Canceled},
	} {
		t.Run(test.rule, func(t *testing.T) {
			rows, err := Pull(ctx, op, test.sequence, rowOf)
			assert.Len(t, rows, test.rows)
			assert.ErrorIs(t, err, test.want)
		})
	}
}

func TestContextThatEndedEndsEveryCall(t *testing.T) {
	s, e := newStore(), newEntity()
	s.save(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for call, do := range map[string]func() error{
		"Get":     func() error { _, err := s.children.Get(ctx, "get", e.id); return err },
		"History": func() error { _, err := s.children.History(ctx, "read history", e.id); return err },
		"Page": func() error {
			_, err := s.children.Page(ctx, "list", Range{}, s.children.All, func(*entity) bool { return true })
			return err
		},
		"Check": func() error { return s.db.Check(ctx, op) },
		"Save":  func() error { return s.db.Save(ctx, op, s.children.Write(rowOf(newEntity()))) },
	} {
		t.Run(call, func(t *testing.T) { assert.ErrorIs(t, do(), context.Canceled) })
	}
	assert.Len(t, s.children.All(), 1)
}

func TestReturnedValuesAreCopies(t *testing.T) {
	s, e := newStore(), newEntity()
	e.tags = []string{"a"}
	s.save(t, e)
	spoil := func(e entity) { e.tags[0] = "spoiled" }
	got := must.Get(s.children.Get(t.Context(), "get", e.id))(t)
	spoil(got)
	page := must.Get(s.children.Page(t.Context(), "list", Range{}, s.children.All, func(*entity) bool { return true }))(t)
	spoil(page[0])
	history := must.Get(s.children.History(t.Context(), "read history", e.id))(t)
	history[0].text = "spoiled"

	got = must.Get(s.children.Get(t.Context(), "get", e.id))(t)
	assert.Equal(t, []string{"a"}, got.tags)
	history = must.Get(s.children.History(t.Context(), "read history", e.id))(t)
	assert.Equal(t, []record{{1, "because"}}, history)
}

func TestUnknownIDIsNotFound(t *testing.T) {
	s, id := newStore(), uuid.New()
	_, err := s.children.Get(t.Context(), "get", id)
	assert.Equal(t, &flussi.Error{Package: "memstore", Operation: "get", ID: id, Err: flussi.ErrNotFound}, err)
	history, err := s.children.History(t.Context(), "read history", id)
	assert.NoError(t, err)
	assert.Empty(t, history)
}

func TestPickReturnsStoredRowsOnce(t *testing.T) {
	s, a, b := newStore(), newEntity(), newEntity()
	b.created = start.Add(time.Second)
	s.save(t, b, a, newEntity())
	assert.Equal(t, []uuid.UUID{a.id, b.id}, s.found(t, s.children.Pick([]uuid.UUID{b.id, uuid.New(), a.id, b.id})))
	assert.Empty(t, s.children.Pick([]uuid.UUID{uuid.New()}))
}

func TestCarrySetsTheNextVersionOnly(t *testing.T) {
	s := newStore()
	s.children.kind.Carry = func(stored, next *entity) { next.tags = append(next.tags, stored.key) }
	e := newEntity()
	s.save(t, e)
	assert.Empty(t, s.children.Row(e.id).Entity.tags)
	e.version, e.key = 1, "b"
	s.save(t, e)
	assert.Equal(t, []string{"a"}, s.children.Row(e.id).Entity.tags)
}

// seen is a follower that notes the keys and versions of rows.
type seen struct{ left, entered []record }

func (f *seen) Enter(r *entityRow) {
	f.entered = append(f.entered, record{r.Entity.version, r.Entity.key})
}
func (f *seen) Leave(r *entityRow) { f.left = append(f.left, record{r.Entity.version, r.Entity.key}) }

func TestFollowersSeeTheOldVersionLeaveAndTheNewOneEnter(t *testing.T) {
	s, f := newStore(), &seen{}
	s.children.Follow(f)
	e := newEntity()
	s.save(t, e)
	row := s.children.Row(e.id)
	next := row.Entity
	next.key = "b"
	s.children.Replace(row, &next, record{text: "replaced"})
	assert.Equal(t, &seen{left: []record{{1, "a"}}, entered: []record{{1, "a"}, {2, "b"}}}, f)
	assert.Equal(t, []record{{1, "because"}, {2, "replaced"}}, row.History)
	assert.Empty(t, s.byKey.Of("a"))
	assert.Equal(t, []uuid.UUID{e.id}, s.found(t, s.byKey.Of("b")))
	assert.Equal(t, int64(1), next.version, "what the caller passed stays as it is")
}

func TestIndexUsesSameKeyInPlaceOfTheKeys(t *testing.T) {
	s, e := newStore(), newEntity()
	s.save(t, e)
	s.byKey.SameKey = func(a, b *entity) bool { return a.parent == b.parent }
	e.version, e.parent, e.key = 1, uuid.New(), "b"
	s.save(t, e)
	assert.Empty(t, s.byKey.Of("a"))
	assert.Equal(t, []uuid.UUID{e.id}, s.found(t, s.byKey.Of("b")))
}

// After any writes, lists, indexes and counts are those of the stored entities.
func TestDerivedDataFitTheRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newStore()
	keys := []string{"", "a", "b", "c"}
	parents := []uuid.UUID{{}, {1}, {2}}
	known := []entity{}
	for range 300 {
		var changes []entity
		for _, i := range r.Perm(len(known))[:min(len(known), r.IntN(4))] {
			changes = append(changes, known[i])
		}
		for range r.IntN(4) {
			changes = append(changes, entity{id: uuid.New()})
		}
		for i := range changes {
			e := &changes[i]
			if e.version == 0 || r.IntN(3) == 0 {
				e.created = start.Add(time.Duration(r.IntN(20)) * time.Second)
			}
			if r.IntN(2) == 0 {
				e.key = keys[r.IntN(len(keys))]
			}
			if r.IntN(2) == 0 {
				e.parent = parents[r.IntN(len(parents))]
			}
		}
		s.save(t, changes...)
		for _, e := range changes {
			e.version++
			known = append(slices.DeleteFunc(known, func(k entity) bool { return k.id == e.id }), e)
		}
	}
	having := func(match func(entity) bool) []uuid.UUID {
		var ids []uuid.UUID
		slices.SortFunc(known, func(a, b entity) int {
			return flussi.Cursor{At: a.created, ID: a.id}.Compare(flussi.Cursor{At: b.created, ID: b.id})
		})
		for _, e := range known {
			if match(e) {
				ids = append(ids, e.id)
			}
		}
		return ids
	}
	assert.Equal(t, having(func(entity) bool { return true }), s.found(t, s.children.All()))
	for _, key := range keys[1:] {
		assert.Equal(t, having(func(e entity) bool { return e.key == key }), s.found(t, s.byKey.Of(key)))
	}
	assert.Empty(t, s.byKey.Of(""), "an entity without a key is not listed")
	assert.Equal(t, having(func(e entity) bool { return e.key == "a" || e.key == "b" }), s.found(t, s.byKey.Of("a", "b", "a")))
	for _, parent := range parents {
		want := having(func(e entity) bool { return e.parent == parent })
		assert.Equal(t, want, s.found(t, s.byParent.Of(parent)))
		assert.Equal(t, len(want), s.counts.Of(parent))
	}
	assert.Zero(t, s.counts.Of(uuid.New()))
}

func TestCutTimesKeepsMicrosecondsInUTC(t *testing.T) {
	at := time.Date(2026, time.March, 29, 2, 30, 0, 123_456_789, time.FixedZone("CEST", 2*60*60))
	var zero time.Time
	CutTimes(&at, &zero)
	assert.Equal(t, time.Date(2026, time.March, 29, 0, 30, 0, 123_456_000, time.UTC), at)
	assert.True(t, zero.IsZero())
}
