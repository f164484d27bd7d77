package settlementtest

import (
	"errors"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

var movementRules = []rule{
	{"a movement is read as it was stored", movementsAreKept},
	{"a movement that is not there is not found", missingMovementsAreNotFound},
	{"the lists of a movement are kept in their order", movementListsAreKept},
	{"a movement is stored in the version that was read, with its record", movementVersionsCount},
	{"texts, times and amounts of a movement are kept", movementValuesAreKept},
	{"settlements, movements and payments are stored together or not at all", allGoTogether},
	{"of those who change one movement, one succeeds", movementsHaveOneWinner},
}

func movementsAreKept(p *probe) {
	other := p.saveMovement(p.fullMovement())
	full := p.saveMovement(p.fullMovement())
	p.movements.IsRead("with all fields", full)
	changed := p.saveMovement(p.changedMovement(full))
	p.movements.IsRead("with all fields changed", changed)
	p.movements.IsRead("with as little as may be", p.saveMovement(p.bareMovement(changed)))
	p.movements.IsRead("that nobody changed", other)
}

func missingMovementsAreNotFound(p *probe) {
	p.saveMovement(p.newMovement())
	s := p.save(p.newSettlement())
	for _, id := range []uuid.UUID{p.ID(), uuid.Nil, s.ID} {
		_, err := p.store.Movement(p.Ctx, id)
		p.Wants(flussi.ErrNotFound, err, "Movement of an ID that no movement was stored with")
		if records, err := p.store.MovementHistory(p.Ctx, id); err != nil || len(records) != 0 {
			p.Fail("MovementHistory of a movement that is not there: want no records and no error, got %d and %w", len(records), storetest.OrNone(err))
		}
	}
}

func movementListsAreKept(p *probe) {
	m, other := p.saveMovement(p.newMovement()), p.saveMovement(p.fullMovement())
	full := p.fullMovement()
	full.Parts[2], full.Decisions[2], full.FlowIDs[2] = full.Parts[0], full.Decisions[0], full.FlowIDs[0] // the same twice
	for _, length := range []int{1, 3, 2, 0, 3} {
		m.Entries, m.FlowIDs, m.Decisions, m.Parts = full.Entries[:length], full.FlowIDs[:length], full.Decisions[:length], full.Parts[:length]
		m = p.saveMovement(m)
		p.movements.IsRead("with other lists", m)
	}
	m.Entries, m.FlowIDs = slices.Clone(full.Entries), slices.Clone(full.FlowIDs)
	m.Decisions, m.Parts = slices.Clone(full.Decisions), slices.Clone(full.Parts)
	slices.Reverse(m.Entries)
	slices.Reverse(m.FlowIDs)
	slices.Reverse(m.Decisions)
	slices.Reverse(m.Parts)
	p.movements.IsRead("with lists in another order", p.saveMovement(m))
	p.movements.IsRead("whose lists nobody changed", other)
}

func movementVersionsCount(p *probe) {
	m := p.newMovement()
	var records []storetest.Record
	for range 4 {
		records = append(records, p.movements.Change(m).Record)
		m = p.saveMovement(m)
		p.movements.IsRead("of the next version", m)
	}
	p.movements.HasRecords(m.ID, records...)
	late, again, missing := m, p.newMovement(), p.newMovement()
	late.Version, late.Account = 2, "late"
	missing.Version = 3
	fresh := m
	fresh.Version = 0
	next := again
	next.Version = 1
	for what, changes := range map[string]settlement.Changes{
		"an old version":                  movementsOnly(late),
		"one that is there as new":        movementsOnly(fresh),
		"one that is not there":           movementsOnly(missing),
		"one twice":                       movementsOnly(again, again),
		"a new one with its next version": movementsOnly(again, next),
		"a good one with an old version":  movementsOnly(again, late),
	} {
		p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, changes), "Save of "+what)
	}
	p.movements.IsRead("that others wanted to change", m)
	p.movements.HasRecords(m.ID, records...)
	if _, err := p.store.Movement(p.Ctx, again.ID); !errors.Is(err, flussi.ErrNotFound) {
		p.Fail("a movement is there although its write was refused")
	}
}

func movementValuesAreKept(p *probe) {
	for _, text := range texts {
		m := p.fullMovement()
		storetest.SetTexts(&m, text[0], text[1])
		p.movements.IsRead("with odd texts", p.saveMovement(m))
	}
	for _, given := range storetest.Moments() {
		m := p.fullMovement()
		storetest.SetTimes(&m, given)
		p.saveMovement(m)
		got := p.movements.One(m.ID)
		p.HasTimes("Movement", &got, given)
	}
	for _, amount := range []flussi.Cents{flussi.MaxPayable, 1<<53 + 1, -1} {
		m := p.fullMovement()
		m.Amount, m.StatedAmount, m.Regularised = amount, amount, amount
		m.Parts[1].Amount, m.Entries[1].Amount, m.Decisions[1].Amount = amount, amount, amount
		p.movements.IsRead("with the amount "+amount.String(), p.saveMovement(m))
	}
}

// allGoTogether checks that a write stores nothing if any of its parts is refused.
func allGoTogether(p *probe) {
	s, m := p.save(p.newSettlement()), p.saveMovement(p.newMovement())
	one := p.payments.Set(p.newPayment(s))
	failure := errors.New("the sequence failed")
	late := func(version int64) (settlement.Settlement, settlement.Movement, settlement.Payment) {
		a, b, c := s, m, one
		a.PSPName, b.Account, c.IUR = "late", "late", "late"
		a.Version, b.Version, c.Version = version, version, version
		return a, b, c
	}
	good, goodMovement, goodPayment := late(1)
	bad, badMovement, badPayment := late(7)
	of := func(s settlement.Settlement, m settlement.Movement, payments iter.Seq2[settlement.PaymentChange, error]) settlement.Changes {
		changes := movementsOnly(m)
		changes.Settlements, changes.Payments = []settlement.SettlementChange{settlementChange(s)}, payments
		return changes
	}
	goodRows := sequence([]settlement.PaymentChange{paymentChange(goodPayment)})
	for what, changes := range map[string]settlement.Changes{
		"settlement": of(bad, goodMovement, goodRows),
		"movement":   of(good, badMovement, goodRows),
		"payment":    of(good, goodMovement, sequence([]settlement.PaymentChange{paymentChange(badPayment)})),
	} {
		p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, changes), "Save with an old "+what)
	}
	failing := of(good, goodMovement, func(yield func(settlement.PaymentChange, error) bool) {
		if yield(paymentChange(goodPayment), nil) {
			yield(settlement.PaymentChange{}, failure)
		}
	})
	p.Wants(failure, p.store.Save(p.Ctx, failing), "Save with a sequence that fails")
	p.settlements.IsRead("that was refused", withCounts(s, one))
	p.movements.IsRead("that was refused", m)
	p.payments.IsRead("that was refused", one)
	p.Must(p.store.Save(p.Ctx, of(good, goodMovement, goodRows)), "Save of all")
	p.movements.IsRead("stored with others", storetest.Next(goodMovement))
	p.payments.IsRead("stored with others", storetest.Next(goodPayment))
}

func movementsHaveOneWinner(p *probe) {
	m, other := p.saveMovement(p.newMovement()), p.saveMovement(p.newMovement())
	p.OneWins("Save of one version of two movements", p.Together(func(i int) error {
		if i%2 == 0 {
			return p.store.Save(p.Ctx, movementsOnly(m, other))
		}
		return p.store.Save(p.Ctx, movementsOnly(other, m))
	}), flussi.ErrConflict)
	p.movements.IsRead("that many changed at once", storetest.Next(m))
}
