package settlementtest

import (
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

var isolationRules = []rule{
	{"what is returned is the caller's", returnedIsTheCallers},
	{"what is given stays the caller's", givenIsTheCallers},
}

func returnedIsTheCallers(p *probe) {
	s := p.fullSettlement()
	payments := p.NewChildren(s, 3)
	p.save(s, payments...)
	m := p.saveMovement(p.fullMovement())
	want := storetest.Clone(p.movements.One(m.ID))
	before := p.Snapshot()
	page := flussi.Page{Limit: 3}
	storetest.Spoil(p.Probe, p.settlements.Page(settlement.SettlementFilter{}, page))
	storetest.Spoil(p.Probe, p.payments.Page(settlement.PaymentFilter{}, page))
	storetest.Spoil(p.Probe, p.movements.Page(settlement.MovementFilter{}, page))
	storetest.Spoil(p.Probe, p.movements.Page(settlement.MovementFilter{IDs: []uuid.UUID{m.ID}}, page))
	storetest.Spoil(p.Probe, []settlement.Movement{p.movements.One(m.ID)})
	storetest.SpoilHistory(p.Probe, p.store.SettlementHistory, s.ID)
	storetest.SpoilHistory(p.Probe, p.store.PaymentHistory, payments[0].ID)
	storetest.SpoilHistory(p.Probe, p.store.MovementHistory, m.ID)
	p.Unchanged(before, "after a change of what was returned")
	p.movements.IsRead("after a change of what was returned", want)
	p.movements.HasRecords(m.ID, p.movements.Change(storetest.WithVersion(m, 0)).Record)
}

func givenIsTheCallers(p *probe) {
	s := p.newSettlement()
	p.save(s)
	storetest.LeavesChanges(p.suite, p.NewChildren(s, 3), paymentChange, func(changes []settlement.PaymentChange) error {
		return p.store.Save(p.Ctx, settlement.Changes{Payments: sequence(changes)})
	})
	m := p.fullMovement()
	changes := movementsOnly(m)
	p.Must(p.store.Save(p.Ctx, changes), "Save of movements")
	p.Equal("a change that was stored", changes.Movements[0], movementChange(m))
	storetest.Spoil(p.Probe, changes.Movements)
	p.movements.IsRead("whose change was altered after it was stored", storetest.Next(m))
	names := []string{"b", "a", "b"}
	filter := settlement.MovementFilter{FlowIDs: slices.Clone(names)}
	p.movements.Page(filter, flussi.Page{Limit: 2})
	if !slices.Equal(filter.FlowIDs, names) {
		p.Fail("Movements has changed the filter it was given")
	}
}
