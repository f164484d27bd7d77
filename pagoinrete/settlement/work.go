package settlement

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
)

// work is one write: what was read for it, and what it changes. What was read cannot change before
// the write, since the store compares the version of the body.
type work struct {
	*Service
	body        flussi.OrganizationCode
	bodyVersion int64
	step        step
	done        map[uuid.UUID]bool // entities of the step; the others are only matched again
	facts       facts              // as they are to be stored

	storedSettlements map[uuid.UUID]Settlement // as they were read
	storedMovements   map[uuid.UUID]Movement
	readNames         map[string]bool    // identifiers of which the settlements were read
	readCuts          map[cut]bool       // parts of identifiers of which the settlements were read
	limit             int                // the most payments of a group
	unreported        map[uuid.UUID]bool // settlements that markUnreported marked
	paymentWork
}

// errUnreported ends a write that would change a reference of which the [Due] was not told yet, since
// an entity remembers only one earlier reference. write then tells the Due, and begins again.
var errUnreported = fmt.Errorf("settlement: the due was not told: %w", flussi.ErrConflict)

// write reads, changes and stores entities of a body. It does all of it again if another write of
// the body came in between, and after an errUnreported.
func (s *Service) write(ctx context.Context, body flussi.OrganizationCode, step step, change func(*work) error) error {
	for tries := (core.Tries{}); ; {
		bodyVersion, err := s.store.BodyVersion(ctx, body)
		if err != nil {
			return err
		}
		w := s.newWork(body)
		w.bodyVersion, w.step = bodyVersion, step
		switch err = change(w); {
		case err == nil:
			if err = w.save(ctx); err == nil {
				return nil
			}
		case !errors.Is(err, errUnreported):
			return err
		default:
			if err := s.tell(ctx, step.by, body); err != nil {
				return err
			}
		}
		if err = tries.Again(ctx, err); err != nil {
			return err
		}
	}
}

// cut has the fields by which movements that may be cut are matched.
type cut struct {
	amount flussi.Cents
	prefix string
}

func (s *Service) newWork(body flussi.OrganizationCode) *work {
	return &work{
		Service: s, body: body, done: map[uuid.UUID]bool{},
		facts:             facts{settlements: map[uuid.UUID]Settlement{}, movements: map[uuid.UUID]Movement{}},
		storedSettlements: map[uuid.UUID]Settlement{}, storedMovements: map[uuid.UUID]Movement{},
		readNames: map[string]bool{}, readCuts: map[cut]bool{}, limit: s.group, unreported: map[uuid.UUID]bool{}, paymentWork: newPaymentWork(),
	}
}

// save stores the entities that changed since they were read. It writes nothing if none did.
func (w *work) save(ctx context.Context) error {
	changes := Changes{Body: w.body, BodyVersion: w.bodyVersion}
	for id, s := range w.facts.settlements {
		if old := w.storedSettlements[id]; s != old || w.unreported[id] {
			changes.Settlements = append(changes.Settlements, w.step.of(w.done[id]).settlement(old, s))
		}
	}
	// New movements get their times in the order of their dates, so that lists have a fixed order.
	byDate := func(a, b uuid.UUID) int {
		first, second := w.facts.movements[a], w.facts.movements[b]
		return cmp.Or(first.Date.Compare(second.Date), strings.Compare(first.Number, second.Number), bytes.Compare(a[:], b[:]))
	}
	for _, id := range slices.SortedFunc(maps.Keys(w.facts.movements), byDate) {
		m := w.facts.movements[id]
		if old := w.storedMovements[id]; !old.same(m) {
			changes.Movements = append(changes.Movements, w.step.of(w.done[id]).movement(old, m))
		}
	}
	if len(changes.Settlements)+len(changes.Movements)+len(w.changed)+len(w.added) == 0 {
		return nil
	}
	changes.Payments = w.paymentChanges
	return w.store.Save(ctx, changes)
}

// same reports whether two movements are equal.
func (m Movement) same(other Movement) bool {
	equal := slices.Equal(m.Entries, other.Entries) && slices.Equal(m.FlowIDs, other.FlowIDs) &&
		slices.Equal(m.Decisions, other.Decisions) && slices.Equal(m.Parts, other.Parts)
	for _, one := range []*Movement{&m, &other} {
		one.Entries, one.FlowIDs, one.Decisions, one.Parts = nil, nil, nil, nil
	}
	return equal && reflect.DeepEqual(m, other)
}

// readSettlements reads settlements that are not known yet.
func (w *work) readSettlements(ctx context.Context, filter SettlementFilter) error {
	filter.Bodies = []flussi.OrganizationCode{w.body}
	for s, err := range core.Each(core.Pages(ctx, flussi.MaxPage, func(ctx context.Context, page Page) ([]Settlement, error) {
		return w.store.Settlements(ctx, filter, page)
	})) {
		if err != nil {
			return err
		}
		if _, known := w.facts.settlements[s.ID]; !known {
			w.facts.settlements[s.ID], w.storedSettlements[s.ID] = s, s
		}
	}
	return nil
}

// readMovements reads movements that are not known yet, and returns all that match as they were
// stored.
func (w *work) readMovements(ctx context.Context, filter MovementFilter) ([]uuid.UUID, error) {
	filter.Bodies = []flussi.OrganizationCode{w.body}
	var found []uuid.UUID
	for m, err := range core.Each(core.Pages(ctx, flussi.MaxPage, func(ctx context.Context, page Page) ([]Movement, error) {
		return w.store.Movements(ctx, filter, page)
	})) {
		if err != nil {
			return nil, err
		}
		found = append(found, m.ID)
		if _, known := w.facts.movements[m.ID]; !known {
			w.facts.movements[m.ID], w.storedMovements[m.ID] = m, m
		}
	}
	return found, nil
}

// readSettlementsByID reads settlements that are not known yet.
func (w *work) readSettlementsByID(ctx context.Context, ids map[uuid.UUID]bool) error {
	var missing []uuid.UUID
	for id := range ids {
		if _, known := w.facts.settlements[id]; !known {
			missing = append(missing, id)
		}
	}
	for some := range slices.Chunk(missing, maxReferences) {
		if err := w.readSettlements(ctx, SettlementFilter{IDs: some}); err != nil {
			return err
		}
	}
	return nil
}
