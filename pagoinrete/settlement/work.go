package settlement

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/core"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// work is one write: what was read for it, and what it changes. What is read stays the same until
// the write, since the store compares the ledger.
type work struct {
	*Service
	body     flussi.OrganizationCode
	ledger   int64
	step     step
	done     map[uuid.UUID]bool // entities of the step; the others are only matched again
	facts    facts              // as they are to be
	payments map[uuid.UUID]*Payment

	storedSettlements map[uuid.UUID]Settlement // as they were read
	storedMovements   map[uuid.UUID]Movement
	storedPayments    map[uuid.UUID]Payment
}

// write reads, changes and stores what is a body's, and does so again if somebody else stored
// something of the body in between.
func (s *Service) write(ctx context.Context, body flussi.OrganizationCode, step step, change func(*work) error) error {
	for tries := (core.Tries{}); ; {
		ledger, err := s.store.Ledger(ctx, body)
		if err != nil {
			return err
		}
		w := &work{
			Service: s, body: body, ledger: ledger, step: step, done: map[uuid.UUID]bool{},
			facts:    facts{settlements: map[uuid.UUID]Settlement{}, movements: map[uuid.UUID]Movement{}},
			payments: map[uuid.UUID]*Payment{}, storedSettlements: map[uuid.UUID]Settlement{},
			storedMovements: map[uuid.UUID]Movement{}, storedPayments: map[uuid.UUID]Payment{},
		}
		if err := change(w); err != nil {
			return err
		}
		if err = w.save(ctx); err == nil {
			return nil
		}
		if err = tries.Again(ctx, err); err != nil {
			return err
		}
	}
}

// save stores what is other than it was read; nothing if nothing is.
func (w *work) save(ctx context.Context) error {
	changes := Changes{Body: w.body, Ledger: w.ledger}
	for id, s := range w.facts.settlements {
		if old := w.storedSettlements[id]; s != old {
			changes.Settlements = append(changes.Settlements, w.step.of(id, w.done).settlement(old, s))
		}
	}
	for id, m := range w.facts.movements {
		if old := w.storedMovements[id]; !old.same(m) {
			changes.Movements = append(changes.Movements, w.step.of(id, w.done).movement(old, m))
		}
	}
	var payments []uuid.UUID
	for id, p := range w.payments {
		if *p != w.storedPayments[id] {
			payments = append(payments, id)
		}
	}
	if len(changes.Settlements)+len(changes.Movements)+len(payments) == 0 {
		return nil
	}
	changes.Payments = func(yield func(PaymentChange, error) bool) {
		for _, id := range payments {
			if !yield(w.step.of(id, w.done).payment(w.storedPayments[id], *w.payments[id]), nil) {
				return
			}
		}
	}
	return w.store.Save(ctx, changes)
}

// same reports whether nothing is other.
func (m Movement) same(other Movement) bool {
	equal := slices.Equal(m.Entries, other.Entries) && slices.Equal(m.Names, other.Names) &&
		slices.Equal(m.Hand, other.Hand) && slices.Equal(m.Parts, other.Parts)
	for _, one := range []*Movement{&m, &other} {
		one.Entries, one.Names, one.Hand, one.Parts = nil, nil, nil, nil
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

// readPayments reads payments that are not known yet.
func (w *work) readPayments(ctx context.Context, filter PaymentFilter) error {
	filter.Bodies = []flussi.OrganizationCode{w.body}
	for p, err := range core.Each(core.Pages(ctx, flussi.MaxPage, func(ctx context.Context, page Page) ([]Payment, error) {
		return w.store.Payments(ctx, filter, page)
	})) {
		if err != nil {
			return err
		}
		if _, known := w.payments[p.ID]; !known {
			w.payments[p.ID], w.storedPayments[p.ID] = &p, p
		}
	}
	return nil
}

// classify sets the states of all payments that depend on some references.
func (w *work) classify(ctx context.Context, references []paymentfile.Reference) error {
	seen := map[paymentfile.Reference]bool{{}: true}
	var all []paymentfile.Reference
	see := func(references ...paymentfile.Reference) {
		for _, r := range references {
			if !seen[r] {
				seen[r] = true
				all = append(all, r)
			}
		}
	}
	see(references...)
	expected := map[paymentfile.Reference]Expectation{}
	for done := 0; done < len(all); { // payments that were matched by hand add references
		some := all[done:min(done+maxReferences, len(all))]
		done += len(some)
		if err := w.readPayments(ctx, PaymentFilter{References: some}); err != nil {
			return err
		}
		due, err := w.due.Expected(ctx, w.body, slices.Clone(some))
		if err != nil {
			return err
		}
		maps.Copy(expected, due)
		if done == len(all) {
			for _, p := range w.payments {
				see(p.Reference, p.Target)
			}
		}
	}
	group := slices.Collect(maps.Values(w.payments))
	classify(group, expected)
	return w.untold(ctx)
}

// untold notes which settlements have other payments than the [Due] was told of.
func (w *work) untold(ctx context.Context) error {
	changed := map[uuid.UUID]bool{}
	for id, p := range w.payments {
		if *p != w.storedPayments[id] {
			changed[p.Settlement] = true
		}
	}
	if err := w.readSettlementsByID(ctx, changed); err != nil {
		return err
	}
	for id := range changed {
		s := w.facts.settlements[id]
		s.Untold = true
		w.facts.settlements[id] = s
	}
	return nil
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
