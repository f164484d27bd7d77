package settlement

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

// derive sets the fields of a movement that follow from its entries. The order of the entries makes
// no difference. entered has the keys of the entries that were just added: in an anonymised
// movement, only these still have texts, and what the others named was derived before.
func (m *Movement) derive(entered map[string]bool) {
	m.Amount = 0
	var own, byOrders flussi.Cents // regularised; banks write rows about the sospeso, rows about the order, or both
	for i := range m.Entries {
		e := &m.Entries[i]
		if i == 0 || e.Date.Before(m.Date) {
			m.Date = e.Date
		}
		switch regularised := e.regularised(); {
		case e.Unusable:
		case e.ByOrder:
			byOrders += regularised
		default:
			m.Amount, own = m.Amount+e.moved(), own+regularised
		}
	}
	m.Regularised = max(own, byOrders)
	speaks := m.speaks()
	if !m.AnonymisedAt.IsZero() && !entered[speaks.Key] {
		return
	}
	r := paymentfile.Movement{Causale: speaks.Causale, EndToEndID: speaks.EndToEndID, BankData: speaks.BankData}.Remittance()
	m.FlowIDs, m.Prefix, m.Cut, m.Reference, m.StatedAmount = r.IDs, r.Prefix, r.Cut, r.Reference, r.Amount
}

// moved returns how much money an entry moved. Only the operation decides whether it adds or
// subtracts, not the sign in the file.
func (e *Entry) moved() flussi.Cents {
	switch e.Operation {
	case paymentfile.OperationExecuted:
		return e.Amount
	case paymentfile.OperationReversed:
		return -e.Amount
	}
	return 0
}

// regularised returns by how much an entry changes the amount that orders regularise.
func (e *Entry) regularised() flussi.Cents {
	switch e.Operation {
	case paymentfile.OperationRegularised:
		return e.Amount
	case paymentfile.OperationRestored:
		return -e.Amount
	}
	return 0
}

// enter adds those entries of one journal that the movement does not have. The keys of the entries
// must differ. It returns which entries were added, and whether the movement changed. An anonymised
// movement gets the entries without their texts.
func (m *Movement) enter(entries []Entry) (added []bool, changed bool) {
	added = make([]bool, len(entries))
	stored := m.Entries
	m.Entries = slices.Clone(stored)
	entered := map[string]bool{}
	for i, e := range entries {
		at, found := slices.BinarySearchFunc(stored, e.Key, func(e Entry, key string) int { return strings.Compare(e.Key, key) })
		switch {
		case !found:
			m.Entries = append(m.Entries, e)
		case e.before(m.Entries[at]):
			m.Entries[at] = e
		default:
			continue
		}
		added[i], entered[e.Key] = !found, true
	}
	if len(entered) == 0 {
		m.Entries = stored
		return added, false
	}
	slices.SortFunc(m.Entries, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	m.derive(entered)
	if !m.AnonymisedAt.IsZero() {
		for i := range m.Entries {
			m.Entries[i].erase()
		}
	}
	return added, true
}

// erase removes the texts of the entry.
func (e *Entry) erase() {
	e.Causale, e.EndToEndID, e.BankData = flussi.Text{}, flussi.Text{}, flussi.Text{}
}

// before orders entries with the same key. Their texts may differ between journals; the first one
// in this order counts.
func (e Entry) before(other Entry) bool {
	for _, pair := range [][2]string{{e.Journal, other.Journal}, {e.Causale.Reveal(), other.Causale.Reveal()},
		{e.EndToEndID.Reveal(), other.EndToEndID.Reveal()}, {e.BankData.Reveal(), other.BankData.Reveal()}} {
		if order := strings.Compare(pair[0], pair[1]); order != 0 {
			return order < 0
		}
	}
	return !e.Unusable && other.Unusable
}

// facts are settlements and movements of one body that are matched together.
type facts struct {
	settlements map[uuid.UUID]Settlement
	movements   map[uuid.UUID]Movement
}

// match sets the Parts and the State of a movement. Of the other movements, it uses what they name,
// their amounts and the decisions of operators, never their Parts. So the order in which movements
// are matched makes no difference.
func (f *facts) match(m *Movement) {
	exact, longer := f.candidates(m)
	m.Unresolved = len(exact) == 0 && m.mayBeCut()
	m.Parts = nil
	if m.Amount > 0 {
		m.Parts = f.parts(m, exact, longer)
	}
	m.State = m.state()
}

func (f *facts) parts(m *Movement, exact, longer []Settlement) []Part {
	whole := func(kind PartKind) []Part { return []Part{{Kind: kind, Amount: m.Amount}} }
	switch {
	case len(m.Decisions) > 0:
		return m.decidedParts()
	case !m.Reference.IsZero() && m.StatedAmount == m.Amount:
		return whole(PartSinglePayment)
	case !m.Reference.IsZero():
		return whole(PartAmbiguous)
	case len(m.FlowIDs) == 0 && !m.mayBeCut():
		return whole(PartUnrelated)
	case len(exact) == 1 && len(longer) == 0:
		return []Part{{Kind: PartMatched, Settlement: exact[0].ID, Amount: m.Amount}}
	case len(exact) > 0 || len(longer) > 1:
		return whole(PartAmbiguous)
	case len(longer) == 0 || longer[0].Inconsistent: // the total of an inconsistent settlement proves nothing
		return whole(PartWaiting)
	case f.claimed(longer[0], m):
		return whole(PartAmbiguous)
	}
	return []Part{{Kind: PartMatched, Settlement: longer[0].ID, Amount: m.Amount, ByAmount: true}}
}

// decidedParts returns the parts that operators decided, up to the amount of the movement. The rest of
// the amount is a [PartWaiting].
func (m *Movement) decidedParts() []Part {
	var parts []Part
	rest := m.Amount
	for _, h := range m.Decisions {
		part := Part{Kind: PartSetAside, Settlement: h.Settlement, Amount: min(h.Amount, rest), By: h.By}
		if h.Settlement != uuid.Nil {
			part.Kind = PartMatched
		}
		if part.Amount > 0 {
			parts = append(parts, part)
			rest -= part.Amount
		}
	}
	if rest > 0 {
		parts = append(parts, Part{Kind: PartWaiting, Amount: rest})
	}
	return parts
}

// mayBeCut reports whether the causale names a settlement, but perhaps only the beginning of its
// identifier.
func (m *Movement) mayBeCut() bool { return m.Reference.IsZero() && (m.Cut || m.Prefix != "") }

// fits reports whether the causale may have the beginning of the settlement's identifier, and the
// total of the settlement is the movement's amount.
func (m *Movement) fits(s Settlement) bool {
	return m.mayBeCut() && m.Amount > 0 && s.Total == m.Amount && strings.HasPrefix(s.FlowID, m.Prefix) && !slices.Contains(m.FlowIDs, s.FlowID)
}

// candidates returns the settlements that the causale names (exact), and those that the movement
// fits (longer).
func (f *facts) candidates(m *Movement) (exact, longer []Settlement) {
	for _, s := range f.settlements {
		switch {
		case slices.Contains(m.FlowIDs, s.FlowID):
			exact = append(exact, s)
		case m.fits(s):
			longer = append(longer, s)
		}
	}
	return exact, longer
}

// claimed reports whether a settlement may belong to another movement than by: one that an operator
// matched to it, one that names it, or one that fits it and names no known settlement.
func (f *facts) claimed(s Settlement, by *Movement) bool {
	for _, m := range f.movements {
		if m.ID == by.ID || m.Amount <= 0 {
			continue
		}
		if len(m.Decisions) > 0 {
			if slices.ContainsFunc(m.Decisions, func(h DecidedPart) bool { return h.Settlement == s.ID }) {
				return true
			}
			continue
		}
		if slices.Contains(m.FlowIDs, s.FlowID) {
			return true
		}
		if m.fits(s) {
			if exact, _ := f.candidates(&m); len(exact) == 0 {
				return true
			}
		}
	}
	return false
}
