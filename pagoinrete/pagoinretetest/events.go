package pagoinretetest

import (
	"slices"

	"github.com/flussi-go/flussi/pagoinrete"
)

var eventRules = []rule{{"an event has its instalments, in their order", instalmentsAreKept}}

func instalmentsAreKept(p *probe) {
	e, other := p.saveEvent(p.newEvent()), p.saveEvent(p.newEvent())
	all := make([]pagoinrete.Instalment, pagoinrete.MaxInstalments)
	p.Fill(&all, true)
	all[3] = all[2]   // the same twice
	all[5].Amount = 0 // each part may be missing
	all[7] = all[0]   // and one that is not next to it
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, parts := range [][]pagoinrete.Instalment{all[:1], all, reversed, all[:3], nil, all[1:2], {}} {
		e.Instalments = parts
		e = p.saveEvent(e)
		p.ReadsParent("with other instalments", e)
	}
	p.ReadsParent("whose instalments nobody changed", other)
}
