package settlement

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// touched are the changed entities of a write that matching depends on.
type touched struct {
	settlements map[uuid.UUID]bool
	movements   map[uuid.UUID]bool
}

// rematch matches again all movements that can depend on what is touched, and sums up the
// settlements that they belong to. What a movement belongs to depends on
//
//   - the settlements that it names, and those that it fits: see [Movement.fits];
//   - if it names none and fits one, the movements that can claim that one: that name it, that an
//     operator matched to it, or that fit it and name no known one.
func (w *work) rematch(ctx context.Context, t touched) error {
	again, err := w.dependents(ctx, t)
	if err != nil {
		return err
	}
	if err := w.readCandidates(ctx, again); err != nil {
		return err
	}
	if err := w.addRivals(ctx, again); err != nil {
		return err
	}
	if err := w.readClaims(ctx, again); err != nil {
		return err
	}
	covered := map[uuid.UUID]coverage{} // by settlement
	for id := range t.settlements {
		covered[id] = coverage{}
	}
	for id := range again {
		m := w.facts.movements[id]
		before := w.storedMovements[id].Parts
		w.facts.match(&m)
		changed := !slices.Equal(before, m.Parts)
		m.Unreported = m.Unreported || changed && (isSingle(before) || isSingle(m.Parts))
		if old := w.storedMovements[id].Reference; old != m.Reference && !old.IsZero() {
			if !m.PreviousReference.IsZero() {
				return errUnreported
			}
			m.PreviousReference, m.Unreported = old, true
		}
		w.facts.movements[id] = m
		for _, part := range before {
			covered[part.Settlement] = covered[part.Settlement].add(-part.Amount, changed)
		}
		for _, part := range m.Parts {
			covered[part.Settlement] = covered[part.Settlement].add(part.Amount, changed)
		}
	}
	delete(covered, uuid.Nil)
	return w.sumUp(ctx, covered)
}

func isSingle(parts []Part) bool {
	return slices.ContainsFunc(parts, func(p Part) bool { return p.Kind == PartSinglePayment })
}

// coverage is by how much the sum of the movements of a settlement grew, and whether other
// movements belong to it than before.
type coverage struct {
	amount flussi.Cents
	others bool
}

func (c coverage) add(amount flussi.Cents, others bool) coverage {
	return coverage{c.amount + amount, c.others || others}
}

// dependents returns the movements that are touched, that name a touched settlement or that fit
// one.
func (w *work) dependents(ctx context.Context, t touched) (map[uuid.UUID]bool, error) {
	again := maps.Clone(t.movements)
	for id := range t.settlements {
		now, before := w.facts.settlements[id], w.storedSettlements[id]
		naming, err := w.readMovements(ctx, MovementFilter{FlowIDs: []string{now.FlowID}})
		if err != nil {
			return nil, err
		}
		for _, id := range naming {
			again[id] = true
		}
		totals := slices.DeleteFunc([]flussi.Cents{now.Total, before.Total}, func(c flussi.Cents) bool { return c <= 0 })
		if len(totals) == 0 {
			continue
		}
		beginning, err := w.readMovements(ctx, MovementFilter{Prefixes: prefixes(now.FlowID), Amounts: totals})
		if err != nil {
			return nil, err
		}
		rest, err := w.readMovements(ctx, MovementFilter{Prefixes: []string{""}, Amounts: totals, Unresolved: true})
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Concat(beginning, rest) {
			again[id] = true
		}
	}
	return again, nil
}

// prefixes returns all prefixes of an identifier except the empty one. It does not cut a character.
func prefixes(flowID string) []string {
	var all []string
	for i := range flowID {
		if i > 0 {
			all = append(all, flowID[:i])
		}
	}
	return append(all, flowID)
}

// readCandidates reads the settlements that movements may belong to, now or as they were stored.
func (w *work) readCandidates(ctx context.Context, movements map[uuid.UUID]bool) error {
	decided := map[uuid.UUID]bool{}
	for id := range movements {
		for _, m := range w.versions(id) {
			for _, h := range m.Decisions {
				decided[h.Settlement] = true
			}
			key := cut{m.Amount, m.Prefix}
			if !m.mayBeCut() || m.Amount <= 0 || w.readCuts[key] {
				continue
			}
			w.readCuts[key] = true
			if err := w.readSettlements(ctx, SettlementFilter{Totals: []flussi.Cents{m.Amount}, FlowPrefix: m.Prefix}); err != nil {
				return err
			}
		}
	}
	delete(decided, uuid.Nil)
	if err := w.readSettlementsByID(ctx, decided); err != nil {
		return err
	}
	return w.readNamed(ctx)
}

// versions returns a movement as it is to be, and as it was read.
func (w *work) versions(id uuid.UUID) [2]Movement {
	return [2]Movement{w.facts.movements[id], w.storedMovements[id]}
}

// addRivals adds the movements that fit settlements which others can claim, now or as they were
// stored.
func (w *work) addRivals(ctx context.Context, movements map[uuid.UUID]bool) error {
	claimed := map[uuid.UUID]bool{}
	for id := range movements {
		for _, m := range w.versions(id) {
			for _, s := range w.facts.settlements {
				if !claimed[s.ID] && m.canClaim(s) {
					claimed[s.ID] = true
				}
			}
		}
	}
	for id := range claimed {
		fitting, err := w.readFitting(ctx, w.facts.settlements[id])
		if err != nil {
			return err
		}
		for _, id := range fitting {
			movements[id] = true
		}
	}
	return w.readCandidates(ctx, movements)
}

// canClaim reports whether the movement keeps a settlement from belonging to other movements that
// only fit it.
func (m *Movement) canClaim(s Settlement) bool {
	return slices.ContainsFunc(m.Decisions, func(h DecidedPart) bool { return h.Settlement == s.ID }) || slices.Contains(m.FlowIDs, s.FlowID) || m.fits(s)
}

// readFitting reads the movements that fit a settlement and name no known one.
func (w *work) readFitting(ctx context.Context, s Settlement) ([]uuid.UUID, error) {
	if s.Total <= 0 {
		return nil, nil
	}
	return w.readMovements(ctx, MovementFilter{Prefixes: append(prefixes(s.FlowID), ""), Amounts: []flussi.Cents{s.Total}, Unresolved: true})
}

// readNamed reads the settlements that movements name.
func (w *work) readNamed(ctx context.Context) error {
	named := map[string]bool{}
	for _, m := range w.facts.movements {
		for _, name := range m.FlowIDs {
			if !w.readNames[name] {
				w.readNames[name], named[name] = true, true
			}
		}
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(named)), maxReferences) {
		if err := w.readSettlements(ctx, SettlementFilter{FlowIDs: some}); err != nil {
			return err
		}
	}
	return nil
}

// readClaims reads the movements that name the settlements which movements fit, or that operators
// matched to them, and the settlements that all of these name. addRivals has read the movements
// that fit.
func (w *work) readClaims(ctx context.Context, movements map[uuid.UUID]bool) error {
	wanted := map[uuid.UUID]Settlement{} // by their amount
	for id := range movements {
		m := w.facts.movements[id]
		if exact, longer := w.facts.candidates(&m); len(exact) == 0 && len(longer) == 1 {
			wanted[longer[0].ID] = longer[0]
		}
	}
	for id, s := range wanted {
		for _, filter := range []MovementFilter{{FlowIDs: []string{s.FlowID}}, {Settlement: id}} {
			if _, err := w.readMovements(ctx, filter); err != nil {
				return err
			}
		}
	}
	return w.readNamed(ctx)
}

// sumUp updates the Covered and the State of settlements whose movements changed.
func (w *work) sumUp(ctx context.Context, covered map[uuid.UUID]coverage) error {
	ids := map[uuid.UUID]bool{}
	for id := range covered {
		ids[id] = true
	}
	if err := w.readSettlementsByID(ctx, ids); err != nil {
		return err
	}
	for id, c := range covered {
		s := w.facts.settlements[id]
		before := s.State
		s.Covered += c.amount
		s.State = s.state()
		w.facts.settlements[id] = s
		if c.others && (s.State == SettlementCovered || before == SettlementCovered) { // its payments are or were confirmed
			w.markUnreported(id)
		}
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
