package settlementtest

import (
	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/storetest"
	"github.com/flussi-go/flussi/pagoinrete/settlement"
)

var bodyVersionRules = []rule{
	{"the version of a body counts its writes", bodyVersionCounts},
	{"a write with another version than the body's is refused", otherBodyVersionsAreRefused},
	{"of several writers with one version of a body, one succeeds", bodyVersionsHaveOneWinner},
}

// atBodyVersion returns a write of a new movement with a version of the body.
func (p *probe) atBodyVersion(bodyVersion int64) settlement.Changes {
	changes := movementsOnly(p.newMovement())
	changes.Body, changes.BodyVersion = body, bodyVersion
	return changes
}

// hasBodyVersion checks the version of a body.
func (p *probe) hasBodyVersion(of flussi.OrganizationCode, when string, want int64) {
	got, err := p.store.BodyVersion(p.Ctx, of)
	p.Must(err, "BodyVersion")
	if got != want {
		p.Fail("%s: want version %d, got %d", when, want, got)
	}
}

func bodyVersionCounts(p *probe) {
	other := codeOf("15376371009")
	p.hasBodyVersion(body, "of a body of which nothing was stored", 0)
	for i := range int64(3) {
		p.Must(p.store.Save(p.Ctx, p.atBodyVersion(i)), "Save with the version of the body")
		p.hasBodyVersion(body, "after a write", i+1)
	}
	p.saveMovement(p.newMovement())
	p.hasBodyVersion(body, "after a write without a body", 3)
	p.hasBodyVersion(other, "of another body", 0)
}

func otherBodyVersionsAreRefused(p *probe) {
	p.Must(p.store.Save(p.Ctx, p.atBodyVersion(0)), "Save with the version of the body")
	before := p.movements.Page(settlement.MovementFilter{}, flussi.Page{Limit: 10})
	for _, bodyVersion := range []int64{0, 2, -1} {
		p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, p.atBodyVersion(bodyVersion)), "Save with another version")
	}
	p.hasBodyVersion(body, "after writes that were refused", 1)
	late := p.newMovement()
	late.Version = 5
	refused := movementsOnly(late)
	refused.Body, refused.BodyVersion = body, 1
	p.Wants(flussi.ErrConflict, p.store.Save(p.Ctx, refused), "Save of what is not there")
	p.hasBodyVersion(body, "after a write that was refused for its version", 1)
	if after := p.movements.Page(settlement.MovementFilter{}, flussi.Page{Limit: 10}); len(after) != len(before) {
		p.Fail("a write that was refused has stored something")
	}
}

func bodyVersionsHaveOneWinner(p *probe) {
	writes := make([]settlement.Changes, storetest.Crowd)
	for i := range writes {
		writes[i] = p.atBodyVersion(0)
	}
	p.OneWins("Save with one version of the body", p.Together(func(i int) error { return p.store.Save(p.Ctx, writes[i]) }), flussi.ErrConflict)
	p.hasBodyVersion(body, "after many wanted the same", 1)
}
