package engine_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
	settlementstore "github.com/flussi-go/flussi/pagoinrete/settlement/memstore"
)

var (
	// longTexts differ behind what indexes have of them.
	longTexts = []string{strings.Repeat("x", 64), strings.Repeat("x", 65), strings.Repeat("x", 64) + "y", strings.Repeat("è", 70)}
	flowIDs   = append([]string{"2026-03-01A-1", "2026-03-01A-1", "2026-03-01A-10", "2026-03-01a-1", "2026-03-01%", "", "\xff1", "a\x00b", "\ud7ff\ud7ff", "z\U0010ffff", "\U0010ffff\U0010ffff"}, longTexts...)
	iuvs      = append([]string{"01234567890123456", "01234567890123456", "RF18539007547034", "altro", "ALTRO", "a\x00b", "", ""}, longTexts...)
	amounts   = []flussi.Cents{0, 5000, 5000, 5000, 7000, -100, 1 << 60}

	settlementStates = []settlement.SettlementState{settlement.SettlementOpen, settlement.SettlementCovered, settlement.SettlementCovered, "?"}
	paymentStates    = []settlement.PaymentState{settlement.PaymentExpected, settlement.PaymentExpected, settlement.PaymentUnknown, "?"}
	movementStates   = []settlement.MovementState{settlement.MovementMatched, settlement.MovementMatched, settlement.MovementWaiting, "?"}
)

func (m maker) reference() paymentfile.Reference { return paymentfile.NewReference(oneOf(m, iuvs...)) }

func (m maker) body() flussi.OrganizationCode { return bodyNumber(m.IntN(3)) }

func (m maker) settlement() settlement.Settlement {
	return settlement.Settlement{ID: m.id(), Body: m.body(), PSP: "BANKITXX", FlowID: oneOf(m, flowIDs...), Total: oneOf(m, amounts...), State: oneOf(m, settlementStates...),
		Unreported: m.IntN(5) == 0, CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...)}
}

func (m maker) payment(settlements []settlement.Settlement) settlement.Payment {
	s := oneOf(m, settlements...)
	p := settlement.Payment{ID: m.id(), Settlement: s.ID, Body: s.Body, Reference: m.reference(), PreviousTarget: maybe(m, m.reference()), Amount: oneOf(m, amounts...),
		State: oneOf(m, paymentStates...), CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...)}
	if p.Target = p.Reference; m.IntN(4) == 0 {
		p.Target = m.reference()
	}
	return p
}

func (m maker) movement(settlements []settlement.Settlement) settlement.Movement {
	one := settlement.Movement{ID: m.id(), Body: m.body(), FlowIDs: someOf(m, flowIDs...), Prefix: maybe(m, flowIDs...), Reference: maybe(m, m.reference()), PreviousReference: maybe(m, m.reference()),
		Amount: oneOf(m, amounts...), Unresolved: m.IntN(3) == 0, Unreported: m.IntN(5) == 0, State: oneOf(m, movementStates...), CreatedAt: m.time(), UpdatedAt: m.time(), UpdatedBy: oneOf(m, users...)}
	for _, s := range someOf(m, settlements...) {
		one.Parts = append(one.Parts, settlement.Part{Kind: settlement.PartMatched, Settlement: s.ID, Amount: 1})
	}
	for _, s := range someOf(m, settlements...) {
		one.Decisions = append(one.Decisions, settlement.DecidedPart{Settlement: s.ID, Amount: 1, At: m.time()})
	}
	return one
}

// beginningOf returns some first bytes of a text, often to the middle of a character.
func (m maker) beginningOf(text string) string { return text[:m.IntN(1+len(text))] }

func (m maker) bodies() []flussi.OrganizationCode {
	return someOf(m, bodyNumber(0), bodyNumber(1), bodyNumber(2), bodyNumber(3))
}

func (m maker) settlementFilter(all []settlement.Settlement) settlement.SettlementFilter {
	q := settlement.SettlementFilter{Bodies: m.bodies(), States: someOf(m, settlementStates...), Unreported: m.IntN(8) == 0, From: maybe(m, m.wanted()), To: maybe(m, m.wanted())}
	for range m.IntN(3) {
		switch m.IntN(4) {
		case 0:
			q.IDs = []uuid.UUID{oneOf(m, all...).ID, m.id(), oneOf(m, all...).ID}
		case 1:
			q.FlowIDs = []string{oneOf(m, flowIDs...), oneOf(m, flowIDs...), "none"}
		case 2:
			q.FlowPrefix = m.beginningOf(oneOf(m, flowIDs...))
		case 3:
			q.Totals = []flussi.Cents{oneOf(m, amounts...), oneOf(m, amounts...), 1}
		}
	}
	return q
}

func (m maker) references() []paymentfile.Reference {
	return []paymentfile.Reference{m.reference(), m.reference(), paymentfile.NewReference("none")}
}

func (m maker) paymentFilter(all []settlement.Payment) settlement.PaymentFilter {
	like := oneOf(m, all...)
	q := settlement.PaymentFilter{Bodies: m.bodies(), States: someOf(m, paymentStates...), Settlement: maybe(m, like.Settlement), From: maybe(m, m.wanted()), To: maybe(m, m.wanted())}
	switch m.IntN(4) {
	case 0:
		q.IDs = []uuid.UUID{like.ID, m.id(), oneOf(m, all...).ID}
	case 1:
		q.References = m.references()
	case 2:
		q.IDs, q.References = []uuid.UUID{like.ID, oneOf(m, all...).ID}, append(m.references(), like.Target)
	}
	return q
}

func (m maker) movementFilter(all []settlement.Movement, settlements []settlement.Settlement) settlement.MovementFilter {
	like := oneOf(m, all...)
	q := settlement.MovementFilter{Bodies: m.bodies(), States: someOf(m, movementStates...), Unresolved: m.IntN(4) == 0, Unreported: m.IntN(8) == 0, From: maybe(m, m.wanted()), To: maybe(m, m.wanted())}
	for range m.IntN(3) {
		switch m.IntN(6) {
		case 0:
			q.IDs = []uuid.UUID{like.ID, m.id(), oneOf(m, all...).ID}
		case 1:
			q.FlowIDs = []string{oneOf(m, flowIDs...), oneOf(m, flowIDs...), "none"}
		case 2:
			q.Prefixes = []string{oneOf(m, flowIDs...), oneOf(m, flowIDs...), "none"}
		case 3:
			q.Amounts = []flussi.Cents{oneOf(m, amounts...), oneOf(m, amounts...), 1}
		case 4:
			q.Settlement = oneOf(m, settlements...).ID
		case 5:
			q.References = m.references()
		}
	}
	return q
}

// write stores all, as new entities or as the next versions.
func write(t *testing.T, s settlement.Store, settlements []settlement.Settlement, payments []settlement.Payment, movements []settlement.Movement) {
	t.Helper()
	var changes settlement.Changes
	for _, one := range settlements {
		changes.Settlements = append(changes.Settlements, settlement.SettlementChange{Settlement: one})
	}
	for _, one := range movements {
		changes.Movements = append(changes.Movements, settlement.MovementChange{Movement: one})
	}
	changes.Payments = func(yield func(settlement.PaymentChange, error) bool) {
		for _, one := range payments {
			if !yield(settlement.PaymentChange{Payment: one}, nil) {
				return
			}
		}
	}
	require.NoError(t, s.Save(t.Context(), changes))
}

func TestListsOfSettlementsFindWhatMatches(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(testing.TB) database) {
		m := maker{rand.New(rand.NewPCG(7, 8))}
		store, reference := open(t), settlementstore.New()
		var settlements []settlement.Settlement
		var payments []settlement.Payment
		var movements []settlement.Movement
		for range 300 {
			settlements = append(settlements, m.settlement())
		}
		for range 1000 {
			payments, movements = append(payments, m.payment(settlements[:20])), append(movements, m.movement(settlements[:20]))
		}
		for _, s := range []settlement.Store{store, reference} {
			write(t, s, settlements, payments, movements)
		}
		for i, old := range movements[:300] { // some get other keys, and lose the old ones
			next := m.movement(settlements[:20])
			next.ID, next.Body, next.CreatedAt, next.Version = old.ID, old.Body, old.CreatedAt, 1
			movements[i] = next
		}
		for i, old := range payments[:300] {
			next := m.payment(settlements[:20])
			next.ID, next.Settlement, next.Body, next.CreatedAt, next.Version = old.ID, old.Settlement, old.Body, old.CreatedAt, 1
			payments[i] = next
		}
		for _, s := range []settlement.Store{store, reference} {
			write(t, s, nil, payments[:300], movements[:300])
		}
		for range 2 * rounds(t) {
			compare(t, store.Settlements, reference.Settlements, m.settlementFilter(settlements), m.page(oneOf(m, settlements...).Cursor()))
			compare(t, store.Payments, reference.Payments, m.paymentFilter(payments), m.page(oneOf(m, payments...).Cursor()))
			compare(t, store.Movements, reference.Movements, m.movementFilter(movements, settlements[:22]), m.page(oneOf(m, movements...).Cursor()))
		}
	})
}
