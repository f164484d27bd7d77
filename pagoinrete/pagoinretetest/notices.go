package pagoinretetest

import (
	"reflect"

	"github.com/flussi-go/flussi/pagoinrete"
)

var noticeRules = []rule{{"each proof of a payment is kept for itself", proofsAreKept}}

// proofsAreKept stores each proof without the others, and takes each away again.
func proofsAreKept(p *probe) {
	e := p.saveEvent(p.newEvent())
	n := p.save(p.newNotice(e))
	var full pagoinrete.Evidence
	p.Fill(&full, true)
	kinds := reflect.TypeFor[pagoinrete.Evidence]()
	for i := range kinds.NumField() {
		n.Evidence = pagoinrete.Evidence{}
		reflect.ValueOf(&n.Evidence).Elem().Field(i).Set(reflect.ValueOf(full).Field(i))
		n = p.save(n)
		p.ReadsChild("with no proof but "+kinds.Field(i).Name, n)

		n.Evidence = full
		reflect.ValueOf(&n.Evidence).Elem().Field(i).SetZero()
		n = p.save(n)
		p.ReadsChild("with all proofs but "+kinds.Field(i).Name, n)
	}
}
