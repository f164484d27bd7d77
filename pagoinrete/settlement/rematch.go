package settlement

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// touched is what a write changes, as far as matching depends on it.
type touched struct {
	settlements map[uuid.UUID]bool
	movements   map[uuid.UUID]bool
}

// rematch matches again all movements that can depend on what is touched, and sums up the
// settlements that they belong to. What a movement belongs to depends on
//
//   - the settlements that it names, and those that fit its amount and what it has of an identifier;
//   - of the one that fits, the movements that can claim it: that name it, that an operator matched
//     to it, or that have its amount and no known name.
func (w *work) rematch(ctx context.Context, t touched) error {
	again, amounts, err := w.dependents(ctx, t)
	if err != nil {
		return err
	}
	loose, err := w.readLoose(ctx, amounts)
	if err != nil {
		return err
	}
	for _, id := range loose {
		again[id] = true
	}
	if err := w.readCandidates(ctx, again); err != nil {
		return err
	}
	affected := map[uuid.UUID]bool{} // and whether other movements belong to it
	for id := range t.settlements {
		affected[id] = false
	}
	for id := range again {
		m := w.facts.movements[id]
		before := w.storedMovements[id].Parts
		w.facts.match(&m)
		changed := !slices.Equal(before, m.Parts)
		m.Untold = m.Untold || changed && (isSingle(before) || isSingle(m.Parts))
		if old := w.storedMovements[id].Reference; old != m.Reference && !old.IsZero() && m.Before.IsZero() {
			m.Before, m.Untold = old, true
		}
		w.facts.movements[id] = m
		for _, part := range slices.Concat(before, m.Parts) {
			if part.Settlement != uuid.Nil {
				affected[part.Settlement] = affected[part.Settlement] || changed
			}
		}
	}
	return w.sumUp(ctx, affected)
}

func isSingle(parts []Part) bool {
	return slices.ContainsFunc(parts, func(p Part) bool { return p.Kind == PartSingle })
}

// dependents returns the movements that depend on what is touched by its identifiers, and the
// amounts of which others may.
func (w *work) dependents(ctx context.Context, t touched) (map[uuid.UUID]bool, []flussi.Cents, error) {
	again, amounts := maps.Clone(t.movements), map[flussi.Cents]bool{}
	for id := range t.settlements {
		now, before := w.facts.settlements[id], w.storedSettlements[id]
		totals := []flussi.Cents{now.Total, before.Total}
		amounts[totals[0]], amounts[totals[1]] = true, true
		naming, err := w.readMovements(ctx, MovementFilter{Names: []string{now.FlowID}})
		if err != nil {
			return nil, nil, err
		}
		beginning, err := w.readMovements(ctx, MovementFilter{Prefixes: prefixes(now.FlowID), Amounts: totals})
		if err != nil {
			return nil, nil, err
		}
		for _, id := range slices.Concat(naming, beginning) {
			again[id] = true
		}
	}
	named, decided := map[string]bool{}, map[uuid.UUID]bool{}
	for id := range again {
		for _, m := range []Movement{w.facts.movements[id], w.storedMovements[id]} {
			amounts[m.Amount] = true
			for _, name := range m.Names {
				named[name] = true
			}
			for _, h := range m.Hand {
				decided[h.Settlement] = true
			}
		}
	}
	delete(decided, uuid.Nil)
	if err := w.readNamed(ctx, named); err != nil {
		return nil, nil, err
	}
	if err := w.readSettlementsByID(ctx, decided); err != nil {
		return nil, nil, err
	}
	for _, s := range w.facts.settlements { // what they claim, others can no longer have by its amount
		if named[s.FlowID] || decided[s.ID] {
			amounts[s.Total] = true
		}
	}
	return again, slices.Collect(maps.Keys(amounts)), nil
}

// prefixes returns what a cut identifier can be left of, but for nothing.
func prefixes(flowID string) []string {
	var all []string
	for i := range flowID {
		all = append(all, flowID[:i+1])
	}
	return all
}

// readLoose reads the movements of some amounts that are matched by their amount or wait.
func (w *work) readLoose(ctx context.Context, amounts []flussi.Cents) ([]uuid.UUID, error) {
	amounts = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(amounts))), func(a flussi.Cents) bool { return a <= 0 })
	if len(amounts) == 0 {
		return nil, nil
	}
	return w.readMovements(ctx, MovementFilter{Amounts: amounts, Loose: true})
}

// readNamed reads the settlements of some identifiers.
func (w *work) readNamed(ctx context.Context, names map[string]bool) error {
	for some := range slices.Chunk(slices.Collect(maps.Keys(names)), maxReferences) {
		if err := w.readSettlements(ctx, SettlementFilter{FlowIDs: some}); err != nil {
			return err
		}
	}
	return nil
}

// readCandidates reads the settlements that movements may belong to, and who else may claim them.
func (w *work) readCandidates(ctx context.Context, movements map[uuid.UUID]bool) error {
	type cut struct {
		amount flussi.Cents
		prefix string
	}
	looked := map[cut]bool{}
	for id := range movements {
		m := w.facts.movements[id]
		key := cut{m.Amount, m.Prefix}
		if !m.mayBeCut() || m.Amount <= 0 || looked[key] {
			continue
		}
		looked[key] = true
		if err := w.readSettlements(ctx, SettlementFilter{Totals: []flussi.Cents{m.Amount}, FlowPrefix: m.Prefix}); err != nil {
			return err
		}
	}
	if err := w.readNames(ctx); err != nil {
		return err
	}
	wanted := map[uuid.UUID]Settlement{} // by their amount
	for id := range movements {
		m := w.facts.movements[id]
		if exact, longer := w.facts.candidates(&m); len(exact) == 0 && len(longer) == 1 {
			wanted[longer[0].ID] = longer[0]
		}
	}
	return w.readClaims(ctx, wanted)
}

// readClaims reads the movements that may claim settlements, and what these movements name.
func (w *work) readClaims(ctx context.Context, settlements map[uuid.UUID]Settlement) error {
	var amounts []flussi.Cents
	for id, s := range settlements {
		amounts = append(amounts, s.Total)
		for _, filter := range []MovementFilter{{Names: []string{s.FlowID}}, {Settlement: id}} {
			if _, err := w.readMovements(ctx, filter); err != nil {
				return err
			}
		}
	}
	if _, err := w.readLoose(ctx, amounts); err != nil {
		return err
	}
	return w.readNames(ctx)
}

// readNames reads the settlements that movements name.
func (w *work) readNames(ctx context.Context) error {
	named := map[string]bool{}
	for _, m := range w.facts.movements {
		for _, name := range m.Names {
			named[name] = true
		}
	}
	return w.readNamed(ctx, named)
}

// sumUp sets what movements have of settlements. The map says of each whether other movements belong
// to it than before.
func (w *work) sumUp(ctx context.Context, settlements map[uuid.UUID]bool) error {
	if err := w.readSettlementsByID(ctx, settlements); err != nil {
		return err
	}
	for id, others := range settlements {
		if _, err := w.readMovements(ctx, MovementFilter{Settlement: id}); err != nil {
			return err
		}
		s := w.facts.settlements[id]
		before := s.State
		s.Covered = w.facts.covered(id)
		s.State = s.state()
		if s.State == SettlementCovered || before == SettlementCovered { // its payments are or were confirmed
			s.Untold = s.Untold || others
		}
		w.facts.settlements[id] = s
	}
	return nil
}

// status returns how far a payment of a settlement has come.
func (p *Payment) status(s Settlement) PaidStatus {
	switch {
	case p.State == PaymentRevoked || p.Outcome == paymentfile.OutcomeRevoked:
		return PaidRevoked
	case s.State == SettlementCovered:
		return PaidConfirmed
	}
	return PaidSettled
}
