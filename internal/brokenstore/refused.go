package brokenstore

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
)

// ofRefused breaks the history of an entity whose change is refused as a conflict. Records are
// those of the entity, refused is that of the change.
var ofRefused = []struct {
	name, rule string
	history    refusedHistory
}{
	{"a refused change loses the last record", lateRule, func(
		records []storetest.Record, _ storetest.Record,
	) []storetest.Record {
		return records[:max(0, len(records)-1)]
	}},
	{"a refused change replaces the last record", lateRule, func(
		records []storetest.Record, refused storetest.Record,
	) []storetest.Record {
		if last := len(records) - 1; last >= 0 {
			refused.Version = records[last].Version
			records[last] = refused
		}
		return records
	}},
	{"a refused change of what is not there leaves a record", oldRule, leftBehind},
}

// leftBehind is the history of what is not there, with the record of its refused change.
func leftBehind(records []storetest.Record, refused storetest.Record) []storetest.Record {
	if len(records) == 0 {
		records = append(records, refused)
	}
	return records
}

type refusedHistory = func(records []storetest.Record, refused storetest.Record) []storetest.Record

// refusals is the records of changes that were refused, by the IDs of their entities.
type refusals struct {
	mu      sync.Mutex
	records map[uuid.UUID]storetest.Record
}

func noteRefused[E storetest.Placed](r *refusals, err error, changes ...storetest.Change[E]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		if errors.Is(err, flussi.ErrConflict) {
			r.records[idOf(c.Entity)] = c.Record
		}
	}
}

// spoiled returns methods with another history of what was refused.
func spoiled[E any](r *refusals, m storetest.Methods[E], other refusedHistory) storetest.Methods[E] {
	history := m.History
	m.History = func(ctx context.Context, id uuid.UUID) ([]storetest.Record, error) {
		records, err := history(ctx, id)
		r.mu.Lock()
		defer r.mu.Unlock()
		if refused, found := r.records[id]; found && err == nil {
			records = other(records, refused)
		}
		return records, err
	}
	return m
}

// ofRefusals is the breakers of [ofRefused], for each kind of entity.
func ofRefusals[P, C storetest.Placed](
	parent, child storetest.Name,
) []Breaker[storetest.Store[P, C]] {
	type store = storetest.Store[P, C]
	var all []Breaker[store]
	for _, b := range ofRefused {
		all = append(all,
			Breaker[store]{parent.Many() + ": " + b.name, b.rule, func(s store) store {
				r := &refusals{records: map[uuid.UUID]storetest.Record{}}
				s = savesParents(s, func(w write[P, C]) error {
					err := w.do()
					noteRefused(r, err, *w.parent)
					return err
				})
				s.Parents = spoiled(r, s.Parents, b.history)
				return s
			}},
			Breaker[store]{child.Many() + ": " + b.name, b.rule, func(s store) store {
				r := &refusals{records: map[uuid.UUID]storetest.Record{}}
				s = savesChildren(s, func(w write[P, C]) error {
					err := w.do()
					noteRefused(r, err, w.all...)
					return err
				})
				s.Children = spoiled(r, s.Children, b.history)
				return s
			}},
		)
	}
	return append(all, Breaker[store]{
		parent.Many() + ": a refused one leaves the records of its " + child.Many(), missingRule,
		func(s store) store {
			r := &refusals{records: map[uuid.UUID]storetest.Record{}}
			s = savesParents(s, func(w write[P, C]) error {
				var pulled []storetest.Change[C]
				if w.rows != nil {
					w.rows = storetest.SequenceAs(w.rows, func(c storetest.Change[C]) storetest.Change[C] {
						pulled = append(pulled, c)
						return c
					})
				}
				err := w.do()
				noteRefused(r, err, pulled...)
				return err
			})
			s.Children = spoiled(r, s.Children, leftBehind)
			return s
		},
	})
}
