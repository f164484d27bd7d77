package settlementtest

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

var ledgerRules = []rule{
	{"the ledger of a body counts its writes", ledgerCounts},
	{"a write with another ledger than the body's is refused", otherLedgersAreRefused},
	{"of several writers with one ledger, one succeeds", ledgersHaveOneWinner},
}

// inLedger returns a write of a new movement with a ledger of the body.
func (p *probe) inLedger(ledger int64) settlement.Changes {
	changes := movementsOnly(p.newMovement())
	changes.Body, changes.Ledger = body, ledger
	return changes
}

// hasLedger checks the ledger of a body.
func (p *probe) hasLedger(of flussi.OrganizationCode, when string, want int64) {
	got, err := p.store.Ledger(p.Ctx, of)
	p.Must(err, "Ledger")
	if got != want {
		p.Fail("%s: want the ledger %d, got %d", when, want, got)
	}
}

func ledgerCounts(p *probe) {
	other := codeOf("15376371009")
	p.hasLedger(body, "of a body of which nothing was stored", 0)
	for i := range int64(3) {
		p.Must(p.store.Save(p.Ctx, p.inLedger(i)), "Save with the ledger of the body")
		p.hasLedger(body, "after a write", i+1)
	}
	p.saveMovement(p.newMovement())
	p.hasLedger(body, "after a write without a body", 3)
	p.hasLedger(other, "of another body", 0)
}

func otherLedgersAreRefused(p *probe) {
	p.Must(p.store.Save(p.Ctx, p.inLedger(0)), "Save with the ledger of the body")
	before := p.movements.Page(settlement.MovementFilter{}, flussi.Page{Limit: 10})
	for _, ledger := range []int64{0, 2, -1} {
		p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, p.inLedger(ledger)), "Save with another ledger")
	}
	p.hasLedger(body, "after writes that were refused", 1)
	late := p.newMovement()
	late.Version = 5
	refused := movementsOnly(late)
	refused.Body, refused.Ledger = body, 1
	p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, refused), "Save of what is not there")
	p.hasLedger(body, "after a write that was refused for its version", 1)
	if after := p.movements.Page(settlement.MovementFilter{}, flussi.Page{Limit: 10}); len(after) != len(before) {
		p.Fail("a write that was refused has stored something")
	}
}

func ledgersHaveOneWinner(p *probe) {
	writes := make([]settlement.Changes, storetest.Crowd)
	for i := range writes {
		writes[i] = p.inLedger(0)
	}
	p.OneWins("Save with one ledger", storetest.Together(func(i int) error { return p.store.Save(p.Ctx, writes[i]) }), flussi.ErrConflict)
	p.hasLedger(body, "after many wanted the same", 1)
}
